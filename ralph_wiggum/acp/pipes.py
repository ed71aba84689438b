"""The two pipes to the agent: messages of JSON-RPC, one a line; whatever else it prints does no harm."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from json import dumps
from typing import Any

from acp.meta import CLIENT_METHODS

from ralph_wiggum.acp.events import Events
from ralph_wiggum.adapters.agents.hearing import LINE_BYTES, Lines
from ralph_wiggum.core.dialects import fields
from ralph_wiggum.core.terminal import clean

READ_BYTES = 1 << 16
UNREAD_BYTES = 64 << 20  # of what an agent has not taken yet

Message = dict[str, Any]


class Pipes:
    """A transport of the library (acp.connection.Connection) that bears with any agent.

    Lines that are no message, and lines of more than 16 MiB, are noted and read over. `heard` gets the updates of the
    session before anything that came after them is handled, so that all of a turn is heard before its end.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.WriteTransport,
        events: Events,
        heard: Callable[[fields.Event], None],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._events = events
        self._heard = heard
        self._lines = Lines()
        self._left_out = 0
        self._messages: deque[Message] = deque()

    async def send(self, message: Message) -> None:
        """Hand a message over; it is written as the agent reads. ConnectionError if the agent reads no more."""
        if self._writer.is_closing() or self._writer.get_write_buffer_size() > UNREAD_BYTES:
            raise ConnectionError("the agent reads no more")
        self._writer.write(dumps(message, separators=(",", ":"), default=str).encode("ascii") + b"\n")

    async def receive(self) -> Message | None:
        """Return the next message for the library, None after the last."""
        while not self._messages:
            data = await self._reader.read(READ_BYTES)
            for line in self._lines.feed(data) if data else [self._lines.rest()]:
                self._take(line)
            if self._lines.left_out > self._left_out:
                self._left_out = self._lines.left_out
                self._events.note(f"a line of the agent was longer than {LINE_BYTES >> 20} MiB and not understood")
            if not data and not self._messages:
                return None
        return self._messages.popleft()

    async def close(self) -> None:
        """Close the agent's standard input; what was not written is dropped."""
        if not self._writer.is_closing():
            self._writer.abort()

    def _take(self, line: bytes) -> None:
        text = line.decode("utf-8", errors="replace").strip("\ufeff \t\r\n")
        if not text:
            return
        found = fields.event(text)
        message = checked(found) if found is not None else None
        if message is None:
            self._events.note(clean(text[:READ_BYTES]))
        elif message.get("method") == CLIENT_METHODS["session_update"]:
            self._heard(fields.mapping(message, "params"))
        else:
            self._messages.append(message)


def checked(found: fields.Event) -> Message | None:
    """Return a message as the library takes it without failing; None if it is none of JSON-RPC.

    A call has a method, an answer has the number of one of our calls (they are counted from 0).
    """
    number = found.get("id")
    method = found.get("method")
    if method is not None:
        if not isinstance(method, str) or not isinstance(number, int | str | None):
            return None
        call: Message = {"method": method, "params": dict(fields.mapping(found, "params"))}
        return call if number is None else {**call, "id": number}
    if not isinstance(number, int) or ("result" not in found and "error" not in found):
        return None
    if "result" in found:
        return {"id": number, "result": found["result"]}
    error = fields.mapping(found, "error")
    code = error.get("code")
    return {
        "id": number,
        "error": {
            "code": code if isinstance(code, int) else 0,
            "message": fields.text(error, "message") or str(found["error"])[:READ_BYTES],
            "data": error.get("data"),
        },
    }
