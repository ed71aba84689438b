"""A plan as JSON, so that `ralph-status` need not load the parser. Task texts are left out."""

from __future__ import annotations

import json
from typing import Any

from ralph_wiggum.core.model import Plan, Task, Warned

VERSION = 1  # raise it whenever a field of Task or its meaning changes


def dump(plan: Plan) -> str:
    """Return a plan as one line of JSON, without the texts of its tasks."""
    headings: dict[tuple[str, ...], int] = {}
    tasks = [
        [
            *(task.key, task.id, task.name, task.mark, task.line, task.level, task.parent),
            *(task.optional, task.checkpoint, task.visual, headings.setdefault(task.headings, len(headings))),
        ]
        for task in plan.tasks
    ]
    warnings = [[warned.line, warned.message] for warned in plan.warnings]
    whole = {"v": VERSION, "headings": list(headings), "tasks": tasks, "warnings": warnings}
    return json.dumps(whole, ensure_ascii=True, separators=(",", ":"))


def load(text: str) -> Plan | None:
    """Return the plan that `dump` wrote; None for one of another version and for anything else."""
    try:
        whole = json.loads(text)
        if whole["v"] != VERSION:
            return None
        headings = [tuple(each) for each in whole["headings"]]
        tasks = [_task(index, row, headings) for index, row in enumerate(whole["tasks"])]
        return Plan.of(tasks, [Warned(line=line, message=message) for line, message in whole["warnings"]])
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return None


def _task(index: int, row: list[Any], headings: list[tuple[str, ...]]) -> Task:
    key, ident, name, mark, line, level, parent, optional, checkpoint, visual, heading = row
    return Task(
        index=index,
        key=key,
        id=ident,
        name=name,
        mark=mark,
        line=line,
        level=level,
        parent=parent,
        optional=optional,
        checkpoint=checkpoint,
        visual=visual,
        headings=headings[heading],
    )
