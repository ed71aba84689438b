"""Real agent CLIs against the model server on this machine: whole nights, and what came of each trouble (issue: real parts).

No other host is asked, and nobody's credentials are there: each has a home of its own and an environment of its own.
What is expected of each agent in each scenario stands in EXPECTED; where they differ, they differ in what they tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.agents import cells
from tests.agents.cells import BY_NAME, Cell
from tests.agents.installed import need_agent
from tests.modelserver.serving import Server, serving
from tests.night import project as projects

pytestmark = [pytest.mark.realcli, pytest.mark.night, pytest.mark.timeout(300)]

AGENTS = ("claude", "codex", "opencode", "gemini", "copilot", "mini")

ENDED = r"(no progress|timeout); tried again, done"
LIMIT = r"usage limit; held 6[01] min"  # the reset that was told, and a minute more
OVERLOADED = r"overloaded; held \d+ s"
OVERFLOW = r"context overflow; tried again, done"
# By scenario and agent, "" for all others.
EXPECTED: Mapping[str, Mapping[str, str]] = {
    "completes": {"": "done"},
    "hang": {"": ENDED},
    "429 reset": {"": rf"done|{ENDED}"},  # they wait by themselves, as long as they are told
    "limit": {"": LIMIT},
    "529": {"": OVERLOADED},
    "401": {"": r"not logged in; held 5 min"},
    "context": {"": OVERFLOW, "opencode": "done"},  # that one makes its conversation shorter by itself
    "cut": {"": OVERLOADED, "mini": r"(offline|overloaded); held \d+ s"},
    "background": {"": "done"},
    "setsid": {"": "done"},
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.mark.parametrize("scenario", EXPECTED)
@pytest.mark.parametrize("agent", AGENTS)
def test_what_comes_of_it(agent: str, scenario: str, server: Server, tmp_path: Path) -> None:
    program = need_agent(agent)
    cell = played(agent, scenario, program, server, tmp_path)
    wanted = EXPECTED[scenario].get(agent, EXPECTED[scenario].get("", ""))
    assert re.fullmatch(wanted, cell.words), f"{cell.words}\n{cell.ended}\n{cell.shown}"
    assert cell.left == 0


def played(agent: str, scenario: str, program: Path, server: Server, folder: Path) -> Cell:
    base = folder / "cell"
    base.mkdir()
    path = cells.server_path(server, BY_NAME[scenario], str(folder))
    project = cells.prepare(base, agent, program, BY_NAME[scenario], path)
    try:
        cell = cells.play(project)
        project.sound()
        return cell
    finally:
        projects.end_all(project)
