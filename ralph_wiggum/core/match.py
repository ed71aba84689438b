"""Which task of an older plan is which of a newer one, after others edited the file between them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from difflib import SequenceMatcher

from ralph_wiggum.core.model import Plan, Task


def match(old: Plan, new: Plan) -> list[int | None]:
    """Return for each task of `old` its index in `new`, None where it is missing; no index comes twice.

    What stayed the same is matched in order; then, of what is left, the same words elsewhere, the same name, the same
    id, and last what stands in the same gap: that was reworded.
    """
    if [task.label for task in old.tasks] == [task.label for task in new.tasks]:
        return list(range(len(old.tasks)))
    pairs: dict[int, int] = {}
    _in_order(old, new, pairs, lambda task: (task.label, task.text, task.mark))
    _in_order(old, new, pairs, lambda task: task.label)
    for value in (_label, _name, _id):
        _alone(old, new, pairs, value)
    _in_gaps(old, new, pairs)
    return [pairs.get(index) for index in range(len(old.tasks))]


def _label(task: Task) -> str:
    return task.label


def _id(task: Task) -> str:
    return task.id


def _name(task: Task) -> str:
    return task.name


def _left(tasks: Iterable[Task], taken: Iterable[int]) -> list[Task]:
    gone = set(taken)
    return [task for task in tasks if task.index not in gone]


def _in_order(old: Plan, new: Plan, pairs: dict[int, int], value: Callable[[Task], Hashable]) -> None:
    """Match tasks of equal value that stand in the same order."""
    ours, theirs = _left(old.tasks, pairs), _left(new.tasks, pairs.values())
    matcher = SequenceMatcher(None, [value(task) for task in ours], [value(task) for task in theirs], autojunk=False)
    for block in matcher.get_matching_blocks():
        for step in range(block.size):
            pairs[ours[block.a + step].index] = theirs[block.b + step].index


def _alone(old: Plan, new: Plan, pairs: dict[int, int], value: Callable[[Task], str]) -> None:
    """Match tasks of equal value, wherever they stand, where there is one on each side."""
    ours = _by_value(_left(old.tasks, pairs), value)
    theirs = _by_value(_left(new.tasks, pairs.values()), value)
    for each, indexes in ours.items():
        others = theirs.get(each, [])
        if each and len(indexes) == len(others) == 1:
            pairs[indexes[0]] = others[0]


def _by_value(tasks: Iterable[Task], value: Callable[[Task], str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for task in tasks:
        found.setdefault(value(task), []).append(task.index)
    return found


def _in_gaps(old: Plan, new: Plan, pairs: dict[int, int]) -> None:
    """Match what is left between the same two neighbours, where it is as many on both sides and as deep."""
    theirs = {task.index for task in _left(new.tasks, pairs.values())}
    for gap in _gaps(old, pairs):
        first = pairs[gap[0] - 1] + 1 if gap[0] else 0
        others: list[int] = []
        while first + len(others) in theirs:
            others.append(first + len(others))
        levels = [new.tasks[other].level for other in others]
        if levels == [old.tasks[index].level for index in gap]:
            pairs.update(zip(gap, others, strict=True))


def _gaps(old: Plan, pairs: dict[int, int]) -> list[list[int]]:
    gaps: list[list[int]] = []
    for task in _left(old.tasks, pairs):
        if gaps and gaps[-1][-1] == task.index - 1:
            gaps[-1].append(task.index)
        else:
            gaps.append([task.index])
    return gaps
