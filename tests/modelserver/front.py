"""The HTTP front: from a path to a wire format and a scenario, and from there to an answer."""

from __future__ import annotations

import gzip
import json
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler
from typing import Any, TypeVar

from tests.modelserver import anthropic, chat, gemini, playback, refusals, responses
from tests.modelserver.conversation import Conversation, Json, Say, WireFormat
from tests.modelserver.delivery import Delivery
from tests.modelserver.scenario import REFUSED, Scenario, UnknownScenarioError, split

Value = TypeVar("Value")

_FORMATS: tuple[tuple[re.Pattern[str], WireFormat], ...] = (
    (re.compile(r"(?:/v1)?/chat/completions"), chat),
    (re.compile(r"(?:/v1)?/responses"), responses),
    (re.compile(r"(?:/v1)?/messages"), anthropic),
    (re.compile(r"/v1(?:beta|alpha)?/models/[^/]+:(?:streamGenerateContent|generateContent)"), gemini),
)
_COUNTS: tuple[tuple[re.Pattern[str], Callable[[], Json]], ...] = (
    (re.compile(r"(?:/v1)?/messages/count_tokens"), anthropic.count),
    (re.compile(r"/v1(?:beta|alpha)?/models/[^/]+:countTokens"), gemini.count),
)
_LISTS: tuple[tuple[re.Pattern[str], Callable[[], Json]], ...] = (
    (re.compile(r"/v1beta/models"), gemini.models),
    (re.compile(r"(?:/v1)?/models"), chat.models),
    (re.compile(r"(?:/v1)?/models/[^/:]+"), lambda: chat.models()["data"][0]),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request of the log. `at` in seconds since 1970; `task` says whether it works on a task."""

    at: float
    path: str
    wire: str
    mode: str
    step: int
    task: bool
    streamed: bool
    tools: tuple[str, ...]
    prompt: str


class Handler(BaseHTTPRequestHandler):
    """Answers one connection; `server` is a `serving.Server`."""

    protocol_version = "HTTP/1.1"
    server_version = "modelserver"
    sys_version = ""
    server: Any  # of serving.Server, which imports this module

    def do_GET(self) -> None:
        """Answer for lists of models, and a word for a person with a browser."""
        self._guarded(self._get)

    do_HEAD = do_GET  # noqa: N815 - the base class calls it so; some clients look whether somebody is there

    def do_POST(self) -> None:
        """Answer what a client asks the model."""
        self._guarded(self._post)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Print nothing: the log of requests says more."""

    def _guarded(self, answer: Callable[[Delivery, Scenario, str], None]) -> None:
        """Answer; a client that goes away in the middle is nothing to report."""
        delivery = Delivery(self, self.server.stopping)
        with suppress(OSError):
            try:
                scenario, rest = split(self.path, self.server.scenario)
            except UnknownScenarioError as error:
                self._body()
                delivery.body(404, {"error": {"type": "unknown_scenario", "message": str(error)}})
                return
            answer(delivery, scenario, rest)

    def _get(self, delivery: Delivery, scenario: Scenario, rest: str) -> None:
        listed = _found(_LISTS, rest)
        if listed:
            delivery.body(200, listed())
        elif rest == "/":
            delivery.body(200, {"object": "modelserver", "scenario": scenario.name})
        else:
            delivery.body(404, _no_such(rest))

    def _post(self, delivery: Delivery, scenario: Scenario, rest: str) -> None:
        body = self._body()
        if body is None:
            delivery.body(400, {"error": {"type": "invalid_request_error", "message": "the body is no JSON object"}})
        elif counted := _found(_COUNTS, rest):
            delivery.body(200, counted())
        elif wire := _found(_FORMATS, rest):
            self._model(delivery, scenario, wire, wire.read(body, rest))
        else:
            delivery.body(404, _no_such(rest))

    def _model(self, delivery: Delivery, scenario: Scenario, wire: WireFormat, asked: Conversation) -> None:
        task = playback.does_task(asked)
        mode = self.server.visits.mode(scenario, asked.prompt if task else "")
        now = time.time()
        self.server.note(_request(self.path, wire, mode, asked, now))
        delivery.wait(scenario.delay)
        if mode in REFUSED:
            refused = refusals.refusal(wire.NAME, mode, scenario, now)
            delivery.body(refused.status, refused.body, refused.headers)
        elif mode == "hang":
            delivery.hang()
        else:
            answer = playback.answer(asked, mode, scenario, now)
            body = wire.stream(answer, asked) if asked.streamed else wire.whole(answer, asked.model)
            headers = refusals.warning(now, scenario.reset) if mode == "warn" else {}
            manner = mode if task and isinstance(answer, Say) else "ok"
            delivery.answer("malformed" if mode == "malformed" else manner, scenario, body, headers)

    def _body(self) -> Json | None:
        """Read the body, whole or in chunks, packed or not; None where it is no JSON object."""
        if "chunked" in self.headers.get("transfer-encoding", ""):
            data = self._chunks()
        else:
            data = self.rfile.read(int(self.headers.get("content-length") or 0))
        try:
            data = gzip.decompress(data) if self.headers.get("content-encoding") == "gzip" else data
            body = json.loads(data)
        except (ValueError, OSError):
            return None
        return body if isinstance(body, dict) else None

    def _chunks(self) -> bytes:
        parts = []
        while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers
        return b"".join(parts)


def _found(table: tuple[tuple[re.Pattern[str], Value], ...], path: str) -> Value | None:
    path = path.partition("?")[0]
    return next((value for pattern, value in table if pattern.fullmatch(path)), None)


def _no_such(path: str) -> Json:
    return {"error": {"type": "not_found_error", "message": f"nothing is served at {path}"}}


def _request(path: str, wire: WireFormat, mode: str, asked: Conversation, now: float) -> Request:
    return Request(
        at=now,
        path=path,
        wire=wire.NAME,
        mode=mode,
        step=asked.results,
        task=playback.does_task(asked),
        streamed=asked.streamed,
        tools=tuple(tool.name for tool in asked.tools),
        prompt=asked.prompt,
    )


def shortened(request: Request, limit: int) -> Request:
    """Return a request with at most `limit` characters of its prompt, for a log on disk."""
    return replace(request, prompt=request.prompt[:limit])
