"""An attempt that was cut off with its runner: which one, and until when its agent can have been at work."""

from __future__ import annotations

from datetime import datetime, timedelta

from ralph_wiggum.core.history import History
from ralph_wiggum.core.journal import Ended, Started

GRACE_SECONDS = 60.0  # to be stopped at the limit, and for clocks that are a little apart


def cut_off(history: History) -> Started | None:
    """Return the attempt in the middle of which the last run was killed; None where it ended, or died between two.

    A run that came to its end in good order (Ctrl-C, a pause, a limit) cut nothing off, whatever is in progress.
    """
    if history.run is None or history.ended is not None:
        return None
    begun = [record.open for record in history.tasks.values() if record.open is not None]
    return max(begun, key=lambda started: started.at, default=None)


def agent_until(history: History) -> datetime | None:
    """Return the moment after which nothing can be the doing of the agent that was cut off; None if none was.

    That is its time limit: nobody notes when a runner is killed. None too where the journal gives no time of day.
    """
    started = cut_off(history)
    if started is None:
        return None
    try:
        return datetime.fromisoformat(started.at) + timedelta(seconds=started.timeout + GRACE_SECONDS)
    except (ValueError, OverflowError):
        return None


def interrupted(started: Started, reason: str) -> Ended:
    """Return the end of an attempt that nobody can judge any more; it counts as nothing."""
    return Ended(
        key=started.key,
        id=started.id,
        name=started.name,
        attempt=started.attempt,
        result="interrupted",
        reason=reason,
        timeout=started.timeout,
        strategy=started.strategy,
        agent=started.agent,
        checkpoint=started.checkpoint,
    )
