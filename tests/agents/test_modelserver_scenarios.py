"""The scripted model server as a whole: what is counted, what is logged, and how it ends."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.modelserver import Server, UnknownScenarioError, serving
from tests.modelserver.probe import DEADLINE_SECONDS, PROMPT, ask, called, post, request, said
from tests.modelserver.scenario import parse
from tests.modelserver.serving import HOST

pytestmark = pytest.mark.long  # of real processes and servers: a minute of the ordinary run


@pytest.fixture
def server() -> Iterator[Server]:
    before = set(threading.enumerate())
    with serving() as running:
        yield running
    assert set(threading.enumerate()) <= before  # no thread is left


@pytest.mark.parametrize("mode", ["hang", "drip"])
def test_the_server_ends_at_once_whatever_hangs(mode: str) -> None:
    with serving() as server:
        path, body = request("chat", streamed=True, results=1)
        data = json.dumps(body).encode()
        where = server.url(mode, seconds=600).removeprefix(server.address) + path
        idle = socket.create_connection((HOST, server.port))
        waiting = socket.create_connection((HOST, server.port))
        waiting.sendall(b"POST %s HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (where.encode(), len(data), data))
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not server.requests:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        started = time.monotonic()
    assert time.monotonic() - started < 10
    idle.close()
    waiting.close()


def modes_met(server: Server) -> list[str]:
    return [each.mode for each in server.requests]


def test_n_requests_meet_a_mode_and_later_ones_do_not(server: Server) -> None:
    statuses = [ask("chat", server.url("429", n=2, reset=2), streamed=True).status for _ in range(4)]
    assert statuses == [429, 429, 200, 200]
    assert [ask("chat", server.url("flaky"), streamed=False).status for _ in range(3)] == [500, 500, 200]
    assert [ask("chat", server.url("401", first="529"), streamed=False).status for _ in range(3)] == [529, 401, 401]


def test_the_first_tasks_are_served_and_later_ones_meet_the_limit(server: Server) -> None:
    base = server.url("limit", after=2)
    statuses = [
        ask("anthropic", base, streamed=True, prompt=f"task {task}", results=results).status
        for task in (1, 2, 3, 1, 3)
        for results in (0, 1)
    ]
    assert statuses == [200, 200, 200, 200, 429, 429, 200, 200, 429, 429]


def test_what_is_counted_is_counted_for_each_scenario_apart(server: Server) -> None:
    urls = [server.url("500", n=1, id=word) for word in ("a", "b")]
    statuses: dict[str, list[int]] = {url: [] for url in urls}
    work = [
        threading.Thread(
            target=lambda url: statuses[url].extend(ask("gemini", url, streamed=True).status for _ in range(5)),
            args=(url,),
        )
        for url in urls
    ]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join(DEADLINE_SECONDS)
    assert list(statuses.values()) == [[500, 200, 200, 200, 200]] * 2


def test_requests_beside_the_task_are_answered_but_not_counted(server: Server) -> None:
    base = server.url("529", n=1)
    assert ask("chat", base, streamed=True, tools=False).status == 200
    assert ask("chat", base, streamed=True).status == 529
    assert ask("chat", base, streamed=True).status == 200
    title = ask("chat", server.url("ok"), streamed=False, tools=False)
    assert said("chat", title, streamed=False) == "Work on the task"
    assert ask("chat", server.url("401"), streamed=True, tools=False).status == 401
    assert ask("gemini", server.url("limit", after=1), streamed=False, tools=False).status == 200


def test_an_answer_that_has_a_schema_follows_it(server: Server) -> None:
    path, body = request("gemini", streamed=False, tools=False)
    form = {"type": "OBJECT", "properties": {"who": {"enum": ["user", "model"]}}, "required": ["who"]}
    heard = post(server.url("ok") + path, body | {"generationConfig": {"responseSchema": form}})
    assert json.loads(said("gemini", heard, streamed=False)) == {"who": "user"}


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/v1/messages/count_tokens", "input_tokens"),
        ("/v1beta/models/m:countTokens", "totalTokens"),
    ],
)
def test_tokens_are_counted_in_every_mode(server: Server, path: str, key: str) -> None:
    assert post(server.url("hang") + path, {}).body == {key: 1000}
    assert server.requests == []


@pytest.mark.parametrize(
    ("path", "status"),
    [("/v1/models", 200), ("/s/ok/v1/models", 200), ("/v1beta/models", 200), ("/", 200), ("/s/ok", 200), ("/no", 404)],
)
def test_a_get_lists_the_models(server: Server, path: str, status: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE_SECONDS)
    try:
        for method in ("GET", "HEAD", "GET"):  # one connection: nothing of an answer is left over for the next
            connection.request(method, path)
            response = connection.getresponse()
            assert response.status == status
            assert bool(response.read()) == (method == "GET")
    finally:
        connection.close()


@pytest.mark.parametrize(
    "text",
    ["nonsense", "ok,first=nonsense", "429,n=many", "ok,colour=red", "limit,reset=soon"],
)
def test_a_scenario_that_is_not_there_is_refused(server: Server, text: str) -> None:
    with pytest.raises(UnknownScenarioError):
        parse(text)
    assert post(f"{server.address}/s/{text}/v1/messages", {}).status == 404


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff\xfe"])
def test_a_body_that_is_no_object_is_refused(server: Server, body: bytes) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE_SECONDS)
    try:
        connection.request("POST", "/v1/messages", body)
        assert connection.getresponse().status == 400
    finally:
        connection.close()


def test_a_body_in_chunks_is_read(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE_SECONDS)
    path, body = request("chat", streamed=False)
    data = json.dumps(body).encode()
    try:
        connection.request("POST", path, iter([data[:20], data[20:]]), encode_chunked=True)
        assert connection.getresponse().status == 200
    finally:
        connection.close()
    assert [each.prompt for each in server.requests] == [PROMPT]


def test_a_delay_comes_before_the_answer(server: Server) -> None:
    started = time.monotonic()
    assert ask("chat", server.url("ok", delay=0.3), streamed=True).status == 200
    assert time.monotonic() - started >= 0.3


def test_a_reminder_of_the_client_is_no_message_of_the_person(server: Server) -> None:
    path, body = request("anthropic", streamed=False, results=1)
    body["messages"].append({"role": "user", "content": "<system-reminder>\nBe brief.\n</system-reminder>"})
    heard = post(server.url("ok") + path, body)
    assert said("anthropic", heard, streamed=False).endswith("TASK_COMPLETE")
    assert [(each.step, each.prompt) for each in server.requests] == [(1, PROMPT)]


def test_a_new_message_of_the_person_begins_again(server: Server) -> None:
    path, body = request("anthropic", streamed=False, results=3)
    body["messages"].append({"role": "user", "content": "And now model:\nmodel: echo two"})
    heard = post(server.url("ok") + path, body)
    assert called("anthropic", heard, streamed=False)["command"] == "echo two"


def test_the_log_has_a_line_for_each_request(tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"
    with serving(log=log, scenario="401") as server:
        assert ask("chat", server.address, streamed=True, prompt="p" * 5000).status == 401
        assert ask("chat", server.url("ok"), streamed=True, results=2).status == 200
    rows = [json.loads(row) for row in log.read_text().splitlines()]
    assert [(row["mode"], row["step"], row["tools"]) for row in rows] == [("401", 0, ["bash"]), ("ok", 2, ["bash"])]
    assert len(rows[0]["prompt"]) == 300
    assert rows[0]["at"].endswith("+00:00")
