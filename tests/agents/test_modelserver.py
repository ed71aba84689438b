"""The scripted model server by plain HTTP: every wire format, streamed and not, in every mode."""

from __future__ import annotations

import http.client
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.modelserver import Server, serving
from tests.modelserver.probe import DEADLINE_SECONDS, ask, called, post, request, said, tokens
from tests.modelserver.scenario import LIMIT_SECONDS, REFUSED
from tests.modelserver.serving import HOST

pytestmark = pytest.mark.long  # of real processes and servers: a minute of the ordinary run

WIRES = ("chat", "responses", "anthropic", "gemini")
STREAMED = (False, True)


@pytest.fixture
def server() -> Iterator[Server]:
    before = set(threading.enumerate())
    with serving() as running:
        yield running
    assert set(threading.enumerate()) <= before  # no thread is left


every_wire = pytest.mark.parametrize("wire", WIRES)
both_ways = pytest.mark.parametrize("streamed", STREAMED, ids=["whole", "streamed"])


@every_wire
@both_ways
def test_the_first_answer_is_the_tasks_command_as_a_call_and_the_second_the_signal(
    server: Server, wire: str, *, streamed: bool
) -> None:
    base = server.url("ok")
    first = ask(wire, base, streamed=streamed)
    assert first.status == 200
    assert called(wire, first, streamed=streamed) == {
        "command": "echo hello > hello.txt",
        "why": "what the task asks for",
    }
    assert tokens(wire, first, streamed=streamed) == (1000, 50)
    second = ask(wire, base, streamed=streamed, results=1)
    assert said(wire, second, streamed=streamed).splitlines()[-1] == "TASK_COMPLETE"
    assert called(wire, second, streamed=streamed) == {}
    assert tokens(wire, second, streamed=streamed) == (1000, 50)
    assert [(each.wire, each.step, each.task, each.tools) for each in server.requests] == [
        (wire, 0, True, ("bash",)),
        (wire, 1, True, ("bash",)),
    ]


@every_wire
@both_ways
@pytest.mark.parametrize(
    ("mode", "results", "ending"),
    [
        ("text", 0, "tests."),
        ("lie", 0, "TASK_COMPLETE"),
        ("nosignal", 1, "did."),
        ("skipped", 0, "told to skip this task"),
        ("limittext", 0, "m (UTC)"),
        ("giant", 1, "TASK_COMPLETE"),
        ("warn", 1, "TASK_COMPLETE"),
    ],
)
def test_texts_end_as_their_mode_says(
    server: Server, wire: str, *, streamed: bool, mode: str, results: int, ending: str
) -> None:
    heard = ask(wire, server.url(mode), streamed=streamed, results=results)
    text = said(wire, heard, streamed=streamed)
    assert text.endswith(ending)
    assert (len(text) >= 1_000_000) == (mode == "giant")
    assert ("anthropic-ratelimit-unified-status" in heard.headers) == (mode == "warn")


@every_wire
@both_ways
@pytest.mark.parametrize(
    ("mode", "ending"),
    [
        ("bg", "; sleep 7 &"),
        ("bgsetsid", "; setsid nohup sleep 7 >/dev/null 2>&1 </dev/null &"),
        ("fgsleep", "; sleep 7"),
        ("giantout", "; head -c 1000000 /dev/zero | tr '\\0' x"),
        ("loop", ""),
    ],
)
def test_commands_are_shaped_as_their_mode_says(
    server: Server, wire: str, *, streamed: bool, mode: str, ending: str
) -> None:
    heard = ask(wire, server.url(mode, seconds=7), streamed=streamed)
    assert called(wire, heard, streamed=streamed)["command"] == f"echo hello > hello.txt{ending}"


@every_wire
def test_a_loop_calls_tools_for_ever(server: Server, wire: str) -> None:
    for step in (1, 2, 50):
        heard = ask(wire, server.url("loop"), streamed=True, results=step)
        assert called(wire, heard, streamed=True)["command"] == f"echo step {step}"


STATUS = {
    "401": 401,
    "402": 402,
    "403": 403,
    "429": 429,
    "500": 500,
    "529": 529,
    "limit": 429,
    "quota": 429,
    "ctx": 400,
}


@every_wire
@both_ways
@pytest.mark.parametrize("mode", sorted(REFUSED))
def test_refusals_have_the_status_and_the_form_of_each_vendor(
    server: Server, wire: str, *, streamed: bool, mode: str
) -> None:
    heard = ask(wire, server.url(mode), streamed=streamed)
    vendor = {("gemini", "529"): 503, ("anthropic", "quota"): 400}
    assert heard.status == vendor.get((wire, mode), STATUS[mode])
    assert heard.headers["content-type"] == "application/json"
    error = heard.body["error"]
    assert error["message"]
    assert (heard.body.get("type") == "error") == (wire == "anthropic")
    assert ("status" in error) == (wire == "gemini")
    assert ("retry-after" in heard.headers) == (mode == "limit")  # the only one with a time of its own


@pytest.mark.parametrize("mode", ["429", "limit"])
@every_wire
def test_each_vendor_tells_when_it_serves_again(server: Server, wire: str, mode: str) -> None:
    before = int(time.time())
    heard = ask(wire, server.url(mode, reset=7200), streamed=True)
    after = int(time.time())
    assert heard.headers["retry-after"] == "7200"
    error = heard.body["error"]
    if wire == "gemini":
        assert error["details"][-1] == {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7200s"}
        assert error["message"].endswith("Please retry in 7200s.")
    elif wire == "anthropic" and mode == "limit":
        name = "anthropic-ratelimit-unified"
        assert heard.headers[f"{name}-status"] == "rejected"
        assert heard.headers[f"{name}-representative-claim"] == "five_hour"
        assert before + 7200 <= int(heard.headers[f"{name}-reset"]) <= after + 7200
    elif mode == "limit":
        assert (error["type"], error["resets_in_seconds"]) == ("usage_limit_reached", 7200)
        assert before + 7200 <= error["resets_at"] <= after + 7200
        assert wire == "responses" or error["message"] == "5-hour usage limit reached. It will reset in 120 minutes."
    elif wire != "anthropic":
        assert error["message"].endswith("Please try again in 7200s.")


def test_a_usage_limit_without_a_time_resets_in_an_hour(server: Server) -> None:
    heard = ask("responses", server.url("limit"), streamed=True)
    assert heard.body["error"]["resets_in_seconds"] == LIMIT_SECONDS == 3600


@every_wire
def test_a_stream_that_is_cut_breaks_off_in_the_middle(server: Server, wire: str) -> None:
    with pytest.raises(http.client.IncompleteRead) as caught:
        ask(wire, server.url("cut"), streamed=True)
    text = caught.value.partial.decode()
    assert "I ran the" in text
    assert "TASK_COMPLETE" not in text
    whole = ask(wire, server.url("cut"), streamed=False)
    assert called(wire, whole, streamed=False)["command"] == "echo hello > hello.txt"


@every_wire
def test_a_clean_cut_ends_the_body_and_leaves_out_the_vendors_end(server: Server, wire: str) -> None:
    heard = ask(wire, server.url("cutclean"), streamed=True)
    assert said(wire, heard, streamed=True).startswith("I ran the")
    assert not re.search(r"TASK_COMPLETE|DONE|message_stop|response\.completed|finishReason", heard.text)
    whole = ask(wire, server.url("cutclean"), streamed=False)
    assert called(wire, whole, streamed=False)["command"] == "echo hello > hello.txt"


@every_wire
@both_ways
def test_cutall_cuts_what_is_not_streamed_too(server: Server, wire: str, *, streamed: bool) -> None:
    with pytest.raises(http.client.IncompleteRead):
        ask(wire, server.url("cutall"), streamed=streamed)


@every_wire
@both_ways
def test_malformed_answers_are_no_json(server: Server, wire: str, *, streamed: bool) -> None:
    heard = ask(wire, server.url("malformed"), streamed=streamed)
    assert heard.status == 200
    with pytest.raises(json.JSONDecodeError):
        assert heard.events if streamed else heard.body


@every_wire
@both_ways
def test_a_drip_takes_its_time(server: Server, wire: str, *, streamed: bool) -> None:
    started = time.monotonic()
    heard = ask(wire, server.url("drip", seconds=0.6), streamed=streamed, results=1)
    assert time.monotonic() - started >= 0.55
    assert said(wire, heard, streamed=streamed).endswith("TASK_COMPLETE")


@every_wire
@both_ways
@pytest.mark.parametrize("mode", ["hang", "hangafter"])
def test_a_client_that_gives_up_frees_the_server(server: Server, wire: str, *, streamed: bool, mode: str) -> None:
    url, body = request(wire, streamed=streamed, results=1)
    with pytest.raises(TimeoutError):
        post(server.url(mode) + url, body, timeout=0.3)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while any("process_request_thread" in each.name for each in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@every_wire
def test_hangafter_sends_the_whole_text_but_no_end(server: Server, wire: str) -> None:
    path, body = request(wire, streamed=True, results=1)
    got = raw_until(server, server.url("hangafter") + path, body, b"_COMPLETE")
    assert b"[DONE]" not in got
    assert b"message_stop" not in got
    assert b"response.completed" not in got
    assert b"finishReason" not in got


def raw_until(server: Server, url: str, body: dict[str, Any], mark: bytes) -> bytes:
    """Return what came until the text was whole; the stream itself does not end."""
    data = json.dumps(body).encode()
    path = url.removeprefix(server.address)
    with socket.create_connection((HOST, server.port), timeout=DEADLINE_SECONDS) as connection:
        connection.sendall(
            b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (path.encode(), len(data), data)
        )
        got = b""
        while mark not in re.sub(rb"[^A-Z_]", b"", got):
            more = connection.recv(65536)
            assert more, got
            got += more
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            got += read_to_the_end(connection)
    return got


def read_to_the_end(connection: socket.socket) -> bytes:
    got = b""
    while more := connection.recv(65536):
        got += more
    return got
