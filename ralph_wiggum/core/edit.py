"""Changing one task's state in the text of a tasks.md, and finding a task again after others changed the file (O8)."""

from __future__ import annotations

from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.heads import box, same
from ralph_wiggum.core.model import MARKS, Plan, Task

_NAMED = 5  # candidates in an error


class Moved(RalphError):  # noqa: N818 - says what happened; other parts know it by this name
    """The task cannot be found without doubt in the text as it is now; nothing was written."""


def set_mark(text: str, task: Task, mark: str) -> str:
    """Return the text with the one character between the task's brackets changed, and every other byte kept (O8).

    `task` is of the plan of this text (see `relocate`). Moved if its line is not this task's box any more.
    """
    if mark not in MARKS:
        raise ValueError(f"{mark!r} is no state of a task")
    start = _line_start(text, task.line)
    end = text.find("\n", start) if start >= 0 else -1
    line = "" if start < 0 else text[start:] if end < 0 else text[start:end]
    found = box(line)
    if found is None or not same(found.rest, task):
        raise Moved(f"line {task.line} of tasks.md is no longer task {task.label!r}", hint="it was left as it is")
    at = start + found.offset
    return text if found.mark == mark else text[:at] + mark + text[at + 1 :]


def relocate(task: Task, plan: Plan, before: Plan | None = None) -> Task:
    """Find a task of an older plan in a newer one; Moved, with the lines that came near, if there is any doubt.

    In this order: the same id and name (of several, the one with the same text and headings, then the one in the same
    place among them); the same name under another id, if no other task has it; the same id, unique then and now, under
    another name. `before`, the older plan itself, makes it safer: with it, the place of a deleted task never goes to
    another old one, and twins are told apart by their order as long as their number stays.
    """
    near = [each for each in plan.tasks if each.id == task.id and each.name == task.name]
    if near:
        found = _among_twins(task, near, before)
    else:
        near = [each for each in plan.tasks if each.name == task.name or (task.id and each.id == task.id)]
        found = _renamed(task, plan, before)
    if found is None:
        raise _doubt(task, near)
    return found


def _among_twins(task: Task, twins: list[Task], before: Plan | None) -> Task | None:
    """Choose between tasks with the same id and name, of which there may be only one left."""
    close = [each for each in twins if _looks_like(each, task)]
    if before is not None:
        old = [each for each in before.tasks if each.id == task.id and each.name == task.name]
        if close:
            old = [each for each in old if _looks_like(each, task)]
        chosen = close or twins
        keys = [each.key for each in old]
        return chosen[keys.index(task.key)] if len(old) == len(chosen) and task.key in keys else None
    if len(twins) == 1 or len(close) == 1:
        return (close or twins)[0]
    return next((each for each in close or twins if each.key == task.key and each.mark == task.mark), None)


def _looks_like(each: Task, task: Task) -> bool:
    return each.text == task.text and each.headings == task.headings


def _renamed(task: Task, plan: Plan, before: Plan | None) -> Task | None:
    """Find a task that got another id, or another name: the only one, and by its name no other old task."""
    others = {each.name for each in before.tasks if each.key != task.key} if before is not None else set()
    found = [each for each in plan.tasks if task.name and each.name == task.name]
    if not found and task.id and task.key == task.id:
        found = [each for each in plan.tasks if each.id == task.id]
    return found[0] if len(found) == 1 and found[0].name not in others else None


def _doubt(task: Task, near: list[Task]) -> Moved:
    where = ", ".join(f"line {each.line}: {each.label[:60]}" for each in near[:_NAMED])
    what = f"task {task.label!r} (line {task.line}) cannot be found again in tasks.md"
    return Moved(f"{what}; it may be {where}" if where else what, hint="put its line back, or start again")


def _line_start(text: str, line: int) -> int:
    """Return the offset at which a 1-based line begins, -1 if the text has fewer; only line feeds end a line."""
    parts = text.split("\n", line - 1)
    return len(text) - len(parts[-1]) if len(parts) == line else -1
