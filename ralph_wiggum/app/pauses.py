"""Waits of a run: written down with their reason and their end, ended early by whoever asks for the end (O12)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from ralph_wiggum.app.attendant import tend
from ralph_wiggum.app.ledger import Ledger
from ralph_wiggum.app.order import Order, Ports
from ralph_wiggum.core.journal import Waiting, WentOn


class Pauses:
    """Waits, counting nothing. Servers are tended meanwhile, and wishes of a person are heard.

    `obey` carries out what ralph-skip asks for, which is not to wait for the end of a wait (O17). `idle` says whether
    nothing is left to do, after a skip or an edit of tasks.md: then no wait goes on.
    """

    def __init__(
        self,
        ports: Ports,
        ledger: Ledger,
        order: Order,
        obey: Callable[[], None] = lambda: None,
        idle: Callable[[], bool] = lambda: False,
    ) -> None:
        self._ports = ports
        self._ledger = ledger
        self._order = order
        self._obey = obey
        self.idle = idle

    def wait(self, reason: str, until: datetime, over: Callable[[], bool] = lambda: False) -> bool:
        """Wait until a time of day, or until `over()`; False if the run is to end.

        Time that the machine sleeps counts, for it is the wall clock that is waited for (B1, B7); but a clock that is
        set back makes no wait longer than it was to be.
        """
        seconds = max(0.0, (until - self._ports.clock.now()).total_seconds())
        moment = until.isoformat(timespec="seconds")
        self._ledger.record(Waiting(reason=reason, seconds=round(seconds, 3), until=moment))
        self._ports.view.waiting(reason, until)
        self._ledger.status(self._order.spec, self._ports.spec.plan(), "Running")  # it says Waiting, and until when
        self._ports.clock.pause(seconds, lambda: self._wake(until) or over())
        self._ledger.record(WentOn(reason=reason))
        return not self._must_end()

    def _wake(self, until: datetime) -> bool:
        self._ledger.poll()
        if self._ledger.history.asked:
            self._obey()
        tend(self._ports, self._ledger)
        self._ports.view.refresh()
        return self._must_end() or self._ports.clock.now() >= until or self.idle()

    def _must_end(self) -> bool:
        limit = self._order.until
        asked = bool(self._ports.interrupted()) or self._ledger.history.stop is not None
        return asked or (limit is not None and self._ports.clock.now() >= limit)
