"""Whether the network is back: a look that never holds up the loop (B1: offline waits for the network)."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

LOOK_SECONDS = 15.0  # between two looks
PATIENCE_SECONDS = 10.0  # that one look may take: a resolver that hangs is not back
PORT = 443

# A child, because asking for a name may block for minutes, and nothing in the standard library does it otherwise.
_SCRIPT = """
import socket, sys
for host in sys.argv[2:]:
    try:
        socket.create_connection((host, int(sys.argv[1])), timeout=5).close()
    except OSError:
        continue
    sys.exit(0)
sys.exit(1)
"""


class NetworkLook:
    """Asked again and again in a wait, says whether one of the hosts takes a connection; False while nobody knows.

    A connection is opened and closed, nothing is sent. Without hosts it never says yes. The child of a look ends with
    `close`, or by itself after some seconds.
    """

    def __init__(self, hosts: Sequence[str], port: int = PORT) -> None:
        self._argv = [sys.executable, "-I", "-S", "-c", _SCRIPT, str(port), *hosts]
        self._hosts = tuple(hosts)
        self._child: subprocess.Popen[bytes] | None = None
        self._began = float("-inf")

    def __call__(self) -> bool:
        """Return whether a connection could be made since the last call."""
        now = time.monotonic()
        if self._child is not None:
            code = self._child.poll()
            if code is None and now - self._began > PATIENCE_SECONDS:
                self.close()
            elif code is not None:
                self._child = None
                return code == 0
        elif self._hosts and now - self._began >= LOOK_SECONDS:
            self._began = now
            with suppress(OSError):
                self._child = subprocess.Popen(
                    self._argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                )
        return False

    def close(self) -> None:
        """End a look that is still going on."""
        child, self._child = self._child, None
        if child is not None:
            with suppress(OSError):
                child.kill()
            child.wait()
