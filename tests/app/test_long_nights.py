"""Nights of eight hours, with all that a night brings, in a fraction of a second (B1, B2, O12)."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest

from ralph_wiggum.core.errors import Exit
from ralph_wiggum.core.journal import Ended, Skipped, Waiting
from tests.app.simulation import Faults, SimulatedNight
from tests.fakes import EVENING, HandClock

HOUR = 60.0


@pytest.mark.parametrize("seed", range(12))
def test_a_night_of_faults_ends_with_every_possible_task_done(tmp_path: Path, seed: int) -> None:
    night = SimulatedNight(seed, tmp_path)
    outcome = night.run()
    assert outcome.code is Exit.SOME_SKIPPED
    skipped = {task.key for task in night.night.spec.plan().tasks if task.mark == "S"}
    assert skipped == night.faults.impossible
    assert night.night.marks.count("x") == 38
    assert len({subject for subject, _, _ in night.night.repo.commits}) == 38
    for key in skipped:  # ten identical failures, thirty in all or 90 minutes
        tried = [e for e in night.attempts if e.key == key and e.result == "failed"]
        assert len(tried) <= 30
        assert len(tried) >= 10 or sum(ended.seconds for ended in tried) >= 5400
    assert night.hours < 12


def test_the_yield_of_such_nights_is_at_least_95_percent_of_the_possible(tmp_path: Path) -> None:
    """Of an agent that never fails, and does all tasks that can be done."""
    for seed in range(5):
        night = SimulatedNight(seed, tmp_path)
        night.run()
        assert night.yielded >= 0.95


def test_two_limits_three_outages_and_a_clock_jump_cost_no_attempt_and_no_task(tmp_path: Path) -> None:
    """Eight hours: what is waited for counts nothing, and its time of return is shown."""
    jumped: list[int] = []

    def jump(clock: HandClock, number: int) -> None:
        if number == 20 and not jumped:
            jumped.append(number)
            clock.set_forward(1800)  # a time server, or a laptop that slept

    faults = Faults(
        hangs=0,
        crashes=0,
        lies=0,
        transient=0,
        impossible=frozenset(),
        minutes=6.0,
        limits=((HOUR, 2 * HOUR), (4 * HOUR, 5.5 * HOUR)),
        outages=((0.3 * HOUR, 0.5 * HOUR), (3 * HOUR, 3.2 * HOUR), (6 * HOUR, 6.1 * HOUR)),
    )
    night = SimulatedNight(7, tmp_path, faults, on_attempt=jump)
    began = time.perf_counter()
    outcome = night.run()
    took = time.perf_counter() - began
    assert outcome.code is Exit.DONE
    assert night.night.marks == "x" * 40
    assert 7 < night.hours < 9
    assert jumped
    served = [ended for ended in night.attempts if not ended.cause]
    assert len(served) == 40, [ended for ended in served if ended.result != "passed"]
    assert {ended.attempt for ended in night.attempts} == {1}
    assert night.night.ledger.history.iterations == 40
    assert night.counts["limit"] == 2, "one attempt a window finds it out, none after it"
    waits = [entry for entry in night.night.journal.entries if isinstance(entry, Waiting)]
    resets = {(EVENING + timedelta(hours=hours, minutes=1)).isoformat(timespec="seconds") for hours in (2, 5.5)}
    assert resets <= {entry.until for entry in waits}, "a minute more than the reported reset"
    assert took < 3, "in a fraction of a second on a machine that does nothing else"


def test_a_night_with_an_end_is_over_in_time_with_everything_written(tmp_path: Path) -> None:
    """--until: the last task is not begun when it cannot finish."""
    until = EVENING + timedelta(hours=2)
    night = SimulatedNight(3, tmp_path, Faults(hangs=0, limits=(), minutes=4.0), until=until)
    outcome = night.run()
    assert outcome.code is Exit.OPEN_TASKS
    assert "--until" in outcome.reason
    assert not any(isinstance(entry, Skipped) for entry in night.night.journal.entries[-1:])
    open_attempts = [key for key, record in night.night.ledger.history.tasks.items() if record.open]
    assert not open_attempts
    begun = [entry for entry in night.night.journal.entries if isinstance(entry, Ended)]
    assert begun
    assert night.clock.now() - until < timedelta(minutes=20)


def test_a_limit_that_outlasts_until_ends_the_run_at_once(tmp_path: Path) -> None:
    """Nobody waits for what comes too late."""
    until = EVENING + timedelta(hours=3)
    faults = Faults(hangs=0, crashes=0, lies=0, transient=0, limits=((60.0, 400.0),))
    night = SimulatedNight(1, tmp_path, faults, until=until)
    outcome = night.run()
    assert outcome.code is Exit.OPEN_TASKS
    assert "past --until" in outcome.reason
    assert night.hours < 1.5
