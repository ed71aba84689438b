"""tasks.md text -> Plan, by way of markdown-it-py (CommonMark 0.31), which finds lists, code, quotes and comments.

Two of its rules are off. Indented code: a box counts at any indentation (with a warning where Markdown shows code).
Link definitions: `- [x]: url` is to be seen. Inline mark-up is not parsed at all; that is where the time would go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, list_block, paragraph
from markdown_it.token import Token

from ralph_wiggum.core.heads import box
from ralph_wiggum.core.layout import Fence, Item, Layout, Region, without_hidden
from ralph_wiggum.core.model import Plan
from ralph_wiggum.core.near_misses import warnings_of
from ralph_wiggum.core.tree import Outline, outline_of

# Lists and quotes within each other: deep enough for any plan, and far from Python's recursion limit.
_NESTING = 120
_FRONT_MATTER = re.compile(r"---[ \t]*\n(?=[^\s-])(.*?\n)??(?:---|\.\.\.)[ \t]*(?:\n|$)", re.DOTALL)
_ANY_BOX = re.compile(r"^[ \t]*[-*+][ \t]+\[.?\]", re.MULTILINE)
_BULLET = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]*")
_CODE_INDENT = 4  # CommonMark: this far to the right of where content begins, a line is code


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


@cache
def _markdown() -> MarkdownIt:
    """Return the parser, with rules by which a line at any indentation begins a list or a fence.

    CommonMark takes four columns too many for code, or for a further line of the text above. Kiro does not, and
    neither do people who write a plan; so the warnings tell them.
    """
    markdown = MarkdownIt("commonmark", {"maxNesting": _NESTING}).disable(["inline", "code", "reference"])
    markdown.block.ruler.at("list", _list, {"alt": ["paragraph", "reference", "blockquote"]})
    markdown.block.ruler.at("paragraph", _paragraph, {"alt": []})
    return markdown


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
    for token in _markdown().parse(source):
        handle = _HANDLERS.get(token.type)
        if handle is not None:
            handle(reader, token)
    return without_hidden(Layout(lines, reader.items, reader.fences, regions))


@dataclass(slots=True)
class _Reader:
    """Collects a layout from markdown-it's tokens.

    `around` holds, for each open list item, the checkbox item that it is or lies in (or None) and its line.
    """

    lines: list[str]
    regions: list[Region]
    items: list[Item] = field(default_factory=list)
    fences: list[Fence] = field(default_factory=list)
    around: list[tuple[int | None, int]] = field(default_factory=list)
    headings: list[tuple[int, str]] = field(default_factory=list)
    heading_level: int = 0
    quotes: int = 0
    unnamed: int | None = None

    def open_item(self, token: Token) -> None:
        start, end = token.map or [0, 0]
        parent, parent_line = self.around[-1] if self.around else (None, -1)
        found = box(self.lines[start])  # none within a quote: such a line begins with >
        if found is None:
            self.around.append((parent, start))
            return
        column = _columns(self.lines[start], found.offset - 1)
        deep = column > _CODE_INDENT and self._is_deep(start, parent_line)
        self.unnamed = len(self.items)
        self.around.append((self.unnamed, start))
        texts = tuple(text for _, text in self.headings)
        paragraph = (found.rest,)
        self.items.append(Item(start, end, column, found, paragraph, parent, headings=texts, deep=deep))

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
        elif self.unnamed is not None and token.map and token.map[0] == self.items[self.unnamed].start:
            item = self.items[self.unnamed]
            first, *further = token.content.split("\n")
            hard_break = "  " if further and first.endswith(("  ", "\\")) else ""
            self.items[self.unnamed] = replace(item, paragraph=(item.box.rest + hard_break, *further))
        self.unnamed = None

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


def _columns(line: str, offset: int) -> int:
    """Return the column of an offset: tabs go to the next multiple of four (CommonMark 2.2)."""
    return len(line[:offset].expandtabs(4)) if "\t" in line[:offset] else offset


def _list(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it calls it so
    """Ask for a list without markdown-it's special case, by which deep items continue the text of the one above."""
    if not silent:
        return list_block(state, start, end, silent)
    indent, state.listIndent = state.listIndent, -1
    try:
        return list_block(state, start, end, silent)
    finally:
        state.listIndent = indent


def _paragraph(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it calls it so
    """Read a paragraph that ends above the first deep line that could interrupt it."""
    whole = state.lineMax
    state.lineMax = _interruption(state, start)
    try:
        return paragraph(state, start, end, silent)
    finally:
        state.lineMax = whole


def _interruption(state: StateBlock, start: int) -> int:
    """Return the first of the deep lines right below `start` that begins something else, or the end of the block."""
    rules = state.md.block.ruler.getRules("paragraph")
    around, state.parentType = state.parentType, "paragraph"
    try:
        for line in range(start + 1, state.lineMax):
            if state.isEmpty(line) or state.sCount[line] - state.blkIndent < _CODE_INDENT:
                break
            if any(rule(state, line, state.lineMax, True) for rule in rules):
                return line
        return state.lineMax
    finally:
        state.parentType = around
