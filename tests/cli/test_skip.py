"""`ralph-skip`, with and without a run beside it (O17, O30, O38)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ralph_wiggum.adapters.journal_file import JournalFile, read_journal
from ralph_wiggum.adapters.plan_file import current_plan
from ralph_wiggum.adapters.project import open_spec
from ralph_wiggum.adapters.run_lock import Holder
from ralph_wiggum.cli.skip import ask_the_run
from ralph_wiggum.core.journal import Ended, SkipAsked, SkipDecided, Skipped, Started
from tests.cli.consoles import TASKS, call, environment, make_spec, status

RUN = """
import sys, time
from pathlib import Path
from ralph_wiggum.adapters.journal_file import JournalFile
from ralph_wiggum.adapters.run_lock import RunLock
from ralph_wiggum.core.journal import SkipAsked, Skipped
lock = RunLock(Path("."))
lock.acquire(spec=sys.argv[1], run="r1", started="2026-11-20T22:00:00+00:00")
journal = JournalFile(Path(".ralph/demo/journal.jsonl"))
print("held", flush=True)
while sys.argv[2] == "obeys":
    for entry in journal.poll():
        if isinstance(entry, SkipAsked):
            journal.append(Skipped(key=entry.key, reason=entry.reason, by="person"))
    time.sleep(0.02)
sys.stdin.read()
"""


def run_beside(root: Path, spec: str, how: str) -> subprocess.Popen[str]:
    runner = subprocess.Popen(
        [sys.executable, "-c", RUN, spec, how],
        cwd=root,
        env=environment(root),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert runner.stdout is not None
    runner.stdout.readline()
    return runner


def test_a_skip_marks_logs_and_says_what_is_next(tmp_path: Path) -> None:
    path = make_spec(tmp_path)
    done = call("skip", tmp_path, "demo", "1.2", "no database\x1b[2J here")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "skipped 1.2 Store entries: no database here\nnext: 1.3 Show entries\n"
    assert path.read_text() == TASKS.replace("[ ] 1.2", "[S] 1.2")
    entries, bad = read_journal(tmp_path / ".ralph/demo/journal.jsonl")
    assert bad == 0
    decided, skipped = entries
    assert isinstance(decided, SkipDecided)
    assert isinstance(skipped, Skipped)
    assert (skipped.by, skipped.reason, skipped.next) == ("person", "no database here", "1.3 Show entries")
    log = path.with_name("activity.md").read_text()
    assert "### Status: ⏭️ SKIPPED" in log
    assert "- **Reason for Skip:** no database here" in log
    assert "**Tasks Completed:** 1/4" in log
    assert status(tmp_path)["skipped_tasks"] == [{"id": "1.2", "name": "Store entries", "reason": "no database here"}]


def test_a_log_that_an_agent_wrote_is_kept(tmp_path: Path) -> None:
    """O29."""
    path = make_spec(tmp_path)
    log = path.with_name("activity.md")
    log.write_text("# Activity Log\n\n## [2025-01-01 10:00] Task 1: by hand\n")
    call("skip", tmp_path, "demo", "1.2", "why")
    assert "## [2025-01-01 10:00] Task 1: by hand\n" in log.read_text()
    assert log.read_text().startswith("# Activity Log: demo\n")


@pytest.mark.parametrize(
    ("words", "said", "hint"),
    [
        pytest.param(["demo", "9.9", "why"], "no task '9.9'", "", id="an unknown task"),
        pytest.param(["demo", "1.", "why"], "", "", id="an id with its dot is fine"),
        pytest.param(["demo", "1.2"], "a skip needs a reason", 'ralph-skip demo 1.2 "why"', id="no reason"),
        pytest.param(["demo", "1.2", "  \n"], "a skip needs a reason", "", id="an empty reason"),
        pytest.param(["dem", "1.2", "why"], "no spec 'dem'", "did you mean demo?", id="an unknown spec"),
        pytest.param(["demo", "1.1", "why"], "1.1 Set up is complete already", "[ ]", id="a completed task"),
    ],
)
def test_mistakes_are_told_and_change_nothing(tmp_path: Path, words: list[str], said: str, hint: str) -> None:
    path = make_spec(tmp_path)
    done = call("skip", tmp_path, *words)
    if not said:
        assert done.returncode == 0
        return
    assert done.returncode == 2
    assert done.stderr.startswith(f"ralph: {said}")
    assert hint in done.stderr
    assert path.read_text() == TASKS
    assert not (tmp_path / ".ralph/demo/journal.jsonl").exists()


def test_an_ambiguous_id_lists_its_tasks_with_their_lines_and_a_key_decides(tmp_path: Path) -> None:
    path = make_spec(tmp_path, text="# A\n- [ ] 1. one\n# B\n- [ ] 1. two\n")
    done = call("skip", tmp_path, "demo", "1", "why")
    assert done.returncode == 2
    assert "1@1 (.kiro/specs/demo/tasks.md:2: one); 1@2 (.kiro/specs/demo/tasks.md:4: two)" in done.stderr
    assert call("skip", tmp_path, "demo", "1@2", "why").returncode == 0
    assert path.read_text() == "# A\n- [ ] 1. one\n# B\n- [S] 1. two\n"


def test_a_reason_without_quotes_and_a_second_skip(tmp_path: Path) -> None:
    make_spec(tmp_path)
    assert "no account yet" in call("skip", tmp_path, "demo", "1.2", "no", "account", "yet").stdout
    again = call("skip", tmp_path, "demo", "1.2", "why")
    assert again.returncode == 0
    assert again.stdout.startswith("1.2 Store entries is skipped already")


def test_an_agent_may_not_skip(tmp_path: Path) -> None:
    """Contract: a ralph command called by an agent refuses to change state."""
    path = make_spec(tmp_path)
    done = call("skip", tmp_path, "demo", "1.2", "too hard", env={"RALPH_RUN_ID": "20261120-220000-ab12"})
    assert done.returncode == 2
    assert "20261120-220000-ab12" in done.stderr
    assert path.read_text() == TASKS


def test_a_run_on_the_spec_is_asked_and_carries_it_out(tmp_path: Path) -> None:
    """O17, O38: through the journal; only the runner writes states while it runs."""
    path = make_spec(tmp_path)
    with run_beside(tmp_path, "demo", "obeys") as runner:
        done = call("skip", tmp_path, "demo", "1.2", "no database")
        runner.kill()
    assert done.returncode == 0
    assert f"skipped 1.2 Store entries: no database (by the run, pid {runner.pid})" in done.stdout
    assert path.read_text() == TASKS
    assert isinstance(read_journal(tmp_path / ".ralph/demo/journal.jsonl")[0][0], SkipAsked)


def test_a_run_that_is_busy_keeps_the_wish_for_later(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_spec(tmp_path)
    project = open_spec(tmp_path, "demo")
    task = current_plan(project).task("1.2")
    ask_the_run(project, task, "why", Holder(pid=4711, spec="demo"), patience=0.1)
    assert "asked the run (pid 4711) to skip 1.2 Store entries; it has not done so yet" in capsys.readouterr().out
    asked = read_journal(project.journal_file)[0][0]
    assert isinstance(asked, SkipAsked)
    assert (asked.key, asked.reason) == ("1.2", "why")


def test_a_run_on_another_spec_holds_the_work_tree(tmp_path: Path) -> None:
    path = make_spec(tmp_path)
    make_spec(tmp_path, "other")
    with run_beside(tmp_path, "other", "idles") as runner:
        done = call("skip", tmp_path, "demo", "1.2", "why")
        runner.kill()
    assert done.returncode == 5
    assert f"pid {runner.pid}" in done.stderr
    assert path.read_text() == TASKS


def test_a_skip_after_a_crash_survives_the_next_start(tmp_path: Path) -> None:
    """B2: the held copy of tasks.md, which the next start protects with, knows of the skip."""
    path = make_spec(tmp_path)
    (tmp_path / ".ralph/demo").mkdir(parents=True)
    (tmp_path / ".ralph/demo/tasks.held.md").write_text(TASKS)
    journal = JournalFile(tmp_path / ".ralph/demo/journal.jsonl")
    journal.append(Ended(key="1.2", result="failed"))
    journal.append(Started(key="1.2", attempt=2))
    done = call("skip", tmp_path, "demo", "1.2", "why")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / ".ralph/demo/tasks.held.md").read_text() == path.read_text()
    assert "[S] 1.2" in path.read_text()


def test_a_skip_with_no_run_about_leaves_a_green_tree(tmp_path: Path) -> None:
    """O14, O38: what earlier attempts left is kept as a patch and taken out; the person's own files stay."""
    make_spec(tmp_path)
    settings = tmp_path / ".kiro/settings/ralph.yaml"
    settings.parent.mkdir(parents=True)
    mess = "echo mess > mess.txt; cat > /dev/null; exit 3"
    settings.write_text(f"agent: mine\nagents: {{mine: {{command: [sh, -c, '{mess}']}}}}\nquality_checks: {{}}\n")
    for act in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "start"]):
        who = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        subprocess.run(["git", *who, *act], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "mine.txt").write_text("mine")
    tried = call("next", tmp_path, "demo", "--attempts", "1")
    assert tried.returncode == 4, tried.stderr
    assert (tmp_path / "mess.txt").exists()
    key = next(
        t["key"]
        for t in json.loads(call("status", tmp_path, "demo", "--json", "--tasks").stdout)["tasks"]
        if t["state"] == "-"
    )
    done = call("skip", tmp_path, "demo", key, "why")
    assert "is kept in .ralph/demo/skipped/" in done.stdout, done.stdout + done.stderr
    assert not (tmp_path / "mess.txt").exists()
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert "mess.txt" in next((tmp_path / ".ralph/demo/skipped").glob("*.patch")).read_text()


def test_help_teaches(tmp_path: Path) -> None:
    done = call("skip", tmp_path, "--help")
    assert done.returncode == 0
    for wanted in ("examples:", "exit codes:", 'ralph-skip guestbook 2.3 "needs the payment account"'):
        assert wanted in done.stdout
