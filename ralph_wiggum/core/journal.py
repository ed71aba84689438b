"""The journal: one JSON line an entry, written before the effect that it announces. It is the state of a run.

Entries <-> lines here; what they add up to is in `history.py`, how they read in activity.md in `activity.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

VERSION = 1


class RunStarted(NamedTuple):
    """A runner began. `pid`/`keeper` identify its processes, `evening` is the commit to go back to."""

    at: str = ""
    run: str = ""
    pid: int = 0
    keeper: int = 0
    agent: str = ""
    head: str = ""
    branch: str = ""
    evening: str = ""
    max_iterations: int = 0
    dirty: tuple[str, ...] = ()


class RunEnded(NamedTuple):
    """A runner came to its end in good order; `state` is a word for the status, `code` its exit code.

    `made_up`: what the commits of tasks had failed to hold is in the run's last commit.
    """

    at: str = ""
    run: str = ""
    code: int = 0
    state: str = "idle"
    reason: str = ""
    made_up: bool = False


class Started(NamedTuple):
    """An attempt is about to begin. `base` is the snapshot of the tree at the task's first attempt."""

    at: str = ""
    run: str = ""
    key: str = ""
    id: str = ""
    name: str = ""
    line: int = 0
    attempt: int = 1
    iteration: int = 0
    agent: str = ""
    strategy: str = "first"
    timeout: float = 600.0
    base: str = ""
    large: Mapping[str, str] = MappingProxyType({})
    checkpoint: bool = False


class GateSeen(NamedTuple):
    """A gate as the journal keeps it."""

    name: str = ""
    status: str = ""
    reason: str = ""
    counts: str = ""
    seconds: float = 0.0


class Ended(NamedTuple):
    """An attempt ended and was judged. `result` is "passed", "failed" or "interrupted"; seconds are wall time."""

    at: str = ""
    run: str = ""
    key: str = ""
    id: str = ""
    name: str = ""
    attempt: int = 1
    result: str = "failed"
    kind: str = ""
    fingerprint: str = ""
    reason: str = ""
    progressed: bool = False
    environment: bool = False
    hopeless: bool = False
    verified: bool = False
    no_change: str = ""
    seconds: float = 0.0
    timeout: float = 600.0
    strategy: str = "first"
    agent: str = ""
    summary: str = ""
    excerpt: str = ""
    files: tuple[str, ...] = ()
    gates: tuple[GateSeen, ...] = ()
    failing: str = ""  # the command of the gate that failed
    ended_commands: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    after: str = ""
    after_large: Mapping[str, str] = MappingProxyType({})
    checkpoint: bool = False
    how: str = ""  # "parent", "checkpoint" or "validation": no agent had a hand in it
    cause: str = ""  # of an attempt that its provider did not serve: a word of Cause
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = -1.0  # US dollars by the agent's own figures; below 0: it gave none


class Ticked(NamedTuple):
    """A task is complete and stands so in tasks.md. `how` is "agent", "checkpoint", "validation" or "parent"."""

    at: str = ""
    run: str = ""
    key: str = ""
    id: str = ""
    name: str = ""
    sha: str = ""
    how: str = "agent"
    verified: bool = False
    attempts: int = 0
    gates: tuple[GateSeen, ...] = ()
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    uncommitted: bool = False  # the commit failed; the next one makes up for it


class CheckpointBlocked(NamedTuple):
    """The gates of a checkpoint failed before any agent was asked (O19); `visual`: the page of a visual parent did."""

    at: str = ""
    run: str = ""
    key: str = ""
    id: str = ""
    name: str = ""
    reason: str = ""
    gates: tuple[GateSeen, ...] = ()
    visual: bool = False
    hopeless: bool = False


class SkipAsked(NamedTuple):
    """A person asked through `ralph-skip`; the runner carries it out if one is running."""

    at: str = ""
    run: str = ""
    key: str = ""
    id: str = ""
    name: str = ""
    reason: str = ""


class SkipDecided(NamedTuple):
    """A task is about to be skipped: patch, restore and mark follow, and are done again after a crash."""

    at: str = ""
    run: str = ""
    key: str = ""
    id: str = ""
    name: str = ""
    reason: str = ""
    by: str = "runner"  # or "person"
    base: str = ""
    base_large: Mapping[str, str] = MappingProxyType({})
    after: str = ""
    after_large: Mapping[str, str] = MappingProxyType({})


class Skipped(NamedTuple):
    """A task stands as `[S]` in tasks.md. `patch` is the file that holds what it left behind, "" if nothing."""

    at: str = ""
    run: str = ""
    key: str = ""
    id: str = ""
    name: str = ""
    reason: str = ""
    by: str = "runner"
    checkpoint: bool = False
    patch: str = ""
    restored: int = 0
    left: tuple[str, ...] = ()
    next: str = ""


class Reopened(NamedTuple):
    """A task begins anew with empty counters. `by`: "person" (the file said so) or "runner" (O37).

    `goes_on`: what it changed so far stays in the tree and is still its own.
    """

    at: str = ""
    run: str = ""
    key: str = ""
    by: str = "person"
    reason: str = ""
    goes_on: bool = False


class Renumbered(NamedTuple):
    """A person gave tasks other numbers: what is known of a key goes on under another one; "": its task is gone."""

    at: str = ""
    run: str = ""
    keys: Mapping[str, str] = MappingProxyType({})


class Deferred(NamedTuple):
    """A task ran out of attempts and stays open; the run comes back to it last (skip_on_stagnation: false)."""

    at: str = ""
    run: str = ""
    key: str = ""
    reason: str = ""


class Waiting(NamedTuple):
    """The run waits, counting nothing (O37); `until` is a time of day, ISO."""

    at: str = ""
    run: str = ""
    reason: str = ""
    seconds: float = 0.0
    until: str = ""


class Held(NamedTuple):
    """An agent is left alone until a time of day (ISO): its provider limits it, it is not logged in.

    `cause` is a word of Cause; `strikes` is how often in a row that was so. An empty `until` lifts it.
    """

    at: str = ""
    run: str = ""
    agent: str = ""
    cause: str = ""
    reason: str = ""
    until: str = ""
    strikes: int = 0


class StopAsked(NamedTuple):
    """A person asked through `ralph stop` for the end of the run; `now`: the task at hand is not waited for.

    `target` is the id of the run that is meant.
    """

    at: str = ""
    run: str = ""
    target: str = ""
    now: bool = False


class WentOn(NamedTuple):
    """A wait is over."""

    at: str = ""
    run: str = ""
    reason: str = ""


class Noted(NamedTuple):
    """Something that the person should know: an undone tick, an agent's git act, a foreign edit."""

    at: str = ""
    run: str = ""
    key: str = ""
    text: str = ""
    detail: str = ""


class Accepted(NamedTuple):
    """A visual validation of a task passed. `console` maps each page to the console errors that it showed (O25)."""

    at: str = ""
    run: str = ""
    key: str = ""
    console: Mapping[str, Any] = MappingProxyType({})


class Baseline(NamedTuple):
    """How the checks stood before the first task; `data` is what the checks adapter gave to keep."""

    at: str = ""
    run: str = ""
    data: Mapping[str, Any] = MappingProxyType({})


Entry = (
    RunStarted
    | RunEnded
    | Started
    | Ended
    | Ticked
    | CheckpointBlocked
    | SkipAsked
    | SkipDecided
    | Skipped
    | Reopened
    | Renumbered
    | Deferred
    | Waiting
    | Held
    | StopAsked
    | WentOn
    | Noted
    | Accepted
    | Baseline
)

KINDS: Mapping[str, type[Entry]] = {
    "run_started": RunStarted,
    "run_ended": RunEnded,
    "started": Started,
    "ended": Ended,
    "ticked": Ticked,
    "checkpoint_blocked": CheckpointBlocked,
    "skip_asked": SkipAsked,
    "skip_decided": SkipDecided,
    "skipped": Skipped,
    "reopened": Reopened,
    "renumbered": Renumbered,
    "deferred": Deferred,
    "waiting": Waiting,
    "held": Held,
    "stop_asked": StopAsked,
    "went_on": WentOn,
    "noted": Noted,
    "accepted": Accepted,
    "baseline": Baseline,
}
_NAMES = {kind: name for name, kind in KINDS.items()}


def to_line(entry: Entry) -> str:
    """Return the entry as one JSON line with its newline. Fields that stand at their default are left out."""
    data: dict[str, Any] = {"v": VERSION, "event": _NAMES[type(entry)]}
    for name, default in entry._field_defaults.items():
        value = getattr(entry, name)
        if value != default:
            data[name] = [gate._asdict() for gate in value] if name == "gates" else value
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")) + "\n"


def from_line(line: str) -> Entry | None:
    """Return the entry of a line; None for a torn line, a foreign one, or one of a later version."""
    try:
        data = json.loads(line)
    except ValueError:
        return None
    if not isinstance(data, dict) or data.get("v") != VERSION:
        return None
    kind = KINDS.get(str(data.get("event")))
    return _build(kind, data) if kind is not None else None


def _build(kind: type[Entry], data: Mapping[str, Any]) -> Entry | None:
    known: dict[str, Any] = {}
    for name, default in kind._field_defaults.items():
        if name not in data:
            continue
        value = data[name]
        if name == "gates" and isinstance(value, list):
            value = tuple(GateSeen(**gate) for gate in value if _is_gate(gate))
        elif isinstance(value, list):
            value = tuple(value)
        if not _fits(value, default):
            return None
        known[name] = value
    return kind(**known)


def _is_gate(data: object) -> bool:
    return isinstance(data, dict) and data.keys() <= set(GateSeen._fields)


def _fits(value: object, default: object) -> bool:
    """Say whether a value that came from the file has the type that its field holds."""
    if isinstance(default, bool):
        return isinstance(value, bool)
    if isinstance(default, (int, float)):
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if isinstance(default, MappingProxyType):
        return isinstance(value, dict)
    return isinstance(value, type(default))


def read(text: str) -> tuple[tuple[Entry, ...], int]:
    """Return the entries of a journal's text, and how many of its lines could not be read."""
    entries: list[Entry] = []
    bad = 0
    for line in text.split("\n"):
        if not line.strip():
            continue
        entry = from_line(line)
        if entry is None:
            bad += 1
        else:
            entries.append(entry)
    return tuple(entries), bad
