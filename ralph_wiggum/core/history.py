"""What the journal adds up to: the fold of its entries, one task at a time and for the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ralph_wiggum.core.journal import (
    Accepted,
    Baseline,
    CheckpointBlocked,
    Deferred,
    Ended,
    Entry,
    Held,
    Noted,
    Renumbered,
    Reopened,
    RunEnded,
    RunStarted,
    SkipAsked,
    SkipDecided,
    Skipped,
    Started,
    StopAsked,
    Ticked,
    Waiting,
    WentOn,
)
from ralph_wiggum.core.spent import Spent, added, told_nothing

RECENT = 20

TICKED = "ticked"
SKIPPED = "skipped"
UNSETTLED = ""


class Session(NamedTuple):
    """A session of an agent; `id` is "" where there is none. `key` is the task that it passed last."""

    agent: str = ""
    id: str = ""
    key: str = ""


class TaskRecord(NamedTuple):
    """What is known of one task since it began, or began anew.

    `attempts` are all that ended, oldest first, interrupted ones included; `open` is an attempt without an end;
    `first` is the first Started, which holds the snapshot to go back to; `settled` is "", "ticked" or "skipped";
    `skipping` is a skip that was decided and not carried out yet; `deferred`: out of attempts, comes last.
    """

    attempts: tuple[Ended, ...] = ()
    open: Started | None = None
    first: Started | None = None
    settled: str = UNSETTLED
    ticked: Ticked | None = None
    skipped: Skipped | None = None
    skipping: SkipDecided | None = None
    deferred: bool = False

    @property
    def counted(self) -> tuple[Ended, ...]:
        """Return the attempts that count towards the caps: the failed and the passed, not the interrupted."""
        return tuple(ended for ended in self.attempts if ended.result != "interrupted")

    @property
    def tried(self) -> tuple[Ended, ...]:
        """Return the attempts of agents that count; a look that the runner took without one is none."""
        return tuple(ended for ended in self.counted if not ended.how)

    @property
    def passed(self) -> Ended | None:
        """Return the last attempt if it passed."""
        return self.attempts[-1] if self.attempts and self.attempts[-1].result == "passed" else None


EMPTY = TaskRecord()


class History:
    """The fold: `apply` takes one entry after the other; the same entries always give the same history."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.tasks: dict[str, TaskRecord] = {}
        self.run: RunStarted | None = None
        self.ended: RunEnded | None = None
        self.iterations = 0
        self.waiting: Waiting | None = None
        self.held: dict[str, Held] = {}  # agents that are left alone, by name; across runs
        self.stop: StopAsked | None = None
        self.cost = 0.0  # of this run's attempts, US dollars, by the agents' own figures
        self.spent: dict[str, Spent] = {}  # of this run's attempts, by agent
        self.spent_before: dict[str, Spent] = {}  # of the spec's earlier runs
        self.sessions: dict[str, Spent] = {}  # what each session used so far
        self.passed = Session()  # of the last task that passed, while all that it did still stands
        self.untold: list[tuple[str, float]] = []  # agent, seconds of each attempt of this run that told no cost
        self.tellers: set[str] = set()  # agents that ever told what an attempt cost
        self.waits: list[tuple[Waiting, str]] = []  # of this run, with the time of day (ISO) at which each was over
        self.current: Started | None = None
        self.asked: dict[str, SkipAsked] = {}
        self.baseline: Baseline | None = None
        self.console: dict[str, tuple[str, ...]] = {}  # page -> console errors of its last accepted validation
        self.recent: list[Ended | Ticked | Skipped] = []
        self.notes: list[Noted] = []
        self.owed: Started | None = None  # where the first of the tasks began whose commit failed
        for entry in entries:
            self.apply(entry)

    def of(self, key: str) -> TaskRecord:
        """Return the record of a task; an empty one if nothing ever happened to it."""
        return self.tasks.get(key, EMPTY)

    def apply(self, entry: Entry) -> None:
        """Take one entry in."""
        match entry:
            case RunStarted() | RunEnded() | Waiting() | WentOn() | Held() | StopAsked():
                self._apply_run(entry)
            case Baseline():
                self.baseline = entry
            case Noted():
                self.notes.append(entry)
            case Accepted():
                self._accept(entry)
            case SkipAsked():
                self.asked[entry.key] = entry
            case Renumbered():
                self._renumber(entry.keys)
            case CheckpointBlocked():
                pass  # its gates are for the log; the attempts that follow carry the state
            case _:
                self._apply_task(entry)

    def _accept(self, entry: Accepted) -> None:
        for page, errors in entry.console.items():
            if isinstance(errors, (list, tuple)):
                self.console[page] = tuple(str(error) for error in errors)

    def _apply_run(self, entry: RunStarted | RunEnded | Waiting | WentOn | Held | StopAsked) -> None:
        match entry:
            case RunStarted():
                self.run, self.ended, self.iterations = entry, None, 0
                self.waiting = self.current = self.stop = None
                self.notes, self.cost, self.untold, self.waits = [], 0.0, [], []
                self.spent_before, self.spent = added(self.spent_before, self.spent), {}
                self.passed = Session()
            case RunEnded():
                self.ended, self.waiting, self.current = entry, None, None
                self.owed = None if entry.made_up else self.owed
            case Waiting():
                self.waiting = entry
            case WentOn():
                self.waits += [(self.waiting, entry.at)] if self.waiting is not None else []
                self.waiting = None
            case Held():
                self.held[entry.agent] = entry
            case StopAsked():
                if self.run is not None and entry.target == self.run.run and not (self.stop and self.stop.now):
                    self.stop = entry

    def _apply_task(self, entry: Started | Ended | Ticked | SkipDecided | Skipped | Reopened | Deferred) -> None:
        record = self.of(entry.key)
        match entry:
            case Started():
                self.iterations += 1
                self.current = entry
                record = _begun(record)._replace(open=entry)
                record = record._replace(first=record.first or entry)
            case Ended():
                self.current = None
                self.cost += max(0.0, entry.cost)
                self._spend(entry)
                self.tellers |= {entry.agent} if entry.cost >= 0 else set()
                self.untold += [(entry.agent, entry.seconds)] if told_nothing(entry) and entry.seconds > 0 else []
                if entry.cause and record.open is not None:
                    self.iterations -= 1  # its provider did not serve it: it counts as nothing (B1)
                # one that was cut off and skipped by a person since stays skipped when its attempt is closed
                record = record if record.open is not None else _begun(record)
                record = record._replace(attempts=(*record.attempts, entry), open=None)
            case Ticked():
                self._owe(entry, record)
                self.passed = Session() if entry.how == "checkpoint" else self.passed
                record = record._replace(settled=TICKED, ticked=entry, skipped=None, skipping=None, deferred=False)
            case SkipDecided():
                record = record._replace(skipping=entry)
                self.asked.pop(entry.key, None)
            case Skipped():
                self.passed = Session()  # it may remember what was taken out
                record = record._replace(settled=SKIPPED, skipped=entry, skipping=None, ticked=None, deferred=False)
                self.asked.pop(entry.key, None)
            case Reopened():
                self.passed = Session()  # where it was put back, the session remembers what is gone
                record = EMPTY._replace(first=record.first if entry.goes_on else None)
                self.asked.pop(entry.key, None)
            case Deferred():
                self.passed = Session()
                record = record._replace(deferred=True)
        self.tasks[entry.key] = record
        self._remember(entry)

    def _spend(self, entry: Ended) -> None:
        if entry.how or not entry.agent:
            return
        self.spent[entry.agent] = self.spent.get(entry.agent, Spent()).plus(entry)
        if entry.session:
            self.sessions[entry.session] = self.sessions.get(entry.session, Spent()).plus(entry)
        if entry.result == "passed":
            self.passed = Session(entry.agent, entry.session, entry.key)

    def _renumber(self, keys: Mapping[str, str]) -> None:
        """Move what is known of tasks to their new keys, all at once, since two may have changed places."""
        records = {new: self.tasks[old] for old, new in keys.items() if new and old in self.tasks}
        asked = {new: self.asked[old]._replace(key=new) for old, new in keys.items() if new and old in self.asked}
        for key in keys:
            self.tasks.pop(key, None)
            self.asked.pop(key, None)
        self.tasks |= {key: _under(key, record) for key, record in records.items()}
        self.asked |= asked
        self.passed = self.passed._replace(key=keys.get(self.passed.key, self.passed.key))

    def _owe(self, ticked: Ticked, record: TaskRecord) -> None:
        """Keep in mind what a failed commit left out; the next commit that is made holds it."""
        if ticked.uncommitted:
            self.owed = self.owed or record.first
        elif ticked.sha:
            self.owed = None

    def _remember(self, entry: Entry) -> None:
        if isinstance(entry, (Ended, Ticked, Skipped)):
            self.recent.append(entry)
            del self.recent[:-RECENT]


def _under(key: str, record: TaskRecord) -> TaskRecord:
    """Return a record for another key: its attempts are told by it."""
    return record._replace(
        attempts=tuple(ended._replace(key=key) for ended in record.attempts),
        open=record.open and record.open._replace(key=key),
        first=record.first and record.first._replace(key=key),
    )


def _begun(record: TaskRecord) -> TaskRecord:
    """Return the record to go on with: an attempt at a settled task begins a new one."""
    return record if record.settled == UNSETTLED else EMPTY
