"""What an agent's structured events say of its provider: notices -> a diagnosis (B1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ralph_wiggum.core.evidence import AgentOutcome, Ending, Notice
from ralph_wiggum.core.outside_text import plain
from ralph_wiggum.core.provider import meaning, reset
from ralph_wiggum.core.provider.cause import Cause, Diagnosis

WORDS_LIMIT = 200  # characters
LONG_WAIT = timedelta(minutes=10)  # a rate limit is over sooner: what lasts longer is a limit of the plan
TIMED = frozenset({Cause.USAGE_LIMIT, Cause.RATE_LIMIT})  # of these a text may say when they end

_OWN_ERRORS = range(400, 500)  # by its status the request was at fault, whatever the sentence says of the server
_HUNG = frozenset({Ending.TASK_TIMEOUT, Ending.NO_PROGRESS})


def gave_up(outcome: AgentOutcome) -> bool:
    """Say whether the agent itself told over what it gave up: then no text has to be asked."""
    return any(notice.final and not notice.stale for notice in outcome.notices)


def diagnose(outcome: AgentOutcome, now: datetime) -> Diagnosis | None:
    """Return what the last notices say, None if they do not explain the end.

    Only those after which the model said nothing more count. One over which the agent gave up (final) does at any
    ending; one over which it was still trying only where it then was ended for its silence, failed, or broke off.
    """
    fresh = [notice for notice in outcome.notices if not notice.stale]
    final = [notice for notice in fresh if notice.final]
    chosen = final or (fresh if _was_trying(outcome) else [])
    found = next(((notice, cause) for notice in reversed(chosen) if (cause := cause_of(notice, now))), None)
    if found is None:
        return None
    notice, cause = found
    limits = [each for each in reversed(fresh) if cause_of(each, now) in TIMED] if cause in TIMED else []
    of_plan = next((each for each in limits if cause_of(each, now) is Cause.USAGE_LIMIT), None)
    if of_plan is not None and cause is Cause.RATE_LIMIT:  # the plan's limit is why requests are turned away
        notice, cause = of_plan, Cause.USAGE_LIMIT
    until = next((when for each in (notice, *limits) if (when := _until(each, cause, now))), None)
    return Diagnosis(cause=cause, words=_words(notice), until=until)


def cause_of(notice: Notice, now: datetime) -> Cause | None:
    """Return what one notice means: by its text, else by the vendor's word for it, else by its HTTP status."""
    cause = meaning.of(notice.text, known=True) or meaning.of(notice.kind.replace("-", "_"), known=True)
    if cause is None or (cause is Cause.OVERLOADED and notice.status in _OWN_ERRORS):
        cause = meaning.of_status(notice.status) or _of_retry(notice)
    until = _until(notice, cause, now) if cause else None
    return by_wait(cause, until, now)


def by_wait(cause: Cause | None, until: datetime | None, now: datetime) -> Cause | None:
    """Return the cause that fits how long it lasts: a spent quota that comes back, a rate limit for hours."""
    if until is not None and (
        cause is Cause.NO_CREDIT
        or (cause is Cause.RATE_LIMIT and until.astimezone(UTC) - now.astimezone(UTC) > LONG_WAIT)
    ):
        return Cause.USAGE_LIMIT
    return cause


def _of_retry(notice: Notice) -> Cause | None:
    """Return why a request is tried again whose trouble has no name: nobody answered, or the answer broke off.

    Claude Code tells a retry after a connection that failed as "unknown", without a status.
    """
    if notice.final or notice.status:
        return None
    return Cause.OFFLINE if notice.kind in {"", "unknown"} else Cause.OVERLOADED


def _was_trying(outcome: AgentOutcome) -> bool:
    if outcome.ending in _HUNG:
        return True
    return outcome.ending is Ending.EXITED and (bool(outcome.exit_code) or outcome.completed is False)


def _until(notice: Notice, cause: Cause, now: datetime) -> datetime | None:
    if notice.resets_at > 0 and (moment := reset.from_epoch(notice.resets_at, now, over=True)):
        return moment
    if notice.retry_after > 0 and notice.final:
        return reset.after(notice.retry_after, now)
    return reset.reset_at(notice.text, now) if cause in TIMED or cause is Cause.NO_CREDIT else None


def _words(notice: Notice) -> str:
    said = (plain(text, WORDS_LIMIT) for text in (notice.text, notice.kind.replace("_", " ")))
    return next(filter(None, said), f"HTTP status {notice.status}")
