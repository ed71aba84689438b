"""tasks.md text -> Plan. The only importer of markdown-it-py (CommonMark 0.31), which finds lists, code and comments.

Two of its rules are off. Indented code: Kiro reads a box at any indentation (near misses are warned of instead).
Link definitions: `- [x]: url` is to be seen. Inline mark-up is not parsed at all; that is where the time would go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ralph_wiggum.core.heads import Box, box, join_name
from ralph_wiggum.core.layout import Fence, Item, Layout, Region
from ralph_wiggum.core.model import Plan
from ralph_wiggum.core.near_misses import warnings_of
from ralph_wiggum.core.tree import Outline, outline_of

# Lists and quotes within each other: deep enough for any plan, and far from Python's recursion limit.
_NESTING = 120
_MARKDOWN = MarkdownIt("commonmark", {"maxNesting": _NESTING}).disable(["inline", "code", "reference"])
_FRONT_MATTER = re.compile(r"---[ \t]*\n(?=[^\s-])(.*?\n)??(?:---|\.\.\.)[ \t]*(?:\n|$)", re.DOTALL)
_ANY_BOX = re.compile(r"^[ \t]*[-*+][ \t]+\[.?\]", re.MULTILINE)
_BULLET = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]*")
_CODE_INDENT = 4  # CommonMark: this far to the right of where content begins, a line is code
_TOP = -1  # no checkbox item is around


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """A fenced code block; `language` is the first word behind the fence, `line` is 1-based within the text.

    `closed` is False where the text or a list item ended before the fence did: such code may have lost its end.
    """

    language: str
    code: str
    line: int
    closed: bool = True


def parse(text: str) -> Plan:
    """Read a tasks.md (O1-O7). Never raises: what cannot be read as a task is prose, with a warning where it is near.

    `text` may begin with a BOM and hold carriage returns; lines are counted by line feeds alone.
    """
    return outline(text).plan


def outline(text: str) -> Outline:
    """Read a tasks.md into its plan and the line ranges of each task."""
    layout = layout_of(text)
    found = outline_of(layout)
    return replace(found, plan=replace(found.plan, warnings=warnings_of(layout, found.plan)))


def code_blocks(text: str) -> tuple[CodeBlock, ...]:
    """Return the fenced code blocks of a task's text, in order, block quotes left out; the code is dedented."""
    layout = layout_of(text)
    quoted = [(region.start, region.end) for region in layout.regions if region.kind == "quote"]
    return tuple(
        CodeBlock(fence.language, fence.code, fence.start + 1, fence.closed)
        for fence in layout.fences
        if not any(start <= fence.start < end for start, end in quoted)
    )


def layout_of(text: str) -> Layout:
    """Find the checkbox items, fences, quotes and comments of a text."""
    source = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", " ")  # the parser ends a line at \r too
    lines = source.split("\n")
    regions: list[Region] = []
    front = _FRONT_MATTER.match(source)
    if front is not None and not _ANY_BOX.search(front[0]):
        end = front[0].count("\n") + (not front[0].endswith("\n"))
        regions.append(Region(kind="front matter", start=0, end=end))
        source = "\n" * front[0].count("\n") + source[front.end() :]
    reader = _Reader(lines=lines, regions=regions)
    for token in _MARKDOWN.parse(source):
        handle = _HANDLERS.get(token.type)
        if handle is not None:
            handle(reader, token)
    return reader.layout()


@dataclass(slots=True)
class _Started:
    """A checkbox item while the tokens within it are read."""

    start: int
    end: int
    column: int
    box: Box
    parent: int
    headings: tuple[str, ...]
    deep: bool
    paragraph: tuple[str, ...] = ("",)


@dataclass(slots=True)
class _Reader:
    """Collects a layout from markdown-it's tokens. `around` holds, for each open list item, (checkbox item, line)."""

    lines: list[str]
    regions: list[Region]
    started: list[_Started] = field(default_factory=list)
    fences: list[Fence] = field(default_factory=list)
    around: list[tuple[int, int]] = field(default_factory=list)
    headings: list[tuple[int, str]] = field(default_factory=list)
    heading_level: int = 0
    quotes: int = 0
    unnamed: int = _TOP

    def open_item(self, token: Token) -> None:
        start, end = token.map or [0, 0]
        parent, parent_line = self.around[-1] if self.around else (_TOP, -1)
        found = box(self.lines[start]) if token.markup in "-*+" and not self.quotes else None
        if found is None:
            self.around.append((parent, start))
            return
        column = _columns(self.lines[start], found.offset - 1)
        deep = column > _CODE_INDENT and self._is_deep(start, parent_line)
        self.unnamed = len(self.started)
        self.around.append((self.unnamed, start))
        texts = tuple(text for _, text in self.headings)
        self.started.append(_Started(start, end, column, found, parent, texts, deep))

    def close_item(self, _token: Token) -> None:
        self.around.pop()

    def _is_deep(self, line: int, parent_line: int) -> bool:
        content = 0
        if parent_line >= 0 and (bullet := _BULLET.match(self.lines[parent_line])):
            content = _columns(self.lines[parent_line], bullet.end())
        indent = len(self.lines[line]) - len(self.lines[line].lstrip(" \t"))
        return _columns(self.lines[line], indent) - content >= _CODE_INDENT

    def read_inline(self, token: Token) -> None:
        if self.heading_level:
            self._head(token.content)
        elif self.unnamed != _TOP and token.map and token.map[0] == self.started[self.unnamed].start:
            item = self.started[self.unnamed]
            first, *further = token.content.split("\n")
            hard_break = "  " if further and first.endswith(("  ", "\\")) else ""
            item.paragraph = (item.box.rest + hard_break, *further)
        self.unnamed = _TOP

    def _head(self, content: str) -> None:
        while self.headings and self.headings[-1][0] >= self.heading_level:
            self.headings.pop()
        self.headings.append((self.heading_level, " ".join(content.split())))
        self.heading_level = 0

    def open_heading(self, token: Token) -> None:
        if token.level == 0:
            self.heading_level = int(token.tag[1:])

    def open_quote(self, token: Token) -> None:
        self.quotes += 1
        start, end = token.map or [0, 0]
        self.regions.append(Region(kind="quote", start=start, end=end))

    def close_quote(self, _token: Token) -> None:
        self.quotes -= 1

    def read_fence(self, token: Token) -> None:
        start, end = token.map or [0, 0]
        last = self.lines[end - 1].lstrip(" \t>")
        closed = end - start > 1 and last.startswith(token.markup) and not last.strip().strip(token.markup[0])
        language = token.info.split(maxsplit=1)[0] if token.info.strip() else ""
        outer = not self.around and not self.quotes
        self.fences.append(
            Fence(start=start, end=end, closed=closed, outer=outer, language=language, code=token.content)
        )

    def read_html(self, token: Token) -> None:
        start, end = token.map or [0, 0]
        comment = token.content.lstrip().startswith("<!--")
        closed = not comment or "-->" in token.content
        self.regions.append(Region(kind="comment" if comment else "html", start=start, end=end, closed=closed))

    def layout(self) -> Layout:
        """Return what was read, without boxes that have no name, and those in a comment that its list item cut off.

        Such a comment goes on for every reader of the page, and for whoever wrote it, up to its `-->` (O7).
        """
        layout = Layout(lines=tuple(self.lines), items=(), fences=tuple(self.fences), regions=tuple(self.regions))
        regions = tuple(_to_its_end(region, layout) for region in self.regions)
        hidden = [(region.start, region.end) for region in regions if region.kind == "comment" and not region.closed]
        places: dict[int, int | None] = {_TOP: None}
        items: list[Item] = []
        for index, each in enumerate(self.started):
            if not join_name(each.paragraph) or any(start < each.start < end for start, end in hidden):
                places[index] = places[each.parent]
                continue
            places[index] = len(items)
            items.append(_item(each, places[each.parent]))
        return Layout(lines=layout.lines, items=tuple(items), fences=layout.fences, regions=regions)


_HANDLERS: Mapping[str, Callable[[_Reader, Token], None]] = {
    "list_item_open": _Reader.open_item,
    "list_item_close": _Reader.close_item,
    "inline": _Reader.read_inline,
    "heading_open": _Reader.open_heading,
    "blockquote_open": _Reader.open_quote,
    "blockquote_close": _Reader.close_quote,
    "fence": _Reader.read_fence,
    "html_block": _Reader.read_html,
}


def _item(each: _Started, parent: int | None) -> Item:
    return Item(
        start=each.start,
        end=each.end,
        column=each.column,
        box=each.box,
        paragraph=each.paragraph,
        parent=parent,
        headings=each.headings,
        deep=each.deep,
    )


def _to_its_end(region: Region, layout: Layout) -> Region:
    if region.closed:
        return region
    fenced = {line for fence in layout.fences for line in range(fence.start, fence.end)}
    for line in range(region.end, len(layout.lines)):
        if "-->" in layout.lines[line] and line not in fenced:
            return Region(kind=region.kind, start=region.start, end=line + 1, closed=False)
    return region


def _columns(line: str, offset: int) -> int:
    """Return the column of an offset: tabs go to the next multiple of four (CommonMark 2.2)."""
    return len(line[:offset].expandtabs(4)) if "\t" in line[:offset] else offset
