"""The journal on disk: append-only, one line an entry, shared by the runner and the commands that run beside it."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ralph_wiggum.adapters.project import make_state
from ralph_wiggum.adapters.whole_file import make_way, read_file, sync_folder
from ralph_wiggum.core import journal
from ralph_wiggum.core.journal import Entry, SkipAsked

CHUNK = 1 << 20
LOCK_PATIENCE_SECONDS = 2.0  # others hold the lock for one write; one that was suspended in it must not stop a night
NAP_SECONDS = 0.001


def read_journal(path: Path) -> tuple[tuple[Entry, ...], int]:
    """Return all entries of a journal, and how many lines could not be read; nothing if there is no file."""
    try:
        data = read_file(path)
    except FileNotFoundError:
        return (), 0
    return journal.read(data.decode("utf-8", "replace"))


class JournalFile:
    """One journal, opened when it is first needed.

    A file that is removed or replaced while it is open (an agent's `git clean -fdx`) is written anew from the
    descriptor, which still holds all of it. `bad_lines` counts lines that `poll` could not read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bad_lines = 0
        self._fd = -1
        self._offset = 0

    def append(self, entry: Entry) -> None:
        """Write one entry durably, whole or not at all; OSError if that cannot be done."""
        line = journal.to_line(entry).encode("utf-8", "replace")
        self._open(create=True)
        self._keep_in_place()
        with _short_lock(self._fd):
            size = os.fstat(self._fd).st_size
            if size and os.pread(self._fd, 1, size - 1) != b"\n":
                line = b"\n" + line  # a line that was torn by a crash stays torn, and alone
            _write_whole(self._fd, line, size)
        _sync(self._fd)

    def poll(self) -> tuple[Entry, ...]:
        """Return what was appended since the last poll, own entries and those of others, in the order of the file.

        A line without its newline is left for later. Costs microseconds if there is nothing new.
        """
        if not self._open(create=False):
            return ()
        self._keep_in_place()
        size = os.fstat(self._fd).st_size
        if size < self._offset:
            self._offset = 0  # cut from outside: what is there now is all there is
        if size == self._offset:
            return ()
        data = _read(self._fd, self._offset, size)
        whole = data.rfind(b"\n") + 1
        self._offset += whole
        entries, bad = journal.read(data[:whole].decode("utf-8", "replace"))
        self.bad_lines += bad
        return entries

    def read_all(self) -> tuple[Entry, ...]:
        """Return all entries from the first on, without moving `poll`."""
        if not self._open(create=False):
            return ()
        data = _read(self._fd, 0, os.fstat(self._fd).st_size)
        return journal.read(data.decode("utf-8", "replace"))[0]

    def close(self) -> None:
        """Close the descriptor; the next use opens it again."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _open(self, *, create: bool) -> bool:
        if self._fd >= 0:
            return True
        flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC
        try:
            self._fd = os.open(self.path, flags)
        except FileNotFoundError:
            if not create:
                return False
            make_state(self.path.parent)
            self._fd = os.open(self.path, flags | os.O_CREAT, 0o644)
            sync_folder(self.path.parent)
        return True

    def _keep_in_place(self) -> None:
        """Write the file anew if the path does not lead to it any more."""
        with suppress(FileNotFoundError, NotADirectoryError):
            if os.path.samestat(os.fstat(self._fd), os.stat(self.path)):  # noqa: PTH116 - the pair of fstat
                return
        asked: list[Entry] = []
        with suppress(OSError):  # a folder, a pipe
            asked = [entry for entry in read_journal(self.path)[0] if isinstance(entry, SkipAsked)]
        old = self._fd
        data = _read(old, 0, os.fstat(old).st_size)
        self._fd = _recreate(self.path, data)
        os.close(old)
        known = journal.read(data.decode("utf-8", "replace"))[0] if asked else ()
        for entry in asked:  # a person asked through the file that stood there in between
            if entry not in known:
                self.append(entry)


def _recreate(path: Path, data: bytes) -> int:
    """Put a new file with this content in the place of whatever is there; return its descriptor, open to append."""
    make_state(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    fd = os.open(temporary, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        _write_whole(fd, data, 0)
        _sync(fd)
        if path.is_dir():
            make_way(path)
        os.replace(temporary, path)  # noqa: PTH105 - with the other calls of os
    except OSError:
        os.close(fd)
        raise
    sync_folder(path.parent)
    return fd


def _write_whole(fd: int, data: bytes, size: int) -> None:
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


def _read(fd: int, start: int, end: int) -> bytes:
    parts: list[bytes] = []
    while start < end:
        part = os.pread(fd, min(CHUNK, end - start), start)
        if not part:
            break
        parts.append(part)
        start += len(part)
    return b"".join(parts)


@contextmanager
def _short_lock(fd: int) -> Iterator[None]:
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


def _sync(fd: int) -> None:
    """Bring the data to the disk; where a file system has no such call, it is as good as it gets."""
    try:
        getattr(os, "fdatasync", os.fsync)(fd)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:
            raise
