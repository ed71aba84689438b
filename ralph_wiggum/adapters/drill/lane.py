"""Where the commands of one rehearsal run: below a keeper of the drill's own, so that nothing can get away from it.

Everything that waits is a generator that yields while there is nothing to do: two rehearsals share one loop.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from ralph_wiggum.adapters.keeper import Exited, FamilyEnded, Keeper, NotStartedError
from ralph_wiggum.adapters.process_table import Seen
from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.terminal import clean
from ralph_wiggum.ports import Clock

Steps = Generator[None, None, None]

GRACE_SECONDS = 1.0
COMMAND_SECONDS = 60.0
ENDING_SECONDS = 10.0
LOOKS = 3  # at all processes before nothing left is believed: one walk may miss one that is just being orphaned
SAID_BYTES = 16384


class Lane:
    """One keeper and what runs below it. `env` is the whole environment of what is started."""

    def __init__(self, keeper: Keeper, clock: Clock, env: Mapping[str, str]) -> None:
        self._keeper = keeper
        self._clock = clock
        self.env = dict(env)
        self._exits: dict[int, int] = {}
        self._ended: set[int] = set()

    def launch(self, argv: Sequence[str], cwd: Path, screen: Path, env: Mapping[str, str] | None = None) -> int:
        """Start a program with both streams in a file; return its pid. RalphError if it cannot be started.

        `env` is its whole environment, None for the lane's.
        """
        if not self._keeper.alive:
            self._keeper.revive()
        null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        sink = os.open(screen, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            return self._keeper.launch(argv, cwd, self.env if env is None else env, (null, sink, sink))
        except NotStartedError as error:
            raise RalphError(str(error), hint="is it installed?") from error
        finally:
            os.close(null)
            os.close(sink)

    def code(self, pid: int) -> int | None:
        """Return how a program ended, None while it runs: its exit code, or below 0 the signal."""
        self._hear()
        if pid not in self._exits and self._keeper.gone:
            return -9  # whoever killed the drill's keeper has ended this rehearsal
        status = self._exits.get(pid)
        return None if status is None else os.waitstatus_to_exitcode(status)

    def run(self, argv: Sequence[str], cwd: Path, screen: Path, *, codes: Sequence[int] = (0,)) -> Steps:
        """Run a command to its end. RalphError with its last words if it fails or takes longer than a minute."""
        before = screen.stat().st_size if screen.exists() else 0
        pid = self.launch(argv, cwd, screen)
        end = self._clock.monotonic() + COMMAND_SECONDS
        while (code := self.code(pid)) is None and self._clock.monotonic() < end:
            yield
        if code not in codes:
            words = said(screen, before).strip().splitlines()[-1:] or [f"exit code {code}"]
            late = f" did not end within {COMMAND_SECONDS:.0f} s" if code is None else f": {words[0]}"
            raise RalphError(f"{' '.join(argv[:2])}{late}", hint="the drill's copy could not be made")

    def kill(self, pid: int) -> None:
        """Send SIGKILL to a program that was launched here."""
        self._keeper.signal(pid, 9)

    def family(self, marks: Sequence[str] = ()) -> Mapping[int, Seen]:
        """Return what lives below the keeper, and what carries a mark of the runs, for systems without subreaper."""
        table = self._keeper.table
        found = dict(table.below(self._keeper.pid))
        found |= table.marked(marks, below=True) if marks else {}
        return {pid: seen for pid, seen in found.items() if not seen.zombie}

    def left(self, marks: Sequence[str], seconds: float) -> Generator[None, None, tuple[str, ...]]:
        """Wait until nothing lives; return the names of what still does after `seconds`."""
        end = self._clock.monotonic() + seconds
        empty = 0
        while empty < LOOKS:
            family = self.family(marks)
            empty = 0 if family else empty + 1
            if family and self._clock.monotonic() > end:
                return tuple(self._named(pid) for pid in family)
            yield
        return ()

    def clear(self) -> Steps:
        """End all that lives below the keeper; a keeper that hangs is replaced."""
        request = self._keeper.end_family(GRACE_SECONDS)
        end = self._clock.monotonic() + ENDING_SECONDS
        while request not in self._ended and self._clock.monotonic() < end and not self._keeper.gone:
            self._hear()
            yield
        if request not in self._ended:
            self._keeper.revive()

    def close(self) -> None:
        """End all that lives, at once, and the keeper."""
        self._keeper.close()

    def hang_up(self) -> None:
        """Let the keeper end all that lives by itself, without waiting."""
        self._keeper.hang_up()

    def _hear(self) -> None:
        for report in self._keeper.reports():
            match report:
                case Exited(pid, status):
                    self._exits[pid] = status
                case FamilyEnded(request):
                    self._ended.add(request)
                case _:
                    pass

    def _named(self, pid: int) -> str:
        program = self._keeper.table.program(pid)
        return f"{' '.join(program.argv)[:60] or Path(program.exe).name or '?'} (pid {pid})"


def said(screen: Path, since: int = 0) -> str:
    """Return the end of what a program printed, clean; "" where there is nothing."""
    with suppress(OSError), screen.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(since, size - SAID_BYTES))
        return clean(file.read().decode("utf-8", "replace"))
    return ""
