"""What time did between two looks, as a person reads it (B7)."""

from __future__ import annotations

import pytest

from ralph_wiggum.core.clock_jumps import Reading, words

ONE_AM = 3_600.0


def at(wall: float) -> str:
    minutes = int(wall // 60)
    return f"{minutes // 60:02}:{minutes % 60:02}"


def after(*, wall: float, boot: float, running: float) -> Reading:
    """Return a reading so many seconds later on each clock."""
    return Reading(wall=ONE_AM + wall, boot=500 + boot, running=400 + running)


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        pytest.param(after(wall=600, boot=600, running=600), (), id="ten minutes went by"),
        pytest.param(after(wall=0, boot=0, running=0), (), id="no time went by"),
        pytest.param(
            after(wall=7_810, boot=7_810, running=10),
            ("the machine slept for 2 h 10 min (01:00 to 03:10)",),
            id="it slept, and both ends are known",
        ),
        pytest.param(
            after(wall=9_000, boot=9_000, running=1_200),
            ("the machine slept for 2 h 10 min (between 01:00 and 03:30)",),
            id="it slept at some time in a long attempt",
        ),
        pytest.param(after(wall=605, boot=605, running=600), (), id="five seconds are no sleep"),
        pytest.param(after(wall=4_200, boot=600, running=600), ("the clock was set 1 h forward",), id="set forward"),
        pytest.param(after(wall=-3_000, boot=600, running=600), ("the clock was set 1 h back",), id="set back"),
        pytest.param(after(wall=659, boot=600, running=600), (), id="a time server may set it a little"),
        pytest.param(after(wall=541, boot=600, running=600), (), id="a little back, too"),
        pytest.param(
            after(wall=7_200, boot=3_600, running=0),
            ("the machine slept for 1 h (01:00 to 03:00)", "the clock was set 1 h forward"),
            id="both",
        ),
    ],
)
def test_jumps_are_told_with_figures(reading: Reading, expected: tuple[str, ...]) -> None:
    before = after(wall=0, boot=0, running=0)
    assert words(before, reading, at) == expected
