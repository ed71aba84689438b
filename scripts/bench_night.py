"""What a night of faults leaves of an agent's work: nights in memory from seeds, the same that the tests run."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench_ground import Ground, Row

CHECKOUT = Path(__file__).resolve().parents[1]
GOAL_PERCENT = 95.0


def night(ground: Ground) -> Iterator[Row]:
    """Simulate nights of forty tasks: hangs, crashes, lies, an overloaded provider, a limit, two impossible tasks."""
    sys.path.insert(0, str(CHECKOUT))  # the simulation is the tests' own
    from tests.app.simulation import SimulatedNight  # noqa: PLC0415 - only where it is measured

    yields, shares, hours, seconds = [], [], [], []
    lost = 0
    for seed in range(ground.size(40, 3)):
        one = SimulatedNight(seed, ground.folder)
        began = time.perf_counter()
        one.run()
        seconds.append(time.perf_counter() - began)
        yields.append(100 * one.yielded)
        shares.append(100 * one.efficiency)
        hours.append(one.hours)
        lost += len(one.lost)
    what = f"night of 40 tasks with faults, {len(yields)} seeds"
    yield Row(
        name="night",
        what=f"{what}: agent work that counted",
        unit="%",
        measured=min(yields),
        goal=GOAL_PERCENT,
        more=True,
        floor=100.0,
        floor_is="an agent that never fails, with every task that can be done; the worst seed",
    )
    yield Row(name="night", what=f"{what}: possible tasks not done", unit="tasks", measured=lost, goal=0)
    yield Row(
        name="night",
        what=f"{what}: share of the time that is work that counted",
        unit="%",
        measured=median(shares),
        floor=100.0,
        floor_is="no fault, no impossible task; waits for limits taken out",
    )
    yield Row(name="night", what=f"{what}: length", unit="h", measured=median(hours))
    yield Row(name="night", what="simulation of one such night", unit="ms", measured=1000 * median(seconds))
