"""The real agent-browser and a real Chromium on pages that render, fail, hide, come late (O25, O26)."""

from __future__ import annotations

from pathlib import Path

import pytest

from ralph_wiggum.core.evidence import GateStatus
from tests.adapters.browser.conftest import Room

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

OPEN = "open http://localhost:5173{}"
VISIBLE = "is visible \"[data-testid='go']\""
PNG = b"\x89PNG\r\n"


def test_commands_that_all_succeed(room: Room) -> None:
    looked = room.look(OPEN.format("/"), "wait --load networkidle", VISIBLE, "screenshot shots/a.png", "close")
    gate = looked.gates[-1]
    assert (gate.status, gate.reason, gate.counts) == (GateStatus.PASSED, "passed", "5 commands, 1 page")
    assert looked.screenshots == ("shots/a.png", "screenshots/demo/1.png")
    for path in looked.screenshots:
        assert (room.root / path).read_bytes().startswith(PNG)
    assert looked.console == {"/": ()}


@pytest.mark.parametrize(
    ("page", "command", "reason"),
    [
        ("/hidden", VISIBLE, "answered false: the element is there, but not visible"),
        ("/", 'is visible "#none"', "Element not found"),
        ("/", 'click "#none"', "Element not found"),
        ("/", 'wait "#none"', "timed out after 1 s"),
    ],
)
def test_a_command_that_fails(room: Room, page: str, command: str, reason: str) -> None:
    room.setting(timeout=1.0)
    looked = room.look(OPEN.format(page), command, "back")
    gate = looked.gates[-1]
    assert gate.failed
    assert reason in gate.reason
    assert gate.command == f"agent-browser {command}"
    assert "not run after that: `back`" in gate.excerpt
    assert "heading" in gate.excerpt
    assert looked.screenshots == ("screenshots/demo/1.png",)


def test_fill_click_and_wait(room: Room) -> None:
    fill, click = "fill \"[data-testid='name']\" 'you & me'", "click \"[data-testid='go']\""
    assert not room.gate(OPEN.format("/form"), fill, click, "wait --text 'Hello you & me'").failed


@pytest.mark.parametrize("commands", [("wait \"[data-testid='go']\"", VISIBLE), (VISIBLE,)])
def test_an_element_that_comes_late(room: Room, commands: tuple[str, ...]) -> None:
    assert not room.gate(OPEN.format("/late"), *commands).failed


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ("/console", "console error: an error line {a: 1} at /console"),
        ("/uncaught", "console error: Uncaught Error: boom"),
        ("/nowhere", "the page answered 404 at /nowhere"),
        ("/500", "the page answered 500 at /500"),
        ("/blank", "the page is blank at /blank"),
        ("/missing-fetch", "/missing.json 404 at /missing-fetch"),
        ("/missing-image", "/nope.png 404 at /missing-image"),
        ("/broken-fetch", "/500 500 at /broken-fetch"),
        ("/refused", "net::ERR_CONNECTION_REFUSED at /refused"),
        ("/frame", "/nowhere 404 at /frame"),
        ("/loads", "console error: after the answer at /loads"),
    ],
)
def test_a_page_that_is_not_as_it_has_to_be(room: Room, page: str, reason: str) -> None:
    gate = room.page(page)
    assert gate.status is GateStatus.FAILED
    assert reason in gate.reason
    assert (room.root / "screenshots/demo/1.png").read_bytes().startswith(PNG)


def test_pages_that_are_as_they_have_to_be(room: Room) -> None:
    """The site has no favicon, so each of these misses one, too."""
    pages = ("/", "/canvas", "/shadow", "/drawn-late", "/slow", "/redirect", "/aborted", "/sockets", "/alert")
    room.setting(pages=pages)
    looked = room.look()
    assert (looked.gates[-1].reason, looked.gates[-1].counts) == ("passed", "0 commands, 9 pages")
    assert looked.console == dict.fromkeys(pages, ())
    assert len(looked.screenshots) == 9


def test_a_page_behind_a_click_is_judged_by_its_own_status(room: Room) -> None:
    gate = room.gate(OPEN.format("/link"), "click \"[data-testid='go']\"", "wait 300")
    assert "the page answered 500" in gate.reason


def test_a_page_that_changes_its_address_itself(room: Room) -> None:
    looked = room.look(OPEN.format("/single"), "click \"[data-testid='go']\"", "wait 300")
    assert not looked.failed
    assert looked.console == {"/single": ()}


def test_errors_of_one_page_are_not_held_against_the_next(room: Room) -> None:
    room.accepted = {"/uncaught": ("Uncaught Error: boom at /uncaught:<n>",), "/console": ("an error line {a: 1}",)}
    looked = room.look(*(OPEN.format(path) for path in ("/uncaught", "/console", "/", "/uncaught")))
    assert not looked.failed, looked.gates[-1].excerpt
    assert looked.console == {**room.accepted, "/": ()}
    assert looked.gates[-1].counts == "4 commands, 4 pages"


def test_a_server_that_nobody_listens_at(room: Room) -> None:
    gate = room.gate("open http://127.0.0.1:1024/")
    assert "net::ERR_CONNECTION_REFUSED (nothing listens there)" in gate.reason


def test_pages_in_viewports_and_what_changed_since(room: Room) -> None:
    room.setting(pages=("/", "/form"), viewports=((800, 600), (375, 812)), compare=True)
    assert not room.look().failed
    looked = room.look()
    names = ("1.png", "1-2.png", "1@375x812.png", "1-2@375x812.png")
    assert looked.screenshots == tuple(f"screenshots/demo/{name}" for name in names)
    assert looked.notes == tuple(
        f"{name}: 0.0 % of the pixels differ from the last accepted screenshot" for name in names
    )
    assert _width(room.root / "screenshots/demo/1@375x812.png") == 375


def test_commands_before_every_look(room: Room) -> None:
    room.setting(before=("agent-browser open /console", "agent-browser cookies set seen yes"))
    looked = room.look(OPEN.format("/"), "cookies get")
    assert not looked.failed
    assert looked.console == {"/": ()}


def test_a_project_of_any_name(room: Room) -> None:
    odd = room.root / 'it\'s a "project" 100% ü'
    odd.mkdir()
    room.root = odd
    assert room.look(OPEN.format("/"), 'screenshot "a b.png"').screenshots == ("a b.png", "screenshots/demo/1.png")


def test_a_projects_own_settings_of_agent_browser_are_not_the_runners(room: Room) -> None:
    (room.root / "agent-browser.json").write_text('{"cdp": "9", "headed": true}')
    assert not room.gate(OPEN.format("/")).failed


def _width(picture: Path) -> int:
    return int.from_bytes(picture.read_bytes()[16:20], "big")  # PNG: the header chunk begins with the width
