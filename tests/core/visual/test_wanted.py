"""Which tasks ask for nothing but a look: a table. Where there is doubt, an agent runs."""

from __future__ import annotations

import pytest

from ralph_wiggum.core import parse
from ralph_wiggum.core.model import Task
from ralph_wiggum.core.visual.wanted import (
    brings_the_tool,
    commands_of,
    is_pure_validation,
    lead_in,
    names_commands,
    needs_page,
)

COMMANDS = '  ```bash\n  agent-browser open http://localhost:5173/\n  agent-browser is visible "#a"\n  ```\n'


def task(name: str, details: str = "") -> Task:
    return parse.parse(f"- [ ] {name}\n{details}").tasks[0]


@pytest.mark.parametrize(
    ("name", "details"),
    [
        ("3.8 **Validate: Sidebar Visual**", COMMANDS),
        ("**Validate: Create Invoice Button**", COMMANDS),
        ("7.3 **Validate MapMarker renders correctly**", COMMANDS),
        ("Validate: Sidebar", COMMANDS + "  - Success: the sidebar is teal\n  - On Failure: fix the component\n"),
        ("Validate: Sidebar", COMMANDS + "  - Sidebar is 256 px wide\n  - _Requirements: 1.2_\n"),
        ("Validate: Sidebar", "  ```bash\n  echo looking\n  agent-browser back\n  sleep 1\n  # then\n  ```\n"),
        ("T012 [P] Verify the menu", COMMANDS),
        ("Visual validation of phase 2", COMMANDS),
        ("UI validation: dashboard", ""),
        ("Validate dashboard renders correctly", ""),
        ("Validate checkout works end-to-end", "  - The receipt is shown\n"),
        ("Validate: Sidebar", "  - ✅ `agent-browser is visible '#a'` - returns true\n"),
        ("Validate: Sidebar", "  - Run `agent-browser console`\n"),
    ],
)
def test_a_pure_validation(name: str, details: str) -> None:
    assert is_pure_validation(task(name, details))


@pytest.mark.parametrize(
    ("name", "details"),
    [
        ("Build the sidebar (validate with agent-browser)", COMMANDS),
        ("Add view toggle", COMMANDS),
        ("Validate form inputs", ""),
        ("Validate form inputs on submit", "  - Show a message\n"),
        ("Validate and fix the sidebar", COMMANDS),
        ("Validate sidebar, update colours", COMMANDS),
        ("Validate: Sidebar", COMMANDS + "  - Add a data-testid to the nav\n"),
        ("Validate: Sidebar", COMMANDS + "  - **Implementation:** Create the legend\n"),
        ("Validate: Sidebar", COMMANDS + "  - Run: `npm run typecheck`\n"),
        ("Validate: Sidebar", "  ```bash\n  npm run lint\n  agent-browser back\n  ```\n"),
        ("Validate: Sidebar", COMMANDS + "  ```bash\n  npm test\n  ```\n"),
        ("Validate: Sidebar", "  ```bash\n  agent-browser snapshot | grep nav\n  ```\n"),
        ("Validate dashboard renders correctly", "  - Click the menu and look\n"),
        ("Validate photos panel via agent-browser", ""),
        ("End-to-End Validation Scripts", ""),
        ("Create validation script for chat", "  - agent-browser validation\n"),
        ("Checkpoint - validate everything", COMMANDS),
        ("Sidebar", COMMANDS),
    ],
)
def test_no_pure_validation(name: str, details: str) -> None:
    assert not is_pure_validation(task(name, details))


def test_a_task_names_commands_of_its_own() -> None:
    assert names_commands(task("Build it", COMMANDS))
    assert [command.argv[0] for command in commands_of(task("Build it", COMMANDS)).commands] == ["open", "is"]
    assert not names_commands(task("Build it", "  - then look with agent-browser\n"))


def test_commands_of_a_sub_task_are_its_own() -> None:
    plan = parse.parse("- [ ] 1. Validate: all\n  - [ ] 1.1 Validate: Sidebar\n    `agent-browser back`\n")
    assert [names_commands(each) for each in plan.tasks] == [False, True]


@pytest.mark.parametrize(
    ("name", "brings"),
    [
        ("Install agent-browser", True),
        ("Set up the tools: run `npm install -D agent-browser`", True),
        ("Add agent-browser to the dev dependencies", True),
        ("Add the sidebar; look at it with agent-browser", False),
        ("Build the page, and validate it with agent-browser", False),
        ("Validate: the page (agent-browser)", False),
    ],
)
def test_a_task_that_installs_agent_browser_is_no_reason_to_wait_for_it(name: str, *, brings: bool) -> None:
    assert brings_the_tool(task(name)) is brings


def looking(*lines: str) -> Task:
    """Return a validation with these commands; without any, one with words alone."""
    body = "".join(f"  agent-browser {line}\n" for line in lines)
    return task("Validate: it", f"  ```bash\n{body}  ```\n" if lines else "  - it is there\n")


OPENED = ("open /a", "wait --load networkidle", "is visible '#a'", "screenshot a.png")


@pytest.mark.parametrize(
    ("own", "earlier", "replayed"),
    [
        pytest.param(
            ("is visible '#b'",), [OPENED], ["open /a", "wait --load networkidle"], id="goes on with the page"
        ),
        pytest.param(
            ("is visible '#d'",),
            [OPENED, ("is visible '#b'",), ("click '#c'", "is visible '#c'")],
            ["open /a", "wait --load networkidle", "click #c"],
            id="over tasks that looked and one that clicked",
        ),
        pytest.param(
            ("get text h1",),
            [("open /a", "click '#a'", "open /b", "fill '#b' x")],
            ["open /b", "fill #b x"],
            id="the last page",
        ),
        pytest.param(("back",), [("open /a",), ("open /b",), ("is visible '#b'",)], ["open /b"], id="the nearest page"),
        pytest.param(
            ("is visible '#menu'",),
            [("open /", "set viewport 375 812", "open /a", "click '#m'")],
            ["set viewport 375 812", "open /a", "click #m"],
            id="what made ready for the page",
        ),
        pytest.param(
            ("set viewport 375 812", "screenshot"), [("open /a",)], ["open /a"], id="a viewport opens no page"
        ),
        pytest.param(("set viewport 375 812",), [("open /a",)], ["open /a"], id="nothing but a viewport"),
        pytest.param(("screenshot",), [("open /a",), (), ()], ["open /a"], id="over tasks without commands"),
        pytest.param(
            ("screenshot",),
            [("open /a",), *[("click '#x'",)] * 4],
            ["open /a", *["click #x"] * 4],
            id="five tasks back",
        ),
        pytest.param(
            ("click @e2",),
            [("open /a", "snapshot -i", "is visible '#a'")],
            ["open /a", "snapshot -i"],
            id="a snapshot that numbers elements",
        ),
        pytest.param(
            ("screenshot",), [("open /z", "close", "open /a", "back")], ["open /a", "back"], id="opened after a close"
        ),
        pytest.param(("screenshot",), [("install", "open /a")], ["open /a"], id="an error before the page"),
        pytest.param(
            ("screenshot",),
            [("open /a", "console", "errors", "get title", "pdf a.pdf", "highlight '#a'", "download '#a' x")],
            ["open /a"],
            id="nothing that only looked",
        ),
    ],
)
def test_what_a_task_without_a_page_goes_on_from(
    own: tuple[str, ...], earlier: list[tuple[str, ...]], replayed: list[str]
) -> None:
    led = lead_in(looking(*own), [looking(*lines) for lines in earlier])
    assert [" ".join(command.argv) for command in led] == replayed


@pytest.mark.parametrize(
    ("own", "earlier"),
    [
        pytest.param(("open /b", "is visible '#b'"), [OPENED], id="a page of its own"),
        pytest.param(("set viewport 375 812", "open /b"), [OPENED], id="a page of its own, after setting up"),
        pytest.param(("tab new http://a/",), [OPENED], id="a tab of its own"),
        pytest.param(("close", "open /b"), [OPENED], id="a browser of its own"),
        pytest.param((), [OPENED], id="no commands"),
        pytest.param(("is visible '#b'",), [], id="the first task"),
        pytest.param(("is visible '#b'",), [("is visible '#a'",), ("click '#b'",)], id="no page anywhere"),
        pytest.param(("is visible '#b'",), [("open /a", "close")], id="closed"),
        pytest.param(("is visible '#b'",), [("open /a",), ("close",)], id="closed by the task between"),
        pytest.param(("is visible '#b'",), [("open /a",), ("close", "click '#b'")], id="closed first"),
        pytest.param(("is visible '#b'",), [("open /a", "install")], id="a command that cannot be run"),
        pytest.param(("is visible '#b'",), [("open /a",), ("click $MENU",)], id="one between that cannot be run"),
        pytest.param(("is visible '#b'",), [("open /a",), *[("click '#x'",)] * 5], id="too far back"),
    ],
)
def test_nothing_to_go_on_from(own: tuple[str, ...], earlier: list[tuple[str, ...]]) -> None:
    assert lead_in(looking(*own), [looking(*lines) for lines in earlier]) == ()


@pytest.mark.parametrize(
    ("own", "needs"),
    [
        (("is visible '#a'",), True),
        (("set viewport 375 812", "screenshot"), True),
        (("open",), True),
        (("open /a",), False),
        (("click '#a'", "goto /b"), False),
        (("tab new http://a/",), False),
        ((), False),
    ],
)
def test_which_tasks_need_a_page_to_look_at(own: tuple[str, ...], *, needs: bool) -> None:
    assert needs_page(looking(*own)) is needs
