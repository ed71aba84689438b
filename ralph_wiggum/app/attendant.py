"""Who watches over a running child process: shows its output, obeys signals and ralph-skip (ports.Watcher)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from ralph_wiggum.app.ledger import Ledger
from ralph_wiggum.app.order import Ports


class Attendant:
    """A Watcher for one task's attempt, or for checks when `key` is "".

    `skip_others` carries out what was asked of other tasks at once (O17); the own one ends the attempt first (O38).
    Servers are tended meanwhile: one that dies under an agent's hands is started again (O23).
    """

    def __init__(
        self, ports: Ports, ledger: Ledger, key: str = "", skip_others: Callable[[str], None] | None = None
    ) -> None:
        self._ports = ports
        self._view = ports.view
        self._ledger = ledger
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
        tend(self._ports, self._ledger)
        self._view.refresh()

    def stop_reason(self) -> str | None:
        """Say why the child must end now: a signal, `ralph stop --now`, or a person who skipped its task."""
        if reason := self._ports.interrupted():
            return reason
        if (stop := self._ledger.history.stop) is not None and stop.now:
            return "ralph stop --now"
        if self._key and self._key in self._ledger.history.asked:
            return "skipped by a person"
        return None


def tend(ports: Ports, ledger: Ledger) -> None:
    """Have the servers looked after; what happened to one is shown and noted.

    A full disk takes the note, not the attempt in the middle of which it was to be written.
    """
    for words in ports.servers.tend():
        ports.view.note(words)
        with suppress(OSError):
            ledger.note(words)
