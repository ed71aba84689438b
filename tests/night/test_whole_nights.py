"""Nights from the first task to the last: what is done, proved, skipped and left in the morning."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.night import project as projects
from tests.night.conftest import Make
from tests.night.project import ACTIVITY, TASKS, Project, Script

pytestmark = pytest.mark.night

CORPUS = Path(os.environ.get("RALPH_CORPUS", Path(__file__).resolve().parents[3] / "shared" / "corpus"))
CHART = CORPUS / "specs" / "19231224lhr__TransferAreaInterface__chart-responsive-fix"
COMPLETE = "### Status: ✅ COMPLETE"


@pytest.mark.corpus
@pytest.mark.skipif(not CHART.is_dir(), reason="the corpus of real specs is not here")
def test_a_real_spec_runs_from_its_first_to_its_last_task(make: Make) -> None:
    """O8, O10, O28, O33: all required tasks ticked, one commit each, nothing else in tasks.md changed."""
    files = {f".kiro/specs/demo/{name}.md": (CHART / f"{name}.md").read_text() for name in ("requirements", "design")}
    project = make((CHART / "tasks.md").read_bytes().replace(b"[x]", b"[ ]"), files)
    result = project.night("100")
    assert result.code == 0, result.out
    assert project.states() == "x  x  x x"
    assert project.task_commits() == ["1", "2", "3", "4"]
    assert project.runs() == 4
    assert project.activity.count(COMPLETE) == 4
    assert "**Tasks Completed:** 4/4" in project.activity
    assert "**Loop Status:** Complete" in project.activity
    assert project.dirty() == []
    assert "4/4 tasks complete" in result.out
    project.sound()


@pytest.mark.corpus
@pytest.mark.skipif(not CHART.is_dir(), reason="the corpus of real specs is not here")
def test_the_optional_tasks_of_a_real_spec_run_when_asked_for(make: Make) -> None:
    """O4."""
    project = make((CHART / "tasks.md").read_bytes())
    assert project.night("--optional").code == 0
    assert project.states() == "xxxxxxxxx"
    assert project.task_commits() == ["1.1", "1.2", "2.1", "2.2", "2", "3.1", "3", "4"]
    project.sound()


def test_a_task_that_always_fails_alike_is_skipped_after_ten_runs_and_all_others_are_done(project: Project) -> None:
    """O14, O12: messages that differ in times, temporary paths, ids and durations are one failure."""
    script: Script = [
        ["write", "half.txt", "{changing}"],
        ["say", "It broke {changing}"],
        ["err", "{changing}"],
        ["leave", 7],
    ]
    project.plays({"2": [script]})
    result = project.night()
    assert result.code == 3
    assert project.states() == "xSx"
    assert [project.runs(key) for key in "123"] == [1, 10, 1]
    assert project.task_commits() == ["1", "3"]
    assert "half.txt" in project.read(".ralph/demo/skipped/2.patch")
    assert not project.exists("half.txt")
    assert "AUTO-SKIPPED (10 identical failures)" in project.activity
    assert all(f"RETRY {n}/10" in project.activity for n in range(1, 11))
    assert project.dirty() == []
    project.sound()


def test_the_kept_patch_brings_back_what_was_tried(project: Project) -> None:
    """The last screen says how to look at it; that must work."""
    project.plays({"2": [[["write", "half.txt", "tried\n"], ["write", "a.py", "a = 1\nb = 2\n"], ["leave", 1]]]})
    project.settings(overnight_mode={"stagnation_threshold": 2})
    result = project.night()
    command = re.search(r"what was tried: (git apply \S+)", result.out)
    assert command is not None, result.out
    assert project.read("a.py") == "a = 1\n"
    project.git(*command[1].split()[1:])
    assert (project.read("half.txt"), project.read("a.py")) == ("tried\n", "a = 1\nb = 2\n")


def test_failures_that_a_check_finds_make_the_key_and_leave_the_tree_green(project: Project) -> None:
    """O14, O18: what the agent says changes from run to run, what the check says does not."""
    check = "test ! -e broken || { echo 'FAILED tests/test_a.py::test_one - took 0.'$$'s'; exit 1; }"
    project.settings(quality_checks={"all": [check]})
    project.plays(
        {"2": [[["write", "broken", "{changing}"], ["say", "I am sure {changing}"], ["say", "TASK_COMPLETE"]]]}
    )
    result = project.night()
    assert (result.code, project.states(), project.runs("2")) == (3, "xSx", 10)
    assert "checks at the end: all pass" in result.out
    project.sound()


def test_sub_tasks_come_before_their_parents_and_parents_cost_no_agent(make: Make) -> None:
    """O2, O3: the parent with a skipped sub-task stays open and the run ends with 3."""
    project = make(
        "- [ ] 1. A\n  - [ ] 1.1 B\n    - [ ] 1.1.1 C\n  - [ ] 1.2 D\n- [ ] 2. E\n  - [ ] 2.1 F\n- [ ] 3. G\n"
    )
    project.settings(overnight_mode={"stagnation_threshold": 2})
    project.plays({"2.1": [[["leave", 1]]]})
    result = project.night()
    assert result.code == 3
    assert project.states() == "xxxx Sx"
    assert [entry["task"] for entry in project.log() if entry["event"] == "start"] == [
        "1.1.1",
        "1.2",
        "2.1",
        "2.1",
        "3",
    ]
    project.sound()


@pytest.mark.parametrize(
    ("last", "runs"),
    [
        pytest.param([["say", "TASK_COMPLETE"]], 2, id="claims completion and changed nothing"),
        pytest.param([["write", "x", "1"], ["say", "ALL_TASKS_COMPLETE"]], 2, id="claims that all is complete"),
        pytest.param([["write", "x", "1"], ["say", "CHECKPOINT_PASSED: 1"]], 2, id="claims a checkpoint"),
        pytest.param([["write", "x", "1"], ["say", "TASK_COMPLETE"], ["say", "or so"]], 2, id="signal not at the end"),
        pytest.param([["write", "x", "1"], ["err", "TASK_COMPLETE"]], 2, id="signal on stderr"),
        pytest.param([["write", "x", "1"], ["say", "TASK_COMPLETE"], ["leave", 1]], 2, id="signal with exit 1"),
        pytest.param([["write", "x", "1"], ["say", "TASK_COMPLETE"], ["kill", "SEGV"]], 2, id="signal and a crash"),
        pytest.param([["write", "x", "1"], ["say", "TASK_SKIPPED: too hard"]], 2, id="gives up"),
        pytest.param([["write", "x", "1"], ["sh", "cat"]], 2, id="echoes the prompt"),
    ],
)
def test_an_agent_that_lies_completes_nothing(make: Make, last: list[list[object]], runs: int) -> None:
    """O16."""
    project = make("- [ ] 1. One\n- [ ] 2. Two\n")
    project.settings(overnight_mode={"stagnation_threshold": 2})
    project.plays({"1": [last]})
    assert project.night().code == 3
    assert (project.states(), project.runs("1"), project.runs("2")) == ("Sx", runs, 1)
    assert not project.exists("x")
    project.sound()


def test_nothing_to_be_done_is_believed_only_with_a_reason(make: Make) -> None:
    """O16: NO_CHANGE_NEEDED on a line of its own before the signal; without checks it counts as unverified."""
    project = make("- [ ] 1. One\n")
    project.plays({"1": [[["say", "NO_CHANGE_NEEDED: it is there already"], ["say", "TASK_COMPLETE"]]]})
    result = project.night()
    assert (result.code, project.states()) == (0, "x")
    assert "unverified" in project.activity
    project.sound()


def test_a_night_over_a_complete_spec_does_nothing(make: Make) -> None:
    """O10."""
    project = make("- [x] 1. One\n- [S] 2. Two\n- [~] 3. Three\n- [ ]* 4. Four\n")
    assert project.night().code == 4, "a queued task is left"
    assert project.run("overnight", "demo", "--queued").code == 3
    assert project.states() == "xSx "
    assert project.runs() == 1
    project.sound()


def test_a_second_night_adds_to_the_log_and_keeps_what_was_there(project: Project) -> None:
    """O27, O29: the text of the file before, and of the first night, stays."""
    project.write(ACTIVITY, "# My log\n\nI was here first.\n")
    projects.commit_all(project)
    assert project.night("1").code == 4
    first = project.activity.split("<!-- ralph:end", 1)[1]
    assert project.night().code == 0
    assert "I was here first." in project.activity
    assert first.split("-->", 1)[1].strip() in project.activity
    assert project.activity.count(COMPLETE) == 3
    project.sound()


def test_the_file_with_bom_crlf_tabs_and_no_last_newline_keeps_every_byte(make: Make) -> None:
    """O8."""
    data = b"\xef\xbb\xbf# Plan\r\n\r\n- [ ] 1. One  \r\n\t- [ ] 1.1 Sub\t\r\n\x0c\r\n* [ ] 2. Zwei \xe2\x80\xa8 drei\r\n- [ ] 3. Last"
    project = make(data)
    assert project.night().code == 0
    assert (project.root / TASKS).read_bytes() == data.replace(b"[ ]", b"[x]")
    project.sound()
