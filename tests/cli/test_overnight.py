"""`ralph-overnight` and `ralph-next` before the first attempt: what is refused, and in which words (O30)."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.cli.consoles import call, make_spec


@pytest.mark.parametrize("command", ["overnight", "next"])
def test_a_tasks_file_without_a_task_is_bad_input(command: str, tmp_path: Path) -> None:
    """O1: never silent. Ordered items are no tasks; nobody is to find "complete" in the morning."""
    make_spec(tmp_path, text="# Plan\n\n1. [ ] Store entries\n2. [ ] Show entries\n")
    done = call(command, tmp_path, "demo", "--agent", "shell")
    assert done.returncode == 2
    assert "no task in .kiro/specs/demo/tasks.md" in done.stderr
    assert "- [ ] 1." in done.stderr
    assert not (tmp_path / ".kiro/specs/demo/activity.md").exists()


def test_what_the_person_had_changed_is_named_at_the_start_and_in_the_report(tmp_path: Path) -> None:
    """O33, contract "Commits": named, and left as it is."""
    make_spec(tmp_path, text="- [ ] 1. Write it\n\n  ```sh\n  echo done > made.txt\n  ```\n")
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "add", "-A")
    git(tmp_path, "-c", "user.name=A", "-c", "user.email=a@b.example", "commit", "-qm", "start")
    (tmp_path / "mine.txt").write_text("mine\n", encoding="utf-8")
    done = call("overnight", tmp_path, "demo", "--agent", "shell", env={"GIT_CONFIG_GLOBAL": "/dev/null"})
    assert done.returncode == 0, done.stderr
    words = "changed before the run, so left out of its commits: mine.txt"
    assert words in done.stdout.split("attempt 1")[0]
    assert words in done.stdout.split("The run ended")[1]
    assert "?? mine.txt" in git(tmp_path, "status", "--short")
    assert "made.txt" not in git(tmp_path, "status", "--short")


def git(root: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True).stdout
