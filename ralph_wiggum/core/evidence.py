"""What the runner saw of one attempt, and what it makes of it: frozen values that judge and decide work on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Ending(StrEnum):
    """How an agent's process came to its end."""

    EXITED = "exited"  # by itself, with an exit code
    CRASHED = "crashed"  # by a signal that the runner did not send
    TASK_TIMEOUT = "task timeout"  # O20
    NO_PROGRESS = "no progress"  # O22
    STOPPED = "stopped"  # by a person: ralph-skip, SIGINT, SIGTERM
    OUT_OF_TIME = "out of time"  # the time of day came at which the run has to end (--until)
    OUT_OF_MEMORY = "out of memory"  # its family used more than it may (B7)
    DISK_FULL = "disk full"  # less room was left than the floor (B7)
    LINGERED = "lingered"  # it had said its last word and did not end: the runner ended it
    TOO_MANY_TURNS = "too many turns"  # max_turns
    TOO_EXPENSIVE = "too expensive"  # it told a cost beyond what it may
    NOT_STARTED = "not started"  # the program could not be executed


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedCommand:
    """A command of the agent that ran into the command timeout (O21). Times in seconds."""

    command: str
    seconds: float
    limit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What the provider said through its agent, in a structured event: an error, a limit, a retry.

    `kind` is the vendor's own word ("rate_limit", "authentication_failed"), `status` an HTTP status or 0, `text` the
    message in one line, `resets_at` when it serves again (seconds since 1970) or 0, `retry_after` seconds or 0.
    `final`: the agent gave up over it; else it went on trying. `stale`: the model answered after it.
    """

    kind: str = ""
    status: int = 0
    text: str = ""
    resets_at: float = 0.0
    retry_after: float = 0.0
    final: bool = False
    stale: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What an attempt used, by the agent's own figures; `cost` in US dollars, None where the agent gives none.

    `cached_tokens` are those of `input_tokens` that the provider had cached.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentOutcome:
    """What came out of one agent process. No text here holds terminal sequences or control characters.

    `message` is the end of what the dialect takes for the final message (at most 64 KiB); `excerpt` is the end of
    everything printed, standard error included, for logs and retry prompts; `waited_for` holds each reason that kept
    the no-progress clock from ending a silent agent (O22); `leftovers` counts processes that were ended after the
    agent's own end; `seconds` is wall time; `notes` are words for the log about the runner's own trouble (a full disk).

    `errors` is the end of standard error alone ("" where it is the same terminal). What follows comes from structured
    events, where the dialect has them: `notices`, oldest first; `completed` says whether the event that ends every run
    was seen (None: the dialect has none); `flagged`: that event says error; `denied` are tools that the agent's own
    rules refused; `session` is the id to resume it by.
    """

    ending: Ending
    exit_code: int | None = None
    signal: int | None = None
    seconds: float = 0.0
    message: str = ""
    excerpt: str = ""
    output_bytes: int = 0
    ended_commands: tuple[EndedCommand, ...] = ()
    waited_for: tuple[str, ...] = ()
    answered: tuple[str, ...] = ()
    leftovers: int = 0
    error: str = ""
    notes: tuple[str, ...] = ()
    errors: str = ""
    notices: tuple[Notice, ...] = ()
    completed: bool | None = None
    flagged: bool = False
    denied: tuple[str, ...] = ()
    usage: Usage | None = None
    session: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One path that differs between two snapshots; `status` is git's letter: A, M, D or T (type changed)."""

    path: str
    status: str


class GateStatus(StrEnum):
    """Result of one gate. NOT_RUN: an earlier gate failed, so this one was not tried."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One check that the runner ran itself, and its result (G1).

    `failures` are the keys of the failures that count (new since the baseline; test ids, `path: code`, else
    normalised lines), sorted; `counts` is what the tool printed of its totals ("12 passed, 1 failed"), or "";
    `environment` says that the gate could not run at all: a missing tool, an unreachable service (O37). `hopeless`:
    no attempt of an agent can change that (agent-browser is not installed), so none is spent on it.
    """

    name: str
    kind: str
    status: GateStatus
    command: str = ""
    reason: str = ""
    excerpt: str = ""
    seconds: float = 0.0
    failures: tuple[str, ...] = ()
    counts: str = ""
    environment: bool = False
    hopeless: bool = False

    @property
    def failed(self) -> bool:
        """Say whether this gate stands in the way."""
        return self.status is GateStatus.FAILED


class Claim(StrEnum):
    """What an agent says of its own work (O16); never more than a claim."""

    NONE = "none"
    TASK_COMPLETE = "TASK_COMPLETE"
    TASK_SKIPPED = "TASK_SKIPPED"
    ALL_TASKS_COMPLETE = "ALL_TASKS_COMPLETE"
    CHECKPOINT_PASSED = "CHECKPOINT_PASSED"
    CHECKPOINT_SKIPPED = "CHECKPOINT_SKIPPED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The signal at the end of a final message, with its reason or name, and a NO_CHANGE_NEEDED reason if given.

    `summary` is the message without the signal lines: What Was Done of the activity entry.
    """

    claim: Claim = Claim.NONE
    detail: str = ""
    no_change: str | None = None
    summary: str = ""


class FailureKind(StrEnum):
    """Why an attempt failed; the first word of its fingerprint."""

    CHECK = "check"
    SERVER = "server"  # a server of the settings could not be brought up (O23)
    VISUAL = "visual"  # O25
    TIMEOUT = "timeout"
    NO_PROGRESS = "no progress"
    NO_CHANGE = "no change"
    NO_SIGNAL = "no signal"
    EXIT = "exit"
    CRASH = "crash"
    GAVE_UP = "gave up"  # TASK_SKIPPED
    WRONG_SIGNAL = "wrong signal"  # ALL_TASKS_COMPLETE, checkpoint claims
    NOT_STARTED = "not started"
    MEMORY = "memory"  # the family used more than it may
    DISK = "disk"  # less room was left than the floor
    CONTEXT = "context overflow"
    DENIED = "permission denied"  # by the agent's own rules
    CAP = "cap"  # it used more turns or money than one attempt may
    PROVIDER = "provider"  # it was overloaded so often that it counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """The attempt did the task. `verified`: at least one check ran and passed. `no_change`: why nothing was done."""

    verified: bool
    no_change: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The attempt did not do the task.

    `fingerprint` is equal for identical failures (O14). `progressed`: it ran out of time while the tree changed.
    `environment`: not the task's fault (O37). `hopeless`: no further attempt can end otherwise.
    """

    kind: FailureKind
    fingerprint: str
    reason: str
    progressed: bool = False
    environment: bool = False
    hopeless: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted:
    """The attempt was ended by a person or by the death of the runner; it counts as nothing (design, part 1)."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unserved:
    """The attempt says nothing of the task: the agent or its provider did not serve it (B1). It counts as nothing.

    `cause` is a word of Cause.
    """

    cause: str
    reason: str


Verdict = Passed | Failed | Interrupted | Unserved
