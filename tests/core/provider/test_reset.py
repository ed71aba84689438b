"""reset_at: when a provider serves again, by its own words (B1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ralph_wiggum.core.provider import zones
from ralph_wiggum.core.provider.reset import FARTHEST, LATE, from_epoch, reset_at

NOW = datetime(2026, 11, 20, 6, 41, 18, tzinfo=UTC)  # a Friday
BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # times of day
        pytest.param("You've hit your limit · resets 9pm", "2026-11-20T21:00", id="an hour and pm"),
        pytest.param("You've hit your limit · resets 7:43am (UTC)", "2026-11-20T07:43", id="with a zone in brackets"),
        pytest.param("resets 12am (UTC)", "2026-11-21T00:00", id="12am is midnight"),
        pytest.param("resets 12pm (UTC)", "2026-11-20T12:00", id="12pm is noon"),
        pytest.param("resets 15:30", "2026-11-20T15:30", id="24 hours"),
        pytest.param("resets 6:40am", "2026-11-20T06:41:18", id="over for a minute: now"),
        pytest.param("resets 6:30am", "2026-11-21T06:30", id="over for longer: tomorrow"),
        pytest.param("resets 9\u202fPM", "2026-11-20T21:00", id="a narrow space, as node prints it"),
        pytest.param("available again at 9 a.m.", "2026-11-20T09:00", id="a.m. with dots"),
        pytest.param("resets 3am (America/Los_Angeles)", "2026-11-20T11:00", id="a city"),
        pytest.param("Your limit will reset at 3pm (America/Santiago).", "2026-11-20T18:00", id="in a sentence"),
        pytest.param("resets 12:50am (Asia/Kolkata)", "2026-11-20T19:20", id="half an hour off"),
        pytest.param("resets at 3 PM PST", "2026-11-20T23:00", id="an abbreviation"),
        pytest.param("at 3 PM PST", "2026-11-20T23:00", id="no word before it"),
        pytest.param("resets 9am GMT+2", "2026-11-20T07:00", id="an offset"),
        pytest.param("resets 9:00 +05:30", "2026-11-21T03:30", id="an offset with minutes"),
        pytest.param("resets at midnight Pacific Time", "2026-11-20T08:00", id="midnight somewhere"),
        pytest.param("resets noon", "2026-11-20T12:00", id="noon"),
        pytest.param("resets 9am (Middle/Earth)", "2026-11-20T09:00", id="an unknown zone is local"),
        pytest.param("You’ve hit your usage limit. Try again at 7:39 AM.", "2026-11-20T07:39", id="codex"),
        # dates
        pytest.param("resets Nov 23, 6:13pm (UTC)", "2026-11-23T18:13", id="month, day, time"),
        pytest.param("resets Dec 3, 8am (Europe/Paris)", "2026-12-03T07:00", id="month, day, hour"),
        pytest.param("or try again at Nov 23rd, 2026 6:23 PM.", "2026-11-23T18:23", id="codex, days ahead"),
        pytest.param("try again on 23 Nov 2026 at 18:23 UTC", "2026-11-23T18:23", id="the day first"),
        pytest.param("resets November 23 at 6pm", "2026-11-23T18:00", id="the month in full"),
        pytest.param("resets tomorrow at 9am", "2026-11-21T09:00", id="tomorrow"),
        pytest.param("tomorrow at 9am", "2026-11-21T09:00", id="tomorrow alone"),
        pytest.param("resets 9am tomorrow", "2026-11-21T09:00", id="tomorrow behind"),
        pytest.param("resets Mon 9:00 AM", "2026-11-23T09:00", id="a day of the week"),
        pytest.param("resets Friday at 9am", "2026-11-20T09:00", id="the same day of the week, later"),
        pytest.param("resets Friday at 5am", "2026-11-27T05:00", id="the same day of the week, over"),
        pytest.param("resets on 12/01", "2026-12-01T00:00", id="kiro"),
        pytest.param("Please return next month to continue building.", "2026-12-01T00:00", id="kiro, no date"),
        pytest.param("resets on 23/12", "2026-12-23T00:00", id="the day first where it must be"),
        pytest.param("resets on 2026-12-01", "2026-12-01T00:00", id="kiro, newer"),
        pytest.param("12/01", "2026-12-01T00:00", id="a date alone"),
        pytest.param("resets at 2026-11-21T03:00:00Z", "2026-11-21T03:00", id="ISO 8601"),
        pytest.param("resets at 2026-11-21T03:00:00.123456+02:00", "2026-11-21T01:00", id="ISO 8601 with an offset"),
        pytest.param('"resetTime": "2026-11-21T03:00:00Z"', "2026-11-21T03:00", id="ISO 8601 in JSON"),
        pytest.param("Retry-After: Sat, 21 Nov 2026 07:28:00 GMT", "2026-11-21T07:28", id="a date of HTTP"),
        # spans
        pytest.param("Please retry in 3600s.", "2026-11-20T07:41:18", id="seconds"),
        pytest.param("in 3600 s", "2026-11-20T07:41:18", id="seconds alone"),
        pytest.param("try again in 2h 15m", "2026-11-20T08:56:18", id="hours and minutes"),
        pytest.param("1 hour and 5 minutes", "2026-11-20T07:46:18", id="in words"),
        pytest.param(
            "Your quota will reset after 2h24m55s.. Retrying after 5197ms", "2026-11-20T09:06:13", id="gemini"
        ),
        pytest.param("try again in 3 days 2 hours 9 minutes", "2026-11-23T08:50:18", id="days"),
        pytest.param("resets in 4hr 29min", "2026-11-20T11:10:18", id="short units"),
        pytest.param("Please try again in 20s.", "2026-11-20T06:41:38", id="openai"),
        pytest.param("Please try again in 6m0s.", "2026-11-20T06:47:18", id="openai, minutes"),
        pytest.param("Try again in an hour", "2026-11-20T07:41:18", id="an hour"),
        pytest.param("429 rate_limit_error: slow down, retry after 3 s", "2026-11-20T06:41:21", id="retry after"),
        pytest.param("retry-after: 30", "2026-11-20T06:41:48", id="a header"),
        pytest.param("retry_after_ms: 1500", "2026-11-20T06:41:19.5", id="milliseconds"),
        pytest.param('"retryDelay": "39s"', "2026-11-20T06:41:57", id="google's details"),
        pytest.param('"resets_in_seconds":7200', "2026-11-20T08:41:18", id="codex's body"),
        pytest.param(
            "retried 5 times (total retry wait time: 59.27 seconds) Last error: 429 Rate limit reached for x on requests"
            " per min (RPM): Limit 3, Used 3, Requested 1. Please try again in 20s.",
            "2026-11-20T06:41:38",
            id="copilot: what was waited already is no reset",
        ),
        # seconds since 1970
        pytest.param("Claude AI usage limit reached|1795160626", "2026-11-20T07:43:46", id="after a bar"),
        pytest.param("reached|1795160626000", "2026-11-20T07:43:46", id="milliseconds after a bar"),
        pytest.param('"resets_at":1795160626,"plan"', "2026-11-20T07:43:46", id="in JSON"),
        # nothing
        pytest.param("", None, id="nothing"),
        pytest.param("The usage limit has been reached", None, id="no time"),
        pytest.param("Limit 3, Used 3, Requested 1.", None, id="numbers"),
        pytest.param("resets 25:00", None, id="no such hour"),
        pytest.param("resets 13pm", None, id="no such half of the day"),
        pytest.param("resets 9", None, id="a number that may be anything"),
        pytest.param("resets Feb 30, 9am", None, id="no such day"),
        pytest.param("resets Oct 12, 8am", None, id="a date that is nearly a year off"),
        pytest.param("try again in 41 days", None, id="too far"),
        pytest.param("try again in 99999999999999999999 hours", None, id="far beyond time"),
        pytest.param("reached|9999999999", None, id="an absurd epoch"),
        pytest.param("reached|1795100000", None, id="an epoch long over"),
        pytest.param("Retrying in 32.0 seconds...", None, id="what the agent itself waits is no reset"),
        pytest.param("You have used 5 steps in 3 sessions", None, id="a unit's letter inside a word"),
    ],
)
def test_b1_the_reset_is_read(text: str, expected: str | None) -> None:
    assert reset_at(text, NOW) == (None if expected is None else datetime.fromisoformat(expected).replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "now", "expected"),
    [
        pytest.param("resets 3:30am", "2027-03-28T01:00", "2027-03-28T03:30", id="the night of summer time"),
        pytest.param("resets 2:30am", "2027-03-28T01:00", "2027-03-28T03:30", id="a time that the night leaves out"),
        pytest.param("resets 2:30am", "2026-10-25T01:00", "2026-10-25T02:30", id="the first of two"),
        pytest.param("resets 9am", "2026-10-24T22:00", "2026-10-25T09:00", id="over the end of summer time"),
        pytest.param("resets 11pm (America/New_York)", "2026-10-28T12:00", "2026-10-29T04:00", id="two rules at odds"),
    ],
)
def test_b1_summer_time_is_kept(text: str, now: str, expected: str) -> None:
    moment = reset_at(text, datetime.fromisoformat(now).replace(tzinfo=BERLIN))
    assert moment is not None
    assert moment.astimezone(UTC) == datetime.fromisoformat(expected).replace(tzinfo=BERLIN).astimezone(UTC)


def test_b1_the_second_of_two_hours_is_taken_when_the_first_is_over() -> None:
    first_half_past_two = datetime(2026, 10, 25, 2, 45, tzinfo=BERLIN)
    moment = reset_at("resets 2:30am", first_half_past_two)
    assert moment is not None
    assert moment.astimezone(UTC) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_b1_a_time_without_a_zone_is_of_the_zone_of_now() -> None:
    now = NOW.astimezone(timezone(timedelta(hours=9)))  # 15:41 there
    assert reset_at("resets 4pm", now) == datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
    moment = reset_at("resets 9am (UTC)", now)
    assert moment is not None
    assert moment.utcoffset() == timedelta(hours=9)


def test_b1_the_end_of_the_year_is_no_edge() -> None:
    now = datetime(2026, 12, 30, 22, 0, tzinfo=UTC)
    assert reset_at("resets Jan 2, 9am", now) == datetime(2027, 1, 2, 9, 0, tzinfo=UTC)
    assert reset_at("resets on 01/01", now) == datetime(2027, 1, 1, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "hours"),
    [
        ("UTC", 0.0),
        ("utc", 0.0),
        ("PST", -8.0),
        ("IST", 5.5),
        ("GMT+2", 2.0),
        ("UTC-03:30", -3.5),
        ("+0530", 5.5),
        ("Asia/Tokyo", 9.0),
        ("Pacific  Time", -8.0),
        ("", None),
        ("attempt 1", None),
        ("America", None),
        ("../etc/passwd", None),
        ("Europe/" + "x" * 300, None),
        ("GMT+99", None),
        ("A\0/B", None),
    ],
)
def test_b1_zones_are_found_by_name(name: str, hours: float | None) -> None:
    zone = zones.find(name)
    offset = None if zone is None else zone.utcoffset(NOW.replace(tzinfo=None))
    assert offset == (None if hours is None else timedelta(hours=hours))


MOMENTS = st.integers(min_value=1, max_value=30 * 24 * 60).map(
    lambda minutes: NOW.replace(second=0) + timedelta(minutes=minutes)
)
OUR_ZONES = st.sampled_from([UTC, BERLIN, NEW_YORK, ZoneInfo("Asia/Kolkata"), timezone(timedelta(hours=-3))])


@given(MOMENTS, OUR_ZONES)
def test_b1_a_time_that_a_program_prints_is_read_back(moment: datetime, zone: ZoneInfo) -> None:
    now, local = NOW.astimezone(zone), moment.astimezone(zone)
    clock = f"{local:%I:%M%p}".lstrip("0")
    rendered = [
        f"resets {local:%b} {local.day}, {clock.lower()}",
        f"Try again at {local:%b} {local.day}th, {local:%Y} {clock[:-2]} {clock[-2:]}.",
        f"resets at {moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        f"limit reached|{int(moment.timestamp())}",
        f"retry in {(moment - NOW).total_seconds():.0f}s",
    ]
    assert [reset_at(text, now) for text in rendered] == [moment] * len(rendered)


@given(st.integers(min_value=0, max_value=24 * 60 - 1), OUR_ZONES)
def test_b1_a_time_of_day_is_the_next_one(minute: int, zone: ZoneInfo) -> None:
    now = NOW.astimezone(zone)
    found = reset_at(f"resets {minute // 60:02}:{minute % 60:02}", now)
    assert found is not None
    assert NOW <= found.astimezone(UTC) <= NOW + timedelta(days=1, minutes=1)


WORDS = st.lists(
    st.sampled_from(
        [
            "resets",
            "reset",
            "at",
            "in",
            "on",
            "until",
            "try",
            "again",
            "retry",
            "after",
            "wait",
            "Nov",
            "Feb",
            "23",
            "31st",
            "2026",
            "0000",
            "9pm",
            "13:61",
            "24:00",
            "12/31",
            "99/99",
            "(UTC)",
            "(America)",
            "+99:99",
            "GMT+7",
            "tomorrow",
            "Monday",
            "3600s",
            "1h",
            "99999999d",
            "a",
            "an",
            "and",
            ",",
            ".",
            "|",
            "|1795160626",
            "|99999999999999",
            "T",
            "Z",
            ":",
            "-",
            "2026-13-45T25:61:61Z",
            "9999-12-31T23:59:59+14:00",
            "0001-01-01",
            "midnight",
            "am",
            "pm",
        ]
    ),
    max_size=12,
).map(" ".join)


@given(WORDS | st.text(), st.sampled_from([NOW, NOW.astimezone(BERLIN), NOW.astimezone(NEW_YORK)]))
@example("reset at 9999-12-31T23:59:59-14:00", NOW)
@example("resets 0001-01-01", NOW)
def test_b1_no_text_breaks_it_and_a_reset_is_never_past(text: str, now: datetime) -> None:
    found = reset_at(text, now)
    if found is not None:
        assert found.tzinfo is not None
        assert NOW <= found.astimezone(UTC) <= NOW + FARTHEST


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_b1_no_number_breaks_it(seconds: float) -> None:
    found = from_epoch(seconds, NOW)
    assert found is None or NOW - LATE <= found <= NOW + FARTHEST
