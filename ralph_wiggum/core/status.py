"""Plan and history -> what ralph-status says: figures, and the JSON of the contract (O30).

Imported at every start of `ralph-status`, so it stays light.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from ralph_wiggum.core.history import TICKED, History
from ralph_wiggum.core.journal import Ended, Skipped, Ticked
from ralph_wiggum.core.model import DONE_MARKS, IN_PROGRESS, OPEN, QUEUED, SKIPPED, Plan, Task, Warned
from ralph_wiggum.core.select import next_checkpoint, next_task
from ralph_wiggum.core.spent import Spent
from ralph_wiggum.core.spent_words import as_data

RECENT = 10


class Counts(NamedTuple):
    """How many tasks are in which state. All but `optional_open` and the totals by level count required leaves."""

    total: int = 0
    completed: int = 0
    skipped: int = 0
    in_progress: int = 0
    queued: int = 0
    open: int = 0
    optional_open: int = 0
    top_level: tuple[int, int] = (0, 0)  # all, completed; required tasks
    sub_tasks: tuple[int, int] = (0, 0)

    @property
    def percent(self) -> float:
        """Return how much is complete, 0 to 100, one decimal; 100 only when nothing is missing."""
        if not self.total:
            return 0.0
        exact = 100 * self.completed / self.total
        return round(exact, 1) if self.completed == self.total else min(round(exact, 1), 99.9)


class RunState(NamedTuple):
    """What a run is doing: idle, running, waiting, paused or stopping; no pid where nothing runs."""

    state: str = "idle"
    pid: int | None = None
    iteration: int = 0


class SkippedTask(NamedTuple):
    """A task that stands as `[S]`; the reason is "" where the journal knows none."""

    task: Task
    reason: str = ""


class Happened(NamedTuple):
    """One line of recent activity; `time` is ISO, `status` "complete", "failed", "skipped" or "interrupted"."""

    time: str
    id: str
    name: str
    status: str


class Status(NamedTuple):
    """Everything that ralph-status says of a spec. `recent` is newest first; `tasks_path` is for warnings.

    `standing` are labels and words of what a live run waits for, whom it leaves alone, whether it stops (run_words).
    `spent` is what the agents of the last run used, `spent_before` those of the runs before it.
    """

    spec: str
    tasks_path: str
    plan: Plan
    counts: Counts
    unverified: int
    next: Task | None
    current: Task | None
    last_completed: Task | None
    checkpoint: tuple[Task, int] | None
    skipped: tuple[SkippedTask, ...]
    recent: tuple[Happened, ...]
    run: RunState
    warnings: tuple[Warned, ...]
    visual_patterns: tuple[str, ...]
    standing: tuple[tuple[str, str], ...] = ()
    spent: Mapping[str, Spent] = MappingProxyType({})
    spent_before: Mapping[str, Spent] = MappingProxyType({})


def count(plan: Plan) -> Counts:
    """Count the tasks of a plan by their marks."""
    marks = [plan.tasks[index].mark for index in plan.required_leaves]
    completed = _completed(marks)
    required = [task for task in plan.tasks if task.index not in plan.left_alone]
    top = [task.mark for task in required if task.level == 1]
    below = [task.mark for task in required if task.level > 1]
    optional_open = sum(plan.tasks[i].mark == OPEN and not plan.children[i] for i in plan.left_alone)
    return Counts(
        total=len(marks),
        completed=completed,
        skipped=marks.count(SKIPPED),
        in_progress=marks.count(IN_PROGRESS),
        queued=marks.count(QUEUED),
        open=marks.count(OPEN),
        optional_open=optional_open,
        top_level=(len(top), _completed(top)),
        sub_tasks=(len(below), _completed(below)),
    )


def run_state(history: History, pid: int | None, noted: str = "") -> RunState:
    """Return what the run of this spec does; `pid` is that of a live runner, `noted` what it said of itself.

    It is stopping from the wish of `ralph stop` on, although the attempt at hand may go on for minutes.
    """
    if pid is None:
        paused = history.ended is not None and history.ended.state.startswith("paused")
        return RunState(state="paused" if paused else "idle")
    state = "stopping" if history.stop is not None else "waiting" if history.waiting is not None else "running"
    return RunState(noted or state, pid, history.iterations)


def summarise(
    plan: Plan,
    history: History,
    run: RunState,
    visual_patterns: Sequence[str] = (),
    *,
    spec: str,
    tasks_path: str = "tasks.md",
    standing: tuple[tuple[str, str], ...] = (),
) -> Status:
    """Return the status of a spec from its plan, its journal and its run."""
    return Status(
        spec=spec,
        tasks_path=tasks_path,
        plan=plan,
        counts=count(plan),
        unverified=len(unverified(plan, history)),
        next=next_task(plan),
        current=_current(plan, history, run),
        last_completed=_last_completed(plan, history),
        checkpoint=next_checkpoint(plan),
        skipped=skipped_tasks(plan, history),
        recent=tuple(_recent(history)),
        run=run,
        warnings=plan.warnings,
        visual_patterns=tuple(visual_patterns),
        standing=standing,
        spent=history.spent,
        spent_before=history.spent_before,
    )


def unverified(plan: Plan, history: History) -> tuple[Task, ...]:
    """Return the required leaves that the runner completed although no check could prove them."""
    return tuple(
        task
        for task in plan.tasks
        if task.index in plan.required_leaves and task.done and _ticked_unproved(history, task)
    )


def skipped_tasks(plan: Plan, history: History) -> tuple[SkippedTask, ...]:
    """Return all tasks that stand as `[S]`, with the reasons that the journal knows."""
    found = []
    for task in plan.tasks:
        if task.mark == SKIPPED:
            skipped = history.of(task.key).skipped
            found.append(SkippedTask(task, skipped.reason if skipped else ""))
    return tuple(found)


def as_json(status: Status, *, tasks: bool = False) -> dict[str, Any]:
    """Return the contract's object (design, part 2); with `tasks` also every task in document order.

    Once an agent has run it has one more key, `cost`.
    """
    counts = status.counts
    data: dict[str, Any] = {
        "spec": status.spec,
        "total": counts.total,
        "completed": counts.completed,
        "skipped": counts.skipped,
        "in_progress": counts.in_progress,
        "queued": counts.queued,
        "open": counts.open,
        "optional_open": counts.optional_open,
        "unverified": status.unverified,
        "top_level": {"total": counts.top_level[0], "completed": counts.top_level[1]},
        "percent": counts.percent,
        "next": _place(status.next),
        "current": _place(status.current),
        "last_completed": _place(status.last_completed),
        "next_checkpoint": _checkpoint(status.checkpoint),
        "skipped_tasks": [{"id": s.task.id, "name": s.task.name, "reason": s.reason} for s in status.skipped],
        "recent": [happened._asdict() for happened in status.recent],
        "run": status.run._asdict(),
        "warnings": [{"line": warned.line, "message": warned.message} for warned in status.warnings],
    }
    if status.spent or status.spent_before:
        data["cost"] = as_data(status.spent, status.spent_before)
    if tasks:
        data["tasks"] = _tasks(status.plan, status.visual_patterns)
    return data


def _completed(marks: Sequence[str]) -> int:
    return sum(marks.count(mark) for mark in DONE_MARKS)


def _ticked_unproved(history: History, task: Task) -> bool:
    record = history.of(task.key)
    return record.settled == TICKED and record.ticked is not None and not record.ticked.verified


def _current(plan: Plan, history: History, run: RunState) -> Task | None:
    """Return the task that a run works on; without one the leaf that was left in progress."""
    started = history.current
    if run.pid is not None and started is not None and started.key in plan.by_key:
        return plan.task(started.key)
    return next((t for t in plan.tasks if t.mark == IN_PROGRESS and t.index in plan.required_leaves), None)


def _last_completed(plan: Plan, history: History) -> Task | None:
    """Return what the journal saw completed last and still is, else the last completed leaf of the document."""
    for entry in reversed(history.recent):
        if (
            isinstance(entry, Ticked)
            and entry.how != "parent"
            and entry.key in plan.by_key
            and plan.task(entry.key).done
        ):
            return plan.task(entry.key)
    done = (task for task in reversed(plan.tasks) if task.done and not plan.children[task.index])
    return next(done, None)


def _recent(history: History) -> Iterable[Happened]:
    """Yield what happened, newest first; a passed attempt is told by its tick."""
    shown = 0
    for entry in reversed(history.recent):
        if isinstance(entry, Ended) and entry.result == "passed":
            continue
        yield Happened(entry.at, entry.id, entry.name, _word(entry))
        shown += 1
        if shown == RECENT:
            return


def _word(entry: Ended | Ticked | Skipped) -> str:
    match entry:
        case Ticked():
            return "complete"
        case Skipped():
            return "skipped"
        case Ended():
            return entry.result


def _place(task: Task | None) -> dict[str, Any] | None:
    return None if task is None else {"id": task.id, "name": task.name, "line": task.line}


def _checkpoint(found: tuple[Task, int] | None) -> dict[str, Any] | None:
    if found is None:
        return None
    task, away = found
    return {"id": task.id, "name": task.name, "tasks_away": away}


def _tasks(plan: Plan, visual_patterns: Sequence[str]) -> list[dict[str, Any]]:
    from ralph_wiggum.core.classify import is_visual  # noqa: PLC0415 - only --tasks needs it

    return [
        {
            "id": task.id,
            "key": task.key,
            "name": task.name,
            "state": task.mark,
            "line": task.line,
            "level": task.level,
            "parent": None if task.parent is None else plan.tasks[task.parent].line,
            "optional": task.optional,
            "checkpoint": bool(task.checkpoint),
            "visual": is_visual(task, visual_patterns),
        }
        for task in plan.tasks
    ]
