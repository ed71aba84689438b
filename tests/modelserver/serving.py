"""The server as a whole: it listens on 127.0.0.1, keeps the log of requests, and leaves nothing behind when it ends."""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.modelserver import refusals
from tests.modelserver.front import Handler, Request, shortened
from tests.modelserver.scenario import Scenario, parse, prefix
from tests.modelserver.visits import Visits

HOST = "127.0.0.1"
PROMPT_LIMIT = 300  # characters of a prompt in the log on disk


class Server(ThreadingHTTPServer):
    """A model server. `requests` are those for a model so far, oldest first; `log` a file for one JSON line of each.

    Raises UnknownScenarioError for a scenario that is not there, OSError for a port that is taken.
    """

    daemon_threads = False  # so that server_close waits for them
    request_queue_size = 64

    def __init__(self, port: int = 0, *, log: Path | None = None, scenario: str = "ok") -> None:
        self.scenario: Scenario = parse(scenario)
        self.visits = Visits()
        self.requests: list[Request] = []
        self.stopping = threading.Event()
        self._log = log
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        super().__init__((HOST, port), Handler)

    @property
    def address(self) -> str:
        """Return the address without any scenario."""
        return f"http://{HOST}:{self.port}"

    @property
    def port(self) -> int:
        """Return the port that it listens on."""
        return int(self.server_address[1])

    def url(self, mode: str, **parameters: object) -> str:
        """Return the base address of a scenario, to which clients add their own path.

        Raises UnknownScenarioError for a mode or a parameter that is not there.
        """
        return self.address + prefix(mode, **parameters)

    def note(self, request: Request) -> None:
        """Keep a request in the log."""
        with self._lock:
            self.requests.append(request)
            if self._log:
                row = asdict(shortened(request, PROMPT_LIMIT)) | {"at": refusals.stamp(request.at)}
                with self._log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember a connection, so that `server_close` can end those that are kept open."""
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection that ended."""
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Raise what a handler does not expect; a client that goes away between two requests is nothing."""
        if not isinstance(sys.exception(), OSError):
            raise  # noqa: PLE0704 - socketserver calls this from its except clause

    def server_close(self) -> None:
        """End every wait and every connection, then wait for the threads."""
        self.stopping.set()
        with self._lock:
            open_now = list(self._connections)
        for connection in open_now:
            with suppress(OSError):  # it ended meanwhile
                connection.shutdown(socket.SHUT_RDWR)
        super().server_close()


@contextmanager
def serving(port: int = 0, *, log: Path | None = None, scenario: str = "ok") -> Iterator[Server]:
    """Serve in the background; at the end no thread and no socket is left. Raises as `Server` does."""
    with Server(port, log=log, scenario=scenario) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.stopping.set()
            server.shutdown()
            thread.join()
