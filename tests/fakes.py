"""Scripted stand-ins for every port: a world in memory, an agent that plays a script, a clock moved by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ralph_wiggum.core import edit, parse, protect
from ralph_wiggum.core.evidence import AgentOutcome, Change, Ending, Gate, GateStatus
from ralph_wiggum.core.journal import Entry
from ralph_wiggum.core.model import Plan, Task
from ralph_wiggum.core.servers.standing import Standing
from ralph_wiggum.core.visual.looked import Looked
from ralph_wiggum.ports import (
    AgentRequest,
    CheckPlan,
    Committed,
    RepoState,
    Restored,
    Snapshot,
    Watcher,
)

EVENING = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)


class HandClock:
    """A clock that moves only when somebody pauses or pushes it.

    A pause is one push, or pushes of `step` seconds with a look at `wake` after each, as the real one has it.
    """

    def __init__(self, start: datetime = EVENING, step: float = float("inf")) -> None:
        self._now = start
        self._step = step
        self._monotonic = 0.0
        self.pauses: list[float] = []

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def push(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def pause(self, seconds: float, wake: Callable[[], bool]) -> None:
        self.pauses.append(seconds)
        while seconds > 0 and not wake():
            self.push(min(seconds, self._step))
            seconds -= self._step

    def set_forward(self, seconds: float) -> None:
        """Set the time of day, as a person or a time server does; what has gone by stays the same."""
        self._now += timedelta(seconds=seconds)


class MemoryJournal:
    """A journal in a list; `die_after` raises once so many entries were written."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.entries: list[Entry] = list(entries)
        self.mended: list[str] = []
        self._read = 0

    def append(self, entry: Entry) -> None:
        self.entries.append(entry)

    def poll(self) -> tuple[Entry, ...]:
        new = tuple(self.entries[self._read :])
        self._read = len(self.entries)
        return new


@dataclass
class MemoryLog:
    """activity.md as a list of entries and the last status block."""

    entries: dict[str, str] = field(default_factory=dict)
    block: str = ""

    def status(self, block: str) -> None:
        self.block = block

    def has(self, entry_id: str) -> bool:
        return entry_id in self.entries

    def missing(self, entry_ids: Iterable[str]) -> frozenset[str]:
        return frozenset(entry_ids) - self.entries.keys()

    def append(self, entry_id: str, text: str) -> None:
        self.entries.setdefault(entry_id, text)


class TextSpec:
    """A spec whose tasks.md is a string; agents may write to `text`."""

    def __init__(self, text: str, documents: Mapping[str, str] | None = None) -> None:
        self.text = text
        self._parsed = ("", Plan(tasks=(), children=(), by_key={}))
        self._held = text
        self.foreign_diff = ""
        self.rescued: tuple[str, ...] = ()
        self._documents = documents or {}
        self.writes: list[tuple[str, str]] = []

    def plan(self) -> Plan:
        if self._parsed[0] != self.text:
            self._parsed = (self.text, parse.parse(self.text))
        return self._parsed[1]

    def write(self, key: str, mark: str) -> Plan:
        plan = self.plan()
        self.text = edit.set_mark(self.text, plan.task(key), mark)
        self._parsed = (self.text, plan.with_mark(key, mark))
        self.writes.append((key, mark))
        return self._parsed[1]

    def hold(self) -> None:
        self._held = self.text

    def held_plan(self) -> Plan | None:
        return parse.parse(self._held)

    def protect(self, key: str) -> tuple[str, ...]:
        result = protect.protect(self._held, self.text, key)
        self.text = result.text
        self.foreign_diff = result.diff
        return result.notes

    def mark_held(self, key: str, mark: str) -> None:
        plan = parse.parse(self._held)
        self._held = edit.set_mark(self._held, plan.task(key), mark)

    def document(self, name: str) -> str:
        return self._documents.get(name, "")

    def steering(self) -> tuple[tuple[str, str], ...]:
        return ()


class MemoryRepo:
    """A work tree in a dict, with snapshots, restores and commits that are remembered."""

    def __init__(self, files: Mapping[str, str] | None = None) -> None:
        self.files: dict[str, str] = dict(files or {})
        self.trees: dict[str, dict[str, str]] = {}
        self.commits: list[tuple[str, tuple[str, ...], Mapping[str, str]]] = []
        self.kept: dict[str, Snapshot] = {}
        self.acts: list[str] = []
        self.rescued: tuple[str, ...] = ()

    def begin(self, run_id: str, *, since: Snapshot | None = None, agent_until: datetime | None = None) -> RepoState:
        return RepoState(head="h0", branch="ralph/demo", evening="h0")

    def snapshot(self, *, recent: bool = False) -> Snapshot:
        name = hashlib.sha256(repr(sorted(self.files.items())).encode()).hexdigest()[:12]
        self.trees[name] = dict(self.files)
        return Snapshot(tree=name)

    def keep(self, name: str, snapshot: Snapshot) -> None:
        self.kept[name] = snapshot

    def changes(self, before: Snapshot, after: Snapshot) -> tuple[Change, ...]:
        old, new = self.trees[before.tree], self.trees[after.tree]
        return tuple(
            Change(path=path, status="A" if path not in old else "D" if path not in new else "M")
            for path in sorted(old.keys() | new.keys())
            if old.get(path) != new.get(path)
        )

    def patch(self, before: Snapshot, after: Snapshot) -> bytes:
        return "".join(f"{change.status} {change.path}\n" for change in self.changes(before, after)).encode()

    def restore(self, before: Snapshot, after: Snapshot) -> Restored:
        old = self.trees[before.tree]
        paths = tuple(change.path for change in self.changes(before, after))
        for path in paths:
            if path in old:
                self.files[path] = old[path]
            else:
                self.files.pop(path, None)
        return Restored(restored=paths)

    def commit(
        self,
        before: Snapshot,
        after: Snapshot,
        *,
        subject: str,
        trailers: Mapping[str, str],
        extra: Sequence[Path] = (),
    ) -> Committed:
        paths = tuple(change.path for change in self.changes(before, after))
        self.commits.append((subject, paths, trailers))
        return Committed(sha=f"c{len(self.commits)}")

    def mend(self) -> tuple[str, ...]:
        acts, self.acts = tuple(self.acts), []
        return acts

    def files_token(self) -> str:
        return self.snapshot().tree


@dataclass
class ScriptedChecks:
    """Checks whose results come from a function of the work tree; every call is remembered."""

    result: Callable[[], Sequence[Gate]] = tuple
    plans: Sequence[CheckPlan] = ()
    calls: list[Sequence[str] | None] = field(default_factory=list)

    def baseline(self, tree: str, watcher: Watcher) -> Sequence[Gate]:
        return ()

    def run(self, changed: Sequence[str] | None, tree: str, watcher: Watcher) -> Sequence[Gate]:
        self.calls.append(changed)
        return self.result()


def green(name: str = "pytest") -> Gate:
    return Gate(name=name, kind="backend", status=GateStatus.PASSED, reason="passed", command=name)


def red(reason: str = "1 failed", *failures: str, environment: bool = False, name: str = "pytest") -> Gate:
    return Gate(
        name=name,
        kind="backend",
        status=GateStatus.FAILED,
        reason=reason,
        command=name,
        failures=failures or (reason,),
        environment=environment,
    )


@dataclass
class ScriptedServers:
    """Servers whose gates come from a function; `words` are told by the next `tend`, `trees` are what was asked for."""

    result: Callable[[], Sequence[Gate]] = tuple
    standings: Sequence[Standing] = ()
    words: list[str] = field(default_factory=list)
    ensured: int = 0
    stopped: int = 0
    trees: list[str] = field(default_factory=list)

    def ensure(self, watcher: Watcher, *, tree: str = "") -> tuple[Gate, ...]:
        self.ensured += 1
        self.trees.append(tree)
        return tuple(self.result())

    def tend(self) -> tuple[str, ...]:
        words, self.words = tuple(self.words), []
        return words

    def stop(self) -> None:
        self.stopped += 1


@dataclass
class ScriptedValidator:
    """A look at pages whose result comes from a function of the task; every look is remembered."""

    result: Callable[[Task], Looked] = lambda _: Looked(gates=(seen(),))
    missing: str = ""
    looks: list[str] = field(default_factory=list)
    accepted: list[Mapping[str, tuple[str, ...]]] = field(default_factory=list)
    trees: list[str] = field(default_factory=list)
    earlier: list[tuple[str, ...]] = field(default_factory=list)

    def run(
        self,
        task: Task,
        accepted: Mapping[str, tuple[str, ...]],
        watcher: Watcher,
        say: Callable[[str], None],
        *,
        tree: str = "",
        earlier: Sequence[Task] = (),
    ) -> Looked:
        self.earlier.append(tuple(each.key for each in earlier))
        self.looks.append(task.key)
        self.trees.append(tree)
        self.accepted.append(dict(accepted))
        return self.result(task)


def seen(reason: str = "looked at 1 page") -> Gate:
    return Gate(name="visual", kind="visual", status=GateStatus.PASSED, reason=reason, command="open /")


def unseen(reason: str = 'is visible "#go" answered false', *, hopeless: bool = False) -> Gate:
    return Gate(
        name="visual",
        kind="visual",
        status=GateStatus.FAILED,
        reason=reason,
        command='agent-browser is visible "#go"',
        excerpt=f"{reason}\nscreenshot: screenshots/demo/1.png",
        failures=(reason,),
        hopeless=hopeless,
    )


def down(reason: str = "did not answer within 30 s", name: str = "web") -> Gate:
    return Gate(
        name=f"server {name}",
        kind="server",
        status=GateStatus.FAILED,
        reason=reason,
        command="npm run dev",
        excerpt="Error: listen EADDRINUSE",
        failures=(f"server {name}: {reason}",),
    )


@dataclass
class ScriptedMachine:
    """A machine that is short of what `short` says; `told` are the words of the next `jumps`."""

    short: Callable[[], str] = str
    told: list[str] = field(default_factory=list)
    awake: bool = False

    def begin(self) -> tuple[str, ...]:
        self.awake = True
        return ()

    def end(self) -> None:
        self.awake = False

    def shortage(self) -> str:
        return self.short()

    def jumps(self) -> tuple[str, ...]:
        told, self.told = tuple(self.told), []
        return told


@dataclass
class ScriptedNetwork:
    """A network that is back when `back` says so."""

    back: Callable[[], bool] = lambda: False
    looks: int = 0

    def __call__(self) -> bool:
        self.looks += 1
        return self.back()

    def close(self) -> None: ...


Play = Callable[[AgentRequest], AgentOutcome]


@dataclass
class ScriptedAgent:
    """An agent that does what a function says; every request is remembered."""

    play: Play
    name: str = "scripted"
    requests: list[AgentRequest] = field(default_factory=list)

    def run(self, request: AgentRequest, watcher: Watcher) -> AgentOutcome:
        self.requests.append(request)
        watcher.tick()
        reason = watcher.stop_reason()
        if reason:
            return AgentOutcome(ending=Ending.STOPPED, error=reason)
        return self.play(request)

    @property
    def keys(self) -> list[str]:
        """The tasks that were asked for, in order."""
        return [request.env["RALPH_TASK_ID"] for request in self.requests]


def says(message: str, *, exit_code: int = 0, seconds: float = 1.0) -> AgentOutcome:
    return AgentOutcome(ending=Ending.EXITED, exit_code=exit_code, message=message, excerpt=message, seconds=seconds)
