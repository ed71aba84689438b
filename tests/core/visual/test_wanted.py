"""Which tasks ask for nothing but a look: a table. Where there is doubt, an agent runs."""

from __future__ import annotations

import pytest

from ralph_wiggum.core import parse
from ralph_wiggum.core.model import Task
from ralph_wiggum.core.visual.wanted import brings_the_tool, commands_of, is_pure_validation, names_commands

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
