"""Where things stand in a tasks.md: the checkbox items, and the regions in which a checkbox is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ralph_wiggum.core.heads import Box, join_name


@dataclass(frozen=True, slots=True)
class Item:
    """A list item that begins with a checkbox. Lines are 0-based, `end` is exclusive and leaves out blank lines.

    `parent` is the index of the checkbox item around it, through plain bullets too. `paragraph` holds the lines of
    the item's first paragraph, the first without its box. `column` is where the item's content begins; `deep` says
    that CommonMark would take the line for indented code or for a further line of the text above.
    """

    start: int
    end: int
    column: int
    box: Box
    paragraph: tuple[str, ...]
    parent: int | None
    headings: tuple[str, ...] = ()
    deep: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """A fenced code block: lines 0-based, `end` exclusive. `outer` says that no list item is around it."""

    start: int
    end: int
    closed: bool
    outer: bool
    language: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A quote, a comment, other HTML or front matter: lines 0-based, `end` exclusive.

    `kind` is "quote", "comment", "html" or "front matter". A comment that its list item cut off is `closed` False.
    """

    kind: str
    start: int
    end: int
    closed: bool = True


@dataclass(frozen=True, slots=True)
class Layout:
    """A tasks.md as the parser saw it. `lines` have neither BOM nor carriage returns, and count by line feeds."""

    lines: Sequence[str]
    items: Sequence[Item]
    fences: Sequence[Fence]
    regions: Sequence[Region]

    @property
    def blind(self) -> bytearray:
        """Return one byte for each line: 1 where a checkbox is none by intent (code, quotes, comments: O7)."""
        blind = bytearray(len(self.lines))
        for fence in self.fences:
            blind[fence.start : fence.end] = b"\1" * (fence.end - fence.start)
        for region in self.regions:
            if region.kind != "html":
                blind[region.start : region.end] = b"\1" * (region.end - region.start)
        return blind


def without_hidden(layout: Layout) -> Layout:
    """Drop boxes that have no name, and those in a comment that its list item cut off; sub-items move up.

    Such a comment goes on for every reader of the page, and for whoever wrote it, up to its `-->` (O7).
    """
    fenced = {line for fence in layout.fences for line in range(fence.start, fence.end)}
    regions = [_to_its_end(region, layout.lines, fenced) for region in layout.regions]
    hidden = [(region.start, region.end) for region in regions if region.kind == "comment" and not region.closed]
    places: dict[int | None, int | None] = {None: None}
    items: list[Item] = []
    for index, item in enumerate(layout.items):
        parent = places[item.parent]
        if not join_name(item.paragraph) or any(start < item.start < end for start, end in hidden):
            places[index] = parent
        else:
            places[index] = len(items)
            items.append(item if parent == item.parent else replace(item, parent=parent))
    return Layout(layout.lines, items, layout.fences, regions)


def _to_its_end(region: Region, lines: Sequence[str], fenced: set[int]) -> Region:
    """Extend a comment that was cut off to the line that closes it, if there is one outside of code."""
    if region.closed:
        return region
    closing = (number for number in range(region.end, len(lines)) if "-->" in lines[number] and number not in fenced)
    return replace(region, end=next(closing, region.end - 1) + 1)


def own_lines(layout: Layout) -> list[list[tuple[int, int]]]:
    """Return for each item the line ranges that are its own: before, between and behind its checkbox sub-items.

    An item with n direct sub-items has n + 1 ranges, some of them empty; blank lines at the end of one are left out.
    """
    ranges: list[list[tuple[int, int]]] = [[] for _ in layout.items]
    begins = [item.start for item in layout.items]
    for index, item in enumerate(layout.items):
        if item.parent is not None:
            ranges[item.parent].append((begins[item.parent], item.start))
            begins[item.parent] = item.end
        begins[index] = item.start
    for index, item in enumerate(layout.items):
        ranges[index].append((begins[index], item.end))
    return [[_without_blank_end(layout.lines, span) for span in spans] for spans in ranges]


def _without_blank_end(lines: Sequence[str], span: tuple[int, int]) -> tuple[int, int]:
    start, end = span
    while end > start and not lines[end - 1].strip():
        end -= 1
    return start, max(start, end)
