"""What time did between two looks: the machine slept, its clock was set (B7). Pure: readings in, words out."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ralph_wiggum.core.sizes import span

SLEPT_SECONDS = 10.0  # less is no sleep that a person wants to read of
SET_SECONDS = 60.0  # less is what time servers do
_CLEAR_SECONDS = 120.0  # of waking time between the looks: then its begin and end are as good as known


class Reading(NamedTuple):
    """Three clocks at one moment, in seconds.

    `wall` is the time of day (since 1970), which may be set; `boot` counts on while the machine sleeps, `running`
    stands still then.
    """

    wall: float
    boot: float
    running: float


def slept(before: Reading, after: Reading) -> float:
    """Return for how long the machine slept between two readings."""
    return (after.boot - before.boot) - (after.running - before.running)


def was_set(before: Reading, after: Reading) -> float:
    """Return by how much the time of day was set between two readings, negative for back."""
    return (after.wall - before.wall) - (after.boot - before.boot)


def words(before: Reading, after: Reading, at: Callable[[float], str]) -> tuple[str, ...]:
    """Return what time did, in words; `at` writes a time of day, such as 01:10, for seconds since 1970."""
    return tuple(filter(None, (_sleep(before, after, at), _setting(before, after))))


def _sleep(before: Reading, after: Reading, at: Callable[[float], str]) -> str:
    seconds = slept(before, after)
    if seconds < SLEPT_SECONDS:
        return ""
    clear = after.running - before.running < _CLEAR_SECONDS
    joined = "{} to {}" if clear else "between {} and {}"
    return f"the machine slept for {span(seconds)} ({joined.format(at(before.wall), at(after.wall))})"


def _setting(before: Reading, after: Reading) -> str:
    seconds = was_set(before, after)
    if abs(seconds) < SET_SECONDS:
        return ""
    return f"the clock was set {span(abs(seconds))} {'forward' if seconds > 0 else 'back'}"
