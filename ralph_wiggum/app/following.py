"""A run of another process as events for a view: what its journal tells, the plan, and the end of its agent's log."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from ralph_wiggum.app.events import View
from ralph_wiggum.app.order import Order
from ralph_wiggum.app.view import progress_words
from ralph_wiggum.core.evidence import Gate, GateStatus
from ralph_wiggum.core.history import History
from ralph_wiggum.core.journal import (
    CheckpointBlocked,
    Ended,
    Entry,
    GateSeen,
    Held,
    Noted,
    RunEnded,
    RunStarted,
    Skipped,
    Started,
    StopAsked,
    Ticked,
    Waiting,
    WentOn,
)
from ralph_wiggum.core.model import OPEN, Plan, Task
from ralph_wiggum.core.outside_text import plain
from ralph_wiggum.core.run_words import held_words, moment, stop_words, wait_ends
from ralph_wiggum.core.status import count
from ralph_wiggum.ports import Clock

LAST_EVENTS = 5  # that are shown of what happened before somebody looked
_TOLD = (RunStarted, Ended, Ticked, Skipped, CheckpointBlocked, Noted, Held, StopAsked)
_STATUSES = {status.value: status for status in GateStatus}
_UNDER_WAY = (Started, Ended, Ticked, Skipped, CheckpointBlocked, Waiting)  # nothing of this is written in the evening


class EntryTime:
    """A clock that stands where an entry was written while that is shown, so that a view says when it happened.

    `monotonic` is moved likewise: what began at that moment has lasted since then.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._at: datetime | None = None

    def stand_at(self, at: datetime | None) -> None:
        """Stand at a moment; None: go with the time."""
        self._at = at.astimezone(self._clock.now().tzinfo) if at is not None else None

    def now(self) -> datetime:
        """Return the moment that is shown."""
        return self._at or self._clock.now()

    def monotonic(self) -> float:
        """Return seconds; at the moment that is shown, not now."""
        ago = (self._clock.now() - self._at).total_seconds() if self._at is not None else 0.0
        return self._clock.monotonic() - max(0.0, ago)

    def pause(self, seconds: float, wake: Callable[[], bool]) -> None:
        """Sleep as the clock does."""
        self._clock.pause(seconds, wake)


class Follower:
    """Folds the entries of a run and tells a view of them, as the run itself tells its own.

    `order` says which run it is; `time` is the clock that the view was made with; `plan` returns the plan as it is
    while an agent works on the task of a key ("": none does).
    """

    def __init__(self, view: View, time: EntryTime, order: Order, plan: Callable[[str], Plan]) -> None:
        self._view = view
        self._time = time
        self._order = order
        self._plan = plan
        self._under_way = False
        self.history = History()

    def begin(self, entries: Iterable[Entry]) -> None:
        """Take all that happened so far: the last of it is shown, then how things stand."""
        last: deque[Entry] = deque(maxlen=LAST_EVENTS)
        for entry in entries:
            self._fold(entry)
            if isinstance(entry, _TOLD) and entry.run in ("", self._order.run_id):
                last.append(entry)
        self._view.progress(self._now(), self.history)
        for entry in last:
            self._show(entry)
        self._stand()
        if not self._under_way and self.end is None:
            self._view.note("the run is preparing: set-up commands, servers, the baseline of the checks")

    def take(self, entries: Iterable[Entry]) -> None:
        """Take what happened since the last call, and show it."""
        last: Entry | None = None
        for entry in entries:
            self._fold(entry)
            self._show(entry)
            last = entry
        if self.history.current is None and isinstance(last, (Ticked, Skipped, WentOn)):
            self._view.progress(self._now(), self.history)

    def forget(self) -> None:
        """Begin anew with the history: the journal turned out to be another one."""
        self.history, self._under_way = History(), False

    @property
    def current(self) -> Started | None:
        """Return the attempt that goes on."""
        return self.history.current if self._is_followed() else None

    @property
    def end(self) -> RunEnded | None:
        """Return how the run that is followed ended, if it has."""
        ended = self.history.ended
        return ended if ended is not None and ended.run == self._order.run_id else None

    def last_words(self, end: RunEnded | None) -> Sequence[str]:
        """Return the last lines: how it ended, None for a run that was killed, and how far the spec is."""
        why = plain(end.reason) if end is not None else "it was killed, and wrote no end"
        return (f"The run ended: {why}.", f"{progress_words(count(self._now()))}.")

    def _is_followed(self) -> bool:
        return self.history.run is not None and self.history.run.run == self._order.run_id

    def _fold(self, entry: Entry) -> None:
        self.history.apply(entry)
        if isinstance(entry, RunStarted):
            self._under_way = False
            if entry.run == self._order.run_id:
                self._order = replace(self._order, max_iterations=entry.max_iterations)
        elif isinstance(entry, _UNDER_WAY):
            self._under_way = True

    def _stand(self) -> None:
        """Show the attempt or the wait that goes on."""
        for entry in (self.current, self.history.waiting):
            if entry is not None:
                self._show(entry)

    def _show(self, entry: Entry) -> None:
        self._time.stand_at(moment(entry.at))
        try:
            self._tell(entry)
        finally:
            self._time.stand_at(None)

    def _tell(self, entry: Entry) -> None:
        view = self._view
        match entry:
            case RunStarted():
                view.note(f"the run began, with {plain(entry.agent) or 'an agent'} (pid {entry.pid})")
            case Started():
                view.progress(self._now(), self.history)
                view.started(self._task(entry), entry, self._order)
            case Ended():
                self._gates(entry.gates)
                view.ended(self._task(entry), entry)
            case Ticked():
                passed = self.history.of(entry.key).passed
                if passed is None or passed.gates != entry.gates:  # else they were shown with the attempt
                    self._gates(entry.gates)
                view.ticked(self._task(entry), entry)
            case Skipped():
                view.skipped(self._task(entry), entry)
            case CheckpointBlocked():
                self._gates(entry.gates)
                what = "VISUAL VALIDATION FAILED" if entry.visual else "CHECKPOINT BLOCKED"
                view.note(f"{what}: {plain(entry.name)}: {plain(entry.reason)}")
            case Waiting():
                view.waiting(entry.reason, wait_ends(entry, self._time.now()))
            case _:
                self._tell_in_words(entry)

    def _tell_in_words(self, entry: Entry) -> None:
        match entry:
            case Held():
                held = History([entry])
                words = held_words(held, self._time.now())
                self._view.note(f"left alone: {words[0]}" if words else f"{plain(entry.agent)} is asked again")
            case StopAsked():
                self._view.note(f"asked to stop: {stop_words(entry)}")
            case WentOn():
                self._view.note("the wait is over")
            case Noted():
                self._view.note(entry.text)
            case _:
                pass  # of no interest to somebody who looks on

    def _gates(self, gates: Sequence[GateSeen]) -> None:
        for seen in gates:
            if seen.status in _STATUSES:
                self._view.gate(
                    Gate(
                        name=plain(seen.name),
                        kind="",
                        status=_STATUSES[seen.status],
                        reason=seen.reason,
                        counts=seen.counts,
                        seconds=seen.seconds,
                    )
                )

    def _now(self) -> Plan:
        return self._plan(self.current.key if self.current is not None else "")

    def _task(self, entry: Started | Ended | Ticked | Skipped) -> Task:
        """Return the task of an entry; one that is gone from the plan as the entry names it."""
        plan = self._now()
        if entry.key in plan.by_key:
            return plan.task(entry.key)
        return Task(
            index=0,
            key=entry.key,
            id=entry.id,
            name=entry.name,
            mark=OPEN,
            line=0,
            level=1,
            parent=None,
            optional=False,
        )
