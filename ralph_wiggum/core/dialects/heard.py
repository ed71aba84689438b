"""What was heard of an agent: collected event by event while it runs, and as one value at its end."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from ralph_wiggum.core.dialects import fields
from ralph_wiggum.core.dialects.fields import Event
from ralph_wiggum.core.evidence import Notice, Usage
from ralph_wiggum.core.outside_text import plain
from ralph_wiggum.core.terminal import clean

MESSAGE_LIMIT = 64 * 1024  # characters of a final message that are kept: its end
SHOWN_LIMIT = 8 * 1024  # characters of one event that are shown
NOTICES = 32  # the latest
DENIED = 20
WORDS = 200  # characters of what is one line


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What an agent said through its events.

    `message` is the final message of the assistant, its end: of a run that went on to use a tool and said no more, it
    ends with a line that says so, for then it was not final (O16). `completed`: the event that ends every run was seen;
    None where there was no event at all, and `message` is what was printed. `flagged`: that event says error. The
    others are fields of AgentOutcome; `notices` are oldest first.
    """

    message: str = ""
    completed: bool | None = None
    flagged: bool = False
    notices: tuple[Notice, ...] = ()
    denied: tuple[str, ...] = ()
    usage: Usage | None = None
    session: str = ""


class End:
    """The last characters of a text that comes in pieces, at most `limit`; two copies of each at most."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pieces: list[str] = []
        self._length = 0

    def add(self, piece: str) -> None:
        """Take more text; what is older than `limit` characters is forgotten."""
        piece = piece[-self._limit :]
        self._pieces.append(piece)
        self._length += len(piece)
        if self._length > 2 * self._limit or len(self._pieces) > self._limit:
            self.set(self.text())

    def set(self, text: str) -> None:
        """Take a text in place of all that came."""
        self._pieces = [text[-self._limit :]]
        self._length = len(self._pieces[0])

    def text(self) -> str:
        """Return what is kept."""
        return "".join(self._pieces)[-self._limit :]


class Transcript:
    """Collects what a dialect understands of each event. Bounded, however much comes.

    A text belongs to the message that is open if it has the same `message` id (or neither has one); anything else
    begins another. What the model says or does after a notice makes that stale: the provider served again. `looped`:
    the agent asks its provider for ever and will not end by itself. `turns` counts the uses of tools, those of
    sub-agents too.
    """

    def __init__(self) -> None:
        self.session = ""
        self.completed = False
        self.flagged = False
        self.looped = False
        self.turns = 0
        self.broken = 0  # steps in a row whose stream broke off
        self.usage: Usage | None = None
        self._message = End(MESSAGE_LIMIT)
        self._id = ""
        self._open = False  # more of the same message may come
        self._used = ""  # the tool that was used after the message
        self._notices: deque[Notice] = deque(maxlen=NOTICES)
        self._denied: list[str] = []
        self._shown: list[str] = []
        self._mid_line = False  # what was shown last did not end its line

    def says(self, text: str, *, message: str = "", whole: bool = False) -> None:
        """Take a text of the model. `whole`: if pieces of this message came before, it stands in their place."""
        if not text.strip():
            return
        self.answers()
        same = self._open and message == self._id
        if same and message and not whole:
            self._message.add(f"\n{text}")
        else:
            self._message.set(text)
        self._id, self._open, self._used = message, True, ""
        if not (same and whole):
            self.shows(text)
        elif self._mid_line:
            self._put("\n")

    def streams(self, piece: str, *, message: str = "") -> None:
        """Take a piece of a text of the model; pieces are put together as they are."""
        if not piece:
            return
        self.answers()
        if not (self._open and message == self._id):
            self._message.set("")
        self._message.add(piece)
        self._id, self._open, self._used = message, True, ""
        self._put(clean(piece[-SHOWN_LIMIT:]))

    def answers(self) -> None:
        """Take notice that the model did something, whatever it was."""
        self.goes_on()
        for index, notice in enumerate(self._notices):
            if not notice.stale:
                self._notices[index] = replace(notice, stale=True, final=False)

    def ends_message(self) -> None:
        """Close the message: what the model says next is another."""
        self._open = False

    def uses(self, tool: str, arguments: object = "", *, below: bool = False) -> None:
        """Take a use of a tool by the model; `below`: by a sub-agent, which has no part in the message."""
        self.answers()
        self.turns += 1
        used = call(tool, arguments)
        if not below:
            self._open, self._used = False, used
        self.shows(f"  {used}" if below else used)

    def tool_failed(self, words: str) -> None:
        """Take notice that the tool that was used last did not succeed; `words` say how."""
        self.shows(f"  failed: {plain(words[:SHOWN_LIMIT], WORDS) or 'no reason was told'}")

    def concludes(self, text: str) -> None:
        """Take the final message as the event that ends the run repeats it; blank where the last turn had no text."""
        if text.strip():
            self._message.set(text)
            self._used = ""

    def shows(self, text: str) -> None:
        """Show a text on lines of its own."""
        if text:
            self._put(("\n" if self._mid_line else "") + clean(text[-SHOWN_LIMIT:]).rstrip("\n") + "\n")

    def goes_on(self) -> None:
        """Take back the end: more came after it."""
        self.completed = self.flagged = False

    def notes(self, notice: Notice) -> None:
        """Take what the provider said. The same words again add to the notice that is there already."""
        last = self._notices[-1] if self._notices else None
        if last is not None and not last.stale and last.text == notice.text:
            self._notices[-1] = Notice(
                kind=notice.kind or last.kind,
                status=notice.status or last.status,
                text=last.text,
                resets_at=notice.resets_at or last.resets_at,
                retry_after=notice.retry_after or last.retry_after,
                final=notice.final or last.final,
            )
            return
        self._notices.append(notice)
        status = f" {notice.status}" if notice.status else ""
        self.shows(f"[{notice.kind or 'error'}{status}] {notice.text}")

    def ends(self, *, flagged: bool) -> None:
        """Take the event that ends a run; one that goes on afterwards has not ended."""
        self.completed, self.flagged = True, flagged
        if self._mid_line:
            self._put("\n")

    def denies(self, tool: str, arguments: object = "") -> None:
        """Take a tool that the agent's own rules refused."""
        self._denies(call(tool, arguments))

    def denies_last(self) -> None:
        """Take the refusal of the tool that was used last, where the event does not name it."""
        self._denies(self._used or "a tool")

    def _denies(self, refused: str) -> None:
        if refused not in self._denied and len(self._denied) < DENIED:
            self._denied.append(refused)

    def standing(self) -> Notice | None:
        """Return the latest notice, if the model has not answered since."""
        last = self._notices[-1] if self._notices else None
        return last if last is not None and not last.stale else None

    def take_shown(self) -> str:
        """Return what is to be shown since the last call, clean."""
        shown = "".join(self._shown)
        self._shown.clear()
        return shown

    def heard(self) -> Heard:
        """Return what was heard so far as a value."""
        message = clean(self._message.text())
        if message and self._used:
            message = f"{message.rstrip()}\n\n(it went on with {self._used})"
        return Heard(
            message=message,
            completed=self.completed,
            flagged=self.flagged,
            notices=tuple(self._notices),
            denied=tuple(self._denied),
            usage=self.usage,
            session=self.session,
        )

    def _put(self, text: str) -> None:
        if text:
            self._shown.append(text)
            self._mid_line = not text.endswith("\n")


Dialect = Callable[[Event, Transcript], None]


def call(tool: str, arguments: object = "") -> str:
    """Return a use of a tool in one line: its name and what it is called with.

    >>> call("Bash", {"command": "npm test"})
    'Bash: npm test'
    """
    words = fields.doing(arguments)
    name = plain(tool[:WORDS], WORDS) or "a tool"
    return f"{name}: {words}" if words else name
