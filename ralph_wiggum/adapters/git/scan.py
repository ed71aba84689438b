"""What the files of a repository look like from outside: taken after every attempt, without a process."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ralph_wiggum.adapters.git.mirror import store_folders
from ralph_wiggum.adapters.git.origin import Number, Origin

# Folders that are looked at when the safety copy is made and not after every attempt: other work trees are somebody
# else's, submodules are none of a task's business, and the large stores are named by content.
APART = frozenset({"objects", "modules", "worktrees", "lfs", "annex"})
_COARSE_NS = 12_000_000  # a folder may change again without another time within a tick of the kernel's clock

Stamp = tuple[int, int, int, int]  # time of change (ns), size, inode, mode
Stores = dict[str, tuple[int, int]]


class Scan(NamedTuple):
    """Signs of a repository; equal ones mean that nothing happened.

    `dot_git` and `common` are numbers and more (None: gone), `stores` the folders of objects with time (0: just now)
    and mode, `files` all others by path, `shut` the paths that could not be looked at.
    """

    dot_git: tuple[int, ...] | None
    common: Number | None
    stores: Stores
    files: dict[str, Stamp]
    folders: dict[str, int]
    shut: tuple[str, ...]


def scan(origin: Origin) -> Scan:
    """Look at a repository as it is now."""
    files: dict[str, Stamp] = {}
    folders: dict[str, int] = {}
    shut: list[str] = []
    for top in {origin.common_dir: None, origin.git_dir: None}:
        with suppress(OSError):
            folders[str(top)] = top.stat().st_mode
        _walk(str(top), APART, files, folders, shut)
    numbers = _dot_git(origin.dot_git_path), _number(origin.common_dir)
    return Scan(*numbers, scan_stores(origin), files, folders, tuple(shut))


def stamp(path: Path) -> Stamp:
    """Look at one file; OSError where it is gone."""
    return _stamp(path.lstat())


def _stamp(found: os.stat_result) -> Stamp:
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode


def scan_stores(origin: Origin) -> Stores:
    """Look at the folders of objects alone."""
    return dict(_stores(str(origin.common_dir / "objects"), time.time_ns() - _COARSE_NS))


def _walk(
    folder: str, apart: frozenset[str], files: dict[str, Stamp], folders: dict[str, int], shut: list[str]
) -> None:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    found = entry.stat(follow_symlinks=False)
                    if entry.is_dir(follow_symlinks=False):
                        folders[entry.path] = found.st_mode
                        if entry.name not in apart:
                            _walk(entry.path, frozenset(), files, folders, shut)
                    else:
                        files[entry.path] = _stamp(found)
    except FileNotFoundError:
        return
    except OSError:
        shut.append(folder)


def _stores(objects: str, recent: int) -> Iterator[tuple[str, tuple[int, int]]]:
    with suppress(OSError):
        for path in store_folders(objects):
            with suppress(OSError):
                found = os.stat(path)  # noqa: PTH116 - asked hundreds of times after every attempt
                time_ns = found.st_mtime_ns
                yield path, (0 if time_ns > recent else time_ns, found.st_mode)


def _dot_git(path: Path) -> tuple[int, ...] | None:
    """Return signs of `.git`: a file or link that is made anew may have the number of the old one, a folder not."""
    try:
        found = path.lstat()
    except OSError:
        return None
    more = () if stat.S_ISDIR(found.st_mode) else (found.st_mtime_ns, found.st_size)
    return (found.st_dev, found.st_ino, stat.S_IFMT(found.st_mode), *more)


def _number(path: Path) -> Number | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
