"""Where pages are: a page's address from the settings, on a server that may stand at another port than it was to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ralph_wiggum.core.servers.standing import Standing
from ralph_wiggum.core.visual.policy import NAVIGATES, positional

_LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]", "0.0.0.0"})  # noqa: S104 - a name in an address, nothing is bound
_PORTS = {"http": "80", "https": "443", "ws": "80", "wss": "443"}
# Commands whose arguments are addresses or begin with one; in others (fill, eval) an address is just text.
_ADDRESSED = NAVIGATES | {"tab", "window", "wait", "pushstate", "network", "diff", "a11y", "vitals", "read", "cookies"}


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port of an address; names of this machine are one host, and the scheme's port is written out."""

    scheme: str
    host: str
    port: str


def split(url: str) -> tuple[Origin, str] | None:
    """Return the origin of an address and what follows it; None where it has no host.

    >>> split("http://127.0.0.1:5173/a?b")
    (Origin(scheme='http', host='localhost', port='5173'), '/a?b')
    """
    scheme, mark, rest = url.partition("://")
    if not mark:
        if not _looks_local(url):
            return None
        scheme, rest = "http", url
    end = min((at for at in map(rest.find, "/?#") if at >= 0), default=len(rest))
    authority = rest[:end].rpartition("@")[2].lower()
    host, colon, port = authority.rpartition(":")
    if not colon or port.endswith("]"):
        host, port = authority, ""
    if not host:
        return None
    scheme = scheme.lower()
    name = "localhost" if host in _LOCAL else host
    return Origin(scheme, name, port or _PORTS.get(scheme, "")), rest[end:]


def moved(url: str, standings: Sequence[Standing]) -> str:
    """Return an address as it is now: on the port that its server stands at, where it is that of a server of ours.

    >>> moved("http://127.0.0.1:5173/a", [Standing(name="web", wanted="http://localhost:5173", url="http://localhost:4001")])
    'http://localhost:4001/a'
    """
    parts = split(url)
    for standing in standings if parts else ():
        wanted, now = split(standing.wanted), split(standing.url)
        if parts and wanted and now and _same(parts[0], wanted[0]) and not _same(wanted[0], now[0]):
            return f"{origin_of(standing.url)}{parts[1]}"
    return url


def translated(argv: Sequence[str], standings: Sequence[Standing]) -> tuple[str, ...]:
    """Return a command with its addresses as they are now; a path to open is one below the first server's URL."""
    argv = tuple(argv)
    if argv[:1] == () or argv[0] not in _ADDRESSED:
        return argv
    opened = positional(argv[1:])[:1] if argv[0] in NAVIGATES else ()
    base = first_url(standings)
    return (
        argv[0],
        *(
            _below(base, word) if (word,) == opened and word.startswith("/") and base else moved(word, standings)
            for word in argv[1:]
        ),
    )


def pages(wanted: Sequence[str], standings: Sequence[Standing]) -> tuple[str, ...]:
    """Return the addresses of the pages of the settings; without any, that of the first server; () for neither."""
    base = first_url(standings)
    found = tuple(
        _below(base, page) if page.startswith("/") else moved(page, standings)
        for page in wanted
        if base or not page.startswith("/")
    )
    return found or ((base,) if base else ())


def first_url(standings: Sequence[Standing]) -> str:
    """Return the URL of the first server that has one, as it is now; "" if none has."""
    urls = (standing.url or standing.wanted for standing in standings)
    return next((url for url in urls if split(url)), "")


def path_of(url: str) -> str:
    """Return an address without scheme, host, port and fragment: what a page is known by from run to run.

    >>> path_of("http://localhost:5173/login?next=1#top"), path_of("http://localhost:5173")
    ('/login?next=1', '/')
    """
    parts = split(url)
    rest = parts[1] if parts else url
    return rest.partition("#")[0] or "/"


def origin_of(url: str) -> str:
    """Return scheme, host and port of an address as they are written."""
    scheme, _, rest = url.partition("://")
    end = min((at for at in map(rest.find, "/?#") if at >= 0), default=len(rest))
    return f"{scheme}://{rest[:end]}"


def _below(base: str, path: str) -> str:
    return f"{origin_of(base)}{path}"


def _same(one: Origin, other: Origin) -> bool:
    return (one.host, one.port) == (other.host, other.port)


def _looks_local(url: str) -> bool:
    """Say whether an address without a scheme begins with a name of this machine."""
    return any(url == name or url.startswith((f"{name}:", f"{name}/")) for name in _LOCAL)
