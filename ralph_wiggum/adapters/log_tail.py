"""The log of an attempt of another process, as a person wants to see it while it grows; reads only."""

from __future__ import annotations

import os
from pathlib import Path

from ralph_wiggum.core.terminal import Cleaner

SHOWN_BYTES = 64 * 1024  # of what came since the last look; all of it is in the log
HEADER_END = b"\n\n"


class LogTail:
    """What an agent prints, clean; `dialect` tells how to read its lines (core.dialects), "text": as they stand."""

    def __init__(self, path: Path, dialect: str = "text") -> None:
        self.path = path
        self._fd = -1
        self._offset = 0
        self._rest = b""
        self._cleaner = Cleaner()
        self._hear = None
        if dialect != "text":
            from ralph_wiggum.core.dialects import table  # noqa: PLC0415 - only where there are events

            known = dialect in table.DIALECTS or dialect in table.TEXTS
            self._hear = table.reader(dialect).hear if known else None

    def poll(self) -> str:
        """Return what was printed since the last call, the end of it where that is much."""
        data = self._read()
        if not data:
            return ""
        if self._hear is None:
            return self._cleaner.feed(data.decode("utf-8", "replace")) + self._cleaner.rest()
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[-SHOWN_BYTES:]
        return "".join(map(self._hear, lines))

    def close(self) -> None:
        """Close the file."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _read(self) -> bytes:
        try:
            if self._fd < 0:
                self._fd = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            size = os.fstat(self._fd).st_size
            if size < self._offset:  # another attempt of the same number began it anew
                self._offset = 0
            begins = self._offset == 0
            start = max(self._offset, size - SHOWN_BYTES)
            data = os.pread(self._fd, max(0, size - start), start)
        except OSError:  # it is not there yet, or is something else
            return b""
        self._offset = start + len(data)
        return data.partition(HEADER_END)[2] if begins and start == 0 else data
