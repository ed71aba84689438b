"""What the agent asks of its client: permissions, files, terminals. Every question gets an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from acp import RequestError
from acp.meta import CLIENT_METHODS

from ralph_wiggum.acp.events import Events
from ralph_wiggum.acp.files import Workspace
from ralph_wiggum.acp.permissions import answer, touched
from ralph_wiggum.acp.terminals import Line, RefusedError, Terminals
from ralph_wiggum.acp.tools import words
from ralph_wiggum.acp.updates import Updates
from ralph_wiggum.core.dialects import fields
from ralph_wiggum.core.dialects.fields import Event

Result = Mapping[str, object]
_CANCELLED: Result = {"outcome": {"outcome": "cancelled"}}


class Service:
    """Answers the agent's calls. `closed`: the turn is cancelled or over, and nothing is begun any more."""

    def __init__(
        self, workspace: Workspace, terminals: Terminals, updates: Updates, events: Events, *, permissions: str
    ) -> None:
        self.closed = False
        self._workspace = workspace
        self._terminals = terminals
        self._updates = updates
        self._events = events
        self._permissions = permissions
        self._calls = {
            CLIENT_METHODS["session_request_permission"]: self._permission,
            CLIENT_METHODS["fs_read_text_file"]: self._read,
            CLIENT_METHODS["fs_write_text_file"]: self._write,
            CLIENT_METHODS["terminal_create"]: self._terminal,
            CLIENT_METHODS["terminal_output"]: self._output,
            CLIENT_METHODS["terminal_wait_for_exit"]: self._wait,
            CLIENT_METHODS["terminal_kill"]: self._kill,
            CLIENT_METHODS["terminal_release"]: self._release,
        }

    async def handle(self, method: str, params: Any, notification: bool) -> Result | None:  # noqa: FBT001 - as the library calls it
        """Answer one call; RequestError is an answer too. Notifications of others than updates mean nothing to us."""
        if notification:
            return None
        call = self._calls.get(method)
        if call is None:
            raise RequestError.method_not_found(method)
        try:
            return await call(fields.mapping(params))
        except RefusedError as error:
            raise RequestError.invalid_params({"details": str(error)}) from error
        except (FileNotFoundError, NotADirectoryError) as error:
            raise RequestError.resource_not_found(fields.text(fields.mapping(params), "path")) from error
        except (OSError, ValueError) as error:
            raise RequestError.internal_error({"details": str(error)}) from error

    async def _permission(self, params: Event) -> Result:
        if self.closed:
            return _CANCELLED
        tool = self._updates.known(fields.mapping(params, "toolCall"))
        refusals = filter(None, map(self._workspace.refusal, touched(tool)))
        why = next(refusals, "")
        chosen = answer(self._permissions, fields.items(params, "options"), refused=bool(why))
        if not chosen.allowed:
            name, doing = words(tool)
            self._events.put(
                "denied", tool=name, doing=doing, why=why or "the settings allow nothing that is asked for"
            )
        if not chosen.option:
            return _CANCELLED
        return {"outcome": {"outcome": "selected", "optionId": chosen.option}}

    async def _read(self, params: Event) -> Result:
        limit = params.get("limit")
        limit = limit if isinstance(limit, int) and limit >= 0 else None
        return {"content": self._workspace.read(_path(params), fields.whole(params, "line"), limit)}

    async def _write(self, params: Event) -> Result:
        path, content = _path(params), params.get("content")
        if not isinstance(content, str):
            raise RefusedError("content is no text")
        self._refuse("write", path)
        self._workspace.write(path, content)
        return {}

    async def _terminal(self, params: Event) -> Result:
        command = fields.text(params, "command")
        cwd = fields.text(params, "cwd") or self._workspace.root
        if not command:
            raise RefusedError("command is empty")
        if not self._workspace.holds(cwd):
            self._deny("terminal", command, f"{cwd} lies outside the workspace")
        pairs = (fields.mapping(each) for each in fields.items(params, "env"))
        limit = params.get("outputByteLimit")
        line = Line(
            command=command,
            args=[str(word) for word in fields.items(params, "args")],
            env={name: fields.text(pair, "value") for pair in pairs if (name := fields.text(pair, "name"))},
            cwd=self._workspace.resolved(cwd),
        )
        name = await self._terminals.create(line, limit if isinstance(limit, int) else None)
        return {"terminalId": name}

    async def _output(self, params: Event) -> Result:
        terminal = self._terminals.of(_terminal(params))
        status = terminal.status()
        text, cut = terminal.output()
        return {"output": text, "truncated": cut} | ({"exitStatus": status} if status is not None else {})

    async def _wait(self, params: Event) -> Result:
        return await self._terminals.of(_terminal(params)).ended()

    async def _kill(self, params: Event) -> Result:
        await self._terminals.of(_terminal(params)).end()
        return {}

    async def _release(self, params: Event) -> Result:
        await self._terminals.release(_terminal(params))
        return {}

    def _refuse(self, what: str, path: str) -> None:
        why = self._workspace.refusal(path)
        if why:
            self._deny(what, path, why)

    def _deny(self, what: str, doing: str, why: str) -> None:
        self._events.put("denied", tool=what, doing=doing[:1000], why=why[:1000])
        raise RefusedError(f"refused: {why}")


def _path(params: Event) -> str:
    path = fields.text(params, "path")
    if not path:
        raise RefusedError("path is empty")
    return path


def _terminal(params: Event) -> str:
    return fields.text(params, "terminalId")
