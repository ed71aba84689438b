"""Whole nights of agents whose end says less than their work, and of what is left of money and sessions afterwards."""

from __future__ import annotations

import pytest

from tests.night.conftest import Make
from tests.night.test_agent_nights import SAYS_NOTHING
from tests.night.test_provider_nights import DONE, ONE, PLAIN, TWO, asks, status

pytestmark = [pytest.mark.night, pytest.mark.long]


@pytest.mark.parametrize(("agent", "script"), [("claude", DONE[:-1]), ("player", PLAIN)])
def test_a_hang_after_the_final_message_is_no_failure_whatever_code_the_agent_then_ends_with(
    make: Make, agent: str, script: list[list[object]]
) -> None:
    project = make(ONE)
    asks(project, agent, overnight_mode={"no_progress_timeout": 1})
    project.plays({"1": [[*script, ["leaves_on_term", 143], ["sleep", 600]]]})
    result = project.night()
    assert (result.code, project.states(), project.runs()) == (0, "x", 1), project.journal("ended")
    assert "did not end by itself after its final message; ended by the no progress limit" in project.activity
    project.sound()


def test_an_agent_that_crashes_after_its_last_event_has_done_its_work(make: Make) -> None:
    project = make(ONE)
    asks(project, "claude")
    project.plays({"1": [[*DONE, ["kill", "SEGV"]]]})
    result = project.night()
    assert (result.code, project.states(), project.runs()) == (0, "x", 1), project.journal("ended")
    project.sound()


def test_a_run_that_is_started_again_gives_a_task_its_money_anew(make: Make) -> None:
    """stop_on_failure ended the run over the task; the person who starts it again wants it tried again."""
    project = make(ONE)
    agents = {"claude": {"cost_limit": ["--dollars", "{cost}"]}}
    asks(project, "claude", agents=agents, max_task_cost=0.6, failure_handling="stop_on_failure")
    project.plays({"1": [SAYS_NOTHING] * 3 + [DONE]})
    assert project.night().code == 4
    assert project.night().code == 0
    told = [entry["argv"][-1] for entry in project.log() if entry["event"] == "start"]
    assert told == ["0.60", "0.35", "0.10", "0.60"]


def test_a_task_that_costs_too_much_is_left_for_good_where_tasks_are_not_skipped(make: Make) -> None:
    """skip_on_stagnation: false. To come back to it in the same run would spend the money once more, again and again."""
    project = make(TWO)
    asks(project, "claude", max_task_cost=0.6, overnight_mode={"skip_on_stagnation": False})
    project.plays({"1": [SAYS_NOTHING]}, default=DONE)
    result = project.night("20")
    assert (result.code, project.states(), project.runs("1")) == (4, " x", 3), result.out
    assert "max_task_cost" in result.out
    project.sound()


def test_what_a_killed_attempt_cost_is_unknown_and_said_so(make: Make) -> None:
    project = make(ONE)
    asks(project, "claude")
    project.plays({"1": [[["begins"], ["sleep", 600]], DONE]})
    process = project.command("overnight", "demo")
    project.wait("start", "1")
    process.kill()
    project.finish(process)
    assert project.night().code == 0
    cost = status(project)["cost"]
    assert (cost["usd"], cost["attempts"], cost["untold_attempts"]) == (0.25, 2, 1)
    assert "$0.25 and 1 attempt of unknown cost" in project.run("status", "demo").out
    project.sound()


def test_a_limit_that_does_not_hold_for_an_agent_is_said_in_the_evening(make: Make) -> None:
    project = make(ONE)
    asks(project, "claude", "player", max_task_cost=5, max_turns=9, retry_session="resume")
    said = (project.night("--dry-run").out, project.night().out)
    for words in ("max_task_cost does not hold for player", "max_turns does not hold for player", "with player"):
        assert all(words in each for each in said), words


def test_of_a_list_only_those_are_named_that_spent_something(make: Make) -> None:
    project = make(ONE)
    asks(project, "player", "claude")
    project.plays({"1": [[["say", "You've hit your session limit · resets 3pm"], ["leave", 1]], DONE]})
    assert "Spent $0.25: claude $0.25 for" in project.night().out
    assert "$0.25: claude $0.25 for" in project.run("status", "demo").out
