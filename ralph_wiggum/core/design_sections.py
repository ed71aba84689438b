"""design.md cut up: sections by its headings, and long sections into pieces that can be chosen one by one."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ralph_wiggum.core import excerpt, fences

PIECE_LIMIT = 1024  # bytes; longer sections are cut at blank lines

_HEADING = re.compile(r"^ {0,3}(?P<level>#{1,6})[ \t]+(?P<title>.*?)[ \t]*#*[ \t]*$")
_PROPERTY = re.compile(
    r"^\s{0,3}(?:[-*+]\s+)?(?:\*\*)?(?:Property|属性|プロパティ|Propiedad)\s*(?P<number>\d{1,5})\b", re.IGNORECASE
)
_RULE = re.compile(r"(?:^|\n)(?:-{3,}|\*{3,}|_{3,})$")
_FENCE = re.compile(r"^\s*(?:`{3,}|~{3,})[^`]*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading with its own text, without what stands below deeper headings. `path`: the titles above it."""

    title: str
    level: int
    path: tuple[str, ...]
    text: str
    line: int  # 1-based, of the heading
    number: int | None = None  # of a correctness property


def sections(text: str) -> tuple[Section, ...]:
    """Split a document at its headings (outside fences); a correctness property counts as a heading."""
    lines = text.lstrip("\ufeff").replace("\r\n", "\n").split("\n")
    code = fences.fenced(lines)
    found: list[Section] = []
    above: list[tuple[int, str]] = []
    start, level, title, number = 0, 0, "", None
    for index, line in [*enumerate(lines), (len(lines), "# ")]:
        opened = None if index in code else _opens(line, level, number)
        if not opened:
            continue
        own = _RULE.sub("", "\n".join(lines[start:index]).strip()).strip()
        if own or title:
            path = tuple(name for depth, name in above if 1 < depth < level and name)  # not the document's own title
            found.append(Section(title=title, level=level, path=path, text=own, line=start, number=number))
        above = [(depth, name) for depth, name in [*above, (level, title)] if depth < opened[0]]
        start, (level, title, number) = index + 1, opened
    return tuple(found)


def cut_up(section: Section) -> list[Section]:
    """Cut a long section at its blank lines; a fence that is cut is closed and opened again."""
    if excerpt.size(section.text) <= PIECE_LIMIT:
        return [section]
    texts: list[str] = []
    lines, fence, length = list[str](), "", 0
    for line in section.text.split("\n"):
        if length > (PIECE_LIMIT if line.strip() else PIECE_LIMIT // 2):
            texts.append("\n".join([*lines, "```"] if fence else lines))
            lines, length = [fence] if fence else [], 0
        lines.append(line)
        length += excerpt.size(line) + 1
        if marker := _FENCE.match(line):
            fence = "" if fence else marker[0]
    texts.append("\n".join(lines))
    return [replace(section, text=excerpt.head(text.strip("\n"), 2 * PIECE_LIMIT)) for text in texts if text.strip()]


def _opens(line: str, level: int, number: int | None) -> tuple[int, str, int | None] | None:
    """Return level, title and property number of a line that begins a section."""
    if found := _HEADING.match(line):
        of = _PROPERTY.match(found["title"])
        return len(found["level"]), found["title"], int(of["number"]) if of else None
    if (found := _PROPERTY.match(line)) and int(found["number"]) != number:
        depth = level if number is not None and level > 6 else level + 7  # noqa: PLR2004 - below every real heading
        return depth, line.strip().lstrip("-*+ ").rstrip("* "), int(found["number"])
    return None
