"""Servers of the settings together: what each needs, what they must not share, in which order they come up (O23)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from ralph_wiggum.core.server_values import READY_HINT, named_port
from ralph_wiggum.core.servers.target import before_start, page
from ralph_wiggum.core.setting_values import BadValue
from ralph_wiggum.core.settings import ServerSettings

_THIS_MACHINE = frozenset({"0.0.0.0", "::1", "::"})  # noqa: S104 - compared, not bound


def servers(given: Mapping[str, Mapping[str, object]]) -> tuple[ServerSettings, ...]:
    """Return the servers of fields by name, each after those it depends on, else in their order.

    BadValue, with the path below `servers`, for what is missing or cannot go together.
    """
    found = {each: _server(each, fields) for each, fields in given.items()}
    for server in found.values():
        _known_servers(server, found)
        _port_can_be_given(server)
    _own_ports(list(found.values()))
    return tuple(_in_order(found))


def front(found: Sequence[ServerSettings]) -> ServerSettings | None:
    """Return the server whose pages people look at: the first with a URL that no other one depends on, if any is."""
    needed = {name for server in found for name in server.depends_on}
    with_pages = [server for server in found if page(server)]
    return next((server for server in with_pages if server.name not in needed), next(iter(with_pages), None))


def origin(found: str) -> str:
    """Return scheme, host and port of a URL as they are written there.

    >>> origin("http://localhost:5173/app?x=1")
    'http://localhost:5173'
    """
    return re.split(r"(?<=[^:/])[/?#]", found, maxsplit=1)[0]


def _server(called: str, fields: Mapping[str, object]) -> ServerSettings:
    for key, hint in (("command", "add command: what starts it, such as npm run dev"), ("ready", READY_HINT)):
        if key not in fields:
            raise BadValue(f"has no {key}", hint, called)
    return ServerSettings(name=called, **fields)  # type: ignore[arg-type]  # the readers give each field its type


def _known_servers(server: ServerSettings, known: Mapping[str, ServerSettings]) -> None:
    for number, needed in enumerate(server.depends_on, 1):
        if needed not in known:
            hint = f"choose from {', '.join(known)}"
            raise BadValue(f"there is no server {needed}", hint, server.name, "depends_on", str(number))


def _port_can_be_given(server: ServerSettings) -> None:
    """Refuse `{port}` where no port is wanted: nobody would find the server on another one."""
    where = _port_placeholder(server)
    wanted = server.ready
    if where and not (wanted.port or (wanted.url and named_port(wanted.url))):
        hint = f"name the port that it wants in {server.name}.ready, such as http://localhost:5173 or 5173"
        raise BadValue("holds {port}, but ready names no port", hint, server.name, *where)


def _port_placeholder(server: ServerSettings) -> tuple[str, ...]:
    """Return the path of the key that holds `{port}`, () if none does."""
    if "{port}" in server.command:
        return ("command",)
    return next((("env", key) for key, value in server.env.items() if "{port}" in value), ())


def _own_ports(found: Sequence[ServerSettings]) -> None:
    """Refuse two servers with one port: the second would be taken for the first."""
    taken: dict[tuple[str, int], str] = {}
    for server in found:
        place = before_start(server)
        if place is None:
            continue
        host = place.host.lower()
        if host in _THIS_MACHINE or host.startswith("127."):
            host = "localhost"
        first = taken.setdefault((host, place.port), server.name)
        if first != server.name:
            problem = f"wants port {place.port}, as {first} does"
            raise BadValue(problem, "give each server a port of its own", server.name, "ready")


def _in_order(found: Mapping[str, ServerSettings]) -> Iterator[ServerSettings]:
    """Yield servers after those that they depend on; BadValue for a circle."""
    done: set[str] = set()

    def visit(called: str, way: tuple[str, ...]) -> Iterator[ServerSettings]:
        if called in way:
            circle = " -> ".join((*way[way.index(called) :], called))
            raise BadValue(f"goes round in a circle: {circle}", "take one of them out", way[-1], "depends_on")
        if called not in done:
            for needed in found[called].depends_on:
                yield from visit(needed, (*way, called))
            done.add(called)
            yield found[called]

    for called in found:
        yield from visit(called, ())
