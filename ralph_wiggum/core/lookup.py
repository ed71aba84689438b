"""A task as a person names it -> the task, or words that help (O30)."""

from __future__ import annotations

from collections.abc import Sequence

from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.model import Plan, Task

SHOWN = 10


def find_task(plan: Plan, wanted: str, tasks_path: str = "tasks.md") -> Task:
    """Return the task with this key or id.

    RalphError lists the candidates with their lines where the id stands for several, near ids where it stands for
    none.
    """
    name = wanted.strip()
    if name in plan.by_key:
        return plan.task(name)
    name = name.rstrip(".").casefold()
    found = [task for task in plan.tasks if name and name in {task.id.casefold(), task.key.casefold()}]
    if len(found) == 1:
        return found[0]
    if found:
        raise RalphError(
            f"{wanted!r} stands for {len(found)} tasks: {_candidates(found, tasks_path)}",
            hint=f"name one by its key, such as {found[0].key}",
        )
    raise _unknown(plan, wanted, tasks_path)


def _unknown(plan: Plan, wanted: str, tasks_path: str) -> RalphError:
    import difflib  # noqa: PLC0415 - 4 ms, only on the way out

    if not plan.tasks:
        return RalphError(f"no task {wanted!r}: there are no tasks in {tasks_path}", hint="write some first")
    by_name = {label: task for task in plan.tasks for label in (task.key, task.id, task.name) if label}
    near = difflib.get_close_matches(wanted, by_name, n=5, cutoff=0.5)
    near += [task.key for task in plan.tasks if task.id.startswith(f"{wanted}.")][:SHOWN]
    tasks = list({by_name[label].index: by_name[label] for label in near if label in by_name}.values())
    hint = (
        f"near it: {_candidates(tasks, tasks_path)}" if tasks else "`ralph-status SPEC --json --tasks` lists all keys"
    )
    return RalphError(f"no task {wanted!r} in {tasks_path}", hint=hint)


def _candidates(tasks: Sequence[Task], tasks_path: str) -> str:
    shown = "; ".join(f"{task.key} ({tasks_path}:{task.line}: {task.name[:60]})" for task in tasks[:SHOWN])
    return shown + (f"; and {len(tasks) - SHOWN} more" if len(tasks) > SHOWN else "")
