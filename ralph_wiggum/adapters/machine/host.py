"""The machine that a run is on, as the application asks for it (ports.Machine)."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime

from ralph_wiggum.adapters.machine import disk
from ralph_wiggum.adapters.machine.awake import Awake
from ralph_wiggum.adapters.machine.battery import Battery, read_battery
from ralph_wiggum.core import clock_jumps
from ralph_wiggum.core.clock_jumps import Reading
from ralph_wiggum.core.settings import MachineSettings

FRESH_SECONDS = 5.0  # for so long an answer on battery and disks is used again

_READINGS = 3
_AT_ONCE_SECONDS = 0.5


class HostMachine:
    """Keeps the machine awake, and tells what it is short of and what its clocks did.

    `wanted` are the places that a run writes to; `awake` is None where nothing is to keep the machine awake. The
    clocks and the battery are there to be replaced in tests.
    """

    def __init__(
        self,
        settings: MachineSettings,
        wanted: Sequence[disk.Place],
        awake: Awake | None,
        *,
        battery: Callable[[], Battery | None] = read_battery,
        read_clocks: Callable[[], Reading] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._wanted = tuple(wanted)
        self._awake = awake
        self._battery = battery
        self._read_clocks = read_clocks or read_clocks_of_this_machine
        self._monotonic = monotonic
        self._clocks = self._read_clocks()
        self._short = ""
        self._stale_at: float | None = None

    def begin(self) -> tuple[str, ...]:
        """Keep the machine from sleeping until `end`; return words for the person, such as that nothing here can.

        What fails only later is told by `jumps`.
        """
        self._clocks = self._read_clocks()
        words = self._awake.begin() if self._awake is not None else ""
        return (words,) if words else ()

    def end(self) -> None:
        """Let it sleep again. May be called again; the death of the runner does the same."""
        if self._awake is not None:
            self._awake.end()

    def shortage(self) -> str:
        """Return what the machine is short of, with figures, "" if of nothing; looked at every 5 s at most."""
        now = self._monotonic()
        if self._stale_at is None or now >= self._stale_at:
            self._short = "; ".join(filter(None, (self._low_battery(), disk.shortage(self._wanted, self._floor))))
            self._stale_at = now + FRESH_SECONDS
        return self._short

    def jumps(self) -> tuple[str, ...]:
        """Return words on what time did since the last call; also, once, that nothing keeps the machine awake."""
        before, self._clocks = self._clocks, self._read_clocks()
        words = clock_jumps.words(before, self._clocks, _time_of_day)
        if words:
            self._stale_at = None  # a battery empties while the machine sleeps
        trouble = self._awake.trouble() if self._awake is not None else ""
        return (*words, trouble) if trouble else words

    @property
    def _floor(self) -> int:
        return self._settings.min_disk

    def _low_battery(self) -> str:
        least = self._settings.min_battery
        found = self._battery() if least else None
        if found is None or not found.discharging or found.percent >= least:
            return ""
        return f"the battery is at {found.percent:.0f} % and is being emptied, {least:g} % wanted"


def read_clocks_of_this_machine() -> Reading:
    """Return the three clocks of this machine.

    While it sleeps, Linux counts on in CLOCK_BOOTTIME alone; macOS counts on in CLOCK_MONOTONIC, and stands still in
    what Python's time.monotonic reads (mach_absolute_time). A system with neither never seems to sleep: it is said
    that its clock was set then. A reader that was held up in the middle of it reads again.
    """
    for _ in range(_READINGS):
        running = boot = time.monotonic()
        if sys.platform == "linux":
            boot = time.clock_gettime(time.CLOCK_BOOTTIME)
        elif sys.platform == "darwin":
            boot = time.clock_gettime(time.CLOCK_MONOTONIC)
        wall = time.time()
        if time.monotonic() - running < _AT_ONCE_SECONDS:
            break
    return Reading(wall=wall, boot=boot, running=running)


def _time_of_day(wall: float) -> str:
    return f"{datetime.fromtimestamp(wall).astimezone():%H:%M}"
