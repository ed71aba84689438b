"""Visual validation against pages in memory: what passes, what fails and with which words, what is kept (O23, O25, O26)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from ralph_wiggum.app.validation import Validation
from ralph_wiggum.core import check_gate, parse
from ralph_wiggum.core.evidence import Gate, GateStatus
from ralph_wiggum.core.model import Task
from ralph_wiggum.core.servers.standing import Health, Standing
from ralph_wiggum.core.settings import VisualSettings
from ralph_wiggum.core.visual import report
from ralph_wiggum.core.visual.looked import Looked
from ralph_wiggum.core.visual.page import Request
from ralph_wiggum.core.visual.reply import Reply
from tests.app.pages import Page, PageBrowser
from tests.fakes import ScriptedServers, down

WEB = Standing(
    name="web",
    health=Health.UP,
    wanted="http://localhost:5173",
    url="http://localhost:41001",
    ours=True,
    log=".ralph/demo/logs/web.log",
    tail="GET / 200",
)
HOME = "http://localhost:41001"
UP = Gate(name="server web", kind="server", status=GateStatus.PASSED, reason="up")
DEFAULTS = VisualSettings()
GOOD = Page(elements={"#a": True, "#b": True, "#hidden": False})


@dataclass
class Someone:
    """A watcher whose person stops it after so many looks."""

    patience: int = 1_000_000

    def output(self, text: str) -> None:
        return

    def tick(self) -> None:
        return

    def stop_reason(self) -> str | None:
        self.patience -= 1
        return "SIGINT" if self.patience < 0 else None


@dataclass
class Room:
    """A project in a folder, with its servers and pages, ready to be looked at."""

    root: Path
    pages: Mapping[str, Page] = field(default_factory=lambda: {HOME: GOOD, f"{HOME}/": GOOD})
    settings: VisualSettings = DEFAULTS
    gates: Sequence[Gate] = (UP,)
    standings: Sequence[Standing] = (WEB,)
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.browser = PageBrowser(self.pages, self.root)
        self.watcher = Someone()
        self.screenshots = self.root / "screenshots" / "demo"
        self.accepted = self.root / ".ralph" / "demo" / "accepted"

    def look(
        self,
        *commands: str,
        name: str = "1. Look",
        accepted: Mapping[str, tuple[str, ...]] | None = None,
        earlier: Sequence[Task] = (),
    ) -> Looked:
        lines = "".join(f"  {line}\n" for line in ("```", *commands, "```")) if commands else ""
        task = parse.parse(f"- [ ] {name}\n{lines}").tasks[0]
        servers = ScriptedServers(result=lambda: self.gates, standings=self.standings)
        validation = Validation(servers, self.browser, self.settings, self.root, self.screenshots, self.accepted)
        looked = validation.run(task, accepted or {}, self.watcher, self.said.append, earlier=earlier)
        assert self.browser.open == 0  # whatever happened, every session was left
        assert looked.gates[:-1] == tuple(self.gates)
        return looked

    def gate(self, *commands: str, **more: str) -> Gate:
        return self.look(*commands, **more).gates[-1]  # type: ignore[arg-type]  # only names are given so


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


OPEN = "agent-browser open http://localhost:5173/"


def test_a_task_whose_commands_all_succeed(room: Room) -> None:
    looked = room.look(OPEN, 'agent-browser is visible "#a"', "agent-browser click '#b'")
    gate = looked.gates[-1]
    assert (gate.name, gate.kind, gate.status, gate.counts) == (
        "visual",
        "visual",
        GateStatus.PASSED,
        "3 commands, 1 page",
    )
    assert gate.command == OPEN
    assert looked.screenshots == ("screenshots/demo/1.png",)
    assert (room.root / "screenshots/demo/1.png").read_bytes() == b"png"
    assert looked.console == {"/": ()}
    assert f"open {HOME}/" in room.browser.calls
    assert room.said == [OPEN, 'agent-browser is visible "#a"', "agent-browser click '#b'"]
    assert room.browser.sessions == 1


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("is visible '#hidden'", "`is visible '#hidden'`: answered false: the element is there, but not visible"),
        ("is visible '#none'", "`is visible '#none'`: Element not found"),
        ("click '#none'", "`click '#none'`: Element not found"),
        ("install", "`install`: `install` may not run: it changes what is installed"),
        ("snapshot | head", "`snapshot | head`: `|` needs a shell; only agent-browser runs"),
        (
            "open http://localhost:9999/",
            "`open http://localhost:9999/`: net::ERR_CONNECTION_REFUSED (nothing listens there)",
        ),
        ("screenshot ../a.png", "`screenshot ../a.png`: ../a.png lies outside of the project"),
        (
            "screenshot src/app.ts",
            "`screenshot src/app.ts`: src/app.ts does not end with .png or .jpg or .jpeg or .webp",
        ),
        ("upload '#a' /etc/passwd", "`upload '#a' /etc/passwd`: /etc/passwd lies outside of the project"),
    ],
)
def test_the_first_command_that_fails_ends_the_look(room: Room, command: str, reason: str) -> None:
    (room.root / "src").mkdir()
    (room.root / "src" / "app.ts").write_text("source")
    looked = room.look(OPEN, f"agent-browser {command}", "agent-browser is visible '#a'")
    gate = looked.gates[-1]
    assert gate.status is GateStatus.FAILED
    assert gate.reason == reason
    assert gate.command == f"agent-browser {command}"
    assert len(gate.failures) == 1
    assert "not run after that: `is visible '#a'`" in gate.excerpt
    assert "screenshot: screenshots/demo/1.png" in gate.excerpt
    assert '- heading "Page"' in gate.excerpt
    assert "log of server web" in gate.excerpt
    assert looked.screenshots == ("screenshots/demo/1.png",)
    assert "is visible #a" not in room.browser.calls
    assert (room.root / "src" / "app.ts").read_text() == "source"
    assert not room.accepted.exists()


def test_an_element_may_take_a_moment_to_appear(room: Room) -> None:
    room.pages = {f"{HOME}/": Page(elements={"#a": True}, late=4)}
    room.browser.pages = room.pages
    assert not room.gate(OPEN, "agent-browser is visible '#a'").failed


def test_an_element_that_has_to_be_hidden(room: Room) -> None:
    assert not room.gate(OPEN, "agent-browser is visible '#hidden' # should be false").failed
    assert not room.gate(OPEN, "agent-browser is visible '#none' # should be false").failed
    assert room.gate(OPEN, "agent-browser is visible '#a' # should be false").failed


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (Page(status=404), "the page answered 404 at /"),
        (Page(status=500), "the page answered 500 at /"),
        (Page(text=0), "the page is blank at /"),
        (Page(console=("bad",)), "console error: bad at /"),
        (Page(uncaught=("Error: boom",)), "console error: Uncaught Error: boom at /"),
        (
            Page(requests=(Request(url=f"{HOME}/api", kind="fetch", status=500),)),
            "request failed: GET http://localhost:41001/api 500 at /",
        ),
    ],
)
@pytest.mark.parametrize("commands", [(), (OPEN, "agent-browser snapshot -i")], ids=["its page", "its commands"])
def test_a_page_that_is_not_as_it_has_to_be(room: Room, page: Page, reason: str, commands: tuple[str, ...]) -> None:
    room.browser.pages = {HOME: page, f"{HOME}/": page}
    looked = room.look(*commands)
    gate = looked.gates[-1]
    assert gate.status is GateStatus.FAILED
    assert gate.reason == reason
    assert gate.command == (OPEN if commands else f"agent-browser open {HOME}")
    assert looked.screenshots == ("screenshots/demo/1.png",)


def test_a_refused_call_counts_only_where_no_command_can_have_provoked_it(room: Room) -> None:
    page = Page(requests=(Request(url=f"{HOME}/login", kind="fetch", status=401),))
    room.browser.pages = {HOME: page, f"{HOME}/": page}
    assert room.gate().failed
    assert not room.gate(OPEN, "agent-browser snapshot").failed


def test_commands_that_make_requests_fail_on_purpose(room: Room) -> None:
    page = Page(requests=(Request(url=f"{HOME}/api", kind="fetch", error="net::ERR_FAILED"),))
    room.browser.pages = {f"{HOME}/": page}
    assert room.gate(OPEN).failed
    assert not room.gate("agent-browser network route '**/api' --abort", OPEN).failed


def test_console_errors_that_were_there_before_do_not_count(room: Room) -> None:
    page = Page(console=("known at http://localhost:41001/a.ts:3:1",))
    room.browser.pages = {f"{HOME}/": page}
    known = {"/": ("known at /a.ts:<n>",)}
    looked = room.look(OPEN, accepted=known)
    assert not looked.failed
    assert looked.console == known
    assert "known at" in looked.gates[-1].excerpt
    assert room.look(OPEN).failed


def test_each_page_is_judged_before_it_is_left(room: Room) -> None:
    """Its errors are its own: those of the first are not held against the second."""
    for forgets in (True, False):
        room.browser = PageBrowser(
            {f"{HOME}/": GOOD, f"{HOME}/b": Page(uncaught=("Error: b",))}, room.root, forgets=forgets
        )
        good = room.look(OPEN, "agent-browser open http://localhost:5173/")
        assert good.gates[-1].counts == "2 commands, 2 pages"
        failed = room.look("agent-browser open /b", OPEN, "agent-browser snapshot")
        assert failed.gates[-1].reason == "console error: Uncaught Error: b at /b"
        assert f"open {HOME}/" not in room.browser.calls[-3:]
        known = {"/b": ("Uncaught Error: b",)}
        both = room.look("agent-browser open /b", OPEN, accepted=known)
        assert both.console == {"/": (), "/b": ("Uncaught Error: b",)}
        assert not both.failed


def test_close_in_the_middle_ends_nothing(room: Room) -> None:
    looked = room.look(OPEN, "agent-browser close", OPEN, "agent-browser is visible '#a'", "agent-browser close")
    assert not looked.failed
    assert "close" not in room.browser.calls


@pytest.mark.parametrize(
    ("settings", "commands", "opened"),
    [
        pytest.param(VisualSettings(), ("is visible '#a'",), [HOME], id="the server's root"),
        pytest.param(VisualSettings(pages=("/b", "/c")), ("is visible '#a'",), [f"{HOME}/b"], id="the first page"),
        pytest.param(
            VisualSettings(pages=("/b",)), ("set viewport 375 812", "open /c"), [f"{HOME}/c"], id="set up first"
        ),
        pytest.param(VisualSettings(pages=("/b", "/c")), (), [f"{HOME}/b", f"{HOME}/c"], id="every page"),
        pytest.param(VisualSettings(), (), [HOME], id="nothing said"),
    ],
)
def test_which_page_is_opened(
    tmp_path: Path, settings: VisualSettings, commands: tuple[str, ...], opened: list[str]
) -> None:
    room = Room(tmp_path, dict.fromkeys((HOME, f"{HOME}/b", f"{HOME}/c"), GOOD), settings)
    assert not room.gate(*(f"agent-browser {command}" for command in commands)).failed
    assert [call.removeprefix("open ") for call in room.browser.calls if call.startswith("open ")] == opened


def test_a_page_is_waited_for_until_it_shows_something(room: Room) -> None:
    room.browser.pages = {HOME: Page(busy=4)}
    assert not room.gate().failed
    assert 4 <= sum(call.startswith("wait") for call in room.browser.calls) < 10


def test_a_page_that_waits_for_its_server_gets_longer_and_is_then_judged_with_a_note(room: Room) -> None:
    """A call that takes seven seconds is waited for; one that never ends does not hold the look for ever."""
    room.browser.pages = {HOME: Page(busy=10_000)}
    looked = room.look()
    assert not looked.failed
    assert any("did not come to rest in 15 s: still waiting for http://x/slow" in note for note in looked.notes)


def test_a_blank_page_is_not_waited_for_for_ever(room: Room) -> None:
    room.browser.pages = {HOME: Page(text=0)}
    assert room.gate().failed
    assert sum(call.startswith("wait") for call in room.browser.calls) < 40


def test_every_page_in_every_viewport(tmp_path: Path) -> None:
    settings = VisualSettings(pages=("/", "/b"), viewports=((1280, 800), (375, 812)))
    room = Room(tmp_path, {f"{HOME}/": GOOD, f"{HOME}/b": GOOD}, settings)
    looked = room.look()
    assert looked.gates[-1].counts == "0 commands, 4 pages"
    assert looked.screenshots == (
        "screenshots/demo/1.png",
        "screenshots/demo/1-2.png",
        "screenshots/demo/1@375x812.png",
        "screenshots/demo/1-2@375x812.png",
    )


def test_commands_run_in_the_first_viewport_and_the_rest_shows_where_they_ended(tmp_path: Path) -> None:
    settings = VisualSettings(viewports=((1280, 800), (375, 812)))
    room = Room(tmp_path, settings=settings)
    looked = room.look(OPEN, "agent-browser click '#a'")
    assert room.browser.calls.count("click #a") == 1
    assert looked.screenshots == ("screenshots/demo/1.png", "screenshots/demo/1@375x812.png")


def test_the_tasks_own_screenshots_are_named_too(room: Room) -> None:
    looked = room.look(OPEN, "agent-browser screenshot shots/deep/a.png")
    assert looked.screenshots == ("shots/deep/a.png", "screenshots/demo/1.png")


def test_a_link_does_not_lead_out_of_the_project(room: Room, tmp_path_factory: pytest.TempPathFactory) -> None:
    (room.root / "shots").symlink_to(tmp_path_factory.mktemp("elsewhere"))
    assert room.gate(OPEN, "agent-browser screenshot shots/a.png").reason.endswith("a.png leads outside of the project")


def test_what_passed_is_kept_and_compared_with(tmp_path: Path) -> None:
    room = Room(tmp_path, settings=VisualSettings(compare=True))
    assert room.look(OPEN).notes == ()
    assert (room.accepted / "1.png").read_bytes() == b"png"
    looked = room.look(OPEN)
    assert looked.notes == ("1.png: 1.2 % of the pixels differ from the last accepted screenshot",)
    assert not looked.failed


def test_without_compare_nothing_is_compared(room: Room) -> None:
    room.look(OPEN)
    assert room.look(OPEN).notes == ()


def test_commands_before_every_look(tmp_path: Path) -> None:
    login = Page(console=("login noise",), elements={"#go": True})
    settings = VisualSettings(before=("agent-browser open /login", "agent-browser click '#go'"))
    room = Room(tmp_path, {HOME: GOOD, f"{HOME}/": GOOD, f"{HOME}/login": login}, settings)
    looked = room.look(OPEN)
    assert not looked.failed
    assert looked.console == {"/": ()}
    assert looked.gates[-1].counts == "1 command, 1 page"
    assert not room.look().failed


def test_a_command_before_every_look_that_fails_is_said_to_be_one(tmp_path: Path) -> None:
    settings = VisualSettings(before=("agent-browser open /login", "agent-browser click '#no'"))
    room = Room(tmp_path, {HOME: GOOD, f"{HOME}/login": GOOD}, settings)
    gate = room.gate(OPEN)
    assert gate.reason == '`before #2: click "#no"`: Element not found (a command of visual_validation.before)'
    assert "not run after that: `open http://localhost:5173/`" in gate.excerpt


def test_a_server_that_is_down_leaves_the_browser_alone(room: Room) -> None:
    room.gates = (down(),)
    gate = room.gate(OPEN)
    assert (gate.status, gate.reason) == (GateStatus.NOT_RUN, report.SERVERS_DOWN)
    assert room.browser.sessions == 0


def test_a_tool_that_is_missing_is_hopeless(room: Room) -> None:
    room.browser.missing = "agent-browser is not installed: npm install -g agent-browser && agent-browser install"
    gate = room.gate(OPEN)
    assert (gate.failed, gate.hopeless, gate.reason) == (True, True, room.browser.missing)


def test_nowhere_to_look_is_said_with_what_to_write(room: Room) -> None:
    room.standings = ()
    gate = room.gate()
    assert (gate.failed, gate.hopeless) == (True, True)
    assert "visual_validation.pages" in gate.reason
    assert room.gate("agent-browser is visible '#a'").hopeless
    room.browser.pages = {"https://example.com/": GOOD}
    assert not room.gate("agent-browser open https://example.com/").failed


BROKEN = Reply(ok=False, broken=True, error="Target crashed")


def test_trouble_of_the_tool_gets_another_session(room: Room) -> None:
    room.browser.trouble = [BROKEN]
    assert not room.gate(OPEN).failed
    assert room.browser.sessions == 2
    assert "agent-browser does not work: Target crashed; once more, in a fresh session" in room.said


def test_trouble_that_stays_is_a_failure_and_the_environments(room: Room) -> None:
    room.browser.trouble = [BROKEN, BROKEN]
    gate = room.gate(OPEN)
    assert room.browser.sessions == 2
    assert (gate.failed, gate.environment) == (True, True)
    assert gate.reason == "agent-browser does not work: Target crashed"


def test_a_browser_that_dies_in_the_middle_is_no_fault_of_the_environment(room: Room) -> None:
    room.browser.answer = lambda argv: BROKEN if argv[0] == "click" else None
    gate = room.gate(OPEN, "agent-browser click '#a'")
    assert room.browser.sessions == 2
    assert (gate.failed, gate.environment) == (True, False)


def test_a_page_that_hangs_is_looked_at_once_more_and_not_asked_any_further(room: Room) -> None:
    room.browser.pages = {f"{HOME}/": Page(hangs=True)}
    looked = room.look(OPEN, "agent-browser is visible '#a'")
    assert looked.gates[-1].reason.startswith("`open http://localhost:5173/`: the page does not answer")
    assert room.browser.sessions == 2
    assert looked.screenshots == ()
    assert room.browser.calls.count("screenshot") == 0


def test_a_server_that_never_answers_is_not_tried_twice(room: Room) -> None:
    room.browser.answer = lambda argv: Reply(ok=False, timed_out=True, seconds=40.0) if argv[0] == "open" else None
    gate = room.gate(OPEN)
    assert gate.reason == "`open http://localhost:5173/`: not answered within 40 s: the page or its server hangs"
    assert room.browser.sessions == 1


@pytest.mark.parametrize("patience", range(12))
def test_a_person_may_stop_it_anywhere(room: Room, patience: int) -> None:
    room.watcher = Someone(patience)
    gate = room.gate(OPEN, "agent-browser is visible '#a'")
    assert (gate.status, gate.reason) == (GateStatus.NOT_RUN, check_gate.STOPPED)


def test_what_does_not_run_is_noted(room: Room) -> None:
    looked = room.look("npm run dev &", OPEN)
    assert looked.notes == ("not run, for it is no agent-browser command: npm run dev",)
    assert not looked.failed


def test_names_of_pictures_are_names_of_files(room: Room) -> None:
    looked = room.look(OPEN, name="Look at / and ../there")
    (picture,) = looked.screenshots
    assert (room.root / picture).parent == room.screenshots


@pytest.mark.parametrize("comes_back", [True, False])
def test_a_server_that_goes_down_in_the_middle_of_a_look_is_not_the_pages_fault(
    room: Room, *, comes_back: bool
) -> None:
    """The page is looked at once more; where the server stays down, its own gate says so."""
    room.gates = ()
    gone = replace(WEB, health=Health.DOWN, pid=0)
    servers = ScriptedServers(result=lambda: () if comes_back or servers.ensured == 1 else (down(),), standings=[WEB])

    def refuse(argv: Sequence[str]) -> Reply | None:
        if argv[0] != "open" or room.browser.sessions > 1:
            return None
        servers.standings = [gone]
        return Reply(ok=False, error="Navigation failed: net::ERR_CONNECTION_REFUSED")

    room.browser.answer = refuse
    validation = Validation(servers, room.browser, room.settings, room.root, room.screenshots, room.accepted)
    task = parse.parse(f"- [ ] 1. Look\n  ```\n  {OPEN}\n  ```\n").tasks[0]
    looked = validation.run(task, {}, room.watcher, room.said.append)
    assert servers.ensured == 2
    assert [(gate.kind, gate.status.value) for gate in looked.gates] == (
        [("visual", "passed")] if comes_back else [("server", "failed"), ("visual", "not run")]
    )


@pytest.mark.parametrize("commands", [(), (OPEN, "agent-browser click '#a'")], ids=["its page", "its commands"])
@pytest.mark.parametrize(
    "hanging",
    [Reply(ok=False, timed_out=True, seconds=40.0), Reply(ok=False, error="CDP command timed out: x", seconds=30.0)],
    ids=["ended by the runner", "given up by the tool"],
)
def test_a_page_that_hangs_at_its_screenshot_does_not_pass(
    room: Room, hanging: Reply, commands: tuple[str, ...]
) -> None:
    room.browser.answer = lambda argv: hanging if argv[0] == "screenshot" else None
    looked = room.look(*commands)
    gate = looked.gates[-1]
    assert gate.status is GateStatus.FAILED
    assert "the page does not answer" in gate.reason
    assert gate.failures[0].endswith("not answered in time")
    assert room.browser.sessions == 2  # once more in a fresh one, as for any page that hangs


def test_a_look_without_a_screenshot_is_no_pass(room: Room) -> None:
    room.browser.answer = lambda argv: Reply(ok=False, error="No space left") if argv[0] == "screenshot" else None
    looked = room.look(OPEN)
    gate = looked.gates[-1]
    assert gate.reason == "`open http://localhost:5173/`: no screenshot could be made: No space left"
    assert gate.failures == ("agent-browser open /: no screenshot could be made",)
    assert looked.screenshots == ()
    assert not room.accepted.exists()
    assert room.browser.calls.count(f"screenshot {room.screenshots / '1.png'}") == 1


def test_a_screenshot_that_was_not_written_is_none(room: Room) -> None:
    room.browser.answer = lambda argv: Reply(ok=True) if argv[0] == "screenshot" else None
    assert room.gate(OPEN).reason.endswith("no screenshot could be made: it gave no reason")


def test_a_folder_of_screenshots_that_is_a_file_is_said(room: Room) -> None:
    (room.root / "screenshots").write_text("")
    assert "the folder of 1.png could not be made: " in room.gate(OPEN).reason


def test_a_page_that_failed_is_told_of_also_without_a_screenshot(room: Room) -> None:
    room.browser.pages = {f"{HOME}/": Page(status=500)}
    room.browser.answer = lambda argv: Reply(ok=False) if argv[0] == "screenshot" else None
    looked = room.look(OPEN)
    assert looked.gates[-1].reason == "the page answered 500 at /"
    assert looked.notes == ("no screenshot could be made: it gave no reason",)


def test_pictures_of_ours_do_not_go_through_a_link_out_of_the_project(tmp_path: Path) -> None:
    victim = tmp_path / "outside.png"
    victim.write_text("mine")
    root = tmp_path / "project"
    (root / "screenshots" / "demo").mkdir(parents=True)
    room = Room(root, settings=VisualSettings(compare=True))
    link = root / "screenshots" / "demo" / "1.png"
    link.symlink_to(victim)
    assert room.gate(OPEN).reason.endswith("no screenshot could be made: 1.png leads outside of the project")
    link.unlink()
    room.accepted.mkdir(parents=True)
    (room.accepted / "1.png").write_bytes(b"png")
    (room.accepted / "1.diff.png").symlink_to(victim)
    assert room.gate(OPEN).reason.endswith("1.diff.png leads outside of the project")
    (room.accepted / "1.diff.png").unlink()
    (room.accepted / "1.png").unlink()
    (room.accepted / "1.png").symlink_to(victim)
    assert not room.gate(OPEN).failed
    assert victim.read_text() == "mine"


@pytest.mark.parametrize("name", [f"{'long' * 100}.png", "loop/a.png"])
def test_odd_names_of_screenshots_fail_in_words(room: Room, name: str) -> None:
    (room.root / "loop").symlink_to("loop")
    gate = room.gate(
        OPEN, f"agent-browser screenshot shots/{name}" if "/" not in name else f"agent-browser screenshot {name}"
    )
    assert gate.status is GateStatus.FAILED
    assert "cannot be used: " in gate.reason or "cannot be used: " in gate.excerpt


@pytest.fixture
def login(tmp_path: Path) -> Room:
    """Return a room whose pages are behind a login that types a password."""
    before = (
        "agent-browser open /login",
        'agent-browser fill "#password" "hunter2-secret"',
        "agent-browser find label PIN fill 998877",
    )
    page = Page(
        snapshot='- textbox "hunter2-secret"\n- text 998877',
        console=("bad hunter2-secret",),
        elements={"#a": True},
    )
    return Room(tmp_path, {f"{HOME}/": page, f"{HOME}/login": GOOD}, VisualSettings(before=before))


def told(looked: Looked, room: Room) -> str:
    return f"{looked} {room.said}"


def test_what_is_typed_before_a_look_is_shown_nowhere(login: Room) -> None:
    looked = login.look(OPEN)
    assert looked.gates[-1].reason == "console error: bad ••• at /"
    assert 'before #2: fill "#password" …' in login.said
    assert "before #3: find label PIN fill …" in login.said
    assert "hunter2" not in told(looked, login)
    assert "998877" not in told(looked, login)
    assert any("hunter2-secret" in call for call in login.browser.calls)


def test_a_login_that_fails_tells_no_password(login: Room) -> None:
    login.browser.answer = lambda argv: Reply(ok=False, error=f"bad value {argv[-1]}") if argv[0] == "fill" else None
    looked = login.look(OPEN)
    gate = looked.gates[-1]
    assert gate.command == 'before #2: fill "#password" …'
    assert gate.reason == ('`before #2: fill "#password" …`: bad value ••• (a command of visual_validation.before)')
    assert gate.failures == ('before #2: fill "#password" …: bad value •••',)
    assert "hunter2" not in told(looked, login)


def test_a_command_that_can_never_run_is_hopeless(room: Room) -> None:
    assert room.gate(OPEN, "agent-browser snapshot | head").hopeless
    assert not room.gate(OPEN, "agent-browser click '#none'").hopeless


def test_a_task_that_opens_nothing_goes_on_where_the_one_before_it_ended(tmp_path: Path) -> None:
    other = Page(elements={"#deep": True, "#go": True}, console=("noise of an earlier task",))
    room = Room(tmp_path, {HOME: GOOD, f"{HOME}/a": other, f"{HOME}/b": Page(elements={"#deep": True, "#go": True})})
    text = "- [x] 1. Look\n  ```\n  agent-browser open /b\n  agent-browser click '#go'\n  ```\n"
    earlier = parse.parse(text).tasks
    looked = room.look("agent-browser is visible '#deep'", name="2. Look", earlier=earlier)
    assert not looked.failed
    assert looked.notes == ("began with the commands of the task(s) before it: `open /b`",)
    assert [call for call in room.browser.calls if call.startswith(("open", "click"))] == [
        f"open {HOME}/b",
        "click #go",
    ]
    assert looked.console == {"/b": ()}
    assert looked.gates[-1].counts == "1 command, 1 page"


def test_a_command_of_an_earlier_task_that_fails_is_said_to_be_one(room: Room) -> None:
    earlier = parse.parse("- [x] 1. Look\n  ```\n  agent-browser open /gone\n  ```\n").tasks
    gate = room.look("agent-browser is visible '#a'", name="2. Look", earlier=earlier).gates[-1]
    assert gate.reason.startswith("`open /gone`: net::ERR_CONNECTION_REFUSED")
    assert "(a command of an earlier task, from which this one goes on)" in gate.excerpt


DASHBOARD = "agent-browser open http://localhost:5173/dashboard"


@pytest.mark.parametrize("lands", ["/login?next=%2Fdashboard", "/auth/sign-in", "/#/login", "/login.html"])
def test_a_login_that_came_in_place_of_the_page_is_no_pass(room: Room, lands: str) -> None:
    room.browser.pages = {f"{HOME}/dashboard": replace(GOOD, lands=f"{HOME}{lands}")}
    gate = room.gate(DASHBOARD, "agent-browser is visible '#a'")
    assert gate.failed
    assert "came: the page wants a login (put the commands that log in under visual_validation.before)" in gate.excerpt


@pytest.mark.parametrize(
    ("lands", "commands", "notes"),
    [
        ("/home", (DASHBOARD,), ("opened /dashboard, ended at /home",)),
        ("/dashboard/", (DASHBOARD,), ()),
        ("/login", (DASHBOARD, "agent-browser click '#a'"), ()),
        ("/login", (DASHBOARD, "agent-browser wait --url '**/login'"), ("opened /dashboard, ended at /login",)),
    ],
    ids=["another page", "a slash", "after a click", "asked for"],
)
def test_another_page_that_came_is_worth_a_note(
    room: Room, lands: str, commands: tuple[str, ...], notes: tuple[str, ...]
) -> None:
    room.browser.pages = {f"{HOME}/dashboard": replace(GOOD, lands=f"{HOME}{lands}")}
    looked = room.look(*commands)
    assert not looked.failed
    assert looked.notes == notes


def test_the_port_of_a_server_is_in_no_key(room: Room) -> None:
    room.browser.pages = {}
    gate = room.gate()
    assert gate.command == f"agent-browser open {HOME}"
    assert gate.failures == ("agent-browser open net::ERR_CONNECTION_REFUSED",)


def test_requests_that_nobody_could_list_are_worth_a_note(room: Room) -> None:
    room.browser.records = False
    looked = room.look(OPEN)
    assert not looked.failed
    assert looked.notes == ("nobody could tell what the page requested: failed requests were not looked for",)


def test_an_element_may_take_some_seconds_to_appear(room: Room) -> None:
    room.browser.pages = {f"{HOME}/": Page(elements={"#a": True}, late=25)}
    assert not room.gate(OPEN, "agent-browser is visible '#a'").failed
