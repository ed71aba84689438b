"""What ended an attempt, as far as the agent and its provider had to do with it (B1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Cause(StrEnum):
    """Why an attempt came to its end. The values are words for people and stand in the journal."""

    DONE = "done"  # by itself, with nothing to complain of
    FAILED = "failed"  # by itself, and no provider is to blame
    USAGE_LIMIT = "usage limit"  # of the plan: hours, a week, a month
    RATE_LIMIT = "rate limit"  # too many requests in a short time
    OVERLOADED = "overloaded"  # 5xx, 529, a stream that broke off
    OFFLINE = "offline"  # no network, no name, no connection
    NOT_LOGGED_IN = "not logged in"  # no key, a wrong one, an expired login
    NO_CREDIT = "no credit"  # an account that has to be paid for first
    UNKNOWN_MODEL = "unknown model"
    NOT_STARTED = "not started"  # the program could not be executed
    CONTEXT_OVERFLOW = "context overflow"
    SESSION_LOST = "session lost"  # the agent could not go on with the session that it was given
    PERMISSION_DENIED = "permission denied"  # the agent's own rules kept it from a tool
    KILLED = "killed"  # by the runner: a limit of time, memory or disk, or a person
    CRASHED = "crashed"  # by a signal that the runner did not send


# These say nothing of the task: an attempt that ended so counts as nothing, and the agent is left alone for a while.
UNSERVED = frozenset(
    {
        Cause.USAGE_LIMIT,
        Cause.RATE_LIMIT,
        Cause.OVERLOADED,
        Cause.OFFLINE,
        Cause.NOT_LOGGED_IN,
        Cause.NO_CREDIT,
        Cause.UNKNOWN_MODEL,
        Cause.NOT_STARTED,
    }
)


def in_words(cause: Cause, words: str) -> str:
    """Return a cause for people, with the provider's words where they do not say it already.

    >>> in_words(Cause.USAGE_LIMIT, "You've hit your limit"), in_words(Cause.OVERLOADED, "API Error: 529 Overloaded")
    ("usage limit (You've hit your limit)", 'API Error: 529 Overloaded')
    """
    if cause.value in words.casefold():
        return words
    return f"{cause.value} ({words})" if words else cause.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What ended an attempt. `words` are the provider's, cut to one line; `until` is when it serves again, if it said.

    `until` is aware of its zone and as the provider gave it, without any margin.
    """

    cause: Cause
    words: str = ""
    until: datetime | None = None
