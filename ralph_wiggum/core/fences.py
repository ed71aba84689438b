"""Which lines of a markdown text stand in code fences, for texts that people and models wrote carelessly.

CommonMark takes a stray ``` for the start of a fence and everything up to the next one for code: one slip turns a
document inside out. Here a fence that never closes hides nothing, and neither does one in which another, with a
language, opens.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_MARKER = re.compile(r"^\s*(?P<marks>`{3,}|~{3,})(?P<info>[^`]*)$")


def fenced(lines: Sequence[str]) -> frozenset[int]:
    """Return the indexes of all lines in closed code fences, the markers among them."""
    inside: set[int] = set()
    start, marks = -1, ""
    for index, line in enumerate(lines):
        found = _MARKER.match(line)
        if not found:
            continue
        if start < 0 or (found["info"].strip() and found["marks"][0] == marks[0]):
            start, marks = index, found["marks"]
        elif found["marks"].startswith(marks) and not found["info"].strip():
            inside.update(range(start, index + 1))
            start = -1
    return frozenset(inside)


def without(text: str) -> str:
    """Return the text without its closed code fences."""
    lines = text.split("\n")
    inside = fenced(lines)
    return "\n".join(line for index, line in enumerate(lines) if index not in inside)


def opened(text: str) -> bool:
    """Say whether the last fence of a text is not closed: what cutting a text short leaves behind."""
    marks = ""
    for line in text.split("\n"):
        if found := _MARKER.match(line):
            marks = "" if marks and found["marks"].startswith(marks) else marks or found["marks"]
    return bool(marks)
