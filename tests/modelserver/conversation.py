"""What a request says, whichever wire format it came in, and what is answered: the values that all formats share."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

Json = dict[str, Any]

INPUT_TOKENS = 1000  # told with every answer, so that a test can count calls by their cost
OUTPUT_TOKENS = 50
PIECES = 40  # a streamed text comes in at most so many pieces
PIECE = 12  # characters, at least: a signal line is cut in two

# What CLIs put into a user's message on their own: it is not what the person said.
_REMINDERS = re.compile(
    r"<(system-reminder|environment_context|user_instructions|current_datetime|session_context|permissions instructions"
    r"|reminder|skills_instructions|agent_instructions|tools_changed_notice)\b.*?</\1>",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that the client declared, with the JSON schema of its arguments."""

    name: str
    schema: Mapping[str, Any]

    @property
    def properties(self) -> Mapping[str, Any]:
        """Return the schema of each argument by name."""
        found = self.schema.get("properties")
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One request: `results` counts the tool results after the last message of the person (`prompt`).

    `system` is all that stands before it, `result` the last tool result as text, `schema` the JSON schema that the
    answer has to follow, where the client asked for one.
    """

    model: str
    prompt: str
    system: str = ""
    results: int = 0
    result: str = ""
    tools: tuple[Tool, ...] = ()
    streamed: bool = False
    usage: bool = True
    schema: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Say:
    """A text of the model."""

    text: str

    @property
    def pieces(self) -> tuple[str, ...]:
        """Return the text in the pieces in which it is streamed."""
        size = max(PIECE, math.ceil(len(self.text) / PIECES))
        return tuple(self.text[at : at + size] for at in range(0, len(self.text), size)) or ("",)


@dataclass(frozen=True, slots=True)
class Call:
    """A call of one of the client's tools."""

    tool: str
    arguments: Json


Answer = Say | Call


@dataclass(frozen=True, slots=True)
class Stream:
    """A streamed answer as server-sent events: `closing` are those that tell the client that it is over."""

    events: tuple[str, ...]
    closing: tuple[str, ...] = ()


class WireFormat(Protocol):
    """A module for each wire format of a vendor."""

    NAME: str

    def read(self, body: Json, path: str) -> Conversation:
        """Return what a request says; a request that makes no sense gives empty values."""

    def whole(self, answer: Answer, model: str) -> Json:
        """Return the body of an answer that is not streamed."""

    def stream(self, answer: Answer, conversation: Conversation) -> Stream:
        """Return the events of a streamed answer."""


@dataclass(slots=True)
class Reading:
    """Gathers a conversation from its messages, oldest first."""

    before: list[str] = field(default_factory=list)
    prompt: str = ""
    results: int = 0
    result: str = ""

    def person(self, text: str) -> None:
        """Take a message of the person; one that holds reminders of the client alone is not one."""
        said = _REMINDERS.sub("", text).strip()
        if said:
            self.before.append(self.prompt)
            self.prompt, self.results, self.result = said, 0, ""

    def tool(self, content: Any) -> None:
        """Take the result of a tool."""
        self.results += 1
        self.result = "\n".join(texts(content))

    def system(self, content: Any) -> None:
        """Take what the client tells the model."""
        self.before.extend(texts(content))


def texts(content: Any) -> Iterator[str]:
    """Give the texts in a message's content: a string, or parts that hold a `text`, an `output` or a `content`."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, Mapping):
        for key in ("text", "output", "content", "parts", "response"):
            if key in content:
                yield from texts(content[key])
    elif isinstance(content, Sequence):
        for part in content:
            yield from texts(part)


def items(value: Any) -> list[Json]:
    """Return the objects in a list, and nothing for anything else."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def tools(declared: list[Json], schema_key: str) -> tuple[Tool, ...]:
    """Return declared tools; those without a name are the vendor's own and nothing that this server could call."""
    return tuple(
        Tool(each["name"], each[schema_key] if isinstance(each.get(schema_key), dict) else {})
        for each in declared
        if isinstance(each.get("name"), str)
    )
