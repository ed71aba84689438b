"""Which task of the journal is which of the plan, after a person renumbered, moved or replaced tasks (O8, B2).

The journal knows tasks by their keys, which are their ids. Ids are labels: a person who puts a task in the middle gives
those below it other ones. Without this the next task to bear an id would inherit the failures of the one before.
"""

from __future__ import annotations

from collections.abc import Mapping

from ralph_wiggum.core.history import EMPTY, History, TaskRecord
from ralph_wiggum.core.match import match
from ralph_wiggum.core.model import Plan

GONE = ""


def renumbered(history: History, plan: Plan, before: Plan | None = None) -> Mapping[str, str]:
    """Return the keys of the journal under which another task stands in the plan, each with the key that its has now.

    GONE is for a task that is not there any more while another has its key; one whose key nobody has is left alone.
    `before` is a plan in which the keys were still those of the journal, such as the one held before the last attempt;
    without it, or for what it does not know, names decide. A task that only got other words stays the same. No two
    keys get the same new one.
    """
    names = {key: name for key, record in history.tasks.items() if (name := name_of(record))}
    others = {key: name for key, name in names.items() if key not in plan.by_key or plan.task(key).name != name}
    if not others:
        return {}
    places = _places(before, plan) if before is not None else {}
    akin = {task.name for task in plan.tasks} & {*names.values(), *(name for _, name in places)}
    found: dict[str, str] = {}
    for key, name in others.items():
        known = places.get((key, name))
        found[key] = _by_name(key, name, plan, names) if known is None else known
        if found[key] == key and key in plan.by_key and not akin and not _words(name) & _words(plan.task(key).name):
            found[key] = GONE  # no name is as it was, and no word of this one: that is another plan
    moved = {key: new for key, new in found.items() if new != key and (new or key in plan.by_key)}
    inherited = {new: GONE for new in moved.values() if new in history.tasks and new not in moved}
    return {**_one_each(moved), **inherited}


def name_of(record: TaskRecord) -> str:
    """Return the name of the task that a record is about, as it was last; "" where nothing tells."""
    if record == EMPTY:
        return ""
    last = record.attempts[-1] if record.attempts else None
    told = (record.skipping, record.skipped, record.ticked, record.open, last, record.first)
    return next((entry.name for entry in told if entry is not None and entry.name), "")


def _places(before: Plan, plan: Plan) -> dict[tuple[str, str], str]:
    """Return for key and name of each task of an older plan the key that it has now."""
    pairs = zip(before.tasks, match(before, plan), strict=True)
    return {(task.key, task.name): GONE if place is None else plan.tasks[place].key for task, place in pairs}


def _by_name(key: str, name: str, plan: Plan, names: Mapping[str, str]) -> str:
    same = [task.key for task in plan.tasks if task.name == name]
    if len(same) == 1 and names.get(same[0]) != name:
        return same[0]
    if same or key not in plan.by_key:
        return key  # twins, or nothing to be mistaken for
    others = (each for other, each in names.items() if other != key)
    return GONE if plan.task(key).name in others else key


def _words(name: str) -> set[str]:
    return set(name.casefold().split())


def _one_each(moved: Mapping[str, str]) -> dict[str, str]:
    """Let the first have a new key that several were found for."""
    taken: set[str] = set()
    found: dict[str, str] = {}
    for key, new in moved.items():
        found[key] = GONE if new in taken else new
        taken |= {new} - {GONE}
    return found
