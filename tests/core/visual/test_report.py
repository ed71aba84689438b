"""The gate of a validation: its one line, its keys, and an excerpt that an agent can work with (O26)."""

from __future__ import annotations

from ralph_wiggum.core.evidence import GateStatus
from ralph_wiggum.core.fingerprint import of_gates
from ralph_wiggum.core.servers.standing import Standing
from ralph_wiggum.core.visual import report
from ralph_wiggum.core.visual.commands import read
from ralph_wiggum.core.visual.page import Request, Seen
from ralph_wiggum.core.visual.report import EXCERPT, Found
from ralph_wiggum.core.visual.verdict import Failure

URL = "http://localhost:41001/a"
SEEN = Seen(
    address=URL,
    url=URL,
    title="Home",
    text=5,
    console=("bad",),
    requests=(Request(url=f"{URL}/api", kind="fetch", status=500), Request(url="http://h/favicon.ico", status=404)),
    snapshot='- heading "Home"',
)
HIDDEN = Failure(words="answered false: the element is there, but not visible", key="answered false")
COMMANDS = read("1. Look\n```\nagent-browser back\nagent-browser forward\n```").commands
WEB = Standing(name="web", ours=True, log=".ralph/demo/logs/web.log", tail="GET /a 200\nboom")


def test_a_validation_that_passed() -> None:
    gate = report.gate(Found(commands=4, pages=1, seconds=2.5, seen=Seen(address=URL, text=1)), (WEB,))
    assert (gate.status, gate.kind, gate.reason, gate.counts, gate.excerpt) == (
        GateStatus.PASSED,
        "visual",
        "passed",
        "4 commands, 1 page",
        "",
    )
    assert gate.seconds == 2.5


def test_what_did_not_count_is_told_with_a_pass() -> None:
    gate = report.gate(Found(seen=SEEN, screenshot="screenshots/demo/1.png"), (WEB,))
    assert gate.status is GateStatus.PASSED
    assert gate.excerpt == (
        "page: http://localhost:41001/a (Home)\nscreenshot: screenshots/demo/1.png\nconsole errors:\n  bad\n"
        "failed requests:\n  GET http://localhost:41001/a/api 500"
    )


def test_a_command_that_failed() -> None:
    found = Found(
        command='agent-browser is visible "#a"',
        failures=(HIDDEN,),
        seen=SEEN,
        commands=2,
        pages=0,
        not_run=COMMANDS,
        screenshot="screenshots/demo/1.png",
    )
    gate = report.gate(found, (WEB, Standing(name="db", ours=True), Standing(name="theirs", tail="x")))
    assert gate.status is GateStatus.FAILED
    assert gate.command == 'agent-browser is visible "#a"'
    assert gate.reason == '`is visible "#a"`: answered false: the element is there, but not visible'
    assert gate.failures == ('agent-browser is visible "#a": answered false',)
    assert gate.excerpt.split("\n") == [
        'agent-browser is visible "#a": answered false: the element is there, but not visible',
        "screenshot: screenshots/demo/1.png",
        "not run after that: `back`, `forward`",
        "page: http://localhost:41001/a (Home)",
        "console errors:",
        "  bad",
        "failed requests:",
        "  GET http://localhost:41001/a/api 500",
        "what was there (snapshot):",
        '- heading "Home"',
        "log of server web (its end; all of it: .ralph/demo/logs/web.log):",
        "GET /a 200",
        "boom",
    ]


def test_a_page_that_is_not_as_it_has_to_be() -> None:
    failures = (
        Failure(words="console error: bad", key="console: bad"),
        Failure(words="the page is blank", key="blank"),
    )
    found = Found(command=f"agent-browser open {URL}", failures=failures, at_page=True, seen=SEEN, pages=1)
    gate = report.gate(found, ())
    assert gate.reason == "console error: bad at /a (and 1 more)"
    assert gate.failures == ("blank", "console: bad")
    assert gate.excerpt.startswith("console error: bad\nthe page is blank\npage: ")
    assert gate.excerpt.count("bad") == 1


def test_the_port_of_a_server_makes_no_other_failure() -> None:
    def at(url: str) -> Found:
        failure = Failure(words="the page answered 500", key="/a: status 500")
        seen = Seen(address=url, url=url, text=1)
        return Found(command=f"agent-browser open {url}", failures=(failure,), at_page=True, seen=seen, seconds=1.0)

    one, other = (report.gate(at(f"http://localhost:{port}/a"), ()) for port in (5173, 41001))
    assert of_gates([one]) == of_gates([other])


def test_trouble_of_the_tool_is_the_environments_only_if_it_never_started() -> None:
    failure = Failure(words="agent-browser does not work: Chrome exited", key="Chrome exited")
    found = Found(command="agent-browser", failures=(failure,), at_page=True, broken=True, launched=False)
    assert report.gate(found, ()).environment
    assert not report.gate(Found(failures=(failure,), at_page=True, broken=True), ()).environment


def test_an_excerpt_has_its_limit_and_the_most_useful_comes_first() -> None:
    flood = Seen(
        address=URL, url=URL, text=1, console=tuple(f"{'x' * 500} {n}" for n in range(20)), snapshot="- s\n" * 5000
    )
    server = Standing(name="web", ours=True, log="web.log", tail="y" * 4000)
    gate = report.gate(Found(command="agent-browser back", failures=(HIDDEN,), seen=flood), (server,))
    assert len(gate.excerpt) <= EXCERPT
    assert gate.excerpt.startswith("agent-browser back: answered false")
    assert "… and 12 more" in gate.excerpt


def test_what_comes_from_a_page_cannot_act_on_a_terminal() -> None:
    seen = Seen(
        address=URL, url=URL, text=1, title="\x1b]0;owned\x07T", console=("\x1b[31mred",), snapshot="\x1b[2Jgone"
    )
    gate = report.gate(Found(command="agent-browser back", failures=(HIDDEN,), seen=seen), ())
    assert "\x1b" not in gate.excerpt


def test_nothing_to_look_at_and_nothing_to_look_with() -> None:
    gate = report.failed("agent-browser is not installed", hopeless=True)
    assert (gate.status, gate.hopeless, gate.failures) == (GateStatus.FAILED, True, ("agent-browser is not installed",))
    assert report.not_run("stopped").status is GateStatus.NOT_RUN
