"""Which task is next (O2-O4): sub-tasks before their parent, in document order; what is in progress comes first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ralph_wiggum.core.model import DONE, DONE_MARKS, IN_PROGRESS, OPEN, QUEUED, SKIPPED, Plan, Task


@dataclass(frozen=True, slots=True)
class Work:
    """A leaf is next: for an agent, or for the gates alone where it is a pure checkpoint."""

    task: Task


@dataclass(frozen=True, slots=True)
class Close:
    """A parent is next whose required sub-tasks are all complete: to be ticked, through its gate if it has one (O3)."""

    task: Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """Nothing can be selected (O10). Counts required leaves; a skipped or queued parent counts all below it as such.

    A parent so marked whose sub-tasks are all complete counts as one.
    """

    open_required: int
    skipped: int
    queued: int
    completed: int


Choice = Work | Close | Finished


@dataclass(frozen=True, slots=True)
class _Rules:
    optional: bool
    queued: bool
    deferred: frozenset[str]

    def shuts(self, task: Task) -> bool:
        """Say whether a task is left alone with all that is below it.

        A completed parent does not shut its sub-tasks off: a person who adds one to it, or takes a tick back, has
        made new work, and no run ends while a required task is open (O10). A skipped or a queued one does.
        """
        mark = task.mark
        return mark == SKIPPED or (mark == QUEUED and not self.queued) or (task.optional and not self.optional)


def select(
    plan: Plan, *, optional: bool = False, queued: bool = False, deferred: frozenset[str] = frozenset()
) -> Choice:
    """Choose what comes next. Keys in `deferred` come only when nothing else is left.

    `optional` has optional tasks worked on as well, still without holding their parent back (O4); `queued` takes
    queued tasks for open ones.
    """
    for put_off in (deferred, frozenset[str]()) if deferred else (deferred,):
        rules = _Rules(optional, queued, put_off)
        if any(task.mark == IN_PROGRESS for task in plan.tasks):
            for choice in _ready(plan, _roots(plan), rules):
                if isinstance(choice, Work) and choice.task.mark == IN_PROGRESS:
                    return choice
        first = next(_ready(plan, _roots(plan), rules), None)
        if first is not None:
            return first
    return _finished(plan, queued=queued)


def next_task(plan: Plan, *, optional: bool = False, queued: bool = False) -> Task | None:
    """Return the task that an agent or a gate comes to next: parents that only have to be closed are passed over.

    Where nothing but such parents is left, the first of them; None where nothing can be selected.
    """
    first: Task | None = None
    while not isinstance(choice := select(plan, optional=optional, queued=queued), Finished):
        if isinstance(choice, Work) or choice.task.checkpoint or choice.task.visual:
            return choice.task
        first = first or choice.task
        plan = plan.with_mark(choice.task.key, DONE)
    return first


def next_checkpoint(plan: Plan, after: Task | None = None) -> tuple[Task, int] | None:
    """Return the next open checkpoint in the order of work, and how many required open leaves come before it.

    Counted from the start, or from behind `after`; None if no open checkpoint is left there.
    """
    order = list(_in_order(plan, _roots(plan)))
    begin = order.index(after.index) + 1 if after is not None and after.index in order else 0
    shut = _shut(plan)
    away = 0
    for index in order[begin:]:
        task = plan.tasks[index]
        if task.done or index in shut or index in plan.left_alone:
            continue
        if task.checkpoint:
            return task, away
        away += index in plan.required_leaves
    return None


def _roots(plan: Plan) -> list[int]:
    return [task.index for task in plan.tasks if task.parent is None]


def _ready(plan: Plan, siblings: Sequence[int], rules: _Rules) -> Iterator[Work | Close]:
    """Yield what could be done now, in order, each task behind its sub-tasks."""
    for index in siblings:
        task = plan.tasks[index]
        below = plan.children[index]
        if (task.mark in DONE_MARKS and not below) or rules.shuts(task):
            continue
        if below:
            yield from _ready(plan, below, rules)
        if task.mark in DONE_MARKS or task.key in rules.deferred:
            continue
        required = [plan.tasks[child] for child in below if not plan.tasks[child].optional]
        if not required:
            yield Work(task)
        elif all(child.mark in DONE_MARKS for child in required):
            yield Close(task)


def _in_order(plan: Plan, siblings: Sequence[int]) -> Iterator[int]:
    for index in siblings:
        yield from _in_order(plan, plan.children[index])
        yield index


def _shut(plan: Plan, *, queued: bool = False) -> dict[int, int]:
    """Map every task that is skipped or queued, or lies below such a one, to the outermost that makes it so.

    Skipped outweighs queued; with `queued`, queued tasks are as good as open ones.
    """
    shut: dict[int, int] = {}
    for task in plan.tasks:
        above = shut.get(task.parent) if task.parent is not None else None
        if task.mark == SKIPPED and (above is None or plan.tasks[above].mark == QUEUED):
            shut[task.index] = task.index
        elif above is not None:
            shut[task.index] = above
        elif task.mark == QUEUED and not queued:
            shut[task.index] = task.index
    return shut


def _finished(plan: Plan, *, queued: bool) -> Finished:
    shut = _shut(plan, queued=queued)
    counts: Counter[str] = Counter()
    seen: set[int] = set()
    for index in plan.required_leaves:
        task = plan.tasks[index]
        if task.done:
            counts[DONE] += 1
            continue
        by = shut.get(index)
        seen.add(index if by is None else by)
        counts[OPEN if by is None else plan.tasks[by].mark] += 1
    for index in set(shut.values()) - seen - plan.left_alone:
        counts[plan.tasks[index].mark] += 1
    return Finished(open_required=counts[OPEN], skipped=counts[SKIPPED], queued=counts[QUEUED], completed=counts[DONE])
