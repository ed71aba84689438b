"""When another attempt may begin: limits of time and money (O10)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ralph_wiggum.core.ends import agent_runs, too_expensive, too_late, wanted_end
from ralph_wiggum.core.history import History
from ralph_wiggum.core.journal import Ended, GateSeen, Started

SEVEN = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)


def lasted(*seconds: float, checks: float = 0.0) -> list[Ended]:
    return [Ended(seconds=each, gates=(GateSeen(seconds=checks),) if checks else ()) for each in seconds]


@pytest.mark.parametrize(
    ("until", "max_cost", "words"),
    [
        pytest.param(None, None, "", id="nothing was said"),
        pytest.param(SEVEN, None, "ends by 07:00, in 23 h 59 min", id="it has just passed, so tomorrow is meant"),
        pytest.param(None, 7.5, "ends before more than $7.50 are spent", id="money alone"),
        pytest.param(SEVEN, 20, "ends by 07:00, in 23 h 59 min, and before more than $20.00 are spent", id="both"),
    ],
)
def test_when_the_person_wants_it_to_end(until: datetime | None, max_cost: float | None, words: str) -> None:
    assert wanted_end(until, max_cost, SEVEN - timedelta(hours=23, minutes=59)) == words


@pytest.mark.parametrize(
    ("minutes_before", "attempts", "words"),
    [
        pytest.param(60, lasted(300, 300, 300), "", id="time enough"),
        pytest.param(4, lasted(300, 300, 300), "too few: an attempt takes about 300 s", id="it cannot come to its end"),
        pytest.param(6, lasted(300, 300, 300), "", id="it just can"),
        pytest.param(6, lasted(300, 300, 300, checks=90), "about 390 s", id="its checks take time too"),
        pytest.param(1, [], "", id="nobody knows how long one takes"),
        pytest.param(1, lasted(300, 300), "", id="two say too little"),
        pytest.param(4, lasted(10, 200, 20, 200, 3000), "", id="the middle counts, not the longest"),
        pytest.param(0, [], "it is past 07:00", id="the moment itself"),
        pytest.param(-5, lasted(1, 1, 1), "it is past 07:00", id="after it"),
    ],
)
def test_the_last_task_is_not_begun_when_it_cannot_finish(
    minutes_before: float, attempts: list[Ended], words: str
) -> None:
    said = too_late(SEVEN, SEVEN - timedelta(minutes=minutes_before), attempts)
    assert words in said
    assert bool(said) is bool(words)


def test_without_until_it_is_never_too_late() -> None:
    assert not too_late(None, SEVEN, lasted(1e9, 1e9, 1e9))


@pytest.mark.parametrize(
    ("limit", "spent", "costs", "words"),
    [
        pytest.param(None, 1000.0, (5.0, 5.0, 5.0), "", id="no limit"),
        pytest.param(10.0, 2.0, (1.0, 1.0, 1.0), "", id="money enough"),
        pytest.param(10.0, 10.0, (), "$10.00 are spent, of the $10.00", id="all spent"),
        pytest.param(10.0, 9.5, (1.0, 1.0, 1.0), "about $1.00, would go beyond", id="the next one would go beyond"),
        pytest.param(10.0, 9.5, (1.0,), "about $1.00, would go beyond", id="one figure is enough"),
        pytest.param(10.0, 9.5, (-1.0, -1.0, -1.0), "", id="an agent without figures"),
    ],
)
def test_no_attempt_is_begun_that_would_cost_too_much(
    limit: float | None, spent: float, costs: tuple[float, ...], words: str
) -> None:
    said = too_expensive(limit, spent, [Ended(cost=cost) for cost in costs])
    assert words in said
    assert bool(said) is bool(words)


@pytest.mark.parametrize(
    ("untold", "told", "words"),
    [
        pytest.param((60.0,), ((2.0, 60.0),), "", id="still enough"),
        pytest.param((240.0,), ((2.0, 60.0), (8.0, 240.0)), "$18.00 are spent (about $8.00 of it", id="by its length"),
        pytest.param((6000.0,), ((2.0, 60.0), (8.0, 240.0)), "(about $8.00 of it", id="not more than the dearest"),
        pytest.param((600.0, 600.0), (), "", id="two say too little"),
        pytest.param((600.0, 600.0, 600.0), (), "nobody knows what 3 attempts cost", id="a limit that cannot be held"),
    ],
)
def test_attempts_that_told_no_cost_are_taken_to_have_cost_what_others_did(
    untold: tuple[float, ...], told: tuple[tuple[float, float], ...], words: str
) -> None:
    attempts = [Ended(cost=cost, seconds=seconds) for cost, seconds in told]
    said = too_expensive(15.0, sum(cost for cost, _ in told), attempts, untold)
    assert words in said
    assert bool(said) is bool(words)


def test_only_agents_that_were_at_work_are_missed_when_they_tell_no_cost() -> None:
    history = History(
        [
            Started(key="1"),
            Ended(key="1", kind="timeout", seconds=600.0),
            Ended(key="1", kind="not started", seconds=0.1),
            Ended(key="1", result="interrupted", cause="usage limit", seconds=2.0),
            Ended(key="1", result="interrupted"),
            Ended(key="1", how="validation", seconds=3.0),
            Ended(key="1", seconds=60.0, cost=0.5),
        ]
    )
    assert [seconds for _, seconds in history.untold] == [600.0]


def test_attempts_that_were_cut_off_or_needed_no_agent_are_no_measure() -> None:
    history = History(
        [
            Started(key="1"),
            Ended(key="1", result="interrupted", seconds=1.0),
            Started(key="1"),
            Ended(key="1", result="failed", seconds=2.0),
            Ended(key="2", result="passed", how="checkpoint", seconds=3.0),
            Started(key="3"),
            Ended(key="3", result="passed", seconds=4.0),
        ]
    )
    assert sorted(ended.seconds for ended in agent_runs(history)) == [2.0, 4.0]


def test_an_attempt_that_its_provider_did_not_serve_takes_no_iteration_but_its_cost_counts() -> None:
    history = History([Started(key="1"), Ended(key="1", result="interrupted", cause="usage limit", cost=0.25)])
    assert history.iterations == 0
    assert history.cost == 0.25
