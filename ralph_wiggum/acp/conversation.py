"""One conversation with an agent: start it, open a session, hand over the prompt, take its end, leave nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from acp import PROTOCOL_VERSION, RequestError, text_block
from acp.connection import Connection
from acp.schema import (
    CancelNotification,
    LoadSessionRequest,
    NewSessionRequest,
    PromptRequest,
    ResumeSessionRequest,
)

from ralph_wiggum.acp.asking import Asking, EndedError, StoppedError
from ralph_wiggum.acp.children import Child, Children
from ralph_wiggum.acp.events import Events
from ralph_wiggum.acp.files import Workspace
from ralph_wiggum.acp.handshake import hello, login_methods
from ralph_wiggum.acp.pipes import READ_BYTES, Pipes
from ralph_wiggum.acp.service import Service
from ralph_wiggum.acp.terminals import Terminals
from ralph_wiggum.acp.updates import Updates
from ralph_wiggum.core.dialects import fields
from ralph_wiggum.core.dialects.acp import AUTH_REQUIRED
from ralph_wiggum.core.dialects.fields import Event

ENDED, FAILED, SESSION_GONE = 0, 1, 3  # exit codes
SIGNALLED = 128  # plus the signal, as shells have it
QWEN = "qwen-code"  # what it calls itself; it opens an empty session for an id that it does not know (0.15.10)
ERROR_LIMIT = 16_000  # characters of an error's message, and of its data
LEAVE_SECONDS = 1.0  # for the agent to end by itself once its standard input is closed, and again after TERM


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be done.

    `session` is the id of one to go on with, "": a new one. `kept` are files that only the runner writes.
    `start_seconds` is the time for each answer until the prompt is handed over.
    """

    command: tuple[str, ...]
    prompt: str
    root: Path
    session: str = ""
    permissions: str = "workspace"
    kept: tuple[str, ...] = ()
    start_seconds: float = 60.0


class FailedError(Exception):
    """The conversation cannot go on; what went wrong has been told in an event."""

    def __init__(self, code: int = FAILED) -> None:
        super().__init__(code)
        self.code = code


class Conversation:
    """Runs one order to its end."""

    def __init__(self, order: Order, events: Events) -> None:
        self._order = order
        self._events = events
        self._methods = ""  # of logging in, as the agent names them
        self._version = ""  # of the agent

    def run(self) -> int:
        """Return the exit code; when this returns, neither the agent nor a terminal runs any more."""
        return asyncio.run(self._run())

    async def _run(self) -> int:
        self._stopped: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._stop, number)
        children = Children()
        terminals = Terminals(children)
        try:
            await self._with_agent(children, terminals)
        except FailedError as failed:
            return failed.code
        finally:
            self._events.silent = True
            await terminals.close()
            children.close()
        return ENDED

    def _stop(self, number: int) -> None:
        if not self._stopped.done():
            self._stopped.set_result(number)

    async def _with_agent(self, children: Children, terminals: Terminals) -> None:
        command, root = self._order.command, str(self._order.root)
        reading, out = os.pipe()
        into, writing = os.pipe()
        from_agent, to_agent = os.fdopen(reading, "rb", buffering=0), os.fdopen(writing, "wb", buffering=0)
        try:
            agent = children.start(command, cwd=root, stdin=into, stdout=out)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            from_agent.close()
            to_agent.close()
            raise self._failed(kind="not_started", text=f"{command[0]} cannot be started: {error}") from error
        finally:
            os.close(out)
            os.close(into)
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=READ_BYTES)
        source, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), from_agent)
        writer, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, to_agent)
        updates = Updates(self._events, resumed=bool(self._order.session))
        workspace = Workspace(self._order.root, self._order.kept)
        service = Service(workspace, terminals, updates, self._events, permissions=self._order.permissions)
        connection = Connection(service.handle, Pipes(reader, writer, self._events, updates.hear))
        try:
            await self._talk(connection, agent, updates, service)
        finally:
            self._events.silent = True
            service.closed = True
            await asyncio.gather(connection.close(), return_exceptions=True)  # what it was still answering is moot
            await _leave(agent)
            source.close()

    async def _talk(self, connection: Connection, agent: Child, updates: Updates, service: Service) -> None:
        """Hold the conversation; FailedError where it does not come to the end of its turn."""
        asked = Asking(connection, agent, self._stopped)
        session, updates.agent = await self._open(asked)
        if self._order.session and updates.agent == QWEN and not updates.replayed:
            raise self._gone(f"the agent knows nothing of session {session}")
        self._events.put("session", id=session, agent=updates.agent, version=self._version)
        updates.listening = True
        prompt = PromptRequest(session_id=session, prompt=[text_block(self._order.prompt)])
        try:
            answer = await asked.ask("session_prompt", prompt)
        except StoppedError as stopped:
            service.closed = True
            self._events.put("end", reason="cancelled")
            self._events.silent = True  # nothing that comes now counts
            await asked.cancel(CancelNotification(session_id=session))
            raise FailedError(SIGNALLED + stopped.number) from stopped
        except RequestError as error:
            raise self._answered(error) from error
        except EndedError as ended:
            raise self._failed(kind="agent_ended", text=f"the agent {ended} before its turn was over") from ended
        updates.ends(answer)
        if updates.failure:
            raise self._failed(text=updates.failure)
        self._events.put("end", reason=fields.text(answer, "stopReason"))

    async def _open(self, asked: Asking) -> tuple[str, str]:
        """Shake hands and open the session; return its id, and what the agent calls itself."""
        what = "initialize"
        try:
            answer = await asked.ask("initialize", hello(), self._order.start_seconds)
            self._methods = ", ".join(login_methods(answer))
            version = answer.get("protocolVersion")
            if version != PROTOCOL_VERSION:
                raise self._failed(
                    kind="protocol", text=f"the agent speaks version {version} of the protocol, not {PROTOCOL_VERSION}"
                )
            what = "open a session"
            session = await self._session(asked, answer)
        except RequestError as error:
            raise self._answered(error) from error
        except EndedError as ended:
            raise self._failed(kind="agent_ended", text=f"the agent {ended}: it did not {what}") from ended
        except TimeoutError as error:
            words = f"the agent did not {what} within {self._order.start_seconds:g} s"
            raise self._failed(kind="start_timeout", text=words) from error
        except StoppedError as stopped:
            raise FailedError(SIGNALLED + stopped.number) from stopped
        info = fields.mapping(answer, "agentInfo")
        self._version = fields.text(info, "version")
        return session, fields.text(info, "name")

    async def _session(self, asked: Asking, said: Event) -> str:
        root, wanted, seconds = str(self._order.root), self._order.session, self._order.start_seconds
        if not wanted:
            opened = await asked.ask("session_new", NewSessionRequest(cwd=root, mcp_servers=[]), seconds)
            session = fields.text(opened, "sessionId")
            if not session:
                raise self._failed(kind="protocol", text="the agent opened a session without an id")
            return session
        capabilities = fields.mapping(said, "agentCapabilities")
        try:
            if capabilities.get("loadSession") is True:
                load = LoadSessionRequest(cwd=root, session_id=wanted, mcp_servers=[])
                await asked.ask("session_load", load, seconds)
            elif isinstance(fields.mapping(capabilities, "sessionCapabilities").get("resume"), Mapping):
                resume = ResumeSessionRequest(cwd=root, session_id=wanted, mcp_servers=[])
                await asked.ask("session_resume", resume, seconds)
            else:
                raise self._gone("the agent cannot go on with a session")
        except RequestError as error:
            if error.code == AUTH_REQUIRED:
                raise
            raise self._gone(f"the agent knows no session {wanted}: {error}", error.data) from error
        except EndedError as ended:  # kiro-cli answers an unknown id by its end
            raise self._gone(f"the agent {ended} when asked for session {wanted}") from ended
        return wanted

    def _answered(self, error: RequestError) -> FailedError:
        """Tell an error that the agent answered with."""
        if error.code == AUTH_REQUIRED:
            offers = f"; it offers: {self._methods}" if self._methods else ""
            return self._failed(kind="authentication", status=401, text=f"the agent is not logged in: {error}{offers}")
        return self._failed(code=error.code, message=str(error)[:ERROR_LIMIT], data=_bounded(error.data))

    def _failed(self, **words: object) -> FailedError:
        self._events.put("error", **words)
        return FailedError()

    def _gone(self, text: str, data: object = None) -> FailedError:
        self._events.put("session_gone", id=self._order.session, text=text[:ERROR_LIMIT], data=_bounded(data))
        return FailedError(SESSION_GONE)


def _bounded(data: object) -> object:
    """Return what an error holds, as a text that is cut where it is long."""
    return data if len(repr(data)) <= ERROR_LIMIT else repr(data)[:ERROR_LIMIT]


async def _leave(agent: Child) -> None:
    """End the agent: its standard input is closed, which most end by; then TERM and KILL for all of its group."""
    if not await agent.ends_within(LEAVE_SECONDS):
        await agent.end(LEAVE_SECONDS)
    with suppress(OSError):  # a worker whose launcher ended (codex-acp); its group cannot be another's so soon
        os.killpg(agent.pid, signal.SIGKILL)
