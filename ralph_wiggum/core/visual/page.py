"""What was seen of a page -> what is wrong with it (O25): its status, its console, its requests, blankness."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ralph_wiggum.core.fingerprint import normalise
from ralph_wiggum.core.outside_text import plain
from ralph_wiggum.core.visual.places import path_of, split
from ralph_wiggum.core.visual.verdict import Failure

FAVICON = "favicon.ico"
ABORTED = "net::ERR_ABORTED"  # by the page itself: a component that was taken away again, a navigation

_BAD_STATUS = 400
_SERVER_FAULT = 500
_LONGEST = 300  # characters of a console error, as it is compared
_COUNTED = 20  # new console errors of a page that are told of
_CALLS = frozenset({"fetch", "xhr", "ping", "preflight"})
_LOGINS = frozenset({"login", "log-in", "signin", "sign-in", "auth", "sso"})
_LASTING = frozenset({"eventsource", "websocket", "media", "ping"})  # may stay open for good
_ORIGIN = re.compile(r"\b(?:https?|wss?)://[^\s/'\"()]+")
# Vite's hashes have 8 characters, of mixed case where they hold no digit.
_HASHED = re.compile(
    r"(?:(?<=[-._])(?=[\w-]*\d)[A-Za-z0-9_-]{8,}|(?<=-)(?=[A-Za-z]*[a-z])(?=[A-Za-z]*[A-Z])[A-Za-z]{8})"
    r"(?=\.(?:m?js|css|map)\b)"
)
_FIRST_STAMP = re.compile(r"(?<=\?)(?:t|v|ts|_)=[\w.-]+&")
_QUERY_STAMP = re.compile(r"[?&](?:t|v|ts|_)=[\w.-]+")
_RANDOM = re.compile(r"\b\d+\.\d{6,}\b")  # Math.random(), performance.now()
_POSITION = re.compile(r"(?<=[\w)]):\d+(?::\d+)?(?=[\s),]|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request of a page. `status` 0 with an `error` was not answered, without one it still waits.

    `kind` is the browser's resource type in lower case (document, script, fetch …).
    """

    url: str
    kind: str = ""
    method: str = "GET"
    status: int = 0
    error: str = ""

    @property
    def waits(self) -> bool:
        """Say whether the page may still change by its answer."""
        return not self.status and not self.error and self.kind not in _LASTING

    @property
    def is_favicon(self) -> bool:
        """Say whether the browser asked of its own accord: no page is worse for having no icon."""
        return path_of(self.url).partition("?")[0].endswith(FAVICON)

    @property
    def shown(self) -> str:
        """Return the request on one line."""
        return plain(f"{self.method} {self.url} {self.status or self.error or 'no answer yet'}", _LONGEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen of a page from its opening until it was left, or until the end.

    `address` is where it was opened, `url` where it ended up. `text` counts the characters that can be read on it,
    `things` its pictures, fields and the like. `console` are its console errors, `uncaught` what its scripts threw.
    """

    address: str
    url: str = ""
    title: str = ""
    text: int = 0
    things: int = 0
    console: tuple[str, ...] = ()
    uncaught: tuple[str, ...] = ()
    requests: tuple[Request, ...] = ()
    snapshot: str = ""

    @property
    def blank(self) -> bool:
        """Say whether there is nothing to see."""
        return not self.text and not self.things

    @property
    def path(self) -> str:
        """Return what the page is known by from run to run."""
        return path_of(self.address)

    @property
    def errors(self) -> tuple[str, ...]:
        """Return console errors and uncaught ones, as they were printed."""
        return (*self.console, *(text if text.startswith("Uncaught") else f"Uncaught {text}" for text in self.uncaught))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What does not count: errors accepted before, by page; patterns of errors and of URLs of requests.

    `strict`: each request that failed counts. Else a refused call (4xx) does not, for commands of a task may provoke
    one (a wrong password). `provoked`: the commands make requests fail, so that none counts.
    """

    accepted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ignore_console: tuple[str, ...] = ()
    ignore_requests: tuple[str, ...] = ()
    strict: bool = True
    provoked: bool = False


def problems(seen: Seen, rules: Rules) -> tuple[Failure, ...]:
    """Return what is wrong with a page, the most telling first."""
    found: list[Failure] = []
    status = _document_status(seen)
    if status >= _BAD_STATUS and not _matches(rules.ignore_requests, seen.url or seen.address):
        found.append(Failure(words=f"the page answered {status}", key=f"{seen.path}: status {status}"))
    if seen.blank and not found:
        found.append(Failure(words="the page is blank", key=f"{seen.path}: blank"))
    found.extend(
        Failure(words=f"console error: {plain(text, 200)}", key=f"console: {comparable(text)}")
        for text in _new_errors(seen, rules)
    )
    found.extend(
        Failure(
            words=f"request failed: {request.shown}{_way_out(request, seen)}",
            key=f"request: {comparable(path_of(request.url))} {request.status or request.error}",
        )
        for request in failed_requests(seen, rules)
    )
    return tuple(found)


def console_errors(seen: Seen, rules: Rules) -> tuple[str, ...]:
    """Return the errors of a page as they are compared from run to run, without those that are ignored; sorted."""
    texts = (text for text in seen.errors if not _matches(rules.ignore_console, text))
    return tuple(sorted({comparable(text) for text in texts}))


def failed_requests(seen: Seen, rules: Rules) -> tuple[Request, ...]:
    """Return the requests of a page that failed and count; the document itself is judged apart."""
    if rules.provoked:
        return ()
    failed = (request for request in seen.requests if _failed(request, strict=rules.strict))
    return tuple(
        dict.fromkeys(request for request in failed if not _is_page(request, seen) and not _left_out(request, rules))
    )


def comparable(text: str) -> str:
    r"""Return a text of a page or of its failure without what changes from run to run.

    That is ports, hashes of builds, stamps, times, positions, random numbers.

    >>> comparable("Error: boom\n    at http://localhost:5173/src/a.ts?t=17000:1:41")
    'Error: boom at /src/a.ts:<n>'
    """
    text = _HASHED.sub("<hash>", _ORIGIN.sub("", text[: _LONGEST * 10]))
    text = _RANDOM.sub("<random>", _QUERY_STAMP.sub("", _FIRST_STAMP.sub("", text)))
    return plain(_POSITION.sub("", normalise(text)), _LONGEST)


def wants_login(seen: Seen) -> Failure | None:
    """Return the failure of a page that was not reached, for a login came instead; None for any other page."""
    asked, came = _place(seen.address), _place(seen.url)
    if not sent_on(seen) or _is_login(asked) or not _is_login(came):
        return None
    words = (
        f"opened {plain(asked, 100)}, but {plain(came, 100)} came: the page wants a login "
        "(put the commands that log in under visual_validation.before)"
    )
    return Failure(words=words, key=f"{asked}: {came} came")


def sent_on(seen: Seen) -> str:
    """Return words on where a page ended that is not where it was opened; "" where it stayed."""
    asked, came = _place(seen.address), _place(seen.url)
    if not seen.url or "://" not in seen.url or asked.rstrip("/") == came.rstrip("/"):
        return ""
    return f"opened {plain(asked, 100)}, ended at {plain(came, 100)}"


def _place(url: str) -> str:
    """Return the path of an address, or of the route behind its `#`, without its query."""
    fragment = url.partition("#")[2].removeprefix("!")
    return (fragment if fragment.startswith("/") else path_of(url)).partition("?")[0] or "/"


def login_words(url: str) -> tuple[str, ...]:
    """Return the segments of an address that are names of logins."""
    return tuple(part for part in _place(url).lower().split("/") if part.partition(".")[0] in _LOGINS)


def _is_login(place: str) -> bool:
    return bool(login_words(place))


def settled(before: Seen, now: Seen) -> bool:
    """Say whether a page has come to rest between two looks: something to see, nothing changed, nothing under way."""
    same = (before.url, before.text, before.things) == (now.url, now.text, now.things)
    return same and not now.blank and not any(request.waits for request in now.requests)


def _new_errors(seen: Seen, rules: Rules) -> Sequence[str]:
    known = set(rules.accepted.get(seen.path, ()))
    new: dict[str, str] = {}
    for text in seen.errors:
        if comparable(text) not in known and not _matches(rules.ignore_console, text):
            new.setdefault(comparable(text), text)
    return tuple(new.values())[:_COUNTED]


def _document(seen: Seen) -> Request | None:
    """Return the request of the page itself: the last one for where it ended up, else for where it was opened.

    Others are frames, earlier pages, and redirections, which have no status of their own.
    """
    for url in (seen.url, seen.address):
        for request in reversed(seen.requests):
            if request.kind == "document" and request.status and _same_page(request.url, url):
                return request
    return None


def _is_page(request: Request, seen: Seen) -> bool:
    """Say whether a request is for the page itself, as it was opened or where it ended up."""
    return request.kind == "document" and any(_same_page(request.url, url) for url in (seen.url, seen.address))


def _document_status(seen: Seen) -> int:
    document = _document(seen)
    return document.status if document else 0


def _same_page(one: str, other: str) -> bool:
    first, second = split(one), split(other)
    if first is None or second is None:
        return one == other
    return first[0] == second[0] and path_of(one) == path_of(other)


def _failed(request: Request, *, strict: bool) -> bool:
    if request.error:
        return request.error != ABORTED
    least = _SERVER_FAULT if request.kind in _CALLS and not strict else _BAD_STATUS
    return request.status >= least


def _left_out(request: Request, rules: Rules) -> bool:
    return request.is_favicon or _matches(rules.ignore_requests, request.url)


def _way_out(request: Request, seen: Seen) -> str:
    """Return what else may be done about a request that never got to another host: fonts, without a network."""
    target, here = split(request.url), split(seen.url or seen.address)
    foreign = target is not None and target[0].host != "localhost" and (here is None or target[0].host != here[0].host)
    unreached = request.error.startswith("net::")
    return " (or name it under visual_validation.ignore_requests)" if foreign and unreached else ""


def _matches(patterns: Sequence[str], text: str) -> bool:
    return any(re.search(pattern, text) for pattern in patterns)
