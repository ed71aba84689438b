"""What spares git processes between two attempts: a snapshot of a moment ago, refs written without git."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ralph_wiggum.adapters.git.commands import Git
from ralph_wiggum.adapters.git.refs import write_own_ref
from ralph_wiggum.adapters.git.repo import RECENT_SECONDS, GitRepo
from ralph_wiggum.core.errors import RalphError
from tests.adapters.git_sandbox import Sandbox, make


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    return make(tmp_path / "work", tmp_path)


def test_a_recent_snapshot_is_the_last_one_and_a_plain_one_is_new(box: Sandbox) -> None:
    """Between two attempts nothing of ours touches the tree; what somebody else does then counts as the next one's."""
    repo = box.repo(commit=False)
    repo.begin("r1")
    last = repo.snapshot()
    box.write("later.py")
    assert repo.snapshot(recent=True) is last
    assert repo.snapshot() != last


def restore(repo: GitRepo, box: Sandbox) -> None:
    before = repo.snapshot()
    box.write("a.py", "changed\n")
    repo.restore(before, repo.snapshot())


def commit_with_a_hook(repo: GitRepo, box: Sandbox) -> None:
    box.hook("pre-commit", "exit 0")
    before = repo.snapshot()
    box.write("a.py", "changed\n")
    assert repo.commit(before, repo.snapshot(), subject="Change", trailers={}).sha


def mend(repo: GitRepo, box: Sandbox) -> None:
    repo.snapshot()
    repo.mend()


@pytest.mark.parametrize("act", [restore, commit_with_a_hook, mend])
def test_what_may_have_changed_files_ends_what_is_recent(box: Sandbox, act: Callable[[GitRepo, Sandbox], None]) -> None:
    repo = box.repo()
    repo.begin("r1")
    act(repo, box)
    box.write("later.py")
    assert box.git("ls-tree", "--name-only", repo.snapshot(recent=True).tree, "later.py") == "later.py"


def test_a_snapshot_grows_old(box: Sandbox) -> None:
    repo = box.repo(commit=False)
    repo.begin("r1")
    last = repo.snapshot()
    box.write("later.py")
    time.sleep(RECENT_SECONDS + 0.01)
    assert repo.snapshot(recent=True) != last


def test_a_ref_of_our_own_is_one_for_git_too_and_can_be_moved(box: Sandbox) -> None:
    git = Git(box.top, box.env, box.top / ".git")
    first, second = box.git("rev-parse", "HEAD^{tree}"), box.head()
    for target in (first, second):
        write_own_ref(git, box.top / ".git", "refs/ralph/demo/keep/task/1.1", target)
        assert box.git("rev-parse", "refs/ralph/demo/keep/task/1.1") == target
    box.git("pack-refs", "--all", "--prune")
    write_own_ref(git, box.top / ".git", "refs/ralph/demo/keep/task/1.1", first)
    assert box.git("rev-parse", "refs/ralph/demo/keep/task/1.1") == first
    box.git("fsck", "--strict")


def test_where_a_ref_cannot_be_written_git_says_why(box: Sandbox) -> None:
    """A ref cannot be a folder of refs as well (git-check-ref-format(1))."""
    git = Git(box.top, box.env, box.top / ".git")
    write_own_ref(git, box.top / ".git", "refs/ralph/demo/keep/1", box.head())
    with pytest.raises(RalphError, match="update-ref failed"):
        write_own_ref(git, box.top / ".git", "refs/ralph/demo/keep/1/2", box.head())
    assert not list((box.top / ".git/refs/ralph").rglob("*.lock"))


def test_the_comparison_beside_a_snapshot_is_what_git_says_of_the_two_trees(box: Sandbox) -> None:
    repo = box.repo(commit=False)
    repo.begin("r1")
    before = repo.snapshot()
    box.write("new.py")
    (box.top / "a.py").unlink()
    box.write("src/b.py", "other\n")
    after = repo.snapshot()
    said = box.git("diff-tree", "-r", "--name-status", "--no-renames", before.tree, after.tree).splitlines()
    assert [f"{change.status}\t{change.path}" for change in repo.changes(before, after)] == said
