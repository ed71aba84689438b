"""The person's hooks run as in `git commit`, bounded, and never stop the night (issue: hooks that fail)."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from tests.adapters.git_sandbox import Sandbox, commit_all, make


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    box = make(tmp_path / "work", tmp_path)
    box.write(".gitignore", ".ralph/\nseen*\n")
    box.git("commit", "-qam", "ignore")
    return box


def test_a_hook_sees_exactly_the_paths_of_the_task_as_staged(box: Sandbox) -> None:
    """A hook must not see the person's staged changes committed."""
    box.write("mine.py", "staged by the person\n")
    box.git("add", "mine.py")
    box.hook("pre-commit", "git diff --cached --name-only > seen; cat > seen-in; echo $GIT_EDITOR >> seen")
    repo = box.repo()
    repo.begin("r1")
    made = commit_all(repo, box, {"a.py": "2\n", "new.py": "1\n"})
    assert box.read("seen") == "a.py\nnew.py\n:\n"  # git itself: no editor for hooks
    assert box.committed(made.sha) == {"a.py", "new.py"}
    assert made.notes == ()
    assert box.status() == "A  mine.py"
    assert box.git("log", "-1", "--format=%an|%(trailers:key=Ralph-Task)") == "Per Son|Ralph-Task: 1"


def test_a_hook_that_formats_and_fails_is_run_once_more(box: Sandbox) -> None:
    """As the pre-commit framework's fixers do."""
    script = "echo run >> seen; grep -q formatted a.py && exit 0; echo formatted >> a.py; exit 1"
    box.hook("pre-commit", script)
    repo = box.repo()
    repo.begin("r1")
    made = commit_all(repo, box, {"a.py": "2\n"})
    assert box.git("show", f"{made.sha}:a.py") == "2\nformatted"
    assert box.read("seen") == "run\nrun\n"
    assert made.notes == ()
    assert box.status() == ""


def test_a_hook_that_formats_without_staging_and_passes(box: Sandbox) -> None:
    box.hook("pre-commit", "grep -q formatted a.py || echo formatted >> a.py")
    repo = box.repo()
    repo.begin("r1")
    made = commit_all(repo, box, {"a.py": "2\n"})
    assert box.git("show", f"{made.sha}:a.py") == "2\nformatted"
    assert box.git("rev-parse", f"{made.sha}^") == box.git("rev-parse", "main")
    assert box.status() == ""


def test_a_hook_that_formats_and_stages_passes_at_once(box: Sandbox) -> None:
    """As lint-staged does."""
    box.hook("pre-commit", "echo run >> seen; echo formatted >> a.py; git add a.py")
    repo = box.repo()
    repo.begin("r1")
    made = commit_all(repo, box, {"a.py": "2\n"})
    assert box.git("show", f"{made.sha}:a.py") == "2\nformatted"
    assert box.read("seen") == "run\n"
    assert box.status() == ""


def test_what_a_hook_adds_to_the_commit_is_in_it(box: Sandbox) -> None:
    box.hook("pre-commit", "wc -c < a.py > size.txt; git add size.txt")
    repo = box.repo()
    repo.begin("r1")
    made = commit_all(repo, box, {"a.py": "2\n"})
    assert box.committed(made.sha) == {"a.py", "size.txt"}
    assert box.status() == ""


def test_a_hook_that_fails_for_good_is_left_out_with_its_words(box: Sandbox) -> None:
    box.hook("pre-commit", "echo 'lint: line 3 is too long'; echo more >&2; exit 1")
    repo = box.repo()
    repo.begin("r1")
    made = commit_all(repo, box, {"a.py": "2\n"})
    assert box.committed(made.sha) == {"a.py"}
    assert len(made.notes) == 1
    assert "lint: line 3 is too long | more" in made.notes[0]
    assert "without the repository's hooks" in made.notes[0]
    assert box.status() == ""


def test_a_message_that_a_hook_refuses(box: Sandbox) -> None:
    box.hook("commit-msg", 'grep -q JIRA- "$1" || { echo "no ticket"; exit 1; }')
    repo = box.repo()
    repo.begin("r1")
    made = commit_all(repo, box, {"a.py": "2\n"})
    assert made.sha
    assert "no ticket" in made.notes[0]


def test_a_message_that_a_hook_completes(box: Sandbox) -> None:
    box.hook("commit-msg", 'echo "Change-Id: I123" >> "$1"')
    repo = box.repo()
    repo.begin("r1")
    made = commit_all(repo, box, {"a.py": "2\n"})
    assert "Change-Id: I123" in box.git("log", "-1", "--format=%B", made.sha)


def test_a_hook_that_stages_everything_does_not_get_the_persons_changes_committed(box: Sandbox) -> None:
    box.write("mine.py", "the person\n")
    box.write("src/b.py", "the person\n")
    box.hook("pre-commit", "git add -A")
    repo = box.repo()
    repo.begin("r1")
    made = commit_all(repo, box, {"a.py": "2\n"})
    assert box.committed(made.sha) == {"a.py"}
    assert box.git("rev-parse", f"{made.sha}^") == box.git("rev-parse", "main")
    assert "not this task's" in made.notes[0]
    assert box.status() == " M src/b.py\n?? mine.py"


def test_a_hook_in_another_folder_is_found(box: Sandbox) -> None:
    """core.hooksPath, relative to the top."""
    box.write(".husky/pre-commit", "#!/bin/sh\necho husky > seen\n", mode=0o755)
    box.git("config", "core.hooksPath", ".husky")
    box.git("add", "-A")
    box.git("commit", "-qm", "husky")
    (box.top / "seen").unlink()
    repo = box.repo()
    repo.begin("r1")
    commit_all(repo, box, {"a.py": "2\n"})
    assert box.read("seen") == "husky\n"


def test_a_hook_that_cannot_be_executed_does_not_run(box: Sandbox) -> None:
    box.write(".git/hooks/pre-commit", "#!/bin/sh\nexit 1\n", mode=0o644)
    repo = box.repo()
    repo.begin("r1")
    assert commit_all(repo, box, {"a.py": "2\n"}).notes == ()


def test_other_hooks_do_not_run_for_our_own_acts(box: Sandbox) -> None:
    for name in ("post-index-change", "reference-transaction", "post-checkout", "post-commit"):
        box.hook(name, "echo $0 >> seen")
    repo = box.repo()
    repo.begin("r1")
    before = repo.snapshot()
    commit_all(repo, box, {"a.py": "2\n"})
    repo.restore(before, repo.snapshot())
    assert not (box.top / "seen").exists()


def test_a_hook_that_leaves_a_process_behind_does_not_hang_the_run(box: Sandbox) -> None:
    box.hook("pre-commit", "sleep 300 & echo $! > seen")
    repo = box.repo()
    repo.begin("r1")
    started = time.monotonic()
    made = commit_all(repo, box, {"a.py": "2\n"})
    assert time.monotonic() - started < 10
    assert made.sha
    assert made.notes == ()
    pid = box.read("seen").strip()
    state = subprocess.run(["ps", "-o", "stat=", "-p", pid], capture_output=True, text=True, check=False).stdout
    assert state.strip() in ("", "Z")


def test_a_hook_that_hangs_is_ended_and_the_persons_hidden_changes_come_back(box: Sandbox) -> None:
    """The pre-commit framework takes unstaged changes out of the work tree while it runs."""
    box.write("src/b.py", "the person's, not staged\n")
    box.hook("pre-commit", "git checkout -- src/b.py; echo hidden > seen; sleep 300")
    repo = box.repo(hook_seconds=2.0)
    repo.begin("r1")
    made = commit_all(repo, box, {"a.py": "2\n"})
    assert box.read("seen") == "hidden\n"
    assert box.committed(made.sha) == {"a.py"}
    assert box.read("src/b.py") == "the person's, not staged\n"
    assert any("put back after a hook: src/b.py" in note for note in made.notes)
    assert any("ended after 2 s" in note for note in made.notes)


def test_the_first_commit_goes_through_hooks_too(tmp_path: Path) -> None:
    box = make(tmp_path / "other", tmp_path)
    box.top = tmp_path / "work"
    box.top.mkdir()
    box.git("init", "-q", "-b", "trunk")
    box.hook("pre-commit", "git diff --cached --name-only --root > .git/seen || git ls-files > .git/seen")
    repo = box.repo()
    repo.begin("r1")
    made = commit_all(repo, box, {"a.py": "1\n"})
    assert box.committed(made.sha) == {"a.py"}
    assert made.notes == ()
    box.hook("pre-commit", "git add -A; exit 0")
    box.write("mine.py", "1\n")
    assert commit_all(repo, box, {"b.py": "1\n"}).sha
