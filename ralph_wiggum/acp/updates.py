"""What the agent tells of its work while a turn lasts (session/update) -> events.

Read by hand and not by the library's types: an update of a later version, or one that a program fills badly, must not
get lost whole. https://agentclientprotocol.com/protocol/schema#sessionupdate
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from ralph_wiggum.acp.events import TEXT_LIMIT, Events
from ralph_wiggum.core.dialects import fields
from ralph_wiggum.core.dialects.fields import Event

COPILOT = "Copilot"  # what it calls itself
_OF_ITSELF = ("Info: ", "Error: ")  # how it begins a message of its own (1.0.102); the model's come in small pieces
TOOLS = 1000  # uses of tools that are remembered, the latest
_DONE = {"completed": "x", "in_progress": ">"}
_DOING = ("command", "cmd", "file_path", "filePath", "absolute_path", "path", "pattern", "query", "url", "description")


class Updates:
    """Hears updates and prints what they mean; before `listening` nothing counts: a loaded session is told anew.

    `agent` is what the agent calls itself. `failure` is the error that it said as a message, if that was its last one:
    Copilot ends such a turn as if all were well.
    """

    def __init__(self, events: Events) -> None:
        self.listening = False
        self.agent = ""
        self.failure = ""
        self._events = events
        self._tools: dict[str, dict[str, object]] = {}
        self._figures = Figures()

    def hear(self, notification: Event) -> None:
        """Take one notification."""
        update = fields.mapping(notification, "update")
        kind = fields.text(update, "sessionUpdate")
        self._figures.hear(update, kind, before=not self.listening)
        if not self.listening:
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
                self._events.put(
                    "plan", entries=[_entry(fields.mapping(each)) for each in fields.items(update, "entries")]
                )
        if self._figures.news:
            self._events.put("usage", **self._figures.so_far())

    def known(self, tool: Event) -> Event:
        """Return a use of a tool with all that was told of it so far."""
        return self._merged(tool)

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
        elif text:
            self._events.put("text", text=text, message=f"{message}/own" if own else message)

    def _uses(self, update: Event) -> None:
        """Show a use of a tool when it begins, and again when it is known what it is called with."""
        self.failure = ""
        number = fields.text(update, "toolCallId")
        known = self._tools.get(number)
        before = None if known is None else given(known)
        tool = self._merged(update)
        if before is None or (not before and given(tool)):
            name, doing = words(tool)
            self._events.put("tool", name=name, doing=doing)

    def _merged(self, update: Event) -> Event:
        number = fields.text(update, "toolCallId")
        known = self._tools.setdefault(number, {})
        known.update({key: value for key, value in update.items() if value not in (None, {}, []) and key != "_meta"})
        known.pop("rawOutput", None)  # may be megabytes
        while len(self._tools) > TOOLS:
            del self._tools[next(iter(self._tools))]
        return known


def words(tool: Event) -> tuple[str, str]:
    """Return the name of a tool, and what it is called with: the command, the file, or its title."""
    kind, title = fields.text(tool, "kind"), fields.text(tool, "title")
    name = kind if kind not in {"", "other"} else title or "tool"
    places = (fields.text(fields.mapping(place), "path") for place in fields.items(tool, "locations"))
    place = "" if kind == "execute" else next(filter(None, places), "")  # of a command it is where it runs
    doing = given(tool) or place or (title if title != name else "")
    return name, doing[:TEXT_LIMIT]


def given(tool: Event) -> str:
    """Return what a tool was given that says most: the command, the file; "" where that is not told yet."""
    values = fields.mapping(tool, "rawInput")
    command = values.get("command")
    if isinstance(command, list):
        return shlex.join(str(word) for word in command)
    return fields.text(values, *_DOING)


def _entry(entry: Event) -> str:
    return f"[{_DONE.get(fields.text(entry, 'status'), ' ')}] {fields.text(entry, 'content')[:TEXT_LIMIT]}"


class Figures:
    """What this run used: tokens of the turn, and the cost by which the session's grew."""

    def __init__(self) -> None:
        self.news = False
        self._tokens = (0, 0, 0)
        self._cost_before = 0.0
        self._cost: float | None = None

    def so_far(self) -> Mapping[str, object]:
        """Return the figures as the event has them, and take the news as told."""
        self.news = False
        cost = None if self._cost is None else max(0.0, self._cost - self._cost_before)
        return dict(zip(("input_tokens", "output_tokens", "cached_tokens"), self._tokens, strict=True)) | {"cost": cost}

    def hear(self, update: Event, kind: str, *, before: bool) -> None:
        """Take an update: opencode tells the session's cost, qwen what each call of the model used."""
        cost = fields.mapping(update, "cost")
        if kind == "usage_update" and fields.text(cost, "currency").upper() == "USD":
            if before:
                self._cost_before = fields.number(cost, "amount")
            else:
                self._cost, self.news = fields.number(cost, "amount"), True
        used = fields.mapping(update, "_meta", "usage")
        if used and not before:
            self._tokens = tuple(map(sum, zip(self._tokens, tokens(used), strict=True)))  # type: ignore[assignment]  # three
            self.news = True

    def conclude(self, answer: Event) -> None:
        """Take the answer to the prompt; where it holds the whole turn, that stands in the place of the parts."""
        found = fields.mapping(answer, "usage") or fields.mapping(answer, "_meta", "quota", "token_count")
        if found:
            self._tokens, self.news = tokens(found), True


def tokens(used: Event) -> tuple[int, int, int]:
    """Return input (with what was cached), output (with thoughts) and cached tokens.

    The names are those of the protocol, and gemini's. Whether the input holds the cached ones already is told by the
    sum, where there is one.
    """
    given = fields.whole(used, "inputTokens", "input_tokens")
    written = fields.whole(used, "outputTokens", "output_tokens")
    read, stored = fields.whole(used, "cachedReadTokens"), fields.whole(used, "cachedWriteTokens")
    thought = fields.whole(used, "thoughtTokens")
    total = fields.whole(used, "totalTokens")
    if not total or total >= given + written + read + stored:
        given += read + stored
    if not total or total >= given + written + thought:
        written += thought
    return given, written, read
