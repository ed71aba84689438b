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
    """Asked again and again in a wait, says whether the network came back: a look saw it gone, and a later one there.

    An agent that says offline while its hosts answer (a certificate, a proxy) has something else, which a look cannot
    see: then it never says yes, as without hosts. A connection is opened and closed, nothing is sent. The child of a
    look ends with `close`, or by itself after some seconds.
    """

    def __init__(self, hosts: Sequence[str], port: int = PORT, *, between: float = LOOK_SECONDS) -> None:
        self._argv = [sys.executable, "-I", "-S", "-c", _SCRIPT, str(port), *hosts]
        self._hosts = tuple(hosts)
        self._between = between
        self._child: subprocess.Popen[bytes] | None = None
        self._was_gone = False
        self._began = float("-inf")

    def __call__(self) -> bool:
        """Return whether the network was seen to be back since the last call."""
        now = time.monotonic()
        if self._child is not None:
            code = self._child.poll()
            if code is None and now - self._began > PATIENCE_SECONDS:
                self.close()
                self._was_gone = True
            elif code is not None:
                self._child = None
                self._was_gone = self._was_gone or code != 0
                return self._was_gone and code == 0
        elif self._hosts and now - self._began >= self._between:
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
