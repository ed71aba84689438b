"""The course of a drill: two at a time, within its time, everything closed; and how it is shown (B8)."""

from __future__ import annotations

import io
from collections.abc import Generator
from dataclasses import dataclass, field

import pytest
from rich.console import Console

from ralph_wiggum.app.drill import Performance, Rehearsal, drill
from ralph_wiggum.app.drill_view import PlainDrillView, TableDrillView
from ralph_wiggum.core.drill.report import Row
from ralph_wiggum.core.drill.verdict import Result, Verdict
from ralph_wiggum.core.errors import RalphError
from tests.fakes import HandClock

GOOD = Verdict(result=Result.SURVIVED, words="fine")


@dataclass
class Stage:
    """Notes what goes on at once, and what was closed before its end."""

    going: set[str] = field(default_factory=set)
    most: int = 0
    lanes: dict[str, int] = field(default_factory=dict)
    closed: list[str] = field(default_factory=list)

    def rehearsal(self, name: str, steps: int, outcome: Verdict | Exception = GOOD) -> Rehearsal:
        def perform(lane: int) -> Performance:
            self.going.add(name)
            self.lanes[name] = lane
            self.most = max(self.most, len(self.going))
            try:
                for _ in range(steps):
                    yield
            except GeneratorExit:
                self.closed.append(name)
                raise
            finally:
                self.going.discard(name)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        return Rehearsal(name=name, what=f"what of {name}", perform=perform)


def course(*rehearsals: Rehearsal, seconds: float = 100.0, interrupted: str = "") -> tuple[tuple[Row, ...], str]:
    stream = io.StringIO()
    rows = drill(
        rehearsals,
        PlainDrillView(stream),
        HandClock(step=1.0),
        lanes=2,
        seconds=seconds,
        interrupted=lambda: interrupted,
    )
    return rows, stream.getvalue()


def test_two_go_on_at_a_time_and_the_rows_come_in_the_order_of_the_list() -> None:
    stage = Stage()
    rows, shown = course(*(stage.rehearsal(name, steps) for name, steps in (("a", 9), ("b", 2), ("c", 2), ("d", 1))))
    assert [row.name for row in rows] == ["a", "b", "c", "d"]
    assert all(row.verdict == GOOD for row in rows)
    assert stage.most == 2
    assert set(stage.lanes.values()) == {0, 1}
    assert [text[0] for text in shown.splitlines()] == ["b", "c", "d", "a"], "each is shown when it is over"


def test_what_is_not_over_in_time_was_not_rehearsed_and_is_closed() -> None:
    stage = Stage()
    rows, shown = course(stage.rehearsal("quick", 1), stage.rehearsal("slow", 10_000), stage.rehearsal("slower", 10_000),
                         stage.rehearsal("never", 1), seconds=40.0)  # fmt: skip
    results = {row.name: row.verdict.result for row in rows}
    assert results == {
        "quick": Result.SURVIVED,
        "slow": Result.NOT_REHEARSED,
        "slower": Result.NOT_REHEARSED,
        "never": Result.NOT_REHEARSED,
    }
    assert sorted(stage.closed) == ["slow", "slower"]
    assert not stage.going
    assert rows[1].seconds > 0
    assert shown.count("not over when its 40 s were") == 3


def test_a_signal_ends_the_course_at_once_and_closes_what_goes_on() -> None:
    stage = Stage()
    rows, _ = course(stage.rehearsal("a", 5), interrupted="SIGINT")
    assert [row.verdict.words for row in rows] == ["the drill was stopped (SIGINT)"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        pytest.param(RalphError("git clone: no room", hint="free some"), "git clone: no room", id="what we know"),
        pytest.param(OSError(28, "No space left on device", "/x"), "/x: No space left on device", id="what the system says"),
    ],
)  # fmt: skip
def test_a_copy_that_cannot_be_made_is_a_row_and_the_others_go_on(error: Exception, words: str) -> None:
    stage = Stage()
    rows, _ = course(stage.rehearsal("broken", 1, error), stage.rehearsal("fine", 3))
    assert (rows[0].verdict.result, rows[0].verdict.words) == (Result.NOT_REHEARSED, words)
    assert rows[1].verdict == GOOD


def test_a_bug_of_ours_closes_the_others_and_is_raised() -> None:
    stage = Stage()
    with pytest.raises(ZeroDivisionError):
        course(stage.rehearsal("other", 100), stage.rehearsal("bug", 1, ZeroDivisionError()))
    assert stage.closed == ["other"]


def test_a_screen_that_went_away_ends_nothing() -> None:
    class Gone(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    stage = Stage()
    view = PlainDrillView(Gone())
    rows = drill([stage.rehearsal("a", 1), stage.rehearsal("b", 1)], view, HandClock(step=1.0), lanes=1, seconds=100)
    assert all(row.verdict == GOOD for row in rows)


def test_the_table_shows_what_is_over_what_goes_on_and_what_is_to_come() -> None:
    def nothing(_lane: int) -> Generator[None, None, Verdict]:
        yield
        return GOOD

    names = ("over", "on", "later")
    rehearsals = [Rehearsal(name=name, what=f"what of {name}", perform=nothing) for name in names]
    clock = HandClock()
    stream = io.StringIO()
    view = TableDrillView(stream, clock)
    view.begin(rehearsals)
    view.started(rehearsals[0])
    view.started(rehearsals[1])
    failed = Verdict(result=Result.FAILED, words="an \x1b[31morphan")
    view.finished(Row(name="over", what="what of over", verdict=failed, seconds=3.0))
    view.close()
    console = Console(file=io.StringIO(), width=100, color_system=None)
    console.print(view.table())
    head, *lines = [" ".join(text.split()) for text in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]
    assert head == "rehearsed result seconds in words"
    assert lines[0] == "over NOT SURVIVED 3.0 what of over: an orphan"
    assert lines[1].startswith("on … 0 what of on")
    assert lines[2] == "later what of later"
    assert "\x1b[31m" not in stream.getvalue()
