"""Asking the agent something, and what may come instead of an answer: its end, a signal, the end of the time."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from acp.connection import Connection
from acp.meta import AGENT_METHODS
from acp.schema import CancelNotification
from pydantic import BaseModel

from ralph_wiggum.acp.children import Child
from ralph_wiggum.core.dialects import fields
from ralph_wiggum.core.dialects.fields import Event

CANCEL_SECONDS = 2.0  # for the turn to end as cancelled
END_SECONDS = 1.0  # for an agent to end that closed its output
DRAIN_SECONDS = 0.5  # for the last messages of an agent that ended


class EndedError(Exception):
    """The agent ended, or closed its output; the message says how, as what follows "the agent"."""


class StoppedError(Exception):
    """A signal came."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Asking:
    """Asks one agent, one question at a time. `stopped` is set to the number of a signal that came."""

    def __init__(self, connection: Connection, agent: Child, stopped: asyncio.Future[int]) -> None:
        self._connection = connection
        self._agent = agent
        self._stopped = stopped
        self._asked: asyncio.Task[Any] | None = None

    async def ask(self, method: str, request: BaseModel, seconds: float | None = None) -> Event:
        """Return the answer. RequestError, EndedError, StoppedError, TimeoutError where there is none."""
        asked = asyncio.ensure_future(self._connection.send_request(AGENT_METHODS[method], _plain(request)))
        self._asked = asked
        ends: set[asyncio.Future[Any]] = {self._stopped, self._agent.ended}
        await asyncio.wait({asked, *ends}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if self._stopped.done():
            raise StoppedError(self._stopped.result())
        if self._agent.ended.done():
            await asyncio.wait({asked}, timeout=DRAIN_SECONDS)
        elif not asked.done():
            asked.cancel()
            raise TimeoutError
        if not asked.done():
            asked.cancel()
        try:
            return fields.mapping(await asked)
        except (ConnectionError, asyncio.CancelledError) as error:
            raise EndedError(await self._end()) from error

    async def cancel(self, cancel: CancelNotification) -> None:
        """Ask the agent to cancel its turn, and wait a little for the answer."""
        with suppress(ConnectionError):
            await self._connection.send_notification(AGENT_METHODS["session_cancel"], _plain(cancel))
            if self._asked is not None:
                await asyncio.wait({self._asked}, timeout=CANCEL_SECONDS)
        if self._asked is not None:
            self._asked.cancel()
            await asyncio.gather(self._asked, return_exceptions=True)

    async def _end(self) -> str:
        if not await self._agent.ends_within(END_SECONDS):
            return "closed its output"
        code = self._agent.ended.result()
        return f"ended with exit code {code}" if code >= 0 else f"ended by signal {-code}"


def _plain(request: BaseModel) -> dict[str, Any]:
    return request.model_dump(mode="json", by_alias=True, exclude_none=True)
