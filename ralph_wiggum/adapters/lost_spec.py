"""`.kiro/` or parts of it went away in the middle of an attempt, together with the runner: put back before a start.

The settings lie in there, so this comes before they are read. tasks.md follows when the plan is read (`lost_plan`).
"""

from __future__ import annotations

import os
from pathlib import Path

from ralph_wiggum.adapters.lost_plan import was_cut_off
from ralph_wiggum.adapters.project import held_projects
from ralph_wiggum.adapters.run_lock import holder
from ralph_wiggum.adapters.spec_guard import SpecGuard


def put_back_lost(root: Path) -> tuple[str, ...]:
    """Put back what the attempts that were cut off in this project took away; return words, one a thing.

    Nothing while a run is on, which does it itself, and nothing after a run that ended: what goes away then is the
    person's wish. Costs microseconds where all is there.
    """
    words: list[str] = []
    for project in held_projects(root):
        if os.access(root, os.X_OK) and SpecGuard(project).is_whole():
            continue
        if was_cut_off(project) and holder(root) is None:
            words.extend(SpecGuard(project).put_back())
    return tuple(words)
