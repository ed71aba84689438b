"""Ask a server whether it is up, one step at a time: raw sockets, so that nobody ever waits, and no proxy is asked.

Every address of the host is asked at once, for a server may listen on one of them only (vite takes ::1 or 127.0.0.1,
whichever the system names first). Of an HTTP answer the status line counts; the rest is read for a moment, since a
server whose client hangs up in the middle fills its log with broken pipes.
"""

from __future__ import annotations

import errno
import os
import select
import socket
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from ralph_wiggum.core.servers.answer import Answer, Kind, no_http, of_status, status_of
from ralph_wiggum.core.servers.target import Target

if TYPE_CHECKING:
    import ssl

REST_SECONDS = 0.2  # for what follows the status line
_REST_BYTES = 1 << 20
_READ_BYTES = 64 << 10
_UNDER_WAY = (errno.EINPROGRESS, errno.EALREADY, errno.EWOULDBLOCK)
_REFUSED = os.strerror(errno.ECONNREFUSED).lower()
_RANK = (Kind.GOOD, Kind.BAD, Kind.SILENT, Kind.ABSENT)

Address = tuple[int, tuple[str, int] | tuple[str, int, int, int]]
Talk = Generator[None, None, Answer]
T = TypeVar("T")


class Question(Protocol):
    """Something that was asked, and is answered sooner or later."""

    def step(self, now: float) -> Answer | None:
        """Do what can be done without waiting at `now` (monotonic seconds); return the answer once it is there."""
        ...

    def close(self) -> None:
        """Ask no further."""
        ...


class Asked:
    """A question whose answer is known at once."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def step(self, _now: float) -> Answer:
        """Return the answer."""
        return self._answer

    def close(self) -> None:
        """Nothing is open."""


class Probe:
    """One question to a server, at all of its addresses; answered within `timeout` seconds."""

    def __init__(
        self,
        target: Target,
        addresses: Sequence[Address],
        *,
        expected: tuple[tuple[int, int], ...],
        timeout: float,
        now: float,
    ) -> None:
        self._end = now + timeout
        self._late = Answer(Kind.SILENT, f"does not answer within {timeout:g} s")
        self._answers: list[Answer] = []
        self._lines = [_Line(target, address, expected) for address in addresses]

    def step(self, now: float) -> Answer | None:
        """Do what can be done without waiting; return the best answer once it is known."""
        for line in tuple(self._lines):
            answer = line.step(now) or (self._late if now >= self._end else None)
            if answer is not None:
                line.close()
                self._lines.remove(line)
                self._answers.append(answer)
        best = min(self._answers, key=_rank, default=None)
        if best is None or (self._lines and not best.good):
            return None
        self.close()
        return best

    def close(self) -> None:
        """Close what is open; may be called again."""
        for line in self._lines:
            line.close()
        self._lines.clear()


class _Line:
    """One connection to one address."""

    def __init__(self, target: Target, address: Address, expected: tuple[tuple[int, int], ...]) -> None:
        self._socket: socket.socket | ssl.SSLSocket | None = None
        self._waits: tuple[type[OSError], ...] = (BlockingIOError,)
        self._now = 0.0
        self._talk = self._whole(target, address, expected)

    def step(self, now: float) -> Answer | None:
        self._now = now
        try:
            next(self._talk)
        except StopIteration as stop:
            answer: Answer = stop.value
            return answer
        except OSError as error:
            return _failed(error)
        return None

    def close(self) -> None:
        self._talk.close()
        if self._socket is not None:
            self._socket.close()

    def _whole(self, target: Target, address: Address, expected: tuple[tuple[int, int], ...]) -> Talk:
        line = self._socket = socket.socket(address[0], socket.SOCK_STREAM)
        line.setblocking(False)
        code = line.connect_ex(address[1])
        while code in _UNDER_WAY:
            yield
            code = line.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) if _writable(line) else code
        if code:
            raise OSError(code, os.strerror(code))
        if line.getsockname() == line.getpeername():
            # A connection to a free port of the range that clients get theirs from may meet itself (RFC 9293, 3.5).
            raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        if not target.scheme:
            return Answer(Kind.GOOD, "takes connections")
        if target.scheme == "https":
            answer = yield from self._handshake(line, target.host)
            if answer.kind is not Kind.GOOD:
                return answer
        return (yield from self._exchange(target.request, expected))

    def _handshake(self, line: socket.socket, host: str) -> Talk:
        import ssl  # noqa: PLC0415 - 12 ms, and most servers under development speak plain HTTP

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # a server under development has a certificate that nobody signed
        secure = context.wrap_socket(line, server_hostname=host, do_handshake_on_connect=False)
        self._socket = secure
        self._waits = (ssl.SSLWantReadError, ssl.SSLWantWriteError)
        try:
            while not self._try(partial(_shake_hands, secure)):
                yield
        except ssl.SSLError as error:
            return Answer(Kind.BAD, f"does not speak TLS as https needs it ({error.reason or error})")
        return Answer(Kind.GOOD)

    def _exchange(self, request: bytes, expected: tuple[tuple[int, int], ...]) -> Talk:
        while request:
            sent = self._try(partial(self._line.send, request))
            if sent is None:
                yield
            request = request[sent or 0 :]
        data = b""
        while True:
            piece = self._try(partial(self._line.recv, _READ_BYTES))
            if piece is None:
                yield
                continue
            if not piece:
                words = "closes the connection in the middle" if data else "closes the connection without an answer"
                return Answer(Kind.SILENT, words)
            data += piece
            try:
                status = status_of(data)
            except ValueError:
                return no_http(data)
            if status is not None:
                yield from self._hear_out()
                return of_status(status, expected)

    def _hear_out(self) -> Generator[None, None, None]:
        end, room = self._now + REST_SECONDS, _REST_BYTES
        with suppress(OSError):  # the answer is known, whatever happens to its rest
            while self._now < end and room > 0:
                piece = self._try(partial(self._line.recv, _READ_BYTES))
                if piece is None:
                    yield
                elif piece:
                    room -= len(piece)
                else:
                    return

    @property
    def _line(self) -> socket.socket:
        if self._socket is None:
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        return self._socket

    def _try(self, act: Callable[[], T]) -> T | None:
        """Return what an operation gave, None where it would have to wait."""
        try:
            return act()
        except self._waits:
            return None


def _shake_hands(line: ssl.SSLSocket) -> bool:
    line.do_handshake()
    return True


def _rank(answer: Answer) -> tuple[int, bool]:
    """Say how telling an answer is: of two addresses without anybody, the one that this machine has at all."""
    return _RANK.index(answer.kind), answer.words != _REFUSED


def _writable(line: socket.socket) -> bool:
    poll = select.poll()  # select() knows no descriptor above 1023
    poll.register(line, select.POLLOUT)
    return bool(poll.poll(0))


def _failed(error: OSError) -> Answer:
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return Answer(Kind.SILENT, "closes the connection without an answer")
    if error.errno == errno.ETIMEDOUT:
        return Answer(Kind.SILENT, "does not answer")
    return Answer(Kind.ABSENT, (error.strerror or str(error)).lower())
