"""Where one server is, or is to be: its port, its URL, and whom to ask there."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from ralph_wiggum.adapters.servers.addresses import Names, free_port, is_free, is_here
from ralph_wiggum.adapters.servers.probe import Asked, Probe, Question
from ralph_wiggum.adapters.servers.server_log import ServerLog
from ralph_wiggum.core.servers import target as targets
from ralph_wiggum.core.servers.answer import Answer, Kind
from ralph_wiggum.core.servers.target import Target
from ralph_wiggum.core.settings import ServerSettings


class Place:
    """The port that a server wants, or another one that it was moved to.

    `taken` are the ports that were given out, to all servers of a set; `elsewhere` returns the URLs ("" for none) by
    name of what another ralph command has brought up for this project.
    """

    def __init__(
        self, settings: ServerSettings, names: Names, taken: set[int], elsewhere: Callable[[], Mapping[str, str]]
    ) -> None:
        self._settings = settings
        self._names = names
        self._taken = taken
        self._all_elsewhere = elsewhere
        self._elsewhere: str | None = None
        self._pattern = re.compile(settings.ready.log) if settings.ready.log else None
        self._port = targets.port_of(settings)

    @property
    def port(self) -> int:
        """Return the port where it is, 0 if that is not known."""
        target = targets.of_url(self._elsewhere or "")
        return target.port if target is not None else self._port

    @property
    def listens(self) -> str:
        """Return "host:port" where that is all that is known, else ""."""
        return targets.listens(self._settings, self._port)

    @property
    def elsewhere(self) -> bool:
        """Say whether it is where another ralph command has brought it up."""
        return self._elsewhere is not None

    @property
    def port_here(self) -> int:
        """Return the port of this machine where it is asked for, 0 if there is none: somebody here listens on it."""
        target = targets.of_url(self._elsewhere or "") or self._theirs
        return target.port if target is not None and is_here(target.host) else 0

    @property
    def url(self) -> str:
        """Return the URL where it is, "" if it has none."""
        wanted = targets.page(self._settings)
        return self._elsewhere or targets.on_port(wanted, targets.port_of(self._settings), self._port)

    @property
    def askable(self) -> bool:
        """Say whether one can ask for it before it was started."""
        return self._elsewhere is not None or targets.before_start(self._settings) is not None

    def begin_anew(self) -> None:
        """Go back to the wanted port, or to where another command has it."""
        self._elsewhere = self._all_elsewhere().get(self._settings.name)
        self._port = targets.port_of(self._settings)

    def leave_elsewhere(self) -> bool:
        """Forget where another command has had it; return whether there was such a place."""
        there, self._elsewhere = self._elsewhere, None
        return there is not None

    def choose_port(self) -> None:
        """Stay on the port where it was, go to the wanted one or to a free one. OSError where none is free."""
        self._elsewhere = None
        if not targets.movable(self._settings):
            return
        known = (self._port, targets.port_of(self._settings))
        self._port = next((port for port in known if is_free(port)), 0) or free_port(self._taken)
        self._taken.add(self._port)

    def ask_theirs(self, now: float) -> Question:
        """Ask whether somebody else has it up."""
        if self._elsewhere is None:
            return self._probe(self._theirs, now)
        target = targets.of_url(self._elsewhere)
        if target is not None:
            return self._probe(target, now)
        there = self._settings.name in self._all_elsewhere()  # it has no page: the record of that command answers
        return Asked(Answer(Kind.GOOD) if there else Answer(Kind.ABSENT, "`ralph servers up` has ended"))

    def ask_ours(self, log: ServerLog, now: float) -> Question:
        """Ask whether the one that was started here is up; where a line tells it, its page is asked from then on."""
        if self._pattern is None:
            return self._probe(targets.moved(targets.wanted(self._settings), self._port), now)
        if not log.matches(self._pattern):
            return Asked(Answer(Kind.ABSENT, f"printed no line like {self._pattern.pattern!r}"))
        page = targets.after_its_line(self._settings)
        return self._probe(page, now, started_here=True) if page is not None else Asked(Answer(Kind.GOOD))

    def unless_bound(self, answer: Answer) -> Answer:
        """Return the answer, or that of somebody who holds the port without listening on it."""
        if not self._port or is_free(self._port):
            return answer
        return Answer(Kind.SILENT, "does not listen on it")

    @property
    def _theirs(self) -> Target | None:
        return targets.moved(targets.before_start(self._settings), self._port)

    def _probe(self, target: Target | None, now: float, *, started_here: bool = False) -> Question:
        if target is None:
            return Asked(Answer(Kind.ABSENT, "cannot be asked"))
        addresses = self._names.addresses(target.host, target.port)
        if not addresses:
            return Asked(Answer(Kind.ABSENT, f"the host {target.host} is not known"))
        expected = targets.expected(self._settings, started_here=started_here)
        return Probe(target, addresses, expected=expected, timeout=self._settings.request_timeout, now=now)
