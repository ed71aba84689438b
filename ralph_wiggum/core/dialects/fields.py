"""Reading JSON values of which nothing is certain: every function is total, and a value of another kind is as none."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from ralph_wiggum.core.outside_text import plain

Event = Mapping[str, object]

_NOTHING: Event = {}
_BEGINS = '{"type":'
_TRIED = 8  # places in a line that is no event where one may begin
_SEARCHED = 1 << 20  # characters of such a line
_LARGE = 1 << 20  # characters of a line that may hold more than texts
_VALUES = 500_000  # objects and lists in a large line: each takes ten times the memory of its text
_MOST = 10**15  # no figure of an agent is meant to be larger
_ARGUMENTS = ("command", "cmd", "file_path", "filePath", "path", "pattern", "query", "url", "description", "prompt")
_LOOKED_AT = 2000
_SHOWN = 160


def event(line: str) -> Event | None:
    """Return the event that a line is, or that ends it; None where it is foreign text.

    An event may follow text that did not end its line, or stand in another that it cut in two (Claude Code has printed
    a rate_limit_event so: anthropics/claude-code 49640). In a line that is torn, what only looks like an event because
    it was part of another one does not end the line.
    """
    found = json_object(line)
    at = line.find(_BEGINS, 1) if found is None and len(line) <= _SEARCHED else -1
    tried = 0
    while found is None and at > 0 and tried < _TRIED:
        found = json_object(line[at:])
        at = line.find(_BEGINS, at + 1)
        tried += 1
    return found


def json_object(text: str) -> Event | None:
    """Return the JSON object that a text is, None where it is none or would take too much memory."""
    if not text.startswith("{"):
        return None
    if len(text) > _LARGE and text.count("{") + text.count("[") > _VALUES:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):  # a number of 5,000 digits and a thousand open brackets are such errors too
        return None
    return value if isinstance(value, dict) else None


def mapping(value: object, *path: str) -> Event:
    """Return the object at a path below a value, an empty one where there is none."""
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else _NOTHING


def items(value: Event, name: str) -> Sequence[object]:
    """Return the list in a field, an empty one where there is none."""
    found = value.get(name)
    return found if isinstance(found, list) else ()


def text(value: Event, *names: str) -> str:
    """Return the first of some fields that holds a text, or ""."""
    return next((found for name in names if isinstance(found := value.get(name), str) and found), "")


def number(value: Event, *names: str) -> float:
    """Return the sum of the numbers in some fields; what is no number, below 0 or beyond all sense counts as 0."""
    total = 0.0
    for name in names:
        found = value.get(name)
        if isinstance(found, int | float) and not isinstance(found, bool) and 0 < found < _MOST:
            total += found
    return total


def whole(value: Event, *names: str) -> int:
    """Return `number` without its fraction."""
    return int(number(value, *names))


def doing(arguments: object) -> str:
    """Return what a tool is called with in a few words of one line: the command, the file, the pattern."""
    words = arguments if isinstance(arguments, str) else text(mapping(arguments), *_ARGUMENTS)
    return plain(words[:_LOOKED_AT], _SHOWN)
