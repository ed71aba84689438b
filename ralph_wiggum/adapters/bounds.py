"""What ends an attempt besides its own time: the memory of its family, a disk that fills up, the time of day (B7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ralph_wiggum.adapters import family_memory
from ralph_wiggum.adapters.keeper import Keeper
from ralph_wiggum.adapters.machine import disk
from ralph_wiggum.adapters.watches import Stop
from ralph_wiggum.core.commands import printable
from ralph_wiggum.core.evidence import Ending
from ralph_wiggum.core.settings import Limits
from ralph_wiggum.core.sizes import size

MEMORY_LOOK_SECONDS = 2.0
CLOSE_LOOK_SECONDS = 0.5  # once half of what it may hold is reached: a process can fill some GB in two seconds


class Bounds:
    """Looked at by the one selector loop, at every tick.

    The disk is that of `folder`; an attempt begins above `disk_bytes` and ends at half of them, so that one that began
    just above does not end at once. `wall` returns seconds since 1970.
    """

    def __init__(self, keeper: Keeper, limits: Limits, folder: Path, wall: Callable[[], float]) -> None:
        self._keeper = keeper
        self._limits = limits
        self._folder = folder
        self._wall = wall
        self._next = 0.0

    def look(self, now: float) -> Stop | None:
        """Return why the attempt must end at `now` (monotonic seconds), or None."""
        if self._limits.end_at and self._wall() >= self._limits.end_at:
            return Stop(Ending.OUT_OF_TIME, "the time of --until was reached")
        return self._disk() or self._memory(now)

    def _disk(self) -> Stop | None:
        least = self._limits.disk_bytes // 2
        found = disk.room(self._folder) if least else None
        if found is None or found.free >= least:
            return None
        floor = f"half of the {size(self._limits.disk_bytes)} of machine.min_disk"
        return Stop(Ending.DISK_FULL, f"only {size(found.free)} were left where the project lies, less than {floor}")

    def _memory(self, now: float) -> Stop | None:
        most = self._limits.memory_bytes
        if not most or now < self._next:
            return None
        family = self._keeper.table.below(self._keeper.pid)
        pids = [pid for pid, seen in family.items() if not seen.zombie]
        held = family_memory.rough(pids)
        close = most / 2 <= sum(held.values()) <= most
        self._next = now + (CLOSE_LOOK_SECONDS if close else MEMORY_LOOK_SECONDS)
        if sum(held.values()) > most:
            held = family_memory.exact(pids)
        return self._too_much(held) if sum(held.values()) > most else None

    def _too_much(self, held: Mapping[int, int]) -> Stop:
        biggest = max(held, key=lambda pid: held[pid])
        line = printable(" ".join(self._keeper.table.program(biggest).argv)) or f"pid {biggest}"
        words = (
            f"its processes held {size(sum(held.values()))} of memory, more than the "
            f"{size(self._limits.memory_bytes)} that they may (machine.max_memory); "
            f"the biggest, with {size(held[biggest])}, was: {line}"
        )
        return Stop(Ending.OUT_OF_MEMORY, words)
