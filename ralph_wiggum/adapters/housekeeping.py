"""What a run looks after between two steps: its lock, its keeper, its folder, the room that its state takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ralph_wiggum.adapters.keeper import Keeper
from ralph_wiggum.adapters.root_folder import RootFolder
from ralph_wiggum.adapters.run_lock import RunLock
from ralph_wiggum.adapters.state_room import StateRoom


class Housekeeping:
    """Makes good what an agent, a person or a crash took away; costs next to nothing while all is there.

    `open_keys` returns the keys of the tasks that are not settled: their last logs are kept.
    """

    def __init__(
        self,
        lock: RunLock,
        keeper: Keeper,
        root: RootFolder,
        room: StateRoom,
        open_keys: Callable[[], Iterable[str]],
    ) -> None:
        self._lock = lock
        self._keeper = keeper
        self._root = root
        self._room = room
        self._open_keys = open_keys

    def __call__(self) -> tuple[str, ...]:
        """Look after everything; return words for the log. OSError where the disk does not take it."""
        words = self._root.mend()
        self._lock.renew()
        if not self._keeper.alive:
            self._keeper.revive()
            self._lock.note(keeper=self._keeper.pid)
        return (*words, *self._room.keep_within(self._open_keys()))
