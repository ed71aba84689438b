"""Permissions that were taken from a git folder are given back, by those of the safety copy. Owners cannot be."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ralph_wiggum.adapters.git.safe_copy import SafeCopy
from ralph_wiggum.adapters.git.scan import Scan

_FOLDER, _FILE = stat.S_IRWXU, stat.S_IRUSR
_OBJECT_MODE = 0o444  # as git makes them; the copy is a link, so its mode was taken as well


def permissions_taken(found: Scan) -> bool:
    """Say whether git's owner cannot read a file, or cannot work in a folder."""
    if found.shut:
        return True
    modes = (*found.folders.values(), *(mode for _, mode in found.stores.values()))
    return any(_FOLDER & ~mode for mode in modes) or any(_FILE & ~stamp[3] for stamp in found.files.values())


def give_permissions(folder: Path, copy: SafeCopy) -> int:
    """Give the owner back what git needs below a folder; return how many paths lacked it. OSError if not ours."""
    count = 0
    for path, objects in _below(folder, objects=False):
        found = path.lstat().st_mode
        needed = _FOLDER if stat.S_ISDIR(found) else _FILE
        if stat.S_ISLNK(found) or not needed & ~found:
            continue
        mode = _OBJECT_MODE if objects and needed == _FILE else _mode_of_copy(copy, path)
        path.chmod(stat.S_IMODE(found | mode | needed))
        count += 1
    return count


def _below(folder: Path, *, objects: bool) -> Iterator[tuple[Path, bool]]:
    """Yield a folder and all below it, each before what it holds, with whether it lies among the objects."""
    yield folder, objects
    with os.scandir(folder) as entries:
        found = [*entries]
    for entry in found:
        inner = objects or entry.name == "objects"
        if entry.is_dir(follow_symlinks=False):
            yield from _below(Path(entry.path), objects=inner)
        else:
            yield Path(entry.path), inner


def _mode_of_copy(copy: SafeCopy, path: Path) -> int:
    with suppress(OSError, KeyError):
        return copy.at(path).lstat().st_mode
    return 0
