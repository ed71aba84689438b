"""Between the standard output of an agent and what is kept of it: its lines, understood as structured events."""

from __future__ import annotations

from ralph_wiggum.adapters.capture import MIB, Capture, Stream
from ralph_wiggum.core.dialects.bounds import Bounds, Over
from ralph_wiggum.core.dialects.heard import Heard
from ralph_wiggum.core.dialects.reader import Reader
from ralph_wiggum.core.dialects.text_reader import TextReader

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
    """Pours a pipe into a capture and its lines into a reader: the log gets what came, a person reads what it means.

    `must_end` says why the attempt had to end for what was heard, None while it may go on.
    """

    def __init__(
        self, capture: Capture, reader: Reader | TextReader, lines: Lines | None = None, *, bounds: Bounds | None = None
    ) -> None:
        self._capture = capture
        self._reader = reader
        self._bounds = bounds or Bounds()
        self._lines = lines or Lines()
        self.must_end: Over | None = None

    def add(self, data: bytes, stream: Stream) -> None:
        """Take bytes that the agent printed."""
        said = "".join(map(self._reader.hear, self._lines.feed(data)))
        self._capture.add(data, stream, readable=said.encode("utf-8", errors="replace"))

    def settle(self) -> None:
        """Show what has been held back."""
        self._capture.settle()

    def over(self, quiet: float) -> bool:
        """Say whether the attempt has to end now; `quiet` are the seconds since the agent printed something."""
        reader = self._reader
        self.must_end = self.must_end or self._bounds.over(
            looped=reader.looped, settled=reader.settled, turns=reader.turns, usage=reader.usage, quiet=quiet
        )
        return self.must_end is not None

    def finish(self, report: bytes = b"") -> Heard:
        """Take in a last line without an end and the report that the agent left, and return what was heard."""
        if rest := self._lines.rest():
            said = self._reader.hear(rest)
            self._capture.add(b"", Stream.STDOUT, readable=said.encode("utf-8", errors="replace"))
        if isinstance(self._reader, TextReader):
            self._reader.reads(report)
        return self._reader.heard()

    @property
    def note(self) -> str:
        """Return what the log has to say of lines that were left out, or ""."""
        count = self._lines.left_out
        lines = f"{count} lines were" if count > 1 else "1 line was"
        return f"{lines} longer than {LINE_BYTES // MIB} MiB and not understood" if count else ""
