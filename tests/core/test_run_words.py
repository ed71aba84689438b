"""What a run waits for, whom it leaves alone, whether it stops: in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from ralph_wiggum.core.history import History
from ralph_wiggum.core.journal import Entry, Held, RunEnded, RunStarted, StopAsked, Waiting, WentOn
from ralph_wiggum.core.run_words import clock_words, held_words, is_held, moment, standing, wait_ends

NOW = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "words"),
    [
        pytest.param(datetime(2026, 11, 21, 3, 30, tzinfo=UTC), "03:30", id="tonight"),
        pytest.param(datetime(2026, 11, 20, 21, 0, tzinfo=UTC), "21:00", id="an hour ago"),
        pytest.param(datetime(2026, 11, 21, 4, 30, tzinfo=timezone(timedelta(hours=1))), "03:30", id="of another zone"),
        pytest.param(datetime(2026, 11, 22, 9, 0, tzinfo=UTC), "Sun 09:00", id="the day after tomorrow"),
        pytest.param(datetime(2026, 11, 27, 9, 0, tzinfo=UTC), "2026-11-27 09:00", id="in a week"),
    ],
)
def test_a_time_of_day_says_the_day_where_that_is_not_plain(at: datetime, words: str) -> None:
    assert clock_words(at, NOW) == words


LIMIT = Held(agent="claude", cause="usage limit", reason="5-hour limit reached", until="2026-11-21T03:30:00+00:00")


@pytest.mark.parametrize(
    ("held", "words"),
    [
        pytest.param(LIMIT, ("claude until 03:30: usage limit (5-hour limit reached)",), id="with the provider's words"),
        pytest.param(LIMIT._replace(reason=""), ("claude until 03:30: usage limit",), id="without"),
        pytest.param(LIMIT._replace(reason="usage limit"), ("claude until 03:30: usage limit",), id="the same words"),
        pytest.param(LIMIT._replace(agent="a\x1b[2Jb\nc"), ("ab c until 03:30: usage limit (5-hour limit reached)",), id="odd"),
        pytest.param(LIMIT._replace(until="2026-11-20T21:59:59+00:00"), (), id="its time has come"),
        pytest.param(LIMIT._replace(until=""), (), id="lifted"),
        pytest.param(LIMIT._replace(until="soon"), (), id="no time"),
        pytest.param(LIMIT._replace(until="2026-11-21T03:30:00"), (), id="a time of no zone"),
    ],
)  # fmt: skip
def test_agents_that_are_left_alone(held: Held, words: tuple[str, ...]) -> None:
    assert held_words(History([held]), NOW) == words
    assert is_held(held, NOW) == bool(words)


WAIT = Waiting(at="2026-11-20T22:00:00+00:00", reason="offline", seconds=300, until="2026-11-20T22:05:00+00:00")
RUN = RunStarted(run="r1")


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        pytest.param((RUN,), (), id="all is well"),
        pytest.param((RUN, WAIT), (("Waiting", "until 22:05: offline"),), id="a wait"),
        pytest.param((RUN, WAIT, WentOn()), (), id="a wait that is over"),
        pytest.param((RUN, WAIT._replace(until="")), (("Waiting", "offline"),), id="a wait of unknown length"),
        pytest.param((RUN, StopAsked(target="r1")), (("Stopping", "after the attempt at hand"),), id="ralph stop"),
        pytest.param((RUN, StopAsked(target="r1", now=True)), (("Stopping", "now"),), id="ralph stop --now"),
        pytest.param(
            (RUN, StopAsked(target="r1", now=True), StopAsked(target="r1")), (("Stopping", "now"),), id="not taken back"
        ),
        pytest.param((RUN, StopAsked(target="r0")), (), id="a wish for a run before"),
        pytest.param(
            (LIMIT, RUN, WAIT),
            (("Waiting", "until 22:05: offline"), ("Left alone", "claude until 03:30: usage limit (5-hour limit reached)")),
            id="agents are left alone across runs",
        ),
    ],
)  # fmt: skip
def test_how_a_run_stands(entries: tuple[Entry, ...], words: tuple[tuple[str, str], ...]) -> None:
    assert standing(History(entries), NOW) == words


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        pytest.param((), (), id="none ever was"),
        pytest.param(
            (RUN, RunEnded(at="2026-11-20T21:30:00+00:00", reason="stopped by\x1b[2J `ralph stop`")),
            (("Last run", "ended 21:30: stopped by `ralph stop`"),),
            id="it ended",
        ),
        pytest.param((RUN, RunEnded(reason="x")), (("Last run", "ended: x"),), id="a line that somebody edited"),
        pytest.param((RUN, WAIT), (("Last run", "was killed; the next start goes on from there"),), id="it was killed"),
        pytest.param(
            (LIMIT, RUN, RunEnded(at="2026-11-18T07:00:00+00:00", reason="x")),
            (
                ("Last run", "ended Wed 07:00: x"),
                ("Left alone", "claude until 03:30: usage limit (5-hour limit reached)"),
            ),
            id="days ago, and an agent that the next one leaves alone",
        ),
    ],
)
def test_where_none_is_on_how_the_last_one_ended(
    entries: tuple[Entry, ...], words: tuple[tuple[str, str], ...]
) -> None:
    assert standing(History(entries), NOW, running=False) == words


def test_the_end_of_a_wait_is_known_as_far_as_its_entry_tells() -> None:
    otherwise = NOW + timedelta(hours=9)
    assert wait_ends(WAIT, otherwise) == NOW + timedelta(minutes=5)
    assert wait_ends(WAIT._replace(until="", seconds=600), otherwise) == NOW + timedelta(minutes=10)
    assert wait_ends(Waiting(), otherwise) == otherwise


@pytest.mark.parametrize("text", ["", "soon", "2026-11-21", "2026-11-21T03:30:00", "\0"])
def test_what_names_no_moment_is_none(text: str) -> None:
    assert moment(text) is None
