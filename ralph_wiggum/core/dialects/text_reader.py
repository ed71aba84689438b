"""Lines of agents that print text for people, not events -> what to show of each, and in the end what was heard."""

from __future__ import annotations

from typing import Protocol

from ralph_wiggum.core.dialects.heard import MESSAGE_LIMIT, Heard, Transcript
from ralph_wiggum.core.evidence import Usage
from ralph_wiggum.core.terminal import clean


class TextDialect(Protocol):
    """How one program prints, line after line; it remembers where in its output it is, in bounded memory."""

    @property
    def settled(self) -> bool:
        """Say whether the line that ends every run was the last."""
        ...

    def hear(self, line: str, transcript: Transcript) -> None:
        """Take one line, without its end and clean, at most MESSAGE_LIMIT characters."""
        ...

    def finish(self, report: bytes, transcript: Transcript) -> Heard:
        """Return what all of it comes to; `report` is what the program left in its report file, b"" if nothing."""
        ...


class TextReader:
    """Hears one attempt, line after line, and never fails; as Reader does for events."""

    def __init__(self, dialect: TextDialect) -> None:
        self._dialect = dialect
        self._transcript = Transcript()
        self._report = b""

    def hear(self, line: bytes) -> str:
        """Take one line, with or without its end, and return what a person is shown of it: clean, or ""."""
        text = line[-4 * MESSAGE_LIMIT :].decode("utf-8", errors="replace").strip("\r\n\ufeff")
        self._dialect.hear(clean(text)[-MESSAGE_LIMIT:], self._transcript)
        return self._transcript.take_shown()

    def reads(self, report: bytes) -> None:
        """Take the report that the program left, which tells more than its text; any bytes will do."""
        self._report = report

    def heard(self) -> Heard:
        """Return what was heard; to be asked once, at the end."""
        return self._dialect.finish(self._report, self._transcript)

    @property
    def looped(self) -> bool:
        """Say whether the agent asks its provider for ever and will not end by itself."""
        return self._transcript.looped

    @property
    def turns(self) -> int:
        """Return how often the model answered so far."""
        return self._transcript.turns

    @property
    def usage(self) -> Usage | None:
        """Return what the agent told of its use so far."""
        return self._transcript.usage

    @property
    def settled(self) -> bool:
        """Say whether the line that ends every run came last: nothing is to be waited for but the process."""
        return self._dialect.settled
