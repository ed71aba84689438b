"""The last things that a program said, as whole statements: wrapped lines joined, what is quoted left out (B1)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ralph_wiggum.core import fences
from ralph_wiggum.core.provider import forms
from ralph_wiggum.core.terminal import clean

_READ = 16_384  # characters of the end
_ROWS = 8  # rows of standard error that are looked at
_LONGEST = 16  # rows of one statement
_STATEMENT = 4000  # characters
_WIDTHS = (80, 200)  # columns at which programs wrap: the usual guess where there is no terminal, and our own terminal

_NUMBERED = re.compile(r"\s*\d{1,2}: ")  # rows of an error report (color-eyre)
_NOISE = re.compile(
    r"\s+\S.*|[\s\W_]*|[╭╰│─━┃┌└├].*|node:\S+|Node\.js v[\d.]+|Traceback \(most recent call last\):"
    r"|npm (?:notice|warn) .*"
)
_PROMPT_SIGN = "> "
_BRACKET = "[API Error:"
_HEADERS = frozenset({"Exit:", "Kiro rate limit reached:"})  # programs print what follows below them


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a program said in one go, without its marks. `following` came after it; `whole`: nothing else was said."""

    text: str
    following: str = ""
    whole: bool = False

    @property
    def all(self) -> str:
        """Return the statement with what followed: where there is more on when a limit ends."""
        return f"{self.text} {self.following}".strip()


def closing(text: str, *, mixed: bool = False) -> Iterator[Statement]:
    """Give what a message may end with, shortest first: its last line, and that with the lines that it continues.

    Nothing comes of a line that is indented, stands in a fence, or is introduced by a line that ends with a colon: an
    agent quotes so. `mixed`: standard error is among it, and the rows below an error (stack, frames) do not count.
    """
    rows = _rows(text)
    kept = [index for index, row in enumerate(rows) if row.strip() and not (mixed and _is_noise(row))]
    after: list[str] = []
    while kept and (_is_report(rows[kept[-1]], after) or forms.is_postscript(forms.bare(rows[kept[-1]]))):
        after.insert(0, rows[kept.pop()].strip())
    if not kept:
        return
    quoted = fences.fenced(rows)
    for start in range(len(kept) - 1, max(-1, len(kept) - 1 - _LONGEST), -1):
        block = kept[start:]
        if not _is_one([rows[index] for index in block]):
            continue
        above = rows[kept[start - 1]].rstrip() if start else ""
        whole = not start
        if not (quoted.intersection(block) or _is_quoted(rows[block[0]], above, whole=whole)):
            yield _statement([rows[index] for index in block], after, whole=whole)


def errors(text: str) -> Iterator[Statement]:
    """Give the last statements of standard error, the last first, each with the rows that continue it, then alone."""
    rows = [row for row in _rows(text) if row.strip() and not _is_noise(row)]
    for start in range(len(rows) - 1, max(-1, len(rows) - 1 - _ROWS), -1):
        end = start + 1
        while end < len(rows) and end - start < _LONGEST and _is_one(rows[start : end + 1]):
            end += 1
        if end > start + 1:
            yield _statement(rows[start:end], rows[end:], whole=not start and end == len(rows))
        yield _statement(rows[start : start + 1], rows[start + 1 :], whole=len(rows) == 1)


def _rows(text: str) -> list[str]:
    return clean(text[-_READ:].replace("\r\n", "\n")).split("\n")


def _statement(rows: Sequence[str], after: Sequence[str], *, whole: bool) -> Statement:
    first = rows[0].strip()
    if whole and first.startswith(_PROMPT_SIGN):  # kiro's own sign; elsewhere it is a quote
        first = first[len(_PROMPT_SIGN) :]
    text = " ".join([forms.bare(first), *(row.strip() for row in rows[1:])])
    return Statement(text=text[:_STATEMENT], following=" ".join(after)[:_STATEMENT], whole=whole)


def _is_noise(row: str) -> bool:
    """Say whether a row of standard error belongs to something above it: a stack, a frame, a printed object."""
    return bool(_NOISE.fullmatch(row)) and not _NUMBERED.match(row) and not forms.MARKS.match(row.strip())


def _is_report(row: str, after: Sequence[str]) -> bool:
    """Say whether a row is the place in the source that an error report ends with: indented, below "Location:"."""
    return bool(re.fullmatch(r"\s+\S+\.rs:\d+(?::\d+)?", row)) and (not after or after[0].startswith("Backtrace"))


def _is_quoted(row: str, above: str, *, whole: bool) -> bool:
    if whole:
        return False
    if row[:1].isspace() and not forms.MARKS.match(row.strip()):
        return True
    return above.endswith((":", "：")) and forms.bare(above) not in _HEADERS


def _is_one(rows: Sequence[str]) -> bool:
    """Say whether rows are one statement: each goes on with what the one above it began."""
    opened = forms.bare(rows[0])
    for above, row in pairwise(rows):
        inside = opened.startswith(_BRACKET) and "]" not in opened[len(_BRACKET) :]
        if not (inside or forms.bare(above) in _HEADERS or _NUMBERED.match(row) or _is_wrapped(above, row)):
            return False
        opened = f"{opened} {row}"
    return True


def _is_wrapped(above: str, row: str) -> bool:
    """Say whether a row goes on where the one above it met the edge: its first word had no room there."""
    first = row.split(maxsplit=1)[0] if row.strip() else ""
    length = len(above.rstrip())
    return bool(first) and any(length <= width < length + 1 + len(first) + 1 for width in _WIDTHS)
