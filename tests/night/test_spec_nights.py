"""The spec, the journal and activity.md survive agents, persons and torn writes: whole nights (B2, B10, O8, O17, O29)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.plain_user import PLAIN_USER, needs_plain_user
from tests.night import project as projects
from tests.night.conftest import Make
from tests.night.project import ACTIVITY, SETTINGS, SPEC, TASKS, Project, Script

pytestmark = [pytest.mark.night, pytest.mark.long]

DONE: Script = [["say", "Did it."], ["say", "TASK_COMPLETE"]]
WORK: Script = [["write", "{task}.txt", "{changing}"], *DONE]
HANGS: Script = [["log", "ready"], ["sleep", 600]]
FAILS: Script = [["log", "failed"], ["leave", 1]]
JOURNAL = ".ralph/demo/journal.jsonl"
FILES = {
    f"{SPEC}/requirements.md": "# Requirements\n",
    f"{SPEC}/design.md": "# Design\n",
    ".kiro/steering/rules.md": "# Rules\n",
}


@pytest.fixture
def project(make: Make) -> Project:
    """Return a project with three tasks, the documents of its spec, and a steering file."""
    return make(files=FILES)


def kill(project: Project, process: subprocess.Popen[str]) -> None:
    """Kill a runner, and wait until the keeper has ended the rest."""
    process.kill()
    process.communicate(timeout=20)
    project.nothing_left(10)


def killed_in_task_2(project: Project, act: str) -> None:
    """Run a night whose agent does something with a shell command at the second task, and is killed with its runner."""
    project.plays({"2": [[["write", "2.txt", "2"], ["sh", act], *HANGS]]}, default=WORK)
    process = project.command("overnight", "demo")
    project.wait("ready", "2")
    kill(project, process)
    project.plays(default=WORK)


def stopped_in_task_2(project: Project) -> None:
    """Run a night that stops in good order after two failures at the second task."""
    project.plays({"2": [FAILS]}, default=WORK)
    assert project.night("3").code == 4
    assert project.states() == "x- "
    project.plays(default=WORK)


def whole(project: Project) -> None:
    """Check that all is done, committed once, and that nothing of the spec is missing."""
    assert set(project.states()) == {"x"}, project.tasks
    for name, text in FILES.items():
        assert project.read(name) == text
    assert project.activity.startswith("# Activity Log: demo\n")
    assert project.activity.count("## Current Status") == 1
    project.sound()


# --- what an agent does in the night


@pytest.mark.parametrize(
    ("act", "said"),
    [
        pytest.param(f"mv {SPEC} .kiro/specs/old", "moved to .kiro/specs/old; moved back", id="moves the spec"),
        pytest.param("mv .kiro kiro.bak", ".kiro had been moved to kiro.bak; moved back", id="renames .kiro"),
        pytest.param("rm -rf .kiro", ".kiro was gone; put back with", id="deletes .kiro"),
        pytest.param(f"mv {SPEC} x; ln -s ../../x {SPEC}", "had become a link", id="moves it and makes a link"),
        pytest.param(f"rm -rf {SPEC}; echo x >{SPEC}", "had become a file", id="makes a file of it"),
        pytest.param(f"rm {TASKS}; mkfifo {TASKS}", "tasks.md had become a pipe", id="makes a pipe of the plan"),
        pytest.param(f"truncate -s 1G {TASKS}", "tasks.md was no plan any more", id="a plan of a gigabyte"),
        pytest.param(f"rm {SPEC}/*.md .kiro/steering/*", "design.md was gone; put back", id="deletes all documents"),
    ],
)
def test_what_an_agent_does_to_the_spec_is_undone_and_told(project: Project, act: str, said: str) -> None:
    """B10: the night ends as if it had not been, and in the morning the person reads what happened."""
    project.plays({"2": [[["write", "2.txt", "2"], ["sh", act], *DONE]]}, default=WORK)
    result = project.night()
    assert result.code == 0, result.out + result.err
    assert [project.runs(key) for key in "123"] == [1, 1, 1]
    assert project.task_commits() == ["1", "2", "3"]
    assert {path for path in project.tree() if path.startswith(".kiro")} >= {*FILES, SETTINGS, TASKS}
    assert said in project.activity
    whole(project)


@needs_plain_user
@pytest.mark.parametrize("act", ["chmod -R 000 .kiro", "chmod -R a-w .kiro", "chmod -R 000 .ralph"])
def test_rights_that_an_agent_took_away_are_given_back(project: Project, act: str) -> None:
    """B10: as another user than root, for whom modes hold."""
    project.plays({"2": [[["write", "2.txt", "2"], ["sh", act], *DONE]]}, default=WORK)
    command = [*PLAIN_USER, sys.executable, "-m", "ralph_wiggum.cli.overnight", "demo"]
    process = subprocess.Popen(
        command,
        cwd=project.root,
        env=project.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    project.started.append(process)
    result = project.finish(process)
    assert result.code == 0, result.out + result.err
    assert project.task_commits() == ["1", "2", "3"]
    whole(project)


@pytest.mark.parametrize(
    "act",
    [
        pytest.param("rm -rf .ralph", id="deletes .ralph"),
        pytest.param(f": >{JOURNAL}", id="empties the journal"),
        pytest.param(f"s=$(stat -c %s {JOURNAL}); head -c $s /dev/zero >{JOURNAL}", id="overwrites it with zeros"),
        pytest.param(f"""echo '{{"v":1,"event":"ticked","key":"3","name":"Three"}}' >>{JOURNAL}""", id="forges a line"),
        pytest.param("rm .ralph/run.lock; mkfifo .ralph/run.lock", id="makes a pipe of the lock"),
    ],
)
def test_what_an_agent_does_to_the_state_is_undone(project: Project, act: str) -> None:
    """B2, O17: the journal holds every entry once, and no line that the runner did not write."""
    project.plays({"2": [[["write", "2.txt", "2"], ["sh", act], *DONE]]}, default=WORK)
    result = project.night()
    assert result.code == 0, result.out + result.err
    assert [project.runs(key) for key in "123"] == [1, 1, 1]
    assert [entry["key"] for entry in project.journal("started")] == ["1", "2", "3"]
    assert [entry["key"] for entry in project.journal("ticked")] == ["1", "2", "3"]
    whole(project)


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(f"rm {ACTIVITY}", id="deletes it"),
        pytest.param(f": >{ACTIVITY}", id="empties it"),
        pytest.param(f"rm {ACTIVITY}; mkdir {ACTIVITY}", id="makes a folder of it"),
        pytest.param(f"rm {ACTIVITY}; ln -s activity.md {ACTIVITY}", id="makes a link to itself of it"),
        pytest.param(f"sed -i 's/$/\\r/' {ACTIVITY}", id="changes its line endings"),
        pytest.param(f"yes 'a line of text' | head -c 50000000 >>{ACTIVITY}", id="makes 50 MB of it"),
        pytest.param(f"sed -i 1,3d {ACTIVITY}", id="takes its head off"),
    ],
)
def test_what_an_agent_does_to_the_log_costs_no_entry_and_nothing_that_a_person_wrote(
    project: Project, act: str
) -> None:
    """O29: each entry once, and the text that was there before."""
    project.write(ACTIVITY, "# My own log\n\nwritten by a person\n")
    project.plays({"2": [[["write", "2.txt", "2"], ["sh", act], *DONE]]}, default=WORK)
    result = project.night()
    assert result.code == 0, result.out + result.err
    lines = [line.rstrip("\r") for line in project.activity.split("\n")]
    for name in ("1: One", "2: Two", "3: Three"):
        assert sum(line.endswith(f"] Task {name}") for line in lines) == 1, name
    assert lines.count("written by a person") == 1
    assert "**Tasks Completed:** 3/3" in project.activity
    whole(project)


# --- an agent and its runner are killed together


@pytest.mark.parametrize(
    "act",
    [
        pytest.param("true", id="nothing"),
        pytest.param("rm -rf .kiro", id=".kiro deleted"),
        pytest.param("mv .kiro kiro.bak", id=".kiro renamed"),
        pytest.param(f"rm -rf {SPEC}; ln -s demo {SPEC}", id="a link to itself for the spec"),
        pytest.param(f": >{TASKS}", id="the plan emptied"),
        pytest.param(f"head -c 99999 /dev/urandom >{TASKS}", id="garbage for a plan"),
        pytest.param(f"rm {SPEC}/*.md", id="all documents deleted"),
        pytest.param(f"""echo '{{"v":1,"event":"ticked","key":"3","name":"Three"}}' >>{JOURNAL}""", id="a line forged"),
        pytest.param(f"printf '\\0\\0\\0\\0' >>{JOURNAL}", id="zeros at the end of the journal"),
        pytest.param(f'printf \'{{"v":1,"event":"end\' >>{JOURNAL}', id="half a line at its end"),
    ],
)
def test_the_next_start_goes_on_where_it_was(project: Project, act: str) -> None:
    """B2, B10: settings included; ralph-status says something clear meanwhile."""
    killed_in_task_2(project, act)
    status = project.run("status", "demo")
    assert status.code in {0, 2}, status.err
    assert status.code == 0 or ("hint:" in status.err and "ralph-overnight demo" in status.err)
    result = project.night()
    assert result.code == 0, result.out + result.err
    assert [project.runs(key) for key in "123"] == [1, 2, 1]
    assert project.task_commits() == ["1", "2", "3"]
    assert project.run("status", "demo").code == 0
    whole(project)


# --- what happens to the state between two nights


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(f"rm {JOURNAL}", id="the journal deleted"),
        pytest.param("rm -rf .ralph", id=".ralph deleted"),
        pytest.param(f": >{JOURNAL}", id="the journal emptied"),
        pytest.param(f"s=$(stat -c %s {JOURNAL}); head -c $s /dev/zero >{JOURNAL}", id="zeros"),
        pytest.param(f"sed -i 3,5d {JOURNAL}", id="lines taken out of the middle"),
        pytest.param(f"sed -i '2i garbage\\n[]\\n{{}}' {JOURNAL}", id="garbage in the middle"),
        pytest.param(f"sed -i 's/$/\\r/' {JOURNAL}", id="line endings"),
        pytest.param(f"rm {ACTIVITY}", id="the log deleted"),
        pytest.param(f"sed -i '/Status: /d' {ACTIVITY}", id="the log edited"),
    ],
)
def test_the_plan_is_enough_to_go_on_with(project: Project, act: str) -> None:
    """B2: the file wins; what is ticked stays so, what is in progress is continued, nothing is done twice."""
    stopped_in_task_2(project)
    subprocess.run(["sh", "-c", act], cwd=project.root, check=True)
    assert project.run("status", "demo").code == 0
    result = project.night()
    assert result.code == 0, result.out + result.err
    assert [project.runs(key) for key in "123"] == [1, 3, 1]
    assert project.task_commits() == ["1", "2", "3"]
    assert "Task 3: Three" in project.activity
    whole(project)


def test_a_journal_of_another_spec_is_no_obstacle(project: Project) -> None:
    """Somebody copied it over: its tasks have the same ids and other names."""
    project.write(".kiro/specs/shop/tasks.md", "- [ ] 1. Cart\n- [ ] 2. Pay\n- [ ] 3. Mail\n")
    projects.commit_all(project)
    project.plays({"2": [FAILS]}, default=WORK)
    assert project.run("overnight", "shop", "4").code == 4
    (project.root / ".ralph/demo").mkdir()
    shutil.copy(project.root / ".ralph/shop/journal.jsonl", project.root / JOURNAL)
    project.plays(default=WORK)
    result = project.night()
    assert result.code == 0, result.out + result.err
    assert [e["attempt"] for e in project.log() if e["event"] == "start"][-3:] == [1, 1, 1]
    whole(project)


# --- what a person does to tasks.md while no run is on


@pytest.mark.parametrize(
    ("text", "attempts"),
    [
        pytest.param(
            "- [ ] 1. Zero\n- [x] 2. One\n- [-] 3. Two\n- [ ] 4. Three\n",
            {"Two": 3, "Zero": 1, "Three": 1},
            id="a task in front, all renumbered: failures go with theirs",
        ),
        pytest.param(
            "- [x] 1. One\n- [ ] 2. Three\n", {"Three": 1}, id="the task in progress deleted, the next has its id"
        ),
        pytest.param("- [x] 1. One\n- [ ] 3. Three\n", {"Three": 1}, id="the task in progress deleted"),
        pytest.param(
            "- [x] 1. One\n- [-] 2. Two, in other words\n- [ ] 3. Three\n",
            {"Two, in other words": 3, "Three": 1},
            id="reworded",
        ),
        pytest.param("- [ ] 1. One\n- [-] 2. Two\n- [ ] 3. Three\n", {"One": 1, "Two": 3, "Three": 1}, id="set back"),
        pytest.param(
            "- [x] 1. One\n- [-] 2. Two\n- [ ] 3. Three\n- [ ] 4. Four\n  - [ ] 4.1 Part\n",
            {"Two": 3, "Three": 1, "Part": 1},
            id="a longer plan",
        ),
        pytest.param("- [ ] 1. Cart\n- [ ] 2. Pay\n", {"Cart": 1, "Pay": 1}, id="another plan"),
    ],
)
def test_edits_of_the_plan_between_two_nights_are_followed(
    project: Project, text: str, attempts: dict[str, int]
) -> None:
    """O8: the attempts of before count for the task that they were made at, whatever its id is now."""
    stopped_in_task_2(project)
    project.write(TASKS, text)
    project.original = text
    before = len(project.journal("started"))
    result = project.night()
    assert result.code == 0, result.out + result.err
    assert {e["name"]: e.get("attempt", 1) for e in project.journal("started")[before:]} == attempts
    whole(project)


def test_a_person_who_renumbers_while_an_attempt_goes_on_loses_nothing(project: Project) -> None:
    """O17: the task at hand is ticked where it is now, and every other one is done once."""
    text = "- [ ] 1. Zero\n- [x] 2. One\n- [-] 3. Two\n- [ ] 4. Three\n"
    script = [["write", "two.txt", "2"], ["write", TASKS, text], *DONE]
    project.plays({"2": [script]}, default=WORK)
    result = project.night()
    assert result.code == 0, result.out + result.err
    assert [e["name"] for e in project.journal("started")] == ["One", "Two", "Zero", "Three"]
    assert [e["name"] for e in project.journal("ticked")] == ["One", "Two", "Zero", "Three"]
    project.original = text.replace("3. Two", "2. Two")  # its own line is put back, as after every attempt (O17)
    whole(project)


def test_a_task_that_passed_is_ticked_under_its_new_number(project: Project) -> None:
    """B2: the runner was killed between the verdict and the tick; a person put a task in front."""
    project.plays(default=WORK)
    hook = project.top / ".git/hooks/pre-commit"
    hook.write_text("#!/bin/sh\ntouch ../play/reached; until [ -e ../play/go ]; do sleep 0.05; done\n")
    hook.chmod(0o755)
    process = project.command("overnight", "demo")
    deadline = time.monotonic() + 20
    while not (project.play / "reached").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    (project.play / "go").touch()  # git is not killed with the runner: a commit that was begun is finished
    kill(project, process)
    hook.unlink()
    project.write(TASKS, "- [ ] 1. Zero\n- [-] 2. One\n- [ ] 3. Two\n- [ ] 4. Three\n")
    project.original = project.tasks
    result = project.night()
    assert result.code == 0, result.out + result.err
    assert [e["name"] for e in project.journal("started")] == ["One", "Zero", "Two", "Three"]
    # the commit that was cut off bears the old number, so there is a second one for the task, with its mark
    assert {subject for _, subject in project.commits()} >= {
        f"feat(demo): {n}" for n in ("Zero", "One", "Two", "Three")
    }
    whole(project)


def test_a_skip_that_a_person_takes_back_is_a_new_task(project: Project) -> None:
    """Design, part 1: its counters are empty."""
    project.settings(overnight_mode={"stagnation_threshold": 2})
    project.plays({"2": [FAILS]}, default=WORK)
    assert project.night().code == 3
    project.write(TASKS, project.tasks.replace("[S]", "[ ]"))
    project.plays(default=WORK)
    assert project.night().code == 0
    assert [e.get("attempt", 1) for e in project.journal("started") if e["key"] == "2"] == [1, 2, 1]
    whole(project)


# --- full disks


@pytest.fixture
def small_spec(project: Project) -> Iterator[Path]:
    """Put the spec folder on a file system of 1 MB; skip where that is not allowed."""
    folder = project.root / SPEC
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"a tmpfs cannot be mounted here: {done.stderr!r}")
    for name, data in kept.items():
        (folder / name).write_bytes(data)
    yield folder
    projects.end_all(project)
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.skipif(shutil.which("mount") is None or os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_spec_on_a_full_disk_is_waited_out_and_nothing_is_torn(project: Project, small_spec: Path) -> None:
    """B2, O12: tasks.md, activity.md and their like; a while later somebody makes room."""
    filler = small_spec / "filler"
    done = [["write", "2.txt", "2"], ["log", "full"], ["say", "TASK_COMPLETE"]]
    project.plays({"2": [[["sh", f"cat /dev/zero >{filler} 2>/dev/null"], *done], done]}, default=WORK)
    process = project.command("overnight", "demo")
    project.wait("full", "2")
    time.sleep(0.7)
    for name in ("requirements.md", "design.md"):
        assert (small_spec / name).read_text() == FILES[f"{SPEC}/{name}"]
    filler.unlink(missing_ok=True)
    result = project.finish(process)
    assert result.code == 0, result.out + result.err
    assert project.task_commits() == ["1", "2", "3"]
    whole(project)
