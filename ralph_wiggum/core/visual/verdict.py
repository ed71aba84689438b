"""What agent-browser answered to a command -> whether the step is done, and if not, why, in words (O25).

Exit codes do not tell: `is visible` of a hidden element succeeds and answers false, and so does `open` of a page that
is not there. Texts of errors are those of agent-browser 0.27 and 0.41.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ralph_wiggum.core.outside_text import plain
from ralph_wiggum.core.visual.commands import Command
from ralph_wiggum.core.visual.reply import Reply

_NOT_FOUND = re.compile(r"element not found|no element found|no elements? match", re.IGNORECASE)
_ADVICE = re.compile(r"\.?\s*Verify the selector.*$", re.DOTALL)
_WAITED = re.compile(r"timed out(?: after (\d+) ?ms)?", re.IGNORECASE)
_NET = re.compile(r"net::ERR_[A-Z_]+")
_HANGS = re.compile(r"CDP command timed out|page_wedged|Resource temporarily unavailable", re.IGNORECASE)
_NET_WORDS = {
    "net::ERR_CONNECTION_REFUSED": "nothing listens there",
    "net::ERR_CONNECTION_RESET": "the server closed the connection",
    "net::ERR_EMPTY_RESPONSE": "the server answered nothing",
    "net::ERR_NAME_NOT_RESOLVED": "there is no such host",
    "net::ERR_ADDRESS_UNREACHABLE": "the host cannot be reached",
    "net::ERR_INTERNET_DISCONNECTED": "there is no network",
    "net::ERR_CERT_AUTHORITY_INVALID": "its certificate is not trusted: put --ignore-certificate-errors into "
    "visual_validation.browser_args",
    "net::ERR_UNSAFE_PORT": "Chromium refuses this port",
    "net::ERR_TOO_MANY_REDIRECTS": "it redirects in a circle",
}
_UNSEEN = {
    "visible": "the element is there, but not visible",
    "enabled": "the element is disabled",
    "checked": "the element is not checked",
}
_SEEN = {
    "visible": "the element is visible",
    "enabled": "the element is enabled",
    "checked": "the element is checked",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a step failed: `words` for people, `key` the same each time the step fails alike.

    `may_pass`: the same step may succeed a moment later, for the page may still be drawing itself.
    """

    words: str
    key: str
    may_pass: bool = False


def of(command: Command, reply: Reply) -> Failure | None:
    """Return why a command's step is not done; None if it is. The tool's own trouble (broken) is for the caller."""
    if command.error:
        return Failure(words=command.error, key=command.error)
    if reply.timed_out:
        words = f"not answered within {reply.seconds:.0f} s: the page or its server hangs"
        return Failure(words=words, key="not answered in time")
    if command.argv[0] == "is":
        return _of_question(command, reply)
    return None if reply.ok else _of_error(command, plain(reply.error, 400))


def hangs(reply: Reply) -> bool:
    """Say whether a page does not answer any more, so that further questions to it would only take their time."""
    return reply.timed_out or (not reply.ok and bool(_HANGS.search(reply.error)))


def _of_question(command: Command, reply: Reply) -> Failure | None:
    what = command.argv[1] if len(command.argv) > 1 else ""
    if not reply.ok:
        if what == "visible" and not command.expected and _NOT_FOUND.search(reply.error):
            return None  # what is not there is not visible
        return _of_error(command, plain(reply.error, 400))
    answer = reply.data.get(what)
    if not isinstance(answer, bool):
        return Failure(words=f"answered neither true nor false: {plain(str(dict(reply.data)), 120)}", key="no answer")
    if answer is command.expected:
        return None
    said = "true" if answer else "false"
    why = (_SEEN if answer else _UNSEEN).get(what, f"answered {said}")
    wanted = "" if command.expected else ", and is not to be"
    return Failure(words=f"answered {said}: {why}{wanted}", key=f"answered {said}", may_pass=True)


def _of_error(command: Command, error: str) -> Failure:
    if net := _NET.search(error):
        words = _NET_WORDS.get(net[0], "")
        return Failure(words=f"{net[0]}{f' ({words})' if words else ''}", key=net[0])
    if _NOT_FOUND.search(error):
        words = _ADVICE.sub("", error) or "Element not found"
        return Failure(words=words, key="element not found", may_pass=True)
    if _HANGS.search(error):
        return Failure(words=f"the page or its server hangs: {error}", key="not answered in time")
    if waited := _WAITED.search(error):
        after = f" after {int(waited[1]) / 1000:g} s" if waited[1] else ""
        return Failure(words=f"timed out{after}", key="timed out")
    return Failure(words=error or f"`{command.shown}` failed without a word", key=error)
