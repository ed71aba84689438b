"""Whether an attempt begins a fresh session of its agent or goes on with one (O11, `retry_session`, `context_mode`).

A session knows what the model read and tried, which is paid for already; but it also holds on to what went wrong. So a
fresh one is the default, and what cannot help is never gone on with: a session that is full, that the agent does not
know any more, or of an agent that did not make the last attempt itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from ralph_wiggum.core.evidence import AgentOutcome, Ending, FailureKind
from ralph_wiggum.core.history import Session
from ralph_wiggum.core.journal import Ended
from ralph_wiggum.core.provider.cause import Cause, Diagnosis

# It is full; what it did was put back, for it may be what fills the disk.
_NOT_GONE_ON_WITH = frozenset({FailureKind.CONTEXT.value, FailureKind.DISK.value})


def to_resume(
    attempts: Sequence[Ended], passed: Session, agent: str, *, retry_session: str, continuous: bool, tried: int
) -> str:
    """Return the id of the session that an attempt goes on with, "" for a fresh one.

    `attempts` are those at this task, oldest first, interrupted ones too; `passed` is the session of the last task that
    passed, where nothing was taken back since. The agent can go on with sessions. `tried` is how many attempts at the
    task counted: with "alternate" every second one is fresh.
    """
    last = next((ended for ended in reversed(attempts) if not ended.how), None)
    if last is None:
        return passed.id if continuous and passed.agent == agent else ""
    wanted = (
        retry_session == "resume"
        or (retry_session == "alternate" and tried % 2 == 1)
        or (continuous and _cut_off(last))
    )
    fits = last.agent == agent and last.kind not in _NOT_GONE_ON_WITH and last.cause != Cause.SESSION_LOST
    return last.session if wanted and fits else ""


def _cut_off(last: Ended) -> bool:
    """Say whether the last attempt was cut off, and says nothing against its session."""
    return last.result == "interrupted"


def lost(diagnosis: Diagnosis, outcome: AgentOutcome) -> Diagnosis:
    """Return the diagnosis of an attempt that was to go on with a session: perhaps there was none to go on with.

    Agents say that in words of their own (claude "No conversation found with session ID", codex "no rollout found for
    thread id", opencode "Session not found", gemini exit code 42) and end at once. So: it ended by itself with an
    error, nobody's provider is to blame, and no model was asked: none told tokens, none said anything. A session that
    is full is lost as well.
    """
    if diagnosis.cause is Cause.CONTEXT_OVERFLOW:
        return Diagnosis(cause=Cause.SESSION_LOST, words="the session is full")
    usage = outcome.usage
    told = usage is not None and bool(usage.input_tokens or usage.output_tokens)
    asked = told or (outcome.completed is not None and bool(outcome.message.strip()))
    failed = outcome.ending is Ending.EXITED and (outcome.exit_code or outcome.flagged)
    if diagnosis.cause is Cause.FAILED and failed and not asked:
        return Diagnosis(cause=Cause.SESSION_LOST, words="the agent cannot go on with its session")
    return diagnosis
