"""What agent-browser prints, read without a doubt and without an exception."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ralph_wiggum.adapters.browser.answer import read_batch, read_listed, read_one, read_requests
from ralph_wiggum.core.visual.page import Request
from ralph_wiggum.core.visual.reply import Reply

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        pytest.param(
            '{"success":true,"data":{"origin":"http://a/","visible":true},"error":null}',
            Reply(ok=True, data={"origin": "http://a/", "visible": True}, seconds=1.0),
            id="0.27",
        ),
        pytest.param(
            '{"success":true,"data":{"lifecycle":{"launched":false},"visible":true},"error":null}\n',
            Reply(ok=True, data={"visible": True}, seconds=1.0),
            id="0.41 tells of its browser, too",
        ),
        pytest.param(
            '{"success":false,"data":null,"error":"Element not found"}',
            Reply(ok=False, error="Element not found", seconds=1.0),
            id="an error",
        ),
        pytest.param(
            '{"error":"Missing arguments for: is\\nUsage: x","success":false,"type":"missing_arguments"}',
            Reply(ok=False, error="Missing arguments for: is Usage: x", seconds=1.0),
            id="an error of the client",
        ),
        pytest.param(
            '{"error":"Chrome exited early (exit code: 1)","success":false}',
            Reply(ok=False, error="Chrome exited early (exit code: 1)", seconds=1.0, broken=True),
            id="no browser",
        ),
        pytest.param(
            'warning: {odd}\n[1, 2\n{"success":true,"data":{},"error":null}\nbye\n',
            Reply(ok=True, seconds=1.0),
            id="noise around it",
        ),
        pytest.param('{"success":true,"data":[1],"error":null}', Reply(ok=True, seconds=1.0), id="odd data"),
        pytest.param("", None, id="nothing"),
        pytest.param("✓ Done", None, id="words"),
        pytest.param("[" * 100_000, None, id="deep"),
        pytest.param('{"a": 1}', None, id="something else"),
    ],
)
def test_one_answer(text: str, reply: Reply | None) -> None:
    assert read_one(text, 1.0) == reply


def test_a_batch() -> None:
    text = json.dumps(
        [
            {"command": ["get", "url"], "success": True, "result": {"url": "http://a/"}, "error": None},
            {"command": ["click", "#a"], "success": False, "result": None, "error": "Element not found"},
        ]
    )
    assert read_batch(text, 2.0) == (
        Reply(ok=True, data={"url": "http://a/"}),
        Reply(ok=False, error="Element not found", seconds=2.0),
    )
    assert read_batch('{"success": true}', 1.0) is None
    assert read_batch("[1]", 1.0) is None
    assert read_batch("", 1.0) is None


def test_requests_of_a_recording() -> None:
    def entry(status: int, text: str = "", kind: str = "Fetch") -> dict[str, object]:
        response = {"status": status, "statusText": text}
        return {"_resourceType": kind, "request": {"url": "http://a/", "method": "GET"}, "response": response}

    har = {"log": {"entries": [entry(200, "OK", "Document"), entry(0, "net::ERR_ABORTED"), entry(0)]}}
    assert read_requests(json.dumps(har)) == (
        Request(url="http://a/", kind="document", status=200),
        Request(url="http://a/", kind="fetch", error="net::ERR_ABORTED"),
        Request(url="http://a/", kind="fetch"),
    )


@given(JSON)
def test_no_answer_is_too_odd(value: object) -> None:
    text = json.dumps(value)
    read_one(text, 0.0)
    read_batch(text, 0.0)
    read_requests(text)
    read_requests(json.dumps({"log": {"entries": [value]}}))
    read_listed({"requests": value})


@given(st.text(max_size=60))
def test_no_output_is_too_odd(text: str) -> None:
    read_one(text, 0.0)
    read_batch(text, 0.0)
    read_requests(text)
