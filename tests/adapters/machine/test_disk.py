"""Where a run writes, by the file systems of this machine (B7)."""

from __future__ import annotations

from pathlib import Path

from ralph_wiggum.adapters.machine import disk


def test_the_folder_of_git_is_found_above_the_project_and_where_a_file_names_it(tmp_path: Path) -> None:
    project = tmp_path / "repo" / "below"
    project.mkdir(parents=True)
    assert disk.git_folder(project) != project / ".git"
    (tmp_path / "repo/.git").mkdir()
    assert disk.git_folder(project) == tmp_path / "repo/.git"
    worktree = tmp_path / "worktree"
    worktree.mkdir()
    (worktree / ".git").write_text(f"gitdir: {tmp_path}/repo/.git/worktrees/worktree\n")
    assert disk.git_folder(worktree) == tmp_path / "repo/.git/worktrees/worktree"
