"""Keep the machine from going to sleep while a run is on, by the system's own program for it (B7).

Linux: systemd-inhibit holds a lock of logind's for as long as its child lives. The child reads from a pipe whose
other end only the runner has, so the lock goes with the runner, however that dies. macOS: caffeinate -w watches the
runner's pid. Both are looked at later, when they had time to fail: a start is not held up for them.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from ralph_wiggum.adapters.process_table import MARK
from ralph_wiggum.core.outside_text import plain

if TYPE_CHECKING:
    import subprocess

ANSWER_SECONDS = 10.0  # of patience with a logind that does not answer, before it is said
STARTS = 3  # in all: somebody may have ended what keeps the machine awake
NOBODY = "nothing here can keep the machine awake"

_HELD = b"held\n"  # printed by the child, which runs only once the lock is held
_END_SECONDS = 1.0
_SAID_BYTES = 4096
_READS = 16
_LINE = 200


class System(Enum):
    """The kinds of machines that differ in how they are kept awake."""

    LINUX = "linux"
    MACOS = "macOS"
    WSL = "WSL"
    OTHER = "other"


def this_system(kernel: Path = Path("/proc/sys/kernel/osrelease")) -> System:
    """Return what this machine is; under WSL the kernel has Microsoft in its name."""
    if sys.platform == "darwin":
        return System.MACOS
    if sys.platform != "linux":
        return System.OTHER
    with suppress(OSError):
        if "microsoft" in kernel.read_text(encoding="utf-8", errors="replace").lower():
            return System.WSL
    return System.LINUX


class Awake:
    """What keeps the machine awake from `begin` to `end`.

    What is started carries the mark "RUN/awake", by which the next start finds what was left, and which no sweep of
    the run's agents touches; `environ` is what it runs with. Its own session: Ctrl-C and a closed terminal do not
    reach it.
    """

    def __init__(
        self,
        run_id: str,
        environ: Mapping[str, str],
        system: System | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._environ = {**environ, MARK: f"{run_id}/awake"}
        self._monotonic = monotonic
        self._system = system or this_system()
        self._process: subprocess.Popen[bytes] | None = None
        self._said = b""
        self._began = 0.0
        self._starts = 0
        self._held = self._told = False

    def begin(self) -> str:
        """Start what keeps the machine awake; return why nothing does, as far as that is known at once, or ""."""
        if self._system in (System.WSL, System.OTHER):
            who = "Windows" if self._system is System.WSL else "this system"
            return f"{NOBODY}: {who} decides alone when it sleeps; set its power plan for the night"
        argv = self._argv()
        program = shutil.which(argv[0], path=self._environ.get("PATH", os.defpath))
        if program is None:
            return f"{NOBODY}: {argv[0]} is not installed"
        try:
            self._start((program, *argv[1:]))
        except OSError as error:
            return f"{NOBODY}: {argv[0]} cannot be run: {(error.strerror or str(error)).lower()}"
        return ""

    @property
    def held(self) -> bool:
        """Say whether the machine was kept awake when it was last looked at."""
        return self._process is not None and self._held

    def trouble(self) -> str:
        """Return, once, that the machine is not kept awake, and what was said of it; "" if it is, or nobody knows yet.

        What was ended by somebody is started again.
        """
        process = self._process
        if process is None or self._told:
            return ""
        name = self._argv()[0]
        running = process.poll() is None
        self._listen()  # after that: what it said before it ended is all there then
        if running:
            if self._held or self._monotonic() < self._began + ANSWER_SECONDS:
                return ""
            self._told = True
            return f"it is not sure that the machine is kept awake: {name} has no answer yet"
        return self._ended(process, name)

    def end(self) -> None:
        """Let the machine sleep; may be called again. What does not end by itself within a second is killed."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            with suppress(OSError):
                process.stdin.close()
        if self._system is System.MACOS:
            process.terminate()
        for number in (signal.SIGTERM, signal.SIGKILL):
            if _gone(process):
                break
            _signal(process, number)
        _gone(process)
        _signal(process, signal.SIGKILL)  # what the program itself left behind
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()

    def _argv(self) -> Sequence[str]:
        if self._system is System.MACOS:  # caffeinate(8): no sleep when idle, of disks, on mains
            return ("caffeinate", "-i", "-m", "-s", "-w", str(os.getpid()))
        why = "--why=an overnight run is on"
        child = ("sh", "-c", "echo held; exec cat >/dev/null")
        return ("systemd-inhibit", "--what=sleep:idle", "--who=ralph", why, "--mode=block", *child)

    def _start(self, argv: Sequence[str]) -> None:
        import subprocess  # noqa: PLC0415 - start-up: not every command keeps a machine awake

        quiet = self._system is System.MACOS
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL if quiet else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=self._environ,
            start_new_session=True,
            close_fds=True,
            bufsize=0,
        )
        if self._process.stdout is not None:
            os.set_blocking(self._process.stdout.fileno(), False)
        self._held = quiet  # caffeinate says nothing
        self._said, self._began = b"", self._monotonic()
        self._starts += 1

    def _listen(self) -> None:
        """Take in what was said; never blocks."""
        stream = self._process.stdout if self._process is not None else None
        for _ in range(_READS):
            data = _read(stream.fileno()) if stream is not None else b""
            if not data:
                break
            self._said = (self._said + data)[-_SAID_BYTES:]
            self._held = self._held or _HELD in self._said

    def _ended(self, process: subprocess.Popen[bytes], name: str) -> str:
        held, code = self._held, process.returncode
        said = plain(self._said.replace(_HELD, b"").decode("utf-8", errors="replace").strip(), _LINE)
        self.end()
        if held and self._starts < STARTS and not (reason := self.begin()):
            return f"what keeps the machine awake was ended, and is started again ({name})"
        if held:
            reason = f"{name} was ended {self._starts} times"
        else:
            how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            reason = f"{name}: {said}" if said else f"{name} {how}"
        return f"{NOBODY}: {reason}"


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, _SAID_BYTES) if select.select([descriptor], [], [], 0)[0] else b""
    except OSError:
        return b""


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal to all that was started; its session is its own, and its name not given away before all ended."""
    with suppress(OSError):
        os.killpg(process.pid, number)


def _gone(process: subprocess.Popen[bytes]) -> bool:
    import subprocess  # noqa: PLC0415 - as above

    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True
