"""What stands in the way of a look before anybody was paid for anything: no page named, a command that cannot run."""

from __future__ import annotations

from collections.abc import Sequence

from ralph_wiggum.core.model import Plan, Task
from ralph_wiggum.core.visual import wanted
from ralph_wiggum.core.visual.report import NOWHERE


def obstacle(task: Task, earlier: Sequence[Task], *, pages: bool) -> str:
    """Return why the pages of a visual task can never be looked at, "" where they can.

    `earlier` are the tasks from which it may go on; `pages`: the settings name a page. No agent can change any of it,
    for the text of its task is put back (O17).
    """
    script = wanted.commands_of(task)
    for command in script.commands:
        if command.error:
            return f"`{command.shown}`: {command.error}"
    goes_somewhere = pages or any(command.navigates for command in script.commands)
    return "" if goes_somewhere or wanted.lead_in(task, earlier) else NOWHERE


def earlier_siblings(plan: Plan, task: Task) -> tuple[Task, ...]:
    """Return the tasks before this one with the same parent and headings, in document order."""
    before = plan.tasks[: plan.by_key.get(task.key, 0)]
    return tuple(each for each in before if each.parent == task.parent and each.headings == task.headings)
