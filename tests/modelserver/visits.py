"""What was asked before: the only memory of the server, kept for each scenario's name."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from tests.modelserver.scenario import Scenario


@dataclass(slots=True)
class _Seen:
    tasks: list[str] = field(default_factory=list)
    requests: int = 0


@dataclass(slots=True)
class Visits:
    """Counts the requests and the tasks of each scenario; threads may share it."""

    _seen: dict[str, _Seen] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def mode(self, scenario: Scenario, task: str) -> str:
        """Return the mode that holds for a request now, and count it.

        `task` is the prompt of the task, or "" for a request that does no task (a title, a choice of model): such a
        request is not counted, and only ever meets what the scenario has come to.
        """
        with self._lock:
            seen = self._seen.setdefault(scenario.name, _Seen())
            if task and task not in seen.tasks:
                seen.tasks.append(task)
            place = seen.tasks.index(task) if task else len(seen.tasks) - 1
            if scenario.after and place < scenario.after:
                return "ok"
            if not task:
                return scenario.mode
            seen.requests += 1
            return scenario.first if seen.requests <= scenario.n else scenario.mode
