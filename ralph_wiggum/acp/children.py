"""The processes that the client starts, each the leader of a session of its own, and their ends (by SIGCHLD)."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress

GRACE_SECONDS = 3.0  # between TERM and KILL


class Child:
    """A process that was started. `ended` is set once it has ended, with its exit code, or -n for signal n."""

    def __init__(self, process: subprocess.Popen[bytes], ended: asyncio.Future[int]) -> None:
        self.pid = process.pid
        self.ended = ended
        self._process = process

    def look(self) -> bool:
        """Return whether it has ended, and note the end."""
        code = self._process.poll()
        if code is not None and not self.ended.done():
            self.ended.set_result(code)
        return code is not None

    def signal(self, number: int) -> None:
        """Send a signal to all of its group; not once it has ended, for then its number may be another's."""
        if not self.look():
            with suppress(OSError):
                os.killpg(self.pid, number)

    async def end(self, grace: float = GRACE_SECONDS) -> None:
        """End its group: TERM, and KILL for what is left after `grace` seconds."""
        self.signal(signal.SIGTERM)
        if not await self.ends_within(grace):
            self.signal(signal.SIGKILL)
            await self.ends_within(grace)

    async def ends_within(self, seconds: float) -> bool:
        """Wait for its end, at most so long; return whether it came."""
        await asyncio.wait({self.ended}, timeout=seconds)
        return self.ended.done()


class Children:
    """Starts processes and notices their ends, until it is closed."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._living: set[Child] = set()
        self._loop.add_signal_handler(signal.SIGCHLD, self._look)

    def start(
        self,
        argv: Sequence[str],
        *,
        cwd: str,
        env: Mapping[str, str] | None = None,
        stdin: int = subprocess.DEVNULL,
        stdout: int | None = None,
        stderr: int | None = None,
    ) -> Child:
        """Start a program as the leader of a session of its own. OSError or ValueError if that cannot be."""
        process = subprocess.Popen(
            argv, cwd=cwd, env=env, stdin=stdin, stdout=stdout, stderr=stderr, start_new_session=True
        )
        child = Child(process, self._loop.create_future())
        self._living.add(child)
        self._look()
        return child

    def close(self) -> None:
        """Notice no more ends."""
        self._loop.remove_signal_handler(signal.SIGCHLD)

    def _look(self) -> None:
        self._living = {child for child in self._living if not child.look()}
