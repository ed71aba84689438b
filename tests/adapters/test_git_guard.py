"""What an agent does with git itself is folded in or put back, and nothing of it is lost (O38)."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from ralph_wiggum.adapters.git.repo import GitRepo
from tests.adapters.git_sandbox import Sandbox, commit_all, make


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    """Return a repository with the person's changes of every kind, a second branch, a tag and a stash."""
    box = make(tmp_path / "work", tmp_path)
    box.git("branch", "other")
    box.git("tag", "v1")
    box.write("src/b.py", "b = 'an earlier task'\n")
    box.git("commit", "-qam", "an earlier task")
    box.write("a.py", "stashed by the person\n")
    box.git("stash", "-q")
    box.write("a.py", "staged by the person\n")
    box.git("add", "a.py")
    box.write("src/b.py", "changed by the person\n")
    box.write("mine.txt", "untracked, the person's\n")
    return box


def agent(box: Sandbox, act: str) -> None:
    subprocess.run(["sh", "-ec", act], cwd=box.top, env=box.env, check=True, capture_output=True)


def refs(box: Sandbox) -> dict[str, str]:
    listed = box.git("for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/tags", "refs/stash")
    return dict(line.split(" ") for line in listed.split("\n"))


ACTS = [
    pytest.param("git add one.py; git commit -qm theirs", "committed", id="commits are folded"),
    pytest.param("git add .; git commit -qam all; git commit -q --allow-empty -m more", "folded", id="all committed"),
    pytest.param("git commit -qm x -- src/run.sh one.py || true; git commit -q --amend -m mine", "amend", id="amend"),
    pytest.param("git reset -q --soft HEAD~1", "moved", id="a soft reset"),
    pytest.param("git checkout -q -b feature; git add one.py; git commit -qm f", "switched", id="a branch of its own"),
    pytest.param("git checkout -q --detach; git add one.py; git commit -qm f", "detached", id="commits while detached"),
    pytest.param("git branch feature; git tag v2", "made", id="new branches and tags"),
    pytest.param("git branch -D other; git tag -d v1", "deleted", id="deleted branches and tags"),
    pytest.param("git branch -f other HEAD; git tag -f v1", "moved", id="moved branches and tags"),
    pytest.param("git add -A", "staged", id="staging"),
    pytest.param("git reset -q", "staged", id="unstaging what the person staged"),
    pytest.param("git rm -rq --cached src", "staged", id="taking files out of the index"),
    pytest.param("git stash drop -q", "dropped", id="dropping the person's stash"),
    pytest.param("git stash -q; git stash drop -q; echo 1 > one.py", "put back", id="a stash that is gone again"),
    pytest.param("git stash -q -u", "stashed", id="a stash of everything"),
    pytest.param("git stash -q; git stash pop -q --index", "", id="a stash popped again"),
    pytest.param("git reset -q --hard", "taken out of the work tree", id="a hard reset"),
    pytest.param("git reset -q --hard HEAD~1", "moved", id="a hard reset that loses a commit"),
    pytest.param("git checkout -q HEAD -- .", "taken out of the work tree", id="a checkout of everything"),
    pytest.param("git clean -fdq", "taken out of the work tree", id="a clean"),
    pytest.param("git checkout -q -b x; git branch -D night", "deleted", id="deleting the run's own branch"),
    pytest.param("git branch -m renamed", "deleted", id="renaming the run's own branch"),
    pytest.param("git gc -q; git pack-refs --all", "", id="a clean-up"),
    pytest.param("git status; git diff", "", id="only looking"),
    pytest.param("git merge -q --no-ff other -m m || true; git cherry-pick other || true", "", id="pick"),
]


@pytest.mark.parametrize(("act", "word"), ACTS)
def test_the_repository_is_as_it_was_and_the_person_lost_nothing(box: Sandbox, act: str, word: str) -> None:
    """O38: HEAD, branches, tags, stashes, what is staged, and every uncommitted change of the person's."""
    box.git("checkout", "-q", "-b", "night")
    repo = box.repo()
    assert repo.begin("r1").branch == "night"
    repo.snapshot()
    then = (refs(box), box.head(), box.branch(), box.git("ls-files", "-s"), box.git("stash", "list"))
    box.write("one.py", "the agent\n")
    agent(box, act)
    words = repo.mend()
    assert word in " ".join(words)
    now = (refs(box), box.head(), box.branch(), box.git("ls-files", "-s"), box.git("stash", "list"))
    assert now[:4] == then[:4]
    assert len(now[4].split("\n")) == len(then[4].split("\n"))
    assert box.read("a.py") == "staged by the person\n"
    assert box.read("src/b.py") == "changed by the person\n"
    assert box.read("mine.txt") == "untracked, the person's\n"
    assert repo.mend() == ()
    box.git("fsck", "--strict")


@pytest.mark.parametrize(
    "act",
    [
        pytest.param("git add one.py; git commit -qm theirs", id="a commit"),
        pytest.param("git checkout -q -b f; git add one.py; git commit -qm theirs", id="a commit on a new branch"),
        pytest.param("git checkout -q --detach; git add one.py; git commit -qm theirs", id="a detached commit"),
        pytest.param(
            "git add one.py; git commit -qm theirs; git tag t; git reset -q --hard HEAD~1", id="a tagged commit"
        ),
        pytest.param("git add one.py; git stash -q -- one.py", id="a stash"),
    ],
)
def test_what_the_agent_made_is_kept_by_a_ref(box: Sandbox, act: str) -> None:
    """O38: theirs kept under refs/ralph/agent, and named."""
    repo = box.repo()
    repo.begin("r1")
    repo.snapshot()
    box.write("one.py", "the agent\n")
    agent(box, act)
    words = " ".join(repo.mend())
    kept = box.git("for-each-ref", "--format=%(refname)", "refs/ralph/agent").split("\n")
    assert any(ref in words for ref in kept)
    assert "the agent" in {box.git("show", f"{ref}:one.py", check=False) for ref in kept}


def test_the_agents_commits_become_part_of_the_tasks_own(box: Sandbox) -> None:
    """Design: commits on the branch become part of our commit (theirs named)."""
    repo = box.repo()
    state = repo.begin("r1")
    before = repo.snapshot()
    box.write("one.py", "1\n")
    agent(box, "git add one.py; git commit -qm 'feat: first'")
    box.write("two.py", "2\n")
    agent(box, "git add two.py; git commit -qm 'feat: second'")
    box.write("three.py", "3\n")
    (words,) = (word for word in repo.mend() if "folded" in word)
    assert "feat: first" in words
    assert "feat: second" in words
    made = repo.commit(before, repo.snapshot(), subject="feat(demo): all", trailers={})
    assert box.committed(made.sha) == {"one.py", "two.py", "three.py"}
    assert box.git("rev-parse", f"{made.sha}^") == state.head
    assert box.status() == "M  a.py\n M src/b.py\n?? mine.txt"


def test_a_failed_attempt_that_committed_is_taken_out_whole(box: Sandbox) -> None:
    repo = box.repo()
    repo.begin("r1")
    status = box.status()
    before = repo.snapshot()
    box.write("one.py", "1\n")
    agent(box, "git add -A; git commit -qm all; git stash list; git checkout -q -b mess")
    repo.mend()
    done = repo.restore(before, repo.snapshot())
    assert (done.restored, done.left) == (("one.py",), ())
    assert box.status() == status


def test_a_merge_with_conflicts_is_left_behind_cleanly(box: Sandbox) -> None:
    repo = box.repo()
    repo.begin("r1")
    before = repo.snapshot()
    status = box.status()
    agent(
        box,
        "git stash -q; git checkout -q -b x; echo 1 > c; git add c; git commit -qm 1; git checkout -q -b y HEAD~1;"
        "echo 2 > c; git add c; git commit -qm 2; git merge x || true; test -e .git/MERGE_HEAD",
    )
    words = repo.mend()
    assert any("merge under way" in word for word in words)
    assert not (box.top / ".git/MERGE_HEAD").exists()
    assert box.branch() == "ralph/demo"
    repo.restore(before, repo.snapshot())
    assert box.status() == status


def test_a_rebase_that_stopped_is_left_behind_cleanly(box: Sandbox) -> None:
    repo = box.repo()
    repo.begin("r1")
    before = repo.snapshot()
    status = box.status()
    agent(
        box,
        "git stash -q; echo 1 > c; git add c; git commit -qm 1; git checkout -q -b y HEAD~1;"
        "echo 2 > c; git add c; git commit -qm 2; git rebase ralph/demo || true; test -d .git/rebase-merge",
    )
    assert any("rebase under way" in word for word in repo.mend())
    assert not (box.top / ".git/rebase-merge").exists()
    assert box.branch() == "ralph/demo"
    repo.restore(before, repo.snapshot())
    assert box.status() == status


def test_an_edit_of_the_persons_uncommitted_file_is_no_git_act(box: Sandbox) -> None:
    """The agent may work in a file that the person had changed; only a revert to the commit is put back."""
    repo = box.repo()
    repo.begin("r1")
    repo.snapshot()
    box.write("src/b.py", "changed by the person\nand by the agent\n")
    agent(box, "git add -A; git commit -qm x; git reset -q HEAD~1")
    repo.mend()
    assert box.read("src/b.py") == "changed by the person\nand by the agent\n"


def test_a_clean_that_takes_ignored_files_too(box: Sandbox) -> None:
    box.write(".env", "TOKEN=1\n")
    box.write("local.log", "ignored\n")
    repo = box.repo()
    repo.begin("r1")
    repo.snapshot()
    agent(box, "git clean -fdxq -e .ralph")
    words = " ".join(repo.mend())
    assert ".env" in words
    assert box.read(".env") == "TOKEN=1\n"
    assert box.read("local.log") == "ignored\n"
    assert box.read("mine.txt") == "untracked, the person's\n"


def test_another_worktree_is_left_alone(box: Sandbox, tmp_path: Path) -> None:
    """The person, or another run, may work there meanwhile."""
    box.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    side = Sandbox(tmp_path / "side", box.env)
    repo = box.repo()
    repo.begin("r1")
    repo.snapshot()
    side.write("x.py")
    side.git("add", "-A")
    side.git("commit", "-qm", "elsewhere")
    side.git("branch", "made-elsewhere")
    sha = side.head()
    assert all("left as it is" in word for word in repo.mend())
    assert (side.head(), box.git("rev-parse", "made-elsewhere")) == (sha, sha)


def test_a_worktree_that_the_agent_makes_is_named_and_left(box: Sandbox, tmp_path: Path) -> None:
    repo = box.repo()
    repo.begin("r1")
    repo.snapshot()
    agent(box, f"git worktree add -q -b side '{tmp_path}/side'")
    assert any("side" in word for word in repo.mend())
    assert box.git("-C", str(tmp_path / "side"), "status", "--porcelain") == ""


def test_settings_of_the_agents_that_would_outlive_the_night_are_put_back(box: Sandbox) -> None:
    """The person's own commits must not be the agent's the next day."""
    box.git("config", "user.name", "Per Son")
    repo = box.repo()
    repo.begin("r1")
    repo.snapshot()
    agent(
        box,
        "git config user.name Bot; git config user.email bot@example.org; git config core.hooksPath .husky;"
        "mkdir -p .git/info; echo '*' > .git/info/exclude",
    )
    words = " ".join(repo.mend())
    assert "user.email, user.name: put back" in words
    assert "core.hookspath: left" in words
    assert "info/exclude: put back" in words
    assert box.git("config", "user.name") == "Per Son"
    assert box.git("config", "user.email", check=False) == ""
    assert box.git("config", "core.hooksPath") == ".husky"
    assert "mine.txt" in box.status()
    assert repo.mend() == ()


def test_a_lock_that_a_killed_git_of_the_agents_left_is_removed(box: Sandbox) -> None:
    """Else every git command of the next attempt fails."""
    repo = box.repo()
    repo.begin("r1")
    repo.snapshot()
    box.write(".git/index.lock", "")
    assert any("index.lock" in word for word in repo.mend())
    box.git("add", "mine.txt")


def test_a_repository_that_cannot_be_mended_does_not_end_the_night(box: Sandbox) -> None:
    """O12."""
    repo = box.repo()
    repo.begin("r1")
    repo.snapshot()
    agent(box, "echo garbage > .git/HEAD; rm -r .ralph/git-copy")
    assert any("could not be put back" in word for word in repo.mend())


def test_an_unborn_branch_stays_unborn(tmp_path: Path) -> None:
    box = make(tmp_path / "other", tmp_path)
    box.top = tmp_path / "work"
    box.top.mkdir()
    box.git("init", "-q", "-b", "trunk")
    repo = box.repo()
    repo.begin("r1")
    before = repo.snapshot()
    box.write("a.py")
    agent(box, "git add a.py; git commit -qm theirs")
    assert "folded" in " ".join(repo.mend())
    assert box.git("rev-parse", "-q", "--verify", "HEAD", check=False) == ""
    made = repo.commit(before, repo.snapshot(), subject="x", trailers={})
    assert box.committed(made.sha) == {"a.py"}
    assert box.git("log", "--format=%s") == "x"


def test_a_detached_head_stays_where_it_was(box: Sandbox) -> None:
    box.git("checkout", "-q", "--detach")
    repo = box.repo(commit=False)
    assert repo.begin("r1").branch == ""
    head = box.head()
    repo.snapshot()
    agent(box, "git checkout -q main; git commit -q --allow-empty -m theirs")
    assert len(repo.mend()) == 2
    assert (box.head(), box.branch()) == (head, "")


def test_a_quiet_attempt_costs_no_process_and_next_to_no_time(box: Sandbox) -> None:
    """Design: cheap; at most a millisecond when nothing happened."""
    repo = box.repo()
    repo.begin("r1")
    commit_all(repo, box, {"one.py": "1\n"})
    times = []
    for _ in range(20):
        started = time.perf_counter()
        assert repo.mend() == ()
        times.append(time.perf_counter() - started)
    assert sorted(times)[5] < 0.005


def test_without_the_git_folder_and_its_copy_mend_says_so(box: Sandbox) -> None:
    repo = box.repo()
    repo.begin("r1")
    agent(box, "rm -r .git .ralph/git-copy")
    assert "is gone" in " ".join(repo.mend())


def test_two_acts_are_kept_under_two_numbers(box: Sandbox) -> None:
    repo: GitRepo = box.repo()
    repo.begin("r1")
    for number in (1, 2):
        repo.snapshot()
        agent(box, "git commit -q --allow-empty -m theirs")
        assert f"refs/ralph/agent/{number}/heads/ralph/demo" in " ".join(repo.mend())
