"""What a run prints on: a terminal or a pipe that may stall or go away, and the file that takes the words then (O12).

A terminal behind a connection that broke off, one that was stopped with Ctrl-S, a pager that nobody scrolls: a plain
write to them blocks for as long as it pleases them. Here no write ever blocks and none ever raises.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ralph_wiggum.adapters.project import make_state

STALL_SECONDS = 5.0  # without a byte taken
PENDING_BYTES = 256 * 1024  # that wait for a screen that stalls; what comes on top of them is dropped
LOG_BYTES = 2_000_000  # of a screen log; the one before it is kept beside it
SCREEN_LOG = "screen.log"

_PIECE = 4096  # a pipe that says it can be written to takes as much (PIPE_BUF)
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class Screen:
    """A stream of text on a descriptor that somebody else opened; it is left open.

    `gone` turns True for good when the terminal hung up or the reader of the pipe went away; `stalled` says that
    nothing was taken for STALL_SECONDS. What is written meanwhile waits, up to PENDING_BYTES.
    """

    def __init__(
        self, descriptor: int, encoding: str = "utf-8", monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.encoding = encoding or "utf-8"
        self.gone = False
        self._descriptor = descriptor
        self._monotonic = monotonic
        self._terminal = _is_terminal(descriptor)
        self._own = _reopened(descriptor, terminal=self._terminal)
        self._pending = bytearray()
        self._taken_at = monotonic()

    @property
    def stalled(self) -> bool:
        """Say whether the screen has taken nothing for a while although there is something to show."""
        return bool(self._pending) and self._monotonic() - self._taken_at >= STALL_SECONDS

    def write(self, text: str) -> int:
        """Take a text, whole or not at all, so that no terminal sequence is torn; it is shown by `flush`."""
        data = text.encode(self.encoding, "replace")
        if not self.gone and len(self._pending) + len(data) <= PENDING_BYTES:
            if not self._pending:
                self._taken_at = self._monotonic()
            self._pending += data
        return len(text)

    def flush(self) -> None:
        """Show as much as the screen takes now."""
        try:
            while self._pending and select.select([], [self._target], [], 0)[1]:
                taken = os.write(self._target, self._pending[:_PIECE])
                del self._pending[:taken]
                self._taken_at = self._monotonic()
        except BlockingIOError:
            pass
        except (OSError, ValueError) as error:  # EIO of a terminal that hung up, EPIPE, a closed descriptor
            self._pending.clear()
            self.gone = getattr(error, "errno", 0) not in _NO_ROOM

    def drain(self, seconds: float) -> None:
        """Show what waits, for at most so many seconds."""
        end = self._monotonic() + seconds
        self.flush()
        while self._pending and not self.gone and (left := end - self._monotonic()) > 0:
            with suppress(OSError, ValueError):
                select.select([], [self._target], [], left)
            self.flush()

    def isatty(self) -> bool:
        """Say whether it is, or was, a terminal."""
        return self._terminal

    def fileno(self) -> int:
        """Return the descriptor that it was made for."""
        return self._descriptor

    def close(self) -> None:
        """Close what was opened here; what waits is dropped."""
        own, self._own = self._own, -1
        self._pending.clear()
        if own >= 0:
            os.close(own)

    @property
    def _target(self) -> int:
        return self._own if self._own >= 0 else self._descriptor


class ScreenLog:
    """The file that takes the words of a run without a screen, opened when the first one comes.

    It holds at most LOG_BYTES; then it is kept beside itself as `….1`, in the place of the one before. Nothing that
    goes wrong with it is told to anybody: a full disk costs words, never the night.
    """

    encoding = "utf-8"
    gone = stalled = False

    def __init__(self, path: Path, most: int = LOG_BYTES) -> None:
        self.path = path
        self._most = most
        self._descriptor = -1

    def write(self, text: str) -> int:
        """Append a text."""
        data = text.encode(self.encoding, "replace")
        with suppress(OSError):
            descriptor = self._open()
            while data:
                data = data[os.write(descriptor, data) :]
        return len(text)

    def flush(self) -> None:
        """Do nothing: each text was written at once."""

    def drain(self, seconds: float) -> None:
        """Do nothing, as `flush`."""

    def isatty(self) -> bool:
        """Say that a file is no terminal."""
        return False

    def close(self) -> None:
        """Close the file; the next text opens it again."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _open(self) -> int:
        if self._descriptor >= 0 and os.fstat(self._descriptor).st_size >= self._most:
            self.close()
            self.path.replace(self.path.with_name(f"{self.path.name}.1"))
        if self._descriptor < 0:
            make_state(self.path.parent)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
            self._descriptor = os.open(self.path, flags, 0o644)
        return self._descriptor


def screen_log(state: Path, run: str) -> Path:
    """Return where the words of a run without a screen go; `state` is the spec's folder below `.ralph/`."""
    return state / "runs" / run / SCREEN_LOG


def _reopened(descriptor: int, *, terminal: bool) -> int:
    """Return a descriptor of our own for the same terminal or pipe that never blocks; -1 where there can be none.

    O_NONBLOCK on the given one would hold for the shell and for all others that share it.
    """
    try:
        if terminal:
            path = os.ttyname(descriptor)
        elif stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            path = f"/proc/self/fd/{descriptor}"
        else:
            return -1
        return os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:  # no /proc, a terminal that belongs to another user: it is asked before each piece
        return -1


def _is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False
