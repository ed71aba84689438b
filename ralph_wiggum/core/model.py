"""The plan of a spec as frozen values: tasks, their states, the tree they form.

Everything here is imported by the small commands too, so it stays light: no parser, no settings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

OPEN = " "
DONE = "x"
IN_PROGRESS = "-"
QUEUED = "~"
SKIPPED = "S"

DONE_MARKS = frozenset({"x", "X"})
MARKS = frozenset({OPEN, IN_PROGRESS, QUEUED, SKIPPED}) | DONE_MARKS

NO_CHECKPOINT = ""
PURE_CHECKPOINT = "pure"
WORKING_CHECKPOINT = "work"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One checkbox of tasks.md.

    `key` identifies it (unique in the plan), `id` only labels it (may repeat, may be ""). `line` is 1-based and
    points at the checkbox. `mark` is the character between the brackets as written. `level` is 1 at the top,
    `parent` an index into `Plan.tasks`. `text` holds the task's own lines (name and details, never its sub-tasks),
    dedented; it is "" in a plan that came out of the cache. `checkpoint` is one of the three constants above.
    """

    index: int
    key: str
    id: str
    name: str
    mark: str
    line: int
    level: int
    parent: int | None
    optional: bool
    checkpoint: str = NO_CHECKPOINT
    visual: bool = False
    headings: tuple[str, ...] = ()
    text: str = ""

    @property
    def label(self) -> str:
        """Return the id and name as a person would say them."""
        return f"{self.id} {self.name}" if self.id else self.name

    @property
    def done(self) -> bool:
        """Say whether the mark is a completed one, `x` or `X`."""
        return self.mark in DONE_MARKS


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """Something in tasks.md that looks wrong; `line` is 1-based."""

    line: int
    message: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All tasks of a spec, in document order, with what looked wrong on the way.

    `children` holds, for each task, the indexes of its direct sub-tasks in document order; `by_key` maps a key to an
    index. Both survive `with_mark`, so that a tick in a plan of thousands costs no second parse.
    """

    tasks: tuple[Task, ...]
    children: tuple[tuple[int, ...], ...]
    by_key: Mapping[str, int]
    warnings: tuple[Warned, ...] = ()

    @classmethod
    def of(cls, tasks: Sequence[Task], warnings: Sequence[Warned] = ()) -> Plan:
        """Build a plan from tasks in document order, each after its parent; ValueError if that does not hold."""
        children: list[list[int]] = [[] for _ in tasks]
        for place, task in enumerate(tasks):
            if task.index != place or (task.parent is not None and not 0 <= task.parent < place):
                raise ValueError(f"task {task.key} is out of place")
            if task.parent is not None:
                children[task.parent].append(place)
        by_key = {task.key: task.index for task in tasks}
        if len(by_key) != len(tasks):
            raise ValueError("two tasks have the same key")
        shape = tuple(tuple(each) for each in children)
        return cls(tasks=tuple(tasks), children=shape, by_key=by_key, warnings=tuple(warnings))

    def task(self, key: str) -> Task:
        """Return the task with this key; KeyError if there is none."""
        return self.tasks[self.by_key[key]]

    def sub_tasks(self, task: Task) -> tuple[Task, ...]:
        """Return the direct sub-tasks of a task, in document order."""
        return tuple(self.tasks[index] for index in self.children[task.index])

    def parents(self, task: Task) -> tuple[Task, ...]:
        """Return the parents of a task, the outermost first."""
        chain: list[Task] = []
        index = task.parent
        while index is not None:
            chain.append(self.tasks[index])
            index = self.tasks[index].parent
        return tuple(reversed(chain))

    @cached_property
    def left_alone(self) -> frozenset[int]:
        """Return the indexes of optional tasks and of everything below one."""
        found: set[int] = set()
        for task in self.tasks:
            if task.optional or (task.parent is not None and task.parent in found):
                found.add(task.index)
        return frozenset(found)

    @cached_property
    def required_leaves(self) -> frozenset[int]:
        """Return the indexes of required tasks without required sub-tasks (O3): what gets an agent, what is counted."""
        return frozenset(
            task.index
            for task in self.tasks
            if task.index not in self.left_alone
            and all(child in self.left_alone for child in self.children[task.index])
        )

    def with_mark(self, key: str, mark: str) -> Plan:
        """Return the plan with one task's mark changed, sharing everything else."""
        index = self.by_key[key]
        tasks = list(self.tasks)
        tasks[index] = replace(tasks[index], mark=mark)
        plan = Plan(tasks=tuple(tasks), children=self.children, by_key=self.by_key, warnings=self.warnings)
        for name in ("left_alone", "required_leaves"):  # these depend on the shape, not on the marks
            if name in self.__dict__:
                plan.__dict__[name] = self.__dict__[name]
        return plan

    def walk(self, index: int | None = None) -> Iterator[Task]:
        """Yield the sub-tasks of `index` (or all tasks) in document order, each before its own sub-tasks."""
        roots = self.children[index] if index is not None else [t.index for t in self.tasks if t.parent is None]
        for root in roots:
            yield self.tasks[root]
            yield from self.walk(root)
