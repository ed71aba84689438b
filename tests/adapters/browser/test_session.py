"""A session against a stand-in for agent-browser: answers, limits, misbehaviour, and nothing left afterwards."""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ralph_wiggum.adapters.browser import leftovers
from ralph_wiggum.adapters.browser.agent_browser import AgentBrowser
from ralph_wiggum.adapters.clock import SystemClock
from ralph_wiggum.core.settings import VisualSettings
from ralph_wiggum.core.visual.page import Request
from ralph_wiggum.core.visual.reply import Reply
from tests.adapters.browser.stand_in import Quiet, StandIn
from tests.adapters.process_harness import is_alive, marked, no_survivors, wait_until

RECORD = '["network", "har", "start", "--content", "none"]'

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs a subreaper")


@pytest.fixture
def stand_in(tmp_path: Path) -> StandIn:
    return StandIn(tmp_path)


@pytest.fixture
def browser(stand_in: StandIn, tmp_path: Path) -> Iterator[AgentBrowser]:
    yield from made(stand_in, tmp_path)


def made(stand_in: StandIn, root: Path, limit: float = 30.0) -> Iterator[AgentBrowser]:
    run_id = f"t{os.getpid()}-{root.name}"[:36]
    settings = VisualSettings(tool=str(stand_in.program), browser=sys.executable, timeout=limit)
    with no_survivors(f"{run_id}/browser"):
        env = {**os.environ, "AGENT_BROWSER_CDP": "9222"}
        yield AgentBrowser(settings, root, run_id, SystemClock(), env, margin=0.0)
        assert marked(f"{run_id}/browser") == []
        assert not leftovers.folder_of(run_id).exists()


def test_a_command_and_its_answer(browser: AgentBrowser, stand_in: StandIn) -> None:
    assert browser.missing == ""
    with browser.session(Quiet()) as session:
        reply = session.run(("open", "http://a/"))
    assert reply.ok
    assert dict(reply.data) == {"url": "http://a/"}
    assert 0 < reply.seconds < 10
    assert stand_in.calls == [RECORD, '["open", "http://a/"]', '["close"]']


def test_a_session_in_which_nothing_ran_starts_no_browser(browser: AgentBrowser, stand_in: StandIn) -> None:
    with browser.session(Quiet()):
        pass
    assert stand_in.calls == []


def test_several_commands_go_in_one_call(browser: AgentBrowser, stand_in: StandIn) -> None:
    with browser.session(Quiet()) as session:
        replies = session.run_all((("wait", "1"), ("eval", "throw"), ("console", "--clear")))
    assert [reply.ok for reply in replies] == [True, False, True]
    assert replies[1].error == "Evaluation error: Error: failed to connect"
    assert stand_in.calls[1:-1] == ['["batch", "wait 1", "eval throw", "console --clear"]']


def test_scripts_go_encoded(browser: AgentBrowser, stand_in: StandIn) -> None:
    with browser.session(Quiet()) as session:
        session.run_all((("eval", "1 + 'a'"), ("wait", "1")))
    assert stand_in.calls[1:-1] == ['["batch", "eval -b MSArICdhJw==", "wait 1"]']


def test_words_that_would_need_quotes_go_one_by_one(browser: AgentBrowser, stand_in: StandIn) -> None:
    with browser.session(Quiet()) as session:
        replies = session.run_all((("fill", "#a", "two words"), ("click", "#gone")))
    assert [reply.ok for reply in replies] == [True, False]
    assert stand_in.calls[1:-1] == ['["fill", "#a", "two words"]', '["click", "#gone"]']


def test_what_was_requested_comes_from_a_recording(browser: AgentBrowser, stand_in: StandIn) -> None:
    with browser.session(Quiet()) as session:
        assert session.requests() == ()
        session.run(("open", "http://a/"))
        requests = session.requests()
    assert requests == (
        Request(url="http://a/", kind="document", status=200),
        Request(url="http://b/", kind="fetch", method="POST", error="net::ERR_CONNECTION_REFUSED"),
    )
    folder = leftovers.folder_of(browser._run_id)
    assert stand_in.calls[2] == (
        f'["batch", "network har stop {folder}/requests.har", "network har start --content none", '
        '"network requests --clear"]'
    )


def test_a_recording_that_cannot_be_had_is_told_from_no_requests(browser: AgentBrowser, stand_in: StandIn) -> None:
    stand_in.without("no_stop")
    with browser.session(Quiet()) as session:
        assert session.run(("open", "http://a/")).ok
        assert session.requests() is None


def test_without_a_recording_the_list_will_do(browser: AgentBrowser, stand_in: StandIn) -> None:
    stand_in.without("no_har")
    with browser.session(Quiet()) as session:
        assert session.run(("open", "http://a/")).ok
        assert session.requests() == (Request(url="http://a/", kind="document", status=200), Request(url="http://b/"))


@pytest.mark.parametrize(
    ("command", "data"),
    [("bad-text", {"value": "caf\ufffd \ufffd"}), ("warn", {})],
)
def test_answers_with_noise(browser: AgentBrowser, command: str, data: dict[str, str]) -> None:
    with browser.session(Quiet()) as session:
        reply = session.run((command,))
    assert reply.ok
    assert dict(reply.data) == data


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (("silent",), "agent-browser gave no answer: it printed nothing"),
        (("words",), "agent-browser gave no answer: something went wrong"),
        (("crash",), "agent-browser was killed by signal 11"),
        (("flood",), "agent-browser answered more than 16 MB"),
        (("click", "#tab"), "Target crashed"),
    ],
)
def test_trouble_of_the_tool_is_no_fault_of_the_page(
    browser: AgentBrowser, command: tuple[str, ...], error: str
) -> None:
    with browser.session(Quiet()) as session:
        reply = session.run(command)
    assert (reply.ok, reply.broken, reply.error) == (False, True, error)


def test_what_a_page_says_is_no_trouble_of_the_tool(browser: AgentBrowser) -> None:
    with browser.session(Quiet()) as session:
        assert not session.run(("eval", "throw")).broken
        assert not session.run(("click", "#gone")).broken


def test_a_flood_costs_little_memory(browser: AgentBrowser) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with browser.session(Quiet()) as session:
        assert session.run(("flood",)).broken
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000


def test_a_browser_that_cannot_start_is_asked_once(browser: AgentBrowser, stand_in: StandIn) -> None:
    stand_in.without("no_chrome")
    with browser.session(Quiet()) as session:
        first, second = session.run(("open", "http://a/")), session.run(("open", "http://b/"))
        assert session.run_all((("console",), ("errors",))) == (first, first)
        assert session.requests() == ()
    assert first.broken
    assert first.error == "Chrome exited early (exit code: 1)"
    assert second == first
    assert stand_in.calls == [RECORD]


def test_a_tool_that_was_removed(browser: AgentBrowser, stand_in: StandIn) -> None:
    with browser.session(Quiet()) as session:
        stand_in.program.unlink()
        reply = session.run(("open", "http://a/"))
    assert reply.broken
    assert "No such file" in reply.error or "no such file" in reply.error
    assert "no program is there" in browser.missing


def test_an_empty_page_after_an_opened_one_is_another_browser(browser: AgentBrowser) -> None:
    """agent-browser starts another Chromium without a word where the first was killed."""
    with browser.session(Quiet()) as session:
        assert not session.run(("get", "url")).broken
        session.run(("open", "http://a/"))
        assert session.run(("get", "url")).broken
        assert session.run_all((("get", "url"),))[0].broken
        session.run(("open", "about:blank"))
        assert not session.run(("get", "url")).broken
        session.run(("open", "http://a/"))
        session.run(("tab", "new"))
        assert not session.run(("get", "url")).broken


def test_a_command_that_hangs_is_ended_with_the_session(stand_in: StandIn, tmp_path: Path) -> None:
    for browser in made(stand_in, tmp_path, limit=2.0):
        watcher = Quiet()
        with browser.session(watcher) as session:
            session.run(("daemon",))
            reply = session.run(("hang",))
            assert reply.timed_out
            assert not [pid for pid in stand_in.daemons if is_alive(pid)]
            began = time.monotonic()
            assert session.run(("open", "http://a/")) == reply
            assert session.requests() == ()
            assert time.monotonic() - began < 1.0
        assert watcher.ticks > 2
        assert '["close"]' not in stand_in.calls


def test_a_person_who_stops_it_waits_for_nothing(browser: AgentBrowser) -> None:
    asked = time.monotonic() + 0.5
    with browser.session(Quiet(stop=lambda: "SIGINT" if time.monotonic() > asked else None)) as session:
        reply = session.run(("hang",))
        assert reply.stopped
        assert session.run(("open", "http://a/")).stopped


def test_what_the_tool_leaves_lives_through_commands_and_ends_with_the_session(
    browser: AgentBrowser, stand_in: StandIn
) -> None:
    with browser.session(Quiet()) as session:
        session.run(("daemon",))
        (daemon,) = stand_in.daemons
        session.run(("open", "http://a/"))
        assert is_alive(daemon)
    assert not is_alive(daemon)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_session_ends_in_every_case(browser: AgentBrowser, stand_in: StandIn, error: type[BaseException]) -> None:
    def look() -> None:
        with browser.session(Quiet()) as session:
            session.run(("daemon",))
            raise error

    with pytest.raises(error):
        look()
    assert not is_alive(stand_in.daemons[0])


def test_a_keeper_that_was_killed_leaves_nothing_either(browser: AgentBrowser, stand_in: StandIn) -> None:
    with browser.session(Quiet()) as session:
        session.run(("daemon",))
        os.kill(session._family.keeper.pid, signal.SIGKILL)
        wait_until(lambda: not session._family.keeper.alive)
        assert session.run(("open", "http://a/")).ok
    assert not is_alive(stand_in.daemons[0])


def test_the_environment_is_the_sessions_own(browser: AgentBrowser) -> None:
    def value(name: str) -> str:
        with browser.session(Quiet()) as session:
            return str(session.run(("get", "env", name)).data["value"])

    assert value("AGENT_BROWSER_CDP") == "None"
    assert value("RALPH_RUN_ID").endswith("/browser")
    assert "localhost" in value("NO_PROXY")


def test_sessions_follow_each_other_without_a_leak(browser: AgentBrowser) -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    with browser.session(Quiet()) as session:
        session.run(("open", "http://a/"))
    before = descriptors()
    for _ in range(5):
        with browser.session(Quiet()) as session:
            session.run(("open", "http://a/"))
    assert descriptors() == before


def test_a_reply_is_a_plain_value() -> None:
    assert Reply(ok=True) == Reply(ok=True, data={})
