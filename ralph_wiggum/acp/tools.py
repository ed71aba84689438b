"""A use of a tool as the agent tells it: what of it is worth knowing, and how it is said in a few words."""

from __future__ import annotations

import shlex

from ralph_wiggum.acp.permissions import PATHS
from ralph_wiggum.core.dialects import fields
from ralph_wiggum.core.dialects.fields import Event

PLACES = 100  # paths of one use
NAME = 4096  # characters of a path, a command, a title
_DOING = ("command", "cmd", "file_path", "filePath", "absolute_path", "path", "pattern", "query", "url", "description")


def brief(tool: Event) -> dict[str, object]:
    """Return what was told of a tool that is worth knowing: no texts of files, no output."""
    told: dict[str, object] = {name: text[:NAME] for name in ("kind", "title") if (text := fields.text(tool, name))}
    for name in ("locations", "content"):
        places = [fields.text(fields.mapping(each), "path") for each in fields.items(tool, name)[:PLACES]]
        if any(places):
            told[name] = [{"path": path} for path in places if path]
    values = fields.mapping(tool, "rawInput")
    if values:
        command, changes = values.get("command"), fields.mapping(values, "changes")
        texts = {key: fields.text(values, key)[:NAME] for key in (*_DOING, *PATHS)}
        kept: dict[str, object] = {key: text for key, text in texts.items() if text}
        if isinstance(command, list):
            kept["command"] = shlex.join(str(word)[:NAME] for word in command[:PLACES])[:NAME]
        if changes:  # codex: a change for each path
            kept["changes"] = dict.fromkeys(list(changes)[:PLACES])
        told["rawInput"] = kept
    return told


def words(tool: Event) -> tuple[str, str]:
    """Return the name of a tool, and what it is called with: the command, the file, or its title."""
    kind, title = fields.text(tool, "kind"), fields.text(tool, "title")
    name = kind if kind not in {"", "other"} else title or "tool"
    places = (fields.text(fields.mapping(place), "path") for place in fields.items(tool, "locations"))
    place = "" if kind == "execute" else next(filter(None, places), "")  # of a command it is where it runs
    doing = given(tool) or place or (title if title != name else "")
    return name, doing[:NAME]


def given(tool: Event) -> str:
    """Return what a tool was given that says most: the command, the file; "" where that is not told yet."""
    return fields.text(fields.mapping(tool, "rawInput"), *_DOING)
