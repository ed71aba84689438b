"""The keeper's own side: it starts agents, tells of their end, ends what they leave, and outlives the runner briefly.

Runs in a process forked from the runner (`keeper.py`), so it stays small: nothing heavy is imported here.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress

from ralph_wiggum.adapters.clock import drain
from ralph_wiggum.adapters.keeper_spawn import SpawnError, spawn
from ralph_wiggum.adapters.keeper_wire import Channel, Message
from ralph_wiggum.adapters.ladder import COMMAND_GRACE_SECONDS, GRACE_SECONDS, STEP_SECONDS, Ladder, Tree, send
from ralph_wiggum.adapters.process_table import MARK, ProcessTable, Seen

ORPHANED_GRACE_SECONDS = 1.0  # of the family once the runner is dead; all of it is to be gone within 5 s

_WEAK_STEP_SECONDS = 0.1  # without a subreaper each step reads the whole process table
_PR_SET_NAME = 15  # linux/prctl.h
_PR_SET_CHILD_SUBREAPER = 36
_IGNORED = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGPIPE,
    signal.SIGTSTP,
    signal.SIGTTIN,
    signal.SIGTTOU,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGALRM,
)


class KeeperLoop:
    """Serve the runner until it hangs up or dies, then end everything below and return."""

    def __init__(self, channel: Channel, table: ProcessTable, *, subreaper: bool) -> None:
        self._channel = channel
        self._table = table
        self._strong = subreaper and _prctl(_PR_SET_CHILD_SUBREAPER, 1)
        self._wake, self._wake_writer = _wake_on_child()
        self._started: set[int] = set()
        self._sessions: set[int] = set()
        self._marks: set[str] = set()
        self._ending: Ladder | None = None
        self._ending_request = 0
        self._trees: dict[int, Ladder] = {}

    def serve(self) -> None:
        """Serve until the runner hangs up or dies, then end everything below."""
        while not self._channel.closed:
            self._wait(self._step_seconds())
            self._reap()
            for message in self._channel.receive():
                self._answer(message)
            self._climb()
        self._outlive()

    def _outlive(self) -> None:
        ladder = self._family_ladder(ORPHANED_GRACE_SECONDS)
        while not ladder.step(time.monotonic()):
            self._wait(self._step_seconds(), listen=False)

    def _wait(self, seconds: float | None, *, listen: bool = True) -> None:
        readers: list[int | Channel] = [self._wake, self._channel] if listen else [self._wake]
        writers = [self._channel] if listen and self._channel.unsent else []
        ready, writable, _ = select.select(readers, writers, [], seconds)
        if self._wake in ready:
            drain(self._wake)
        if writable:
            self._channel.flush()

    def _step_seconds(self) -> float | None:
        if self._ending is None and not self._trees and not self._channel.closed:
            return None
        return STEP_SECONDS if self._strong else _WEAK_STEP_SECONDS

    def _reap(self) -> bool:
        """Wait for every child that ended, tell the runner of agents; return whether no child is left at all."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return True
            if pid == 0:
                return False
            if pid in self._started:
                self._started.discard(pid)
                self._channel.post({"is": "exited", "pid": pid, "status": status})

    def _answer(self, message: Message) -> None:
        match message["do"]:
            case "launch":
                self._launch(message)
            case "end":
                self._ending_request = message["request"]
                self._ending = self._ending or self._family_ladder(message.get("grace", GRACE_SECONDS))
            case "end_tree":
                pid = message["pid"]
                tree = Tree(self._table, pid)
                self._trees[pid] = Ladder(tree.members, tree.gone, grace=message.get("grace", COMMAND_GRACE_SECONDS))
            case "signal":
                send(message["pid"], message["number"])

    def _launch(self, message: Message) -> None:
        env: Mapping[str, str] = message["env"]
        answer = self._spawn(message, env)
        if answer["is"] == "launched":
            self._started.add(answer["pid"])
            self._sessions.add(answer["pid"])
            self._marks.update({env[MARK]} if MARK in env else ())
        self._channel.post(answer)

    def _spawn(self, message: Message, env: Mapping[str, str]) -> Message:
        descriptors = self._channel.take(3)
        try:
            pid = spawn(message["argv"], message["cwd"], env, descriptors, terminal=message["terminal"])
        except SpawnError as error:
            return {"is": "failed", "stage": error.stage, "errno": error.errno}
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        return {"is": "launched", "pid": pid}

    def _climb(self) -> None:
        now = time.monotonic()
        for pid, ladder in tuple(self._trees.items()):
            if ladder.step(now):
                del self._trees[pid]
                self._channel.post({"is": "tree_ended", "pid": pid, "left": ladder.left})
        ending = self._ending
        if ending is not None and ending.step(now):
            self._ending = None
            self._sessions.clear()
            counts = {"found": ending.found, "forced": ending.forced, "left": ending.left}
            self._channel.post({"is": "ended", "request": self._ending_request, **counts})

    def _family_ladder(self, grace: float) -> Ladder:
        return Ladder(self._family, self._reap if self._strong else self._weakly_gone, grace=grace)

    def _family(self) -> Mapping[int, Seen]:
        if self._strong:
            family = self._table.below(os.getpid())
        else:
            everything = self._table.everything()
            family = {pid: seen for pid, seen in everything.items() if seen.session in self._sessions}
            family |= self._table.below(os.getpid())
            family |= self._table.marked(self._marks) if self._marks else {}
            family.pop(os.getpid(), None)
        return {pid: seen for pid, seen in family.items() if not seen.zombie}

    def _weakly_gone(self) -> bool:
        """Say whether nothing is to be seen, twice: without a subreaper there is no better proof."""
        return self._reap() and not self._family() and not self._family()


def become_keeper() -> None:
    """Turn a fresh fork into a process of its own: session, signals, name, standard descriptors, folder."""
    gc.freeze()  # what the runner left unfinished must not close descriptors of ours that bear its old numbers
    signal.set_wakeup_fd(-1)
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.setsid()
    os.chdir("/")
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)
    _prctl(_PR_SET_NAME, b"ralph-keeper")


def close_others(keep: int) -> None:
    """Close every inherited descriptor but 0 to 2 and one: the run's lock must not live on in the keeper."""
    for name in os.listdir("/dev/fd"):  # noqa: PTH208 - pathlib is not worth its memory here
        if int(name) > 2 and int(name) != keep:  # noqa: PLR2004 - standard error
            with suppress(OSError):  # the listing's own
                os.close(int(name))


def _wake_on_child() -> tuple[int, int]:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    return reader, writer


def _prctl(option: int, value: int | bytes) -> bool:
    """Call prctl(2); return whether it worked, which it never does elsewhere than on Linux."""
    if sys.platform != "linux":
        return False
    import ctypes  # noqa: PLC0415 - costs the runner, which never calls this, its time

    argument = ctypes.c_ulong(value) if isinstance(value, int) else ctypes.c_char_p(value)
    zeros = (ctypes.c_ulong(0),) * 3
    return bool(ctypes.CDLL(None).prctl(option, argument, *zeros) == 0)
