"""The private folder of a run's browser."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ralph_wiggum.adapters.browser import leftovers
from ralph_wiggum.core.errors import RalphError


@pytest.fixture
def run_id() -> Iterator[str]:
    name = f"t{os.getpid()}-left"
    yield name
    leftovers.remove(name)


def test_it_is_for_this_user_alone_and_short_enough_for_sockets(run_id: str) -> None:
    folder = leftovers.make(run_id)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert len(str(leftovers.folder_of("20261120-235959-abcd/odd name" * 5))) < 90
    assert folder == leftovers.folder_of(run_id)
    assert leftovers.make(run_id) == folder


def test_it_goes_with_all_that_is_in_it(run_id: str) -> None:
    folder = leftovers.make(run_id)
    (folder / "profile").mkdir()
    (folder / "profile" / "cookies").write_text("x")
    leftovers.remove(run_id)
    assert not folder.exists()
    leftovers.remove(run_id)


@pytest.mark.parametrize("kind", ["link", "file", "open folder"])
def test_what_we_did_not_make_is_refused_and_left_alone(run_id: str, tmp_path: Path, kind: str) -> None:
    folder = leftovers.folder_of(run_id)
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "file").write_text("x")
    match kind:
        case "link":
            folder.symlink_to(tmp_path / "theirs")
        case "file":
            folder.write_text("x")
        case _:
            folder.mkdir(mode=0o755)
            folder.chmod(0o755)
    try:
        with pytest.raises(RalphError, match="belongs to somebody else"):
            leftovers.make(run_id)
        leftovers.remove(run_id)
        assert folder.exists()
        assert (tmp_path / "theirs" / "file").exists()
    finally:
        folder.rmdir() if folder.is_dir() and not folder.is_symlink() else folder.unlink()


def test_a_long_temporary_folder_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A socket's path may have 104 characters on macOS, where temporary folders have 50 already."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / ("x" * 60)))
    assert leftovers.folder_of("r").parent == Path("/tmp")
