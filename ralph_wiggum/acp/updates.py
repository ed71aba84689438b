"""What the agent tells of its work while a turn lasts (session/update) -> events.

Read by hand and not by the library's types: an update of a later version, or one that a program fills badly, must not
get lost whole. https://agentclientprotocol.com/protocol/schema#sessionupdate
"""

from __future__ import annotations

from ralph_wiggum.acp.events import TEXT_LIMIT, Events
from ralph_wiggum.acp.figures import Figures
from ralph_wiggum.acp.tools import NAME, brief, given, words
from ralph_wiggum.core.dialects import fields
from ralph_wiggum.core.dialects.fields import Event

COPILOT = "Copilot"  # what it calls itself
_OF_ITSELF = ("Info: ", "Error: ")  # how it begins a message of its own (1.0.102); the model's come in small pieces
_PAST = frozenset({"user_message_chunk", "agent_message_chunk", "tool_call"})  # of a session that is told anew
TOOLS = 1000  # uses of tools that are remembered, the latest
ENTRIES = 100  # of a plan
PIECE = 1 << 18  # characters of a text in one event: its line stays far below what is read of a line
_DONE = {"completed": "x", "in_progress": ">"}


class Updates:
    """Hears updates and prints what they mean; before `listening` nothing counts: a loaded session is told anew.

    `replayed`: something of a session's past was told. `agent` is what the agent calls itself. `failure` is the error
    that it said as a message, if that was its last one: Copilot ends such a turn as if all were well.
    """

    def __init__(self, events: Events, *, resumed: bool = False) -> None:
        self.listening = False
        self.replayed = False
        self.agent = ""
        self.failure = ""
        self._events = events
        self._tools: dict[str, dict[str, object]] = {}
        self._figures = Figures(resumed=resumed)

    def hear(self, notification: Event) -> None:
        """Take one notification."""
        update = fields.mapping(notification, "update")
        kind = fields.text(update, "sessionUpdate")
        self._figures.hear(update, kind, before=not self.listening)
        if not self.listening:
            self.replayed = self.replayed or kind in _PAST
            return
        content = fields.mapping(update, "content")
        match kind:
            case "agent_message_chunk":
                self._says(content, fields.text(update, "messageId"))
            case "agent_thought_chunk":
                self._events.put("thought", text=fields.text(content, "text")[:TEXT_LIMIT])
            case "tool_call" | "tool_call_update":
                self._uses(update)
            case "plan":
                entries = fields.items(update, "entries")[:ENTRIES]
                self._events.put("plan", entries=[_entry(fields.mapping(each)) for each in entries])
        if self._figures.news:
            self._events.put("usage", **self._figures.so_far())

    def known(self, tool: Event) -> Event:
        """Return a use of a tool with all that was told of it so far."""
        number = fields.text(tool, "toolCallId")[:NAME]
        told = self._tools.pop(number, {}) | brief(tool)
        self._tools[number] = told
        if len(self._tools) > TOOLS:
            del self._tools[next(iter(self._tools))]
        return told

    def ends(self, answer: Event) -> None:
        """Take the answer to the prompt: it may hold what the turn used."""
        self._figures.conclude(answer)
        if self._figures.news:
            self._events.put("usage", **self._figures.so_far())

    def _says(self, content: Event, message: str) -> None:
        text = fields.text(content, "text") or fields.text(content, "uri")
        own = self.agent == COPILOT and text.startswith(_OF_ITSELF)
        self.failure = text.removeprefix("Error: ").strip() if own and text.startswith("Error: ") else ""
        if own and not self.failure:
            self._events.put("retry", text=text.removeprefix("Info: "))
        for start in range(0, 0 if own and not self.failure else len(text), PIECE):
            piece = text[start : start + PIECE]
            self._events.put("text", text=piece, message=f"{message}/own" if own else message)

    def _uses(self, update: Event) -> None:
        """Show a use of a tool when it begins, and again when it is known what it is called with."""
        self.failure = ""
        number = fields.text(update, "toolCallId")
        known = self._tools.get(number)
        before = None if known is None else given(known)
        tool = self.known(update)
        if before is None or (not before and given(tool)):
            name, doing = words(tool)
            self._events.put("tool" if before is None else "tool_given", name=name, doing=doing)


def _entry(entry: Event) -> str:
    return f"[{_DONE.get(fields.text(entry, 'status'), ' ')}] {fields.text(entry, 'content')[:TEXT_LIMIT]}"
