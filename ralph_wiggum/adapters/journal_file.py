"""The journal on disk: append-only, one line an entry, shared by the runner and the commands that run beside it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ralph_wiggum.adapters.append_only import (
    FLAGS,
    open_file,
    read_range,
    short_lock,
    stamp,
    sync,
    whole_lines,
    write_whole,
)
from ralph_wiggum.adapters.journal_copy import JournalCopy
from ralph_wiggum.adapters.journal_seal import SUFFIX_BYTES, WISHES, JournalReader, is_welcome, seal
from ralph_wiggum.adapters.project import make_state
from ralph_wiggum.adapters.rights import give_back
from ralph_wiggum.adapters.whole_file import make_way, read_file, sync_folder
from ralph_wiggum.core import journal_lines
from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.journal import Entry

FLOOD = 16 << 20  # bytes at once that nobody but a runaway program writes
SEARCHED = 256 << 20
WISH = b'_asked"'  # stands in each line of one
TRIES = 3  # before an entry is written whatever somebody else does to the file meanwhile
_NO_FILE = frozenset({errno.ENOENT, errno.EISDIR, errno.EINVAL, errno.ENXIO, errno.ELOOP, errno.ENOTDIR})


def read_journal(path: Path) -> tuple[tuple[Entry, ...], int]:
    """Return all entries of a journal that are believed, and how many lines could not be read.

    Nothing where there is no file, or something that is none; RalphError if it may not be read.
    """
    try:
        data = read_file(path)
    except OSError as error:
        if error.errno in _NO_FILE:
            return (), 0
        raise RalphError(f"cannot read {path}: {error.strerror}", hint="ralph keeps its state there") from None
    reader = JournalReader()
    return reader.read(data), reader.bad


class JournalFile:
    """One journal, opened when it is first needed.

    Who writes more than wishes into it is the runner, and from then on knows what the file must hold: one that is
    removed or replaced (an agent's `git clean -fdx`), cut, overwritten or scribbled into is written anew, with the
    wishes of persons that stand in it. `mended` holds words about that for the log. Others only ever append.
    `bad_lines` counts lines that `poll` could not read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.mended: list[str] = []
        self._reader = JournalReader()
        self._fd = -1
        self._offset = 0  # up to here it was polled
        self._copy: JournalCopy | None = None
        self._keeps = False
        self._stamp = (-1, -1)  # size and time at which the file was known to hold what it must
        self._spoilt = False  # by an entry that failed and could not be taken out again

    @property
    def bad_lines(self) -> int:
        """Return how many lines could not be read."""
        return self._reader.bad

    def append(self, entry: Entry) -> None:
        """Write one entry durably, whole or not at all; OSError if that cannot be done."""
        line = journal_lines.to_line(entry).encode("utf-8", "replace")
        self._open(create=True)
        if not self._keeps and not isinstance(entry, WISHES):
            self._keep()
        with self._locked():
            size = os.fstat(self._fd).st_size
            end = os.pread(self._fd, SUFFIX_BYTES + 1, max(0, size - SUFFIX_BYTES - 1))
            line = seal(line, end)
            if size and not end.endswith(b"\n"):
                line = b"\n" + line  # a line that was torn by a crash stays torn, and alone
            self._write(line, size)
            try:
                sync(self._fd)
            except OSError:  # who asked will ask again: an entry that failed must not stand there twice
                self._spoilt = True
                os.ftruncate(self._fd, size)
                self._spoilt = False
                raise
            if self._copy is not None:
                self._copy.append(line)
                self._stamp = stamp(self._fd)

    def poll(self) -> tuple[Entry, ...]:
        """Return what was appended since the last poll, own entries and those of others, in the order of the file.

        A line without its newline is left for later. Costs microseconds if there is nothing new.
        """
        if not self._open(create=False):
            return ()
        self._stay_in_place()
        if damage := self._damage():
            self._write_anew(damage)
        size = os.fstat(self._fd).st_size
        if size < self._offset:
            self._offset, self._reader = 0, JournalReader()  # cut from outside: what is there now is all there is
        found: list[Entry] = []
        for data, end in whole_lines(self._fd, self._offset, size):
            found.extend(self._reader.read(data))
            self._offset = end
        return tuple(found)

    def read_all(self) -> tuple[Entry, ...]:
        """Return all entries from the first on, without moving `poll`."""
        if not self._open(create=False):
            return ()
        reader = JournalReader()
        size = os.fstat(self._fd).st_size
        return tuple(entry for data, _ in whole_lines(self._fd, 0, size) for entry in reader.read(data))

    def close(self) -> None:
        """Close the descriptor; the next use opens it again."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
        if self._copy is not None:
            self._copy.close()
        self._copy, self._keeps = None, False

    def _write(self, line: bytes, size: int) -> None:
        try:
            write_whole(self._fd, line, size)
        except PermissionError:  # made immutable under us
            if not give_back(self.path, write=True):
                raise
            write_whole(self._fd, line, size)

    def _open(self, *, create: bool) -> bool:
        """Have the file open; say whether there is one. What is no file makes way where one is to be written."""
        if self._fd >= 0:
            return True
        if create:
            make_state(self.path.parent)
        try:
            if create:
                give_back(self.path, write=True)
            self._fd = open_file(self.path, create=create)
        except OSError as error:
            if error.errno not in _NO_FILE:
                raise
            if not create:
                return False
            self._fd = _recreate(self.path, b"")
        return True

    def _keep(self) -> None:
        """Begin to know what the file must hold: all that it holds now."""
        self._keeps = True
        # with a full disk, what is removed can still be written anew, what is cut cannot; the lock: no half of a line
        with suppress(OSError), short_lock(self._fd):
            self._copy = JournalCopy(self.path.parent, self._fd)
            self._stamp = stamp(self._fd)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock of the very file that the path leads to, and that holds what it must."""
        for tries in range(TRIES, -1, -1):
            self._stay_in_place()
            with short_lock(self._fd):
                damage = self._damage()
                if not tries or (not damage and self._in_place()):  # else the runner wrote it anew while we waited
                    yield
                    return
            if damage:
                self._write_anew(damage)

    def _in_place(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._fd), os.stat(self.path))  # noqa: PTH116 - the pair of fstat
        except OSError:
            return False

    def _stay_in_place(self) -> None:
        """Have the file open that the path leads to: the runner writes its own anew, others take what is there."""
        if self._in_place():
            return
        if self._keeps:
            make_state(self.path.parent)
            if not self._in_place():
                self._write_anew("was removed or replaced")
            return
        with suppress(OSError):
            fd = open_file(self.path)
            os.close(self._fd)
            self._fd = fd

    def _damage(self) -> str:
        """Say what somebody else did to the file, "" if nothing: what ralph writes is welcome, and is known then."""
        now = stamp(self._fd)
        if self._copy is None or not self._copy.whole or (now == self._stamp and not self._spoilt):
            return ""
        if self._spoilt:
            return "holds an entry that failed"
        size = now[0]
        if not self._copy.begins(self._fd, size):
            return "was cut or overwritten"
        if size - self._copy.size > FLOOD:
            return "was flooded"
        for data, _ in whole_lines(self._fd, self._copy.size, size):
            if not all(map(is_welcome, filter(None, data.split(b"\n")))):
                return "was written into by somebody else"
            self._copy.append(data)
        self._stamp = now
        return ""

    def _write_anew(self, what: str) -> None:
        """Put a file with all that is known in the place of what is there, and take the wishes over that stand in it.

        Without a copy of our own the descriptor has to do: it still leads to a file that was removed.
        """
        known = self._copy.fd if self._copy is not None and self._copy.whole else self._fd
        wishes = _wishes(self.path)
        old = self._fd
        with short_lock(old):
            self._fd = _recreate(self.path, read_range(known, 0, os.fstat(known).st_size))
        os.close(old)
        self._stamp = stamp(self._fd)
        self._spoilt = False
        self.mended.append(f"the journal {what}; it holds again what the runner knows")
        asked = self.read_all() if wishes else ()
        for entry in wishes:  # a person asked through the file that stood there in between
            if entry not in asked:
                self.append(entry)


def _wishes(path: Path) -> tuple[Entry, ...]:
    """Return the wishes in whatever stands there; of a flood only the first part is searched."""
    found: list[Entry] = []
    with suppress(OSError):  # a folder, a pipe
        fd = open_file(path)
        try:
            for data, _ in whole_lines(fd, 0, min(os.fstat(fd).st_size, SEARCHED)):
                if WISH in data:
                    entries, _ = journal_lines.read(data.decode("utf-8", "replace"))
                    found.extend(entry for entry in entries if isinstance(entry, WISHES))
        finally:
            os.close(fd)
    return tuple(found)


def _recreate(path: Path, data: bytes) -> int:
    """Put a new file with this content in the place of whatever is there; return its descriptor, open to append."""
    make_state(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    fd = os.open(temporary, FLAGS | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        write_whole(fd, data, 0)
        sync(fd)
        if path.is_dir() and not path.is_symlink():
            make_way(path)
        os.replace(temporary, path)  # noqa: PTH105 - with the other calls of os
    except OSError:
        os.close(fd)
        raise
    sync_folder(path.parent)
    return fd
