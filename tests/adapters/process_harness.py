"""What the tests of processes share: a watcher that notes, a pipe that is read, ways to know that a process is gone."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from ralph_wiggum.adapters.keeper import Keeper
from ralph_wiggum.adapters.process import Ended, Family, Start
from ralph_wiggum.adapters.process_table import MARK, system_table
from ralph_wiggum.ports import Limits

PROGRAMS = Path(__file__).parent / "programs"
NAUGHTY = PROGRAMS / "naughty.py"
CHECKOUT = Path(__file__).resolve().parents[2]


def naughty(mode: str, pids: Path | None = None) -> tuple[str, ...]:
    return (sys.executable, "-S", str(NAUGHTY), mode, *([str(pids)] if pids else []))


@dataclass
class Notes:
    """A watcher that asks for the end once `stop` says so, and keeps when it was ticked."""

    stop: Callable[[], str | None] = lambda: None
    on_tick: Callable[[], None] = lambda: None
    ticks: list[float] = field(default_factory=list)

    def output(self, text: str) -> None:
        raise AssertionError("the loop leaves output to the sources")

    def tick(self) -> None:
        self.ticks.append(time.monotonic())
        self.on_tick()

    def stop_reason(self) -> str | None:
        return self.stop()


class Pipe:
    """A source that keeps the end of what was read from a pipe."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        self.total = 0
        self.tail = b""
        self.quiet_for = 0.0
        self.give_up_after = float("inf")
        self.closed = False

    def fileno(self) -> int:
        return self.reader

    def read(self) -> int:
        data = os.read(self.reader, 1 << 20)
        self.total += len(data)
        self.tail = (self.tail + data)[-2000:]
        return len(data)

    def quiet(self, seconds: float) -> bool:
        self.quiet_for = max(self.quiet_for, seconds)
        return seconds > self.give_up_after

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            os.close(self.reader)

    @property
    def text(self) -> str:
        return self.tail.decode()


@dataclass
class Lab:
    """A family to run programs in, and what there is to know of the last one."""

    family: Family
    folder: Path
    mark: str
    pipe: Pipe = field(default_factory=Pipe)
    notes: Notes = field(default_factory=Notes)
    took: float = 0.0

    @property
    def keeper(self) -> Keeper:
        return self.family.keeper

    def run(
        self,
        *argv: str,
        limits: Limits | None = None,
        notes: Notes | None = None,
        env: Mapping[str, str] | None = None,
        watch_commands: bool = True,
        files_token: Callable[[], str] | None = None,
        cwd: Path | None = None,
        lasting: bool = False,
    ) -> Ended:
        self.pipe, self.notes = self.pipe if not self.pipe.closed else Pipe(), notes or Notes()
        began = time.monotonic()
        ended = self.family.run(
            Start(
                argv=argv,
                cwd=cwd or self.folder,
                env={**os.environ, MARK: self.mark, **(env or {})},
                stdin=os.open(os.devnull, os.O_RDONLY),
                stdout=self.pipe.writer,
                stderr=self.pipe.writer,
            ),
            [self.pipe],
            limits or Limits(),
            self.notes,
            watch_commands=watch_commands,
            files_token=files_token,
            lasting=lasting,
        )
        self.took = time.monotonic() - began
        return ended

    def alive(self) -> Sequence[int]:
        return marked(self.mark)


def marked(mark: str) -> list[int]:
    """Return the pids of living processes that carry a mark."""
    return sorted(system_table().marked({mark}))


def is_alive(pid: int) -> bool:
    seen = system_table().look(pid)
    return seen is not None and not seen.zombie


def noted(pids: Path) -> list[int]:
    return [int(line) for line in pids.read_text().split()] if pids.exists() else []


def wait_until(condition: Callable[[], object], seconds: float = 10.0) -> float:
    """Wait until something holds; return how long it took, or fail."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"did not come true within {seconds} s"
        time.sleep(0.005)
    return time.monotonic() - began


@contextmanager
def no_survivors(mark: str) -> Iterator[None]:
    """End what a failed test left, so that it does not disturb the next."""
    try:
        yield
    finally:
        for pid in marked(mark):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
