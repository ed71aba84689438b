"""Time as the runner needs it, and the signals that a person or the system sends to it."""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from types import FrameType, TracebackType
from typing import Any, Self

POLL_SECONDS = 0.25  # how late `wake` may be noticed in a pause

_STOPPING = (signal.SIGINT, signal.SIGTERM)
_NOTED = (signal.SIGHUP,)  # the terminal was closed: the night goes on


class SystemClock:
    """The machine's own time. On Linux and macOS `monotonic` stands still while the machine is suspended.

    So a pause is longer than it was to be by the time that the machine slept in it: where a time of day is waited for,
    `wake` has to look at that.

    `wakeup` is a descriptor that becomes readable on a signal (`Interrupts.fileno`), so that a pause ends at once.
    """

    def __init__(self, wakeup: int | None = None) -> None:
        self._wakeup = [] if wakeup is None else [wakeup]

    def now(self) -> datetime:
        """Return the time of day, aware of its zone."""
        return datetime.now().astimezone()

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    def pause(self, seconds: float, wake: Callable[[], bool]) -> None:
        """Sleep up to `seconds`, returning within POLL_SECONDS after `wake()` becomes true, on a signal at once."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not wake():
            ready, _, _ = select.select(self._wakeup, [], [], min(left, POLL_SECONDS))
            for descriptor in ready:
                drain(descriptor)


class Interrupts:
    """Take SIGINT and SIGTERM as a wish to stop in good order, and a second one as a wish to stop at once.

    A context manager, for the main thread. `reason` is "" or the name of the first signal, `count` how many came,
    `hung_up` whether the terminal was closed (which stops nothing). The second signal raises KeyboardInterrupt where
    the program is. The handlers and the wake-up descriptor of before are put back at the end.
    """

    def __init__(self) -> None:
        self.reason = ""
        self.count = 0
        self.hung_up = False
        self._old: dict[signal.Signals, Any] = {}
        self._old_wakeup = -1

    def __enter__(self) -> Self:
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._old_wakeup = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in _STOPPING:
            self._old[number] = signal.signal(number, self._stop)
        for number in _NOTED:
            self._old[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._old.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        signal.set_wakeup_fd(self._old_wakeup)
        self._reader.close()
        self._writer.close()

    def fileno(self) -> int:
        """Return the descriptor that becomes readable on a signal."""
        return self._reader.fileno()

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        self.count += 1
        self.reason = self.reason or signal.Signals(number).name
        if self.count > 1:
            raise KeyboardInterrupt(self.reason)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.hung_up = True


def drain(descriptor: int) -> None:
    """Read away what waits in a non-blocking descriptor, so that it is quiet again."""
    with suppress(BlockingIOError):
        while os.read(descriptor, 4096):
            pass
