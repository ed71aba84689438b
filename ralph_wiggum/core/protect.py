"""Undo what an attempt did to states and to the text of its own task in tasks.md; let other edits stay (O17)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from itertools import islice

from ralph_wiggum.core.edit import set_mark
from ralph_wiggum.core.match import match
from ralph_wiggum.core.model import Task
from ralph_wiggum.core.parse import outline
from ralph_wiggum.core.tree import Outline

DIFF_LINES = 200  # of a diff, at most
_BOM = "\ufeff"
_NAMED = 5  # tasks in one note


@dataclass(frozen=True, slots=True, kw_only=True)
class Protected:
    """What tasks.md is to hold after an attempt.

    `notes` say in words what was undone; `replaced` that the whole file was put back, because a known task was
    missing; `diff` is a unified diff of the edits by others that stay, cut at 200 lines.
    """

    text: str
    notes: tuple[str, ...] = ()
    replaced: bool = False
    diff: str = ""


def protect(before: str, after: str, key: str) -> Protected:
    """Put back every state and the text of the task `key` as they were `before` an attempt left the file as `after`.

    Tasks that were added, and other tasks that were reworded, stay. If a task of `before` cannot be found any more,
    everything is put back. Idempotent; a `key` that `before` does not hold protects the states alone.
    """
    if before == after:
        return Protected(text=before)
    text, notes = _format_put_back(before, after)
    old, new = outline(before), outline(text)
    places = match(old.plan, new.plan)
    missing = [task for task, place in zip(old.plan.tasks, places, strict=True) if place is None]
    if missing or not after.strip():
        return _replaced(before, f"tasks.md was put back: {_named(missing)} missing from it")
    known = [place for place in places if place is not None]
    text, undone = _marks_put_back(text, old, new, known)
    notes += undone
    task = old.plan.task(key) if key in old.plan.by_key else None
    if task is not None:
        whole = _text_put_back(before, text, old, new, known, task)
        if whole is None:
            return _replaced(before, f"tasks.md was put back: {task.label} had been taken apart")
        notes += [f"{task.label}: its text was put back"] if whole != text else []
        text = whole
    return Protected(text=text, notes=tuple(notes), diff=_diff(before, text))


def _replaced(before: str, note: str) -> Protected:
    return Protected(text=before, notes=(note,), replaced=True)


def _named(tasks: Sequence[Task]) -> str:
    if not tasks:
        return "everything was"
    names = ", ".join(task.label[:60] for task in tasks[:_NAMED])
    more = f" and {len(tasks) - _NAMED} more" if len(tasks) > _NAMED else ""
    return f"{names}{more} {'was' if len(tasks) == 1 else 'were'}"


def _format_put_back(before: str, after: str) -> tuple[str, list[str]]:
    """Give `after` the BOM and the line endings of `before`, where that has one kind of them throughout."""
    notes: list[str] = []
    if before.startswith(_BOM) != after.startswith(_BOM):
        after = _BOM + after if before.startswith(_BOM) else after.removeprefix(_BOM)
        notes.append("the byte order mark was put back as it was")
    crlf, feeds = before.count("\r\n"), before.count("\n")
    other = after
    if feeds and crlf == feeds:
        other = after.replace("\r\n", "\n").replace("\n", "\r\n")
    elif feeds and not crlf:
        other = after.replace("\r\n", "\n")
    if other != after:
        notes.append("the line endings were put back as they were")
    return other, notes


def _marks_put_back(text: str, old: Outline, new: Outline, places: Sequence[int]) -> tuple[str, list[str]]:
    notes: list[str] = []
    for was, place in zip(old.plan.tasks, places, strict=True):
        now = new.plan.tasks[place]
        if now.mark != was.mark:
            text = set_mark(text, now, was.mark)
            notes.append(f"{was.id or was.name}: [{now.mark}] put back to [{was.mark}]")
    return text, notes


def _text_put_back(before: str, text: str, old: Outline, new: Outline, places: Sequence[int], task: Task) -> str | None:
    """Return the text with the task's own lines as they were; None if its sub-tasks were moved about or it breaks."""
    place = places[task.index]
    slots = _slots(old, new, places, task.index)
    if slots is None:
        return None
    ours, theirs = before.split("\n"), text.split("\n")
    for (start, end), source in reversed(list(zip(new.lines[place], slots, strict=True))):
        theirs[start:end] = ours[source[0] : source[1]]
    whole = "\n".join(theirs)
    if whole == text:
        return text
    checked = outline(whole).plan
    sound = match(old.plan, checked)
    same = all(
        there is not None and checked.tasks[there].mark == was.mark
        for was, there in zip(old.plan.tasks, sound, strict=True)
    )
    there = sound[task.index]
    return whole if same and there is not None and checked.tasks[there].text == task.text else None


def _slots(old: Outline, new: Outline, places: Sequence[int], index: int) -> list[tuple[int, int]] | None:
    """Say which of the task's old line ranges belongs into each of its new ones; None if its sub-tasks do not fit.

    A sub-task that was added splits a range in two: the first part gets the old lines, the second becomes empty.
    """
    kept = [places[child] for child in old.nested[index]]
    lines = old.lines[index]
    slots, seen = [lines[0]], 0
    for child in new.nested[places[index]]:
        if child not in kept:
            slots.append((0, 0))
        elif seen < len(kept) and child == kept[seen]:
            seen += 1
            slots.append(lines[seen])
        else:
            return None
    return slots if seen == len(kept) else None


def _diff(before: str, text: str) -> str:
    """Return a unified diff of at most DIFF_LINES lines."""
    lines = list(islice(_unified(before, text), DIFF_LINES + 1))
    if len(lines) > DIFF_LINES:
        lines[DIFF_LINES - 1 :] = ["… and more"]
    return "\n".join(lines)


def _unified(before: str, text: str) -> Iterator[str]:
    if before == text:
        return iter(())
    ours, theirs = (each.replace("\r\n", "\n").split("\n") for each in (before, text))
    return unified_diff(ours, theirs, "tasks.md before", "tasks.md after", lineterm="")
