"""Where a server is asked, and what becomes of its command and its URL on another port."""

from __future__ import annotations

import pytest

from ralph_wiggum.core.servers import target as targets
from ralph_wiggum.core.servers.standing import Standing
from ralph_wiggum.core.servers.target import Target
from ralph_wiggum.core.settings import Ready, ServerSettings


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://localhost:5173", Target(scheme="http", host="localhost", port=5173, path="/")),
        ("http://localhost", Target(scheme="http", host="localhost", port=80, path="/")),
        ("https://app.localhost/a?b=c#d", Target(scheme="https", host="app.localhost", port=443, path="/a?b=c")),
        ("http://[::1]:8000/x", Target(scheme="http", host="::1", port=8000, path="/x")),
        ("HTTP://LOCALHOST:1/?q", Target(scheme="http", host="LOCALHOST", port=1, path="/?q")),
        ("ftp://localhost", None),
        ("localhost:5173", None),
        ("", None),
    ],
)
def test_where_a_url_leads(url: str, expected: Target | None) -> None:
    assert targets.of_url(url) == expected


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("http://localhost:5173/a%20b", "Host: localhost:5173", "GET /a%20b HTTP/1.1"),
        ("http://[::1]:8000/", "Host: [::1]:8000", "GET / HTTP/1.1"),
        ("https://localhost/x?y", "Host: localhost", "GET /x?y HTTP/1.1"),
    ],
)
def test_the_request(url: str, host: str, path: str) -> None:
    target = targets.of_url(url)
    assert target is not None
    first, *headers = target.request.decode().split("\r\n")
    assert first == path
    assert host in headers
    assert "Connection: close" in headers
    assert target.request.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("url", "port", "expected"),
    [
        ("http://localhost:5173/a?b#c", 40001, "http://localhost:40001/a?b#c"),
        ("http://localhost:5173", 5173, "http://localhost:5173"),
        ("http://[::1]:5173/", 9, "http://[::1]:9/"),
        ("http://localhost:8000/", 9, "http://localhost:8000/"),  # it was not on the wanted port
        ("http://localhost:5173/x:5173/", 9, "http://localhost:9/x:5173/"),
        ("", 9, ""),
    ],
)
def test_a_url_on_another_port(url: str, port: int, expected: str) -> None:
    assert targets.on_port(url, 5173, port) == expected


@pytest.mark.parametrize(
    ("text", "port", "expected"),
    [
        ("npm run dev -- --port {port}", 5173, "npm run dev -- --port 5173"),
        ("PORT={port} x ${PORT} {a,b} {} {{port}}", 1, "PORT=1 x ${PORT} {a,b} {} {1}"),
        ("echo {port}", 0, "echo {port}"),
    ],
)
def test_only_the_word_port_in_braces_is_replaced(text: str, port: int, expected: str) -> None:
    assert targets.fill(text, port) == expected


def server(command: str = "run", ready: Ready | None = None, **more: object) -> ServerSettings:
    given = {"name": "web", "command": command, "ready": ready or Ready(url="http://localhost:5173"), **more}
    return ServerSettings(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "movable"),
    [
        pytest.param(server("run"), False, id="no place for a port"),
        pytest.param(server("run --port {port}"), True, id="in the command"),
        pytest.param(server("run", env={"PORT": "{port}"}), True, id="in the environment"),
        pytest.param(server("run {port}", Ready(log="up")), False, id="no port is wanted"),
        pytest.param(server("run {port}", Ready(port=5432)), True, id="a port alone"),
    ],
)
def test_what_can_be_started_on_another_port(settings: ServerSettings, *, movable: bool) -> None:
    assert targets.movable(settings) is movable


@pytest.mark.parametrize(
    ("settings", "asked", "before_start", "page"),
    [
        pytest.param(
            server(url="http://localhost:5173/app"),
            Target(scheme="http", port=5173),
            Target(scheme="http", port=5173),
            "http://localhost:5173/app",
            id="a URL, and a page of its own",
        ),
        pytest.param(
            server(ready=Ready(port=5432, host="127.0.0.1")),
            Target(host="127.0.0.1", port=5432),
            Target(host="127.0.0.1", port=5432),
            "",
            id="a port has no page",
        ),
        pytest.param(server(ready=Ready(log="up")), None, None, "", id="only its output tells"),
        pytest.param(
            server(ready=Ready(log="up"), url="http://localhost:3000"),
            None,
            Target(scheme="http", port=3000),
            "http://localhost:3000",
            id="its output, and a page by which it is adopted",
        ),
    ],
)
def test_what_is_asked(settings: ServerSettings, asked: Target | None, before_start: Target | None, page: str) -> None:
    assert targets.wanted(settings) == asked
    assert targets.before_start(settings) == before_start
    assert targets.page(settings) == page


PAGE = "http://localhost:8000/app"


@pytest.mark.parametrize(
    ("server", "asked"),
    [
        pytest.param(ServerSettings(name="x", command="x", ready=Ready(log="up")), None, id="nothing to ask"),
        pytest.param(
            ServerSettings(name="x", command="x", ready=Ready(log="up"), url=PAGE), targets.of_url(PAGE), id="its page"
        ),
        pytest.param(ServerSettings(name="x", command="x", ready=Ready(url=PAGE)), None, id="no line is waited for"),
    ],
)
def test_what_is_asked_once_the_line_is_there(server: ServerSettings, asked: Target | None) -> None:
    assert targets.after_its_line(server) == asked


def test_which_statuses_are_good() -> None:
    by_log = ServerSettings(name="x", command="x", ready=Ready(log="up"), url=PAGE)
    by_url = ServerSettings(name="x", command="x", ready=Ready(url=PAGE, statuses=((204, 204),)))
    assert targets.expected(by_log, started_here=True) == ((200, 499),)
    assert targets.expected(by_log, started_here=False) == ((200, 399),)
    assert targets.expected(by_url, started_here=True) == ((204, 204),)


@pytest.mark.parametrize(
    ("ready", "url", "text"),
    [
        (Ready(port=5432), "", "localhost:5432"),
        (Ready(port=5432, host="::1"), "", "[::1]:5432"),
        (Ready(port=5432), PAGE, ""),
        (Ready(url=PAGE), "", ""),
        (Ready(log="up"), "", ""),
    ],
)
def test_where_one_listens_of_which_only_the_port_is_known(ready: Ready, url: str, text: str) -> None:
    server = ServerSettings(name="x", command="x", ready=ready, url=url)
    assert targets.listens(server, 5432) == text


def test_the_address_that_people_are_told() -> None:
    assert Standing(name="web", url=PAGE).address == PAGE
    assert Standing(name="db", listens="localhost:5432").address == "localhost:5432"
    assert Standing(name="log").address == ""
