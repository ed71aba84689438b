"""How much room is left on the file systems that a run writes to."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ralph_wiggum.core.sizes import size

SCRATCH_SHARE = 0.1  # of a file system for temporary files alone: small ones are made to be small


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run writes, in words that go after "free". `scratch`: only temporary files lie there."""

    words: str
    path: Path
    scratch: bool = False


@dataclass(frozen=True, slots=True)
class Room:
    """A file system: bytes that are free for this user, and all that it has."""

    free: int
    total: int


def places(root: Path, state: Path, git_dir: Path | None, environ: Mapping[str, str]) -> tuple[Place, ...]:
    """Return where a run writes: the project, its state, its git directory (None: none), temporary files."""
    temporary = environ.get("TMPDIR") or "/tmp"  # noqa: S108 - where temporary files go by default, nothing is put there
    return (
        Place("where the project lies", root),
        Place("where ralph keeps its state", state),
        *((Place("where git keeps its objects", git_dir),) if git_dir is not None else ()),
        Place("for temporary files", Path(temporary), scratch=True),
    )


def git_folder(root: Path) -> Path | None:
    """Return where git keeps what belongs to a project, without asking git; None where there is no repository.

    `.git` may lie above the project, and be a file that names the place (gitrepository-layout(5)).
    """
    for folder in (root, *root.parents):
        found = folder / ".git"
        if found.is_dir():
            return found
        with suppress(OSError, UnicodeDecodeError):
            return folder / found.read_text("utf-8").removeprefix("gitdir:").strip()
    return None


def room(path: Path) -> Room | None:
    """Return the room where a path is, or will be; None where nobody can tell."""
    for place in (path, *path.parents):
        with suppress(OSError):
            found = os.statvfs(place)
            if not found.f_blocks:  # a file system that has no figures
                return None
            return Room(free=found.f_bavail * found.f_frsize, total=found.f_blocks * found.f_frsize)
    return None


def shortage(wanted: Sequence[Place], floor: int) -> str:
    """Return which file systems have less than `floor` bytes free, with figures; "" if none.

    Each file system is named once, by the first of its places. Where only temporary files lie, a tenth of it is
    enough.
    """
    short: list[str] = []
    seen: set[int] = set()
    for place in wanted:
        device, found = _device(place.path), room(place.path)
        if found is None or device in seen:
            continue
        seen.add(device)
        least = min(floor, int(found.total * SCRATCH_SHARE)) if place.scratch else floor
        if found.free < least:
            short.append(f"{size(found.free)} free {place.words} ({place.path}), {size(least)} wanted")
    return "; ".join(short)


def _device(path: Path) -> int:
    for place in (path, *path.parents):
        with suppress(OSError):
            return place.stat().st_dev
    return -1
