"""Who watches over a running child process: shows its output, obeys signals and ralph-skip (ports.Watcher)."""

from __future__ import annotations

from collections.abc import Callable

from ralph_wiggum.app.events import View
from ralph_wiggum.app.ledger import Ledger


class Attendant:
    """A Watcher for one task's attempt, or for checks when `key` is "".

    `skip_others` carries out what was asked of other tasks at once (O17); the own one ends the attempt first (O38).
    """

    def __init__(
        self,
        view: View,
        ledger: Ledger,
        interrupted: Callable[[], str],
        key: str = "",
        skip_others: Callable[[str], None] | None = None,
    ) -> None:
        self._view = view
        self._ledger = ledger
        self._interrupted = interrupted
        self._key = key
        self._skip_others = skip_others

    def output(self, text: str) -> None:
        """Pass a piece of the child's output to the screen."""
        self._view.output(text)

    def tick(self) -> None:
        """Look at the journal, redraw."""
        if self._ledger.poll() and self._skip_others is not None:
            for key in [key for key in self._ledger.history.asked if key != self._key]:
                self._skip_others(key)
        self._view.refresh()

    def stop_reason(self) -> str | None:
        """Say why the child must end now: a signal, or a person who skipped its task."""
        if reason := self._interrupted():
            return reason
        if self._key and self._key in self._ledger.history.asked:
            return "skipped by a person"
        return None
