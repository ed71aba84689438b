"""How an answer goes over the wire: whole, streamed, drop by drop, broken off, without an end, or never."""

from __future__ import annotations

import json
import select
import socket
import threading
from http.server import BaseHTTPRequestHandler

from tests.modelserver.conversation import Json, Stream
from tests.modelserver.scenario import CUTS, Scenario

DRIP_SECONDS = 5.0
BROKEN = b'{"id": "broken", "choices": [{"delta": {"content": "half of '
_LOOK_SECONDS = 0.2  # how often a wait looks whether the client is still there


class Delivery:
    """Sends one answer. Every wait ends when the client has gone or `stopping` is set."""

    def __init__(self, handler: BaseHTTPRequestHandler, stopping: threading.Event) -> None:
        self._handler = handler
        self._stopping = stopping

    def body(self, status: int, body: Json, headers: dict[str, str] | None = None) -> None:
        """Send a JSON body as it should be."""
        self._whole(status, json.dumps(body).encode(), headers or {})

    def answer(self, mode: str, scenario: Scenario, body: Json | Stream, headers: dict[str, str]) -> None:
        """Send an answer of the model in the manner of a mode."""
        if isinstance(body, Stream):
            self._stream(mode, scenario, body, headers)
            return
        data = json.dumps(body).encode()
        if mode == "drip":
            self.wait(_drip(scenario))
        if mode == "malformed":
            data = BROKEN
        elif mode == "cutall":
            self._head(200, {**headers, "content-length": str(len(data))})
            self._send(data[: len(data) // 2])
            self._hang_up()
            return
        elif mode == "hangafter":
            self._head(200, {**headers, "content-length": str(len(data) + 1)})
            self._send(data)
            self.hang()
            return
        self._whole(200, data, headers)

    def hang(self) -> None:
        """Keep the client waiting until it goes away or the server ends; then close the connection."""
        self._handler.close_connection = True
        while not self._stopping.is_set() and not self._gone():
            pass

    def wait(self, seconds: float) -> None:
        """Wait, but not longer than the server lives."""
        self._stopping.wait(seconds)

    def _stream(self, mode: str, scenario: Scenario, stream: Stream, headers: dict[str, str]) -> None:
        self._head(200, {**headers, "content-type": "text/event-stream", "transfer-encoding": "chunked"})
        events = [event.encode() for event in stream.events]
        if mode == "malformed":
            events = [b"data: " + BROKEN + b"\n\n"]
        pause = _drip(scenario) / len(events) if mode == "drip" else 0.0
        kept = max(1, len(events) // 2) if mode in CUTS else len(events)
        for event in events[:kept]:
            self._chunk(event)
            if pause:
                self.wait(pause)
        match mode:
            case "cut" | "cutall":
                self._hang_up()
            case "hangafter":
                self.hang()
            case "cutclean" | "malformed":
                self._send(b"0\r\n\r\n")
            case _:
                self._chunk(b"".join(event.encode() for event in stream.closing))
                self._send(b"0\r\n\r\n")

    def _whole(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self._head(status, {**headers, "content-length": str(len(data))})
        if self._handler.command != "HEAD":
            self._send(data)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        handler = self._handler
        handler.send_response(status, "Overloaded" if status == 529 else None)
        for name, value in {"content-type": "application/json", **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()

    def _chunk(self, data: bytes) -> None:
        self._send(b"%x\r\n%s\r\n" % (len(data), data))

    def _send(self, data: bytes) -> None:
        self._handler.wfile.write(data)
        self._handler.wfile.flush()

    def _hang_up(self) -> None:
        self._handler.close_connection = True
        self._handler.connection.shutdown(socket.SHUT_RDWR)

    def _gone(self) -> bool:
        """Look for a moment whether the client closed the connection."""
        readable, _, _ = select.select([self._handler.connection], [], [], _LOOK_SECONDS)
        if not readable:
            return False
        if self._handler.connection.recv(1, socket.MSG_PEEK):
            self.wait(_LOOK_SECONDS)  # it sends more, which nobody will read
            return False
        return True


def _drip(scenario: Scenario) -> float:
    return DRIP_SECONDS if scenario.seconds is None else scenario.seconds
