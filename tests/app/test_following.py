"""A run of another process, shown from its journal as it shows itself."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from rich.console import Console

from ralph_wiggum.app.following import LAST_EVENTS, EntryTime, Follower
from ralph_wiggum.app.live_view import LiveView
from ralph_wiggum.app.order import Order
from ralph_wiggum.app.view import PlainView
from ralph_wiggum.core.journal import (
    Baseline,
    CheckpointBlocked,
    Ended,
    Entry,
    GateSeen,
    Held,
    Noted,
    RunEnded,
    RunStarted,
    Skipped,
    Started,
    StopAsked,
    Ticked,
    Waiting,
    WentOn,
)
from ralph_wiggum.core.model import Plan
from ralph_wiggum.core.parse import parse
from tests.fakes import EVENING, HandClock

ORDER = Order(spec="demo", run_id="r2", agent="", root=Path(), runs=Path(), skipped=Path())
BEGAN = RunStarted(at="2026-11-20T22:00:00+00:00", run="r2", agent="claude", pid=77, max_iterations=50)
GREEN = GateSeen(name="pytest", status="passed", counts="12 passed", seconds=4)
STARTED = Started(
    at="2026-11-20T22:01:00+00:00", run="r2", key="1", id="1", name="One", iteration=1, agent="claude", timeout=600
)
PASSED = Ended(at="2026-11-20T22:03:00+00:00", run="r2", key="1", result="passed", gates=(GREEN,))
TICKED = Ticked(at="2026-11-20T22:03:00+00:00", run="r2", key="1", id="1", name="One", verified=True, gates=(GREEN,))
END = RunEnded(at="2026-11-20T22:09:00+00:00", run="r2", code=4, state="stopped", reason="stopped by SIGTERM")


class Looker:
    """Somebody who looks at a run on a pipe."""

    def __init__(self, tasks: str = "- [ ] 1. One\n- [ ] 2. Two\n") -> None:
        self.stream = io.StringIO()
        self.clock = HandClock(EVENING + timedelta(minutes=10))
        self.tasks = tasks
        self.asked_for: list[str] = []
        time = EntryTime(self.clock)
        self.follower = Follower(PlainView(self.stream, time), time, ORDER, self._plan)

    def _plan(self, current: str) -> Plan:
        self.asked_for.append(current)
        return parse(self.tasks)

    def lines(self) -> list[str]:
        said = self.stream.getvalue().splitlines()
        self.stream.seek(0)
        self.stream.truncate()
        return said


def test_events_are_told_as_the_run_tells_them_at_the_time_when_they_happened() -> None:
    looker = Looker()
    looker.follower.begin([BEGAN])
    assert looker.lines() == [
        "22:10 0/2 tasks complete",
        "22:00 the run began, with claude (pid 77)",
        "22:10 the run is preparing: set-up commands, servers, the baseline of the checks",
    ]
    looker.follower.take([Baseline(run="r2"), STARTED])
    assert looker.lines() == ["22:01 1 One: attempt 1, claude, run 1/50"]
    looker.tasks = "- [x] 1. One\n- [ ] 2. Two\n"
    looker.follower.take([PASSED, TICKED])
    assert looker.lines() == [
        "22:03   check pytest: passed (12 passed) in 4.0 s",
        "22:03 1 One: complete",
        "22:10 1/2 tasks complete",
    ]
    looker.follower.take([])
    assert looker.lines() == []


def test_the_checks_of_what_passed_without_an_agent_are_told_once() -> None:
    looker = Looker()
    looker.follower.begin([BEGAN, STARTED, PASSED])
    looker.lines()
    looker.follower.take([PASSED._replace(how="checkpoint"), TICKED._replace(how="checkpoint")])
    assert [line[6:] for line in looker.lines()] == [
        "  check pytest: passed (12 passed) in 4.0 s",
        "1 One: complete",
    ]


def test_what_else_a_journal_holds_is_told_in_words() -> None:
    looker = Looker()
    looker.follower.begin([BEGAN, STARTED])
    looker.lines()
    failed = Ended(run="r2", key="1", id="1", name="One", result="failed", reason="no\x1b[2J signal", seconds=61)
    looker.follower.take(
        [
            failed,
            CheckpointBlocked(run="r2", key="2", name="Two", reason="ruff: 1 error"),
            Skipped(run="r2", key="2", id="2", name="Two", reason="10 identical failures"),
            Noted(run="r2", text="a server died\nand is up again"),
            Held(run="r2", agent="claude", cause="usage limit", until="2026-11-21T03:30:00+00:00"),
            Waiting(run="r2", reason="usage limit", until="2026-11-21T03:31:00+00:00"),
            StopAsked(target="r2"),
            WentOn(run="r2"),
            Held(run="r2", agent="claude"),
            Ticked(run="r2", key="9", id="9", name="Gone from the plan", how="checkpoint", gates=(GREEN,)),
        ]
    )
    assert [line[6:] for line in looker.lines()] == [
        "1 One: failed after 61 s: no signal",
        "CHECKPOINT BLOCKED: Two: ruff: 1 error",
        "2 Two: SKIPPED: 10 identical failures",
        "a server died",
        "and is up again",
        "left alone: claude until 03:30: usage limit",
        "waiting until 03:31: usage limit",
        "asked to stop: stopping after the attempt at hand",
        "the wait is over",
        "claude is asked again",
        "  check pytest: passed (12 passed) in 4.0 s",
        "9 Gone from the plan: complete (unverified)",
    ]


def test_it_begins_with_the_last_events_and_what_goes_on() -> None:
    looker = Looker()
    notes = [Noted(at="2026-11-20T22:00:30+00:00", run="r2", text=f"note {number}") for number in range(20)]
    looker.follower.begin([BEGAN, *notes, STARTED])
    assert looker.lines() == [
        "22:10 0/2 tasks complete",
        *(f"22:00 note {number}" for number in range(20 - LAST_EVENTS, 20)),
        "22:01 1 One: attempt 1, claude, run 1/50",
    ]
    assert looker.asked_for[-1] == "1", "the plan as it is while the agent works on that task"


def test_it_begins_with_the_wait_that_goes_on() -> None:
    looker = Looker()
    wait = Waiting(at="2026-11-20T22:05:00+00:00", run="r2", reason="offline", until="2026-11-20T23:00:00+00:00")
    looker.follower.begin([BEGAN, STARTED, PASSED, wait])
    assert looker.lines()[-1] == "22:05 waiting until 23:00: offline"


def test_events_of_an_earlier_run_are_not_shown_and_its_end_is_not_the_end() -> None:
    looker = Looker()
    earlier: Sequence[Entry] = [
        RunStarted(run="r1"),
        STARTED._replace(run="r1"),
        Noted(run="r1", text="old"),
        END._replace(run="r1"),
    ]
    looker.follower.begin(earlier)
    ends = [looker.follower.end]
    assert looker.follower.current is None
    assert "old" not in "\n".join(looker.lines())
    looker.follower.take([BEGAN, END])
    ends.append(looker.follower.end)
    assert ends == [None, END]
    assert looker.follower.last_words(END) == ("The run ended: stopped by SIGTERM.", "0/2 tasks complete.")
    assert looker.follower.last_words(None)[0] == "The run ended: it was killed, and wrote no end."


def test_a_run_that_was_killed_in_an_attempt_is_not_at_work_on_it() -> None:
    """The next run has taken the lock and has not written its beginning yet."""
    looker = Looker()
    looker.follower.begin([RunStarted(run="r1"), STARTED._replace(run="r1")])
    assert looker.follower.current is None
    assert "attempt 1" not in "\n".join(looker.lines())


def test_a_journal_that_turned_out_to_be_another_one_is_begun_anew() -> None:
    looker = Looker()
    looker.follower.begin([BEGAN, STARTED])
    looker.follower.forget()
    looker.follower.take([BEGAN, STARTED])
    assert looker.follower.history.iterations == 1


def test_on_a_terminal_an_attempt_that_began_before_has_lasted_since_then() -> None:
    clock = HandClock(EVENING + timedelta(minutes=4, seconds=20))
    time = EntryTime(clock)
    stream = io.StringIO()
    view = LiveView(Console(file=stream, force_terminal=True, width=70, color_system=None), time, spec="demo")
    follower = Follower(view, time, ORDER, lambda _: parse("- [-] 1. One\n- [ ] 2. Two\n"))
    held = Held(run="r2", agent="codex", cause="rate limit", until="2026-11-20T22:30:00+00:00")
    follower.begin([BEGAN, held, STARTED, StopAsked(target="r2")])
    clock.push(1)
    view.refresh()
    view.close()
    shown = stream.getvalue()
    assert "attempt 1, claude, run 1/50, 3:21 of 10:00" in shown
    assert "next: 2 Two" in shown
    assert "left alone: codex until 22:30: rate limit" in shown
    assert "stopping after the attempt at hand" in shown
