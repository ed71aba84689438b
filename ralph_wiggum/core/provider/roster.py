"""PLACEHOLDER until the real one lands (P1 owns this file), with the names that the loop uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ralph_wiggum.core.journal import Held
from ralph_wiggum.core.provider.cause import Cause, Diagnosis


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Why and until when an agent is left alone."""

    cause: Cause
    until: datetime
    reason: str
    strikes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Ask this agent."""

    agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitUntil:
    """All are held; this one is free first."""

    agent: str
    until: datetime
    reason: str
    cause: Cause


def after(holds: Mapping[str, Hold], agent: str, diagnosis: Diagnosis, now: datetime, jitter: float) -> Hold:  # noqa: ARG001 - placeholder
    """Return the next hold of an agent."""
    strikes = holds[agent].strikes + 1 if agent in holds else 1
    until = diagnosis.until or now + timedelta(minutes=5)
    return Hold(cause=diagnosis.cause, until=until, reason=diagnosis.words, strikes=strikes)


def counts(hold: Hold) -> bool:
    """Say whether so many strikes in a row count as a failure of the task."""
    return hold.cause is Cause.OVERLOADED and hold.strikes > 8  # noqa: PLR2004 - placeholder


def choose(agents: Sequence[str], holds: Mapping[str, Hold], now: datetime) -> Use | WaitUntil:
    """Return the first agent that is free, else when one is."""
    for agent in agents:
        if agent not in holds or holds[agent].until <= now:
            return Use(agent=agent)
    agent = min(agents, key=lambda name: holds[name].until)
    hold = holds[agent]
    return WaitUntil(agent=agent, until=hold.until, reason=hold.reason, cause=hold.cause)


def outlasts(choice: WaitUntil, until: datetime | None) -> bool:
    """Say whether a wait goes beyond the end of the run."""
    return until is not None and choice.until >= until


def to_entry(agent: str, hold: Hold) -> Held:
    """Return a hold as the journal keeps it."""
    return Held(
        agent=agent, cause=hold.cause.value, reason=hold.reason, until=hold.until.isoformat(), strikes=hold.strikes
    )


def from_entry(entry: Held) -> Hold | None:
    """Return the hold of an entry; None where it lifts one."""
    if not entry.until:
        return None
    return Hold(
        cause=Cause(entry.cause), until=datetime.fromisoformat(entry.until), reason=entry.reason, strikes=entry.strikes
    )
