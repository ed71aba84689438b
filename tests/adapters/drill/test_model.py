"""The person's repository is copied as it is, and only read (B8)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ralph_wiggum.adapters.drill.model import Bounds, Model, make_model
from ralph_wiggum.adapters.drill.places import home_of_copies
from ralph_wiggum.core.errors import RalphError
from tests.adapters.git_sandbox import Sandbox, clean_env


def fingerprint(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Return everything in a folder: mode, time of change, content."""
    found = {}
    for path in sorted(folder.rglob("*")):
        seen = path.lstat()
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        found[path.relative_to(folder).as_posix()] = (seen.st_mode, seen.st_mtime_ns, content)
    return found


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    """Return a repository with a commit, a change, a staged change, an untracked and an ignored file."""
    sandbox = Sandbox(tmp_path / "repo", clean_env(tmp_path))
    sandbox.write(".gitignore", "*.log\nnode_modules/\n")
    sandbox.write("a.py", "a = 1\n")
    sandbox.write("gone.py", "gone\n")
    sandbox.write("app/.kiro/specs/demo/tasks.md", "- [ ] 1. One\n")
    sandbox.write("run.sh", "#!/bin/sh\n", mode=0o755)
    (sandbox.top / "link").symlink_to("a.py")
    sandbox.git("init", "-q", "-b", "main", "--template=")
    sandbox.git("add", "-A")
    sandbox.git("commit", "-q", "-m", "start")
    sandbox.git("remote", "add", "origin", "https://example.org/x.git")
    sandbox.git("config", "core.autocrlf", "input")
    sandbox.git("config", "alias.x", "!rm -rf /")
    sandbox.write("a.py", "a = 2\n")
    sandbox.write("staged.py", "s = 1\n")
    sandbox.git("add", "staged.py")
    sandbox.write("new.txt", "new\n")
    sandbox.write("debug.log", "ignored\n")
    (sandbox.top / "gone.py").unlink()
    return sandbox


@pytest.fixture
def copied(box: Sandbox, tmp_path: Path) -> Callable[..., Model]:
    def copy(**bounds: int) -> Model:
        folder = tmp_path / "copies"
        folder.mkdir()
        return make_model(box.top / "app", folder, box.env, lambda: None, Bounds(**bounds))

    return copy


def test_the_work_tree_is_copied_as_it_stands(box: Sandbox, copied: Callable[..., Model]) -> None:
    """Uncommitted and untracked files too, ignored ones not, modes and links as they are."""
    model = copied()
    names = {".gitignore", "a.py", "app/.kiro/specs/demo/tasks.md", "run.sh", "link", "staged.py", "new.txt"}
    assert set(model.files) == names
    assert (model.tree / "a.py").read_text() == "a = 2\n"
    assert (model.tree / "link").readlink() == Path("a.py")
    assert os.access(model.tree / "run.sh", os.X_OK)
    assert (model.prefix, model.work) == ("app", "ralph-drill/{task}.txt")
    assert box.top.is_dir()


def test_nothing_of_the_person_is_changed(box: Sandbox, copied: Callable[..., Model]) -> None:
    before = fingerprint(box.top)
    copied()
    assert fingerprint(box.top) == before


def test_the_clone_has_the_history_but_no_way_back(box: Sandbox, copied: Callable[..., Model]) -> None:
    """No remote, no alias; what changes how commits are made comes along."""
    model = copied()
    assert model.repository is not None
    copy = Sandbox(model.repository, box.env)
    assert copy.git("rev-parse", "main") == box.head()
    assert copy.git("remote") == ""
    settings = (model.repository.parent / "config").read_text()
    assert "autocrlf" in settings
    assert "alias" not in settings
    assert "example.org" not in settings


def test_a_file_that_git_ignores_is_no_work(box: Sandbox, copied: Callable[..., Model]) -> None:
    box.write(".gitignore", "*.txt\n*.md\n")
    assert copied().work == "ralph-drill/{task}.py"


def test_a_large_untracked_file_is_not_copied_but_named(box: Sandbox, copied: Callable[..., Model]) -> None:
    box.write("big.bin", b"x" * 1001)
    model = copied(untracked=1000)
    assert model.not_copied == ("big.bin",)
    assert "big.bin" not in model.files


def test_pipes_and_sockets_are_left_alone(box: Sandbox, copied: Callable[..., Model]) -> None:
    os.mkfifo(box.top / "pipe")
    assert "pipe" not in copied().files


def test_a_work_tree_that_is_too_large_is_refused(copied: Callable[..., Model]) -> None:
    with pytest.raises(RalphError, match="a drill copies 10 bytes at the most"):
        copied(tree=10)


def test_a_disk_with_too_little_room_is_refused(copied: Callable[..., Model]) -> None:
    with pytest.raises(RalphError, match="are free in"):
        copied(spare=10**18)


def test_the_copying_can_be_stopped(box: Sandbox, tmp_path: Path) -> None:
    def stop() -> None:
        raise RalphError("enough")

    with pytest.raises(RalphError, match="enough"):
        make_model(box.top, tmp_path, box.env, stop)


def test_a_project_without_a_repository_is_copied_without_tools(tmp_path: Path) -> None:
    root = tmp_path / "plain"
    for path in (".kiro/specs/demo/tasks.md", "a.py", "node_modules/x.js", ".ralph/demo/journal.jsonl"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("x\n")
    folder = tmp_path / "copies"
    folder.mkdir()
    model = make_model(root, folder, clean_env(tmp_path), lambda: None)
    assert set(model.files) == {".kiro/specs/demo/tasks.md", "a.py"}
    assert model.repository is None
    assert model.dependencies == ("node_modules",)


def test_hooks_for_commits_come_along_and_others_stay_behind(box: Sandbox, copied: Callable[..., Model]) -> None:
    for name in ("pre-commit", "post-commit", "pre-push"):
        box.hook(name, "exit 0")
    model = copied()
    assert model.hooks == ""
    assert [path.name for path in (model.tree.parent / "hooks").iterdir()] == ["pre-commit"]


def test_hooks_in_the_work_tree_keep_their_place(box: Sandbox, copied: Callable[..., Model]) -> None:
    """As husky has them: the folder ignores itself, so git does not list it."""
    box.write(".husky/_/pre-commit", "#!/bin/sh\n", mode=0o755)
    box.write(".husky/_/.gitignore", "*\n")
    box.git("config", "core.hooksPath", ".husky/_")
    model = copied()
    assert model.hooks == ".husky/_"
    assert (model.tree.parent / "hooks/pre-commit").is_file()


def test_without_hooks_for_commits_there_are_none(box: Sandbox, copied: Callable[..., Model]) -> None:
    box.hook("post-commit", "exit 0")
    assert copied().hooks is None


def test_copies_go_where_links_can_be_made(tmp_path: Path) -> None:
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system")
    cache = tmp_path / "cache"
    cache.mkdir()
    env = {"XDG_CACHE_HOME": str(cache), "HOME": str(tmp_path)}
    assert home_of_copies(tmp_path, env, tmp_path) == tmp_path
    assert home_of_copies(tmp_path, env, other) == cache
    assert home_of_copies(other, env, other) == other
    assert home_of_copies(tmp_path, {"HOME": str(tmp_path / "nowhere")}, other) == other


def test_a_repository_on_another_file_system_is_copied_all_the_same(box: Sandbox, tmp_path: Path) -> None:
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system")
    folder = other / f"ralph-test-{os.getpid()}"
    folder.mkdir()
    try:
        model = make_model(box.top, folder, box.env, lambda: None)
        assert model.repository is not None
        assert Sandbox(model.repository, box.env).git("rev-parse", "main") == box.head()
    finally:
        shutil.rmtree(folder)
