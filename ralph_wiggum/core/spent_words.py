"""What was spent, in words and as data (T7): for the status, the last screen, the log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ralph_wiggum.core.spent import Spent, total

_THOUSAND = 1000
_MILLION = 1_000_000
_LEAST_SHOWN = 0.005  # US dollars: less would read as nothing


def dollars(spent: Spent) -> str:
    """Return the money in words; what nobody can tell is said, "" where nothing was spent.

    >>> dollars(Spent(attempts=3, cost=1.5, untold=1)), dollars(Spent(attempts=2, input_tokens=900, untold=2))
    ('$1.50 and 1 attempt of unknown cost', 'unknown cost')
    """
    if spent.untold >= spent.attempts > 0 and not spent.cost:
        return "unknown cost"
    untold = f" and {count(spent.untold, 'attempt')} of unknown cost" if spent.untold else ""
    cost = "less than $0.01" if 0 < spent.cost < _LEAST_SHOWN else f"${spent.cost:.2f}"
    return f"{cost}{untold}" if spent.cost or untold else ""


def tokens(spent: Spent) -> str:
    """Return the tokens in words, "" where none were told.

    >>> tokens(Spent(input_tokens=164_000, cached_tokens=120_000, output_tokens=900))
    '164k tokens in (120k cached), 900 out'
    """
    if not (spent.input_tokens or spent.output_tokens):
        return ""
    cached = f" ({_short(spent.cached_tokens)} cached)" if spent.cached_tokens else ""
    return f"{_short(spent.input_tokens)} tokens in{cached}, {_short(spent.output_tokens)} out"


def of_attempts(spent: Spent) -> str:
    """Return money and tokens of a task or an attempt in words, "" where nobody told anything of either."""
    if not spent.cost and not spent.input_tokens and not spent.output_tokens:
        return ""
    return "; ".join(_parts(spent))


def _parts(spent: Spent) -> list[str]:
    money = dollars(spent)
    by = " by your prices" if spent.priced else ""
    return [part for part in (f"{money}{by}" if money else "", tokens(spent)) if part]


def by_agent(spent: Mapping[str, Spent]) -> str:
    """Return what a run spent, whole and by agent; "" where no agent told anything.

    >>> by_agent({"claude": Spent(attempts=3, cost=0.8), "codex": Spent(attempts=2, cost=0.4, priced=True)})
    '$1.20: claude $0.80; codex $0.40 by your prices'
    """
    told = {name: each for name, each in spent.items() if of_attempts(each)}
    if not told:
        return ""
    if len(spent) == 1:
        return of_attempts(next(iter(spent.values())))
    words = {name: " for ".join(_parts(each)) for name, each in spent.items()}
    parts = [f"{name} {each}" for name, each in words.items() if each]  # one that was only turned away spent nothing
    return f"{dollars(total(spent)) or '$0.00'}: {'; '.join(parts)}"


def as_data(spent: Mapping[str, Spent], before: Mapping[str, Spent]) -> dict[str, Any]:
    """Return what was spent as JSON data: of the last run, by agent, and of all runs of the spec.

    `usd` is null where nobody can tell; `untold_attempts` are those of which nobody knows what they cost.
    """
    run, earlier = total(spent), total(before)
    return {
        **_figures(run),
        "agents": {name: _figures(each) for name, each in spent.items()},
        "all_runs": _figures(run.and_(earlier)),
    }


def _figures(spent: Spent) -> dict[str, Any]:
    known = spent.cost or spent.untold < spent.attempts
    return {
        "usd": round(spent.cost, 6) if known else None,
        "input_tokens": spent.input_tokens,
        "cached_tokens": spent.cached_tokens,
        "output_tokens": spent.output_tokens,
        "attempts": spent.attempts,
        "untold_attempts": spent.untold,
        "by_own_prices": spent.priced,
    }


def count(number: int, word: str) -> str:
    """Return a number with its word.

    >>> count(1, "attempt"), count(2, "attempt")
    ('1 attempt', '2 attempts')
    """
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _short(number: int) -> str:
    if number < _THOUSAND:
        return str(number)
    if round(number, -3) < _MILLION:
        return f"{number / _THOUSAND:.{0 if number >= 10 * _THOUSAND else 1}f}k"
    return f"{number / _MILLION:.1f}M"
