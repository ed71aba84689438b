"""Lines of an agent's standard output -> what to show of each, and in the end what was heard."""

from __future__ import annotations

from dataclasses import replace

from ralph_wiggum.core.dialects import fields
from ralph_wiggum.core.dialects.heard import MESSAGE_LIMIT, Dialect, End, Heard, Transcript
from ralph_wiggum.core.evidence import Usage
from ralph_wiggum.core.terminal import clean


class Reader:
    """Hears one attempt, line after line, and never fails: torn, foreign and unknown lines are read over.

    A line that is no event is shown. Where no line at all is one (the program was told to print text, or another one
    stands in its place), the lines are the message, as in dialect text.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._transcript = Transcript()
        self._events = False
        self._foreign = End(MESSAGE_LIMIT)

    def hear(self, line: bytes) -> str:
        """Take one line, with or without its end, and return what a person is shown of it: clean, or "".

        Takes memory and time in proportion to the line; what is kept of it is bounded. What comes after `looped` is
        not heard: it would be more of the same.
        """
        if self.looped:
            return ""
        text = line.decode("utf-8", errors="replace").strip("\r\n\ufeff")
        event = fields.event(text.strip())
        if event is None:
            self._hear_foreign(text)
        else:
            self._events = True
            self._dialect(event, self._transcript)
        return self._transcript.take_shown()

    def heard(self) -> Heard:
        """Return what was heard so far."""
        heard = self._transcript.heard()
        return heard if self._events else replace(heard, message=clean(self._foreign.text()), completed=None)

    @property
    def looped(self) -> bool:
        """Say whether the agent asks its provider for ever and will not end by itself."""
        return self._transcript.looped

    @property
    def turns(self) -> int:
        """Return how often the model used a tool so far."""
        return self._transcript.turns

    @property
    def usage(self) -> Usage | None:
        """Return what the agent told of its use so far; most tell it at the end."""
        return self._transcript.usage

    @property
    def settled(self) -> bool:
        """Say whether the event that ends every run came last: nothing is to be waited for but the process."""
        return self._transcript.completed

    def _hear_foreign(self, text: str) -> None:
        if not self._events:
            self._foreign.add(f"{text[-MESSAGE_LIMIT:]}\n")
        self._transcript.shows(text)
