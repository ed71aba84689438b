"""Files read whole, and replaced whole or not at all: a temporary file beside them, brought to the disk, renamed."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

TEMPORARY = ".ralph-new"
CHUNK = 1 << 20
_BLOCK, _PART = 4096, 64


def read_file(path: Path, limit: int = -1) -> bytes:
    """Return what a file holds, at most `limit` bytes of it.

    OSError if that cannot be done, also where a pipe or a device stands in the file's place: an agent may put one
    there, and to open it as a file would wait for ever.
    """
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            number = errno.EISDIR if stat.S_ISDIR(found.st_mode) else errno.EINVAL
            raise OSError(number, os.strerror(number) if number == errno.EISDIR else "it is no file", str(path))
        return _read(fd, sys.maxsize if limit < 0 else limit)
    finally:
        os.close(fd)


def _read(fd: int, limit: int) -> bytes:
    parts: list[bytes] = []
    while limit > 0 and (part := os.read(fd, min(CHUNK, limit))):
        parts.append(part)
        limit -= len(part)
    return b"".join(parts)


def replace_file(
    path: Path,
    parts: Iterable[bytes],
    *,
    durable: bool = True,
    settled: bool = True,
    still_wanted: Callable[[], bool] = lambda: True,
) -> bool:
    """Give a file new content. A symbolic link stays one (its target is replaced), the mode stays as it was.

    `durable` brings the content to the disk before it takes its place, `settled` the new place as well: without it a
    power cut may bring back the content of before, whole. `still_wanted` is asked at the last moment; returns whether
    the file was replaced. OSError if it cannot be written; then the file is as it was before.
    """
    target = Path(os.path.realpath(path))
    temporary = temporary_beside(target)
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        with os.fdopen(fd, "wb") as file:
            with suppress(FileNotFoundError):
                os.fchmod(fd, stat.S_IMODE(target.stat().st_mode))
            for part in parts:
                file.write(part)
            file.flush()
            if durable:
                os.fsync(fd)
        if not still_wanted():
            temporary.unlink()
            return False
        os.replace(temporary, target)  # noqa: PTH105 - with the other calls of os
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    if durable and settled:
        sync_folder(target.parent)
    return True


def change_in_place(path: Path, old: bytes, new: bytes, *, most: int = 1, durable: bool = True) -> bool:
    """Change a file in its place where old and new content differ in at most `most` bytes and are of one length.

    One byte is written by the system whole or not at all, so that a crash leaves the old file or the new one, with no
    temporary file and no rename. Returns False where it is not such a change, where the file does not hold `old`, or
    where another file took its place meanwhile. OSError if it cannot be opened or written.
    """
    places = _differing(old, new, most)
    if places is None:
        return False
    fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode) or _read(fd, sys.maxsize) != old:
            return False
        for place in places:
            os.pwrite(fd, new[place : place + 1], place)
        if durable:
            getattr(os, "fdatasync", os.fsync)(fd)
        return os.path.samestat(os.fstat(fd), os.stat(path))  # noqa: PTH116 - the pair of fstat
    finally:
        os.close(fd)


def _differing(old: bytes, new: bytes, most: int) -> list[int] | None:
    """Return where two contents differ, None if they do in more than `most` bytes or in length."""
    if len(old) != len(new):
        return None
    places: list[int] = []
    for start in _unlike(old, new, range(0, len(old), _BLOCK), _BLOCK):
        for part in _unlike(old, new, range(start, min(start + _BLOCK, len(old)), _PART), _PART):
            places += [at for at in range(part, min(part + _PART, len(old))) if old[at] != new[at]]
        if len(places) > most:
            return None
    return places


def _unlike(old: bytes, new: bytes, starts: range, size: int) -> Iterator[int]:
    """Yield where pieces of that size begin that differ."""
    return (start for start in starts if old[start : start + size] != new[start : start + size])


def make_way(path: Path) -> Path:
    """Move what stands where a file or a folder of ours belongs to a free name beside it; return that name."""
    aside = next(name for n in count(1) if not os.path.lexists(name := path.with_name(f"{path.name}.{n}")))
    path.rename(aside)
    return aside


def sync_folder(folder: Path) -> None:
    """Bring a new name in a folder to the disk."""
    with suppress(OSError):
        fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def temporary_beside(target: Path) -> Path:
    """Return the one name that a file's next content may have, so that a crash leaves at most that one behind."""
    return target.with_name(f".{target.name}{TEMPORARY}")


def remove_left_over(path: Path) -> None:
    """Remove the temporary file of a write that a crash cut off."""
    with suppress(OSError):
        temporary_beside(Path(os.path.realpath(path))).unlink()
