"""What a page says of itself, and how it is read."""

from __future__ import annotations

import pytest

from ralph_wiggum.core.visual import probe
from ralph_wiggum.core.visual.page import Seen
from ralph_wiggum.core.visual.reply import Reply

URL = "http://localhost:5173/"
TOLD = {"url": URL, "title": "Home", "state": "complete", "text": 12, "things": 3, "ended": [f"{URL}a"]}


def test_the_script_is_one_line() -> None:
    command, script = probe.COMMAND
    assert command == "eval"
    assert "innerText" in script
    assert "\n" not in script
    assert "//" not in script  # a comment would take the rest of the line with it


def test_what_a_page_says() -> None:
    answered = probe.read(URL, Reply(ok=True, data={"result": TOLD}))
    assert answered is not None
    assert answered.seen == Seen(address=URL, url=URL, title="Home", text=12, things=3)
    assert answered.complete
    assert answered.ended == {f"{URL}a"}


@pytest.mark.parametrize(
    "reply",
    [
        Reply(ok=False, error="Execution context was destroyed"),
        Reply(ok=True, data={"result": None}),
        Reply(ok=True, data={"result": "text"}),
        Reply(ok=True),
    ],
)
def test_a_page_that_could_not_be_asked_is_not_called_blank(reply: Reply) -> None:
    assert probe.read(URL, reply) is None
    seen = probe.evidence(None, URL, reply, reply, reply, ())
    assert not seen.blank
    assert seen.console == ()


@pytest.mark.parametrize("value", [None, "many", [], True, {"a": 1}])
def test_odd_values_do_no_harm(value: object) -> None:
    answered = probe.read(URL, Reply(ok=True, data={"result": {**TOLD, "text": value, "ended": value, "title": value}}))
    assert answered is not None
    assert answered.seen.text == 0
    seen = probe.evidence(
        answered,
        URL,
        Reply(ok=True, data={"messages": value}),
        Reply(ok=True, data={"errors": value}),
        Reply(ok=True),
        (),
    )
    assert seen.errors == ()


def test_only_errors_count_of_the_console() -> None:
    messages = [{"type": kind, "text": f"{kind} text"} for kind in ("log", "warning", "error", "error")]
    errors = [{"text": "Error: boom", "line": 1}]
    answered = probe.read(URL, Reply(ok=True, data={"result": TOLD}))
    seen = probe.evidence(
        answered,
        URL,
        Reply(ok=True, data={"messages": messages}),
        Reply(ok=True, data={"errors": errors}),
        Reply(ok=True, data={"snapshot": "- heading"}),
        (),
    )
    assert seen.errors == ("error text", "Uncaught Error: boom")
    assert seen.snapshot == "- heading"


def test_what_a_page_still_waits_for() -> None:
    listed = Reply(
        ok=True,
        data={
            "requests": [
                {"url": f"{URL}a", "resourceType": "Fetch"},  # the page says that it is over: refused or aborted
                {"url": f"{URL}b", "resourceType": "Fetch"},
                {"url": f"{URL}c", "resourceType": "Fetch", "status": 200},
                {"url": f"{URL}d", "resourceType": "EventSource"},
                "odd",
            ]
        },
    )
    assert [request.url for request in probe.waiting(listed, frozenset({f"{URL}a"}))] == [f"{URL}b"]
    assert probe.waiting(Reply(ok=False), frozenset()) == ()


def test_a_flood_of_console_errors_is_bounded() -> None:
    def kept(count: int, size: int) -> tuple[str, ...]:
        messages = [{"type": "error", "text": f"{number} {'x' * size}"} for number in range(count)]
        listed = Reply(ok=True, data={"messages": messages})
        return probe.evidence(None, URL, listed, Reply(ok=True), Reply(ok=True), ()).console

    assert len(kept(150, 10)) == 150
    assert len(kept(5000, 10)) == probe.LISTED
    assert sum(map(len, kept(200, 5000))) <= 100_000
