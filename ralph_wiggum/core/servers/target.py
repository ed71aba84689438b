"""Where a server is asked whether it is up, on the port that it wants or on another one. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ralph_wiggum.core.settings import ServerSettings

PORT = "{port}"

_URL = re.compile(
    r"(?P<scheme>https?)://(?:[^/?#@]*@)?(?P<host>\[[^\]]+\]|[^:/?#]+)(?::(?P<port>\d+))?(?P<path>/[^?#]*)?(?P<query>\?[^#]*)?",
    re.IGNORECASE,
)
_PORTS = {"http": 80, "https": 443}
_ANY_PAGE = ((200, 499),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is asked: an HTTP resource, or only whether a TCP port takes connections (`scheme` "").

    `host` stands without brackets; `path` holds the query too.
    """

    scheme: str = ""
    host: str = "localhost"
    port: int = 0
    path: str = "/"

    @property
    def request(self) -> bytes:
        """Return the request as it goes over the line (RFC 9112): one answer, and then the end of the connection."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        lines = (
            f"GET {self.path} HTTP/1.1",
            f"Host: {host}" if self.port == _PORTS[self.scheme] else f"Host: {host}:{self.port}",
            "User-Agent: ralph-wiggum",
            "Accept: text/html,application/xhtml+xml,*/*;q=0.8",
            "Connection: close",
        )
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def of_url(url: str) -> Target | None:
    """Return what a URL leads to, None for what is no URL of a page.

    >>> of_url("http://localhost:5173/app?x=1#top")
    Target(scheme='http', host='localhost', port=5173, path='/app?x=1')
    """
    found = _URL.match(url)
    if found is None:
        return None
    scheme = found["scheme"].lower()
    return Target(
        scheme=scheme,
        host=found["host"].strip("[]"),
        port=int(found["port"] or _PORTS[scheme]),
        path=(found["path"] or "/") + (found["query"] or ""),
    )


def wanted(server: ServerSettings) -> Target | None:
    """Return what tells that a server is up, None where only its output does (`ready.log`)."""
    if server.ready.url:
        return of_url(server.ready.url)
    return Target(host=server.ready.host, port=server.ready.port) if server.ready.port else None


def before_start(server: ServerSettings) -> Target | None:
    """Return what tells whether a server is up that nobody here has started: where only its output would, its page."""
    return wanted(server) or (of_url(server.url) if server.url else None)


def after_its_line(server: ServerSettings) -> Target | None:
    """Return what is asked of a server once it has printed the line that tells that it is up, None if nothing is."""
    return before_start(server) if server.ready.log else None


def expected(server: ServerSettings, *, started_here: bool) -> tuple[tuple[int, int], ...]:
    """Return the statuses that are good, as pairs of the lowest and the highest.

    Of one that was started here and has printed its line, the page is asked only to know that it goes on answering:
    an API may well have nothing at `/`.
    """
    return _ANY_PAGE if server.ready.log and started_here else server.ready.statuses


def listens(server: ServerSettings, port: int) -> str:
    """Return "host:port" for a server that is known only by its port, else ""."""
    if page(server) or not server.ready.port:
        return ""
    host = server.ready.host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def page(server: ServerSettings) -> str:
    """Return the URL that people and agents use, "" where none is known.

    A server of which only the port is known may speak anything; it has no page unless the settings name one.
    """
    return server.url or server.ready.url


def on_port(url: str, wanted_port: int, port: int) -> str:
    """Return a URL with its port exchanged, if it is the one that was wanted.

    >>> on_port("http://localhost:5173/app", 5173, 40001)
    'http://localhost:40001/app'
    """
    found = of_url(url)
    if found is None or found.port != wanted_port or port == wanted_port:
        return url
    return re.sub(r"(?<=://)(\[[^\]]+\]|[^:/?#]+)(:\d+)?", lambda part: f"{part[1]}:{port}", url, count=1)


def moved(target: Target | None, port: int) -> Target | None:
    """Return the target on another port."""
    return replace(target, port=port) if target is not None and port else target


def fill(text: str, port: int) -> str:
    """Put the port in the place of `{port}`; every other brace stays: `${VAR}`, `{a,b}`."""
    return text.replace(PORT, str(port)) if port else text


def movable(server: ServerSettings) -> bool:
    """Say whether a server can be given another port."""
    return bool(port_of(server)) and (PORT in server.command or any(PORT in value for value in server.env.values()))


def port_of(server: ServerSettings) -> int:
    """Return the port that a server wants, 0 if it is not known."""
    target = wanted(server)
    return target.port if target is not None else 0
