"""Signals, two runs at once, ralph-skip and ralph-next during a run: what a person does to a night (O38, O30)."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.night.conftest import Make
from tests.night.project import Project, Script

pytestmark = pytest.mark.night

DONE: Script = [["write", "{task}.txt", "{task}"], ["say", "Did it."], ["say", "TASK_COMPLETE"]]
WAITS: Script = [["write", "half.txt", "half"], ["say", "waiting"], ["until", "{folder}/go"], *DONE]
HANGS: Script = [["write", "half.txt", "half"], ["ignore", "TERM"], ["sleep", 600]]
CACHE = {".ralph", "demo", "plan.json", ".gitignore"}  # of the parsed plan: the contract allows it


def ended(project: Project, task: str) -> list[str]:
    """Return how the attempts at a task ended."""
    return [e.get("result", "failed") for e in project.journal("ended") if e["key"] == task]


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_ends_the_run_in_good_order_and_the_next_start_goes_on(project: Project, name: str, code: int) -> None:
    """O28: the attempt is interrupted, counts as nothing; journal and status are written."""
    project.plays({"2": [WAITS]}, default=DONE)
    process = project.command("overnight", "demo")
    project.wait("start", "2")
    process.send_signal(getattr(signal, name))
    result = project.finish(process, timeout=20)
    assert result.code == code, result.out + result.err
    project.nothing_left()
    assert project.states() == "x- "
    assert ended(project, "2") == ["interrupted"]
    assert project.journal("run_ended")[-1]["code"] == code
    assert "**Loop Status:** Stopped" in project.activity
    assert f"stopped by {name}" in result.out
    (project.play / "go").touch()
    assert project.night().code == 0
    assert [e["attempt"] for e in project.log() if e["event"] == "start" and e["task"] == "2"] == [1, 1]
    assert project.task_commits() == ["1", "2", "3"]
    assert "half.txt" in project.tree(), "what the interrupted attempt made belongs to the task"
    assert project.dirty() == []
    project.sound()


def test_failed_attempts_count_on_after_an_interruption(project: Project) -> None:
    """O14, design part 1: two failures before Ctrl-C and two after it are four."""
    project.settings(overnight_mode={"stagnation_threshold": 4})
    fails: Script = [["leave", 1]]
    project.plays({"2": [fails, fails, WAITS, fails]}, default=DONE)
    process = project.command("overnight", "demo")
    project.wait("start", "2", 3)
    process.send_signal(signal.SIGINT)
    assert project.finish(process, timeout=20).code == 130
    assert project.night().code == 3
    assert [e["attempt"] for e in project.log() if e["event"] == "start" and e["task"] == "2"] == [1, 2, 3, 3, 4]
    assert project.states() == "xSx"
    project.sound()


def test_a_second_ctrl_c_ends_it_at_once(project: Project) -> None:
    """The keeper ends an agent that ignores TERM by itself."""
    project.plays({"1": [HANGS]}, default=DONE)
    process = project.command("overnight", "demo")
    project.wait("start", "1")
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.wait(timeout=10)
    assert time.monotonic() - began < 1.5
    assert project.finish(process).code == 130
    project.nothing_left()
    project.plays(default=DONE)
    assert project.night().code == 0
    project.sound()


def test_a_closed_terminal_stops_nothing(project: Project) -> None:
    """O12: SIGHUP, and a screen that is gone."""
    project.plays({"1": [WAITS]}, default=DONE)
    process = project.command("overnight", "demo")
    project.wait("start", "1")
    process.send_signal(signal.SIGHUP)
    assert process.stdout is not None
    os.close(os.dup(process.stdout.fileno()))
    (project.play / "go").touch()
    assert project.finish(process).code == 0
    assert project.states() == "xxx"
    project.sound()


def test_a_screen_that_nobody_reads_stops_nothing(project: Project) -> None:
    """O12: the reader of the pipe is gone."""
    project.plays({"1": [WAITS]}, default=DONE)
    process = project.command("overnight", "demo")
    project.wait("start", "1")
    for stream in (process.stdout, process.stderr):
        assert stream is not None
        stream.close()
    (project.play / "go").touch()
    process.wait(timeout=30)
    assert project.states() == "xxx"
    assert project.task_commits() == ["1", "2", "3"]
    assert "**Loop Status:** Complete" in project.activity
    project.started.remove(process)
    project.sound()


def test_two_runs_at_once_are_refused_and_the_holder_is_named(project: Project) -> None:
    """O38, exit 5; the small commands work meanwhile."""
    project.plays({"1": [WAITS]}, default=DONE)
    process = project.command("overnight", "demo")
    project.wait("start", "1")
    for command in ("overnight", "next"):
        second = project.run(command, "demo")
        assert second.code == 5
        assert f"pid {process.pid}" in second.err
        assert "demo" in second.err
    assert project.run("status", "demo", "--json").out.count('"state": "running"') == 1
    assert project.runs() == 1
    (project.play / "go").touch()
    assert project.finish(process).code == 0
    project.sound()


def test_a_skip_of_the_running_task_ends_it_at_once(project: Project) -> None:
    """O38: its changes are taken out and kept as a patch, and the run goes on."""
    project.plays({"1": [[["write", "half.txt", "half"], ["log", "here"], ["sleep", 600]]]}, default=DONE)
    process = project.command("overnight", "demo")
    project.wait("here", "1")
    began = time.monotonic()
    skipped = project.run("skip", "demo", "1", "not", "today")
    assert skipped.code == 0, skipped.err
    assert "skipped 1 One: not today" in skipped.out
    assert time.monotonic() - began < 6
    assert project.finish(process).code == 3
    assert project.states() == "Sxx"
    assert ended(project, "1") == ["interrupted"]
    assert not project.exists("half.txt")
    assert "half.txt" in project.read(".ralph/demo/skipped/1.patch")
    assert "not today" in project.activity
    project.sound()


def test_a_skip_of_a_later_task_takes_effect_at_once_and_holds(project: Project) -> None:
    """O17: while another task is worked on; its agent's end does not undo the mark."""
    project.plays({"1": [WAITS]}, default=DONE)
    process = project.command("overnight", "demo")
    project.wait("start", "1")
    assert project.run("skip", "demo", "3", "no").code == 0
    assert project.states() == "- S"
    (project.play / "go").touch()
    assert project.finish(process).code == 3
    assert (project.states(), project.runs("3")) == ("xxS", 0)
    project.sound()


def test_an_agent_that_calls_ralph_commands_changes_nothing(project: Project) -> None:
    """Contract "Environment of an agent"."""
    import sys  # noqa: PLC0415 - one use

    calls = [f"{sys.executable} -m ralph_wiggum.cli.{c}" for c in ("skip demo 3 no", "overnight demo", "next demo")]
    project.plays({"1": [[*(["sh", call] for call in calls), *DONE]]}, default=DONE)
    result = project.night()
    assert (result.code, project.states(), project.runs()) == (0, "xxx", 3)
    project.sound()


def test_next_does_one_task_and_says_what_comes_next(project: Project) -> None:
    """O30."""
    result = project.run("next", "demo")
    assert result.code == 0
    assert (project.states(), project.runs()) == ("x  ", 1)
    assert "2 Two" in result.out
    project.sound()


def test_next_gives_up_after_three_attempts_and_leaves_the_task_in_progress(project: Project) -> None:
    """O30: exit 4, `[-]`; the next call tries it again."""
    project.plays({"1": [[["leave", 1]]]}, default=DONE)
    result = project.run("next", "demo")
    assert (result.code, project.states(), project.runs()) == (4, "-  ", 3)
    assert "exit code 1" in result.out
    assert project.run("next", "demo", "--attempts", "1").code == 4
    assert project.runs() == 4
    project.plays(default=DONE)
    assert project.run("next", "demo").code == 0
    assert project.states() == "x  "
    project.sound()


def test_the_limit_of_runs_counts_for_this_call(project: Project) -> None:
    """O10: exit 4 with tasks open, and the last one may complete the plan."""
    assert project.night("1").code == 4
    assert project.states() == "x  "
    assert project.night("2").code == 0
    assert (project.states(), project.runs()) == ("xxx", 3)
    project.sound()


def test_without_commits_the_repository_stays_as_it_is(project: Project) -> None:
    """`--no-commit`: no branch, no commit; what was done is in the work tree."""
    result = project.night("--no-commit")
    assert (result.code, project.states()) == (0, "xxx")
    assert project.git("symbolic-ref", "--short", "HEAD") == "main"
    assert project.git("branch", "--format=%(refname:short)").split() == ["main"]
    assert project.commits() == []
    assert project.exists("done/3.txt")
    project.sound()


def test_a_dry_run_changes_nothing_at_all(make: Make) -> None:
    """Contract "Commands": plan, agent, checks and first prompt; no file, no ref, no state."""
    project = make("- [ ] 1. One\n- [ ] 2. Checkpoint\n- [ ]* 3. Extra\n")
    project.settings(quality_checks={"all": ["test -e a.py"]})

    def picture() -> tuple[dict[Path, bytes], set[Path], str]:
        paths = {path for path in project.top.rglob("*") if path.name not in CACHE}
        files = {path: path.read_bytes() for path in paths if path.is_file()}
        return files, {path for path in paths if path.is_dir()}, project.git("for-each-ref")

    before = picture()
    result = project.night("--dry-run")
    assert result.code == 0, result.err
    after = picture()
    assert sorted(str(path) for path in after[0].keys() ^ before[0].keys()) == []
    assert after == before
    assert project.runs() == 0
    assert all(text in result.out for text in ("1 One", "2 Checkpoint", "test -e a.py", "TASK_COMPLETE"))
    assert "3 Extra" not in result.out
    project.nothing_left()


@pytest.mark.parametrize(
    "command",
    [
        pytest.param("git add -A && git commit -qm mine", id="had committed"),
        pytest.param(
            "git switch -qc theirs && git add -A && git commit -qm mine",
            id="had switched to its own branch",
        ),
        pytest.param("git add -A", id="had staged"),
        pytest.param("git stash -q -u", id="had stashed"),
        pytest.param("sed -i 's/\\[ \\]/[x]/' .kiro/specs/demo/tasks.md", id="had ticked all"),
        pytest.param("git reset -q --hard && git clean -fdq", id="had thrown all away"),
        pytest.param(
            "git checkout -q --detach && git add -A && git commit -qm mine", id="had committed while detached"
        ),
        pytest.param("git switch -qc theirs && git branch -D ralph/demo", id="had deleted the run's branch"),
        pytest.param("rm .kiro/specs/demo/tasks.md", id="had deleted the plan"),
        pytest.param(
            "rm .kiro/specs/demo/tasks.md && mkdir .kiro/specs/demo/tasks.md", id="had put a folder in its place"
        ),
        pytest.param("ln -sf /nowhere/at/all .kiro/specs/demo/tasks.md", id="had put a broken link in its place"),
        pytest.param("rm -r .kiro/specs/demo", id="had deleted the spec"),
    ],
)
def test_what_an_agent_did_before_the_runner_was_killed_is_mended_at_the_next_start(
    project: Project, command: str
) -> None:
    """B2 with O17 and O38: one commit a task on the run's branch, and the person's file is still theirs."""
    project.write("notes.txt", "mine\n")
    cut: Script = [["write", "half.txt", "half"], ["sh", command], ["log", "cut"], ["sleep", 600]]
    project.plays({"1": [cut, DONE]}, default=DONE)
    process = project.command("overnight", "demo")
    project.wait("cut", "1")
    process.kill()
    project.finish(process)
    result = project.night()
    assert (result.code, project.states()) == (0, "xxx"), result.out + result.err
    assert project.task_commits() == ["1", "2", "3"]
    assert project.git("symbolic-ref", "--short", "HEAD") == "ralph/demo"
    assert project.read("notes.txt") == "mine\n"
    assert "notes.txt" not in project.tree()
    assert "mine" not in [subject for _, subject in project.commits()]
    project.sound()


def cut_off(project: Project, command: str) -> None:
    """Begin a night, have its agent do something, and kill the runner in the middle of the attempt."""
    project.write("notes.txt", "mine\n")
    cut: Script = [["write", "half.txt", "half"], ["sh", command], ["log", "cut"], ["sleep", 600]]
    project.plays({"1": [cut, DONE]}, default=DONE)
    process = project.command("overnight", "demo")
    project.wait("cut", "1")
    process.kill()
    project.finish(process)
    project.nothing_left()


def test_the_log_names_what_was_put_back_after_a_crash(project: Project) -> None:
    """B2, O38: and where the agent's own version is kept."""
    cut_off(project, "git switch -qc theirs && git add -A && git commit -qm 'feat: mine'")
    result = project.night()
    assert result.code == 0, result.out + result.err
    for words in ("switched to the branch theirs", "refs/ralph/agent/1/heads/theirs"):
        assert words in result.out
        assert words in project.activity
    assert project.git("show", "refs/ralph/agent/1/heads/theirs:half.txt") == "half"


def test_what_a_person_did_with_git_after_ctrl_c_is_theirs(project: Project) -> None:
    """The task is in progress as after a crash, but the run ended in good order: nothing is put back."""
    project.write("notes.txt", "mine\n")
    project.plays({"1": [WAITS, DONE]}, default=DONE)
    process = project.command("overnight", "demo")
    project.wait("start", "1")
    process.send_signal(signal.SIGINT)
    assert project.finish(process, timeout=20).code == 130
    for command in (["switch", "-qc", "mine"], ["add", "notes.txt"], ["commit", "-qm", "notes"]):
        project.git(*command)
    tip = project.git("rev-parse", "HEAD")
    result = project.night()
    assert (result.code, project.states()) == (0, "xxx"), result.out + result.err
    assert project.git("symbolic-ref", "--short", "HEAD") == "mine"
    assert project.git("merge-base", "--is-ancestor", tip, "HEAD") == ""
    assert "cut off" not in result.out
    assert project.git("for-each-ref", "refs/ralph/agent") == ""
    project.sound()


@pytest.mark.parametrize("named", ["demo", ".kiro/specs/demo", ".kiro/specs/demo/tasks.md"])
def test_status_says_what_becomes_of_a_plan_that_went_away(project: Project, named: str) -> None:
    """B2: no dead end; the status itself changes nothing, and the next start says what it did."""
    cut_off(project, "rm .kiro/specs/demo/tasks.md")
    for words in ([named], [], [named, "--json"]):
        status = project.run("status", *words)
        assert "tasks.md is not there" in status.err
        assert "put back" in status.err
        assert "ralph-overnight demo" in status.err
        assert status.code == (2 if words else 0)
    assert project.run("overnight", named, "--dry-run").code == 2
    assert not project.exists(".kiro/specs/demo/tasks.md")
    result = project.run("overnight", named)
    assert (result.code, project.states()) == (0, "xxx"), result.out + result.err
    assert "tasks.md was gone" in result.out
    assert "tasks.md was gone" in project.activity


@pytest.mark.parametrize("after", ["a run that ended", "Ctrl-C", "a crash between two attempts"])
def test_a_plan_that_a_person_deleted_is_not_put_back(project: Project, after: str) -> None:
    """The copy is named and left alone: only an attempt that was cut off can have taken the plan away."""
    project.plays({"2": [WAITS]}, default=DONE)
    process = project.command("overnight", "demo", *(["1"] if after == "a run that ended" else []))
    if after != "a run that ended":
        project.wait("start", "2")
        process.send_signal(signal.SIGINT)
    project.finish(process, timeout=20)
    journal = project.root / ".ralph/demo/journal.jsonl"
    if after == "a crash between two attempts":
        lines = journal.read_text().splitlines(keepends=True)
        journal.write_text("".join(line for line in lines if '"run_ended"' not in line))
    (project.root / ".kiro/specs/demo/tasks.md").unlink()
    for command in ("overnight", "next", "status"):
        result = project.run(command, "demo")
        assert result.code == 2
        assert "no tasks file" in result.err
        assert ".ralph/demo/tasks.held.md is a copy" in result.err
    assert not project.exists(".kiro/specs/demo/tasks.md")
