"""What a child process prints: the log file (capped), the end of it in memory, the live view; constant memory."""

from __future__ import annotations

import codecs
import fcntl
import os
import time
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Protocol, Self

from ralph_wiggum.adapters.capped_log import Log, Tail
from ralph_wiggum.core.terminal import Cleaner, clean
from ralph_wiggum.ports import Watcher

KIB = 1024
MIB = 1024 * KIB
READ_BYTES = MIB  # of one read; also the size that is asked of the kernel for a pipe
VIEW_BYTES = 4 * KIB
VIEW_SECONDS = 0.1
ERRORS_BYTES = 4 * KIB  # of standard error


class Stream(Enum):
    """Which output of the child; a terminal has only one."""

    STDOUT = "stdout"
    STDERR = "stderr"


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
    standard output, `errors` that of standard error, `excerpt` the end of everything, `opening` the beginning of
    everything. `header` goes to the top of the log. Sizes in bytes. A `with` closes it; the texts stay readable.
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
        self._errors = Tail(ERRORS_BYTES)
        self._everything = Tail(excerpt_bytes)
        self._opening = b""
        self._opening_bytes = opening_bytes
        self._view = View(watcher, monotonic) if watcher else None
        self._stream = Stream.STDOUT
        self._mid_line = False  # what came last did not end its line
        self._total = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, data: bytes, stream: Stream = Stream.STDOUT, *, readable: bytes | None = None) -> None:
        """Take bytes that the child printed.

        `readable` is what they say to a person, where they are no text as they stand: the log gets the bytes, the
        texts and the view get that.
        """
        if data:
            self._write(data, stream)
        if said := data if readable is None else readable:
            self._keep(said, stream)

    def _write(self, data: bytes, stream: Stream) -> None:
        if stream is not self._stream:
            self._stream = stream
            newline = "\n" if self._mid_line else ""
            self._log.write(f"{newline}[{stream.value}]\n".encode())
        self._log.write(data)
        self._mid_line = not data.endswith(b"\n")
        self._total += len(data)

    def _keep(self, said: bytes, stream: Stream) -> None:
        (self._message if stream is Stream.STDOUT else self._errors).add(said)
        self._everything.add(said)
        if room := self._opening_bytes - len(self._opening):
            self._opening += said[:room]
        if self._view:
            self._view.add(said)

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

    def errors(self) -> str:
        """Return the end of standard error as clean text."""
        return self._errors.text()

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
        return self._total

    @property
    def problem(self) -> str:
        """Return why the log could not be written, or ""."""
        return self._log.problem


class Sink(Protocol):
    """Where a pipe is poured out: a Capture, or what makes sense of the bytes first."""

    def add(self, data: bytes, stream: Stream) -> None:
        """Take bytes that the child printed."""
        ...

    def settle(self) -> None:
        """Show what has been held back: nothing more came for a moment."""
        ...


def _never(seconds: float) -> bool:  # noqa: ARG001 - what the source asks
    return False


class PipeSource:
    """The reading end of a pipe, as the process loop reads it: everything goes into a sink.

    `over` is asked a few times a second, with the seconds since something came; where it says so, the attempt ends.
    """

    def __init__(
        self,
        fd: int,
        sink: Sink,
        stream: Stream = Stream.STDOUT,
        *,
        over: Callable[[float], bool] = _never,
    ) -> None:
        self._fd = fd
        self._sink = sink
        self._stream = stream
        self._over = over
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
        self._sink.add(data, self._stream)
        return len(data)

    def quiet(self, seconds: float) -> bool:
        """Show what has been held back; return whether the attempt must end."""
        self._sink.settle()
        return self._over(seconds)

    def close(self) -> None:
        """Close the descriptor; may be called again."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
