"""Commits of exactly the paths of a task, beside everything that the person has (O33, design: commits)."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.adapters.git_sandbox import IDENTITY, Sandbox, commit_all, make

TASKS = ".kiro/specs/demo/tasks.md"
ACTIVITY = ".kiro/specs/demo/activity.md"


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    return make(tmp_path / "work", tmp_path)


def test_a_commit_holds_exactly_the_paths_of_the_task(box: Sandbox) -> None:
    """O33: a commit for each task; the person's changes stay uncommitted, staged ones staged."""
    box.write("src/b.py", "b = 'unstaged, the person'\n")
    box.write("a.py", "a = 'staged, the person'\n")
    box.git("add", "a.py")
    box.write("scratch.txt", "untracked, the person\n")
    repo = box.repo()
    state = repo.begin("r1")
    assert state.dirty == ("a.py", "scratch.txt", "src/b.py")
    dirty = box.status()
    made = commit_all(repo, box, {"new/one.py": "1\n", "two.py": "2\n", "a.py": "a = 'and the agent'\n"})
    assert box.committed(made.sha) == {"new/one.py", "two.py"}
    assert made.left_out == ("a.py",)
    assert made.notes == ()
    assert box.git("show", ":a.py") == "a = 'staged, the person'"
    assert box.status() == dirty.replace("M  a.py", "MM a.py")


def test_after_a_commit_the_repository_looks_as_after_git_commit(box: Sandbox) -> None:
    repo = box.repo()
    repo.begin("r1")
    made = commit_all(repo, box, {"a.py": "2\n", "n/x.py": "1\n"})
    assert box.status() == ""
    assert box.git("diff-files", "--name-only") == ""  # also without git status to refresh the times
    assert box.head() == made.sha
    assert box.git("log", "-1", "--format=%an <%ae> %cn %s|%(trailers)") == (
        "Per Son <person@example.org> Per Son feat(demo): task|Ralph-Task: 1"
    )
    assert "commit: feat(demo): task" in box.git("reflog", "-1")
    assert box.git("fsck", "--strict") == ""


@pytest.mark.parametrize(
    "act",
    [
        pytest.param("rm a.py", id="a deletion"),
        pytest.param("rm -r src; echo > src", id="a folder becomes a file"),
        pytest.param("rm a.py; mkdir a.py; echo > a.py/x", id="a file becomes a folder"),
        pytest.param("ln -sf src a.py", id="a link"),
        pytest.param("chmod +x a.py", id="an executable bit"),
        pytest.param("git mv a.py z.py; git commit -qm theirs", id="a rename that the agent committed"),
        pytest.param("git add -A; echo 3 > a.py; git add a.py; echo 4 > a.py", id="something else staged"),
    ],
)
def test_every_kind_of_change_is_committed(box: Sandbox, act: str) -> None:
    repo = box.repo()
    repo.begin("r1")
    before = repo.snapshot()
    subprocess.run(["sh", "-ec", act], cwd=box.top, env=box.env, check=True)
    repo.mend()
    after = repo.snapshot()
    made = repo.commit(before, after, subject="x", trailers={})
    assert box.git("rev-parse", f"{made.sha}^{{tree}}") == after.tree
    assert box.git("rev-parse", f"{made.sha}^") == box.git("rev-parse", "main")
    assert box.status() == ""


def test_nothing_changed_is_no_commit(box: Sandbox) -> None:
    repo = box.repo()
    repo.begin("r1")
    made = commit_all(repo, box, {})
    assert (made.sha, made.left_out) == ("", ())
    assert box.head() == box.git("rev-parse", "main")


def test_secrets_and_what_is_too_large_never_enter_a_commit(box: Sandbox) -> None:
    """O33, also where the ignore rules are gone and where the file is tracked."""
    box.write("tracked.key", "1\n")
    box.git("add", "-f", "tracked.key")
    box.git("commit", "-qm", "key")
    repo = box.repo()
    repo.begin("r1")
    before = repo.snapshot()
    for path in (".env", "conf/.env.local", "tracked.key", "id_rsa", "cert.pem", "ok.py", ".env.example"):
        box.write(path, "2\n")
    box.write(".gitignore", ".ralph/\n")
    box.write("big.bin", b"x" * 10_000_001)
    made = repo.commit(before, repo.snapshot(), subject="x", trailers={})
    assert box.committed(made.sha) == {"ok.py", ".env.example", ".gitignore"}
    assert made.left_out == (".env", "big.bin", "cert.pem", "conf/.env.local", "id_rsa", "tracked.key")


def test_tasks_md_goes_in_if_it_was_clean_and_activity_md_once_it_exists(box: Sandbox) -> None:
    """Design: with tasks.md if that was clean at the start."""
    repo = box.repo()
    repo.begin("r1")
    box.write(TASKS, "- [x] 1. One\n")
    box.write(ACTIVITY, "log\n")
    made = commit_all(repo, box, {"a.py": "2\n"}, extra=[TASKS])
    assert box.committed(made.sha) == {"a.py", TASKS}
    assert box.status() == f"?? {ACTIVITY}"
    last = commit_all(repo, box, {}, extra=[TASKS, ACTIVITY])
    assert box.committed(last.sha) == {ACTIVITY}
    assert box.status() == ""


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(f"echo more >> {TASKS}", id="changed"),
        pytest.param(f"echo more >> {TASKS}; git add .", id="staged"),
        pytest.param(f"git rm -q --cached {TASKS}", id="untracked"),
    ],
)
def test_tasks_md_that_the_person_has_not_committed_is_left_out(box: Sandbox, act: str) -> None:
    subprocess.run(["sh", "-ec", act], cwd=box.top, env=box.env, check=True)
    repo = box.repo()
    assert TASKS in repo.begin("r1").dirty
    box.write(TASKS, "- [x] 1. One\n")
    made = commit_all(repo, box, {"a.py": "2\n"}, extra=[TASKS])
    assert box.committed(made.sha) == {"a.py"}


def test_ignored_and_missing_files_of_ours_are_skipped(box: Sandbox) -> None:
    box.write(".gitignore", ".ralph/\n.kiro/specs/demo/activity.md\n")
    box.git("commit", "-qam", "ignore")
    repo = box.repo()
    repo.begin("r1")
    box.write(ACTIVITY, "log\n")
    made = commit_all(repo, box, {"a.py": "2\n"}, extra=[ACTIVITY, "DEVLOG.md", "../outside.md", "src"])
    assert box.committed(made.sha) == {"a.py"}


def test_a_run_after_a_crash_still_commits_tasks_md_and_the_half_done_work(box: Sandbox) -> None:
    """B2: what changed since the task began is the task's, though it was not committed when the run resumed."""
    box.write("mine.py", "the person\n")
    first = box.repo()
    first.begin("r1")
    before = first.snapshot()
    box.write("half.py", "half\n")
    box.write(TASKS, "- [-] 1. One\n")
    box.write(ACTIVITY, "log\n")
    repo = box.repo()  # here the first one died
    assert repo.begin("r2", since=before).dirty == ("mine.py",)
    box.write("half.py", "whole\n")
    box.write(TASKS, "- [x] 1. One\n")
    files = [box.top / TASKS, box.top / ACTIVITY]
    made = repo.commit(before, repo.snapshot(), subject="x", trailers={}, extra=files)
    assert box.committed(made.sha) == {"half.py", TASKS, ACTIVITY}


@pytest.mark.parametrize(
    "act",
    [
        pytest.param("true", id="nothing"),
        pytest.param("git add -A", id="staged everything"),
        pytest.param("git add half.py; git commit -qm theirs", id="committed"),
    ],
)
def test_what_the_agent_did_with_git_before_the_crash_does_not_make_its_work_the_persons(
    box: Sandbox, act: str
) -> None:
    """B2: the resumed task commits all of what it did, and nothing of the person's."""
    box.write("mine.py", "the person\n")
    first = box.repo()
    first.begin("r1")
    commit_all(first, box, {"a.py": "an earlier task\n"})
    before = first.snapshot()
    box.write("half.py", "half\n")
    subprocess.run(["sh", "-ec", act], cwd=box.top, env=box.env, check=True)
    for run in ("r2", "r3"):  # and a second crash, at once
        repo = box.repo()
        assert repo.begin(run, since=before).dirty == ("mine.py",)
    box.write("half.py", "whole\n")
    made = repo.commit(before, repo.snapshot(), subject="x", trailers={})
    assert box.committed(made.sha) == {"half.py"}
    assert box.git("show", "HEAD:half.py") == "whole"
    assert box.git("ls-files", "mine.py") in ("", "mine.py")
    assert box.git("log", "--format=%s", "--", "mine.py") == ""


def test_a_run_that_broke_off_between_two_tasks_leaves_out_what_is_changed_now(box: Sandbox) -> None:
    first = box.repo()
    first.begin("r1")
    box.write("src/b.py", "the person, since\n")
    repo = box.repo()
    assert repo.begin("r2", since=repo.snapshot()).dirty == ("src/b.py",)
    made = commit_all(repo, box, {"src/b.py": "and the agent\n", "a.py": "2\n"})
    assert (box.committed(made.sha), made.left_out) == ({"a.py"}, ("src/b.py",))


def test_the_log_that_an_earlier_run_made_is_ours_in_the_next(box: Sandbox) -> None:
    box.repo().begin("r1")
    box.write(ACTIVITY, "log\n")
    repo = box.repo()
    assert repo.begin("r2").dirty == ()
    assert box.committed(commit_all(repo, box, {}, extra=[ACTIVITY]).sha) == {ACTIVITY}


def test_a_commit_that_a_kill_left_unsaid_is_found_and_not_made_again(box: Sandbox) -> None:
    """B2: killed between the commit and its entry in the journal, with a log that goes on meanwhile."""
    trailers = {"Ralph-Spec": "demo", "Ralph-Task": "3", "Ralph-Attempts": "0"}
    repo = box.repo()
    repo.begin("r1")
    here = repo.snapshot()
    box.write(ACTIVITY, "log of the run\n")
    made = repo.commit(here, here, subject="test(demo): Checkpoint", trailers=trailers, extra=(box.top / ACTIVITY,))
    again = box.repo()
    again.begin("r2", since=here)
    box.write(ACTIVITY, "log of the next run\n")
    here = again.snapshot()
    found = again.commit(here, here, subject="test(demo): Checkpoint", trailers=trailers, extra=(box.top / ACTIVITY,))
    assert found.sha == made.sha == box.head()


def test_a_task_that_is_done_again_in_the_same_words_is_committed_again(box: Sandbox) -> None:
    """A person reopened it: HEAD says the same, but does not hold the work."""
    repo = box.repo()
    repo.begin("r1")
    first = commit_all(repo, box, {"a.py": "once\n"})
    again = box.repo()
    again.begin("r2")
    second = commit_all(again, box, {"a.py": "twice\n"})
    assert second.sha not in ("", first.sha)
    assert box.git("show", "HEAD:a.py") == "twice"


def test_without_an_identity_commits_are_ours_and_it_is_said(tmp_path: Path) -> None:
    """Issue: no identity."""
    box = make(tmp_path / "work", tmp_path, identity=False)
    repo = box.repo()
    state = repo.begin("r1")
    assert any("ralph-wiggum <ralph-wiggum@localhost>" in note for note in state.notes)
    commit_all(repo, box, {"a.py": "2\n"})
    assert box.git("log", "-1", "--format=%an <%ae> %cn") == "ralph-wiggum <ralph-wiggum@localhost> ralph-wiggum"


def test_an_identity_that_the_agent_sets_is_not_used(box: Sandbox) -> None:
    box.env = {key: value for key, value in box.env.items() if key not in IDENTITY}
    box.git("config", "user.name", "Per Son")
    box.git("config", "user.email", "p@example.org")
    repo = box.repo()
    repo.begin("r1")
    box.git("config", "user.email", "agent@bot")
    commit_all(repo, box, {"a.py": "2\n"})
    assert box.git("log", "-1", "--format=%ae") == "p@example.org"


def test_the_first_commit_of_a_repository(tmp_path: Path) -> None:
    """Unborn HEAD: stay and say."""
    box = make(tmp_path / "other", tmp_path)
    box.top = tmp_path / "work"
    box.top.mkdir()
    box.git("init", "-q", "-b", "trunk")
    box.write("mine.py", "the person\n")
    repo = box.repo()
    state = repo.begin("r1")
    assert (state.head, state.branch, state.evening, state.dirty) == ("", "trunk", "", ("mine.py",))
    assert any("no commit yet" in note for note in state.notes)
    made = commit_all(repo, box, {"a.py": "1\n"})
    assert box.committed(made.sha) == {"a.py"}
    second = commit_all(repo, box, {"b.py": "1\n"})
    assert box.git("log", "--format=%H") == f"{second.sha}\n{made.sha}"
    assert box.status() == "?? mine.py"
    assert "git log --stat trunk" in "\n".join(repo.morning(state))


def test_no_commits_when_the_person_said_so(box: Sandbox) -> None:
    repo = box.repo(commit=False)
    state = repo.begin("r1")
    assert (state.branch, state.notes) == ("main", ())
    assert commit_all(repo, box, {"a.py": "2\n"}).sha == ""
    assert box.status() == " M a.py"


def test_a_person_who_asks_for_signatures_is_not_asked_for_a_passphrase(box: Sandbox) -> None:
    box.git("config", "commit.gpgSign", "true")
    box.git("config", "gpg.program", "/bin/false")
    repo = box.repo()
    repo.begin("r1")
    assert commit_all(repo, box, {"a.py": "2\n"}).sha
    box.hook("pre-commit", "exit 0")
    assert commit_all(repo, box, {"a.py": "3\n"}).notes == ()


def test_line_ends_are_stored_as_the_repository_wants_them(box: Sandbox) -> None:
    box.git("config", "core.autocrlf", "true")
    box.git("config", "core.safecrlf", "true")
    repo = box.repo()
    repo.begin("r1")
    made = commit_all(repo, box, {"crlf.txt": "one\r\ntwo\r\n", "lf.txt": "one\n"})
    assert box.git("cat-file", "-s", f"{made.sha}:crlf.txt") == "8"
    assert box.status() == ""


def test_a_detached_head_gets_the_branch_there(box: Sandbox) -> None:
    """Issue: a detached HEAD."""
    box.git("checkout", "-q", "--detach")
    head = box.head()
    repo = box.repo()
    state = repo.begin("r1")
    assert any("detached" in note for note in state.notes)
    assert (state.branch, state.started_on, box.branch()) == ("ralph/demo", "", "ralph/demo")
    made = commit_all(repo, box, {"a.py": "2\n"})
    assert box.git("rev-parse", f"{made.sha}^") == head


def test_a_linked_worktree(box: Sandbox, tmp_path: Path) -> None:
    """`.git` is a file; the branch of the spec is taken by nobody else."""
    box.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    side = Sandbox(tmp_path / "side", box.env)
    repo = side.repo()
    state = repo.begin("r1")
    assert (state.branch, state.dirty) == ("side", ())
    made = commit_all(repo, side, {"a.py": "2\n"})
    assert side.head() == made.sha
    assert side.status() == ""
    side.write("a.py", "3\n")
    side.git("commit", "-qam", "the agent")
    assert "folded" in repo.mend()[0]
    assert side.head() == made.sha
    assert box.status() == ""


def test_sha256_repositories(tmp_path: Path) -> None:
    box = make(tmp_path / "other", tmp_path)
    box.top = tmp_path / "work"
    box.top.mkdir()
    box.git("init", "-q", "-b", "main", "--object-format=sha256")
    box.write("a.py", "1\n")
    box.git("add", "-A")
    box.git("commit", "-qm", "start")
    repo = box.repo()
    repo.begin("r1")
    made = commit_all(repo, box, {"b.py": "1\n"})
    assert len(made.sha) == 64
    before = repo.snapshot()
    (box.top / "b.py").unlink()
    box.write("c.py")
    repo.restore(before, repo.snapshot())
    assert box.status() == ""


def test_a_lock_left_by_a_dead_git_is_removed_and_said(box: Sandbox) -> None:
    """Design, part 3: a stale lock is removed."""
    repo = box.repo()
    repo.begin("r1")
    lock = box.write(".git/index.lock", "")
    old = time.time() - 5
    os.utime(lock, (old, old))
    before = repo.snapshot()
    box.write("a.py", "2\n")
    made = repo.commit(before, repo.snapshot(), subject="x", trailers={})
    assert made.sha
    assert any("index.lock" in note for note in made.notes)
    assert box.status() == ""


def test_a_lock_of_a_living_git_is_waited_for(box: Sandbox) -> None:
    """Design, part 3: a live one is waited for. The person's `git commit` has its editor open for a while."""
    box.write("mine.py", "the person\n")
    box.git("add", "mine.py")
    repo = box.repo()
    repo.begin("r1")
    before = repo.snapshot()
    box.write("a.py", "2\n")
    after = repo.snapshot()
    env = {**box.env, "GIT_EDITOR": "touch ../editing; sleep 2.5; false"}
    with subprocess.Popen(["git", "commit", "-a"], cwd=box.top, env=env, stderr=subprocess.DEVNULL) as person:
        while not (box.top.parent / "editing").exists():
            time.sleep(0.02)
        assert (box.top / ".git/index.lock").exists()
        made = repo.commit(before, after, subject="x", trailers={})
        assert person.poll() is not None
    assert made.sha
    assert made.notes == ()
    assert box.status() == "A  mine.py"


def test_a_commit_that_cannot_be_made_is_a_note(box: Sandbox) -> None:
    """O12: nothing ends the night."""
    repo = box.repo()
    repo.begin("r1")
    before = repo.snapshot()
    box.write("a.py", "2\n")
    after = repo.snapshot()
    (box.top / ".git/refs/heads/ralph/demo").write_text("broken\n")
    shutil.rmtree(box.root / ".ralph/git-copy")  # else it is put back
    made = repo.commit(before, after, subject="x", trailers={})
    assert made.sha == ""
    assert "no commit was made" in made.notes[0]


def test_commits_are_quick_and_many_small_ones_stay_cheap(box: Sandbox) -> None:
    """Design, part 3: at most 60 ms for a round with a commit; generous here, the bench measures."""
    repo = box.repo()
    repo.begin("r1")
    started = time.monotonic()
    for number in range(20):
        assert commit_all(repo, box, {"a.py": f"{number}\n"}).sha
    assert (time.monotonic() - started) / 20 < 0.25
    assert box.git("rev-list", "--count", "main..HEAD") == "20"
