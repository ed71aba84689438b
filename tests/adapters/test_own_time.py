"""The loop's own time: what the runner stands still is taken out, and a deadline comes all the same."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ralph_wiggum.adapters.own_time import STOOD_STILL_SECONDS, OwnTime


@dataclass
class HandClock:
    """Seconds that a test moves by hand."""

    seconds: float = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_ordinary_passes_count_as_they_are() -> None:
    clock = HandClock()
    own = OwnTime(clock)
    for _ in range(100):
        own.wait(0.2)
        clock.seconds += 0.25
        own.now()
        clock.seconds += 1.0
    assert own.now() == pytest.approx(100 + 125)
    assert own.lost == 0.0


def test_a_long_wait_that_was_announced_counts() -> None:
    clock = HandClock()
    own = OwnTime(clock)
    own.wait(3600)
    clock.seconds += 3600.5
    assert own.now() == pytest.approx(3700.5)


@pytest.mark.parametrize("asked", [0.0, 0.2, 60.0])
def test_a_stop_counts_for_no_more_than_a_busy_machine_may_need(asked: float) -> None:
    clock = HandClock()
    own = OwnTime(clock)
    own.wait(asked)
    clock.seconds += 8 * 3600
    assert own.now() == pytest.approx(100 + asked + STOOD_STILL_SECONDS)
    assert own.lost == pytest.approx(8 * 3600 - asked - STOOD_STILL_SECONDS)
    assert own.now() == pytest.approx(100 + asked + STOOD_STILL_SECONDS)


def test_a_stop_between_two_readings_without_a_wait_is_noticed_too() -> None:
    clock = HandClock()
    own = OwnTime(clock)
    own.now()
    clock.seconds += 600
    assert own.now() == pytest.approx(100 + STOOD_STILL_SECONDS)


def test_a_loop_whose_every_pass_is_slow_comes_to_its_deadline() -> None:
    clock = HandClock()
    own = OwnTime(clock)
    passes = 0
    while own.now() < 700:
        own.wait(0.2)
        clock.seconds += 60
        passes += 1
        assert passes < 600 / STOOD_STILL_SECONDS + 2


@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0, 1000)), max_size=30))
def test_own_time_never_goes_back_and_is_never_ahead(steps: list[tuple[float, float]]) -> None:
    clock = HandClock()
    own = OwnTime(clock)
    last = own.now()
    for asked, passed in steps:
        own.wait(asked)
        clock.seconds += passed
        now = own.now()
        assert last - 1e-6 <= now <= clock.seconds
        last = now
