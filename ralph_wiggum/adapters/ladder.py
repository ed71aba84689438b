"""End processes politely, then by force, and know that they are gone: one step at a time, so nobody has to wait."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress

from ralph_wiggum.adapters.process_table import ProcessTable, Seen

GRACE_SECONDS = 3.0  # TERM, then this, then KILL: two of the agent CLIs ignore INT, one turns it into exit 0
COMMAND_GRACE_SECONDS = 2.0
PATIENCE_SECONDS = 10.0  # how long KILL is tried before a process is called one that cannot be ended
STEP_SECONDS = 0.025
_ROUNDS = 50  # kills in a row without a pause, against a process that forks faster than it is found


class Ladder:
    """TERM to all members, `grace` seconds, KILL to all, until they are gone or patience is at its end.

    `members` returns those alive now, by pid; it is asked again at every step, so that late ones are found as well.
    `gone` is the proof. After the end `found` counts all that were met, `forced` those that needed KILL, and `left`
    holds the pids of those that could not be ended.
    """

    def __init__(
        self,
        members: Callable[[], Mapping[int, Seen]],
        gone: Callable[[], bool],
        *,
        grace: float = GRACE_SECONDS,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._members = members
        self._gone = gone
        self._grace = grace
        self._patience = patience
        self._force_at = 0.0
        self._asked: set[tuple[int, float]] = set()
        self._killed: set[tuple[int, float]] = set()
        self.left: tuple[int, ...] = ()

    @property
    def found(self) -> int:
        """Return how many processes were met."""
        return len(self._asked | self._killed)

    @property
    def forced(self) -> int:
        """Return how many processes were sent KILL."""
        return len(self._killed)

    def step(self, now: float) -> bool:
        """Do what is due at `now` (seconds of one monotonic clock); return whether it is over."""
        if self._gone():
            return True
        self._force_at = self._force_at or now + self._grace
        if now < self._force_at:
            self._ask()
            return self._gone()
        return self._force() or self._give_up(now)

    def _ask(self) -> None:
        for pid, seen in self._members().items():
            if (pid, seen.started) not in self._asked:
                self._asked.add((pid, seen.started))
                send(pid, signal.SIGTERM)
                send(pid, signal.SIGCONT)  # one that is stopped would never see the TERM

    def _force(self) -> bool:
        for _ in range(_ROUNDS):
            living = self._members()
            for pid, seen in living.items():
                self._killed.add((pid, seen.started))
                send(pid, signal.SIGKILL)
            if self._gone():
                return True
            if not living:
                break
        return False

    def _give_up(self, now: float) -> bool:
        if now < self._force_at + self._patience:
            return False
        self.left = tuple(self._members())
        return True


class Tree:
    """One process and everything below it, also what loses its parent later on."""

    def __init__(self, table: ProcessTable, root: int) -> None:
        self._table = table
        seen = table.look(root)
        self._known: dict[int, float] = {} if seen is None else {root: seen.started}

    def members(self) -> Mapping[int, Seen]:
        """Return those that are alive now."""
        for pid in tuple(self._known):
            for seen in self._table.below(pid).values():
                self._known.setdefault(seen.pid, seen.started)
        return self._living()

    def gone(self) -> bool:
        """Say whether none is alive."""
        return not self._living()

    def _living(self) -> Mapping[int, Seen]:
        living: dict[int, Seen] = {}
        for pid, started in tuple(self._known.items()):
            seen = self._table.look(pid)
            if seen is None or seen.started != started:
                del self._known[pid]
            elif not seen.zombie:
                living[pid] = seen
        return living


def send(pid: int, number: int) -> None:
    """Send a signal; a process that is gone or not ours is no error (the proof of its end lies elsewhere)."""
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
