"""PLACEHOLDER until the real one lands (P1 owns this file): by the ending alone."""

from __future__ import annotations

from datetime import datetime

from ralph_wiggum.core.evidence import AgentOutcome, Ending, Said
from ralph_wiggum.core.provider.cause import Cause, Diagnosis


def diagnose(outcome: AgentOutcome, said: Said, now: datetime) -> Diagnosis:  # noqa: ARG001 - placeholder
    """Return what ended an attempt."""
    match outcome.ending:
        case Ending.NOT_STARTED:
            return Diagnosis(cause=Cause.NOT_STARTED, words=outcome.error)
        case Ending.CRASHED:
            return Diagnosis(cause=Cause.CRASHED)
        case Ending.EXITED:
            return Diagnosis(cause=Cause.FAILED if outcome.exit_code else Cause.DONE)
        case _:
            return Diagnosis(cause=Cause.KILLED)
