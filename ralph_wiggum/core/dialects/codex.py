"""Codex CLI with `exec --json` (0.169): threads, turns and items, one JSON object a line.

https://developers.openai.com/codex/noninteractive. An item of type "error" is a warning; an `error` event that begins
with "Reconnecting" is a retry, another one is followed by `turn.failed` with the same words. Usage counts from the
beginning of the thread; no cost is told.
"""

from __future__ import annotations

from ralph_wiggum.core.dialects import fields, provider_error
from ralph_wiggum.core.dialects.fields import Event
from ralph_wiggum.core.dialects.heard import WORDS, Transcript
from ralph_wiggum.core.evidence import Notice, Usage

_RETRIES = "Reconnecting"


def hear(event: Event, transcript: Transcript) -> None:
    """Take one event."""
    match fields.text(event, "type"):
        case "thread.started":
            transcript.session = fields.text(event, "thread_id")[:WORDS]
        case "item.started":
            _begun(fields.mapping(event, "item"), transcript)
        case "item.completed":
            _done(fields.mapping(event, "item"), transcript)
        case "error":
            words = fields.text(event, "message")
            _note("error", words, transcript, final=not words.startswith(_RETRIES))
        case "turn.started":
            transcript.goes_on()
        case "turn.completed":
            transcript.usage = _usage(fields.mapping(event, "usage"))
            transcript.ends(flagged=False)
        case "turn.failed":
            words = fields.text(fields.mapping(event, "error"), "message")
            _note("turn.failed", words or "the turn failed", transcript, final=True)
            transcript.ends(flagged=True)


def _begun(item: Event, transcript: Transcript) -> None:
    match fields.text(item, "type"):
        case "command_execution":
            transcript.uses("command", item)
        case "mcp_tool_call":
            transcript.uses(fields.text(item, "tool", "server"), item.get("arguments"))


def _done(item: Event, transcript: Transcript) -> None:
    match fields.text(item, "type"):
        case "agent_message":
            transcript.says(fields.text(item, "text"), message=fields.text(item, "id"))
        case "command_execution" if item.get("exit_code") not in (0, None):
            transcript.tool_failed(f"exit code {item.get('exit_code')}")
        case "reasoning":
            transcript.answers()
        case "file_change":
            changes = (fields.mapping(change) for change in fields.items(item, "changes"))
            transcript.uses("file change", ", ".join(filter(None, (fields.text(each, "path") for each in changes))))
        case "web_search":
            transcript.uses("web search", item)
        case "error":
            transcript.shows(fields.text(item, "message"))


def _note(kind: str, words: str, transcript: Transcript, *, final: bool) -> None:
    found = provider_error.read(words)
    transcript.notes(
        Notice(
            kind=found.kind or kind, status=found.status, text=found.text, retry_after=found.retry_after, final=final
        )
    )


def _usage(figures: Event) -> Usage:
    return Usage(
        input_tokens=fields.whole(figures, "input_tokens"),
        output_tokens=fields.whole(figures, "output_tokens"),
        cached_tokens=fields.whole(figures, "cached_input_tokens"),
    )
