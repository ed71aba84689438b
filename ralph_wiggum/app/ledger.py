"""The ledger of a run: every entry goes through here, into the journal first and then into its views."""

from __future__ import annotations

from contextlib import suppress
from typing import Protocol

from ralph_wiggum.core import activity
from ralph_wiggum.core.history import History, TaskRecord
from ralph_wiggum.core.journal import (
    CheckpointBlocked,
    Ended,
    Entry,
    Noted,
    RunEnded,
    SkipAsked,
    Skipped,
    StopAsked,
    Ticked,
    Waiting,
)
from ralph_wiggum.core.model import Plan
from ralph_wiggum.ports import ActivityLog, Clock

WISHES = (SkipAsked, StopAsked)  # what a person may write into the journal of a running run
SHOWN = (CheckpointBlocked, Ended, Noted, Skipped, Ticked, Waiting)


class JournalStore(Protocol):
    """Where entries are kept. `mended` holds words on what was done to keep them, until somebody takes them out."""

    mended: list[str]

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
        self._shown: dict[str, tuple[Entry, TaskRecord]] = {}  # by id, since the last run that ended in order
        self.history = History()

    def load(self) -> None:
        """Take in everything that the journal holds already."""
        for entry in self._journal.poll():
            self.history.apply(entry)

    def catch_up(self) -> None:
        """Load the journal; where the last runs broke off, show what activity.md lacks of what they did (B2)."""
        for entry in self._journal.poll():
            if isinstance(entry, RunEnded):
                self._shown.clear()  # that run showed all; what a person took out since stays out
            elif isinstance(entry, SHOWN):
                self._shown[activity.entry_id(entry)] = (entry, self.history.of(getattr(entry, "key", "")))
            self.history.apply(entry)
        with suppress(OSError):
            self._show_again()

    def poll(self) -> bool:
        """Take in what others appended (ralph-skip, ralph stop); say whether there was anything."""
        taken = self._take_in(None)
        while self._journal.mended:
            self.note(self._journal.mended.pop(0))
        return taken

    def _take_in(self, own: Entry | None) -> bool:
        """Fold what is new: the entry of our own, and wishes of a person. Whatever else an agent wrote is no news."""
        taken = False
        for entry in self._journal.poll():
            if isinstance(entry, WISHES) or entry == own:
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
        """Show what is due in activity.md. It is a view: one that cannot be written now is written later (O12).

        An agent's stash, checkout or clean may have taken entries out of it: they are shown again first (O29).
        """
        with suppress(OSError):
            if self._shown and not self._log.has(next(reversed(self._shown))):
                self._show_again()
            while self._unshown:
                entry, before = self._unshown[0]
                self._show(activity.entry_id(entry), entry, before)
                del self._unshown[0]

    def _show_again(self) -> None:
        missing = self._log.missing(self._shown)
        for entry_id in [each for each in self._shown if each in missing]:
            self._show(entry_id, *self._shown[entry_id])

    def _show(self, entry_id: str, entry: Entry, before: TaskRecord) -> None:
        text = activity.entry(entry, before, retry_limit=self._retry_limit)
        if text:
            self._log.append(entry_id, text)
            self._shown[entry_id] = (entry, before)
        else:
            self._shown.pop(entry_id, None)

    def note(self, text: str, *, key: str = "", detail: str = "") -> None:
        """Record something that the person should know in the morning."""
        self.record(Noted(key=key, text=text, detail=detail))

    def status(self, spec: str, plan: Plan, state: str) -> None:
        """Rewrite the status block of activity.md; `state` is the loop's, such as Running (O27)."""
        with suppress(OSError):  # a view, written again at the next step
            self._log.status(activity.status_block(spec, plan, self.history, state, self._clock.now()))
