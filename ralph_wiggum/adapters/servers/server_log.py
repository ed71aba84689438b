"""The log of one server: a file that the server itself appends to, and that the runner keeps small and reads.

A file and not a pipe: a server whose output nobody reads stops at the next line that it prints, and the runner has
more to do than to read. What it prints meanwhile it writes to the disk, so the file is cut by size whenever the runner
looks after the server. It cannot be renamed (the server would go on writing into the old one): its end is copied to
`NAME.log.1`, and it is cut to nothing; both ends write by O_APPEND, so the next line stands at its beginning. What is
printed in the moment between copy and cut is lost.
"""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from pathlib import Path

from ralph_wiggum.adapters.project import STATE, make_state
from ralph_wiggum.adapters.whole_file import make_way
from ralph_wiggum.core.terminal import clean

LOG_BYTES = 5 << 20
KEPT = 2  # older parts beside it
TAIL_CHARACTERS = 4000

_TAIL_BYTES = 16 << 10
_LOOK_BYTES = 256 << 10  # of one look for a line
_LINE_CHARACTERS = 4096
_COPY_BYTES = 1 << 20
_FLOOD = 2  # times the limit: more than that came between two looks, and only its end is worth the copying
_FLOOD_BYTES = 256 << 10


class ServerLog:
    """The log of one server, from its first start on.

    A full disk or a folder that cannot be written stops nothing: `problem` says why there is no log then.
    """

    def __init__(self, path: Path, *, limit: int = LOG_BYTES) -> None:
        self.path = path
        self.problem = ""
        self._limit = limit
        self._fd = -1
        self._since = 0  # where the output of this start begins
        self._read = 0  # up to where lines were looked at
        self._before = b""  # the end of what was cut away since this start
        self._matched = False
        self._tail: tuple[int, str] = (-1, "")

    def begin(self, header: str) -> int:
        """Begin another start with a header line; return the descriptor that the server is to write to.

        It stays ours, and is valid until the next call of `begin` or `close`.
        """
        self.close()
        self.problem = ""
        try:
            self._fd = _open(self.path)
        except OSError as error:
            self.problem = f"cannot write the log {self.path}: {error.strerror or error}"
            self._fd = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        with suppress(OSError):  # a full disk
            os.write(self._fd, header.encode("utf-8", errors="replace"))
        self._since = self._read = self._size()
        self._before, self._matched, self._tail = b"", False, (-1, "")
        return self._fd

    def rotate(self) -> None:
        """Cut the file where it has grown over its limit."""
        size = self._size()
        if size <= self._limit:
            return
        start = max(self._since, size - _TAIL_BYTES)
        self._before = (self._before + os.pread(self._fd, _TAIL_BYTES, start))[-_TAIL_BYTES:]
        if self._is_ours():
            self._keep(size)
        with suppress(OSError):
            os.ftruncate(self._fd, 0)
            self._since = self._read = 0
            self._tail = (-1, "")

    def tail(self) -> str:
        """Return the end of what was printed since this start: clean text, at most TAIL_CHARACTERS."""
        size = self._size()
        if self._tail[0] != size:
            start = max(self._since, size - _TAIL_BYTES)
            data = (self._before + os.pread(self._fd, _TAIL_BYTES, start))[-_TAIL_BYTES:] if self._fd >= 0 else b""
            self._tail = (size, _end(clean(data.decode("utf-8", errors="replace")).strip("\n")))
        return self._tail[1]

    def matches(self, pattern: re.Pattern[str]) -> bool:
        """Say whether a line printed since this start matches; reads on from where the last call ended."""
        if self._fd >= 0 and not self._matched:
            data = os.pread(self._fd, _LOOK_BYTES, self._read)
            whole = data.rfind(b"\n") + 1
            # A line that is not finished yet is looked at again, unless it is longer than what is looked at.
            self._read += whole if whole or len(data) < _LOOK_BYTES else len(data)
            lines = clean(data.decode("utf-8", errors="replace")).split("\n")
            self._matched = any(pattern.search(line[:_LINE_CHARACTERS]) for line in lines)
        return self._matched

    def close(self) -> None:
        """Close our descriptor; may be called again. There is no tail any more then."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _size(self) -> int:
        return os.fstat(self._fd).st_size if self._fd >= 0 else 0

    def _is_ours(self) -> bool:
        """Say whether the path still leads to the file that the server writes to: an agent may have removed it."""
        try:
            return os.path.samestat(os.fstat(self._fd), self.path.stat())
        except OSError:
            return False

    def _keep(self, size: int) -> None:
        """Move older parts on by one, and copy the end of the file into the first of them."""
        parts = [self.path, *(self.path.with_name(f"{self.path.name}.{number}") for number in range(1, KEPT + 1))]
        with suppress(OSError):
            for older, newer in zip(reversed(parts[2:]), reversed(parts[1:-1]), strict=True):
                if newer.exists():
                    newer.replace(older)
            try:
                kept = self._limit if size <= _FLOOD * self._limit else min(self._limit, _FLOOD_BYTES)
                self._copy(parts[1], max(0, size - kept), size)
            except OSError:  # a full disk: half a copy only takes room
                parts[1].unlink()

    def _copy(self, to: Path, start: int, end: int) -> None:
        with to.open("wb", buffering=0) as file:
            while start < end and (data := os.pread(self._fd, min(_COPY_BYTES, end - start), start)):
                start += file.write(data)


def _open(path: Path) -> int:
    """Open the log to append to. Below .ralph/ what is no file makes way (an agent may put a pipe in its place)."""
    if STATE in path.parent.parts:
        make_state(path.parent)
        with suppress(FileNotFoundError):
            if not stat.S_ISREG(path.lstat().st_mode):
                make_way(path)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
    # not blocking: a pipe that nobody reads would be waited for
    fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644)
    os.set_blocking(fd, True)
    return fd


def _end(text: str) -> str:
    """Return the last characters of a text, from the beginning of a line on where one is near."""
    if len(text) <= TAIL_CHARACTERS:
        return text
    text = text[-TAIL_CHARACTERS:]
    newline = text.find("\n")
    return text[newline + 1 :] if 0 <= newline < TAIL_CHARACTERS // 2 else text
