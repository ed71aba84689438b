"""What ended an attempt: how the process ended, structured events, the last lines of a text -> a diagnosis (B1).

Nothing is taken from the output of tools or from what the agent quotes or writes about: a repository about rate limits
must not stop the night. A clear success wins over whatever was retried before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from ralph_wiggum.core.completion import HUNG, complete
from ralph_wiggum.core.evidence import AgentOutcome, Claim, Ending, Said
from ralph_wiggum.core.outside_text import plain
from ralph_wiggum.core.provider import forms, last_words, meaning, notices, reset
from ralph_wiggum.core.provider.cause import Cause, Diagnosis
from ralph_wiggum.core.provider.last_words import Statement

_BY_US = {
    Ending.TASK_TIMEOUT: "it ran into the task timeout",
    Ending.NO_PROGRESS: "it made no progress",
    Ending.STOPPED: "it was stopped",
    Ending.OUT_OF_TIME: "the time of day came at which the run ends",
    Ending.OUT_OF_MEMORY: "it used more memory than it may",
    Ending.DISK_FULL: "too little disk space was left",
    Ending.TOO_MANY_TURNS: "it used more turns than it may",
    Ending.TOO_EXPENSIVE: "it used more money than it may",
}
_EPOCH = re.compile(r"\|\d{10,13}$")  # "Claude AI usage limit reached|1795160626": the time is told as `until`
_ASKED = re.compile(
    r"it asked what nobody is there to answer: .*\b(?:log ?in|sign in|authenticat\w+|api key)\b", re.IGNORECASE
)


def diagnose(outcome: AgentOutcome, said: Said, now: datetime, *, provider: bool = True) -> Diagnosis:
    """Return what ended an attempt, in the provider's words where it was the provider. Never raises.

    `now` is aware; times of day without a zone are read in its zone. `provider`: False for an agent that has none (the
    embedded shell): all that it prints comes from the commands of the task.
    """
    if outcome.ending is Ending.NOT_STARTED:
        asked = provider and _ASKED.match(outcome.error)
        return _diagnosis(Cause.NOT_LOGGED_IN if asked else Cause.NOT_STARTED, outcome.error)
    if complete(outcome, said):
        return Diagnosis(cause=Cause.DONE)
    found = None
    if provider and (outcome.ending in HUNG or outcome.ending not in _BY_US):
        found = notices.diagnose(outcome, now) or _by_text(outcome, said, now)
    return found or _by_itself(outcome, said)


def _by_itself(outcome: AgentOutcome, said: Said) -> Diagnosis:
    """Return a diagnosis where no provider is to blame."""
    if outcome.ending in _BY_US:
        return _diagnosis(Cause.KILLED, _BY_US[outcome.ending])
    if outcome.ending is Ending.CRASHED:
        return _diagnosis(Cause.CRASHED, f"signal {outcome.signal}" if outcome.signal else outcome.error)
    if outcome.denied and said.claim is not Claim.TASK_COMPLETE:
        return _diagnosis(Cause.PERMISSION_DENIED, "refused: " + ", ".join(dict.fromkeys(outcome.denied)))
    return _diagnosis(Cause.FAILED, outcome.error or (f"exit code {outcome.exit_code}" if outcome.exit_code else ""))


def _by_text(outcome: AgentOutcome, said: Said, now: datetime) -> Diagnosis | None:
    """Return what the last lines say of the provider; the first that says something decides."""
    if said.claim is not Claim.NONE and not outcome.flagged:
        return None  # the model had the last word
    if notices.gave_up(outcome):
        return None  # over something else
    return next((found for text in _texts(outcome) if (found := _meaning(text, now))), None)


def _texts(outcome: AgentOutcome) -> Iterator[Statement]:
    """Give what the agent's program itself said at its end about its provider."""
    if outcome.ending in HUNG:
        yield from _while_hanging(outcome)
        return
    by_code = outcome.ending is Ending.EXITED and bool(outcome.exit_code)
    failed = outcome.flagged or by_code or outcome.ending not in (Ending.EXITED, Ending.LINGERED)
    if failed or not outcome.message.strip() or _ends_with_errors(outcome):
        yield from (each for each in last_words.errors(outcome.errors) if _is_own(each, loose=True))
    if outcome.flagged:  # its terminal event says error: then this is the error
        yield from (each for each in last_words.closing(outcome.message) if each.whole)
    structured = outcome.completed is not None
    for each in last_words.closing(outcome.message):
        if (each.whole or not structured) and _is_own(each, loose=failed):
            yield each


def _while_hanging(outcome: AgentOutcome) -> Iterator[Statement]:
    """Give what it was retrying over, or said last before it fell silent: nothing may stand after it."""
    for text in (outcome.excerpt or outcome.errors, outcome.message if outcome.completed is None else ""):
        for each in last_words.closing(text, mixed=True):
            if what := forms.retrying(each.text):
                yield Statement(text=what, following=each.following)
            elif forms.is_strict(each.text):
                yield each


def _ends_with_errors(outcome: AgentOutcome) -> bool:
    """Say whether standard error came last, where all that was printed is known."""
    ends = [row.strip() for row in outcome.errors.splitlines() if row.strip()]
    printed = outcome.excerpt.rstrip()
    return bool(ends) and (not printed or printed.endswith(ends[-1]))


def _is_own(statement: Statement, *, loose: bool) -> bool:
    if forms.retrying(statement.text):
        return False  # no end
    return forms.is_loose(statement.text) if loose else forms.is_strict(statement.text)


def _meaning(statement: Statement, now: datetime) -> Diagnosis | None:
    cause = meaning.of(statement.text, known=True) or meaning.of(statement.following, known=False)
    if cause is None:
        return None
    timed = cause in notices.TIMED or cause is Cause.NO_CREDIT
    until = reset.reset_at(statement.all, now) if timed else None
    return _diagnosis(notices.by_wait(cause, until, now) or cause, statement.text, until)


def _diagnosis(cause: Cause, words: str, until: datetime | None = None) -> Diagnosis:
    return Diagnosis(cause=cause, words=plain(_EPOCH.sub("", words), notices.WORDS_LIMIT), until=until)
