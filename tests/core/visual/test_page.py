"""What is wrong with a page: status, console, requests, blankness; and what does not count."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ralph_wiggum.core.visual.page import (
    Request,
    Rules,
    Seen,
    comparable,
    console_errors,
    failed_requests,
    problems,
    sent_on,
    settled,
    wants_login,
)

URL = "http://localhost:5173/a"
DOCUMENT = Request(url=URL, kind="document", status=200)
GOOD = Seen(address=URL, url=URL, text=10, things=1, requests=(DOCUMENT,))
STRICT = Rules()
LENIENT = Rules(strict=False)


def words(seen: Seen, rules: Rules = STRICT) -> list[str]:
    return [problem.words for problem in problems(seen, rules)]


def asked(status: int = 200, kind: str = "fetch", path: str = "/x", error: str = "") -> Seen:
    request = Request(url=f"http://localhost:5173{path}", kind=kind, status=status, error=error)
    return replace(GOOD, requests=(DOCUMENT, request))


def test_a_good_page_has_no_problems() -> None:
    assert words(GOOD) == []


@pytest.mark.parametrize(("text", "things", "blank"), [(0, 0, True), (1, 0, False), (0, 1, False)])
def test_a_page_without_anything_to_see_is_blank(text: int, things: int, *, blank: bool) -> None:
    assert words(replace(GOOD, text=text, things=things)) == (["the page is blank"] if blank else [])


@pytest.mark.parametrize(
    ("requests", "found"),
    [
        pytest.param((Request(url=URL, kind="document", status=404),), ["the page answered 404"], id="not there"),
        pytest.param((Request(url=URL, kind="document", status=500),), ["the page answered 500"], id="broken"),
        pytest.param((Request(url=URL, kind="document", status=304),), [], id="unchanged"),
        pytest.param(
            (Request(url=URL, kind="document", status=500), DOCUMENT), [], id="the last one counts, after a reload"
        ),
        pytest.param(
            (DOCUMENT, Request(url=URL, kind="document", status=500)), ["the page answered 500"], id="reloaded"
        ),
        pytest.param(
            (Request(url=f"{URL}#top", kind="document", status=500),), ["the page answered 500"], id="fragment"
        ),
        pytest.param(
            (Request(url="http://127.0.0.1:5173/a", kind="document", status=500),), ["the page answered 500"], id="host"
        ),
        pytest.param((), [], id="a page that nobody asked a server for"),
    ],
)
def test_the_status_is_that_of_the_page(requests: tuple[Request, ...], found: list[str]) -> None:
    assert words(replace(GOOD, requests=requests))[:1] == found


def test_where_a_page_was_sent_on_to_another() -> None:
    redirected = (
        Request(url=URL, kind="document"),
        Request(url="http://localhost:5173/login", kind="document", status=500),
    )
    seen = replace(GOOD, url="http://localhost:5173/login", requests=redirected)
    assert words(seen) == ["the page answered 500"]


def test_where_a_page_changed_its_address_itself() -> None:
    seen = replace(GOOD, url=f"{URL}/detail", requests=(replace(DOCUMENT, status=500),))
    assert words(seen) == ["the page answered 500"]


def test_a_frame_that_is_not_there_is_a_failed_request() -> None:
    assert words(asked(404, "document", "/frame")) == ["request failed: GET http://localhost:5173/frame 404"]


def test_console_errors_and_uncaught_ones() -> None:
    seen = replace(GOOD, console=("bad", "bad"), uncaught=("Error: boom\n    at http://localhost:5173/a.ts:1:4",))
    assert words(seen) == [
        "console error: bad",
        "console error: Uncaught Error: boom at http://localhost:5173/a.ts:1:4",
    ]
    assert [problem.key for problem in problems(seen, STRICT)] == [
        "console: bad",
        "console: Uncaught Error: boom at /a.ts:<n>",
    ]
    assert console_errors(seen, STRICT) == ("Uncaught Error: boom at /a.ts:<n>", "bad")


def test_errors_that_were_accepted_or_are_ignored_do_not_count() -> None:
    seen = replace(GOOD, console=("[vite] failed to connect to ws://localhost:41001", "Warning: key", "new"))
    accepted = Rules(accepted={"/a": ("Warning: key",)}, ignore_console=(r"^\[vite\]",))
    assert words(seen, accepted) == ["console error: new"]
    assert console_errors(seen, accepted) == ("Warning: key", "new")
    assert words(seen, Rules(accepted={"/other": ("new",)}))[-1] == "console error: new"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("failed at http://localhost:5173/src/a.ts:3:7", "failed at http://localhost:41001/src/a.ts:14:1"),
        ("at index-BxYz1234.js", "at index-Q9aZ7781.js"),
        ("/src/a.ts?t=1763640000000", "/src/a.ts?t=1763640999999"),
        ("/src/a.ts?t=1763640000000", "/src/a.ts"),
        ("/src/a.ts?v=abc&x=1", "/src/a.ts?x=1"),
        ("/src/a.ts?x=1&t=17", "/src/a.ts?x=1"),
        ("at assets/index-BxYzAbCd.js", "at assets/index-QwErTyUi.js"),
        ("drew at 0.8365217364", "drew at 0.1928374650"),
        ("request 550e8400-e29b-41d4-a716-446655440000", "request 550e8400-e29b-41d4-a716-446655449999"),
        ("at 12:00:01", "at 23:59:59"),
    ],
)
def test_the_same_error_compares_equal_from_run_to_run(one: str, other: str) -> None:
    assert comparable(one) == comparable(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a is undefined", "b is undefined"),
        ("404 for /a", "404 for /b"),
        ("status 404", "status 500"),
        ("at a-settings.js", "at a-profiles.js"),
        ("1.25", "1.5"),
    ],
)
def test_other_errors_do_not(one: str, other: str) -> None:
    assert comparable(one) != comparable(other)


@pytest.mark.parametrize(
    ("seen", "strict", "lenient"),
    [
        pytest.param(asked(200), False, False, id="answered"),
        pytest.param(asked(404), True, False, id="a call that is refused may be what the commands provoke"),
        pytest.param(asked(401, "xhr"), True, False, id="a wrong password"),
        pytest.param(asked(500), True, True, id="a call that breaks the server"),
        pytest.param(asked(404, "script"), True, True, id="a script that is not there"),
        pytest.param(asked(404, "image"), True, True, id="a picture that is not there"),
        pytest.param(asked(0, error="net::ERR_CONNECTION_REFUSED"), True, True, id="nobody listens"),
        pytest.param(asked(0, error="net::ERR_ABORTED"), False, False, id="the page changed its mind"),
        pytest.param(asked(0), False, False, id="still waiting"),
        pytest.param(asked(404, "other", "/favicon.ico"), False, False, id="the icon that browsers ask for"),
        pytest.param(asked(404, "other", "/favicon.ico?v=2"), False, False, id="the icon with a stamp"),
    ],
)
def test_requests_that_failed(seen: Seen, *, strict: bool, lenient: bool) -> None:
    assert bool(failed_requests(seen, STRICT)) is strict
    assert bool(failed_requests(seen, LENIENT)) is lenient
    assert not failed_requests(seen, Rules(provoked=True))
    assert not failed_requests(seen, Rules(ignore_requests=("/x|ico",)))


def test_a_status_can_be_ignored_too() -> None:
    seen = replace(GOOD, requests=(Request(url=URL, kind="document", status=404),))
    assert words(seen, Rules(ignore_requests=("/a$",))) == []


@pytest.mark.parametrize(
    ("before", "now", "rests"),
    [
        (GOOD, GOOD, True),
        (replace(GOOD, text=9), GOOD, False),
        (replace(GOOD, url="http://localhost:5173/"), GOOD, False),
        (replace(GOOD, text=0, things=0), replace(GOOD, text=0, things=0), False),
        (GOOD, asked(0), False),
        (GOOD, asked(0, "eventsource"), True),
        (GOOD, asked(0, error="net::ERR_ABORTED"), True),
    ],
)
def test_when_a_page_has_come_to_rest(before: Seen, now: Seen, *, rests: bool) -> None:
    assert settled(before, now) is rests


@pytest.mark.parametrize(
    ("url", "error", "told"),
    [
        ("https://fonts.example.com/a.css", "net::ERR_NAME_NOT_RESOLVED", True),
        ("http://localhost:9000/api", "net::ERR_CONNECTION_REFUSED", False),
        ("http://127.0.0.1:9000/api", "net::ERR_CONNECTION_REFUSED", False),
        ("https://fonts.example.com/a.css", "", False),
    ],
)
def test_a_foreign_host_that_cannot_be_reached_may_be_left_out(url: str, error: str, *, told: bool) -> None:
    request = Request(url=url, kind="stylesheet", status=0 if error else 404, error=error)
    (said,) = words(replace(GOOD, requests=(DOCUMENT, request)))
    assert said.endswith("(or name it under visual_validation.ignore_requests)") is told


def test_of_a_flood_of_errors_the_first_that_count_are_told() -> None:
    flood = tuple(f"ignored {letter}" for letter in "abcdefghijklmnopqrstuvwxyz")
    seen = replace(GOOD, console=(*flood, "real"))
    assert words(seen, Rules(ignore_console=("^ignored",))) == ["console error: real"]
    assert len(words(seen)) == 20


@pytest.mark.parametrize(
    ("asked", "came", "login", "elsewhere"),
    [
        ("/dashboard", "/login", True, True),
        ("/dashboard", "/app/Sign-In?next=1", True, True),
        ("/dashboard", "/#/login", True, True),
        ("/dashboard", "https://id.example.com/sso/start", True, True),
        ("/dashboard", "/home", False, True),
        ("/dashboard", "/author", False, True),
        ("/dashboard", "/dashboard/", False, False),
        ("/dashboard", "/dashboard?tab=1#login", False, False),
        ("/login", "/auth/callback", False, True),
        ("/dashboard", "", False, False),
    ],
)
def test_where_a_page_was_sent_on_to(asked: str, came: str, *, login: bool, elsewhere: bool) -> None:
    origin = "http://localhost:5173"
    url = came if not came or "://" in came else f"{origin}{came}"
    seen = replace(GOOD, address=f"{origin}{asked}", url=url)
    assert (wants_login(seen) is not None) is login
    assert bool(sent_on(seen)) is elsewhere
