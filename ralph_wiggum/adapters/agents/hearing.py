"""Between the standard output of an agent and what is kept of it: its lines, understood as structured events."""

from __future__ import annotations

from ralph_wiggum.adapters.capture import MIB, Capture, Stream
from ralph_wiggum.core.dialects.heard import Heard
from ralph_wiggum.core.dialects.reader import Reader

LINE_BYTES = 16 * MIB  # a tool's output of megabytes stands in one line; what is longer is left out


class Lines:
    """Cuts bytes into lines; one of more than `limit` bytes is left out and counted. Holds `limit` bytes at most."""

    def __init__(self, limit: int = LINE_BYTES) -> None:
        self.left_out = 0
        self._limit = limit
        self._begun = bytearray()
        self._skipping = False

    def feed(self, data: bytes) -> list[bytes]:
        """Take more bytes and return the lines that ended in them, without their ends."""
        *ended, rest = data.split(b"\n")
        lines = [line for piece in ended if (line := self._end(piece)) is not None]
        self._begin(rest)
        return lines

    def rest(self) -> bytes:
        """Return the line that has not ended, and forget it."""
        rest = bytes(self._begun)
        self._begun.clear()
        return rest

    def _end(self, piece: bytes) -> bytes | None:
        if not self._begun and not self._skipping and len(piece) <= self._limit:
            return piece
        self._begin(piece)
        skipped, self._skipping = self._skipping, False
        return None if skipped else self.rest()

    def _begin(self, piece: bytes) -> None:
        if self._skipping:
            return
        if len(self._begun) + len(piece) > self._limit:
            self._begun = bytearray()  # clear() may keep the memory
            self._skipping = True
            self.left_out += 1
            return
        self._begun += piece


class Hearing:
    """Pours a pipe into a capture and its lines into a reader: the log gets what came, a person reads what it means."""

    def __init__(self, capture: Capture, reader: Reader, lines: Lines | None = None) -> None:
        self._capture = capture
        self._reader = reader
        self._lines = lines or Lines()
        self.gave_up = False

    def add(self, data: bytes, stream: Stream) -> None:
        """Take bytes that the agent printed."""
        said = "".join(map(self._reader.hear, self._lines.feed(data)))
        self._capture.add(data, stream, readable=said.encode("utf-8", errors="replace"))

    def settle(self) -> None:
        """Show what has been held back."""
        self._capture.settle()

    def hopeless(self) -> bool:
        """Say whether the agent asks its provider for ever; the attempt then ends, and `gave_up` is set."""
        self.gave_up = self.gave_up or self._reader.looped
        return self.gave_up

    def finish(self) -> Heard:
        """Take in a last line without an end, and return what was heard."""
        if rest := self._lines.rest():
            said = self._reader.hear(rest)
            self._capture.add(b"", Stream.STDOUT, readable=said.encode("utf-8", errors="replace"))
        return self._reader.heard()

    @property
    def note(self) -> str:
        """Return what the log has to say of lines that were left out, or ""."""
        count = self._lines.left_out
        lines = f"{count} lines were" if count > 1 else "1 line was"
        return f"{lines} longer than {LINE_BYTES // MIB} MiB and not understood" if count else ""
