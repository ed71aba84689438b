"""The entries of the journal, each written before the effect that it announces. Together they are the state of a run.

Their lines are in `journal_lines.py`, what they add up to in `history.py`, how they read in activity.md in
`activity.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple


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
    resumes: str = ""  # the session that it goes on with


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
    cached_tokens: int = 0  # of input_tokens
    cost: float = -1.0  # US dollars; below 0: nobody can tell
    priced: bool = False  # the cost was made of tokens, by the person's prices
    session: str = ""  # by which the agent can go on


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
