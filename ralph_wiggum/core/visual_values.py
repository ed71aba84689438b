"""Readers of `visual_validation`: the tool, pages, viewports, and what does not go together (O25)."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ralph_wiggum.core import server_rules, server_values
from ralph_wiggum.core import setting_values as values
from ralph_wiggum.core.servers.target import page
from ralph_wiggum.core.setting_values import BadValue
from ralph_wiggum.core.settings import ServerSettings, VisualSettings

TOOL = "agent-browser"
LARGEST = 10_000  # pixels, each way
_TOOL_NAME = re.compile(r"agent-browser(?:[.-].*)?")  # agent-browser.js, agent-browser-linux-x64
_SIZE = re.compile(r"([0-9]{1,9})\s*[xX×]\s*([0-9]{1,9})")


def tool(value: object) -> str:
    """Read the program that looks at pages: agent-browser by name, or a path to it."""
    found = values.text(value)
    if not _TOOL_NAME.fullmatch(posixpath.basename(found)):
        raise BadValue(f"{found!r} is another tool: only {TOOL} is known", f"write {TOOL}, or a path to it")
    return found


def pages(value: object) -> tuple[str, ...]:
    """Read pages: whole URLs, or paths on the server."""
    return tuple(values.below(str(number), _page, item) for number, item in enumerate(values.texts(value), 1))


def _page(value: object) -> str:
    found = values.text(value)
    if not found.startswith("/"):
        return server_values.url(found)
    if found.startswith("//") or re.search(r"\s", found):
        raise BadValue(f"{found!r} is no path of a page", "write a path such as /login, with %20 for a space")
    return found


def viewports(value: object) -> tuple[tuple[int, int], ...]:
    """Read sizes of the page in pixels, width and height: "375x812" or [375, 812]."""
    if isinstance(value, str):
        return (_viewport(value),)
    if not isinstance(value, list | tuple):
        raise values.wrong("a list of sizes", value, "write [375x812, 1280x800]")
    return tuple(values.below(str(number), _viewport, item) for number, item in enumerate(value, 1))


def _viewport(value: object) -> tuple[int, int]:
    hint = "write width and height in pixels, such as 375x812 or [375, 812]"
    if isinstance(value, str) and (found := _SIZE.fullmatch(value.strip())):
        sides: Sequence[object] = [int(found[1]), int(found[2])]
    elif isinstance(value, list | tuple) and len(value) == 2:  # noqa: PLR2004 - width and height
        sides = value
    else:
        raise values.wrong("a size such as 375x812", value, hint)
    width, height = (values.count(side) for side in sides)
    if max(width, height) > LARGEST:
        raise BadValue(f"{max(width, height)} pixels are more than {LARGEST}", hint)
    return width, height


def before(value: object) -> tuple[str, ...]:
    """Read commands that run ahead of every validation: whole agent-browser commands, as a task would have them."""
    return tuple(values.below(str(number), _command, item) for number, item in enumerate(values.texts(value), 1))


def _command(value: object) -> str:
    found = values.text(value)
    try:
        words = shlex.split(found)
    except ValueError as error:
        raise BadValue(f"cannot be split into arguments: {error}", "close each quote that is opened") from None
    if words[:1] != [TOOL] or len(words) == 1:
        problem = f"{found!r} is no {TOOL} command, and nothing else runs"
        raise BadValue(problem, f"write {TOOL} open http://localhost:5173/login and so on, one a line")
    return found


def visual(given: Mapping[str, object], servers: Sequence[ServerSettings], owned: Mapping[str, str]) -> VisualSettings:
    """Return how pages are looked at.

    Pages come out as whole URLs: paths lie on the server that no other one depends on, and where none is named, its
    own URL is the page. `owned` maps the key of each file that the runner writes to its pattern. BadValue, with the
    path below `visual_validation`, for what cannot go together.
    """
    found = VisualSettings(**given)  # type: ignore[arg-type]  # the readers of the schema give each field its type
    folder = posixpath.normpath(found.screenshot_dir)
    for key, pattern in owned.items():
        if posixpath.normpath(pattern).startswith(f"{folder}/"):
            hint = f"screenshots need a folder of their own, such as {folder}/screenshots/"
            raise BadValue(f"{folder} holds the file of {key} too", hint, "screenshot_dir")
    return replace(found, pages=_whole(found.pages, server_rules.front(servers)))


def _whole(found: Sequence[str], front: ServerSettings | None) -> tuple[str, ...]:
    """Return pages as whole URLs; where none is named, the one of the server itself."""
    if front is None:
        for number, each in enumerate(found, 1):
            if each.startswith("/"):
                hint = "name the page whole, such as http://localhost:5173/, or give a server a url"
                raise BadValue(f"{each} lies below a server's URL, and no server has one", hint, "pages", str(number))
        return tuple(found)
    base = page(front)
    return tuple(server_rules.origin(base) + each if each.startswith("/") else each for each in found) or (base,)


READERS: Mapping[str, values.Reader] = {"tool": tool, "pages": pages, "viewports": viewports, "before": before}
