"""The ledger of a run: every entry goes through here, into the journal first and then into its views."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import Protocol

from ralph_wiggum.core import activity
from ralph_wiggum.core.history import History, TaskRecord
from ralph_wiggum.core.journal import (
    CheckpointBlocked,
    Ended,
    Entry,
    Noted,
    SkipAsked,
    Skipped,
    Ticked,
    Waiting,
)
from ralph_wiggum.core.model import Plan
from ralph_wiggum.ports import ActivityLog, Clock

SHOWN = (CheckpointBlocked, Ended, Noted, Skipped, Ticked, Waiting)
CAUGHT_UP = 3  # entries; the log finds those again that are there, if they are not far from its end


class JournalStore(Protocol):
    """Where entries are kept."""

    def append(self, entry: Entry) -> None:
        """Write one entry durably."""
        ...

    def poll(self) -> tuple[Entry, ...]:
        """Return what was appended since the last poll, by anyone, in order."""
        ...


class Ledger:
    """Journal, history and activity log as one: `record` writes ahead, folds, shows."""

    def __init__(
        self,
        journal: JournalStore,
        log: ActivityLog,
        clock: Clock,
        run_id: str,
        *,
        retry_limit: int = 10,
    ) -> None:
        self._journal = journal
        self._log = log
        self._clock = clock
        self._run_id = run_id
        self._retry_limit = retry_limit
        self._unshown: list[tuple[Entry, TaskRecord]] = []
        self.history = History()

    def load(self) -> None:
        """Take in everything that the journal holds already."""
        for entry in self._journal.poll():
            self.history.apply(entry)

    def catch_up(self) -> None:
        """Load the journal, and show those of its last entries that a run which broke off could not show (B2)."""
        last: deque[tuple[Entry, TaskRecord]] = deque(maxlen=CAUGHT_UP)
        for entry in self._journal.poll():
            if isinstance(entry, SHOWN):
                last.append((entry, self.history.of(getattr(entry, "key", ""))))
            self.history.apply(entry)
        for entry, before in last:
            self._show(entry, before)

    def poll(self) -> bool:
        """Take in what others appended (ralph-skip); say whether there was anything."""
        return self._take_in(None)

    def _take_in(self, own: Entry | None) -> bool:
        """Fold what is new: the entry of our own, and wishes of a person. Whatever else an agent wrote is no news."""
        taken = False
        for entry in self._journal.poll():
            if isinstance(entry, SkipAsked) or entry == own:
                own = None if entry == own else own
                self.history.apply(entry)
                taken = True
        return taken

    def stamp(self) -> str:
        """Return the time of day for an entry: ISO 8601, to the second, with its zone."""
        return self._clock.now().isoformat(timespec="seconds")

    def record(self, entry: Entry) -> None:
        """Write an entry to the journal, fold it, and show it in activity.md if it is of that kind."""
        written = entry._replace(at=self.stamp(), run=self._run_id)
        before = self.history.of(getattr(written, "key", ""))
        self._take_in(None)  # wishes that came before
        self._journal.append(written)
        self._take_in(written)
        if isinstance(written, SHOWN):
            self._unshown.append((written, before))
        self._show_all()

    def _show_all(self) -> None:
        """Show what is due in activity.md. It is a view: one that cannot be written now is written later (O12)."""
        with suppress(OSError):
            while self._unshown:
                self._show(*self._unshown[0])
                del self._unshown[0]

    def _show(self, entry: Entry, before: TaskRecord) -> None:
        text = activity.entry(entry, before, retry_limit=self._retry_limit)
        if text:
            self._log.append(activity.entry_id(entry), text)

    def note(self, text: str, *, key: str = "", detail: str = "") -> None:
        """Record something that the person should know in the morning."""
        self.record(Noted(key=key, text=text, detail=detail))

    def status(self, spec: str, plan: Plan, state: str) -> None:
        """Rewrite the status block of activity.md; `state` is the loop's, such as Running (O27)."""
        with suppress(OSError):  # a view, written again at the next step
            self._log.status(activity.status_block(spec, plan, self.history, state, self._clock.now()))
