"""`ralph-overnight` and `ralph-next` before the first attempt: what is refused, and in which words (O30)."""

from __future__ import annotations

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
