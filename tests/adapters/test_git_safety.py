"""The repository survives the agent (B10): what it breaks is put back, said, and nothing is lost."""

from __future__ import annotations

import os
import re
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ralph_wiggum.adapters.git.repo import GitRepo
from ralph_wiggum.ports import RepoState, Snapshot
from tests.adapters.git_sandbox import Sandbox, commit_all, make
from tests.adapters.test_git_guard import agent, box, refs

__all__ = ["box"]  # the fixture: a repository with the person's changes of every kind

# Acts of an agent, and a word of what is said of each. They run in the top of the work tree.
BREAKAGES = [
    pytest.param("rm -rf .git", "deleted", id="the repository is deleted"),
    pytest.param("mv .git .git.bak", "moved back", id="renamed"),
    pytest.param("mv .git ../elsewhere", "moved back", id="moved out of the work tree"),
    pytest.param("mv .git /dev/shm/gone-$$ && rm -rf /dev/shm/gone-$$", "deleted", id="moved to another file system"),
    pytest.param("rm -rf .git && git init -q", "replaced", id="a fresh repository"),
    pytest.param("rm -rf .git; git init -q; git add a.py; git commit -qm mine", "replaced", id="another history"),
    pytest.param("mv .git .git.bak && git init -q", "moved back", id="renamed, and a fresh one in its place"),
    pytest.param("rm -rf .git && echo gitdir: /nonexistent > .git", "replaced", id="a file in its place"),
    pytest.param("rm -rf .git && ln -s /nonexistent .git", "replaced", id="a dangling link in its place"),
    pytest.param("cp -r .git .git2 && rm -rf .git && mv .git2 .git", "", id="replaced by a copy of itself"),
    pytest.param("cp -r .git .git2; rm -rf .git; mv .git2 .git; rm -r .git/refs", "put back", id="by a broken copy"),
    pytest.param("echo garbage > .git/HEAD", "HEAD", id="HEAD is garbage"),
    pytest.param(": > .git/HEAD", "HEAD", id="HEAD is empty"),
    pytest.param("rm .git/HEAD", "HEAD", id="HEAD is gone"),
    pytest.param("rm .git/HEAD; mkdir .git/HEAD", "HEAD", id="HEAD is a folder"),
    pytest.param("rm .git/HEAD; mkfifo .git/HEAD", "HEAD", id="HEAD is a pipe"),
    pytest.param("echo '[core' > .git/config", "config", id="config is garbage"),
    pytest.param("head -c 9999 /dev/urandom > .git/config", "config", id="config is noise"),
    pytest.param("rm .git/config", "config", id="config is gone"),
    pytest.param("git config core.repositoryformatversion 99", "config", id="a format of the future"),
    pytest.param(
        "git config extensions.whatever 1; git config core.repositoryformatversion 1", "config", id="extension"
    ),
    pytest.param("git config core.bare true", "core.bare|config", id="bare"),
    pytest.param("git config core.worktree /nonexistent", "core.worktree|config", id="a work tree elsewhere"),
    pytest.param(
        "git config core.bare true; git config core.worktree /", "core.bare|config", id="bare, with a work tree"
    ),
    pytest.param(
        "git config include.path /dev/null; git config core.fsmonitor /bin/false", "core.fsmonitor", id="monitor"
    ),
    pytest.param("git config commit.gpgsign true; git config gpg.program /bin/false", "commit.gpgsign", id="signing"),
    pytest.param("git config core.hooksPath /nonexistent", "core.hookspath", id="hooks elsewhere"),
    pytest.param("git config core.sparseCheckout true", "core.sparsecheckout", id="a sparse checkout"),
    pytest.param("echo garbage > .git/refs/heads/night", "refs/heads/night", id="the branch is garbage"),
    pytest.param(": > .git/refs/heads/night", "refs/heads/night", id="the branch is empty, as after a power cut"),
    pytest.param("printf '%040d' 0 > .git/refs/heads/night", "refs/heads/night", id="the branch is zeros"),
    pytest.param("printf '%040d' 7 > .git/refs/heads/night", "refs/heads/night", id="the branch leads nowhere"),
    pytest.param(": > .git/refs/heads/other; : > .git/refs/tags/v1", "refs/tags/v1", id="other refs are empty"),
    pytest.param(": > .git/refs/stash", "refs/stash", id="the stash is empty"),
    pytest.param("rm -r .git/refs", "refs", id="all refs are gone"),
    pytest.param("rm -r .git/refs/*", "refs", id="all that is in refs is gone"),
    pytest.param("rm -r .git/refs; echo 1 > .git/refs", "refs", id="refs is a file"),
    pytest.param(
        "git pack-refs --all; head -c 60 .git/packed-refs > x; mv x .git/packed-refs", "", id="packed, then torn"
    ),
    pytest.param("rm -r .git/logs", "logs", id="the reflogs are gone"),
    pytest.param("rm -rf .git/objects", "objects", id="all objects are gone"),
    pytest.param("rm -rf .git/objects/[0-7]*", "objects were gone", id="half of the objects are gone"),
    pytest.param(
        "find .git/objects -type f | head -n 3 | xargs rm -f", "objects were gone", id="some objects are gone"
    ),
    pytest.param(
        "for f in $(find .git/objects -type f | head -n 3); do rm -f $f; echo x > $f; done",
        "overwritten",
        id="some objects were replaced",
    ),
    pytest.param("git gc -q --prune=now; rm -rf .git/objects/pack", "objects were gone", id="packed, packs gone"),
    pytest.param("git gc -q --prune=now", "", id="a clean-up is let be"),
    pytest.param("rm .git/index", "", id="the index is gone"),
    pytest.param("echo garbage > .git/index", "index", id="the index is garbage"),
    pytest.param(": > .git/index", "index", id="the index is empty"),
    pytest.param(
        "for f in index HEAD config packed-refs shallow refs/heads/night refs/heads/other refs/tags/v1 refs/stash;"
        " do : > .git/$f.lock; done",
        "refs/heads/night.lock",
        id="locks everywhere",
    ),
    pytest.param("chmod -R 000 .git", "permissions", id="no permissions"),
    pytest.param("chmod -R a-w .git; chmod a-x .git/objects", "permissions", id="read-only"),
    pytest.param(
        "rm -rf .git/hooks .git/info .git/description .git/branches", "", id="what git can do without is gone"
    ),
    pytest.param("find .git -type f -not -path '*/objects/*' -delete", "put back", id="every small file is gone"),
    pytest.param("find .git -type f -not -path '*/objects/*' -exec sh -c ': > {}' ';'", "put back", id="all emptied"),
    pytest.param("git worktree list; git fsck", "", id="only looking"),
]


def picture(box: Sandbox) -> tuple[object, ...]:
    return refs(box), box.head(), box.branch(), box.git("ls-files", "-s"), box.git("stash", "list")


def whole(box: Sandbox) -> None:
    """Fail if anything that a ref or a reflog leads to is not there."""
    said = box.git("fsck", "--no-dangling", "--strict")
    assert "missing" not in said
    assert "broken" not in said


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=60)


def night(box: Sandbox) -> tuple[GitRepo, Snapshot]:
    """Return a run in the middle of its second task, whose first one was committed."""
    box.git("checkout", "-q", "-b", "night")
    repo = box.repo()
    assert not [note for note in repo.begin("r1").notes if "copy" in note]
    assert commit_all(repo, box, {"first.py": "1\n"}).sha
    base = repo.snapshot()
    repo.keep("task", base)
    return repo, base


@pytest.mark.parametrize(("act", "word"), BREAKAGES)
def test_what_the_agent_broke_is_put_back_after_its_attempt(box: Sandbox, act: str, word: str) -> None:
    """B10: the night goes on, with the person's history, the night's commits and the task in progress."""
    repo, base = night(box)
    then = picture(box)
    box.write("second.py", "2\n")
    agent(box, act)
    assert re.search(word, " ".join(repo.mend()))
    assert picture(box) == then
    whole(box)
    after = repo.snapshot()
    assert {change.path for change in repo.changes(base, after)} == {"second.py"}
    made = repo.commit(base, after, subject="feat(demo): second", trailers={"Ralph-Task": "2"})
    assert box.committed(made.sha) == {"second.py"}
    assert box.git("rev-parse", f"{made.sha}^") == then[1]
    assert box.git("show", "night^:first.py") == "1"
    assert repo.mend() == ()
    whole(box)


@pytest.mark.parametrize(("act", "word"), BREAKAGES)
def test_the_next_start_puts_it_back_where_the_runner_was_killed(box: Sandbox, act: str, word: str) -> None:
    """B2, B10: kill -9 right after the act. A broken repository never takes the place of the copy."""
    _, base = night(box)
    then = picture(box)
    box.write("second.py", "2\n")
    agent(box, act)
    state = restart(box, base, soon())
    assert re.search(word, " ".join(state.notes))
    assert picture(box) == then
    whole(box)
    repo = box.repos[-1]
    assert {change.path for change in repo.changes(base, repo.snapshot())} == {"second.py"}
    assert repo.mend() == ()


def restart(box: Sandbox, base: Snapshot | None, until: datetime | None) -> RepoState:
    return box.repo().begin("r2", since=base, agent_until=until)


@pytest.mark.parametrize(
    "act",
    [
        pytest.param("rm -rf .git", id="deleted"),
        pytest.param("mv .git .git.bak && git init -q", id="replaced"),
        pytest.param("echo garbage > .git/HEAD", id="broken"),
        pytest.param("rm -rf .git/objects", id="without objects"),
    ],
)
def test_what_breaks_between_two_acts_of_the_runner_is_put_back_at_once(box: Sandbox, act: str) -> None:
    """B10: a check or a leftover of the agent's may do it after the attempt was looked at."""
    repo, base = night(box)
    box.write("second.py", "2\n")
    agent(box, act)
    after = repo.snapshot()
    made = repo.commit(base, after, subject="feat(demo): second", trailers={})
    assert box.committed(made.sha) == {"second.py"}
    assert box.git("show", "night^:first.py") == "1"
    whole(box)
    assert any("put back" in word or "moved back" in word for word in (*made.notes, *repo.mend()))


def test_what_stood_in_the_place_is_kept_and_named(box: Sandbox) -> None:
    """B10: never destroyed."""
    repo, _ = night(box)
    agent(box, "rm -rf .git; git init -q; echo mine > .git/mine; mkdir x")
    assert ".ralph/demo/aside/git-1/.git" in repo.mend()[0]
    assert box.read(".ralph/demo/aside/git-1/.git/mine") == "mine\n"
    agent(box, "echo garbage > .git/HEAD")
    assert ".ralph/demo/aside/git-2" in repo.mend()[0]
    assert box.read(".ralph/demo/aside/git-2/HEAD") == "garbage\n"


def test_a_second_loss_is_no_worse_than_the_first(box: Sandbox) -> None:
    repo, _ = night(box)
    for number in range(3):
        agent(box, "rm -rf .git")
        assert "deleted" in " ".join(repo.mend())
        assert commit_all(repo, box, {f"n{number}.py": "1\n"}).sha
    assert box.git("rev-list", "--count", "night") == "6"
    whole(box)


def test_the_runners_folder_is_gone_but_not_the_repository(box: Sandbox) -> None:
    """O12: `git clean -fdx` takes `.ralph/` along; the copy is made anew, and counts."""
    repo, _ = night(box)
    agent(box, "rm -rf .ralph")
    repo.mend()
    assert commit_all(repo, box, {"second.py": "2\n"}).sha
    agent(box, "rm -rf .git")
    assert "deleted" in " ".join(repo.mend())
    assert box.git("show", "HEAD:second.py") == "2"
    whole(box)


def test_the_runners_folder_is_gone_and_the_repository_moved(box: Sandbox) -> None:
    repo, _ = night(box)
    then = picture(box)
    agent(box, "rm -rf .ralph; mv .git ../elsewhere; git init -q")
    assert "moved back" in " ".join(repo.mend())
    assert picture(box) == then
    whole(box)


def test_what_a_person_did_after_a_run_that_ended_is_theirs(box: Sandbox) -> None:
    """Only an attempt that was cut off speaks for an agent: no repository of old comes back over a new one."""
    night(box)
    agent(box, "rm -rf .git; git init -q -b fresh; git add a.py; git commit -qm fresh")
    head = box.head()
    state = restart(box, None, None)
    assert (state.started_on, box.git("rev-list", "--count", "HEAD")) == ("fresh", "1")
    assert head == box.head()
    agent(box, "rm -rf .git")
    assert "deleted" in " ".join(box.repos[-1].mend()), "and the copy is of the new one"
    assert box.head() == head


def test_a_repository_that_is_gone_after_a_run_that_ended_is_named_with_its_copy(box: Sandbox) -> None:
    night(box)
    agent(box, "rm -rf .git")
    notes = " ".join(restart(box, None, None).notes)
    assert ".ralph/git-copy/current/common" in notes
    assert not (box.top / ".git").exists()
    agent(box, "cp -a .ralph/git-copy/current/common .git")
    assert box.git("show", "night:first.py") == "1"
    whole(box)


def test_what_git_cannot_read_is_nobodys_wish(box: Sandbox) -> None:
    """B2: a power cut between two attempts leaves an empty branch."""
    night(box)
    then = picture(box)
    agent(box, ": > .git/refs/heads/night; : > .git/HEAD")
    notes = " ".join(restart(box, None, None).notes)
    assert "HEAD" in notes
    assert "refs/heads/night" in notes
    assert picture(box)[:3] == then[:3]


def test_a_fresh_repository_that_is_younger_than_the_attempt_is_the_persons(box: Sandbox) -> None:
    night(box)
    time.sleep(0.03)
    until = datetime.now(UTC)
    time.sleep(0.03)
    agent(box, "rm -rf .git; git init -q -b fresh; git add -A; git commit -qm fresh")
    head = box.head()
    restart(box, None, until)
    assert box.git("rev-parse", "fresh") == head


def test_the_project_may_have_moved_as_a_whole_before_the_next_start(box: Sandbox, tmp_path: Path) -> None:
    """The copy tells paths from the project."""
    _, base = night(box)
    then = picture(box)
    agent(box, "rm -rf .git")
    box.top.rename(tmp_path / "moved")
    moved = Sandbox(tmp_path / "moved", box.env)
    assert "deleted" in " ".join(restart(moved, base, soon()).notes)
    assert picture(moved) == then
    whole(moved)


def test_a_linked_worktree_gets_its_git_file_and_its_folders_back(box: Sandbox, tmp_path: Path) -> None:
    box.git("worktree", "add", "-q", "-b", "night", str(tmp_path / "side"))
    side = Sandbox(tmp_path / "side", box.env)
    repo = side.repo()
    repo.begin("r1")
    assert commit_all(repo, side, {"first.py": "1\n"}).sha
    then = (refs(side), side.head(), side.branch(), side.status())
    for act in (
        "rm .git",
        "rm .git; git init -q",
        f"rm -rf {box.top}/.git/worktrees/side",
        f"rm -rf {box.top}/.git",
        f"echo x > {box.top}/.git/worktrees/side/HEAD",
        f"mv {box.top}/.git {box.top}/.hidden",
    ):
        agent(side, act)
        assert "back" in " ".join(repo.mend()), act
        assert (refs(side), side.head(), side.branch(), side.status()) == then, act
    assert commit_all(repo, side, {"second.py": "2\n"}).sha
    whole(box)


def test_a_submodule_as_the_project(box: Sandbox, tmp_path: Path) -> None:
    library = make(tmp_path / "library", tmp_path)
    box.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(library.top), "lib")
    inner = Sandbox(box.top / "lib", box.env)
    repo = inner.repo()
    repo.begin("r1")
    assert commit_all(repo, inner, {"first.py": "1\n"}).sha
    head = inner.head()
    for act in ("rm .git", f"rm -rf {box.top}/.git/modules/lib"):
        agent(inner, act)
        assert "back" in " ".join(repo.mend())
        assert inner.head() == head
    assert commit_all(repo, inner, {"second.py": "2\n"}).sha
    whole(inner)


def test_submodules_come_back_with_their_repository(box: Sandbox, tmp_path: Path) -> None:
    library = make(tmp_path / "library", tmp_path)
    box.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(library.top), "lib")
    repo, _ = night(box)
    agent(box, "rm -rf .git")
    assert "deleted" in " ".join(repo.mend())
    assert box.git("-C", "lib", "log", "--format=%s") == "start"


def test_a_repository_behind_a_symbolic_link(box: Sandbox, tmp_path: Path) -> None:
    (box.top / ".git").rename(tmp_path / "store")
    (box.top / ".git").symlink_to("../store")
    repo, _ = night(box)
    then = picture(box)
    for act in ("rm .git", "rm -rf .git ../store", "mv ../store ../other", "rm .git; git init -q"):
        agent(box, act)
        assert "back" in " ".join(repo.mend()), act
        assert picture(box) == then, act
        assert (box.top / ".git").is_symlink()


def test_a_shallow_clone_stays_shallow_and_whole(box: Sandbox, tmp_path: Path) -> None:
    subprocess.run(
        ["git", "clone", "-q", "--depth=1", f"file://{box.top}", str(tmp_path / "clone")], env=box.env, check=True
    )
    clone = Sandbox(tmp_path / "clone", box.env)
    repo = clone.repo()
    repo.begin("r1")
    agent(clone, "rm .git/shallow")
    assert "shallow" in " ".join(repo.mend())
    whole(clone)
    agent(clone, "git fetch -q --unshallow")
    repo.mend()
    assert not (clone.top / ".git/shallow").exists()
    whole(clone)


def test_objects_borrowed_from_another_repository_stay_borrowed(box: Sandbox, tmp_path: Path) -> None:
    subprocess.run(["git", "clone", "-q", "--shared", str(box.top), str(tmp_path / "clone")], env=box.env, check=True)
    clone = Sandbox(tmp_path / "clone", box.env)
    repo = clone.repo()
    repo.begin("r1")
    for act in ("rm -rf .git", "rm -rf .git/objects"):
        agent(clone, act)
        repo.mend()
        whole(clone)
        assert commit_all(repo, clone, {"x.py": f"{act}\n"}).sha


def test_an_unborn_repository_is_put_back_too(tmp_path: Path) -> None:
    box = make(tmp_path / "other", tmp_path)
    box.top = tmp_path / "work"
    box.top.mkdir()
    box.git("init", "-q", "-b", "trunk")
    repo = box.repo()
    repo.begin("r1")
    base = repo.snapshot()
    box.write("x.py")
    agent(box, "rm -rf .git")
    assert "deleted" in " ".join(repo.mend())
    made = repo.commit(base, repo.snapshot(), subject="x", trailers={})
    assert (box.committed(made.sha), box.branch()) == ({"x.py"}, "trunk")


def cut(box: Sandbox, *wanted: str) -> None:
    """Empty loose objects in their place, as root can, and a power cut: every link to one is empty then."""
    for at in [box.git("rev-parse", name) for name in wanted]:
        os.truncate(box.top / ".git/objects" / at[:2] / at[2:], 0)


def test_the_state_a_task_began_with_is_damaged_in_the_copy_as_well(box: Sandbox) -> None:
    """It is said, and the last commit stands for it: the night goes on, and the person's files stay out of it."""
    repo, base = night(box)
    box.write("src/second.py", "2\n")
    cut(box, base.tree, f"{base.tree}:src")
    repo.mend()
    after = repo.snapshot()
    assert "src/second.py" in {change.path for change in repo.changes(base, after)}
    made = repo.commit(base, after, subject="feat(demo): second", trailers={})
    assert box.committed(made.sha) == {"src/second.py"}
    words = " ".join((*made.notes, *repo.mend()))
    assert "so is the safety copy" in words
    assert "is lost: the last commit stands for it" in words
    left = repo.restore(base, repo.snapshot()).left
    assert "mine.txt" in left, "nothing is put back to a state that nobody knows"
    assert box.read("src/b.py") == "changed by the person\n"


def test_what_is_damaged_in_the_copy_as_well_is_stored_again_from_the_work_tree(box: Sandbox) -> None:
    _, base = night(box)
    head = box.head()
    cut(box, "night:first.py", f"{base.tree}:src")
    state = restart(box, base, soon())
    assert "so is the safety copy" in " ".join(state.notes)
    assert state.head == head
    assert box.git("show", "night:first.py") == "1"
    whole(box)


def test_a_commit_that_is_damaged_in_the_copy_as_well_is_lost_and_its_work_is_not(box: Sandbox) -> None:
    repo, base = night(box)
    start = box.git("rev-parse", "night^")
    cut(box, "night")
    box.write("second.py", "2\n")
    repo.mend()
    made = repo.commit(base, repo.snapshot(), subject="feat(demo): second", trailers={})
    words = " ".join((*made.notes, *repo.mend()))
    assert "is lost" in words
    assert start[:10] in words
    assert box.git("rev-parse", f"{made.sha}^") == start
    assert box.read("first.py") == "1\n"
    assert commit_all(repo, box, {"third.py": "3\n"}).sha


def test_a_quiet_attempt_costs_no_process_and_next_to_no_time(box: Sandbox) -> None:
    """Design, part 3: the gap between two attempts."""
    repo, _ = night(box)
    times = []
    for _ in range(20):
        started = time.perf_counter()
        assert repo.mend() == ()
        times.append(time.perf_counter() - started)
    assert sorted(times)[5] < 0.005


@pytest.mark.parametrize("cut_off", [True, False])
def test_a_power_cut_that_emptied_the_last_commit_costs_that_commit_alone(box: Sandbox, *, cut_off: bool) -> None:
    """B2: git does not bring loose objects to the disk, so the last ones can be empty, and their links with them."""
    _, base = night(box)
    start = box.git("rev-parse", "night^")
    cut(box, "night", "night:first.py")
    state = restart(box, base if cut_off else None, soon() if cut_off else None)
    words = " ".join(state.notes)
    assert "damaged" in words
    assert f"goes on from {start[:10]}" in words
    assert state.head == start
    repo = box.repos[-1]
    made = commit_all(repo, box, {"second.py": "2\n"})
    assert box.git("rev-parse", f"{made.sha}^") == start
    assert box.read("first.py") == "1\n"
    box.git("rev-list", "--objects", "--quiet", "HEAD", "main")


def test_without_a_repository_of_the_persons_the_runners_own_is_begun_anew(tmp_path: Path) -> None:
    """O12: its snapshots went with `.ralph/`; what the task did can then not be told from what was there."""
    box = make(tmp_path / "work", tmp_path)
    agent(box, "rm -rf .git")
    repo = box.repo()
    repo.begin("r1")
    base = repo.snapshot()
    box.write("new.py", "1\n")
    agent(box, "rm -rf .ralph")
    assert "begun anew" in " ".join(repo.mend())
    after = repo.snapshot()
    assert "new.py" in {change.path for change in repo.changes(base, after)}
    assert "is lost" in " ".join(repo.mend())
    assert repo.restore(base, after).restored == ()
    assert box.read("a.py") == "a = 1\n"
    box.write("a.py", "2\n")
    assert {change.path for change in repo.changes(after, repo.snapshot())} == {"a.py"}
