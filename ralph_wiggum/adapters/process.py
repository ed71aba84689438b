"""The only door to child processes: start one below the keeper, watch it in one loop, end its whole family."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from ralph_wiggum.adapters.keeper import FamilyEnded, Keeper, NotStartedError
from ralph_wiggum.adapters.process_loop import ENDING_SECONDS, LOOK_SECONDS, Ended, RunLoop, Source, Start
from ralph_wiggum.adapters.process_table import MARK
from ralph_wiggum.core.commands import Rules as CommandRules
from ralph_wiggum.core.evidence import Ending
from ralph_wiggum.ports import Clock, Limits, Watcher

__all__ = ["Ended", "Family", "Source", "Start"]


class Family:
    """Runs one program at a time, with all its descendants, below the keeper.

    `wakeup` is a non-blocking descriptor that becomes readable on a signal: the loop then asks for stop reasons at
    once. A keeper that died is replaced at the next start. `lasting`: what a program leaves behind when it ends by
    itself goes on, as if each `run` had asked for that.
    """

    def __init__(self, keeper: Keeper, clock: Clock, wakeup: int | None = None, *, lasting: bool = False) -> None:
        self.keeper = keeper
        self._clock = clock
        self._wakeup = wakeup
        self._lasting = lasting

    def below(self, keeper: Keeper) -> Family:
        """Return a family below another keeper, with the same clock and wake-up, in which what is left behind lasts."""
        return Family(keeper, self._clock, self._wakeup, lasting=True)

    def run(
        self,
        start: Start,
        sources: Sequence[Source],
        limits: Limits,
        watcher: Watcher,
        *,
        watch_commands: bool = True,
        files_token: Callable[[], str] | None = None,
        lasting: bool = False,
    ) -> Ended:
        """Run a program to its end and return when nothing of its family is alive (or `error` says what is).

        The end is that of the process, not of its output. What comes after the agent's end, or after the runner
        began to stop it, is read and thrown away. The sources are closed. `lasting`: what the program leaves behind
        when it ends by itself goes on until `end` is called; where it had to be stopped, all of its family ends.
        """
        try:
            commands = CommandRules.of(limits) if watch_commands else None
            pid = self._launch(start)
            mark = start.env.get(MARK)
            loop = RunLoop(self.keeper, self._clock, watcher, pid=pid, folder=start.cwd, mark=mark, wakeup=self._wakeup)
            return loop.run(sources, limits, commands, files_token, lasting=lasting or self._lasting)
        except NotStartedError as error:
            return Ended(ending=Ending.NOT_STARTED, error=str(error))
        except KeyboardInterrupt:  # a second signal: at once; the keeper ends the family without us
            self.keeper.hang_up()
            raise
        except BaseException:
            self.end()
            raise
        finally:
            for source in sources:
                source.close()

    def end(self) -> None:
        """End everything below the keeper and wait for it; may be called at any time, again too."""
        if not self.keeper.alive:
            return
        request = self.keeper.end_family()
        end = self._clock.monotonic() + ENDING_SECONDS
        while self.keeper.alive and self._clock.monotonic() < end:
            if any(isinstance(report, FamilyEnded) and report.request == request for report in self.keeper.reports()):
                return
            self._clock.pause(LOOK_SECONDS, lambda: False)
        self.keeper.close(seconds=0.0)

    def _launch(self, start: Start) -> int:
        """Start the program, by another keeper where the old one died or hangs, and close our descriptors."""
        descriptors = (start.stdin, start.stdout, start.stderr)
        try:
            if not self.keeper.alive:
                self.keeper.revive()
            try:
                return self.keeper.launch(start.argv, start.cwd, start.env, descriptors, terminal=start.terminal)
            except NotStartedError as error:
                if error.stage != "keeper":
                    raise
            self.keeper.revive()
            return self.keeper.launch(start.argv, start.cwd, start.env, descriptors, terminal=start.terminal)
        finally:
            for descriptor in set(descriptors):
                os.close(descriptor)
