"""What an agent may do here: pure rules on paths and on the options that it offers when it asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ralph_wiggum.core.dialects import fields
from ralph_wiggum.core.dialects.fields import Event

# Kinds of tools (agentclientprotocol.com/protocol/tool-calls) that change nothing where they look.
HARMLESS = frozenset({"read", "search", "fetch", "think", "switch_mode"})
# Once first: an answer for ever would let later ones through unseen, and some agents write it into the project.
_ALLOWING = ("allow_once", "allow_always")
_REJECTING = ("reject_once", "reject_always")
# Where tools have the paths that they work on, in what they are given.
PATHS = (
    *("file_path", "filePath", "path", "absolute_path", "abs_path", "notebook_path", "target", "destination"),
    *("old_path", "new_path", "source", "dir_path"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a question for permission: the id of an option, or "" where none of them fits."""

    option: str
    allowed: bool


def refusal(resolved: str, root: str, kept: Sequence[str]) -> str:
    """Say why a file may not be written, "" if it may. All paths are absolute, their links followed.

    >>> refusal("/etc/hosts", "/work", ())
    '/etc/hosts lies outside the workspace'
    """
    if not _within(resolved, root):
        return f"{resolved} lies outside the workspace"
    if any(_within(resolved, each) for each in kept):
        return f"{resolved} is kept by the runner"
    return "it is the workspace itself" if resolved == root else ""


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def touched(tool: Event) -> tuple[str, ...]:
    """Return the paths that a use of a tool changes, as the agent wrote them; none for tools that change nothing."""
    if fields.text(tool, "kind") in HARMLESS:
        return ()
    places = [fields.mapping(each) for name in ("locations", "content") for each in fields.items(tool, name)]
    given = fields.mapping(tool, "rawInput")
    changes = given.get("changes")  # codex: a change for each path
    found = [fields.text(place, "path") for place in places]
    found += [fields.text(given, name) for name in PATHS]
    found += [path for path in changes if isinstance(path, str)] if isinstance(changes, dict) else []
    return tuple(dict.fromkeys(filter(None, found)))


def answer(policy: str, options: Sequence[object], *, refused: bool) -> Answer:
    """Choose among the options of a question. `refused`: it is about something that may not be done here."""
    allowed = policy == "allow" or (policy == "workspace" and not refused)
    kinds = _ALLOWING if allowed else _REJECTING
    offered = [fields.mapping(option) for option in options]
    fitting = (option for kind in kinds for option in offered if fields.text(option, "kind") == kind)
    return Answer(option=fields.text(next(fitting, {}), "optionId"), allowed=allowed)
