"""Which attempt was cut off with its runner, and until when its agent can have been at work (B2, O38)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ralph_wiggum.core.cut_off import agent_until, cut_off
from ralph_wiggum.core.history import History
from ralph_wiggum.core.journal import Ended, Entry, RunEnded, RunStarted, Skipped, Started, Ticked

RUN = RunStarted(at="2026-11-20T22:00:00+00:00")
FIRST = Started(at="2026-11-20T22:00:10+00:00", key="1", timeout=600.0)
SECOND = Started(at="2026-11-20T22:20:00+00:00", key="2", timeout=1200.0)
DONE = Ended(key="1", result="passed")
OVER = RunEnded(code=130)
NEXT_RUN = RunStarted(at="2026-11-21T07:00:00+00:00")


@pytest.mark.parametrize(
    ("entries", "wanted"),
    [
        pytest.param([], None, id="nothing ever ran"),
        pytest.param([RUN], None, id="the run died before its first attempt"),
        pytest.param([RUN, FIRST], FIRST, id="the run died in the middle of an attempt"),
        pytest.param([RUN, FIRST, DONE], None, id="the run died after an attempt that was judged"),
        pytest.param([RUN, FIRST, DONE, Ticked(key="1")], None, id="the run died between two tasks"),
        pytest.param([RUN, FIRST, DONE, Ticked(key="1"), SECOND], SECOND, id="the second attempt was cut off"),
        pytest.param([RUN, FIRST, OVER], None, id="the run ended in good order, whatever is open"),
        pytest.param([RUN, FIRST, Skipped(key="1")], FIRST, id="a person skipped the task after the crash"),
        pytest.param([RUN, FIRST, NEXT_RUN], FIRST, id="the next run died before it had closed the attempt"),
        pytest.param([RUN, FIRST, OVER, NEXT_RUN, SECOND], SECOND, id="the later one of two"),
    ],
)
def test_the_attempt_that_was_cut_off(entries: list[Entry], wanted: Started | None) -> None:
    assert cut_off(History(entries)) == wanted


@pytest.mark.parametrize(
    ("started", "wanted"),
    [
        pytest.param(FIRST, datetime(2026, 11, 20, 22, 11, 10, tzinfo=UTC), id="the limit of time and a minute"),
        pytest.param(SECOND, datetime(2026, 11, 20, 22, 41, 0, tzinfo=UTC), id="a limit that was doubled"),
        pytest.param(FIRST._replace(at=""), None, id="no time of day"),
        pytest.param(FIRST._replace(at="last night"), None, id="none that can be read"),
        pytest.param(FIRST._replace(timeout=1e300), None, id="a limit beyond all time"),
    ],
)
def test_until_when_its_agent_can_have_acted(started: Started, wanted: datetime | None) -> None:
    assert agent_until(History([RUN, started])) == wanted


def test_without_an_attempt_that_was_cut_off_nobody_acted() -> None:
    assert agent_until(History([RUN, FIRST, DONE])) is None
