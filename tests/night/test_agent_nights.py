"""Whole nights of agents that go on with sessions, cost money, hang at their end, and hand a stubborn task on (B1, T7)."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.night.conftest import Make
from tests.night.project import Project, Script
from tests.night.test_provider_nights import BEGINS, DONE, ONE, PLAIN, TWO, asks, held, hits_its_limit, status

pytestmark = [pytest.mark.night, pytest.mark.long]

FIVE = "".join(f"- [ ] {number}. Task {number}\n" for number in range(1, 6))
SAYS_NOTHING: Script = [["begins"], ["uses", "printf half > half.txt"], ["says", "I am not sure."], ["ends"]]
LOSES: Script = [["loses_its_session"]]


def resumed(project: Project, task: str = "") -> list[str]:
    """Return the session that each run of the agent went on with, "" for a fresh one."""
    starts = [entry for entry in project.log() if entry["event"] == "start" and task in ("", entry["task"])]
    return [entry["argv"][-1] if "--resume" in entry["argv"] else "" for entry in starts]


# --- sessions (O11, retry_session, context_mode)


@pytest.mark.parametrize(
    ("mode", "sessions"),
    [
        ("fresh", ["", "", "", ""]),
        ("resume", ["", "ses-1-1", "ses-1-1", "ses-1-1"]),
        ("alternate", ["", "ses-1-1", "", "ses-1-3"]),
    ],
)
def test_a_retry_goes_on_with_the_session_where_the_settings_say_so(make: Make, mode: str, sessions: list[str]) -> None:
    project = make(ONE)
    asks(project, "claude", retry_session=mode)
    project.plays({"1": [SAYS_NOTHING, SAYS_NOTHING, [["prompt"], *SAYS_NOTHING], DONE]})
    assert project.night().code == 0
    assert resumed(project) == sessions
    assert [entry.get("resumes", "") for entry in project.journal("started")] == sessions
    told = (project.play / "prompt-1-3.md").read_text()
    assert ("This session goes on" in told) is (mode == "resume")
    assert "the agent's last line was no signal" in told, "how it failed is said in both"
    project.sound()


def test_a_session_that_is_gone_costs_no_attempt_and_the_next_is_fresh(make: Make) -> None:
    project = make(ONE)
    asks(project, "claude", retry_session="resume")
    project.plays({"1": [SAYS_NOTHING, LOSES, DONE]})
    result = project.night()
    assert result.code == 0, result.out
    assert resumed(project) == ["", "ses-1-1", ""]
    assert [entry.get("attempt", 1) for entry in project.journal("started")] == [1, 2, 2]
    assert [entry.get("cause", "") for entry in project.journal("ended")] == ["", "session lost", ""]
    assert held(project) == []
    assert "session lost" in result.out
    project.sound()


def test_after_a_limit_the_session_goes_on(make: Make) -> None:
    """What the model read before the limit came is paid for."""
    project = make(ONE)
    asks(project, "codex", retry_session="resume")
    soon = ["fails", 429, "", "exceeded retry limit, last status: 429 Too Many Requests. Please try again in 1s."]
    project.plays({"1": [[*BEGINS, soon], DONE]})
    assert project.night().code == 0
    assert resumed(project) == ["", "ses-1-1"]
    assert project.journal("started")[-1].get("attempt", 1) == 1
    project.sound()


def test_figures_that_count_from_the_beginning_of_a_session_are_not_counted_twice(make: Make) -> None:
    project = make(ONE)
    asks(project, "codex", agents={"codex": {"prices": {"input": 1000, "output": 1000}}}, retry_session="resume")
    project.plays({"1": [SAYS_NOTHING, DONE]})
    assert project.night().code == 0
    one, two = project.journal("ended")
    assert [each["input_tokens"] for each in (one, two)] == [1200, 1200]
    assert [each["cost"] for each in (one, two)] == [1.54, 1.54]
    cost = status(project)["cost"]
    assert (cost["usd"], cost["by_own_prices"], cost["input_tokens"]) == (3.08, True, 2400)
    assert "$3.08 by your prices" in project.activity


def test_a_session_goes_on_from_task_to_task_up_to_a_checkpoint(make: Make) -> None:
    """context_mode: continuous_with_checkpoint_reset."""
    project = make("- [ ] 1. One\n- [ ] 2. Two\n- [ ] 3. Checkpoint\n- [ ] 4. Four\n- [ ] 5. Five\n")
    asks(project, "claude", context_mode="continuous_with_checkpoint_reset", quality_checks={"all": ["true"]})
    project.plays({"2": [[["prompt"], *DONE]]}, default=DONE)
    assert project.night().code == 0
    assert resumed(project) == ["", "ses-1-1", "", "ses-4-1"]
    told = (project.play / "prompt-2-1.md").read_text()
    assert "This session goes on" in told
    assert "earlier tasks of this spec" in told
    project.sound()


def test_a_session_does_not_go_on_after_a_task_was_taken_back(make: Make) -> None:
    project = make("- [ ] 1. One\n- [ ] 2. Two\n- [ ] 3. Three\n")
    asks(
        project,
        "claude",
        context_mode="continuous_with_checkpoint_reset",
        overnight_mode={"stagnation_threshold": 2},
    )
    project.plays({"2": [SAYS_NOTHING]}, default=DONE)
    assert project.night().code == 3
    assert resumed(project) == ["", "ses-1-1", "", ""]
    project.sound()


# --- a hang at the end (O16)


def test_a_hang_after_the_final_message_throws_no_work_away(make: Make) -> None:
    project = make(ONE)
    asks(project, "player", overnight_mode={"no_progress_timeout": 1})
    project.plays({"1": [[*PLAIN, ["ignore", "TERM"], ["sleep", 600]]]})
    result = project.night()
    assert (result.code, project.states(), project.runs()) == (0, "x", 1), result.out
    project.nothing_left()
    project.sound()


def test_an_agent_that_does_not_end_after_its_last_event_is_ended_soon(make: Make) -> None:
    project = make(ONE)
    asks(project, "claude", quality_checks={"all": ["test -e done/1.txt"]})
    project.plays({"1": [[*DONE, ["sleep", 600]]]})
    result = project.night()
    assert (result.code, project.states(), project.runs()) == (0, "x", 1), result.out
    assert result.seconds < 45, "long before the task timeout"
    assert "did not end by itself after its last event" in project.activity
    project.nothing_left()
    project.sound()


def test_a_stream_that_ends_before_its_last_event_is_no_success(make: Make) -> None:
    """Exit code 0, the signal said, and no event that ends a run."""
    project = make(ONE)
    asks(project, "claude")
    project.plays({"1": [DONE[:-1], DONE]})
    assert project.night().code == 0
    first = project.journal("ended")[0]
    assert (first["kind"], "without the event that ends" in first["reason"]) == ("exit", True)
    project.sound()


# --- caps


def test_an_attempt_that_takes_too_many_turns_is_ended(make: Make) -> None:
    project = make(ONE)
    asks(project, "codex", max_turns=3)
    many: Script = [["begins"], *[["uses", "true"]] * 4, ["sleep", 600]]
    project.plays({"1": [many, DONE]})
    result = project.night()
    assert result.code == 0, result.out
    first = project.journal("ended")[0]
    assert (first["kind"], first["reason"]) == ("cap", "used more than one attempt may: 4 turns of 3")
    assert "--max-turns" not in str(project.log()[0]["argv"]), "this agent knows no such argument"
    project.nothing_left()


def test_a_task_that_costs_too_much_is_skipped(make: Make) -> None:
    project = make(TWO)
    asks(project, "claude", max_task_cost=0.6)
    project.plays({"1": [SAYS_NOTHING]}, default=DONE)
    result = project.night()
    assert (result.code, project.states()) == (3, "Sx"), result.out
    assert project.runs("1") == 3, "0.25 each: after the third it is beyond"
    (skipped,) = project.journal("skipped")
    assert skipped["reason"].startswith("$0.75 without success, of the $0.60 of max_task_cost")
    assert "cost: $0.75" in project.activity
    project.sound()


def test_agents_that_bound_themselves_are_told_the_bounds(make: Make) -> None:
    project = make(ONE)
    agents = {"claude": {"turn_limit": ["--turns", "{turns}"], "cost_limit": ["--dollars", "{cost}"], "args": ["-x"]}}
    asks(project, "claude", agents=agents, max_turns=40, max_task_cost=2.0)
    assert project.night("--max-cost", "1.5").code == 0
    assert project.log()[0]["argv"] == ["claude", "-x", "--turns", "40", "--dollars", "1.50"]


# --- a list of agents


def escalates(project: Project) -> list[str]:
    return [entry["agent"] for entry in project.journal("started")]


def test_a_stubborn_task_goes_to_the_next_agent_of_the_list(make: Make) -> None:
    project = make(TWO)
    asks(project, "claude", "codex", "gemini")
    project.plays({"1": [*[SAYS_NOTHING] * 7, DONE]}, default=DONE)
    result = project.night()
    assert result.code == 0, result.out
    assert escalates(project) == ["claude"] * 3 + ["codex"] * 3 + ["gemini"] * 2 + ["claude"]
    project.sound()


def test_it_stays_with_one_where_the_settings_say_so(make: Make) -> None:
    project = make(ONE)
    asks(project, "claude", "codex", escalate_after=False)
    project.plays({"1": [*[SAYS_NOTHING] * 4, DONE]})
    assert project.night().code == 0
    assert escalates(project) == ["claude"] * 5
    project.sound()


def test_a_night_of_two_agents_of_which_the_first_hits_its_limit_after_three_tasks(make: Make) -> None:
    """The issue's own measure: it ends complete, with the cost of both in the status."""
    project = make(FIVE)
    asks(project, "claude", "codex", agents={"codex": {"prices": {"input": 100, "output": 100}}})
    project.plays({"4": [[*BEGINS, hits_its_limit(time.time())], DONE]}, default=DONE)
    result = project.night()
    assert (result.code, project.states()) == (0, "xxxxx"), result.out
    assert escalates(project) == ["claude"] * 4 + ["codex"] * 2
    cost: dict[str, Any] = status(project)["cost"]
    assert (cost["agents"]["claude"]["usd"], cost["agents"]["codex"]["usd"]) == (1.0, 0.308)
    shown = project.run("status", "demo").out
    assert "$1.31: claude $1.00" in shown
    assert "codex $0.31 by your prices" in shown
    assert "Spent $1.31: claude" in result.out
    project.sound()
