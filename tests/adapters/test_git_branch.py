"""A branch of its own only when started on the default branch, and nothing of the person's is touched (O33)."""

from __future__ import annotations

from pathlib import Path

import pytest

from ralph_wiggum.adapters.git.repo import GitRepo
from tests.adapters.git_sandbox import Sandbox, commit_all, make


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    return make(tmp_path / "work", tmp_path)


@pytest.mark.parametrize(
    ("prepare", "branch"),
    [
        pytest.param([], "ralph/demo", id="main is the default"),
        pytest.param([["branch", "-m", "master"]], "ralph/demo", id="master is the default"),
        pytest.param([["checkout", "-qb", "work"]], "work", id="on another branch: stay"),
        pytest.param([["branch", "-m", "trunk"]], "trunk", id="a name that nothing calls the default"),
        pytest.param(
            [["branch", "-m", "trunk"], ["config", "init.defaultBranch", "trunk"]],
            "ralph/demo",
            id="configured default",
        ),
        pytest.param([["config", "init.defaultBranch", "trunk"]], "ralph/demo", id="configured, but not there"),
        pytest.param(
            [
                ["update-ref", "refs/remotes/origin/dev", "HEAD"],
                ["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/dev"],
                ["checkout", "-qb", "dev"],
            ],
            "ralph/demo",
            id="the remote's default",
        ),
        pytest.param(
            [
                ["update-ref", "refs/remotes/origin/dev", "HEAD"],
                ["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/dev"],
            ],
            "main",
            id="main where the remote's default is another",
        ),
        pytest.param([["branch", "ralph/demo"]], "ralph/demo", id="the branch is there, at the same commit"),
        pytest.param([["branch", "ralph"]], "ralph-demo", id="a branch is in the way of the folder"),
    ],
)
def test_the_branch(box: Sandbox, prepare: list[list[str]], branch: str) -> None:
    for act in prepare:
        box.git(*act)
    started = box.branch()
    state = box.repo().begin("r1")
    assert (state.branch, state.started_on, box.branch()) == (branch, started, branch)
    assert box.status() == ""


def test_a_later_run_still_knows_where_its_commits_go_in_the_end(box: Sandbox) -> None:
    """Issue: the last screen says how to merge, on the second night too."""
    box.git("checkout", "-qb", "ralph/demo")
    state = box.repo().begin("r2")
    assert (state.branch, state.started_on) == ("ralph/demo", "main")


def test_the_persons_changes_and_index_do_not_move_when_the_branch_is_made(box: Sandbox) -> None:
    box.write("a.py", "staged\n")
    box.git("add", "a.py")
    box.write("a.py", "and more\n")
    box.write("mine.py", "untracked\n")
    index, status = (box.top / ".git/index").read_bytes(), box.status()
    box.repo().begin("r1")
    assert (box.top / ".git/index").read_bytes() == index
    assert box.status() == status
    assert box.git("rev-parse", "main") == box.head()


def test_the_branch_is_used_again_if_it_holds_all_of_the_default(box: Sandbox) -> None:
    repo = box.repo()
    repo.begin("r1")
    made = commit_all(repo, box, {"a.py": "2\n"})
    box.git("checkout", "-q", "main")
    box.write("mine.py", "the person\n")
    state = box.repo().begin("r2")
    assert (state.branch, state.head, state.evening) == ("ralph/demo", made.sha, made.sha)
    assert box.read("a.py") == "2\n"
    assert state.dirty == ("mine.py",)


def test_the_next_name_if_the_default_has_moved_on(box: Sandbox) -> None:
    repo = box.repo()
    repo.begin("r1")
    commit_all(repo, box, {"a.py": "2\n"})
    for name in ("ralph/demo-2", "ralph/demo-3"):
        assert box.repo().begin("again").branch  # on the branch itself: stay
        box.git("checkout", "-q", "main")
        box.write("b.py", name)
        box.git("add", "b.py")
        box.git("commit", "-qm", name)
        state = box.repo().begin("r2")
        assert state.branch == name
        commit_all(box.repos[-1], box, {"a.py": name})
    assert box.git("rev-parse", "ralph/demo-2^") != box.git("rev-parse", "ralph/demo")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        pytest.param("a.py", "changed by the person\n", id="a changed file would be overwritten"),
        pytest.param("new.py", "untracked, the person's\n", id="an untracked file would be overwritten"),
        pytest.param("kept.log", "ignored, the person's\n", id="an ignored file would be overwritten"),
    ],
)
def test_the_next_name_if_using_it_again_would_touch_what_is_not_committed(box: Sandbox, path: str, text: str) -> None:
    box.git("checkout", "-qb", "ralph/demo")
    for name in ("a.py", "new.py", "kept.log"):
        box.write(name, "on the branch\n")
        box.git("add", "-f", name)
    box.git("commit", "-qm", "ahead")
    box.git("checkout", "-q", "main")
    box.write(path, text)
    state = box.repo().begin("r1")
    assert state.branch == "ralph/demo-2"
    assert box.read(path) == text


def test_a_branch_that_is_checked_out_elsewhere_is_not_used(box: Sandbox, tmp_path: Path) -> None:
    box.git("worktree", "add", "-q", "-b", "ralph/demo", str(tmp_path / "side"))
    assert box.repo().begin("r1").branch == "ralph/demo-2"


def test_a_spec_whose_name_is_no_ref(box: Sandbox) -> None:
    repo = box.repo(spec="user auth: v2")
    assert repo.begin("r 1").branch == "ralph/user-auth-v2"
    repo.keep("t", repo.snapshot())
    refs = box.git("for-each-ref", "--format=%(refname)", "refs/ralph").split("\n")
    assert refs == [f"refs/ralph/user-auth-v2/{name}" for name in ("evening", "evening-r-1", "keep/t")]


def test_the_pattern_of_the_settings(box: Sandbox) -> None:
    repo = GitRepo(box.root, state=box.root / ".ralph/demo", spec="demo", branch_pattern="night-{spec}", env=box.env)
    assert repo.begin("r1").branch == "night-demo"


def test_the_evening_is_recorded_and_a_resumed_run_keeps_the_first(box: Sandbox) -> None:
    repo = box.repo()
    evening = repo.begin("r1").evening
    before = repo.snapshot()
    commit_all(repo, box, {"a.py": "2\n"})
    box.repo().begin("r2", since=before)
    assert box.git("rev-parse", "refs/ralph/demo/evening", "refs/ralph/demo/evening-r1").split() == [evening] * 2
    assert box.git("rev-parse", "refs/ralph/demo/evening-r2") == box.head()


def test_the_morning_says_how_to_merge_drop_and_go_back(box: Sandbox) -> None:
    """O33: the commands that it names are run here."""
    repo = box.repo()
    state = repo.begin("r1")
    first = commit_all(repo, box, {"a.py": "2\n"})
    commit_all(repo, box, {"src/b.py": "2\n"})
    lines = "\n".join(repo.morning(state))
    assert f"git log --stat {state.evening[:10]}..ralph/demo" in lines
    assert "git switch main && git merge ralph/demo" in lines
    box.write("mine.py", "the person\n")
    box.git("revert", "--no-edit", first.sha)
    assert box.read("a.py") == "a = 1\n"
    box.git("switch", "-q", "main")
    assert box.read("src/b.py") == "b = 1\n"
    box.git("merge", "-q", "ralph/demo")
    assert (box.read("src/b.py"), box.read("mine.py")) == ("2\n", "the person\n")
