"""The end of agents: of a family that will not go, of one that holds its output open, after the runner's own death."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
from bench_ground import Ground, Project, Row, make_project, plan

FAMILY = Path(__file__).with_name("bench_family.py")
TIMEOUT = 1  # of the task, seconds
PATIENCE = 30.0
STEP = 0.005


def stop(ground: Ground) -> Iterator[Row]:
    """Measure how long a family lives after its time is over or its runner was killed, and how an end is noticed."""
    rounds = ground.size(3, 1)
    stopped = statistics.median(_timed_out(ground) for _ in range(rounds))
    orphaned = statistics.median(_orphaned(ground) for _ in range(rounds))
    held, free = _gap(ground, "hold"), _gap(ground, "work")
    family = "setsid, double fork, TERM ignored, output held open"
    yield Row(name="stop", what=f"timeout to nothing alive: {family}", unit="s", measured=stopped, goal=5)
    yield Row(
        name="stop", what="kill -9 of the runner to nothing alive: the same family", unit="s", measured=orphaned, goal=5
    )
    yield Row(
        name="stop",
        what="gap after an agent that left a child which holds its output open",
        unit="ms",
        measured=held,
        goal=round(free + 50, 1),
        floor=free,
        floor_is="nobody holds it (goal: 50 ms more)",
    )


def _timed_out(ground: Ground) -> float:
    """Return the seconds from the end of the task's time until nothing of the family is alive."""
    project, pids = _family(ground)
    runner = project.start("ralph-overnight", "demo", "1", "--no-commit")
    members, began = _wait_for_members(pids, runner)
    _wait_until_gone(members)
    gone = time.monotonic()
    runner.communicate(timeout=PATIENCE)
    return gone - began - TIMEOUT


def _orphaned(ground: Ground) -> float:
    """Return the seconds from SIGKILL of the runner until nothing of the family is alive."""
    project, pids = _family(ground, seconds=100)
    runner = project.start("ralph-overnight", "demo", "1", "--no-commit")
    members, _ = _wait_for_members(pids, runner)
    began = time.monotonic()
    os.kill(runner.pid, signal.SIGKILL)
    runner.wait()
    _wait_until_gone(members)
    return time.monotonic() - began


def _family(ground: Ground, seconds: int = TIMEOUT) -> tuple[Project, Path]:
    pids = ground.folder / "family.pids"
    pids.unlink(missing_ok=True)
    limits = f"overnight_mode: {{max_task_timeout: {seconds}}}\n"
    agent = (sys.executable, "-I", "-S", str(FAMILY), str(pids))
    return make_project(ground, "family", plan(1), agent, settings=limits), pids


def _wait_for_members(pids: Path, runner: subprocess.Popen[str]) -> tuple[set[int], float]:
    """Wait until the whole family has told its pids; return them and when the agent began, monotonic seconds."""

    def told() -> bool:
        if runner.poll() is not None:
            raise RuntimeError("the runner ended before its agent")
        return pids.exists() and "ready" in pids.read_text().rpartition("\n")[0]

    _wait(told)
    *members, _, began = pids.read_text().split()
    return set(map(int, members)), float(began)


def _wait_until_gone(members: set[int]) -> None:
    _wait(lambda: not any(_alive(pid) for pid in members))


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _wait(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"waited {PATIENCE:.0f} s in vain")
        time.sleep(STEP)


def _gap(ground: Ground, mode: str) -> float:
    """Return the median milliseconds from the end of an agent to the start of the next."""
    tasks = ground.size(30, 4)
    project = make_project(ground, mode, plan(tasks), (*ground.stub, mode, str(ground.folder / f"{mode}.stamps")))
    project.overnight(tasks + 1, "--no-commit")
    return statistics.median(project.gaps())
