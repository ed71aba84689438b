"""What the tests of servers share: a project with servers of a throwaway program, and ways to know what is left."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ralph_wiggum.adapters.clock import SystemClock
from ralph_wiggum.adapters.process_table import MARK, system_table
from ralph_wiggum.adapters.servers.addresses import free_port
from ralph_wiggum.adapters.servers.kept_process import KeptProcess
from ralph_wiggum.adapters.servers.server_set import ServerSet
from ralph_wiggum.adapters.servers.surroundings import SetUp
from ralph_wiggum.core.evidence import Gate
from ralph_wiggum.core.servers.standing import Health, Standing
from ralph_wiggum.core.settings import Ready, ServerSettings
from ralph_wiggum.ports import Watcher
from tests.adapters.process_harness import is_alive, noted, wait_until

PROGRAMS = Path(__file__).parent / "programs"
CHECKOUT = Path(__file__).resolve().parents[3]
GIVEN: set[int] = set()


def dummy(port: int | str, *words: str) -> str:
    """Return a shell command that runs the throwaway server."""
    program = shlex.join([sys.executable, "-S", str(PROGRAMS / "dummy.py")])
    return f"exec {program} {port} {shlex.join(words)}"


def new_port() -> int:
    """Return a free port that no other test of this process was given."""
    port = free_port(GIVEN)
    GIVEN.add(port)
    return port


def no_set_up(_server: ServerSettings, _kept: KeptProcess, _watcher: Watcher) -> None:
    return None


@dataclass
class Waiting:
    """A watcher that asks for the end once `stop` says so."""

    stop: Callable[[], str | None] = lambda: None
    on_tick: Callable[[], object] = lambda: None
    ticks: list[float] = field(default_factory=list)

    def output(self, text: str) -> None:
        pass

    def tick(self) -> None:
        self.ticks.append(time.monotonic())
        self.on_tick()

    def stop_reason(self) -> str | None:
        return self.stop()


@dataclass
class Lab:
    """A project folder whose servers carry a mark of their own."""

    root: Path
    run_id: str
    sets: list[ServerSet] = field(default_factory=list)

    def server(
        self, command: str, port: int = 0, *, name: str = "web", ready: Ready | None = None, **more: object
    ) -> ServerSettings:
        """Return settings that are patient enough for a loaded machine."""
        given = {
            "name": name,
            "command": command,
            "ready": ready or Ready(url=f"http://localhost:{port}/"),
            "attempts": 200,
            "interval": 0.1,
            "request_timeout": 5.0,
            **more,
        }
        return ServerSettings(**given)  # type: ignore[arg-type]

    def set(
        self,
        *servers: ServerSettings,
        set_up: SetUp = no_set_up,
        health_check: bool = True,
        restart: bool = True,
        env: Mapping[str, str] | None = None,
        clock: SystemClock | None = None,
    ) -> ServerSet:
        made = ServerSet(
            servers,
            self.root,
            self.root / ".ralph/demo/logs",
            self.run_id,
            clock or SystemClock(),
            {**os.environ, **(env or {})},
            set_up=set_up,
            health_check=health_check,
            restart=restart,
        )
        self.sets.append(made)
        return made

    def ensure(self, servers: ServerSet, tree: str = "") -> Gate:
        """Bring the servers up; return the first gate."""
        return servers.ensure(Waiting(), tree=tree)[0]

    def log(self, name: str = "web") -> str:
        return (self.root / f".ralph/demo/logs/{name}.log").read_text()

    def alive(self) -> Sequence[int]:
        return sorted(system_table().marked({self.run_id}, below=True))


def tend_until(servers: ServerSet, condition: Callable[[], object], seconds: float = 30.0) -> list[str]:
    """Look after the servers until something holds; return what was told meanwhile."""
    told: list[str] = []

    def holds() -> object:
        told.extend(servers.tend())
        return condition()

    wait_until(holds, seconds)
    return told


def health(servers: ServerSet, index: int = 0) -> Health:
    return servers.standings[index].health


def only(servers: ServerSet) -> Standing:
    (standing,) = servers.standings
    return standing


def answers(port: int, host: str = "127.0.0.1") -> bool:
    """Say whether something takes connections there, for a moment perhaps even after its process has ended."""
    try:
        with socket.create_connection((host, port), 1) as line:
            return bool(line.getsockname() != line.getpeername())  # a connection to itself is nobody
    except OSError:
        return False


def page(port: int) -> str:
    """Return what a throwaway server answers with."""
    with socket.create_connection(("127.0.0.1", port), 10) as line:
        line.sendall(b"GET / HTTP/1.0\r\n\r\n")
        data = b""
        while piece := line.recv(65536):
            data += piece
    return data.partition(b"\r\n\r\n")[2].decode()


@contextmanager
def somebody(
    command: str, port: int, *, host: str = "127.0.0.1", cwd: Path | None = None, mark: str = ""
) -> Iterator[int]:
    """Run a server that is none of ours, with a mark in RALPH_RUN_ID or without; yield its pid."""
    env = {name: value for name, value in os.environ.items() if name != MARK} | ({MARK: mark} if mark else {})
    process = subprocess.Popen(["sh", "-c", command], env=env, cwd=cwd, stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: answers(port, host), 30)
        yield process.pid
    finally:
        process.kill()
        process.wait()


__all__ = ["is_alive", "noted", "wait_until"]
