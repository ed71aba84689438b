"""Short questions to many programs at once, such as their versions: one selector loop, everything below one keeper."""

from __future__ import annotations

import os
import selectors
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ralph_wiggum.adapters.capped_log import Tail
from ralph_wiggum.adapters.keeper import Exited, FamilyEnded, Keeper, NotStartedError
from ralph_wiggum.adapters.process_table import MARK
from ralph_wiggum.core.login import Reply
from ralph_wiggum.core.terminal import clean
from ralph_wiggum.ports import Clock

KIB = 1024
HEAD_BYTES = 16 * KIB  # of what a program prints, and as much of its end
READ_BYTES = 64 * KIB
LAST_READS = 16  # after a program's end, of what it left in its pipe; who inherited that may flood it for ever
AT_ONCE = 8  # a start of Node.js takes 100 MB and more
GRACE_SECONDS = 0.3  # for what is left behind: it was asked for its version, and has nothing to lose
ENDING_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A command (its program an absolute path) and its whole environment."""

    argv: tuple[str, ...]
    env: Mapping[str, str]


@dataclass(slots=True, eq=False)
class _Asked:
    """A program that runs: the number of its question, its end of the pipe (-1: closed), what came, when it is late."""

    number: int
    pid: int
    pipe: int
    late: float
    head: bytearray = field(default_factory=bytearray)
    tail: Tail = field(default_factory=lambda: Tail(HEAD_BYTES))

    def read(self) -> bool:
        """Read what is there; return whether there may be more. BlockingIOError: nothing now."""
        data = os.read(self.pipe, READ_BYTES)
        room = HEAD_BYTES - len(self.head)
        self.head += data[:room]
        self.tail.add(data[room:])
        return bool(data)

    def text(self) -> str:
        """Return the beginning and the end of what was printed, clean; both streams, in their order."""
        return clean(f"{self.head.decode('utf-8', 'replace')}{self.tail.text()}")

    def rest(self) -> None:
        """Read what an ended program has left in its pipe."""
        with suppress(BlockingIOError):
            for _ in range(LAST_READS):
                if self.pipe < 0 or not self.read():
                    return


class Questioning:
    """Asks programs, AT_ONCE of them at a time, each for `seconds` at most; nothing of them outlives `ask`.

    `folder` is where they run. They have nothing to read, and a keeper of their own that must ask nothing else.
    """

    def __init__(self, keeper: Keeper, clock: Clock, folder: Path, seconds: float) -> None:
        self._keeper = keeper
        self._clock = clock
        self._folder = folder
        self._seconds = seconds
        self._running: dict[int, _Asked] = {}
        self._replies: dict[int, Reply] = {}

    def ask(self, questions: Sequence[Question]) -> list[Reply]:
        """Return the answers in the order of the questions. Whatever programs do, this never raises."""
        waiting = list(enumerate(questions))[::-1]
        with selectors.DefaultSelector() as selector:
            selector.register(self._keeper, selectors.EVENT_READ)
            try:
                while waiting or self._running:
                    while waiting and len(self._running) < AT_ONCE:
                        self._begin(*waiting.pop(), selector)
                    self._hear(selector)
                    if self._keeper.gone:  # somebody killed it, and it took all below it along
                        for each in [*self._running.values()]:
                            self._end(each, Reply(trouble="its parent was killed"), selector)
                        self._replies |= {number: Reply(trouble="it was not asked") for number, _ in waiting}
                        break
            finally:
                for each in [*self._running.values()]:  # only where this was interrupted
                    self._end(each, Reply(trouble="it was interrupted"), selector)
        self._clear()
        return [self._replies[number] for number in range(len(questions))]

    def _begin(self, number: int, question: Question, selector: selectors.BaseSelector) -> None:
        env = {**question.env, MARK: f"question-{os.getpid()}"}  # never that of a run: it would be ended with these
        try:
            null = os.open(os.devnull, os.O_RDONLY)
            try:
                reading, writing = os.pipe()
                try:
                    pid = self._keeper.launch(question.argv, self._folder, env, (null, writing, writing))
                except BaseException:
                    os.close(reading)
                    raise
                finally:
                    os.close(writing)
            finally:
                os.close(null)
        except (OSError, NotStartedError) as error:
            self._replies[number] = Reply(trouble=str(error))
            return
        os.set_blocking(reading, False)
        asked = _Asked(number=number, pid=pid, pipe=reading, late=self._clock.monotonic() + self._seconds)
        self._running[pid] = asked
        selector.register(reading, selectors.EVENT_READ, asked)

    def _hear(self, selector: selectors.BaseSelector) -> None:
        """Wait for what comes next: output, an end, a program that is late."""
        if not self._running:
            return
        first = min(each.late for each in self._running.values())
        for key, _ in selector.select(max(0.0, first - self._clock.monotonic())):
            if isinstance(key.data, _Asked) and not key.data.read():
                self._close(key.data, selector)
        for report in self._keeper.reports():
            if isinstance(report, Exited) and (asked := self._running.get(report.pid)) is not None:
                asked.rest()
                self._end(asked, _reply(report.status, asked.text()), selector)
        now = self._clock.monotonic()
        for each in [*self._running.values()]:
            if each.late <= now:
                self._keeper.end_tree(each.pid)
                self._end(each, Reply(None, each.text(), f"it did not end within {self._seconds:g} s"), selector)

    def _end(self, asked: _Asked, reply: Reply, selector: selectors.BaseSelector) -> None:
        self._close(asked, selector)
        self._running.pop(asked.pid, None)
        self._replies[asked.number] = reply

    def _close(self, asked: _Asked, selector: selectors.BaseSelector) -> None:
        if asked.pipe >= 0:
            selector.unregister(asked.pipe)
            os.close(asked.pipe)
            asked.pipe = -1

    def _clear(self) -> None:
        """End what programs left behind; a keeper that does not manage that in time is closed, which does."""
        if self._keeper.gone:
            return
        request = self._keeper.end_family(GRACE_SECONDS)
        end = self._clock.monotonic() + ENDING_SECONDS
        while not self._keeper.gone and self._clock.monotonic() < end:
            with selectors.DefaultSelector() as selector:
                selector.register(self._keeper, selectors.EVENT_READ)
                selector.select(max(0.0, end - self._clock.monotonic()))
            if any(isinstance(each, FamilyEnded) and each.request == request for each in self._keeper.reports()):
                return
        self._keeper.close()


def _reply(status: int, output: str) -> Reply:
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return Reply(code, output)
    with suppress(ValueError):  # a real-time signal has no name
        return Reply(None, output, f"it was ended by {signal.Signals(-code).name}")
    return Reply(None, output, f"it was ended by signal {-code}")
