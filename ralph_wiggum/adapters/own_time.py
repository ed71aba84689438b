"""The loop's own time: seconds in which the runner itself ran, for deadlines that must not fire because it did not."""

from __future__ import annotations

from collections.abc import Callable

STOOD_STILL_SECONDS = 3.0  # between two readings, beyond a wait that was announced: what a busy machine may need


class OwnTime:
    """Monotonic seconds without those in which the runner stood still.

    A runner that is stopped (Ctrl-Z, a debugger), that lies in swap, or whose virtual machine is paused finds at its
    next reading that more time has passed than it asked to wait; what is beyond STOOD_STILL_SECONDS is taken out, and
    summed up in `lost`. Each pass of a loop counts for that much at least, so that a deadline comes in the end even
    where every pass is slow. Suspend of the machine needs none of this: what Python's time.monotonic reads stands
    still then on Linux (CLOCK_MONOTONIC) and macOS (mach_absolute_time).
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._last = monotonic()
        self._allowed = STOOD_STILL_SECONDS
        self.lost = 0.0

    def now(self) -> float:
        """Return the own time in seconds; never goes back."""
        real = self._monotonic()
        self.lost += max(0.0, real - self._last - self._allowed)
        self._last, self._allowed = real, STOOD_STILL_SECONDS
        return real - self.lost

    def wait(self, seconds: float) -> None:
        """Announce a wait of up to `seconds`, which begins now."""
        self.now()
        self._allowed = seconds + STOOD_STILL_SECONDS
