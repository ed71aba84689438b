"""O13: the strategy of a retry follows from the count of identical failures."""

from __future__ import annotations

import pytest

from ralph_wiggum.core.strategy import Strategy, strategy


@pytest.mark.parametrize(
    ("identical", "expected"),
    [
        pytest.param(0, Strategy.FIRST, id="no failure yet: straight on"),
        pytest.param(1, Strategy.SAME, id="after 1 the same approach, looking for slips"),
        pytest.param(2, Strategy.OTHER_IMPLEMENTATION, id="after 2 another implementation"),
        pytest.param(3, Strategy.SIMPLER, id="after 3 a simpler scope"),
        *(pytest.param(n, Strategy.OTHER_APPROACH, id=f"after {n} another approach") for n in range(4, 9)),
        pytest.param(25, Strategy.OTHER_APPROACH, id="a threshold above ten goes on with other approaches"),
    ],
)
def test_o13_strategy_changes_with_the_count(identical: int, expected: Strategy) -> None:
    assert strategy(identical, last=False) is expected


@pytest.mark.parametrize("identical", [0, 1, 3, 9])
def test_o13_the_last_attempt_before_a_skip_is_conservative(identical: int) -> None:
    assert strategy(identical, last=True) is Strategy.CONSERVATIVE
