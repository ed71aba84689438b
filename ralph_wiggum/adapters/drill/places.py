"""The folder of one drill: made where copies are cheap, removed in every case, and those of dead drills with it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from ralph_wiggum.adapters.drill.small_disk import unmount
from ralph_wiggum.adapters.run_lock import process_began

PREFIX = "ralph-drill-"
KEPT = "kept"  # a file that says that a person wanted to look at the copies


def home_of_copies(root: Path, env: Mapping[str, str], temporary: Path) -> Path:
    """Return where copies go: the temporary folder, or the person's cache where only that is on the same disk.

    Objects of a large repository can be linked there.
    """
    cache = Path(env.get("XDG_CACHE_HOME") or Path(env.get("HOME") or "/", ".cache"))
    wanted = root.stat().st_dev
    for place in (temporary, cache):
        if place.is_dir() and place.stat().st_dev == wanted and os.access(place, os.W_OK | os.X_OK):
            return place
    return temporary


@contextmanager
def drill_folder(home: Path, *, keep: bool) -> Iterator[Path]:
    """Give a new folder and remove it in the end, with whatever is mounted below it; `keep` leaves it."""
    remove_dead(home)
    pid = os.getpid()
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{pid}-{process_began(pid)}-", dir=home))
    try:
        yield folder
    finally:
        if keep:
            with suppress(OSError):
                (folder / KEPT).touch()
        else:
            _remove(folder)


def remove_dead(home: Path) -> None:
    """Remove what drills left behind that were killed."""
    with suppress(OSError):
        for folder in home.glob(f"{PREFIX}*"):
            pid, _, rest = folder.name.removeprefix(PREFIX).partition("-")
            mine = folder.is_dir() and not folder.is_symlink() and folder.stat().st_uid == os.getuid()
            dead = pid.isdecimal() and process_began(int(pid)) != rest.partition("-")[0]
            if mine and dead and not (folder / KEPT).exists():
                _remove(folder)


def _remove(folder: Path) -> None:
    for disk in folder.glob("*/disk"):
        unmount(disk)
    shutil.rmtree(folder, ignore_errors=True)
