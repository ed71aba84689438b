"""Files that grow at their end, and are shared by several processes: opened, locked, appended to, read by lines."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ralph_wiggum.adapters.whole_file import sync_folder

CHUNK = 1 << 20
LONGEST = 16 << 20  # bytes of a line: what is longer is none of ours
LOCK_PATIENCE_SECONDS = 2.0  # others hold the lock for one write; one that was suspended in it must not stop a night
NAP_SECONDS = 0.001
FLAGS = os.O_RDWR | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC


def open_file(path: Path, *, create: bool = False) -> int:
    """Open a file to append; OSError where there is none, also for a pipe or a device in its place."""
    try:
        fd = os.open(path, FLAGS)
    except FileNotFoundError:
        if not create:
            raise
        fd = os.open(path, FLAGS | os.O_CREAT, 0o644)
        sync_folder(path.parent)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "it is no file", str(path))
    return fd


def write_whole(fd: int, data: bytes, size: int) -> None:
    """Append all of `data` to a file of `size` bytes, or leave the file as it was and raise OSError."""
    written = 0
    try:
        while written < len(data):
            written += os.write(fd, data[written:])
    except OSError:
        if written:
            with suppress(OSError):
                os.ftruncate(fd, size)
        raise


def whole_lines(fd: int, start: int, end: int) -> Iterator[tuple[bytes, int]]:
    """Yield the whole lines between two places of a file, in pieces, each with where it ends.

    Of a line that is longer than any of ours one zero byte is left, so that no flood of bytes without a newline fills
    the memory.
    """
    parts: list[bytes] = []
    length, at = 0, start
    while at < end and (data := os.pread(fd, min(CHUNK, end - at), at)):
        at += len(data)
        whole, newline, rest = data.rpartition(b"\n")
        if newline:
            if length > LONGEST:
                parts, whole = [b"\0\n"], whole.partition(b"\n")[2]
            yield b"".join((*parts, whole, newline)), at - len(rest)
            parts, length = [], 0
        length += len(rest)
        parts = [*parts, rest] if length <= LONGEST else []


def read_range(fd: int, start: int, end: int) -> bytes:
    """Return what stands between two places of a file; less where it ends before."""
    parts: list[bytes] = []
    while start < end:
        part = os.pread(fd, min(CHUNK, end - start), start)
        if not part:
            break
        parts.append(part)
        start += len(part)
    return b"".join(parts)


def stamp(fd: int) -> tuple[int, int]:
    """Return what changes when a file is written to: its size and time (which is coarse: some milliseconds)."""
    found = os.fstat(fd)
    return (found.st_size, found.st_mtime_ns)


@contextmanager
def short_lock(fd: int) -> Iterator[None]:
    """Hold the file's lock; go on without it after a while, since one appending write does not tear anyway."""
    deadline = time.monotonic() + LOCK_PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > deadline:
                break
            time.sleep(NAP_SECONDS)
    try:
        yield
    finally:
        fcntl.flock(fd, fcntl.LOCK_UN)


def sync(fd: int) -> None:
    """Bring the data to the disk; where a file system has no such call, it is as good as it gets."""
    try:
        getattr(os, "fdatasync", os.fsync)(fd)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:
            raise
