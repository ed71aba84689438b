"""Real agent CLIs in folders as people have them: strange names, and a person who stands somewhere else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agents import cells
from tests.agents.cells import BY_NAME
from tests.agents.installed import need_agent
from tests.modelserver.serving import Server, serving
from tests.night import project as projects

pytestmark = [pytest.mark.realcli, pytest.mark.night, pytest.mark.timeout(300)]

AGENTS = ("claude", "codex", "opencode", "gemini", "qwen", "copilot", "mini", "aider")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.mark.parametrize("agent", AGENTS)
def test_tasks_are_done_in_the_project_wherever_the_person_stands(agent: str, server: Server, tmp_path: Path) -> None:
    """Where PWD says opencode works (1.18); mini takes a path with "=" for a key and its value (2.4.6)."""
    scenario = BY_NAME["completes"]
    program = need_agent(agent)
    base = tmp_path / "it's my proj=1 & ü"
    project = cells.prepare(base, agent, program, scenario, cells.server_path(server, scenario, str(tmp_path)))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    try:
        command = ("overnight", "demo", "2", "-C", str(project.root))
        result = project.run(*command, timeout=240, cwd=elsewhere, PWD=str(elsewhere))
        assert (result.code, project.states()) == (0, "xx"), result.out + result.err
        assert project.exists("one.txt")
        assert not list(elsewhere.iterdir())
        project.sound()
    finally:
        projects.end_all(project)
