"""Which agent-browser commands a task may run, and with which options.

The commands are those of agent-browser 0.27 to 0.41 (`agent-browser --help`). What looks at a page or uses it may run.
What installs, connects to another browser, keeps running or writes outside of the project may not: an unattended
runner has one browser of its own, and gives it back.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

NAVIGATES = frozenset({"open", "goto", "navigate"})
CLOSES = frozenset({"close", "quit", "exit"})

_PAGE = NAVIGATES | {
    *("a11y", "addscript", "addstyle", "back", "batch", "bringtofront", "check", "click", "clipboard", "console"),
    *("cookies", "dblclick", "dialog", "diff", "download", "drag", "errors", "eval", "fill", "find", "focus"),
    *("forward", "frame", "get", "highlight", "hover", "is", "key", "keyboard", "keydown", "keyup", "mouse"),
    *("network", "pdf", "press", "pushstate", "react", "read", "reload", "screenshot", "scroll", "scrollinto"),
    *("scrollintoview", "select", "set", "snapshot", "state", "storage", "swipe", "tab", "tap", "type", "uncheck"),
    *("upload", "vitals", "wait", "window", "auth"),
}
_INSTALLS = "it changes what is installed"
_ELSEWHERE = "it would leave the runner's own browser"
_STAYS = "it would keep running after the validation"
_NO_PAGE = "it looks at no page"
_REFUSED = {
    **dict.fromkeys(("install", "upgrade", "doctor", "plugin"), _INSTALLS),
    **dict.fromkeys(("connect", "session", "device"), _ELSEWHERE),
    **dict.fromkeys(("mcp", "chat", "dashboard", "stream", "record", "trace", "profiler", "inspect"), _STAYS),
    **dict.fromkeys(("profiles", "skills", "webmcp", "confirm", "deny", "help", "removeinitscript"), _NO_PAGE),
}
KNOWN = _PAGE | CLOSES | _REFUSED.keys()

# Of a command, the sub-commands that may run where not all may.
_ONLY = {
    "auth": (("login",), "only `auth login` may run"),
    "state": (("load",), "only `state load` may run"),
    "network": (("requests", "request", "route", "unroute"), "the runner records requests itself"),
}

_DROPPED = {  # option -> whether a value follows: the runner sets these, or they only change what is printed
    **dict.fromkeys(("--session", "--session-name", "--namespace", "--idle-timeout", "--max-output", "--model"), True),
    **dict.fromkeys(("--screenshot-dir", "--download-path", "--config", "--executable-path"), True),
    **dict.fromkeys(("--json", "--debug", "-v", "--verbose", "-q", "--quiet", "--headed", "--version", "-V"), False),
    **dict.fromkeys(("--content-boundaries", "--pin-tab", "--no-pin-tab", "--no-auto-dialog"), False),
}
# The runner has started the browser when a task's commands run; then agent-browser takes these no more.
_AT_START = "is for the start of the browser"
_IN_SETTINGS = f"{_AT_START}; put it into visual_validation.browser_args, as `{{}}`"
_LAUNCH = {  # option -> why it cannot be had, and what can be done
    "--ignore-https-errors": _IN_SETTINGS.format("--ignore-certificate-errors"),
    "--user-agent": _IN_SETTINGS.format("--user-agent=…"),
    "--proxy": _IN_SETTINGS.format("--proxy-server=…"),
    "--proxy-bypass": _IN_SETTINGS.format("--proxy-bypass-list=…"),
    "--extension": _IN_SETTINGS.format("--load-extension=…"),
    "--allow-file-access": _IN_SETTINGS.format("--allow-file-access-from-files"),
    "--hide-scrollbars": _IN_SETTINGS.format("--hide-scrollbars"),
    "--args": f"{_AT_START}; put its value into visual_validation.browser_args",
    "--color-scheme": f"{_AT_START}; use the command `set media dark` or `set media light`",
    "--init-script": f"{_AT_START}; use the command `addscript` once the page is open",
    "--engine": f"{_AT_START}; the runner's is a Chromium or Chrome (visual_validation.browser)",
}
_FORBIDDEN = {  # option -> why
    **dict.fromkeys(("--cdp", "--cdp-headers", "--auto-connect", "--provider", "-p"), _ELSEWHERE),
    **dict.fromkeys(("--profile", "--state", "--restore", "--restore-save"), "it would use the person's own logins"),
    **dict.fromkeys(("--confirm-interactive", "--confirm-actions", "--action-policy"), "nobody is there to be asked"),
    "--stdin": "there is nothing to read",
}
_VALUED = frozenset(  # options that a value follows, of those that may be used
    {
        *("--headers", "--enable", "--device"),
        *("--name", "--filter", "--type", "--method", "--status", "--load", "--text", "--url", "--fn", "--timeout"),
        *("--label", "-d", "--depth", "-s", "--selector", "--screenshot-quality", "--screenshot-format", "--tags"),
        *("--threshold", "-b", "--baseline", "-o", "--output", "--body", "--allow-origin", "--resource-type"),
        *("--curl", "--domain", "--path", "--expires", "--same-site", "--input-mode", "--state"),
    }
)
_ONLY_AHEAD = frozenset({"-p", "-v", "-q", "-V", "--state"})  # behind the command they may mean something else
_SWITCHES = frozenset({"true", "false"})  # may follow a switch
_CLEARED = frozenset({("console",), ("errors",), ("network", "requests")})
_SCHEMES = ("http://", "https://", "about:", "data:", "file://")
_IMAGES = (".png", ".jpg", ".jpeg", ".webp")
_OWNED = frozenset({".git", ".ralph", ".kiro"})
_DOWNLOADS = "screenshots/"  # the folder below which `download` may write, whatever the ending: nothing is lost there
_SHOWN = NAVIGATES | {"tab", "window", "diff", "read", "a11y", "vitals", "pushstate"}  # take addresses of pages
_FILE = re.compile(r"file:(?://(?:localhost(?=/))?)?(?P<path>[^?#]*)", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][\w+.-]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruled:
    """What is left of a command: `argv` to run, or the `error` for which it may not; `notes` on what was left out."""

    argv: tuple[str, ...] = ()
    error: str = ""
    notes: tuple[str, ...] = ()


def rule(words: Sequence[str]) -> Ruled:
    """Say what may be run of a command; `words` are its arguments, without the program's name.

    >>> rule(("--session", "mine", "is", "visible", "#go")).argv
    ('is', 'visible', '#go')
    >>> rule(("install",)).error
    '`install` may not run: it changes what is installed'
    """
    command = ""
    kept: list[str] = []
    notes: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, is_set, _ = word.partition("=")
        if not word.startswith("-") or (command and name in _ONLY_AHEAD):
            command = command or word
            kept.append(word)
        elif name in _FORBIDDEN:
            return Ruled(error=f"`{name}` may not be used: {_FORBIDDEN[name]}")
        elif name in _LAUNCH:
            return Ruled(error=f"`{name}` {_LAUNCH[name]}")
        elif name in _DROPPED:
            notes.append(f"without {name}")
            if rest and not is_set and (_DROPPED[name] or rest[0] in _SWITCHES):
                rest.pop(0)
        else:
            kept.append(word)
            if rest and word in _VALUED:
                kept.append(rest.pop(0))
    return _ruled(command, tuple(kept), tuple(notes))


def _ruled(command: str, argv: tuple[str, ...], notes: tuple[str, ...]) -> Ruled:
    if not command:
        return Ruled(error="no command of agent-browser is named", notes=notes)
    if command in _REFUSED:
        return Ruled(error=f"`{command}` may not run: {_REFUSED[command]}", notes=notes)
    if command not in KNOWN:
        return Ruled(error=f"`{command}` is no command of agent-browser that ralph knows", notes=notes)
    at = argv.index(command)
    arguments = (*argv[:at], *argv[at + 1 :])  # options may stand ahead, too
    named = positional(arguments)
    if command in _ONLY and named and named[0] not in _ONLY[command][0]:
        return Ruled(error=f"`{command} {named[0]}` may not run: {_ONLY[command][1]}", notes=notes)
    if command in NAVIGATES and named and _foreign(named[0]):
        return Ruled(error=f"{named[0]} is no page that can be opened here", notes=notes)
    if "--clear" in arguments and ((command,) in _CLEARED or (command, *named[:1]) in _CLEARED):
        arguments = tuple(word for word in arguments if word != "--clear")
        notes = (*notes, "without --clear")
    # agent-browser takes its options anywhere: with the command first, readers need to look at argv[0] only.
    return Ruled(argv=(command, *arguments), notes=notes)


def positional(arguments: Sequence[str]) -> tuple[str, ...]:
    """Return the arguments that are neither options nor their values."""
    found: list[str] = []
    before = ""
    for word in arguments:
        if not word.startswith("-") and before not in _VALUED:
            found.append(word)
        before = word
    return tuple(found)


def written_path(argv: Sequence[str]) -> str:
    """Return the path that a command would write to, as it stands there; "" if it writes none."""
    arguments = positional(argv[1:])
    match argv[0]:
        case "screenshot":
            return arguments[-1] if arguments and _looks_like_a_path(arguments[-1]) else ""
        case "pdf":
            return arguments[0] if arguments else ""
        case "download":
            return arguments[1] if len(arguments) > 1 else ""
        case "diff":
            return next((after for word, after in pairwise(argv) if word in {"-o", "--output"}), "")
    return ""


def read_paths(argv: Sequence[str]) -> tuple[str, ...]:
    """Return the paths of files that a command would hand to the browser, those of file:// addresses, too."""
    arguments = positional(argv[1:])
    if argv[0] in _SHOWN and (shown := tuple(filter(None, map(_file_of, arguments)))):
        return shown
    match argv[0]:
        case "upload":
            return arguments[1:]
        case "state":
            return arguments[1:]
        case "diff" | "cookies":
            options = {"--baseline", "-b", "--curl"}
            return tuple(after for word, after in pairwise(argv) if word in options)
    return ()


def outside(path: str, root: str) -> str:
    """Say why a path is none that a task's command may write or read; "" if it may. `root` is absolute.

    >>> outside("screenshots/a.png", "/work"), outside("../a.png", "/work")
    ('', '../a.png lies outside of the project')
    """
    full = posixpath.normpath(posixpath.join(root, path))
    inside = posixpath.relpath(full, root)
    if inside == ".." or inside.startswith("../") or inside == ".":
        return f"{path} lies outside of the project"
    if inside.split("/")[0] in _OWNED:
        return f"{path} is not for commands of tasks to write or read"
    return ""


def wrong_ending(argv: Sequence[str], path: str) -> str:
    """Say why a command may not write to this name: so that none overwrites a source file; "" if it may.

    Pictures are known by their ending. What is downloaded may have any, so it goes below `screenshots/`.
    """
    if argv[0] == "download":
        below = posixpath.normpath(path).startswith(_DOWNLOADS)
        return "" if below else f"{path} does not lie below {_DOWNLOADS}, where `download` may write"
    allowed = {"screenshot": _IMAGES, "diff": _IMAGES, "pdf": (".pdf",)}.get(argv[0])
    if allowed is None or path.lower().endswith(allowed):
        return ""
    return f"{path} does not end with {' or '.join(allowed)}"


def _looks_like_a_path(word: str) -> bool:
    return word.lower().endswith(_IMAGES) or ("/" in word and not word.startswith(("//", "xpath=", "[", "#", ".", "@")))


def _file_of(address: str) -> str:
    """Return the path of a file:// address, as a browser would read it; "" for any other address."""
    found = _FILE.fullmatch(address.partition("?")[0].partition("#")[0])
    if found is None:
        return ""
    return (
        re.sub(r"%(?!00)([0-9a-fA-F]{2})", lambda code: chr(int(code[1], 16)), found["path"]).replace("\\", "/") or "/"
    )


def _foreign(target: str) -> bool:
    """Say whether an address is one of the browser's own pages or a script; one without a scheme is a host or path."""
    scheme, colon, rest = target.partition(":")
    if not colon or not _SCHEME.fullmatch(scheme) or rest[:1].isdigit():  # localhost:5173
        return False
    return not target.lower().startswith(_SCHEMES)
