"""The ends of a flood: the last bytes in memory, and a log file that keeps its head and its tail."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from ralph_wiggum.core.terminal import clean

_CONTINUATIONS = bytes(range(0x80, 0xC0))  # of UTF-8: no character begins with one of these
_NEAR_BYTES = 1024
_SAVING_SHARE = 50  # the part of the time that goes into writing the last bytes of a flood anew is one in so many


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

    The last bytes are in the file while it is written, and not only once it is closed: a runner that is killed leaves
    them too. They are written anew in their place behind the first ones, as often as a fiftieth of the time allows
    (some hundred times a second; less on a slow disk); a kill in the very middle of that leaves the beginning of the
    new ones before the end of the old ones. A full disk or a folder that cannot be written stops nothing:
    `problem` says what went wrong, the rest is dropped.
    """

    def __init__(
        self,
        path: Path,
        *,
        head_bytes: int,
        tail_bytes: int,
        header: str = "",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.problem = ""
        self._path = path
        self._head_room = head_bytes
        self._tail_room = tail_bytes
        self._tail = Tail(tail_bytes)
        self._monotonic = monotonic
        self._next_save = 0.0
        self._behind = False  # the file lacks what came last
        self._file: BinaryIO | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("wb", buffering=0)
        except OSError as error:
            self._give_up(error)
        top = header.encode("utf-8", errors="replace")
        self._tail_at = len(top) + head_bytes
        self._put(top)

    def write(self, data: bytes) -> None:
        """Add bytes; they go to the file at once while there is room for them behind the others."""
        if self._head_room:
            head = data[: self._head_room]
            self._head_room -= len(head)
            self._put(head)
            data = data[len(head) :]
        if data:
            self._tail.add(data)
            self._follow(data)

    def close(self) -> None:
        """Write the last bytes and close the file; may be called again."""
        if self._behind:
            self._save()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _follow(self, data: bytes) -> None:
        """Have the file hold what came behind its head: simply added at first, from then on only the last of it."""
        if len(data) <= self._tail_room:
            self._tail_room -= len(data)
            self._put(data)
            return
        self._tail_room = 0
        self._behind = True
        if self._monotonic() >= self._next_save:
            self._save()

    def _save(self) -> None:
        began = self._monotonic()
        tail = self._tail.bytes()
        self._put(f"\n[… {self._tail.total - len(tail)} bytes cut here …]\n".encode() + tail, self._tail_at)
        self._behind = False
        now = self._monotonic()
        self._next_save = now + (now - began) * _SAVING_SHARE

    def _put(self, data: bytes, at: int | None = None) -> None:
        """Write bytes behind what is there, or at a place: then the file never gets shorter by it."""
        if self._file is None:
            return
        try:
            if at is not None:
                self._file.seek(at)
            while data:  # an unbuffered file may take a part only
                data = data[self._file.write(data) :]
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self.problem = f"cannot write the log {self._path}: {error.strerror or error}"
        if self._file is not None:
            self._file.close()
            self._file = None
