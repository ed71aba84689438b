"""A throwaway runner, to be killed: runner.py LOCK MARK WATCHED ARGV...; prints the keeper's pid and then runs ARGV."""

from __future__ import annotations

import fcntl
import os
import sys
from pathlib import Path

from ralph_wiggum.adapters.clock import SystemClock
from ralph_wiggum.adapters.keeper import Keeper
from ralph_wiggum.adapters.process import Family, Start
from ralph_wiggum.adapters.process_table import MARK
from ralph_wiggum.ports import Limits


class Silent:
    def output(self, text: str) -> None:
        pass

    def tick(self) -> None:
        pass

    def stop_reason(self) -> None:
        return None


lock = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(lock, fcntl.LOCK_EX)
os.set_inheritable(lock, True)  # the worst case: the keeper must let go of it all the same
keeper = Keeper.start()
print(keeper.identity, flush=True)
null = os.open(os.devnull, os.O_RDWR)
start = Start(
    argv=tuple(sys.argv[3:]),
    cwd=Path.cwd(),
    env={**os.environ, MARK: sys.argv[2]},
    stdin=null,
    stdout=os.dup(null),
    stderr=os.dup(null),
)
print(Family(keeper, SystemClock()).run(start, [], Limits(task_seconds=100), Silent()), flush=True)
