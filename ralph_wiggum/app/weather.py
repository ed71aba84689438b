"""The environment of a run (O37): when two tasks in a row fail for a reason that is not theirs, wait and probe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from ralph_wiggum.app.attendant import Attendant
from ralph_wiggum.app.ledger import Ledger
from ralph_wiggum.app.order import PROBE_SECONDS, Order, Ports
from ralph_wiggum.app.pauses import Pauses
from ralph_wiggum.core import fingerprint
from ralph_wiggum.core.evidence import FailureKind, Gate
from ralph_wiggum.core.journal import Ended, Skipped, Ticked

PAGES = frozenset({FailureKind.SERVER.value, FailureKind.VISUAL.value})  # what stands in the way of visual tasks alone
PROBED = PAGES | {FailureKind.CHECK.value}  # what can be tried without an agent


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A task that was given up for a reason that may lie outside it."""

    key: str
    fingerprint: str


class Weather:
    """Tells bad tasks from bad weather."""

    def __init__(self, ports: Ports, ledger: Ledger, order: Order, pauses: Pauses) -> None:
        self._ports = ports
        self._ledger = ledger
        self._order = order
        self._pauses = pauses
        self._suspect: Suspect | None = None
        self._probing = ""  # the fingerprint that the next attempt probes for, after a wait
        self._waits = 0
        self._climate: set[str] = set()  # failures that four waits did not change: no weather, but how things are
        self._put_off: set[str] = set()  # failures for which visual tasks were put off until all else is done

    def recall(self) -> None:
        """Take the suspicion up again after a restart: the last thing that happened was such a skip."""
        for entry in reversed(self._ledger.history.recent):
            if isinstance(entry, Skipped) and entry.by == "runner":
                counted = self._ledger.history.of(entry.key).counted
                last = counted[-1] if counted else None
                server = last is not None and last.kind == FailureKind.SERVER.value
                self.given_up(last, still_red=last.fingerprint if last is not None and server else "")
            if isinstance(entry, (Ticked, Skipped)):
                return

    def given_up(self, last: Ended | None, *, still_red: str = "") -> None:
        """Remember a task that was given up; `still_red` is the fingerprint of checks that fail without its work.

        What no attempt could change is no weather: waiting would not change it either.
        """
        if last is not None and not last.hopeless and (last.environment or still_red):
            self._suspect = Suspect(key=last.key, fingerprint=last.fingerprint or still_red)
        elif last is not None:
            self._suspect = None

    def cleared(self, *, visual: bool) -> None:
        """Forget the suspicion: a task was completed. What holds visual tasks up is cleared by a visual one alone."""
        if visual:
            self._put_off.clear()
        self._suspect = None
        self._probing = ""
        self._waits = 0

    def put_off(self, ended: Ended) -> None:
        """Remember what visual tasks were put off for: the next that fails so is waited for, or given up."""
        self._put_off.add(ended.fingerprint)
        self._suspect = None

    def is_climate(self, fingerprint: str) -> bool:
        """Say whether this failure has outlasted four waits."""
        return fingerprint in self._climate

    def is_bad(self, ended: Ended) -> bool:
        """Say whether this failure is the same one that the task before it was given up for."""
        suspect = self._suspect
        if ended.result != "failed":
            return False
        if ended.fingerprint in self._climate:
            return False
        if ended.fingerprint == self._probing or ended.fingerprint in self._put_off:
            return True
        self._probing = ""
        return suspect is not None and suspect.key != ended.key and suspect.fingerprint == ended.fingerprint

    def blamed(self, ended: Ended) -> tuple[str, ...]:
        """Return the keys of the tasks that were blamed for this failure, in the order of their attempts."""
        before = () if self._suspect is None or self._suspect.key == ended.key else (self._suspect.key,)
        return (*before, ended.key)

    def wait_out(self, ended: Ended) -> bool:
        """Wait 5, 15, 30, 60, 60 … minutes until a probe finds the environment back; False if the run must end.

        A failed check is probed by running the checks, a server by bringing it up, an agent that could not start by
        the next attempt. A check or a server that is red without a sign of the environment (no missing tool, no
        refused connection) gets four waits: then it is taken for what it is, a fault in the tree that tasks are tried
        and skipped over. So does all that stands in the way of visual tasks alone: a night is not held for it (O23).
        """
        while True:
            seconds = PROBE_SECONDS[min(self._waits, len(PROBE_SECONDS) - 1)]
            self._waits += 1
            until = self._ports.clock.now() + timedelta(seconds=seconds)
            if not self._pauses.wait(ended.reason, until):
                return False
            if self._pauses.idle():  # a person skipped or ticked what was left
                return True
            if ended.kind not in PROBED or not self._still_red(ended):
                self._probing = ended.fingerprint
                self._suspect = None
                return True
            if (not ended.environment or ended.kind in PAGES) and self._waits >= len(PROBE_SECONDS):
                self._climate.add(ended.fingerprint)
                self._suspect, self._waits = None, 0
                return True

    def _still_red(self, ended: Ended) -> bool:
        attendant = Attendant(self._ports, self._ledger)
        match ended.kind:
            case FailureKind.SERVER.value:
                gates: Sequence[Gate] = self._ports.servers.ensure(attendant)
            case FailureKind.VISUAL.value:
                gates = self._look_again(ended.key, attendant)
            case _:
                gates = self._ports.checks.run(None, "", attendant)
        failed = [gate for gate in gates if gate.failed]
        return bool(failed) and fingerprint.of_gates(failed) == ended.fingerprint

    def _look_again(self, key: str, attendant: Attendant) -> Sequence[Gate]:
        plan = self._ports.spec.plan()
        if key not in plan.by_key:
            return ()
        view = self._ports.view
        view.looking(plan.task(key))
        return self._ports.validator.run(plan.task(key), self._ledger.history.console, attendant, view.output).gates
