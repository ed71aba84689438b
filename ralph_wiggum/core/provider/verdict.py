"""A diagnosis -> the verdict on the attempt, where the agent or its provider decides it and not the work (B1)."""

from __future__ import annotations

from ralph_wiggum.core import fingerprint
from ralph_wiggum.core.evidence import Failed, FailureKind, Unserved
from ralph_wiggum.core.provider.cause import UNSERVED, Cause, Diagnosis, in_words


def verdict(diagnosis: Diagnosis, *, counts: bool, alone: bool) -> Failed | Unserved | None:
    """Return the verdict, or None where the work itself is to be judged.

    `counts`: its provider failed so often in a row that this counts as a failure of the task. `alone`: there is no
    other agent; one that cannot be started is then what O37 makes of it.
    """
    cause, words = diagnosis.cause, diagnosis.words
    reason = in_words(cause, words)
    if cause is Cause.NOT_STARTED and alone:
        return None
    if (cause in UNSERVED and not counts) or cause is Cause.SESSION_LOST:
        return Unserved(cause=cause.value, reason=reason)
    if cause in UNSERVED:
        kind, key = FailureKind.PROVIDER, f"provider {cause.value}"
        return Failed(kind=kind, fingerprint=key, reason=f"{reason}, again and again", environment=True)
    if cause is Cause.CONTEXT_OVERFLOW:
        return Failed(kind=FailureKind.CONTEXT, fingerprint=FailureKind.CONTEXT.value, reason=reason)
    if cause is Cause.PERMISSION_DENIED:
        key = fingerprint.of_text(FailureKind.DENIED.value, words)
        return Failed(kind=FailureKind.DENIED, fingerprint=key, reason=reason, environment=True)
    return None
