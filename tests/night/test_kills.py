"""kill -9 at random moments (B2): a few by default, RALPH_KILLS=200 for the requirement's number."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.night import kills

pytestmark = pytest.mark.night

KILLS = int(os.environ.get("RALPH_KILLS", "25"))
SEED = int(os.environ.get("RALPH_SEED", "1"))


@pytest.mark.timeout(60 + 6 * KILLS)
def test_a_night_that_is_killed_again_and_again_comes_to_the_same_end(tmp_path: Path) -> None:
    """B2: nothing lost, torn or done twice, and no two agents at once."""
    figures = kills.spend(KILLS, SEED, tmp_path)
    assert figures.kills >= KILLS
    assert figures.cut > 0, "no kill met an attempt: the moments are badly chosen"
    assert figures.slowest_cleanup < 5.0
