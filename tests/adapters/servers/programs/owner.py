"""A throwaway runner of servers, to be killed: owner.py ROOT RUN_ID PORT COMMAND; prints its gate, then tends."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from ralph_wiggum.adapters.clock import SystemClock
from ralph_wiggum.adapters.servers.server_set import ServerSet
from ralph_wiggum.core.settings import Ready, ServerSettings


class Silent:
    def output(self, text: str) -> None:
        pass

    def tick(self) -> None:
        pass

    def stop_reason(self) -> None:
        return None


root, run_id, port, command = sys.argv[1:]
settings = ServerSettings(name="web", command=command, ready=Ready(url=f"http://localhost:{port}/"))
servers = ServerSet(
    [settings],
    Path(root),
    Path(root, ".ralph/demo/logs"),
    run_id,
    SystemClock(),
    os.environ,
    set_up=lambda _server, _kept, _watcher: None,
)
print(servers.ensure(Silent())[0].reason, flush=True)
while True:
    servers.tend()
    time.sleep(0.05)
