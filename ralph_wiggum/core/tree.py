"""Checkbox items -> the plan: ids settled, keys given, parents found, texts cut out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ralph_wiggum.core.classify import checkpoint_kind, mentions_visual
from ralph_wiggum.core.heads import Head, head, join_name, settle
from ralph_wiggum.core.layout import Item, Layout, own_lines
from ralph_wiggum.core.model import Plan, Task

_SLUG_LENGTH = 60  # characters: a key is also part of file names
_NO_SLUG = re.compile(r"[\W_]+")
_DOTTED = re.compile(r"\d+[A-Za-z]?(?:\.\d+)+[a-z]?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A plan and where its tasks stand in the text.

    `nested` holds, for each task, the indexes of the tasks directly within its list item (children by id alone stand
    elsewhere); `lines` its own line ranges (0-based, end exclusive): before, between and behind those. See `own_lines`.
    """

    plan: Plan
    nested: tuple[tuple[int, ...], ...]
    lines: tuple[tuple[tuple[int, int], ...], ...]


def outline_of(layout: Layout) -> Outline:
    """Build the plan of a layout, still without warnings."""
    names = [join_name(item.paragraph) for item in layout.items]
    heads = settle([head(name) for name in names])
    parents = list(parents_of(layout.items, heads))
    keys = list(keys_of(heads))
    spans = own_lines(layout)
    tasks: list[Task] = []
    for index, item in enumerate(layout.items):
        parent = parents[index]
        level = 1 if parent is None else tasks[parent].level + 1
        text = _text(layout.lines, item, spans[index])
        tasks.append(_task(item, heads[index], text, index=index, key=keys[index], parent=parent, level=level))
    nested: list[list[int]] = [[] for _ in layout.items]
    for index, item in enumerate(layout.items):
        if item.parent is not None:
            nested[item.parent].append(index)
    return Outline(plan=Plan.of(tasks), nested=tuple(map(tuple, nested)), lines=tuple(tuple(each) for each in spans))


def parents_of(items: Sequence[Item], heads: Sequence[Head]) -> Iterator[int | None]:
    """Yield the parent of each item: the list's, else by dotted id the nearest such task above (O2).

    Indentation wins where the two disagree. 1.2.3 goes under 1.2, or under 1 where no 1.2 stands above it.
    """
    last: dict[str, int] = {}
    for index, (item, each) in enumerate(zip(items, heads, strict=True)):
        yield item.parent if item.parent is not None else _by_id(each.id, last)
        last[each.id] = index


def keys_of(heads: Iterable[Head]) -> Iterator[str]:
    """Yield a unique key for each task: its id, or `~slug` of its name; what repeats gets `@n`, from 1 on.

    >>> list(keys_of([Head("1", "a"), Head("1", "b"), Head("", "Set up: CI")]))
    ['1@1', '1@2', '~set-up-ci']
    """
    bases = [each.id or "~" + _slug(each.name) for each in heads]
    counts, seen = Counter(bases), Counter[str]()
    for base in bases:
        seen[base] += 1
        yield base if counts[base] == 1 else f"{base}@{seen[base]}"


def _slug(name: str) -> str:
    return _NO_SLUG.sub("-", name.lower()).strip("-")[:_SLUG_LENGTH].strip("-") or "task"


def _by_id(ident: str, last: dict[str, int]) -> int | None:
    if not _DOTTED.match(ident):
        return None
    while "." in ident:
        ident = ident.rpartition(".")[0]
        if ident in last:
            return last[ident]
    return None


def _task(item: Item, each: Head, text: str, *, index: int, key: str, parent: int | None, level: int) -> Task:
    return Task(
        index=index,
        key=key,
        id=each.id,
        name=each.name,
        mark=item.box.mark,
        line=item.start + 1,
        level=level,
        parent=parent,
        optional=item.box.optional or each.optional,
        checkpoint=checkpoint_kind(each.name),
        visual=mentions_visual(text, each.name),
        headings=item.headings,
        text=text,
    )


def _text(lines: Sequence[str], item: Item, spans: Iterable[tuple[int, int]]) -> str:
    """Return a task's own lines, the first without its box, all dedented to where the task's content begins."""
    own = [item.box.rest]
    for start, end in spans:
        own.extend(_dedent(line, item.column) for line in lines[max(start, item.start + 1) : end])
    return "\n".join(own)


def _dedent(line: str, column: int) -> str:
    """Take white space off up to a column; a tab that crosses it leaves blanks behind."""
    if line[:column].isspace() and "\t" not in line[:column]:
        return line[column:]
    body = line.lstrip(" \t")
    width = len(line[: len(line) - len(body)].expandtabs(4))
    return " " * max(0, width - column) + body
