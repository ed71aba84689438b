"""When a run may begin another attempt: limits of time and money that the person set (O10)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from ralph_wiggum.core.history import History
from ralph_wiggum.core.journal import Ended
from ralph_wiggum.core.sizes import span

KNOWN_FROM = 3  # attempts, before their middle length or cost is taken for what the next one will take


def wanted_end(until: datetime | None, max_cost: float | None, now: datetime) -> str:
    """Return when the person wants the run to end, "" where nothing was said.

    With the time that is left: `--until 07:00`, said at 07:01, means a day.

    >>> from datetime import UTC
    >>> wanted_end(datetime(2026, 11, 21, 7, tzinfo=UTC), 20, datetime(2026, 11, 20, 22, 30, tzinfo=UTC))
    'ends by 07:00, in 8 h 30 min, and before more than $20.00 are spent'
    """
    parts = [f"by {until:%H:%M}, in {span(max(0.0, (until - now).total_seconds()))}"] if until is not None else []
    parts += [f"before more than ${max_cost:.2f} are spent"] if max_cost is not None else []
    return f"ends {', and '.join(parts)}" if parts else ""


def too_late(until: datetime | None, now: datetime, attempts: Sequence[Ended]) -> str:
    """Return why nothing new is begun because of `--until`, "" if there is time.

    Once the lengths of some attempts are known, one that would most likely not come to its end is not begun.
    """
    if until is None:
        return ""
    if now >= until:
        return f"it is past {until:%H:%M}, as --until asked"
    left = (until - now).total_seconds()
    usual = _middle(_seconds(ended) for ended in attempts)
    if usual > left:
        return f"the {left:.0f} s until {until:%H:%M} (--until) are too few: an attempt takes about {usual:.0f} s"
    return ""


def too_expensive(max_cost: float | None, spent: float, attempts: Sequence[Ended], untold: Sequence[float] = ()) -> str:
    """Return why nothing new is begun because of `--max-cost`, "" if there is money. US dollars.

    `untold` are the seconds of attempts that cost something and did not tell what: an agent that is ended at a limit
    of time says nothing any more. They are taken to cost, second for second, what the others cost, and none more than
    the dearest of those.
    """
    if max_cost is None:
        return ""
    told = [ended for ended in attempts if ended.cost >= 0]
    if len(untold) >= KNOWN_FROM and not told:
        return f"nobody knows what {len(untold)} attempts cost that were ended before they told it (--max-cost)"
    dearest, of_a_second = max((ended.cost for ended in told), default=0.0), _cost_of_a_second(told)
    guessed = sum(min(seconds * of_a_second, dearest) for seconds in untold)
    spent += guessed
    if spent >= max_cost:
        of_it = f" (about ${guessed:.2f} of it by attempts that were ended before they told)" if guessed else ""
        return f"${spent:.2f} are spent{of_it}, of the ${max_cost:.2f} of --max-cost"
    usual = _middle((ended.cost for ended in told), known_from=1)  # of money the first figure is better than none
    if spent + usual > max_cost:
        return (
            f"${spent:.2f} are spent, and the next attempt, about ${usual:.2f}, "
            f"would go beyond the ${max_cost:.2f} of --max-cost"
        )
    return ""


def agent_runs(history: History) -> tuple[Ended, ...]:
    """Return the attempts of agents that came to their end, of all tasks; those cut off are no measure."""
    return tuple(ended for record in history.tasks.values() for ended in record.tried)


def _cost_of_a_second(told: Sequence[Ended]) -> float:
    seconds = sum(ended.seconds for ended in told)
    return sum(ended.cost for ended in told) / seconds if seconds > 0 else 0.0


def _seconds(ended: Ended) -> float:
    return ended.seconds + sum(gate.seconds for gate in ended.gates)


def _middle(values: Iterable[float], known_from: int = KNOWN_FROM) -> float:
    known = sorted(values)
    return known[len(known) // 2] if len(known) >= known_from else 0.0
