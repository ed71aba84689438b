"""Outcomes of attempts as the drivers make them, for tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from ralph_wiggum.core import signals
from ralph_wiggum.core.evidence import AgentOutcome, Ending, Notice
from ralph_wiggum.core.provider.cause import Cause, Diagnosis
from ralph_wiggum.core.provider.classify import diagnose

NOW = datetime(2026, 11, 20, 6, 41, tzinfo=UTC)


def printed(message: str = "", *, errors: str = "", code: int = 0, ending: Ending = Ending.EXITED) -> AgentOutcome:
    """Return the outcome of a program that prints text; standard error came last."""
    exited = ending is Ending.EXITED
    return AgentOutcome(
        ending=ending,
        exit_code=code if exited else None,
        message=message,
        errors=errors,
        excerpt=f"{message}\n{errors}".strip("\n"),
    )


def told(
    *notices: Notice,
    message: str = "",
    code: int = 1,
    flagged: bool = True,
    completed: bool | None = True,
    ending: Ending = Ending.EXITED,
    denied: Sequence[str] = (),
) -> AgentOutcome:
    """Return the outcome of a program with structured events."""
    return AgentOutcome(
        ending=ending,
        exit_code=code if ending is Ending.EXITED else None,
        message=message,
        notices=notices,
        flagged=flagged,
        completed=completed,
        denied=tuple(denied),
    )


def diagnosed(outcome: AgentOutcome, now: datetime = NOW) -> Diagnosis:
    return diagnose(outcome, signals.read(outcome.message), now)


def cause(outcome: AgentOutcome) -> Cause:
    return diagnosed(outcome).cause
