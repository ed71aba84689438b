"""What attempts of agents used: tokens and money, added up (T7). Light, for every start of `ralph-status` reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ralph_wiggum.core.journal import Ended

_NOT_STARTED = "not started"  # FailureKind.NOT_STARTED, without the module


class Spent(NamedTuple):
    """What some attempts used. `cost` in US dollars, as far as it is known.

    `untold` counts attempts of which nobody knows what they cost; `priced` says that a part of the cost was made of
    tokens by the person's own prices.
    """

    attempts: int = 0
    cost: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    untold: int = 0
    priced: bool = False

    def plus(self, ended: Ended) -> Spent:
        """Return this with one more attempt."""
        return self.and_(
            Spent(
                attempts=1,
                cost=max(0.0, ended.cost),
                input_tokens=ended.input_tokens,
                output_tokens=ended.output_tokens,
                cached_tokens=ended.cached_tokens,
                untold=1 if told_nothing(ended) else 0,
                priced=ended.priced,
            )
        )

    def and_(self, other: Spent) -> Spent:
        """Return the sum of both."""
        return Spent(
            attempts=self.attempts + other.attempts,
            cost=self.cost + other.cost,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            untold=self.untold + other.untold,
            priced=self.priced or other.priced,
        )


def told_nothing(ended: Ended) -> bool:
    """Say whether an agent was at work and told no cost.

    An attempt that died with its runner has no length, and no tree after it.
    """
    died = ended.result == "interrupted" and not ended.after
    at_work = (ended.seconds > 0 or died) and not ended.how and not ended.cause and ended.kind != _NOT_STARTED
    return at_work and ended.cost < 0


def of(attempts: Iterable[Ended]) -> Spent:
    """Return what attempts used together; looks that the runner took alone are none."""
    total = Spent()
    for ended in attempts:
        if not ended.how:
            total = total.plus(ended)
    return total


def total(by_agent: Mapping[str, Spent]) -> Spent:
    """Return what all agents used together."""
    whole = Spent()
    for each in by_agent.values():
        whole = whole.and_(each)
    return whole


def added(one: Mapping[str, Spent], other: Mapping[str, Spent]) -> dict[str, Spent]:
    """Return what each agent used in both."""
    return {name: one.get(name, Spent()).and_(other.get(name, Spent())) for name in {**one, **other}}
