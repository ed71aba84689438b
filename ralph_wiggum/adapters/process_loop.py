"""One program from its start to the end of its family, in one selector loop: output, end, timers, watches, signals."""

from __future__ import annotations

import os
import selectors
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ralph_wiggum.adapters.bounds import Bounds
from ralph_wiggum.adapters.clock import drain
from ralph_wiggum.adapters.keeper import Exited, FamilyEnded, Keeper, sweep
from ralph_wiggum.adapters.ladder import GRACE_SECONDS
from ralph_wiggum.adapters.own_time import OwnTime
from ralph_wiggum.adapters.watches import CommandWatch, SilenceWatch, Stop
from ralph_wiggum.core.commands import Rules
from ralph_wiggum.core.evidence import EndedCommand, Ending
from ralph_wiggum.ports import Clock, Limits, Watcher

TICK_SECONDS = 0.2  # the contract of Watcher.tick is four times a second
LOOK_SECONDS = 0.01  # while output floods in, all else is looked at this often
DRAIN_SECONDS = 0.2  # for what an ended agent has left in its pipes
QUIET_SECONDS = 0.02  # nothing for so long: the pipes are empty, though somebody may still hold them open
ENDING_SECONDS = 20.0  # the keeper's ladder takes 13 s at most

_DISCARD_BYTES = 1 << 20
_URGENT = (Ending.OUT_OF_MEMORY, Ending.DISK_FULL)  # what is left would be gone within the usual grace
_URGENT_GRACE_SECONDS = 0.3


class Source(Protocol):
    """Something that the loop reads from: a pipe, a terminal. Read only when it is readable."""

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        ...

    def read(self) -> int:
        """Read what is there now, up to 1 MiB, and return how many bytes; 0 is the end."""
        ...

    def quiet(self, seconds: float) -> bool:
        """Take notice that nothing came for so long; return whether the attempt must end for it."""
        ...

    def close(self) -> None:
        """Close the descriptor; may be called again."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A program to start. `env` is complete; the descriptors become its 0, 1 and 2.

    The runner's copies of the descriptors are closed when the program was started, or could not be. `terminal`: its
    standard output is a terminal and is to control it.
    """

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    stdin: int
    stdout: int
    stderr: int
    terminal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a program came to its end; the fields are those of AgentOutcome. `error` also says what cannot be ended.

    `seconds` is wall time without what the runner itself stood still (OwnTime).
    """

    ending: Ending
    exit_code: int | None = None
    signal: int | None = None
    seconds: float = 0.0
    ended_commands: tuple[EndedCommand, ...] = ()
    waited_for: tuple[str, ...] = ()
    leftovers: int = 0
    error: str = ""


class RunLoop:
    """Watches one program that was started, from its start to the end of its family; used once.

    All its deadlines are in its own time: what the runner stands still, stopped or suspended, is no agent's fault.
    """

    def __init__(
        self,
        keeper: Keeper,
        clock: Clock,
        watcher: Watcher,
        *,
        pid: int,
        folder: Path,
        mark: str | None,
        wakeup: int | None,
    ) -> None:
        self._keeper = keeper
        self._clock = clock
        self._time = OwnTime(clock.monotonic)
        self._folder = folder
        self._agent = keeper.table.look(pid)
        self._pid = pid
        self._mark = mark
        self._watcher = watcher
        self._began = self._heard = self._ended_at = self._next_tick = self._next_look = self._time.now()
        self._heard_from: dict[Source, float] = {}
        self._commands: CommandWatch | None = None
        self._status: int | None = None
        self._family_ended: FamilyEnded | None = None
        self._woken = self._lost = self._discarding = False
        self._selector = selectors.DefaultSelector()
        self._selector.register(keeper, selectors.EVENT_READ, keeper)
        if wakeup is not None:
            self._selector.register(wakeup, selectors.EVENT_READ, None)

    def run(
        self,
        sources: Sequence[Source],
        limits: Limits,
        commands: Rules | None,
        files_token: Callable[[], str] | None,
        *,
        lasting: bool = False,
    ) -> Ended:
        """Watch the program until it ends or must end, then end its family. `commands` None: do not watch them.

        `lasting`: a program that ended by itself leaves its family alone.
        """
        for source in sources:
            self._selector.register(source.fileno(), selectors.EVENT_READ, source)
            self._heard_from[source] = self._began
        if commands is not None:
            self._commands = CommandWatch(self._keeper, self._pid, commands, self._began)
        self._silence = SilenceWatch(self._keeper, limits.no_progress_seconds, self._began, files_token)
        self._bounds = Bounds(self._keeper, limits, self._folder, lambda: self._clock.now().timestamp())
        with self._selector:
            stop = self._watch(self._began + limits.task_seconds)
            self._drain(DRAIN_SECONDS if stop is None else 0.0)
            family = FamilyEnded(0, 0, 0) if lasting and stop is None else self._end_family(stop)
            return self._ended(stop, family)

    def _watch(self, deadline: float) -> Stop | None:
        """Loop until the program ended (None), or return why it must end."""
        self._hear_keeper()  # a program may have ended before anybody waited for it
        while self._status is None:
            if self._lost:
                return Stop(Ending.CRASHED, "the keeper of processes died, and the agent was ended with it")
            self._wait(max(0.0, min(self._next_tick, deadline) - self._time.now()))
            now = self._time.now()
            if self._woken or now >= self._next_look:
                self._woken = False
                self._next_look = now + LOOK_SECONDS
                if self._status is None and (stop := self._look(now, deadline)) is not None:
                    return stop
        return None

    def _look(self, now: float, deadline: float) -> Stop | None:
        if self._tick(now) and (stop := self._watches(now)) is not None:
            return stop
        if (reason := self._watcher.stop_reason()) is not None:
            return Stop(Ending.STOPPED, reason)
        return Stop(Ending.TASK_TIMEOUT) if now >= deadline else None

    def _tick(self, now: float) -> bool:
        if now < self._next_tick:
            return False
        self._next_tick = now + TICK_SECONDS
        self._watcher.tick()
        self._hear_keeper()  # a request that failed shows up here, and nowhere else
        return True

    def _watches(self, now: float) -> Stop | None:
        quiet = [source.quiet(now - heard) for source, heard in self._heard_from.items()]
        if any(quiet):
            return Stop(Ending.STOPPED, "the terminal waits for an answer that nobody can give")
        if self._commands is not None:
            self._commands.look(now)
        if (stop := self._bounds.look(now)) is not None:
            return stop
        return Stop(Ending.NO_PROGRESS) if self._silence.over(now, self._heard) else None

    def _wait(self, seconds: float) -> bool:
        """Wait for something to happen, `seconds` at most, and take it in; return whether a source was ready."""
        heard = False
        self._time.wait(seconds)
        for key, _ in self._selector.select(seconds):
            if key.data is None:
                drain(key.fd)
                self._woken = True
            elif key.data is self._keeper:
                self._hear_keeper()
            else:
                heard = True
                self._read(key.data, key.fd)
        return heard

    def _hear_keeper(self) -> None:
        for report in self._keeper.reports():
            if isinstance(report, Exited) and report.pid == self._pid:
                self._status = report.status
                self._ended_at = self._time.now()
            elif isinstance(report, FamilyEnded):
                self._family_ended = report
        if not self._lost and self._keeper.gone:
            self._lost = True
            self._selector.unregister(self._keeper)

    def _read(self, source: Source, descriptor: int) -> None:
        try:
            count = len(os.read(descriptor, _DISCARD_BYTES)) if self._discarding else source.read()
        except BlockingIOError:
            return
        except OSError:  # a terminal whose other side was closed answers EIO
            count = 0
        if count == 0:
            self._selector.unregister(descriptor)
            self._heard_from.pop(source, None)
        elif not self._discarding:
            self._heard = self._heard_from[source] = self._time.now()

    def _drain(self, seconds: float) -> None:
        """Read what is there already, until nothing comes or `seconds` are over; what comes later is thrown away."""
        now = self._time.now()
        end = now + seconds
        quiet = now + min(seconds, QUIET_SECONDS)  # what was written to a terminal arrives a moment later
        while self._heard_from:
            ready = self._wait(max(0.0, min(quiet, end) - now))
            now = self._time.now()
            quiet = now + QUIET_SECONDS if ready else quiet
            if now >= min(quiet, end):
                break
        self._discarding = True

    def _end_family(self, stop: Stop | None) -> FamilyEnded:
        """End everything below the keeper, reading and ticking all the while, so that nobody waits for the runner."""
        urgent = stop is not None and stop.ending in _URGENT
        request = 0 if self._lost else self._keeper.end_family(_URGENT_GRACE_SECONDS if urgent else GRACE_SECONDS)
        end = self._time.now() + ENDING_SECONDS
        while not self._lost and (now := self._time.now()) < end:
            self._tick(now)
            if self._family_ended is not None and self._family_ended.request == request:
                return self._family_ended
            self._wait(max(0.0, self._next_tick - now))
        return self._end_without_keeper()

    def _end_without_keeper(self) -> FamilyEnded:
        """End what can be found by the environment's mark and below the agent: the keeper is dead, or hangs."""
        if not self._lost:
            self._selector.unregister(self._keeper)
            self._lost = True
        self._keeper.close(seconds=0.0)
        agent = self._keeper.table.look(self._pid)
        ours = agent is not None and self._agent is not None and agent.started == self._agent.started
        swept = sweep([self._mark] if self._mark else [], [self._pid] if ours else [], pause=self._pause)
        self._ended_at = self._time.now()
        return swept

    def _pause(self, seconds: float) -> None:
        self._tick(self._time.now())
        self._wait(seconds)

    def _ended(self, stop: Stop | None, family: FamilyEnded) -> Ended:
        code = os.waitstatus_to_exitcode(self._status) if self._status is not None else None
        crashed = code is not None and code < 0
        ending = stop.ending if stop is not None else Ending.CRASHED if crashed else Ending.EXITED
        errors = [stop.error] if stop is not None and stop.error else []
        if family.left:
            pids = ", ".join(map(str, family.left))
            errors.append(f"{len(family.left)} processes could not be ended: pid {pids}")
        return Ended(
            ending=ending,
            exit_code=None if code is None or crashed else code,
            signal=-code if code is not None and crashed else None,
            seconds=self._ended_at - self._began,
            ended_commands=tuple(self._commands.ended) if self._commands is not None else (),
            waited_for=self._silence.waited_for,
            leftovers=family.found if stop is None else 0,
            error="; ".join(errors),
        )
