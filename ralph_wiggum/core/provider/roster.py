"""Which agent is asked next, and when: agents that their provider does not serve are left alone for a while (B1).

A hold that is over leaves its strikes behind: they count how often in a row an agent was not served, and go on until it
serves an attempt. Nothing here reads a clock or rolls dice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ralph_wiggum.core.journal import Held
from ralph_wiggum.core.provider import reset
from ralph_wiggum.core.provider.cause import UNSERVED, Cause, Diagnosis

MARGIN = 60.0  # seconds after the reset that was reported (issue: "a minute more")
RATE_MARGIN = 3.0  # seconds: of a rate limit the seconds are known
UNKNOWN_RESET = (300.0, 900.0, 1800.0, 3600.0)  # seconds: 5, 15, 30, 60, 60 … minutes
AFTER_RESET = (0.0, 300.0, 900.0, 1800.0, 3600.0)  # seconds at least, where resets were reported and did not hold
SPREAD = 0.25  # of a wait, either way: several runs must not come back at the same second
COUNTS_FROM = 8  # strikes in a row from which an overloaded provider counts as a failure of the task
RATE_PATIENCE = 3  # strikes for which a reported end of a rate limit is believed to the second
_KEPT_STRIKES = 4  # when one kind of trouble follows another
_MOST_DOUBLINGS = 20

_RATE_LIMIT = (30.0, 900.0)  # seconds: the first wait, doubled each time, and the longest
_OVERLOADED = (10.0, 600.0)
_OFFLINE = (15.0, 300.0)
_PASSING = frozenset({Cause.RATE_LIMIT, Cause.OVERLOADED, Cause.OFFLINE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """An agent is left alone until `until` (aware). `reason` is for people; `strikes` as described above, from 1."""

    cause: Cause
    until: datetime
    reason: str = ""
    strikes: int = 1


Roster = Mapping[str, Hold]  # by the name of the agent


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Ask this agent now."""

    agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitUntil:
    """No agent is free; this one is the first to come back."""

    until: datetime
    agent: str
    cause: Cause
    reason: str = ""


def after(holds: Roster, agent: str, diagnosis: Diagnosis, now: datetime, jitter: float) -> Hold:
    """Return the hold on an agent whose attempt was not served: `diagnosis.cause` is one of UNSERVED.

    `jitter` is from 0 to 1, 0.5 for none. Waits: a limit of the plan to its reset and a minute more, 5, 15, 30, 60
    minutes where that is not known, as for what a person has to mend; a rate limit to its end, else 30 s doubled up to
    15 min; an overloaded provider 10 s doubled up to 10 min; no network 15 s doubled up to 5 min.
    """
    strikes = _strikes(holds.get(agent), diagnosis.cause)
    present = now.astimezone(UTC)  # moments of one zone are compared and added to by their faces
    until = present + timedelta(seconds=_least(diagnosis, strikes, min(max(jitter, 0.0), 1.0)))
    if diagnosis.until is not None and diagnosis.cause in {Cause.USAGE_LIMIT, Cause.RATE_LIMIT, Cause.OVERLOADED}:
        margin = MARGIN if diagnosis.cause is Cause.USAGE_LIMIT else RATE_MARGIN
        until = max(until, max(diagnosis.until.astimezone(UTC), present) + timedelta(seconds=margin))
    reason = diagnosis.words or diagnosis.cause.value
    return Hold(cause=diagnosis.cause, until=until.astimezone(now.tzinfo), reason=reason, strikes=strikes)


def served(holds: Roster, agent: str) -> Roster:
    """Return the roster after an attempt that the agent's provider served: nothing is held against it any more."""
    return {name: hold for name, hold in holds.items() if name != agent}


def counts(hold: Hold) -> bool:
    """Say whether the attempt counts as a failure of the task all the same (FailureKind.PROVIDER).

    Else a task at which the provider breaks down every time would hold the night for ever.
    """
    return hold.cause is Cause.OVERLOADED and hold.strikes >= COUNTS_FROM


def choose(agents: Sequence[str], holds: Roster, now: datetime) -> Use | WaitUntil:
    """Return the first agent of the list that is free, else the first moment at which one is. `agents` is not empty.

    So the next takes over while one is held, and the first is taken back when its hold is over.
    """
    held = [(name, holds[name]) for name in agents if name in holds and _is_before(now, holds[name].until)]
    free = next((name for name in agents if name not in dict(held)), None)
    if free is not None:
        return Use(agent=free)
    name, hold = min(held, key=lambda each: each[1].until.astimezone(UTC))
    return WaitUntil(until=hold.until, agent=name, cause=hold.cause, reason=hold.reason)


def escalated(agents: Sequence[str], tried: int, after: int) -> tuple[str, ...]:
    """Return in which order agents are asked for a task that `tried` attempts did not do; `after` 0: always the same.

    Each of them has `after` attempts, one after the other, and then the first has its turn again.

    >>> escalated(("claude", "codex", "gemini"), 4, 3)
    ('codex', 'gemini', 'claude')
    """
    first = tried // after % len(agents) if after else 0
    return (*agents[first:], *agents[:first])


def outlasts(until: datetime, limit: datetime | None) -> bool:
    """Say whether a wait until then goes on to the end of the run (`--until`) or beyond: then the run ends at once."""
    return limit is not None and not _is_before(until, limit)


def _is_before(one: datetime, other: datetime) -> bool:
    return one.astimezone(UTC) < other.astimezone(UTC)


def _strikes(before: Hold | None, cause: Cause) -> int:
    """Return how often in a row the agent was not served, this time included.

    Another cause begins anew; but passing troubles that take turns keep their waits long.
    """
    if before is None:
        return 1
    if before.cause is cause:
        return before.strikes + 1
    return min(before.strikes, _KEPT_STRIKES) + 1 if {before.cause, cause} <= _PASSING else 1


def _least(diagnosis: Diagnosis, strikes: int, jitter: float) -> float:
    """Return how many seconds an agent is left alone at least."""
    match diagnosis.cause:
        case Cause.USAGE_LIMIT if diagnosis.until is not None:
            return _step(AFTER_RESET, strikes)
        case Cause.RATE_LIMIT if diagnosis.until is not None:
            return _doubled(_RATE_LIMIT, strikes - RATE_PATIENCE, jitter) if strikes > RATE_PATIENCE else 0.0
        case Cause.RATE_LIMIT:
            return _doubled(_RATE_LIMIT, strikes, jitter)
        case Cause.OVERLOADED:
            return _doubled(_OVERLOADED, strikes, jitter)
        case Cause.OFFLINE:
            return _doubled(_OFFLINE, strikes, 0.5)
        case _:
            return _step(UNKNOWN_RESET, strikes)


def _step(ladder: Sequence[float], strikes: int) -> float:
    return ladder[min(strikes, len(ladder)) - 1]


def _doubled(bounds: tuple[float, float], strikes: int, jitter: float) -> float:
    first, longest = bounds
    wait = min(first * 2.0 ** min(strikes - 1, _MOST_DOUBLINGS), longest)
    return min(wait * (1 + SPREAD * (2 * jitter - 1)), longest)


def to_held(agent: str, hold: Hold) -> Held:
    """Return a hold as the journal keeps it."""
    until = hold.until.isoformat(timespec="seconds")
    return Held(agent=agent, cause=hold.cause.value, reason=hold.reason, until=until, strikes=hold.strikes)


def to_lifted(agent: str) -> Held:
    """Return what the journal keeps of an agent that was served."""
    return Held(agent=agent)


def from_held(held: Held, now: datetime) -> Hold | None:
    """Return a hold as it was kept; None where it was lifted.

    A time that cannot be read, or is farther off than any limit (the clock was set back, somebody edited the file), is
    now: the agent is tried, and its strikes are remembered. A cause of a later version is taken for a limit.
    """
    if not held.until:
        return None
    causes = {cause.value: cause for cause in UNSERVED}
    return Hold(
        cause=causes.get(held.cause, Cause.USAGE_LIMIT),
        until=_moment(held.until, now),
        reason=str(held.reason),
        strikes=max(1, held.strikes),
    )


def from_journal(kept: Mapping[str, Held], now: datetime) -> Roster:
    """Return the roster from the last entry of each agent (History.held)."""
    holds = {name: from_held(held, now) for name, held in kept.items()}
    return {name: hold for name, hold in holds.items() if hold is not None}


def _moment(text: str, now: datetime) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)).astimezone(now.tzinfo)
    except (ValueError, TypeError, OverflowError):
        return now
    return now if _is_before(now + reset.FARTHEST, moment) else moment
