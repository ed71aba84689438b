"""Real agent CLIs that go on with a session: the same one, what it used counted once, and a fresh one where it is lost."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agents import cells
from tests.agents.cells import Scenario
from tests.agents.installed import need_agent
from tests.modelserver.serving import Server, serving
from tests.modelserver.setups import setup
from tests.night import project as projects
from tests.night.project import Project

pytestmark = [pytest.mark.realcli, pytest.mark.night, pytest.mark.timeout(300)]

AGENTS = ("claude", "codex", "opencode", "gemini", "qwen", "copilot")
TELLS_TOKENS = frozenset(AGENTS) - {"copilot"}
# The first attempt ends without a signal (two answers of the model), every later one well.
RESUMED = Scenario(name="resumed", server="nosignal,n=2", about="a retry", settings={"retry_session": "resume"})


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture(params=AGENTS)
def agent(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(server: Server, tmp_path: Path) -> str:
    return cells.server_path(server, RESUMED, str(tmp_path))


@pytest.fixture
def project(agent: str, url: str, tmp_path: Path) -> Iterator[Project]:
    made = cells.prepare(tmp_path / "base", agent, need_agent(agent), RESUMED, url)
    yield made
    projects.end_all(made)


def test_a_retry_goes_on_with_the_session_and_counts_its_own_tokens(project: Project, agent: str) -> None:
    """O11, T7: codex and qwen tell what the whole session used, the others what the run did."""
    result = project.night("6", timeout=240)
    assert (result.code, project.states()) == (0, "xx"), result.out + result.err
    first, second, other = project.journal("ended")
    assert first["kind"] == "no signal"
    assert first["session"] == second["session"] != other["session"]
    used = [(each.get("input_tokens", 0), each.get("output_tokens", 0)) for each in (first, second, other)]
    assert len(set(used)) == 1
    assert (used[0][0] > 0) == (agent in TELLS_TOKENS)
    (log,) = project.root.glob(".ralph/demo/runs/*/logs/1-2.log")
    assert first["session"] in log.read_text(encoding="utf-8").split("\n")[1]
    project.sound()


def test_where_the_session_is_lost_the_task_is_done_in_a_fresh_one(
    project: Project, agent: str, url: str, tmp_path: Path
) -> None:
    """O11: that costs no attempt."""
    assert project.night("1", timeout=120).code == 4
    home = tmp_path / "base" / "agent-home"
    shutil.rmtree(home)
    setup(agent, home, url)
    result = project.night("6", timeout=240)
    assert (result.code, project.states()) == (0, "xx"), result.out + result.err
    first, lost, second, _ = project.journal("ended")
    assert first["kind"] == "no signal"
    assert (lost["result"], lost["cause"], lost["attempt"]) == ("interrupted", "session lost", 2)
    assert (second["result"], second["attempt"]) == ("passed", 2)
    assert second["session"] != first["session"]
    project.sound()
