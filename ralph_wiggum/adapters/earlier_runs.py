"""What earlier runs in a work tree left behind when they and their keepers were killed: found and ended (B2)."""

from __future__ import annotations

from ralph_wiggum.adapters import keeper
from ralph_wiggum.adapters.browser import leftovers
from ralph_wiggum.adapters.journal_file import read_journal
from ralph_wiggum.adapters.project import STATE, Project
from ralph_wiggum.adapters.run_lock import Holder
from ralph_wiggum.core.history import History


def sweep_earlier(project: Project, previous: Holder | None) -> int:
    """End what is left, by the marks of all runs that are known here; return how many processes.

    `previous` is who held the lock and did not let go in order: its keeper, if it lives, is waited for.
    """
    history = History(read_journal(project.journal_file)[0])
    marks = {history.run.run} if history.run is not None and history.ended is None else set()
    marks |= {folder.name for folder in (project.root / STATE).glob("*/runs/*")}  # of any spec, however long ago
    if previous is not None and previous.run:
        marks.add(previous.run)
        if previous.keeper:
            keeper.wait_for(f"{previous.keeper}@{previous.keeper_began}")
    found = keeper.sweep(marks, below=True).found if marks else 0
    for run in marks:
        leftovers.remove(run)
    return found
