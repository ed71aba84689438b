"""The process of one server, with everything below it, under a keeper of its own: to end it touches nobody else."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ralph_wiggum.adapters.keeper import Exited, FamilyEnded, Keeper, NotStartedError
from ralph_wiggum.adapters.ladder import GRACE_SECONDS, Ladder
from ralph_wiggum.adapters.process_loop import ENDING_SECONDS
from ralph_wiggum.adapters.process_table import Seen, ancestors, system_table

ANSWER_SECONDS = 5.0  # a keeper that starts nothing within this hangs

_LOOK_SECONDS = 1.0  # between two looks at what a program left behind that ended well


class KeptProcess:
    """A program that can be started, watched and ended again and again, without ever waiting for it.

    `mark` is the value of RALPH_RUN_ID that its processes carry: where somebody killed the keeper, what it kept is
    found by that. `pid` is the program's, 0 before its first start; `code` its exit code (negative: a signal) once it
    has ended; `orphaned` says that its keeper is gone, and nobody keeps what may still run.
    """

    def __init__(self, mark: str) -> None:
        self._mark = mark
        self._keeper: Keeper | None = None
        self._request = 0  # that the keeper was asked with to end everything
        self._give_up_at = 0.0
        self._ladder: Ladder | None = None
        self._left_behind = False  # something runs on, when it was looked last
        self._next_look = 0.0
        self.pid = 0
        self.code: int | None = None
        self.orphaned = False

    @property
    def mark(self) -> str:
        """Return the value of RALPH_RUN_ID of its processes."""
        return self._mark

    @property
    def kept(self) -> bool:
        """Say whether there is a keeper, below which something may run."""
        return self._keeper is not None

    def keeper(self) -> Keeper:
        """Return the keeper, another one where it died; others may start something below it. OSError if none starts."""
        if self._keeper is None or not self._keeper.alive:
            self._close_keeper(seconds=0.0)
            self._keeper = Keeper.start(answer_seconds=ANSWER_SECONDS)
        return self._keeper

    def start(self, argv: Sequence[str], folder: Path, env: Mapping[str, str], output: int) -> None:
        """Start a program that reads nothing and writes to the descriptor `output`; NotStartedError says why not."""
        self.code, self.orphaned, self._request, self._ladder = None, False, 0, None
        self._left_behind = False
        null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self.pid = self._launch(argv, folder, env, (null, output, output))
        finally:
            os.close(null)

    def look(self) -> None:
        """Take in what happened since the last look."""
        if self._keeper is None or self.orphaned:
            return
        for report in self._keeper.reports():
            if isinstance(report, Exited) and report.pid == self.pid:
                self.code = os.waitstatus_to_exitcode(report.status)
            elif isinstance(report, FamilyEnded) and report.request == self._request:
                self._request = 0
        if self._keeper.gone:
            self.orphaned, self._request = True, 0

    def lives_on(self, now: float) -> bool:
        """Say whether a program that ended well left something running, as one that goes into the background does."""
        if not self._left_behind or now >= self._next_look:
            self._left_behind = self.anything_left()
            self._next_look = now + _LOOK_SECONDS
        return self._left_behind

    def anything_left(self) -> bool:
        """Say whether something of it runs: a program may end and leave a server behind."""
        table = system_table()
        if self._keeper is not None and not self.orphaned and table.below(self._keeper.pid):
            return True
        return bool(self._marked())

    def end(self, now: float) -> None:
        """Begin to end everything, politely, then by force; `ending` goes on with it."""
        if self._keeper is None or self.orphaned:
            self._ladder = Ladder(self._marked, lambda: not self._marked(), grace=GRACE_SECONDS)
            return
        self._give_up_at = now + ENDING_SECONDS
        self._request = self._keeper.end_family()

    def ending(self, now: float) -> bool:
        """Do what is due; return whether anything is still being ended."""
        self.look()
        if self._request and now >= self._give_up_at:  # the keeper hangs
            self.orphaned, self._request = True, 0
            self.end(now)
        elif self._request == 0 and self.orphaned and self._ladder is None:
            self.end(now)
        if self._ladder is not None and self._ladder.step(now):
            self._ladder = None
            self._close_keeper(seconds=0.0)
            return False
        return bool(self._request) or self._ladder is not None

    def hang_up(self) -> None:
        """Have the keeper end everything by itself, within seconds; nobody waits for it."""
        if self._keeper is not None:
            self._keeper.hang_up()

    def close(self) -> None:
        """Let the keeper go, which ends what is left; may be called again."""
        self._close_keeper(seconds=0.0 if self.orphaned else ENDING_SECONDS)

    def _launch(
        self, argv: Sequence[str], folder: Path, env: Mapping[str, str], descriptors: tuple[int, int, int]
    ) -> int:
        """Start the program, by another keeper where the old one died or hangs."""
        try:
            return self.keeper().launch(argv, folder, env, descriptors)
        except NotStartedError as error:
            if error.stage != "keeper":
                raise
        return self.keeper().launch(argv, folder, env, descriptors)

    def _close_keeper(self, *, seconds: float) -> None:
        """Let the keeper go, or kill it after so many seconds."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.close(seconds)

    def _marked(self) -> Mapping[int, Seen]:
        table = system_table()
        spared = ancestors(table, os.getpid())
        return {pid: seen for pid, seen in table.marked({self._mark}).items() if pid not in spared}
