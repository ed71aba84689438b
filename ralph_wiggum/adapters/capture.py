"""What a child process prints: the log file (capped), the end of it in memory, the live view; constant memory."""

from __future__ import annotations

import codecs
import fcntl
import os
import time
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import BinaryIO, Self

from ralph_wiggum.core.terminal import Cleaner, clean
from ralph_wiggum.ports import Watcher

KIB = 1024
MIB = 1024 * KIB
READ_BYTES = MIB  # of one read; also the size that is asked of the kernel for a pipe
VIEW_BYTES = 4 * KIB
VIEW_SECONDS = 0.1

_CONTINUATIONS = bytes(range(0x80, 0xC0))  # of UTF-8: no character begins with one of these


class Stream(Enum):
    """Which output of the child; a terminal has only one."""

    STDOUT = "stdout"
    STDERR = "stderr"


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
            data = data[data.find(b"\n", 0, KIB) + 1 :].lstrip(_CONTINUATIONS)
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


class View:
    """Cleaned output for a watcher: at most the last VIEW_BYTES every VIEW_SECONDS, whatever floods in."""

    def __init__(self, watcher: Watcher, monotonic: Callable[[], float]) -> None:
        self._watcher = watcher
        self._monotonic = monotonic
        self._next = 0.0
        self._pending = Tail(VIEW_BYTES)
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._cleaner = Cleaner()

    def add(self, data: bytes) -> None:
        """Take more output, and show it when the last time is long enough ago."""
        self._pending.add(data)
        now = self._monotonic()
        if now >= self._next:
            self._next = now + VIEW_SECONDS
            self._show()

    def settle(self) -> None:
        """Show what has been held back, an unfinished line too: nothing more has come for a while."""
        self._show(unfinished=True)

    def _show(self, *, unfinished: bool = False) -> None:
        data = self._pending.bytes()
        if self._pending.cut:  # a gap: what was open before it is not continued after it
            self._decoder.reset()
            self._cleaner = Cleaner()
            data = data[data.find(b"\n") + 1 :]
        self._pending.clear()
        text = self._cleaner.feed(self._decoder.decode(data))
        if unfinished:
            text += self._cleaner.rest()
        if text:
            self._watcher.output(text)


class Capture:
    """All output of one child process.

    The log gets the raw bytes of all streams, a line naming the stream wherever it changes. `message` is the end of
    standard output, `excerpt` the end of everything, `opening` the beginning of everything. `header` goes to the top
    of the log. Sizes in bytes. A `with` closes it; the texts stay readable.
    """

    def __init__(
        self,
        log_path: Path,
        *,
        head_bytes: int = MIB,
        tail_bytes: int = MIB,
        message_bytes: int = 64 * KIB,
        excerpt_bytes: int = 16 * KIB,
        opening_bytes: int = 16 * KIB,
        header: str = "",
        watcher: Watcher | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = Log(log_path, head_bytes=head_bytes, tail_bytes=tail_bytes, header=header)
        self._message = Tail(message_bytes)
        self._everything = Tail(excerpt_bytes)
        self._opening = b""
        self._opening_bytes = opening_bytes
        self._view = View(watcher, monotonic) if watcher else None
        self._stream = Stream.STDOUT

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, data: bytes, stream: Stream = Stream.STDOUT) -> None:
        """Take bytes that the child printed."""
        if not data:
            return
        if stream is not self._stream:
            self._stream = stream
            newline = "" if self._everything.bytes()[-1:] in {b"", b"\n"} else "\n"
            self._log.write(f"{newline}[{stream.value}]\n".encode())
        self._log.write(data)
        if stream is Stream.STDOUT:
            self._message.add(data)
        self._everything.add(data)
        if room := self._opening_bytes - len(self._opening):
            self._opening += data[:room]
        if self._view:
            self._view.add(data)

    def settle(self) -> None:
        """Show a watcher what has been held back; to be called when nothing came for a moment."""
        if self._view:
            self._view.settle()

    def close(self) -> None:
        """Finish the log; may be called again. The texts stay readable."""
        self.settle()
        self._log.close()

    def message(self) -> str:
        """Return the end of standard output as clean text."""
        return self._message.text()

    def excerpt(self) -> str:
        """Return the end of everything as clean text."""
        return self._everything.text()

    def end(self, size: int) -> str:
        """Return the last `size` bytes of everything as clean text, at most as much as the excerpt holds."""
        return self._everything.text(size)

    def raw_end(self) -> bytes:
        """Return the bytes that the excerpt is made of, sequences and all."""
        return self._everything.bytes()

    def opening(self) -> str:
        """Return the beginning of everything as clean text."""
        return clean(self._opening.decode("utf-8", errors="replace"))

    @property
    def total(self) -> int:
        """Return how many bytes came, of all streams."""
        return self._everything.total

    @property
    def problem(self) -> str:
        """Return why the log could not be written, or ""."""
        return self._log.problem


class PipeSource:
    """The reading end of a pipe, as the process loop reads it: everything goes into a capture."""

    def __init__(self, fd: int, capture: Capture, stream: Stream = Stream.STDOUT) -> None:
        self._fd = fd
        self._capture = capture
        self._stream = stream
        os.set_blocking(fd, False)
        if enlarge := getattr(fcntl, "F_SETPIPE_SZ", None):  # Linux
            try:
                fcntl.fcntl(fd, enlarge, READ_BYTES)
            except OSError:  # no pipe, or the limit of this user is reached: it works as it is
                return

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self._fd

    def read(self) -> int:
        """Read what is there, at most READ_BYTES; return how many bytes, 0 at the end. BlockingIOError: nothing now."""
        data = os.read(self._fd, READ_BYTES)
        self._capture.add(data, self._stream)
        return len(data)

    def quiet(self, seconds: float) -> bool:  # noqa: ARG002 - the loop's interface; a pipe asks no questions
        """Show what has been held back; never ends the attempt."""
        self._capture.settle()
        return False

    def close(self) -> None:
        """Close the descriptor; may be called again."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
