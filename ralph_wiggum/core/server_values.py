"""Readers of the keys of a server: its name, where it is, and when it is ready (O23)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ralph_wiggum.core import setting_values as values
from ralph_wiggum.core.setting_values import BadValue
from ralph_wiggum.core.settings import Ready
from ralph_wiggum.core.settings_schema import near

LONGEST_NAME = 60  # characters; the name is that of the log file as well
_NAME = re.compile(rf"[A-Za-z0-9_-][A-Za-z0-9._-]{{0,{LONGEST_NAME - 1}}}")
_URL = re.compile(
    r"https?://(?:\[[0-9A-Fa-f:.]+\]|[^\s/?#:@\[\]{}]+)(?::(?P<port>[0-9]{1,9}))?(?:[/?#]\S*)?",
    re.IGNORECASE,
)
_STATUS = re.compile(r"([0-9]{3})(?:\s*-\s*([0-9]{3}))?")
_CLASS = re.compile(r"([1-5])xx", re.IGNORECASE)
READY_HINT = "add ready: a URL such as http://localhost:5173, a port such as 5173, or {log: a pattern of its output}"


def name(value: object) -> str:
    """Read a name of a server: letters, digits, `-`, `_` and `.`; it names its log file too."""
    found = values.text(value)
    if not _NAME.fullmatch(found):
        hint = f"use up to {LONGEST_NAME} letters, digits, - _ and ., such as web"
        raise BadValue(f"{found!r} cannot be the name of a server", hint)
    return found


def url(value: object) -> str:
    """Read a URL of a page: http or https, with a host."""
    found = values.text(value)
    named_port(found)
    return found


def port(value: object) -> int:
    """Read a TCP port."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise values.wrong("a port", value, "write a number such as 5173, without quotes")
    if not 0 < value < 1 << 16:
        raise BadValue(f"{value} is no port", "write a number from 1 to 65535, such as 5173")
    return value


def ready(value: object) -> Ready:
    """Read when a server is up: a URL, a port, or a mapping with one of `url`, `port` and `log`."""
    if isinstance(value, str):
        return Ready(url=_asked(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return Ready(port=port(value))
    if not isinstance(value, Mapping):
        raise values.wrong("a URL, a port or a mapping", value, READY_HINT)
    return _ready_mapping(values.mapping(value))


def reloads(value: object) -> bool | None:
    """Read whether a server shows changed code by itself: true, false, or None for "auto"."""
    if value == "auto":
        return None
    if not isinstance(value, bool):
        raise values.wrong(
            "auto, true or false", value, "write true where it reloads by itself, false where it does not"
        )
    return value


def _ready_mapping(given: Mapping[str, object]) -> Ready:
    for key in given:
        if key not in _READY:
            raise BadValue("unknown key" + near(key, _READY), f"choose from {', '.join(_READY)}", key)
    ways = [key for key in ("url", "port", "log") if key in given]
    if len(ways) != 1:
        problem = f"has {' and '.join(ways)}" if ways else "has neither url nor port nor log"
        raise BadValue(problem, "give it one of url, port and log")
    for key, needed in (("status", "url"), ("host", "port")):
        if key in given and ways != [needed]:
            raise BadValue(f"goes with {needed} only, and here is {ways[0]}", f"take it out, or give {needed}", key)
    fields = {_READY[key][0]: values.below(key, _READY[key][1], item) for key, item in given.items()}
    return Ready(**fields)  # type: ignore[arg-type]  # each reader gives its field's type


def statuses(value: object) -> tuple[tuple[int, int], ...]:
    """Read the status codes that mean ready, as pairs of the lowest and the highest: 200, "2xx", "200-399", a list."""
    if isinstance(value, list | tuple):
        if not value:
            raise BadValue("the list is empty", "name a status such as 200, or take the key out")
        return tuple(values.below(str(number), _statuses_of_one, item) for number, item in enumerate(value, 1))
    return (_statuses_of_one(value),)


def _statuses_of_one(value: object) -> tuple[int, int]:
    hint = 'write a status such as 200, "2xx" or "200-399"'
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise values.wrong("a status", value, hint)
    word = str(value).strip()
    if found := _CLASS.fullmatch(word):
        return int(found[1]) * 100, int(found[1]) * 100 + 99
    span = _STATUS.fullmatch(word)
    low, high = (int(span[1]), int(span[2] or span[1])) if span else (0, 0)
    if not 100 <= low <= high <= 599:  # noqa: PLR2004 - the status codes of HTTP (RFC 9110, 15)
        raise BadValue(f"{word} is no status from 100 to 599", hint)
    return low, high


def _asked(value: object) -> str:
    """Read a URL that the runner itself asks for, byte by byte as it stands."""
    found = url(value)
    if not found.isascii():
        raise BadValue(
            f"{found!r} holds letters outside of ASCII", "write them as a browser sends them, such as %C3%BC"
        )
    return found


def _host(value: object) -> str:
    found = values.text(value)
    if re.search(r"[\s/@{}?#]", found):
        raise BadValue(f"{found!r} is no host", "write a name or an address such as localhost or 127.0.0.1")
    return found


def named_port(found: str) -> int:
    """Return the port that a URL names, 0 where it leaves that to the scheme; BadValue for what is no URL of a page."""
    parts = _URL.fullmatch(found)
    if parts is None:
        raise BadValue(f"{found!r} is no URL" + _why_no_url(found), "write it whole, such as http://localhost:5173")
    return values.below("port", port, int(parts["port"])) if parts["port"] else 0


def _why_no_url(found: str) -> str:
    if "{port}" in found:
        return ": {port} belongs in the command, and the wanted port stands here"
    if not re.match("https?://", found, re.IGNORECASE):
        return ": it does not begin with http:// or https://"
    if re.search(r"\s", found):
        return ": it holds a space"
    return ": a name or a password before the host cannot be sent" if "@" in found else ": the host is missing or wrong"


_READY: Mapping[str, tuple[str, values.Reader]] = {  # key -> field of Ready and reader
    "url": ("url", _asked),
    "port": ("port", port),
    "log": ("log", values.regex),
    "status": ("statuses", statuses),
    "host": ("host", _host),
}
READERS: Mapping[str, values.Reader] = {"ready": ready, "url": url, "name": name, "reloads": reloads}
