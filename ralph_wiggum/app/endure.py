"""Never stop (O12): what to do when a step of the loop itself fails, from a full disk to a bug."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from ralph_wiggum.app.order import Ports
from ralph_wiggum.core.errors import Exit, RalphError
from ralph_wiggum.core.sizes import span

T = TypeVar("T")

BACK_OFF_SECONDS = (1.0, 5.0, 30.0, 120.0, 300.0)
STUCK = 5  # the same bug so often in a row: the task at hand makes way
PATIENCE = 12 * 12  # at five minutes each: half a day of a full disk or an unreadable spec


@dataclass(slots=True)
class Trouble:
    """How often in a row the loop could not take a step, why the last time, and since when."""

    count: int = 0
    reason: str = ""
    since: float = 0.0  # seconds on the monotonic clock: when it began


class Endurance:
    """Runs steps; what they raise is said, waited out and tried again, longer each time."""

    def __init__(
        self,
        ports: Ports,
        report: Callable[[BaseException], str],
        distrust: Callable[[], None] = lambda: None,
        set_aside: Callable[[str], None] = lambda _: None,
        meanwhile: Callable[[], None] = lambda: None,
        over: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._ports = ports
        self._report = report
        self._distrust = distrust  # told of each failure: what was half done has to be looked at again
        self._set_aside = set_aside  # told when a bug of ours strikes again and again
        self._meanwhile = meanwhile  # called while it waits: servers are not left alone for minutes
        self._over = over  # told what it was and how long it lasted: while a disk is full nothing can be written down
        self.trouble = Trouble()

    def take(self, step: Callable[[], T]) -> T | None:
        """Take a step; return None if it failed (after waiting) and should be tried again.

        An error with another exit code than bad input (the lock was lost) ends the run: it goes up. So does every
        error once patience is at its end, so that a run that can do nothing does not wait for ever.
        """
        try:
            result = step()
        except Exception as error:  # O12: no unknown error ends the loop
            if isinstance(error, RalphError) and error.code is not Exit.BAD_INPUT:
                raise
            self._distrust()
            self._weather_out(error)
            return None
        self._look_back()
        return result

    def _look_back(self) -> None:
        trouble, self.trouble = self.trouble, Trouble()
        if trouble.count:
            lasted = span(self._ports.clock.monotonic() - trouble.since)
            with suppress(OSError, RalphError):  # the trouble may be back
                self._over(f"could not go on for {lasted}: {trouble.reason}")

    def _weather_out(self, error: Exception) -> None:
        if not self.trouble.count:
            self.trouble.since = self._ports.clock.monotonic()
        self.trouble.count += 1
        if self.trouble.count > PATIENCE:
            raise error
        reason = describe(error)
        ours = not isinstance(error, (RalphError, OSError))
        if ours and self.trouble.count >= STUCK and reason == self.trouble.reason:
            self._set_aside(reason)
        if reason != self.trouble.reason:
            self.trouble.reason = reason
            kept = self._report(error) if ours else ""
            self._ports.view.note(f"could not go on: {reason}{kept}; trying again")
        seconds = BACK_OFF_SECONDS[min(self.trouble.count - 1, len(BACK_OFF_SECONDS) - 1)]
        self._ports.clock.pause(seconds, self._wake)

    def _wake(self) -> bool:
        with suppress(Exception):  # this is where trouble is waited out: it must not make more
            self._meanwhile()
        return bool(self._ports.interrupted())


def describe(error: BaseException) -> str:
    """Return an error in one line: what is wrong and, where there is one, what to do.

    >>> describe(KeyError("1.2")), describe(MemoryError())
    ("KeyError: '1.2'", 'MemoryError')
    """
    hint = f" ({error.hint})" if isinstance(error, RalphError) and error.hint else ""
    name = "" if isinstance(error, (RalphError, OSError)) else type(error).__name__
    return ": ".join(filter(None, (name, f"{error}{hint}"))).replace("\n", " ")
