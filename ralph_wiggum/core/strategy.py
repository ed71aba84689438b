"""How the next attempt differs from the ones before it (O13)."""

from __future__ import annotations

from enum import StrEnum


class Strategy(StrEnum):
    """How an attempt goes about its task. The values name the texts `strategy-<value>` of the prompt templates."""

    FIRST = "first"
    SAME = "same"
    OTHER_IMPLEMENTATION = "other-implementation"
    SIMPLER = "simpler"
    OTHER_APPROACH = "other-approach"
    CONSERVATIVE = "conservative"


_AFTER = (Strategy.FIRST, Strategy.SAME, Strategy.OTHER_IMPLEMENTATION, Strategy.SIMPLER)


def strategy(identical: int, *, last: bool) -> Strategy:
    """Choose the strategy after so many identical failures in a row (0: none), as O13 lists them.

    `last` says that a failure of this attempt would skip the task: whatever the count, it is the conservative one.
    """
    if last:
        return Strategy.CONSERVATIVE
    return _AFTER[identical] if 0 <= identical < len(_AFTER) else Strategy.OTHER_APPROACH
