"""Nights spent in processes forked from one that has everything imported; what they leave behind comes to it."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.night.faults import library
from tests.night.faults.effects import Fault, Meter
from tests.night.project import Project

NIGHT_SECONDS = 60.0
LEFT_SECONDS = 5.0  # within which nothing of a dead run may be alive
_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Spent:
    """How a night ended: `code` is -9 after a kill; `seen` effects were counted, the first to go wrong was `struck`."""

    code: int
    seen: int
    struck: str
    said: str
    seconds: float


class Nursery:
    """Spends nights one after the other. Orphans of a night become children of this process, so that none is missed."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        if ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
            raise OSError("this system has no subreaper: what a night leaves behind cannot be told")
        import ralph_wiggum.cli.overnight  # noqa: PLC0415 - after `library.install`
        import ralph_wiggum.cli.running  # noqa: PLC0415
        import ralph_wiggum.wiring  # noqa: F401, PLC0415

    def spend(self, project: Project, fault: Fault) -> Spent:
        """Run `ralph-overnight demo` in a process of its own, to its end or its death."""
        said = project.base / "said.txt"
        said.unlink(missing_ok=True)
        self._meter.page.clear()
        began = time.monotonic()
        pid = os.fork()
        if pid == 0:
            _live(self._meter, project, fault, said)
        code = _code(pid)
        page = self._meter.page
        return Spent(code, page.seen, page.struck, said.read_text(errors="replace"), time.monotonic() - began)

    def nothing_left(self) -> float:
        """Wait until nothing of any night is alive, and return how long that took; what still is after 5 s is ended."""
        began = time.monotonic()
        while (seconds := time.monotonic() - began) < LEFT_SECONDS:
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
                time.sleep(0.002)
                continue
            return seconds
        raise AssertionError(f"still alive: {_end_children()}")


def _code(pid: int) -> int:
    """Wait for a night; AssertionError where it does not end."""
    descriptor = os.pidfd_open(pid)
    try:
        if not select.select([descriptor], [], [], NIGHT_SECONDS)[0]:
            os.kill(pid, signal.SIGABRT)
            os.waitpid(pid, 0)
            raise AssertionError(f"the night did not end within {NIGHT_SECONDS:.0f} s")
    finally:
        os.close(descriptor)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _live(meter: Meter, project: Project, fault: Fault, said: Path) -> None:
    """Be `ralph-overnight demo` in the project."""
    code = 99
    try:
        os.setsid()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        os.chdir(project.root)
        os.environ.clear()
        os.environ.update(project.env)
        out, null = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644), os.open(os.devnull, os.O_RDONLY)
        for number, descriptor in enumerate((null, out, out)):
            os.dup2(descriptor, number)
        sys.stdout = library.printing(meter, 1)
        sys.argv = ["ralph-overnight", "demo"]
        import faulthandler  # noqa: PLC0415 - of use where a night hangs

        faulthandler.enable(2)
        from ralph_wiggum.cli.overnight import main  # noqa: PLC0415 - imported before the fork

        meter.arm(fault)
        code = main(["demo"])
        sys.stderr.flush()
    except BaseException:  # noqa: BLE001 - nothing may come back to the nursery
        with suppress(BaseException):
            os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(code)


def _end_children() -> list[str]:
    """Kill what is below this process, and say what it was."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        for pid in map(int, (task / "children").read_text().split()):
            with suppress(OSError):
                found.append(f"{pid}: {Path(f'/proc/{pid}/cmdline').read_bytes()!r}")
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
    return found
