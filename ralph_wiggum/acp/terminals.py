"""The commands that the agent has its client run: each in a session of its own, with bounded output.

They are children of the client and so commands of the agent to the runner: its command timeout ends them (O21). Here
their output then says so.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from ralph_wiggum.acp.children import Child, Children
from ralph_wiggum.adapters.capped_log import Tail

OUTPUT_BYTES = 1 << 20  # that are kept where the agent names no limit
MOST_BYTES = 8 << 20  # whatever it names
MOST = 64  # terminals at a time
DRAIN_SECONDS = 0.3  # for the rest of the output: what a command left behind may hold the pipe open


class RefusedError(Exception):
    """A terminal that is not there or cannot be; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A command line: a program with its arguments, or, without any, a line for the shell."""

    command: str
    args: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str

    def argv(self) -> tuple[str, ...]:
        """Return the arguments to start. Agents put whole lines into `command` (claude-code-acp: `npm ci && ls`)."""
        if self.args:
            return (self.command, *self.args)
        return (shutil.which("bash") or "/bin/sh", "-c", self.command)


class Terminal(asyncio.Protocol):
    """One command and the end of what it printed."""

    def __init__(self, limit: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._limit = max(0, min(limit, MOST_BYTES))
        self._kept = Tail(max(1, self._limit))
        self._read = self._loop.create_future()
        self._since = self._loop.time()
        self._ours = False
        self._told = False
        self._pipe: asyncio.BaseTransport | None = None
        self.child: Child | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the pipe that the command prints to."""
        self._pipe = transport

    def data_received(self, data: bytes) -> None:
        """Take what it printed."""
        self._kept.add(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the name is asyncio's
        """Take notice of the end of its output."""
        if not self._read.done():
            self._read.set_result(None)

    async def ended(self) -> Mapping[str, object]:
        """Wait for the command's end; return its exit code or signal."""
        if self.child is not None:
            await asyncio.wait({self.child.ended})
            await asyncio.wait({self._read}, timeout=DRAIN_SECONDS)
        return self.status() or {}

    def status(self) -> Mapping[str, object] | None:
        """Return how the command ended, None while it runs."""
        if self.child is None or not self.child.look():
            return None
        code = self.child.ended.result()
        if code >= 0:
            return {"exitCode": code, "signal": None}
        name = _signal_name(-code)
        if not self._ours and not self._told:
            self._told = True
            seconds = self._loop.time() - self._since
            self._kept.add(
                f"\n[ended from outside by {name} after {seconds:.0f} s: commands have a time limit]\n".encode()
            )
        return {"exitCode": None, "signal": name}

    def output(self) -> tuple[str, bool]:
        """Return the end of what it printed, within its limit, and whether that is not all."""
        data = self._kept.bytes() if self._limit else b""
        cut = self._kept.total > self._limit
        text = data.decode("utf-8", errors="replace")
        if cut:
            text = text.lstrip("\ufffd")  # the rest of a character that was cut
        encoded = text.encode()
        if len(encoded) > self._limit:  # what is no UTF-8 grew by being replaced
            text, cut = encoded[len(encoded) - self._limit :].decode("utf-8", errors="ignore"), True
        return text, cut

    async def end(self) -> None:
        """End the command with its group."""
        self._ours = True
        if self.child is not None:
            await self.child.end()

    def close(self) -> None:
        """Take no more output."""
        if self._pipe is not None:
            self._pipe.close()


class Terminals:
    """The terminals of one session, by their ids."""

    def __init__(self, children: Children) -> None:
        self._children = children
        self._open: dict[str, Terminal] = {}
        self._count = 0

    async def create(self, line: Line, limit: int | None = None) -> str:
        """Start a command and return the id of its terminal. RefusedError if it cannot be started.

        Of more than MOST terminals the oldest that has ended is released.
        """
        if len(self._open) >= MOST:
            await self._forget_one()
        terminal = Terminal(OUTPUT_BYTES if limit is None else limit)
        reading, writing = os.pipe()
        pipe = os.fdopen(reading, "rb", buffering=0)
        try:
            await asyncio.get_running_loop().connect_read_pipe(lambda: terminal, pipe)
            env = {**os.environ, "PWD": line.cwd, **line.env}
            terminal.child = self._children.start(
                line.argv(), cwd=line.cwd, env=env, stdout=writing, stderr=subprocess.STDOUT
            )
        except (OSError, ValueError) as error:
            terminal.close()
            raise RefusedError(f"{line.command[:200]} cannot be started: {error}") from error
        finally:
            os.close(writing)
        self._count += 1
        name = f"terminal-{self._count}"
        self._open[name] = terminal
        return name

    async def _forget_one(self) -> None:
        """Release the oldest terminal whose command has ended: its agent does without that. RefusedError: none has."""
        ended = next((name for name, terminal in self._open.items() if terminal.status() is not None), None)
        if ended is None:
            raise RefusedError(f"{MOST} commands run already: end some")
        await self.release(ended)

    def of(self, name: str) -> Terminal:
        """Return the terminal with that id. RefusedError if there is none."""
        if name not in self._open:
            raise RefusedError(f"there is no terminal {name[:200]!r}")
        return self._open[name]

    async def release(self, name: str) -> None:
        """End the command of a terminal, if it runs, and forget it. RefusedError if there is none."""
        terminal = self.of(name)
        del self._open[name]
        await terminal.end()
        terminal.close()

    async def close(self) -> None:
        """Release all."""
        with suppress(RefusedError):
            await asyncio.gather(*(self.release(name) for name in list(self._open)))


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"
