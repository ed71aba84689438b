"""What agents cost: their own figures, or tokens times the prices that a person set (T7)."""

from __future__ import annotations

from dataclasses import replace

from ralph_wiggum.core.evidence import Usage
from ralph_wiggum.core.settings import Prices
from ralph_wiggum.core.spent import Spent

A_MILLION = 1_000_000


def since(usage: Usage, before: Spent) -> Usage:
    """Return what was used since: of figures that count from the beginning of a session, without what was told before.

    >>> since(Usage(input_tokens=4000, output_tokens=200), Spent(input_tokens=2000, output_tokens=100)).input_tokens
    2000
    """
    return replace(
        usage,
        input_tokens=max(0, usage.input_tokens - before.input_tokens),
        output_tokens=max(0, usage.output_tokens - before.output_tokens),
        cached_tokens=max(0, usage.cached_tokens - before.cached_tokens),
    )


def cost_of(usage: Usage | None, prices: Prices | None) -> float | None:
    """Return US dollars: what the agent told, else its tokens at the prices; None where neither is known.

    A cost of nothing at all tells nothing where there are prices: programs say 0 where they know no price.

    >>> cost_of(Usage(input_tokens=1_000_000, output_tokens=100_000), Prices(input=3, output=15))
    4.5
    >>> cost_of(Usage(input_tokens=10, output_tokens=10, cost=0.25), Prices(input=3, output=15))
    0.25
    """
    if usage is None:
        return None
    if usage.cost or prices is None or not (usage.input_tokens or usage.output_tokens):
        return usage.cost
    cached = min(usage.cached_tokens, usage.input_tokens)
    cached_price = prices.input if prices.cached is None else prices.cached
    dollars = (usage.input_tokens - cached) * prices.input + cached * cached_price + usage.output_tokens * prices.output
    return dollars / A_MILLION
