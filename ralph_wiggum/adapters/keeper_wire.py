"""How the runner and its keeper talk: JSON messages, each after its length, with descriptors beside them.

A stream rather than datagrams: an environment may be larger than a datagram, and macOS has no SOCK_SEQPACKET here.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from collections.abc import Mapping, Sequence
from typing import Any

_LENGTH = struct.Struct("!I")
_CHUNK = 1 << 16
_MOST_DESCRIPTORS = 16
_CLOEXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)

Message = dict[str, Any]


class Channel:
    """One end of the line. `closed` once the other side is gone."""

    def __init__(self, line: socket.socket) -> None:
        line.setblocking(False)
        self._line = line
        self._in = bytearray()
        self._out = bytearray()
        self._descriptors: list[int] = []
        self.closed = False

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._line.fileno()

    @property
    def unsent(self) -> bool:
        """Say whether posted messages still wait to be flushed."""
        return bool(self._out)

    def send(self, message: Mapping[str, Any], descriptors: Sequence[int] = (), *, seconds: float = 10.0) -> None:
        """Send a message with descriptors, waiting up to `seconds` for room; marks the channel closed on failure."""
        data = _packed(message)
        try:
            self._line.settimeout(seconds)
            sent = socket.send_fds(self._line, [data], list(descriptors)) if descriptors else 0
            self._line.sendall(data[sent:])
            self._line.setblocking(False)
        except OSError:  # closed, reset or, after the time-out, hanging
            self.closed = True

    def post(self, message: Mapping[str, Any]) -> None:
        """Queue a message and send what goes without waiting."""
        self._out += _packed(message)
        self.flush()

    def flush(self) -> None:
        """Send as much of what is queued as goes without waiting."""
        try:
            while self._out:
                del self._out[: self._line.send(self._out)]
        except BlockingIOError:
            return
        except OSError:
            self._out.clear()  # the end shows up in `receive`

    def receive(self) -> list[Message]:
        """Return the messages that have come, without waiting."""
        try:
            while not self.closed:
                data, descriptors, _, _ = socket.recv_fds(self._line, _CHUNK, _MOST_DESCRIPTORS, _CLOEXEC)
                for descriptor in descriptors:
                    os.set_inheritable(descriptor, False)
                self._descriptors += descriptors
                self._in += data
                self.closed = not data
        except BlockingIOError:
            pass
        except OSError:
            self.closed = True
        return self._unpacked()

    def take(self, count: int) -> list[int]:
        """Return the next descriptors that came; they belong to the caller."""
        taken, self._descriptors = self._descriptors[:count], self._descriptors[count:]
        return taken

    def close(self) -> None:
        """Hang up."""
        self.closed = True
        self._line.close()

    def _unpacked(self) -> list[Message]:
        messages: list[Message] = []
        while len(self._in) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(self._in)[0]
            if len(self._in) < end:
                break
            messages.append(json.loads(self._in[_LENGTH.size : end]))
            del self._in[:end]
        return messages


def _packed(message: Mapping[str, Any]) -> bytes:
    body = json.dumps(message).encode()  # lone surrogates (file names that are no UTF-8) travel as \udcXX
    return _LENGTH.pack(len(body)) + body
