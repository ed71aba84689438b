"""What the runner knows its journal to hold: a file without a name beside it, which nobody else can cut or remove."""

from __future__ import annotations

import os
import weakref
from contextlib import suppress
from pathlib import Path

from ralph_wiggum.adapters.append_only import CHUNK, read_range, write_whole


class JournalCopy:
    """A copy of a journal from the moment it is made; it is gone with the process. Memory stays as it is.

    `whole`: what could not be written (a full disk) makes the copy worthless, and nothing is told from it any more.
    """

    def __init__(self, folder: Path, fd: int) -> None:
        """Copy what the file with this descriptor holds; OSError if that cannot be done."""
        self.fd = _nameless(folder)
        self.close = weakref.finalize(self, os.close, self.fd)
        self.size = 0
        self.whole = True
        end = os.fstat(fd).st_size
        for start in range(0, end, CHUNK):
            data = read_range(fd, start, min(start + CHUNK, end))
            write_whole(self.fd, data, self.size)
            self.size += len(data)

    def append(self, data: bytes) -> None:
        """Add what was added to the journal."""
        if not self.whole:
            return
        try:
            write_whole(self.fd, data, self.size)
        except OSError:
            self.whole = False
            with suppress(OSError):
                os.ftruncate(self.fd, 0)
        else:
            self.size += len(data)

    def begins(self, fd: int, size: int) -> bool:
        """Say whether a file of `size` bytes begins with all that is known."""
        if size < self.size:
            return False
        ends = ((start, min(start + CHUNK, self.size)) for start in range(0, self.size, CHUNK))
        return all(read_range(fd, start, end) == read_range(self.fd, start, end) for start, end in ends)


def _nameless(folder: Path) -> int:
    """Return the descriptor of a new file that has no name in the folder, or none for longer than a moment."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC
    with suppress(OSError, AttributeError):  # macOS has no such flag, some file systems cannot
        return os.open(folder, flags | os.O_TMPFILE, 0o600)
    path = folder / f".journal.copy.{os.getpid()}"
    fd = os.open(path, flags | os.O_CREAT | os.O_TRUNC, 0o600)
    with suppress(OSError):
        path.unlink()
    return fd
