"""Real agents over the Agent Client Protocol, with a scripted model on 127.0.0.1: whole nights of two tasks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.agents.cells import BY_NAME, Cell, play, prepare
from tests.agents.installed import need_agent
from tests.modelserver.serving import serving
from tests.night.project import SETTINGS, end_all

pytestmark = [pytest.mark.realcli, pytest.mark.timeout(300)]

# Versions as in tests/modelserver/setups.py.
COMMANDS = {
    "opencode": ["opencode", "acp"],
    "gemini": ["gemini", "--acp", "-y", "--skip-trust"],
    "qwen": ["qwen", "--acp", "-y"],
    "copilot": ["copilot", "--acp", "--allow-all-tools"],
}


def night(agent: str, scenario: str, base: Path) -> Cell:
    program = need_agent(agent)
    (base / "agent-home").mkdir()  # qwen does not start without its home
    with serving() as server:
        project = prepare(base, agent, program, BY_NAME[scenario], server.url(BY_NAME[scenario].server))
        settings = json.loads(project.read(SETTINGS))
        settings["agents"][agent] |= {"command": COMMANDS[agent], "driver": "acp"}
        project.write(SETTINGS, json.dumps(settings))
        try:
            return play(project)
        finally:
            end_all(project)


@pytest.mark.parametrize("agent", COMMANDS)
def test_tasks_are_completed(agent: str, tmp_path: Path) -> None:
    cell = night(agent, "completes", tmp_path)
    assert (cell.states, cell.code, cell.left) == ("xx", 0, 0), cell.shown
    assert all(ended["session"] for ended in cell.ended)
    assert all(ended["input_tokens"] for ended in cell.ended)


@pytest.mark.parametrize("agent", ["gemini", "copilot"])
@pytest.mark.parametrize(("scenario", "cause"), [("401", "not logged in"), ("limit", "usage limit")])
def test_what_the_provider_refuses_is_told_apart(agent: str, scenario: str, cause: str, tmp_path: Path) -> None:
    cell = night(agent, scenario, tmp_path)
    assert (cell.first, cell.left) == (cause, 0), cell.shown


def test_a_command_that_hangs_is_ended(tmp_path: Path) -> None:
    cell = night("copilot", "stuck", tmp_path)
    assert cell.left == 0
    assert any("sleep" in str(ended) for ended in cell.ended), cell.shown
