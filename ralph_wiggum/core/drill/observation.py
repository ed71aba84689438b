"""What was seen of one rehearsal; the judgement (`verdict.py`) knows nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from ralph_wiggum.core.journal import Ended, Entry, Held, Started


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One start of the runner. Seconds.

    `code` is its exit code, below 0 the signal that ended it, None if it had to be ended because its time was over;
    `killed` says that the drill did that on purpose. `left` names what lived on 5 s later. `said` is the end of what
    it printed.
    """

    code: int | None
    seconds: float
    killed: bool = False
    left: tuple[str, ...] = ()
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What the scripted agent noted: `kind` is "start", "end" or the word of a step; `at` is seconds since 1970.

    `run` counts the runs of this task, from 1.
    """

    kind: str
    task: str
    run: int
    agent: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """The end of a rehearsal, as it was found.

    `plan` is tasks.md, `readable` whether all lines of the journal could be read. `commits` are the tasks that the
    commits since the beginning name, `committed` the tasks whose work HEAD holds; both None where nothing is to be
    committed. `repository` is "" or what git says is broken. `changed` are the person's own files that are not what
    they were. `memory` is the most that the runner held and `log` the size of the biggest log, bytes, 0: not known.
    `hooks` says whether the person has any for commits, `lacking` names folders of packages that the copy is without.
    """

    starts: tuple[Start, ...]
    plan: str
    entries: tuple[Entry, ...] = ()
    readable: bool = True
    commits: tuple[str, ...] | None = None
    committed: frozenset[str] | None = None
    repository: str = ""
    changed: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
    memory: int = 0
    log: int = 0
    hooks: bool = False
    lacking: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """Return how long the runs took together."""
        return sum(start.seconds for start in self.starts)

    def attempts(self, key: str) -> tuple[Ended, ...]:
        """Return the ended attempts at a task."""
        return tuple(entry for entry in self.entries if isinstance(entry, Ended) and entry.key == key)

    def started(self, key: str) -> tuple[Started, ...]:
        """Return the begun attempts at a task."""
        return tuple(entry for entry in self.entries if isinstance(entry, Started) and entry.key == key)

    def held(self, agent: str) -> bool:
        """Say whether an agent was left alone for a while."""
        return any(isinstance(entry, Held) and entry.agent == agent and entry.until for entry in self.entries)

    def noted(self, kind: str, agent: str = "") -> tuple[Event, ...]:
        """Return what the agent noted under a word."""
        return tuple(event for event in self.events if event.kind == kind and agent in ("", event.agent))
