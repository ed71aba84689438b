"""Addresses of pages: below servers, on servers that had to move, and what a page is known by."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ralph_wiggum.core.servers.standing import Standing
from ralph_wiggum.core.visual.places import first_url, moved, pages, path_of, split, translated

WEB = Standing(name="web", wanted="http://localhost:5173/app", url="http://localhost:41001/app")
API = Standing(name="api", wanted="http://localhost:8000", url="http://localhost:8000")
PLAIN = Standing(name="plain", wanted="http://localhost", url="http://localhost:8080")
SILENT = Standing(name="db")


@pytest.mark.parametrize(
    ("url", "now"),
    [
        ("http://localhost:5173/a?b#c", "http://localhost:41001/a?b#c"),
        ("http://127.0.0.1:5173", "http://localhost:41001"),
        ("http://[::1]:5173/a", "http://localhost:41001/a"),
        ("http://LOCALHOST:5173/a", "http://localhost:41001/a"),
        ("localhost:5173/a", "http://localhost:41001/a"),
        ("ws://localhost:5173/hmr", "http://localhost:41001/hmr"),
        ("http://localhost:8000/a", "http://localhost:8000/a"),
        ("http://localhost:80/a", "http://localhost:8080/a"),
        ("http://localhost/a", "http://localhost:8080/a"),
        ("http://example.com:5173/a", "http://example.com:5173/a"),
        ("http://localhost:51730/a", "http://localhost:51730/a"),
        ("https://example.com", "https://example.com"),
        ("**/a", "**/a"),
        ("", ""),
    ],
)
def test_an_address_follows_its_server(url: str, now: str) -> None:
    assert moved(url, (SILENT, WEB, API, PLAIN)) == now


@pytest.mark.parametrize(
    ("argv", "now"),
    [
        ("open http://localhost:5173/a", "open http://localhost:41001/a"),
        ("open /a?b", "open http://localhost:41001/a?b"),
        ("goto --headers {} /a", "goto --headers {} http://localhost:41001/a"),
        ("wait --url http://localhost:5173/a", "wait --url http://localhost:41001/a"),
        ("tab new http://localhost:5173/", "tab new http://localhost:41001/"),
        ("pushstate /a", "pushstate /a"),
        ("fill #u http://localhost:5173/a", "fill #u http://localhost:5173/a"),
        ("snapshot -i", "snapshot -i"),
    ],
)
def test_commands_are_run_with_addresses_as_they_are(argv: str, now: str) -> None:
    assert " ".join(translated(argv.split(), (WEB, API))) == now


def test_without_servers_everything_stays() -> None:
    assert translated(("open", "/a"), ()) == ("open", "/a")


@pytest.mark.parametrize(
    ("wanted", "standings", "found"),
    [
        (("/", "/a"), (SILENT, WEB), ("http://localhost:41001/", "http://localhost:41001/a")),
        ((), (WEB,), ("http://localhost:41001/app",)),
        ((), (SILENT,), ()),
        (("/a",), (), ()),
        (("https://example.com/a",), (), ("https://example.com/a",)),
        (("http://127.0.0.1:5173/a",), (WEB,), ("http://localhost:41001/a",)),
    ],
)
def test_pages_of_the_settings(
    wanted: tuple[str, ...], standings: tuple[Standing, ...], found: tuple[str, ...]
) -> None:
    assert pages(wanted, standings) == found


def test_the_first_server_with_a_url() -> None:
    assert first_url((SILENT, API)) == "http://localhost:8000"
    assert first_url((SILENT,)) == ""


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://localhost:5173", "/"),
        ("http://localhost:5173/", "/"),
        ("http://localhost:41001/a/b?c=1#d", "/a/b?c=1"),
        ("http://me:secret@host/a", "/a"),
        ("about:blank", "about:blank"),
    ],
)
def test_a_page_is_known_by_its_path(url: str, path: str) -> None:
    assert path_of(url) == path


@given(st.text(max_size=40))
def test_no_address_is_too_odd(url: str) -> None:
    split(url)
    assert isinstance(moved(url, (WEB,)), str)
    assert path_of(url)
