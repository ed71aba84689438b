"""Checks, baselines and checkpoints as a night meets them (O18, O19)."""

from __future__ import annotations

import pytest

from tests.night.conftest import Make

pytestmark = pytest.mark.night

DONE = [["say", "Did it."], ["say", "TASK_COMPLETE"]]
WORK = [["write", "{task}.txt", "{task}"], *DONE]
PLAN = "- [ ] 1. One\n- [ ] 2. Checkpoint - all is well\n- [ ] 3. Three\n"
# Prints the failures that the files in `bad/` stand for, as pytest names them.
TESTS = 'for f in bad/*; do [ -e $f ] && echo "FAILED tests/test_a.py::test_$(basename $f) - assert"; done; [ -z "$(ls bad)" ]'
# Red as soon as 1.txt is there, but not looked at for what the tasks themselves change.
KINDS = {
    "text": {"paths": ["*.txt"], "commands": ["true"]},
    "docs": {
        "paths": ["docs/**"],
        "commands": ["test -e fixed || ! test -e 1.txt || { echo 'FAILED t.py::test_all'; exit 1; }"],
    },
}


def test_what_was_red_before_blocks_nobody_and_what_is_new_does(make: Make) -> None:
    """O18: old failures, by test id, are no failures; a new one blocks until it is mended."""
    project = make("- [ ] 1. One\n- [ ] 2. Two\n", {"bad/old": "", "bad/keep": ""})
    project.settings(quality_checks={"all": [TESTS]})
    project.plays(
        {
            "1": [[["write", "bad/new", ""], *WORK], [["remove", "bad/new"], *DONE]],
            "2": [[["remove", "bad/old"], *WORK]],
        }
    )
    result = project.night()
    assert (result.code, project.states()) == (0, "xx"), result.out
    assert [project.runs(key) for key in "12"] == [2, 1]
    assert "test_new" in result.out
    project.sound()


def test_a_restart_in_the_middle_of_a_task_keeps_the_first_baseline(make: Make) -> None:
    """O18: what the task broke before the interruption is not old."""
    project = make("- [ ] 1. One\n- [ ] 2. Two\n", {"bad/.keep": ""})
    project.settings(quality_checks={"all": [TESTS]}, overnight_mode={"stagnation_threshold": 2})
    project.plays({"1": [[["write", "bad/new", ""], ["sleep", 600]], WORK]})
    process = project.command("overnight", "demo")
    project.wait("start", "1")
    while not project.exists("bad/new"):
        pass
    process.kill()
    process.wait(timeout=10)
    result = project.night()
    assert (result.code, project.states()) == (3, "Sx"), result.out
    assert not project.exists("bad/new")
    project.sound()


def test_a_green_checkpoint_costs_no_agent(make: Make) -> None:
    """O5, O19."""
    project = make(PLAN)
    project.settings(quality_checks={"all": ["test ! -e broken"]})
    result = project.night()
    assert (result.code, project.states(), project.runs("2")) == (0, "xxx", 0)
    assert "CHECKPOINT PASSED: Checkpoint - all is well" in project.activity
    project.sound()


def test_a_blocked_checkpoint_is_mended_by_the_agent(make: Make) -> None:
    """O19: BLOCKED with details, fix rounds, then passed. The check looks at what no task's own check saw."""
    project = make(PLAN)
    project.settings(quality_checks=KINDS)
    project.plays({"2": [[["say", "hm"], *DONE], [["write", "fixed", "x"], *DONE]]}, default=WORK)
    result = project.night()
    assert (result.code, project.states(), project.runs("2")) == (0, "xxx", 2), result.out
    assert "CHECKPOINT BLOCKED: Checkpoint - all is well" in project.activity
    assert "CHECKPOINT PASSED: Checkpoint - all is well" in project.activity
    assert project.task_commits() == ["1", "2", "3"]
    project.sound()


def test_a_checkpoint_that_is_never_mended_is_skipped_after_its_rounds(make: Make) -> None:
    """O19: the loop goes on; the rounds are retry_limit."""
    project = make(PLAN)
    project.settings(quality_checks=KINDS, retry_limit=3)
    project.plays({"2": [[["write", "try-{n}.txt", "x"], *DONE]]}, default=WORK)
    result = project.night()
    assert (result.code, project.states(), project.runs("2")) == (3, "xSx", 3), result.out
    assert "CHECKPOINT SKIPPED: Checkpoint - all is well" in project.activity
    assert not [path for path in project.tree() if path.startswith("try-")]
    project.sound()


def test_a_run_can_pause_at_a_checkpoint(make: Make) -> None:
    """`checkpoint_pause`: exit 4, "Paused at Checkpoint"; the next call goes on."""
    project = make(PLAN)
    project.settings(overnight_mode={"checkpoint_pause": True})
    assert project.night().code == 4
    assert "**Loop Status:** Paused at Checkpoint" in project.activity
    assert project.states() == "xx "
    assert project.night().code == 0
    project.sound()


def test_stop_on_failure_ends_after_a_task_ran_out_of_attempts(make: Make) -> None:
    """`failure_handling`."""
    project = make()
    project.settings(
        failure_handling="stop_on_failure", overnight_mode={"never_stop": False, "stagnation_threshold": 2}
    )
    project.plays({"2": [[["leave", 1]]]})
    result = project.night()
    assert (result.code, project.states(), project.runs("2")) == (4, "x- ", 2), result.out
    project.sound()


def test_with_skips_off_a_task_is_left_open_and_tried_again_at_the_end(make: Make) -> None:
    """`skip_on_stagnation: false`: all else is done first."""
    project = make()
    project.settings(overnight_mode={"skip_on_stagnation": False, "stagnation_threshold": 2})
    project.plays({"2": [[["leave", 1]], [["leave", 1]], WORK]})
    result = project.night()
    assert (result.code, project.states()) == (0, "xxx"), result.out
    assert [entry["task"] for entry in project.log() if entry["event"] == "start"] == ["1", "2", "2", "3", "2"]
    project.sound()


def test_setup_commands_run_first_and_a_failed_one_is_said(make: Make) -> None:
    """O35."""
    project = make()
    project.settings(setup=["touch ready", "echo 'no database' >&2; exit 3"], quality_checks={"all": ["test -e ready"]})
    result = project.night()
    assert (result.code, project.states()) == (0, "xxx"), result.out
    assert "set-up command failed" in result.out
    assert "set-up command failed" in project.activity
    project.sound()
