"""The roster: how long an agent is left alone, which is asked next, and what the journal keeps of it (B1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ralph_wiggum.core.journal import Held
from ralph_wiggum.core.provider.cause import UNSERVED, Cause, Diagnosis
from ralph_wiggum.core.provider.reset import FARTHEST
from ralph_wiggum.core.provider.roster import (
    Hold,
    Roster,
    Use,
    WaitUntil,
    after,
    choose,
    counts,
    from_held,
    from_journal,
    outlasts,
    served,
    to_held,
    to_lifted,
)

NOW = datetime(2026, 11, 20, 6, 41, tzinfo=UTC)
LADDER = [300, 900, 1800, 3600, 3600, 3600]


def in_seconds(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def waits(cause: Cause, *, times: int, jitter: float = 0.5, until: float | None = None) -> list[float]:
    """Return how long an agent is left alone for each of so many strikes in a row; `until`: seconds, as reported."""
    holds: dict[str, Hold] = {}
    found = []
    for _ in range(times):
        reset = None if until is None else in_seconds(until)
        holds["a"] = after(holds, "a", Diagnosis(cause=cause, until=reset), NOW, jitter)
        found.append((holds["a"].until - NOW).total_seconds())
    return found


@pytest.mark.parametrize(
    ("cause", "until", "expected"),
    [
        pytest.param(Cause.USAGE_LIMIT, None, LADDER, id="a limit without a reset: 5, 15, 30, 60, 60 min"),
        pytest.param(Cause.USAGE_LIMIT, 7200.0, [7260] * 6, id="a limit with a reset: a minute more"),
        pytest.param(Cause.USAGE_LIMIT, 0.0, [60, 300, 900, 1800, 3600, 3600], id="a reset that does not hold"),
        pytest.param(Cause.USAGE_LIMIT, -120.0, [60, 300, 900, 1800, 3600, 3600], id="a reset that is over"),
        pytest.param(Cause.NO_CREDIT, None, LADDER, id="no credit"),
        pytest.param(Cause.NOT_LOGGED_IN, None, LADDER, id="not logged in"),
        pytest.param(Cause.UNKNOWN_MODEL, None, LADDER, id="unknown model"),
        pytest.param(Cause.NOT_STARTED, None, LADDER, id="not started"),
        pytest.param(Cause.RATE_LIMIT, None, [30, 60, 120, 240, 480, 900, 900], id="a rate limit doubles to 15 min"),
        pytest.param(Cause.RATE_LIMIT, 20.0, [23, 23, 23, 30, 60, 120], id="a rate limit with its end, until that is not believed"),
        pytest.param(Cause.OVERLOADED, None, [10, 20, 40, 80, 160, 320, 600, 600], id="overloaded doubles to 10 min"),
        pytest.param(Cause.OVERLOADED, 90.0, [93, 93, 93, 93, 160, 320], id="overloaded, with seconds to wait"),
        pytest.param(Cause.OFFLINE, None, [15, 30, 60, 120, 240, 300, 300], id="offline doubles to 5 min"),
    ],
)  # fmt: skip
def test_b1_how_long_an_agent_is_left_alone(cause: Cause, until: float | None, expected: list[float]) -> None:
    assert waits(cause, times=len(expected), until=until) == expected


@pytest.mark.parametrize("cause", [Cause.RATE_LIMIT, Cause.OVERLOADED])
def test_b1_waits_are_spread_by_a_quarter_within_their_bounds(cause: Cause) -> None:
    low, middle, high = (waits(cause, times=30, jitter=jitter) for jitter in (0.0, 0.5, 1.0))
    assert [wait * 0.75 for wait in middle] == low
    assert all(after_ <= max(middle) for after_ in high)
    assert high[:3] == [wait * 1.25 for wait in middle[:3]]
    assert waits(cause, times=3, jitter=7.0) == high[:3]  # what is out of range is brought back


def test_b1_strikes_go_on_after_a_hold_is_over_until_the_agent_serves() -> None:
    overloaded = Diagnosis(cause=Cause.OVERLOADED, words="Overloaded")
    holds: Roster = {"a": Hold(cause=Cause.OVERLOADED, until=in_seconds(-9000), strikes=3)}
    assert choose(["a"], holds, NOW) == Use(agent="a")
    assert after(holds, "a", overloaded, NOW, 0.5).strikes == 4
    assert after(served(holds, "a"), "a", overloaded, NOW, 0.5).strikes == 1
    assert served({**holds, "b": holds["a"]}, "a") == {"b": holds["a"]}
    assert served({}, "a") == {}


@pytest.mark.parametrize(
    ("before", "strikes", "cause", "expected"),
    [
        (Cause.USAGE_LIMIT, 3, Cause.NOT_LOGGED_IN, 1),
        (Cause.OVERLOADED, 7, Cause.USAGE_LIMIT, 1),
        (Cause.USAGE_LIMIT, 7, Cause.OVERLOADED, 1),
        (Cause.OFFLINE, 40, Cause.OVERLOADED, 5),
        (Cause.OVERLOADED, 2, Cause.RATE_LIMIT, 3),
        (Cause.RATE_LIMIT, 9, Cause.RATE_LIMIT, 10),
    ],
)
def test_b1_another_cause_begins_anew_but_passing_troubles_in_turns_stay_slow(
    before: Cause, strikes: int, cause: Cause, expected: int
) -> None:
    holds = {"a": Hold(cause=before, until=NOW, strikes=strikes)}
    assert after(holds, "a", Diagnosis(cause=cause), NOW, 0.5).strikes == expected


def test_b1_the_reason_is_in_the_providers_words_where_it_gave_any() -> None:
    assert after({}, "a", Diagnosis(cause=Cause.OVERLOADED, words="Overloaded"), NOW, 0.5).reason == "Overloaded"
    assert after({}, "a", Diagnosis(cause=Cause.NOT_LOGGED_IN), NOW, 0.5).reason == "not logged in"


@pytest.mark.parametrize(
    ("cause", "strikes", "expected"),
    [
        (Cause.OVERLOADED, 1, False),
        (Cause.OVERLOADED, 7, False),
        (Cause.OVERLOADED, 8, True),
        (Cause.OVERLOADED, 20, True),
        (Cause.RATE_LIMIT, 50, False),
        (Cause.USAGE_LIMIT, 50, False),
        (Cause.OFFLINE, 50, False),
        (Cause.NOT_LOGGED_IN, 50, False),
    ],
)
def test_b1_only_an_overload_of_long_standing_counts(cause: Cause, strikes: int, expected: bool) -> None:  # noqa: FBT001 - a column of the table
    assert counts(Hold(cause=cause, until=NOW, strikes=strikes)) is expected


def held(seconds: float, cause: Cause = Cause.USAGE_LIMIT) -> Hold:
    return Hold(cause=cause, until=in_seconds(seconds), reason="so it is")


def wait(seconds: float, agent: str, cause: Cause = Cause.USAGE_LIMIT) -> WaitUntil:
    return WaitUntil(until=in_seconds(seconds), agent=agent, cause=cause, reason="so it is")


@pytest.mark.parametrize(
    ("agents", "holds", "expected"),
    [
        pytest.param(["a"], {}, Use(agent="a"), id="one, free"),
        pytest.param(["a", "b"], {}, Use(agent="a"), id="two free: the first"),
        pytest.param(["a", "b"], {"a": held(60)}, Use(agent="b"), id="the next takes over at once"),
        pytest.param(["a", "b"], {"a": held(0)}, Use(agent="a"), id="the first is taken back when its limit ends"),
        pytest.param(["a", "b"], {"b": held(60)}, Use(agent="a"), id="a hold on another does not matter"),
        pytest.param(["a", "b"], {"x": held(60)}, Use(agent="a"), id="nor one on an agent that is no longer listed"),
        pytest.param(["a"], {"a": held(60)}, wait(60, "a"), id="one, held"),
        pytest.param(["a", "b"], {"a": held(90), "b": held(60, Cause.OFFLINE)}, wait(60, "b", Cause.OFFLINE), id="all held: the first to come back"),
        pytest.param(["a", "b"], {"a": held(60), "b": held(60)}, wait(60, "a"), id="at the same time: the first"),
        pytest.param(["a", "b", "c"], {"a": held(60), "b": held(-1)}, Use(agent="b"), id="a hold that is over is none"),
    ],
)  # fmt: skip
def test_b1_which_agent_is_asked_next(agents: list[str], holds: Roster, expected: Use | WaitUntil) -> None:
    assert choose(agents, holds, NOW) == expected


@pytest.mark.parametrize(
    ("until", "limit", "expected"),
    [
        pytest.param(60.0, None, False, id="no end is set"),
        pytest.param(60.0, 61.0, False, id="over before the end"),
        pytest.param(60.0, 60.0, True, id="at the end"),
        pytest.param(60.0, 59.0, True, id="beyond it"),
    ],
)
def test_b1_a_wait_that_goes_beyond_the_end_is_not_begun(until: float, limit: float | None, expected: bool) -> None:  # noqa: FBT001 - a column of the table
    assert outlasts(in_seconds(until), None if limit is None else in_seconds(limit)) is expected


def test_b1_moments_are_compared_as_moments_when_the_clock_is_set_back() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    first = datetime(2026, 10, 25, 2, 40, tzinfo=berlin)
    second = datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=berlin)  # 50 minutes later
    hold = Hold(cause=Cause.USAGE_LIMIT, until=second)
    assert isinstance(choose(["a"], {"a": hold}, first), WaitUntil)
    assert outlasts(second, first)
    limit = after({}, "a", Diagnosis(cause=Cause.USAGE_LIMIT), first, 0.5)
    assert limit.until.astimezone(UTC) - first.astimezone(UTC) == timedelta(minutes=5)


@given(
    st.sampled_from(sorted(UNSERVED)),
    st.integers(1, 10**6),
    st.floats(-(10**6), 10**6) | st.none(),
    st.floats(allow_nan=False),
)
def test_b1_a_hold_is_always_ahead_and_within_reach(
    cause: Cause, strikes: int, until: float | None, jitter: float
) -> None:
    before = {"a": Hold(cause=cause, until=NOW, strikes=strikes)}
    diagnosis = Diagnosis(cause=cause, until=None if until is None else in_seconds(until))
    hold = after(before, "a", diagnosis, NOW, jitter)
    assert NOW < hold.until <= in_seconds(max(until or 0.0, 3600.0) + 60)
    assert from_held(to_held("a", hold), NOW) == Hold(
        cause=cause, until=hold.until.replace(microsecond=0), reason=hold.reason, strikes=strikes + 1
    )


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        pytest.param(Held(agent="a", cause="usage limit", until="2026-11-20T07:43:00+00:00", reason="so", strikes=2), Hold(cause=Cause.USAGE_LIMIT, until=datetime(2026, 11, 20, 7, 43, tzinfo=UTC), reason="so", strikes=2), id="as it was written"),
        pytest.param(Held(agent="a", cause="offline", until="2026-11-20T09:43:00+02:00", strikes=1), Hold(cause=Cause.OFFLINE, until=datetime(2026, 11, 20, 7, 43, tzinfo=UTC)), id="in another zone"),
        pytest.param(Held(agent="a", cause="offline", until="2026-11-20T07:43:00", strikes=1), Hold(cause=Cause.OFFLINE, until=datetime(2026, 11, 20, 7, 43, tzinfo=UTC)), id="without a zone: local"),
        pytest.param(Held(agent="a", cause="offline", until="soon", strikes=3), Hold(cause=Cause.OFFLINE, until=NOW, strikes=3), id="a time that cannot be read is now"),
        pytest.param(Held(agent="a", cause="offline", until="2126-11-20T07:43:00+00:00", strikes=3), Hold(cause=Cause.OFFLINE, until=NOW, strikes=3), id="a time beyond any limit is now"),
        pytest.param(Held(agent="a", cause="offline", until="0001-01-01T00:00:00+14:00", strikes=3), Hold(cause=Cause.OFFLINE, until=NOW, strikes=3), id="a time before all time is now"),
        pytest.param(Held(agent="a", cause="a new one", until="2026-11-20T07:43:00+00:00"), Hold(cause=Cause.USAGE_LIMIT, until=datetime(2026, 11, 20, 7, 43, tzinfo=UTC)), id="a cause of a later version"),
        pytest.param(to_lifted("a"), None, id="lifted"),
        pytest.param(Held(), None, id="empty"),
    ],
)  # fmt: skip
def test_b1_a_hold_is_read_back_from_the_journal(entry: Held, expected: Hold | None) -> None:
    assert from_held(entry, NOW) == expected
    assert from_journal({"a": entry}, NOW) == ({} if expected is None else {"a": expected})


@given(st.text() | st.datetimes().map(datetime.isoformat), st.text(), st.integers())
def test_b1_no_entry_of_the_journal_breaks_it(until: str, cause: str, strikes: int) -> None:
    hold = from_held(Held(agent="a", cause=cause, until=until, strikes=strikes), NOW)
    assert hold is None or (hold.until <= NOW + FARTHEST and hold.strikes >= 1 and hold.cause in UNSERVED)
