"""An agent that prints without end: how fast the output is taken, and in how much memory."""

from __future__ import annotations

import fcntl
import os
import pty
import statistics
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psutil
from bench_ground import Ground, Project, Row, make_project, plan

MB = 1_000_000
LOOK_SECONDS = 0.02
LIMIT_SECONDS = 600
READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Peak:
    """The most memory that runner and keeper had, in MB: their proportional share, and resident."""

    pss: float
    rss: float


def flood(ground: Ground) -> Iterator[Row]:
    """Measure throughput, memory and the size of the log, from a pipe and from a terminal."""
    size = ground.size(1_000, 10) * MB
    for driver, goal, floor in (("pipe", 300.0, _pipe_floor), ("pty", 50.0, _pty_floor)):
        yield from _flood(ground, driver, size, goal, floor)


def _flood(ground: Ground, driver: str, size: int, goal: float, floor: Callable[[Ground, int], float]) -> Iterator[Row]:
    rounds = ground.size(3, 1)
    bare = statistics.median(floor(ground, size) for _ in range(rounds))
    stamps = ground.folder / f"flood-{driver}.stamps"
    agent = (*ground.stub, "flood", str(stamps), str(size))
    limits = f"overnight_mode: {{max_task_timeout: {LIMIT_SECONDS}}}\n"
    peaks, speeds = [], []
    for _ in range(rounds):
        project = make_project(ground, f"flood-{driver}", plan(1), agent, driver=driver, settings=limits)
        peaks.append(_watched(project))
        start, end = project.stamps()[0]
        speeds.append(size / MB / (end - start))
    peak = Peak(max(each.pss for each in peaks), max(each.rss for each in peaks))
    what = f"agent prints {size // MB:,} MB to a {driver}"
    yield Row(
        name="flood",
        what=what,
        unit="MB/s",
        measured=statistics.median(speeds),
        goal=goal,
        more=True,
        floor=bare,
        floor_is="a blocking os.read loop",
    )
    own = psutil.Process().memory_info().rss / MB
    bare_python = "resident, of this program"
    yield Row(name="flood", what=f"{what}: runner and keeper, PSS", unit="MB", measured=peak.pss, goal=60)
    yield Row(
        name="flood", what=f"{what}: the same, RSS", unit="MB", measured=peak.rss, floor=own, floor_is=bare_python
    )
    yield Row(name="flood", what=f"{what}: log on disk", unit="MB", measured=_log_size(project))


def _watched(project: Project) -> Peak:
    """Run the night of one task and return what memory runner and keeper had at most."""
    runner = project.start("ralph-overnight", "demo", "1", "--no-commit")
    watched = psutil.Process(runner.pid)
    keeper: psutil.Process | None = None
    pss = rss = 0.0
    while runner.poll() is None:
        keeper = keeper or _keeper(watched)
        shares = [_memory(process) for process in (watched, keeper) if process is not None]
        pss = max(pss, sum(share for share, _ in shares))
        rss = max(rss, sum(resident for _, resident in shares))
        time.sleep(LOOK_SECONDS)
    runner.communicate()
    return Peak(pss / MB, rss / MB)


def _keeper(runner: psutil.Process) -> psutil.Process | None:
    """Return the runner's keeper: its first child, which lives as long as it does."""
    try:
        return next((child for child in runner.children() if child.name() == "ralph-keeper"), None)
    except psutil.Error:
        return None


def _memory(process: psutil.Process) -> tuple[int, int]:
    """Return proportional and resident memory in bytes, zeros for a process that is gone."""
    try:
        full = process.memory_full_info()
    except psutil.Error:
        return 0, 0
    return getattr(full, "pss", full.uss), full.rss


def _log_size(project: Project) -> float:
    return max(path.stat().st_size for path in project.state.glob("runs/*/logs/*.log")) / MB


def _pipe_floor(ground: Ground, size: int) -> float:
    """Return the MB/s of a loop that reads a pipe and throws everything away."""
    agent = _agent(ground, size, subprocess.PIPE)
    if agent.stdout is None:
        raise AssertionError
    with agent.stdout as pipe:
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, READ_BYTES)  # as large as the runner asks for
        return _drained(pipe.fileno(), size, agent)


def _pty_floor(ground: Ground, size: int) -> float:
    """Return the MB/s of a loop that reads a terminal and throws everything away."""
    ours, theirs = pty.openpty()
    raw = termios.tcgetattr(theirs)
    raw[1] &= ~termios.OPOST
    termios.tcsetattr(theirs, termios.TCSANOW, raw)
    agent = _agent(ground, size, theirs)
    os.close(theirs)
    try:
        return _drained(ours, size, agent)
    finally:
        os.close(ours)


def _agent(ground: Ground, size: int, stdout: int) -> subprocess.Popen[bytes]:
    words = [*ground.stub, "flood", os.devnull, str(size)]
    return subprocess.Popen(words, cwd=ground.folder, stdout=stdout)


def _drained(descriptor: int, size: int, agent: subprocess.Popen[bytes]) -> float:
    began = time.perf_counter()
    while True:
        try:
            data = os.read(descriptor, READ_BYTES)
        except OSError:  # a terminal whose other side is closed
            break
        if not data:
            break
    taken = time.perf_counter() - began
    agent.wait()
    return size / MB / taken
