"""What an agent may use in one attempt, by what is heard of it meanwhile: turns, money, time after its end."""

from __future__ import annotations

from dataclasses import dataclass

from ralph_wiggum.core.costs import cost_of
from ralph_wiggum.core.evidence import Ending, Usage
from ralph_wiggum.core.settings import Prices

LINGER_SECONDS = 20.0  # after its last event qwen takes 2.5 s to end, a wrapped one on a busy machine some more


@dataclass(frozen=True, slots=True, kw_only=True)
class Over:
    """Why an attempt has to end: `ending` is what it becomes, `words` are for the log."""

    ending: Ending
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The bounds of one attempt; 0: none. `cost` in US dollars, told by the agent or made of its tokens by `prices`.

    Agents that bound themselves are told these too; that is for those which do not, and for those which fail to.
    """

    turns: int = 0
    cost: float = 0.0
    prices: Prices | None = None
    linger: float = LINGER_SECONDS

    def over(self, *, looped: bool, settled: bool, turns: int, usage: Usage | None, quiet: float) -> Over | None:
        """Return why the attempt has to end, None while it may go on.

        `looped`: it asks its provider for ever. `settled`: the event that ends every run was the last. `quiet` are the
        seconds since it printed something. After its last event no bound ends it but that of lingering.
        """
        if settled:
            words = f"it did not end by itself after its last event; ended after {quiet:.0f} s"
            return Over(ending=Ending.LINGERED, words=words) if quiet >= self.linger else None
        if looped:
            return Over(ending=Ending.NO_PROGRESS, words="it asked its provider again and again")
        if self.turns and turns > self.turns:
            return Over(ending=Ending.TOO_MANY_TURNS, words=f"{turns} turns of {self.turns}")
        spent = cost_of(usage, self.prices) if self.cost else None
        if spent is not None and spent > self.cost:
            return Over(ending=Ending.TOO_EXPENSIVE, words=f"${spent:.2f} of ${self.cost:.2f}")
        return None
