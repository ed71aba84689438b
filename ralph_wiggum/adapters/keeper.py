"""The keeper: the parent of every agent, forked once at the start of a run.

It outlives the runner just long enough to end what the runner left behind (design: part 3).
"""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ralph_wiggum.adapters.keeper_loop import KeeperLoop, become_keeper, close_others
from ralph_wiggum.adapters.keeper_wire import Channel, Message
from ralph_wiggum.adapters.ladder import GRACE_SECONDS, STEP_SECONDS, Ladder, Tree
from ralph_wiggum.adapters.process_table import ProcessTable, Seen, ancestors, system_table

LOOKS = 3  # at all processes, before nothing left is believed where no waitpid can tell
ANSWER_SECONDS = 10.0  # a keeper that has not answered by then hangs


@dataclass(frozen=True, slots=True)
class Exited:
    """An agent ended; `status` is as of waitpid."""

    pid: int
    status: int


@dataclass(frozen=True, slots=True)
class FamilyEnded:
    """Everything below the keeper ended: `found` processes, `forced` of them by KILL, `left` could not be ended."""

    request: int
    found: int
    forced: int
    left: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class TreeEnded:
    """One command and all below it ended; `left` could not be ended."""

    pid: int
    left: tuple[int, ...] = ()


Report = Exited | FamilyEnded | TreeEnded


class NotStartedError(Exception):
    """A program could not be started; `stage` is "exec", "cwd", "terminal", "fork" or "keeper", `errno` says why."""

    def __init__(self, message: str, *, stage: str, errno: int = 0) -> None:
        super().__init__(message)
        self.stage = stage
        self.errno = errno


class Keeper:
    """The runner's handle of its keeper.

    `pid` names the process, `identity` also holds its start time, for the journal and `wait_for`. `alive` turns
    False when the keeper died or does not answer; `revive` then starts another one.
    """

    def __init__(
        self, channel: Channel, pid: int, *, subreaper: bool, table: ProcessTable, answer_seconds: float
    ) -> None:
        self._channel = channel
        self._answer_seconds = answer_seconds
        self._subreaper = subreaper
        self._table = table
        self._reports: list[Report] = []
        self._request = 0
        self.pid = pid
        self.identity = identity(pid, table)

    @classmethod
    def start(
        cls, *, subreaper: bool = True, table: ProcessTable | None = None, answer_seconds: float = ANSWER_SECONDS
    ) -> Keeper:
        """Fork the keeper. To be called early: before heavy imports, before the run's lock is opened, on one thread.

        `subreaper=False` is the weaker way of systems without one: by session, children and environment mark.
        A keeper that has not answered a launch after `answer_seconds` is taken for dead.
        """
        table = table or system_table()
        channel, pid = _fork(table, subreaper=subreaper)
        return cls(channel, pid, subreaper=subreaper, table=table, answer_seconds=answer_seconds)

    def revive(self) -> None:
        """Start another keeper in the place of one that died or hangs; every holder of this handle sees the new one."""
        self.close(seconds=0.0)
        self._channel, self.pid = _fork(self._table, subreaper=self._subreaper)
        self._reports.clear()
        self.identity = identity(self.pid, self._table)

    @property
    def alive(self) -> bool:
        """Look whether the keeper is there."""
        self._collect()
        return not self.gone

    @property
    def gone(self) -> bool:
        """Say whether the keeper was gone when it was last asked or heard; unlike `alive`, reads nothing."""
        return self._channel.closed

    @property
    def table(self) -> ProcessTable:
        """Return the process table that the keeper works with."""
        return self._table

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when there are reports, or when the keeper died."""
        return self._channel.fileno()

    def launch(
        self,
        argv: Sequence[str],
        cwd: Path,
        env: Mapping[str, str],
        descriptors: tuple[int, int, int],
        *,
        terminal: bool = False,
    ) -> int:
        """Start a program with the three descriptors as its 0, 1 and 2; return its pid, or raise NotStartedError.

        `env` is complete. With `terminal` its standard output, a terminal, also controls it.
        """
        request = {"do": "launch", "argv": list(argv), "cwd": str(cwd), "env": dict(env), "terminal": terminal}
        self._channel.send(request, descriptors)
        answer = self._answer()
        if answer["is"] == "launched":
            return int(answer["pid"])
        raise _not_started(answer, argv, cwd)

    def reports(self) -> list[Report]:
        """Return what the keeper has told since the last call, without waiting."""
        self._collect()
        reports, self._reports = self._reports, []
        return reports

    def end_family(self, grace: float = GRACE_SECONDS) -> int:
        """Ask for the end of everything below the keeper; the FamilyEnded of the returned number follows."""
        self._request += 1
        self._channel.send({"do": "end", "request": self._request, "grace": grace})
        return self._request

    def end_tree(self, pid: int) -> None:
        """Ask for the end of one command and all below it; a TreeEnded follows."""
        self._channel.send({"do": "end_tree", "pid": pid})

    def signal(self, pid: int, number: int) -> None:
        """Have a signal sent to one process."""
        self._channel.send({"do": "signal", "pid": pid, "number": number})

    def hang_up(self) -> None:
        """Close the line without waiting: the keeper ends the family by itself within seconds, and then itself."""
        self._channel.close()

    def close(self, seconds: float = 15.0) -> None:
        """Hang up and wait until the keeper is gone; after `seconds` it is killed. May be called again."""
        self._channel.close()
        if not self._reaped(seconds):
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self._reaped(ANSWER_SECONDS)

    def _reaped(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while True:
            try:
                if os.waitpid(self.pid, os.WNOHANG) != (0, 0):
                    return True
            except ChildProcessError:  # waited for before
                return True
            if time.monotonic() >= end:
                return False
            time.sleep(0.002)

    def _answer(self) -> Message:
        """Wait for the answer to a launch, keeping what else is told."""
        end = time.monotonic() + self._answer_seconds
        while not self._channel.closed and (left := end - time.monotonic()) > 0:
            select.select([self._channel], [], [], left)
            if (answer := self._collect()) is not None:
                return answer
        self._channel.closed = True
        return {"is": "failed", "stage": "keeper", "errno": 0}

    def _collect(self) -> Message | None:
        answer = None
        for message in [] if self._channel.closed else self._channel.receive():
            match message.pop("is"):
                case "exited":
                    self._reports.append(Exited(**message))
                case "ended":
                    self._reports.append(FamilyEnded(**message | {"left": tuple(message["left"])}))
                case "tree_ended":
                    self._reports.append(TreeEnded(message["pid"], tuple(message["left"])))
                case kind:
                    answer = {"is": kind, **message}
        return answer


def identity(pid: int, table: ProcessTable | None = None) -> str:
    """Return the pid with the start of its process as the system writes it, "pid@start"; without a process "pid@"."""
    seen = (table or system_table()).look(pid)
    return f"{pid}@{seen.birth if seen else ''}"


def wait_for(keeper: str, seconds: float = ANSWER_SECONDS) -> bool:
    """Wait until the keeper of a dead run (its `identity`) is gone; return whether it is, after `seconds` at most."""
    table = system_table()
    pid = int(keeper.partition("@")[0])
    end = time.monotonic() + seconds
    while (seen := table.look(pid)) is not None and not seen.zombie and identity(pid, table) == keeper:
        if time.monotonic() >= end:
            return False
        time.sleep(STEP_SECONDS)
    return True


def sweep(
    marks: Collection[str] | None,
    roots: Collection[int] = (),
    *,
    below: bool = False,
    grace: float = GRACE_SECONDS,
    table: ProcessTable | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> FamilyEnded:
    """End what a dead run left: processes of this user with its environment mark, and the trees of the pids `roots`.

    `marks` are values of RALPH_RUN_ID; None means any; `below` also takes those that lie below one of them (a run's
    servers carry "RUN/server-NAME"). Never ends the calling process or one above it. `pause` waits
    between two steps, seconds.
    """
    table = table or system_table()
    spared = ancestors(table, os.getpid())
    trees = [Tree(table, root) for root in roots]

    def members() -> Mapping[int, Seen]:
        found = dict(table.marked(marks, below=below)) if marks is None or marks else {}
        for tree in trees:
            found |= tree.members()
        return {pid: seen for pid, seen in found.items() if pid not in spared and not seen.zombie}

    def gone() -> bool:
        return not any(members() for _ in range(LOOKS))  # one walk over the processes may miss one

    ladder = Ladder(members, gone, grace=grace)
    while not ladder.step(time.monotonic()):
        pause(STEP_SECONDS)
    return FamilyEnded(0, ladder.found, ladder.forced, ladder.left)


def _fork(table: ProcessTable, *, subreaper: bool) -> tuple[Channel, int]:
    ours, theirs = socket.socketpair()
    # No signal may meet the keeper before it ignores them, nor write into the runner's own wake-up descriptor.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    pid = os.fork()
    if pid == 0:
        _live(ours, theirs, table, subreaper=subreaper)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    theirs.close()
    return Channel(ours), pid


def _live(ours: socket.socket, theirs: socket.socket, table: ProcessTable, *, subreaper: bool) -> None:
    try:
        become_keeper()
        ours.detach()  # closed below, with all else
        close_others(theirs.fileno())
        KeeperLoop(Channel(theirs), table, subreaper=subreaper).serve()
    finally:
        os._exit(0)


def _not_started(answer: Message, argv: Sequence[str], cwd: Path) -> NotStartedError:
    stage, number = answer["stage"], int(answer["errno"])
    reason = os.strerror(number).lower()
    text = {
        "cwd": f"cannot enter the folder {cwd}: {reason}",
        "keeper": "the keeper of processes does not answer",
        "fork": f"no process could be started: {reason}",
        "terminal": f"the terminal could not be handed over: {reason}",
    }.get(stage, f"cannot run {argv[0]}: {reason}")
    return NotStartedError(text, stage=stage, errno=number)
