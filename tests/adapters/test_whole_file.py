"""Files are replaced whole or not at all (B2)."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from ralph_wiggum.adapters.whole_file import change_in_place, remove_left_over, replace_file, temporary_beside


def test_content_comes_in_parts_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    assert replace_file(path, (b"one ", b"two"))
    assert path.read_bytes() == b"one two"
    assert list(tmp_path.iterdir()) == [path]


def test_the_mode_of_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("old")
    path.chmod(0o755)
    replace_file(path, (b"new",), durable=False)
    assert stat.S_IMODE(path.stat().st_mode) == 0o755


def test_a_dangling_link_gets_its_target(tmp_path: Path) -> None:
    link = tmp_path / "a.md"
    link.symlink_to("b.md")
    replace_file(link, (b"new",))
    assert link.is_symlink()
    assert (tmp_path / "b.md").read_bytes() == b"new"


def test_a_failure_in_the_middle_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("old")

    def parts() -> Iterator[bytes]:
        yield b"half"
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        replace_file(path, parts())
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_not_wanted_any_more_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("old")
    assert not replace_file(path, (b"new",), still_wanted=lambda: False)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_left_over_is_found_and_removed(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    temporary_beside(path).write_text("half")
    remove_left_over(path)
    remove_left_over(path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("held", "old", "new", "most", "changed"),
    [
        pytest.param("- [ ] a", "- [ ] a", "- [x] a", 1, True, id="one byte"),
        pytest.param("- [ ] a", "- [ ] a", "- [ ] a", 1, True, id="nothing to change"),
        pytest.param("- [ ] a\n- [-] b", "- [ ] a\n- [-] b", "- [-] a\n- [x] b", 1, False, id="more than allowed"),
        pytest.param("- [ ] a\n- [-] b", "- [ ] a\n- [-] b", "- [-] a\n- [x] b", 2, True, id="as many as allowed"),
        pytest.param("- [ ] a", "- [ ] a", "- [ ] ab", 1, False, id="another length"),
        pytest.param("- [ ] b", "- [ ] a", "- [x] a", 1, False, id="somebody changed it since"),
        pytest.param("x" * 5000 + " ", "x" * 5000 + " ", "x" * 5000 + "S", 1, True, id="far into the file"),
    ],
)
def test_a_change_in_place(tmp_path: Path, held: str, old: str, new: str, most: int, changed: bool) -> None:  # noqa: FBT001 - a column
    """B2: one byte is there or not; no temporary file, and the file keeps its inode."""
    path = tmp_path / "a.md"
    path.write_text(held)
    inode = path.stat().st_ino
    assert change_in_place(path, old.encode(), new.encode(), most=most) is changed
    assert path.read_text() == (new if changed else held)
    assert path.stat().st_ino == inode
    assert list(tmp_path.iterdir()) == [path]
