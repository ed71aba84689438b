"""The plan of a spec while another process works on it: parsed again only when a file has changed; writes nothing."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from ralph_wiggum.adapters.plan_file import decode_tasks, load_plan, read_plan_file
from ralph_wiggum.adapters.project import HELD, Project
from ralph_wiggum.adapters.whole_file import read_file
from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.model import Plan

Signature = tuple[int, int, int]


class PlanWatch:
    """Looks at tasks.md again and again. While an attempt goes on, what its agent does to the marks does not count."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._seen: tuple[Signature | None, Signature | None, str] | None = None
        self._plan: Plan | None = None

    def plan(self, current: str = "") -> Plan:
        """Return the plan as it is now; `current` is the key of the task that an agent works on.

        A tasks.md that cannot be read for the moment leaves the last plan standing; RalphError if there was none.
        """
        held = self._project.state / HELD
        now = (_signature(self._project.tasks_file), _signature(held) if current else None, current)
        if self._plan is not None and now == self._seen:
            return self._plan
        try:
            self._plan = self._read(held, current)
        except RalphError:
            if self._plan is None:
                raise
        self._seen = now
        return self._plan

    def _read(self, held: Path, current: str) -> Plan:
        content = read_plan_file(self._project)
        if current:
            content = _protected(held, content, current)
        plan = load_plan(self._project.plan_file, content)
        if plan is None:
            from ralph_wiggum.core.parse import parse  # noqa: PLC0415 - 40 ms, only where the cache has nothing

            plan = parse(decode_tasks(content, self._project.tasks_file))
        return plan


def _protected(held: Path, content: bytes, current: str) -> bytes:
    """Return what tasks.md will hold once the attempt at hand is over (O17)."""
    with suppress(OSError, UnicodeDecodeError):
        before = read_file(held)
        if before and before != content:
            from ralph_wiggum.core.protect import protect  # noqa: PLC0415 - it loads the parser

            return protect(before.decode(), content.decode(), current).text.encode()
    return content


def _signature(path: Path) -> Signature | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - cheaper than Path, several times a second
    except OSError:
        return None
    return (found.st_ino, found.st_size, found.st_mtime_ns)
