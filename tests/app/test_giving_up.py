"""What happens where a task is given up and the settings want something else than the next task (O10, O34)."""

from __future__ import annotations

from pathlib import Path

import pytest

from ralph_wiggum.core.decide import Policy
from ralph_wiggum.core.errors import Exit
from ralph_wiggum.core.evidence import AgentOutcome
from ralph_wiggum.ports import AgentRequest
from tests.app.nights import NightOfFakes, writes
from tests.fakes import MemoryJournal, Play, ScriptedChecks, red, says


def fails(_: AgentRequest) -> AgentOutcome:
    return says("", exit_code=1)


@pytest.mark.parametrize(
    ("plan", "checkpoints", "marks"),
    [
        pytest.param("- [ ] 1. Checkpoint\n- [ ] 2. B\n", True, "S ", id="a gate that was skipped pauses too"),
        pytest.param("- [ ] 1. Add checkpoint saving\n- [ ] 2. B\n", True, "S ", id="so does one with work of its own"),
        pytest.param("- [ ] 1. A\n- [ ] 2. B\n", True, "SS", id="another skip does not"),
        pytest.param("- [ ] 1. Checkpoint\n- [ ] 2. B\n", False, "SS", id="nor one where detection is off"),
    ],
)
def test_a_pause_comes_at_a_checkpoint_however_it_ended(
    plan: str, *, checkpoints: bool, marks: str, tmp_path: Path
) -> None:
    """O34: checkpoint_pause, continue_mode until_checkpoint."""
    checks = ScriptedChecks(lambda: [red()])
    night = NightOfFakes(
        plan,
        fails,
        tmp_path,
        checks=checks,
        pause_at_checkpoint=True,
        checkpoints=checkpoints,
        policy=Policy(threshold=2),
    )
    night.run()
    assert night.marks == marks


def test_a_completed_task_with_a_checkpoint_in_its_name_pauses(tmp_path: Path) -> None:
    """O5, O34: work and checkpoint as well."""
    holder: dict[str, NightOfFakes] = {}
    plan = "- [ ] 1. Add checkpoint saving\n- [ ] 2. B\n"
    night = holder["it"] = NightOfFakes(plan, writes(holder), tmp_path, pause_at_checkpoint=True)
    assert night.run().state == "Paused at Checkpoint"
    assert night.marks == "x "


def test_a_plan_without_a_required_task_says_how_to_work_its_optional_ones(tmp_path: Path) -> None:
    """O4, contract: exit 0, but not as if something had been completed."""
    outcome = NightOfFakes("- [ ]* 1. A\n", fails, tmp_path).run()
    assert (outcome.code, outcome.reason) == (Exit.DONE, "no task is required; optional: --optional")


def again(before: NightOfFakes, play: Play, tmp_path: Path) -> NightOfFakes:
    """Return the next call of ralph-overnight over the same spec, with the same settings."""
    old = before.order
    return NightOfFakes(
        "",
        play,
        tmp_path,
        spec=before.spec,
        repo=before.repo,
        checks=before.checks,
        journal=MemoryJournal(before.journal.entries),
        run_id="r2",
        policy=old.policy,
        end_at_failed_checkpoint=old.end_at_failed_checkpoint,
        checkpoint_rounds=old.checkpoint_rounds,
    )


def test_a_run_that_ended_over_a_task_tries_it_anew_when_it_is_started_again(tmp_path: Path) -> None:
    """O34: stop_on_failure. The counters are those of the new run; what was tried is still told."""
    first = NightOfFakes("- [ ] 1. A\n", fails, tmp_path, policy=Policy(threshold=3, on_give_up="end"))
    assert first.run().code is Exit.OPEN_TASKS
    second = again(first, fails, tmp_path)
    assert second.run().code is Exit.OPEN_TASKS
    assert [request.env["RALPH_ATTEMPT"] for request in second.agent.requests] == ["4", "5", "6"]
    assert 'attempt number="3"' in second.agent.requests[0].prompt


def test_a_run_that_ended_at_a_checkpoint_tries_to_mend_it_anew(tmp_path: Path) -> None:
    """O34: checkpoint_skip_on_failure false."""
    checks = ScriptedChecks(lambda: [red()])
    first = NightOfFakes(
        "- [ ] 1. Checkpoint\n", fails, tmp_path, checks=checks, end_at_failed_checkpoint=True, checkpoint_rounds=2
    )
    assert first.run().state == "Stopped at Checkpoint"
    second = again(first, fails, tmp_path)
    assert second.run().state == "Stopped at Checkpoint"
    assert len(second.agent.requests) == 2


def test_what_was_changed_before_a_person_said_try_again_is_committed_in_the_end(tmp_path: Path) -> None:
    """O34: user_input_wait. The counters are empty, but the files of the earlier attempts are still the task's own."""
    holder: dict[str, NightOfFakes] = {}

    def play(request: AgentRequest) -> AgentOutcome:
        files, number = holder["it"].repo.files, len(holder["it"].agent.requests)
        files[f"part{number}.py"] = "x"
        return says("TASK_COMPLETE", exit_code=0 if number == 3 else 1)

    night = holder["it"] = NightOfFakes(
        "- [ ] 1. A\n", play, tmp_path, policy=Policy(threshold=2), ask_before_skip=lambda _task, _reason: False
    )
    assert night.run().code is Exit.DONE
    assert [paths for _, paths, _ in night.repo.commits] == [("part1.py", "part2.py", "part3.py")]
