"""When what is heard of an agent ends its attempt."""

from __future__ import annotations

import pytest

from ralph_wiggum.core.dialects.bounds import LINGER_SECONDS, Bounds
from ralph_wiggum.core.evidence import Ending, Usage
from ralph_wiggum.core.settings import Prices

CAPPED = Bounds(turns=3, cost=1.0, prices=Prices(input=1.0, output=1.0))
MILLION = 1_000_000


@pytest.mark.parametrize(
    ("bounds", "state", "turns", "usage", "quiet", "ending"),
    [
        pytest.param(Bounds(), "", 10**6, Usage(cost=1e9), 1e9, None, id="no bounds"),
        pytest.param(CAPPED, "", 3, Usage(cost=1.0), 0.0, None, id="as much as it may"),
        pytest.param(CAPPED, "", 4, None, 0.0, Ending.TOO_MANY_TURNS, id="a turn too many"),
        pytest.param(CAPPED, "", 0, Usage(cost=1.01), 0.0, Ending.TOO_EXPENSIVE, id="a cent too much"),
        pytest.param(CAPPED, "", 0, Usage(input_tokens=2 * MILLION), 0.0, Ending.TOO_EXPENSIVE, id="tokens at prices"),
        pytest.param(Bounds(), "looped", 0, None, 0.0, Ending.NO_PROGRESS, id="it asks for ever"),
        pytest.param(Bounds(), "settled", 0, None, LINGER_SECONDS - 1, None, id="it ended a moment ago"),
        pytest.param(Bounds(), "settled", 0, None, LINGER_SECONDS, Ending.LINGERED, id="it does not end"),
        pytest.param(CAPPED, "settled", 9, Usage(cost=9.0), 0.0, None, id="after its last event nothing is too much"),
    ],
)
def test_when_an_attempt_has_to_end(
    bounds: Bounds, state: str, turns: int, usage: Usage | None, quiet: float, ending: Ending | None
) -> None:
    looped, settled = state == "looped", state == "settled"
    over = bounds.over(looped=looped, settled=settled, turns=turns, usage=usage, quiet=quiet)
    assert (None if over is None else over.ending) is ending
