"""Whole nights with `agent: kiro`: the built-in entry, and a stand-in with the quirks that its makers document."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import pytest

from tests.night.conftest import Make
from tests.night.project import PLAYER, Project, Script
from tests.night.test_provider_nights import ONE, PLAIN, TWO, attempts_of, held

pytestmark = [pytest.mark.night, pytest.mark.long]

STAND_IN = Path(__file__).parent / "agents" / "kiro_cli.py"
DONE: Script = [
    ["uses", "mkdir -p done && printf {task} > done/{task}.txt"],
    ["says", "Did {task}.\n\nTASK_COMPLETE"],
    ["ends"],
]


def with_kiro(make: Make, tasks: str, *names: str, **settings: object) -> Project:
    """Make a project whose PATH begins with the stand-in, and whose agents are kiro and others of `names`."""
    project = make(tasks)
    bin_folder = project.base / "bin"
    bin_folder.mkdir()
    words = [sys.executable, "-I", "-S", str(STAND_IN), str(project.play)]
    program = bin_folder / "kiro-cli"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    program.chmod(0o755)
    project.env["PATH"] = f"{bin_folder}{os.pathsep}{project.env['PATH']}"
    player = {"command": [sys.executable, "-I", "-S", str(PLAYER), str(project.play)]}
    given = {"agents": {"player": player} if "player" in names else {}} | settings
    project.settings(agent=["kiro", *names], **given)
    project.plays(default=DONE)
    return project


def calls(project: Project) -> list[dict[str, object]]:
    return [entry for entry in project.log() if entry["event"] == "called"]


def test_a_night_of_two_tasks(make: Make) -> None:
    """On a terminal, the prompt from a file; colours, the sign and the credits are no part of what was said."""
    project = with_kiro(make, TWO)
    result = project.night()
    assert (result.code, project.states()) == (0, "xx"), result.out + result.err
    first, second = calls(project)
    assert first["argv"] == second["argv"] == ["chat", "--no-interactive", "--trust-all-tools", "--wrap", "never"]
    assert first["terminal"] == [False, True]
    assert "One" in str(first["prompt"])
    assert [ended["result"] for ended in project.journal("ended")] == ["passed", "passed"]
    assert "Did 1." in project.activity
    assert "Credits" not in project.activity
    assert project.task_commits() == ["1", "2"]
    project.sound()


def test_no_session_is_resumed_for_none_is_told(make: Make) -> None:
    project = with_kiro(make, TWO, context_mode="continuous_with_checkpoint_reset")
    result = project.night()
    assert (result.code, project.states()) == (0, "xx"), result.out + result.err
    assert not [word for call in calls(project) for word in str(call["argv"]).split() if "resume" in word]


@pytest.mark.parametrize(
    ("text", "code", "cause"),
    [
        pytest.param("The monthly usage limit has been reached (request_id: 0e0c-1)", 0, "usage limit", id="limit"),
        pytest.param("The request was throttled by the service (request_id: 0e0c-1)", 0, "rate limit", id="throttled"),
        pytest.param("Too many requests, please wait before trying again.", 1, "rate limit", id="too many"),
        pytest.param("Kiro is having trouble responding right now", 0, "overloaded", id="trouble"),
        pytest.param("error: You are not logged in, please log in with kiro-cli login", 1, "not logged in", id="logged out"),
    ],
)  # fmt: skip
def test_what_the_service_refuses_costs_no_attempt_and_the_next_takes_over(
    make: Make, text: str, code: int, cause: str
) -> None:
    project = with_kiro(make, ONE, "player")
    project.plays({"1": [[["uses", "printf half > half.txt"], ["fails", text, code]], PLAIN]})
    result = project.night()
    assert (result.code, project.states()) == (0, "x"), result.out + result.err
    assert [(hold["agent"], hold["cause"]) for hold in held(project)] == [("kiro", cause)]
    assert [ended["result"] for ended in project.journal("ended")] == ["interrupted", "passed"]
    assert attempts_of(project, "1") == "1"
    assert project.read("half.txt") == "half", "what was begun is kept"
    project.sound()


def test_a_limit_that_is_told_as_the_whole_answer_is_one(make: Make) -> None:
    """With the sign of an answer before it; further down the sign marks what the agent quotes."""
    project = with_kiro(make, ONE, "player")
    project.plays({"1": [[["says", "The monthly usage limit has been reached"]], PLAIN]})
    result = project.night()
    assert (result.code, project.states()) == (0, "x"), result.out + result.err
    assert [(hold["agent"], hold["cause"]) for hold in held(project)] == [("kiro", "usage limit")]


def test_trouble_is_waited_out_where_nobody_can_take_over(make: Make) -> None:
    project = with_kiro(make, ONE)
    project.plays({"1": [[["fails", "Kiro is having trouble responding right now"]], DONE]})
    result = project.night()
    assert (result.code, project.states()) == (0, "x"), result.out + result.err
    assert [hold["cause"] for hold in held(project)] == ["overloaded"]
    assert result.seconds > 5
    assert attempts_of(project, "1") == "1"


def test_words_of_a_limit_in_an_answer_that_is_complete_hold_nobody(make: Make) -> None:
    """A repository about rate limits (B1)."""
    words = "It now says:\n\n    The monthly usage limit has been reached\n\nwhen nothing is left.\n\nTASK_COMPLETE"
    project = with_kiro(make, ONE)
    project.plays({"1": [[["uses", "printf x > x.txt"], ["says", words], ["ends"]]]})
    result = project.night()
    assert (result.code, project.states(), held(project)) == (0, "x", []), result.out + result.err


def test_a_process_that_it_leaves_behind_holds_nothing_up(make: Make) -> None:
    """kirodotdev/Kiro 10877: the terminal stays open; the end of the program is its end, and the other one goes."""
    project = with_kiro(make, TWO)
    project.plays(default=[["leaks"], *DONE])
    result = project.night()
    assert (result.code, project.states()) == (0, "xx"), result.out + result.err
    project.sound()  # nothing of it is left


def test_a_silent_hang_is_ended_and_tried_again(make: Make) -> None:
    """kirodotdev/Kiro 9098: a model that is not there hangs without a word."""
    project = with_kiro(make, ONE, overnight_mode={"no_progress_timeout": 2})
    project.plays({"1": [[["sleep", 600]], DONE]})
    result = project.night()
    assert (result.code, project.states()) == (0, "x"), result.out + result.err
    first, second = project.journal("ended")
    assert (first.get("kind"), second.get("result")) == ("no progress", "passed")
    assert attempts_of(project, "1") == "2"
    project.sound()


def test_an_agent_of_its_own_that_is_not_there_is_said(make: Make) -> None:
    """Exit code 4; older versions took the default agent without a word (kirodotdev/Kiro 11005)."""
    project = with_kiro(make, ONE, agents={"kiro": {"args": ["--agent", "nobody"]}}, retry_limit=2, max_attempts=2)
    result = project.night()
    assert project.states() == "S", result.out + result.err
    assert result.code == 3
    assert "exit code 4" in project.activity
    assert "no agent with this name was found" in project.activity
    project.sound()


def test_it_is_asked_at_the_start_whether_it_is_logged_in(make: Make) -> None:
    project = with_kiro(make, ONE)
    (project.play / "whoami").write_text("1 Not logged in")
    result = project.night()
    assert result.code == 2, result.out
    assert "kiro is not logged in" in result.err
    assert project.runs() == 0
