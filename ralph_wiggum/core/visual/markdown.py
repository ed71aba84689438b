"""A task's own text -> its code blocks and its other lines, without what is commented out.

Markdown is read as CommonMark has it where people's task lists allow: fences may stand behind a bullet, a fence that
never closes goes on to the end of the task, and a comment that never closes is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# Inline code: as many backticks at its end as at its beginning.
SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")

_MARKER = re.compile(r"^\s*(?:[-*+]\s+)?(?P<marks>`{3,}|~{3,})(?P<info>[^`]*)$")
_CODE_OR_COMMENT = re.compile(rf"{SPAN.pattern}|(?P<comment><!--)")
_QUOTE = re.compile(r"\s*>")
_NEW_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s|\s*#|\s*$")
_NO_SHELL = frozenset(  # info strings of blocks whose lines are no commands
    {
        *("js", "javascript", "mjs", "cjs", "jsx", "ts", "typescript", "tsx", "py", "python", "rb", "ruby", "go"),
        *("rust", "rs", "java", "kotlin", "swift", "php", "c", "cpp", "csharp", "cs", "sql", "graphql", "toml", "ini"),
        *("yaml", "yml", "json", "jsonc", "json5", "html", "xml", "svg", "vue", "svelte", "css", "scss", "less"),
        *("diff", "patch", "md", "markdown", "mdx", "mermaid", "dockerfile", "makefile", "gherkin", "prisma", "env"),
    }
)


@dataclass(frozen=True, slots=True)
class Block:
    """A code block: its lines with their numbers in the task's text; `language` is the first word of its info."""

    lines: tuple[tuple[int, str], ...]
    language: str = ""

    @property
    def is_shell(self) -> bool:
        """Say whether its lines may be commands: a block without a language may hold some."""
        return self.language not in _NO_SHELL


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text outside of the code blocks, with its number in the task's text."""

    number: int
    text: str

    @property
    def quoted(self) -> bool:
        """Say whether the line belongs to a block quote."""
        return _QUOTE.match(self.text) is not None


def pieces(text: str) -> Iterator[Block | Line]:
    """Yield the code blocks and the other lines of a text, in their order."""
    lines = text.split("\n")
    last_end = max((number for number, line in enumerate(lines) if "-->" in line), default=-1)
    marks, language, commented = "", "", False
    block: list[tuple[int, str]] = []
    for number, line in enumerate(lines):
        marker = None if commented else _MARKER.match(line)
        if marks:
            if marker and marker["marks"].startswith(marks) and not marker["info"].strip():
                yield Block(tuple(block), language)
                marks, block = "", []
            else:
                block.append((number, line))
        elif marker:
            marks, language = marker["marks"], _language(marker["info"])
        elif number > last_end:
            yield Line(number, line)
        else:
            left, commented = _without_comments(line, commented=commented)
            yield Line(number, left)
    if block:
        yield Block(tuple(block), language)


def with_whole_spans(found: list[Block | Line]) -> Iterator[Block | Line]:
    """Yield pieces with inline code that goes on over a line end joined to one line, which has the first's number."""
    at = 0
    while at < len(found):
        piece = found[at]
        at += 1
        following = found[at] if at < len(found) else None
        if isinstance(piece, Line) and isinstance(following, Line) and _goes_on(piece.text, following.text):
            yield Line(piece.number, f"{piece.text.rstrip()} {following.text.strip()}")
            at += 1
        else:
            yield piece


def _goes_on(line: str, following: str) -> bool:
    return "`" in SPAN.sub("", line) and "`" in SPAN.sub("", following) and not _NEW_ITEM.match(following)


def _language(info: str) -> str:
    """Return the language that an info string names: `js {1,3}`, `js title="a"` and `{.js}` are all js."""
    named = re.match(r"[\w+#-]+", info.strip().lstrip("{. "))
    return named[0].lower() if named else ""


def _without_comments(line: str, *, commented: bool) -> tuple[str, bool]:
    """Return what of a line is no HTML comment, and whether the next line begins inside of one."""
    kept = ""
    while line:
        if commented:
            _, end, line = line.partition("-->")
            commented = not end
        else:
            begin = next((match for match in _CODE_OR_COMMENT.finditer(line) if match["comment"]), None)
            if begin is None:
                return kept + line, False
            kept, line, commented = kept + line[: begin.start()], line[begin.end() :], True
    return kept, commented
