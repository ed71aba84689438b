"""What a process does to the world, counted; one of these effects, or several in a row, goes wrong."""

from __future__ import annotations

import errno
import mmap
import os
import signal
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

_NUMBERS = struct.Struct("=II")
_NAME_BYTES = 400


class Kind(Enum):
    """What an effect is; the value is the word for it."""

    CREATE = "create"  # or cut to nothing
    OPEN = "open"  # for writing
    WRITE = "write"
    PIPE = "write to"  # a program's standard input
    PRINT = "print"
    SYNC = "sync"
    NAME = "name"  # rename, link, symlink, mkdir
    UNNAME = "remove"  # unlink, rmdir
    META = "meta"  # chmod, utime, truncate
    LOCK = "lock"
    FORK = "fork"
    GIT = "run"
    RUNNING = "while it runs:"  # git was started and is at it
    TELL = "tell"  # the keeper


class Act(Enum):
    """What the caller is to do with an effect that was let through."""

    WHOLE = 1
    HALF = 2  # do half of it and say so, as a disk does that is nearly full
    LATE = 3  # do it, and then say that it failed


_DISK = {Kind.CREATE, Kind.WRITE, Kind.SYNC, Kind.NAME, Kind.GIT, Kind.PRINT}
STRIKES: Mapping[str, frozenset[Kind]] = {
    "kill": frozenset(Kind) - {Kind.OPEN, Kind.LOCK},  # these change nothing
    "torn": frozenset({Kind.WRITE, Kind.PIPE, Kind.PRINT}),
    "ENOSPC": frozenset(_DISK),
    "EIO": frozenset(_DISK | {Kind.OPEN, Kind.UNNAME, Kind.META, Kind.LOCK, Kind.FORK, Kind.TELL}),
    "EACCES": frozenset({Kind.CREATE, Kind.OPEN, Kind.NAME, Kind.UNNAME, Kind.META, Kind.GIT}),
    "late": frozenset({Kind.GIT}),  # git does its work, and says that it failed
}
DEADLY = ("kill", "torn")


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong: the `at`-th effect (from 1; 0: none) that `kind` can strike, and those after it, `row` in all.

    With `like` only effects whose name holds that text are counted, up to the first that goes wrong.
    """

    kind: str = "kill"
    at: int = 0
    row: int = 1
    like: str = ""

    @property
    def deadly(self) -> bool:
        """Say whether the runner dies of it."""
        return self.at > 0 and self.kind in DEADLY


@dataclass(frozen=True, slots=True)
class Share:
    """The nights of one of several processes.

    `faults` as they are; else `fault` at so many effects that are spread over the night (`sample`), else at each
    `step`-th effect from `first` on until there is none.
    """

    faults: Sequence[Mapping[str, Any]] = ()
    fault: Mapping[str, Any] = field(default_factory=dict)
    sample: int = 0
    first: int = 1
    step: int = 1
    job: int = 0
    jobs: int = 1


class Page:
    """Memory that a runner shares with whoever started it: how many effects were seen, and which one went wrong."""

    def __init__(self) -> None:
        self._map = mmap.mmap(-1, _NUMBERS.size + _NAME_BYTES)

    def clear(self) -> None:
        self.seen, self.struck = 0, ""

    @property
    def seen(self) -> int:
        return int(_NUMBERS.unpack_from(self._map)[0])

    @seen.setter
    def seen(self, count: int) -> None:
        _NUMBERS.pack_into(self._map, 0, count, len(self.struck.encode("utf-8", "surrogateescape")))

    @property
    def struck(self) -> str:
        length = _NUMBERS.unpack_from(self._map)[1]
        return self._map[_NUMBERS.size : _NUMBERS.size + length].decode("utf-8", "replace")

    @struck.setter
    def struck(self, name: str) -> None:
        data = name.encode("utf-8", "replace")[:_NAME_BYTES]
        self._map[_NUMBERS.size : _NUMBERS.size + len(data)] = data
        _NUMBERS.pack_into(self._map, 0, self.seen, len(data))


class Meter:
    """Counts the effects of one process, from `arm` on, and has the fault happen; forks of it are left alone."""

    def __init__(self) -> None:
        self.page = Page()
        self._pid = 0
        self._fault = Fault()
        self._left = 0  # effects that will still go wrong
        self._short = -1  # the descriptor that the disk took only a half of a write from

    def arm(self, fault: Fault) -> None:
        """Count from now on, in this process."""
        self._pid, self._fault, self._left, self._short = os.getpid(), fault, fault.row, -1

    def disarm(self) -> None:
        self._pid = 0

    def meet(self, kind: Kind, name: Callable[[], str], *, size: int = 0, fd: int = -1) -> Act:
        """Count an effect that is about to be done; OSError if it fails. The process may not survive it.

        `size` bytes are to be written to `fd`.
        """
        if self._pid != os.getpid():
            return Act.WHOLE
        fault = self._fault
        if fd >= 0 and fd == self._short:
            self._short = -1
            raise _error(fault.kind)
        if kind not in STRIKES[fault.kind] or (fault.kind == "torn" and size < 2):
            return Act.WHOLE
        if self._left == fault.row:  # it has not struck yet
            said = f"{kind.value} {name()}" if fault.like else ""
            if fault.like not in said:
                return Act.WHOLE
            self.page.seen += 1
            if self.page.seen != fault.at:
                return Act.WHOLE
            self.page.struck = said or f"{kind.value} {name()}"
        if not self._left:
            return Act.WHOLE
        self._left -= 1
        return self._strike(fault, kind, size, fd)

    def _strike(self, fault: Fault, kind: Kind, size: int, fd: int) -> Act:
        match fault.kind:
            case "kill":
                die()
            case "torn":
                return Act.HALF
            case "late":
                return Act.LATE
            case "ENOSPC" if kind is Kind.WRITE and size > 1:
                self._short = fd
                return Act.HALF
        if kind is Kind.FORK:
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        raise _error(fault.kind)

    def torn(self) -> None:
        """To be called when half of a write is done: with the fault "torn" that was the last thing."""
        if self._fault.kind == "torn":
            die()


def die() -> None:
    """End this process as kill -9 does."""
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def _error(name: str) -> OSError:
    number = getattr(errno, name)
    return OSError(number, os.strerror(number))
