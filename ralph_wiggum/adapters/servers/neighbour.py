"""Whoever answers where a server is asked for, and was not started here: the right one, or a stranger."""

from __future__ import annotations

import os

from ralph_wiggum.adapters.servers.addresses import holder
from ralph_wiggum.adapters.servers.place import Place
from ralph_wiggum.adapters.servers.surroundings import Surroundings
from ralph_wiggum.core.servers import target as targets
from ralph_wiggum.core.servers import words
from ralph_wiggum.core.settings import ServerSettings


class Neighbour:
    """Who listens where a server is, as far as that can be found out.

    `pid` is his, 0 if not known; `stranger` says, as a clause, why he seems to belong to another project, "" if nothing
    tells so. A page of another project would prove nothing, so a server that can go to another port goes there.
    """

    def __init__(self, settings: ServerSettings, place: Place, around: Surroundings) -> None:
        self._settings = settings
        self._place = place
        self._root = os.path.realpath(around.root)  # as the system writes folders of processes
        self._marks = around.marks
        self._passed_by = ""
        self.pid = 0
        self.stranger = ""

    def look(self) -> None:
        """Look who it is; whom another command of this project has brought up is no stranger."""
        found = holder(self._place.port_here, self._marks)
        self.pid = found.pid
        self.stranger = "" if self._place.elsewhere else words.stranger(found, self._root)

    def is_passed_by(self) -> bool:
        """Look who it is; return whether the port is left to him, since the server can go to another one."""
        self.look()
        passed_by = bool(self.stranger) and targets.movable(self._settings)
        name, port = self._settings.name, self._place.port
        self._passed_by = words.passed_by(name, port, self.stranger) if passed_by else ""
        return passed_by

    def forget(self) -> str:
        """Forget him: a server of ours is up. Returns what the log is told, "" if nothing."""
        told, self._passed_by = self._passed_by, ""
        self.pid, self.stranger = 0, ""
        return told

    def warning(self) -> str:
        """Return what the log is told of one who was adopted, "" if nothing."""
        where = words.place(self._place.url, self._place.port)
        return words.adopted(self._settings.name, where, self.stranger) if self.stranger else ""

    def holds(self, answer: str) -> str:
        """Return why the server was not started: he holds its port, and is not ready. `answer` is what he does."""
        return words.held(self._settings, holder(self._place.port_here), answer)
