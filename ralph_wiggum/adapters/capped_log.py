"""The ends of a flood: the last bytes in memory, and a log file that keeps its head and its tail."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from ralph_wiggum.core.terminal import clean

_CONTINUATIONS = bytes(range(0x80, 0xC0))  # of UTF-8: no character begins with one of these
_NEAR_BYTES = 1024


class Tail:
    """The last bytes of a stream, at most `size` of them, at two copies a byte; `total` counts all that came."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept = bytearray()
        self.total = 0

    def add(self, data: bytes) -> None:
        """Take more bytes; what is older than `size` bytes is forgotten."""
        self.total += len(data)
        if len(data) >= self._size:
            self._kept[:] = data[len(data) - self._size :]
            return
        self._kept += data
        if len(self._kept) > 2 * self._size:
            del self._kept[: -self._size]

    def bytes(self) -> bytes:
        """Return what is kept, `size` bytes or fewer."""
        return bytes(self._kept[max(0, len(self._kept) - self._size) :])

    def clear(self) -> None:
        """Forget what is kept and how much came."""
        self._kept.clear()
        self.total = 0

    @property
    def cut(self) -> bool:
        """Say whether bytes were forgotten."""
        return self.total > self._size

    def text(self, size: int | None = None) -> str:
        """Return the last `size` bytes (default: all that is kept) as clean text.

        Where the beginning was cut off, it starts with the next line, if that is near.
        """
        data = self.bytes()
        if size is not None:
            data = data[max(0, len(data) - size) :]
        elif self.cut:  # a terminal sequence or a character may have lost its beginning
            data = data[data.find(b"\n", 0, _NEAR_BYTES) + 1 :].lstrip(_CONTINUATIONS)
        return clean(data.decode("utf-8", errors="replace"))


class Log:
    """A file that keeps the first and the last bytes of what is written, with a line between that counts the rest.

    The last bytes are written by `close`. A full disk or a folder that cannot be written stops nothing: `problem`
    says what went wrong, the rest is dropped.
    """

    def __init__(self, path: Path, *, head_bytes: int, tail_bytes: int, header: str = "") -> None:
        self.problem = ""
        self._path = path
        self._room = head_bytes
        self._tail = Tail(tail_bytes)
        self._file: BinaryIO | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("wb", buffering=0)
        except OSError as error:
            self._give_up(error)
        if header:
            self._put(header.encode("utf-8", errors="replace"))

    def write(self, data: bytes) -> None:
        """Add bytes; they go to the file at once while there is room at its head."""
        if self._room:
            head = data[: self._room]
            self._room -= len(head)
            self._put(head)
            data = data[len(head) :]
        if data:
            self._tail.add(data)

    def close(self) -> None:
        """Write the last bytes and close the file; may be called again."""
        tail = self._tail.bytes()
        if cut := self._tail.total - len(tail):
            self._put(f"\n[… {cut} bytes cut here …]\n".encode())
        self._put(tail)
        if self._file is not None:
            self._file.close()
            self._file = None

    def _put(self, data: bytes) -> None:
        if self._file is None:
            return
        try:
            while data:  # an unbuffered file may take a part only
                data = data[self._file.write(data) :]
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self.problem = f"cannot write the log {self._path}: {error.strerror or error}"
        if self._file is not None:
            self._file.close()
            self._file = None
