"""Undo what an attempt did to states and to the text of its own task in tasks.md; let other edits stay (O17)."""

from __future__ import annotations

from collections.abc import Sequence
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
    form = _Format.of(before)
    ours, theirs = form.taken_off(before), form.taken_off(after)
    found = _compare(ours, theirs, key)
    if isinstance(found, str):
        return Protected(text=before, notes=(f"tasks.md was put back: {found}",), replaced=True)
    text, notes = found
    whole = form.put_on(text)
    if form.put_on(theirs) != after:
        notes = [*notes, "the line endings and the byte order mark of tasks.md were put back as they were"]
    return Protected(text=whole, notes=tuple(notes), diff=_diff(ours, text))


@dataclass(frozen=True, slots=True)
class _Format:
    """The BOM and the line endings of a file. A file with both kinds of endings keeps what each line has."""

    bom: str
    ending: str | None

    @classmethod
    def of(cls, text: str) -> _Format:
        feeds, both = text.count("\n"), text.count("\r\n")
        ending = "\r\n" if feeds and both == feeds else "\n" if feeds and not both else None
        return cls(_BOM if text.startswith(_BOM) else "", ending)

    def taken_off(self, text: str) -> str:
        text = text.removeprefix(_BOM)
        return text if self.ending is None else text.replace("\r\n", "\n")

    def put_on(self, text: str) -> str:
        return self.bom + (text.replace("\n", "\r\n") if self.ending == "\r\n" else text)


def _compare(before: str, after: str, key: str) -> tuple[str, list[str]] | str:
    """Return the text to keep with notes on what was undone, or why everything has to be put back."""
    old, new = outline(before), outline(after)
    places = match(old.plan, new.plan)
    missing = [task for task, place in zip(old.plan.tasks, places, strict=True) if place is None]
    if missing or not after.strip():
        return f"{_named(missing)} missing from it"
    known = [place for place in places if place is not None]
    text, notes = _marks_put_back(after, old, new, known)
    if key not in old.plan.by_key:
        return text, notes
    task = old.plan.task(key)
    whole = _text_put_back(before, text, old, new, known, task)
    if whole is None:
        return f"{task.label} had been taken apart"
    return whole, [*notes, f"{task.label}: its text was put back"] if whole != text else notes


def _named(tasks: Sequence[Task]) -> str:
    if not tasks:
        return "everything was"
    names = ", ".join(task.label[:60] for task in tasks[:_NAMED])
    more = f" and {len(tasks) - _NAMED} more" if len(tasks) > _NAMED else ""
    return f"{names}{more} {'was' if len(tasks) == 1 else 'were'}"


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
    found = match(old.plan, checked)
    there = found[task.index]
    return whole if None not in found and there is not None and checked.tasks[there].text == task.text else None


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
    if before == text:
        return ""
    ours, theirs = before.split("\n"), text.split("\n")
    lines = list(islice(unified_diff(ours, theirs, "tasks.md before", "tasks.md after", lineterm=""), DIFF_LINES + 1))
    if len(lines) > DIFF_LINES:
        lines[DIFF_LINES - 1 :] = ["… and more"]
    return "\n".join(lines)
