"""Snapshots, changes and patches of real work trees (design: snapshots are cheap and complete enough)."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from ralph_wiggum.adapters.git.repo import GitRepo
from ralph_wiggum.core.errors import Exit, RalphError
from tests.adapters.git_sandbox import Sandbox, clean_env, make


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    return make(tmp_path / "work", tmp_path)


def changed(box: Sandbox, repo: GitRepo, act: str) -> dict[str, str]:
    before = repo.snapshot()
    subprocess.run(["sh", "-ec", act], cwd=box.top, check=True, env=box.env)
    return {change.path: change.status for change in repo.changes(before, repo.snapshot())}


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        pytest.param("true", {}, id="nothing"),
        pytest.param("touch a.py", {}, id="a touch is no change"),
        pytest.param("echo 2 > a.py", {"a.py": "M"}, id="an edit"),
        pytest.param("mkdir n; echo 2 > n/x", {"n/x": "A"}, id="a new file in a new folder"),
        pytest.param("rm a.py", {"a.py": "D"}, id="a deletion"),
        pytest.param("mv a.py c.py", {"a.py": "D", "c.py": "A"}, id="a rename is two changes"),
        pytest.param("chmod +x a.py", {"a.py": "M"}, id="an executable bit"),
        pytest.param("rm a.py; ln -s src a.py", {"a.py": "T"}, id="a file becomes a link"),
        pytest.param(
            "rm -r src; ln -s .kiro src", {"src": "A", "src/b.py": "D", "src/run.sh": "D"}, id="folder to link"
        ),
        pytest.param("rm a.py; mkdir a.py; echo > a.py/x", {"a.py": "D", "a.py/x": "A"}, id="a file becomes a folder"),
        pytest.param("rm a.py; mkdir a.py", {"a.py": "D"}, id="a file becomes an empty folder"),
        pytest.param("rm -r src; echo > src", {"src": "A", "src/b.py": "D", "src/run.sh": "D"}, id="folder to file"),
        pytest.param("rm a.py; mkfifo a.py", {"a.py": "D"}, id="a file becomes a pipe"),
        pytest.param("echo > noise.log; echo > .env", {}, id="ignored files are outside"),
        pytest.param("mkdir -p node_modules/x; echo > node_modules/x/y", {}, id="dependency folders are outside"),
        pytest.param(
            "echo x >> .kiro/specs/demo/tasks.md; echo > .kiro/specs/demo/activity.md", {}, id="our own files"
        ),
        pytest.param("echo '!.env' >> .gitignore; echo K=1 > .env", {".env": "A", ".gitignore": "M"}, id="a secret"),
        pytest.param("git add -A; git commit -qm x --allow-empty; echo 2 > a.py", {"a.py": "M"}, id="beside a commit"),
        pytest.param("printf 'x' > 'ünï \"q\n.py'", {'ünï "q\n.py': "A"}, id="an odd name"),
    ],
)
def test_what_changed_is_found(box: Sandbox, act: str, expected: dict[str, str]) -> None:
    repo = box.repo()
    repo.begin("r1")
    assert changed(box, repo, act) == expected


def test_the_persons_index_is_not_touched_by_snapshots(box: Sandbox) -> None:
    box.write("staged.py")
    box.git("add", "staged.py")
    repo = box.repo()
    repo.begin("r1")
    index = (box.top / ".git/index").read_bytes()
    box.write("a.py", "a = 2\n")
    box.write("new.py")
    repo.snapshot()
    assert (box.top / ".git/index").read_bytes() == index


def test_equal_trees_are_equal_snapshots(box: Sandbox) -> None:
    repo = box.repo()
    repo.begin("r1")
    first = repo.snapshot()
    box.write("a.py", "a = 2\n")
    assert repo.snapshot() != first
    box.write("a.py", "a = 1\n")
    assert repo.snapshot() == first


def test_an_edit_of_the_same_size_within_the_same_moment_is_seen(box: Sandbox) -> None:
    """A copy of the index that took a newer time would make git believe sizes and times too early."""
    for number in range(10):
        box.write("a.py", f"a = {number}\n")
        box.git("add", "a.py")
        box.write("a.py", f"b = {number}\n")  # as long, and perhaps within the clock's tick
        repo = box.repo()
        repo.begin(f"r{number}")
        tree = repo.snapshot().tree
        assert box.git("cat-file", "blob", f"{tree}:a.py") == f"b = {number}"


def test_a_gigabyte_is_recorded_and_not_read(box: Sandbox) -> None:
    """Issue: a 1 GB untracked file. Sparse, so that reading it would still take long."""
    repo = box.repo()
    repo.begin("r1")
    before = repo.snapshot()
    with (box.top / "huge.bin").open("wb") as file:
        file.truncate(1_000_000_000)
    after = repo.snapshot()
    assert list(after.large) == ["huge.bin"]
    assert [(change.path, change.status) for change in repo.changes(before, after)] == [("huge.bin", "A")]
    assert box.git("ls-tree", "-r", "--name-only", after.tree).find("huge.bin") == -1


def test_a_file_that_grows_large_moves_out_of_the_tree(box: Sandbox) -> None:
    repo = box.repo()
    repo.begin("r1")
    box.write("data.bin", b"x" * 100)
    small = repo.snapshot()
    box.write("data.bin", b"x" * 10_000_001)
    grown = repo.snapshot()
    assert list(grown.large) == ["data.bin"]
    assert [(c.path, c.status) for c in repo.changes(small, grown)] == [("data.bin", "M")]
    (box.top / "data.bin").unlink()
    assert [(c.path, c.status) for c in repo.changes(grown, repo.snapshot())] == [("data.bin", "D")]


def test_a_large_file_that_the_person_tracks_is_stored(box: Sandbox) -> None:
    box.write("data.bin", b"x" * 10_000_001)
    box.git("add", "data.bin")
    box.git("commit", "-qm", "large")
    repo = box.repo()
    repo.begin("r1")
    before = repo.snapshot()
    box.write("data.bin", b"y" * 10_000_001)
    after = repo.snapshot()
    assert not after.large
    assert [(c.path, c.status) for c in repo.changes(before, after)] == [("data.bin", "M")]


def test_a_secret_never_enters_the_object_store(box: Sandbox) -> None:
    """O33: a push of everything must not carry it away."""
    box.write(".gitignore", ".ralph/\n")
    box.write(".env", "TOKEN=very-secret\n")
    repo = box.repo()
    repo.begin("r1")
    repo.snapshot()
    secret = box.git("hash-object", ".env")
    assert box.git("cat-file", "-e", secret, check=False) == ""
    objects = box.git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split()
    assert secret not in objects


def test_a_repository_in_the_repository_is_recorded_and_not_entered(box: Sandbox) -> None:
    repo = box.repo()
    repo.begin("r1")
    before = repo.snapshot()
    box.write("nest/file.py")
    box.git("init", "-q", "nest")
    after = repo.snapshot()
    assert [(c.path, c.status) for c in repo.changes(before, after)] == [("nest/", "A")]
    committed = repo.commit(before, after, subject="x", trailers={})
    assert committed.sha == ""
    assert committed.left_out == ("nest/",)


def test_a_submodule_is_said_and_its_moves_are_left_out(tmp_path: Path) -> None:
    """Issue: submodules: a clear word and a sensible way."""
    other = make(tmp_path / "other", tmp_path)
    box = make(tmp_path / "work", tmp_path)
    box.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other.top), "lib")
    box.git("commit", "-qm", "submodule")
    repo = box.repo()
    state = repo.begin("r1")
    assert any("submodules" in note for note in state.notes)
    assert state.dirty == ()
    before = repo.snapshot()
    box.write("lib/a.py", "a = 5\n")
    box.git("-C", "lib", "commit", "-qam", "inside")
    box.write("a.py", "a = 2\n")
    after = repo.snapshot()
    assert [(c.path, c.status) for c in repo.changes(before, after)] == [("a.py", "M"), ("lib", "M")]
    committed = repo.commit(before, after, subject="x", trailers={})
    assert box.committed(committed.sha) == {"a.py"}
    assert committed.left_out == ("lib",)


def test_an_unreadable_file_does_not_end_the_night(box: Sandbox) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    repo = box.repo()
    repo.begin("r1")
    before = repo.snapshot()
    box.write("locked.txt", mode=0o000)
    box.write("b.txt")
    after = repo.snapshot()
    assert {change.path for change in repo.changes(before, after)} == {"locked.txt", "b.txt"}


def test_files_that_become_ignored_leave_the_snapshot(box: Sandbox) -> None:
    repo = box.repo()
    repo.begin("r1")
    before = repo.snapshot()
    box.write("dist/out.js")
    repo.snapshot()
    box.write(".gitignore", ".ralph/\n*.log\n.env\ndist/\n")
    after = repo.snapshot()
    assert {change.path for change in repo.changes(before, after)} == {".gitignore"}


def test_tracked_files_stay_though_a_rule_names_them(box: Sandbox) -> None:
    repo = box.repo()
    repo.begin("r1")
    before = repo.snapshot()
    box.write(".gitignore", "*.py\n")
    assert {change.path for change in repo.changes(before, repo.snapshot())} == {".gitignore"}


def test_a_broken_index_of_ours_is_made_anew(box: Sandbox) -> None:
    repo = box.repo()
    repo.begin("r1")
    tree = repo.snapshot()
    (box.top / ".ralph/demo/snapshot.index").write_bytes(b"torn")
    assert repo.snapshot() == tree


def test_objects_that_a_clean_up_removed_are_written_again(box: Sandbox) -> None:
    repo = box.repo()
    repo.begin("r1")
    box.write("new.py", "new\n")
    tree = repo.snapshot()
    box.git("gc", "-q", "--prune=now")
    box.write("a.py", "a = 3\n")
    after = repo.snapshot()
    assert box.git("cat-file", "blob", f"{after.tree}:new.py") == "new"
    assert tree.tree != after.tree


def test_a_kept_snapshot_survives_every_clean_up(box: Sandbox) -> None:
    repo = box.repo()
    repo.begin("r1")
    box.write("new.py", "new\n")
    before = repo.snapshot()
    repo.keep("task 1..2", before)
    (box.top / "new.py").unlink()
    repo.snapshot()
    box.git("gc", "-q", "--prune=now")
    assert {c.path for c in repo.changes(before, repo.snapshot())} == {"new.py"}
    assert box.git("for-each-ref", "--format=%(refname)", "refs/ralph/demo/keep") == "refs/ralph/demo/keep/task-1-2"
    box.git("log", "--all", "--oneline")


def test_the_patch_can_be_applied(box: Sandbox) -> None:
    repo = box.repo()
    repo.begin("r1")
    before = repo.snapshot()
    box.write("a.py", "a = 2\n")
    box.write("blob.bin", bytes(range(256)))
    box.write("deep/new.sh", "x", mode=0o755)
    after = repo.snapshot()
    patch = repo.patch(before, after)
    repo.restore(before, after)
    subprocess.run(["git", "apply"], cwd=box.top, env=box.env, input=patch, check=True)
    assert repo.snapshot() == after
    assert repo.patch(before, before) == b""


def test_the_token_changes_with_any_file_and_stores_nothing(box: Sandbox) -> None:
    """O22: asked while an agent is silent."""
    repo = box.repo()
    repo.begin("r1")
    objects = box.git("count-objects")
    tokens = [repo.files_token(), repo.files_token()]
    assert tokens[0] == tokens[1]
    for edit in ("1", "22", "333"):
        box.write("new.txt", edit)
        tokens.append(repo.files_token())
    assert len(set(tokens)) == 4
    assert box.git("count-objects") == objects


def test_a_project_below_the_top_sees_its_own_paths(tmp_path: Path) -> None:
    """Issue: `.kiro` below the git root."""
    box = make(tmp_path / "work", tmp_path)
    box.write("apps/web/.kiro/specs/demo/tasks.md")
    box.write("apps/web/main.ts")
    box.git("add", "-A")
    box.git("commit", "-qm", "web")
    box.prefix = "apps/web"
    repo = box.repo()
    state = repo.begin("r1")
    assert state.dirty == ()
    before = repo.snapshot()
    box.write("apps/web/main.ts", "2\n")
    box.write("apps/web/.kiro/specs/demo/tasks.md", "ours\n")
    box.write("a.py", "a = 2\n")
    after = repo.snapshot()
    assert [change.path for change in repo.changes(before, after)] == ["../../a.py", "main.ts"]
    committed = repo.commit(before, after, subject="x", trailers={}, extra=[box.root / ".kiro/specs/demo/tasks.md"])
    assert box.committed(committed.sha) == {"a.py", "apps/web/main.ts", "apps/web/.kiro/specs/demo/tasks.md"}
    assert box.status() == ""
    assert repo.top == box.top.resolve()


def test_without_a_repository_a_private_one_serves(tmp_path: Path) -> None:
    """Issue: no git: a clear word and a sensible way."""
    (tmp_path / "work").mkdir()
    box = Sandbox(tmp_path / "work", clean_env(tmp_path))
    box.write("a.py", "1\n")
    repo = box.repo()
    state = repo.begin("r1")
    assert "no git repository" in state.notes[0]
    assert (state.head, state.branch, state.dirty) == ("", "", ())
    before = repo.snapshot()
    box.write("a.py", "2\n")
    box.write("b.py", "2\n")
    after = repo.snapshot()
    assert [(c.path, c.status) for c in repo.changes(before, after)] == [("a.py", "M"), ("b.py", "A")]
    assert repo.commit(before, after, subject="x", trailers={}).sha == ""
    assert repo.patch(before, after)
    assert repo.mend() == ()
    assert repo.restore(before, after).restored == ("a.py", "b.py")
    assert box.read("a.py") == "1\n"
    assert not (box.top / "b.py").exists()
    assert not (box.top / ".git").exists()
    assert repo.morning(state) == ()


def test_a_folder_that_the_repository_around_it_ignores_gets_a_private_one(box: Sandbox) -> None:
    """A home folder under git that ignores everything must not make every project look unchanged."""
    box.write(".gitignore", "*\n")
    box.write("project/a.py", "1\n")
    box.prefix = "project"
    repo = box.repo()
    state = repo.begin("r1")
    assert "ignores this folder" in state.notes[0]
    before = repo.snapshot()
    box.write("project/a.py", "2\n")
    assert [c.path for c in repo.changes(before, repo.snapshot())] == ["a.py"]


def test_git_missing_is_an_error_with_a_hint(tmp_path: Path) -> None:
    repo = GitRepo(tmp_path, state=tmp_path / ".ralph/demo", spec="demo", env={"PATH": str(tmp_path)})
    with pytest.raises(RalphError, match="not installed") as caught:
        repo.begin("r1")
    assert caught.value.code is Exit.BAD_INPUT
    assert "install git" in caught.value.hint


def test_a_merge_under_way_gives_snapshots_and_no_commits(box: Sandbox) -> None:
    """Issue: a merge under way."""
    box.git("checkout", "-qb", "other")
    box.write("a.py", "a = 2\n")
    box.git("commit", "-qam", "other")
    box.git("checkout", "-q", "main")
    box.write("a.py", "a = 3\n")
    box.git("commit", "-qam", "main")
    box.git("merge", "other", check=False)
    assert "UU a.py" in box.status()
    repo = box.repo()
    state = repo.begin("r1")
    assert any("merge is under way" in note for note in state.notes)
    assert state.branch == "main"
    head = box.head()
    before = repo.snapshot()
    box.write("a.py", "a = 4\n")
    after = repo.snapshot()
    assert [c.path for c in repo.changes(before, after)] == ["a.py"]
    assert repo.commit(before, after, subject="x", trailers={}).sha == ""
    assert repo.mend() == ()
    assert box.head() == head
    assert "UU a.py" in box.status()
    assert (box.top / ".git/MERGE_HEAD").exists()


def test_an_environment_of_another_repository_is_not_believed(box: Sandbox, tmp_path: Path) -> None:
    """The runner may be started from a git hook, where GIT_DIR and GIT_INDEX_FILE are set."""
    box.env = {**box.env, "GIT_DIR": str(tmp_path / "nowhere"), "GIT_INDEX_FILE": str(tmp_path / "index")}
    repo = box.repo()
    repo.begin("r1")
    box.env = {key: value for key, value in box.env.items() if key not in ("GIT_DIR", "GIT_INDEX_FILE")}
    assert box.git("ls-tree", "-r", "--name-only", repo.snapshot().tree).split("\n")[1] == ".kiro/specs/demo/tasks.md"
    assert not (tmp_path / "index").exists()


def test_twenty_thousand_files(tmp_path: Path) -> None:
    """Issue: 20,000 files. Generous bounds (about 35 and 60 ms alone on the machine)."""
    box = make(tmp_path / "work", tmp_path)
    for folder in range(200):
        (box.top / f"d{folder}").mkdir()
        for number in range(100):
            (box.top / f"d{folder}/f{number}").write_text("the same\n")
    box.git("add", "-A")
    box.git("commit", "-qm", "many")
    repo = box.repo()
    assert repo.begin("r1").dirty == ()
    before = repo.snapshot()
    box.write("d7/f7", "changed\n")
    started = time.monotonic()
    after = repo.snapshot()
    assert time.monotonic() - started < 1.0
    made = repo.commit(before, after, subject="x", trailers={})
    assert box.committed(made.sha) == {"d7/f7"}
    assert time.monotonic() - started < 2.0
