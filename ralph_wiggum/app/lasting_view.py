"""A view that outlives its screen: when the terminal is closed, or takes nothing any more, the words go to a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from ralph_wiggum.app.events import View
from ralph_wiggum.app.order import Order
from ralph_wiggum.core.evidence import Gate
from ralph_wiggum.core.history import History
from ralph_wiggum.core.journal import Ended, Skipped, Started, Ticked
from ralph_wiggum.core.model import Plan, Task

LAST_SECONDS = 3.0  # a screen that stalls gets to show the last lines


class Stream(Protocol):
    """Where text goes; nothing here raises or blocks."""

    @property
    def gone(self) -> bool:
        """Say whether nobody will ever read it any more."""
        ...

    @property
    def stalled(self) -> bool:
        """Say whether it has taken nothing for a while."""
        ...

    def write(self, text: str) -> int:
        """Take a text."""
        ...

    def flush(self) -> None:
        """Show what it takes."""
        ...

    def drain(self, seconds: float) -> None:
        """Show the rest, for at most so many seconds."""
        ...

    def isatty(self) -> bool:
        """Say whether it is a terminal."""
        ...


class LastingView:
    """Passes each event on to the screen's view, and to that of the log once the screen is gone or while it stalls.

    `hung_up` says whether the terminal was closed (SIGHUP); `farewell` is said on it then, for it may still be there.
    `on_going` is called once, when the evening is over and the loop begins.
    """

    def __init__(
        self,
        screen: Stream,
        view: View,
        log: Stream,
        log_view: View,
        *,
        hung_up: Callable[[], bool] = lambda: False,
        farewell: str = "",
        on_going: Callable[[], None] | None = None,
    ) -> None:
        self._screen = screen
        self._view = view
        self._log = log
        self._log_view = log_view
        self._hung_up = hung_up
        self._farewell = farewell
        self._on_going = on_going
        self._left = False

    def progress(self, plan: Plan, history: History) -> None:
        """Pass it on; the first one says that the evening is over."""
        going, self._on_going = self._on_going, None
        if going is not None:
            going()
        self._tell(lambda view: view.progress(plan, history))

    def started(self, task: Task, started: Started, order: Order) -> None:
        """Pass it on."""
        self._tell(lambda view: view.started(task, started, order))

    def output(self, text: str) -> None:
        """Pass it on to the screen alone: logs of attempts hold it."""
        if not self._left:
            self._view.output(text)

    def gate(self, gate: Gate) -> None:
        """Pass it on."""
        self._tell(lambda view: view.gate(gate))

    def looking(self, task: Task) -> None:
        """Pass it on."""
        self._tell(lambda view: view.looking(task))

    def ended(self, task: Task, ended: Ended) -> None:
        """Pass it on."""
        self._tell(lambda view: view.ended(task, ended))

    def ticked(self, task: Task, ticked: Ticked) -> None:
        """Pass it on."""
        self._tell(lambda view: view.ticked(task, ticked))

    def skipped(self, task: Task, skipped: Skipped) -> None:
        """Pass it on."""
        self._tell(lambda view: view.skipped(task, skipped))

    def waiting(self, reason: str, until: datetime) -> None:
        """Pass it on."""
        self._tell(lambda view: view.waiting(reason, until))

    def note(self, text: str) -> None:
        """Pass it on."""
        self._tell(lambda view: view.note(text))

    def refresh(self) -> None:
        """Draw, send on what a slow screen has not taken yet, notice that it went away."""
        if not self._leave():
            self._view.refresh()
            self._screen.flush()

    def close(self) -> None:
        """Leave the terminal in order."""
        if not self._leave():
            self._view.close()

    def last_words(self, lines: Sequence[str]) -> None:
        """Write the last screen where words go now, as it is; `close` comes first."""
        text = "".join(f"{line}\n" for line in lines)
        if not self._leave():
            self._screen.write(text)
            self._screen.drain(LAST_SECONDS)
        if self._left or self._screen.gone or self._screen.stalled:
            self._log.write(text)

    def _tell(self, event: Callable[[View], None]) -> None:
        if not self._leave():
            event(self._view)
            self._screen.flush()
        if self._leave() or self._screen.stalled:  # the event may be the one that met a closed terminal
            event(self._log_view)

    def _leave(self) -> bool:
        """Give the screen up where that is due; say whether it was given up."""
        if self._left:
            return True
        hung_up = self._screen.isatty() and self._hung_up()
        if self._screen.gone or hung_up:
            if hung_up and self._farewell:
                self._view.note(self._farewell)
            self._view.close()
            self._screen.flush()
            self._left = True
            self._log_view.note("the screen is gone; the run goes on without one")
        return self._left
