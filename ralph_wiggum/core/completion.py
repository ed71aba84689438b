"""Whether an agent came to the end of its work, as far as its process and its events tell (O16).

Structured events count first, what it said next, exit codes last: of eight real programs five end with 0 after errors
of their API, and some with another code after they had said everything.
"""

from __future__ import annotations

from ralph_wiggum.core.evidence import AgentOutcome, Claim, Ending, Said

HUNG = frozenset({Ending.TASK_TIMEOUT, Ending.NO_PROGRESS})
# Kinds of final notices, over an agent's own caps: claude's words, mini's.
CAPS = frozenset({"error_max_turns", "error_max_budget_usd", "LimitsExceeded", "TimeExceeded"})
# qwen and gemini tell theirs by an exit code and on standard error; no event ends such a run.
TURN_LIMIT_CODE, TURN_LIMIT_WORDS = 53, "reached max session turns"


def complete(outcome: AgentOutcome, said: Said) -> bool:
    """Say whether the agent claims completion and came to its end, so that the work is worth looking at.

    That is: the event that ends every run was seen, where its dialect has one, and says no error; the signal is in the
    final message; and the runner had not begun to stop it when it came. An agent that hangs after its final message has
    said all that it had to say: its work is judged like that of any other. One that prints text alone hangs where
    nothing came of it any more (no progress); at the task timeout it may have been at work, whatever it said (O20).
    """
    return said.claim is Claim.TASK_COMPLETE and (ended_well(outcome) or _hung_at_its_end(outcome))


def ended_well(outcome: AgentOutcome) -> bool:
    """Say whether the agent ended by itself, or after its last event, and nothing says error.

    How its process ended after its last event says nothing of its work: programs crash while they clean up.
    """
    if outcome.flagged or outcome.completed is False:
        return False
    match outcome.ending:
        case Ending.LINGERED:
            return True
        case Ending.EXITED:
            return outcome.exit_code == 0 or outcome.completed is True
        case Ending.CRASHED:
            return outcome.completed is True and outcome.signal is not None
        case _:
            return False


def _hung_at_its_end(outcome: AgentOutcome) -> bool:
    """Say whether nothing came of the agent after its final message: its events tell, or that it made no progress."""
    told = outcome.completed is not None
    return not outcome.flagged and outcome.ending in (HUNG if told else {Ending.NO_PROGRESS})


def cap(outcome: AgentOutcome) -> str:
    """Return which cap of turns or money ended the agent, its own or the runner's; "" if none did."""
    if outcome.ending in (Ending.TOO_MANY_TURNS, Ending.TOO_EXPENSIVE):
        return outcome.error or outcome.ending.value
    if outcome.exit_code == TURN_LIMIT_CODE and TURN_LIMIT_WORDS in outcome.errors.casefold():
        return TURN_LIMIT_WORDS
    return next((notice.text or notice.kind for notice in outcome.notices if notice.final and notice.kind in CAPS), "")
