"""The project folder is put back where it was, whatever is done to it while a run is on (B10)."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ralph_wiggum.adapters.open_folder import OpenFolder
from ralph_wiggum.adapters.root_folder import RootFolder

OLD = 1_000_000_000  # a time long before the run


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "above" / "project"
    folder.mkdir(parents=True)
    (folder / "file").write_text("mine\n")
    return folder


def act(root: Path, command: str) -> None:
    subprocess.run(["sh", "-ec", command], cwd=root.parent, check=True)


MOVES = [
    pytest.param("mv project project2", id="renamed"),
    pytest.param("mv project ../elsewhere", id="moved out"),
    pytest.param("mkdir -p a/b; mv project a/b/c", id="moved below another folder"),
    pytest.param("mv project project2; mkdir project", id="renamed, an empty folder in its place"),
    pytest.param("mv project project2; ln -s project2 project", id="renamed, a link in its place"),
    pytest.param("mv project project2; mkdir project; echo theirs > project/file", id="renamed, another in its place"),
    pytest.param("mv project project2; echo theirs > project", id="renamed, a file in its place"),
    pytest.param("mkdir new; mv project new/; mv new project", id="wrapped in a folder of its name"),
]


@pytest.mark.parametrize("command", MOVES)
def test_a_folder_that_was_moved_is_moved_back(root: Path, command: str) -> None:
    """B10: and what stood in its place is kept."""
    held = RootFolder(root)
    number = OpenFolder(root).number
    assert held.mend() == ()
    act(root, command)
    words = " ".join(held.mend())
    assert "moved back" in words
    assert OpenFolder(root).number == number
    assert (root / "file").read_text() == "mine\n"
    if "theirs" in command:
        (kept,) = (root / ".ralph/aside").rglob("root-*")
        assert str(kept) in words
        assert "theirs" in (kept.read_text() if kept.is_file() else (kept / "file").read_text())
    assert held.mend() == ()


def test_it_can_happen_again_and_again(root: Path) -> None:
    held = RootFolder(root)
    for number in range(3):
        act(root, f"mv project p{number}; mkdir project; echo {number} > project/x")
        assert held.mend()
    assert sorted(path.name for path in (root / ".ralph/aside").iterdir()) == ["root-1", "root-2", "root-3"]


def test_something_older_in_the_place_is_left_and_said_once(root: Path) -> None:
    """It may be another project of the person's, that was renamed."""
    other = root.parent / "other"
    other.mkdir()
    (other / "x").write_text("x")
    held = RootFolder(root)
    act(root, "mv project project2; mv other project")
    os.utime(root, (OLD, OLD))
    (words,) = held.mend()
    assert "something older" in words
    assert held.mend() == ()
    assert (root / "x").exists()
    act(root, "mv project other")
    assert "moved back" in " ".join(held.mend())


def test_a_folder_that_was_deleted_is_said_to_be(root: Path) -> None:
    held = RootFolder(root)
    shutil.rmtree(root)
    assert "deleted" in " ".join(held.mend())
    root.mkdir()
    assert "deleted" not in " ".join(held.mend()), "said once in a row"
    assert not held.there


def test_a_folder_above_that_was_renamed_is_named_and_left(root: Path) -> None:
    held = RootFolder(root)
    root.parent.rename(root.parent.with_name("renamed"))
    (words,) = held.mend()
    assert str(root.parent.with_name("renamed") / "project") in words
    root.parent.with_name("renamed").rename(root.parent)
    assert held.mend() == ()


def test_permissions_that_were_taken_are_given_back(root: Path) -> None:
    root.chmod(0o750)
    held = RootFolder(root)
    root.chmod(0o070)
    assert "permissions" in " ".join(held.mend())
    assert root.stat().st_mode & 0o777 == 0o750
    root.chmod(0o700)
    assert held.mend() == (), "what the owner needs is there"


def test_no_folder_no_hold(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        RootFolder(tmp_path / "nothing")


def test_no_child_inherits_the_folder(root: Path) -> None:
    held = OpenFolder(root)
    listed = subprocess.run(["ls", "-l", "/proc/self/fd"], capture_output=True, text=True, check=False).stdout
    assert str(root) not in listed
    held.close()
    held.close()
