"""The journal of a run of another process, read as it grows; takes no lock and writes nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ralph_wiggum.adapters.append_only import whole_lines
from ralph_wiggum.adapters.journal_seal import JournalReader
from ralph_wiggum.core.journal import Entry


class JournalTail:
    """Entries of a journal that are believed, each once. `anew` counts how often the file turned out to be another one.

    A file that was replaced by a longer one with the same beginning, as the runner does where somebody removed it, is
    read on; one that was cut or is shorter is read from its first line again, and what was read before is void.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.anew = 0
        self._fd = -1
        self._offset = 0
        self._reader = JournalReader()

    def poll(self) -> Iterator[Entry]:
        """Yield what was appended since the last call; a line without its newline is left for later.

        Costs microseconds if there is nothing new. A file that is not there has nothing new.
        """
        if not self._open():
            return
        size = os.fstat(self._fd).st_size
        if size < self._offset:
            self._offset, self._reader = 0, JournalReader()
            self.anew += 1
        for data, end in whole_lines(self._fd, self._offset, size):
            self._offset = end
            yield from self._reader.read(data)

    def close(self) -> None:
        """Close the file; the next poll opens it again and goes on."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _open(self) -> bool:
        """Have the file open that the path leads to now; say whether there is one to read."""
        try:
            there = os.stat(self.path)  # noqa: PTH116 - the pair of fstat
            if self._fd >= 0 and not os.path.samestat(os.fstat(self._fd), there):
                self.close()
            if self._fd < 0:
                self._fd = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:  # it is being replaced: what is open still grows, or nothing does
            pass
        return self._fd >= 0
