"""What a start has to mend after the last run, task by task: a table over journal and file (B2, O11, design part 1).

Before this, the marks that an interrupted attempt left behind were put back (O17), so what the file says now is what
the runner or a person wrote.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ralph_wiggum.core.history import UNSETTLED, History, TaskRecord
from ralph_wiggum.core.model import DONE_MARKS, SKIPPED, Plan


class Mend(StrEnum):
    """One thing to do at a start."""

    CLOSE_ATTEMPT = "close attempt"  # Started without Ended: interrupted, counts as nothing
    FINISH_TICK = "finish tick"  # Ended(passed) without Ticked
    FINISH_SKIP = "finish skip"  # SkipDecided without Skipped
    REOPEN = "reopen"  # a person put the mark back, or closed an unfinished task by hand: empty counters


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do for one task."""

    key: str
    mend: Mend


def reconcile(plan: Plan, history: History) -> tuple[Step, ...]:
    """Return what to mend, in the order of the journal."""
    steps: list[Step] = []
    for key, record in history.tasks.items():
        mark = plan.task(key).mark if key in plan.by_key else None
        steps.extend(Step(key=key, mend=mend) for mend in mends(record, mark))
    return tuple(steps)


def mends(record: TaskRecord, mark: str | None) -> tuple[Mend, ...]:
    """Return what one task needs; `mark` is what tasks.md shows, None if the task is not there any more."""
    found: list[Mend] = []
    if record.open is not None:
        found.append(Mend.CLOSE_ATTEMPT)
    if mark is None:
        return tuple(found)
    if record.skipping is not None:
        found.append(Mend.FINISH_SKIP)
    elif record.settled != UNSETTLED:
        found.extend([Mend.REOPEN] if not _terminal(mark) else [])
    elif record.passed is not None:
        found.append(Mend.FINISH_TICK)
    elif record.attempts and _terminal(mark):
        found.append(Mend.REOPEN)
    return tuple(found)


def _terminal(mark: str) -> bool:
    return mark in DONE_MARKS or mark == SKIPPED
