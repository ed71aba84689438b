"""Gemini CLI with `--output-format stream-json` (0.61): one JSON object a line.

https://github.com/google-gemini/gemini-cli/blob/main/docs/cli/headless.md. What the assistant says comes in pieces
(`delta`). Errors of the API stand in the result; retries are told on standard error only. No cost is told.
"""

from __future__ import annotations

from ralph_wiggum.core.dialects import fields, provider_error
from ralph_wiggum.core.dialects.fields import Event
from ralph_wiggum.core.dialects.heard import WORDS, Transcript
from ralph_wiggum.core.evidence import Notice, Usage


def hear(event: Event, transcript: Transcript) -> None:
    """Take one event."""
    match fields.text(event, "type"):
        case "init":
            transcript.session = fields.text(event, "session_id")[:WORDS]
        case "message":
            _message(event, transcript)
        case "tool_use":
            transcript.uses(fields.text(event, "tool_name"), event.get("parameters"))
        case "tool_result" if fields.text(event, "status") == "error":
            told = fields.mapping(event, "error")
            transcript.tool_failed(fields.text(told, "message") or fields.text(event, "output"))
        case "error":
            _error(event, transcript)
        case "result":
            _result(event, transcript)


def _message(event: Event, transcript: Transcript) -> None:
    content = fields.text(event, "content")
    if fields.text(event, "role") != "assistant":
        transcript.ends_message()
    elif event.get("delta") is True:
        transcript.streams(content)
    else:
        transcript.says(content)


def _error(event: Event, transcript: Transcript) -> None:
    """Take an error on the way; a warning ("Loop detected, stopping execution") is the program's own."""
    words = fields.text(event, "message")
    if fields.text(event, "severity") == "warning":
        transcript.shows(words)
    else:
        transcript.notes(_notice(words, "error", final=False))


def _result(event: Event, transcript: Transcript) -> None:
    error = fields.mapping(event, "error")
    flagged = fields.text(event, "status") != "success" or bool(error)
    if flagged:
        last = transcript.standing()  # a stream that ended early: an error event, and a result without words (0.61)
        words = fields.text(error, "message") or (last.text if last else "the run ended with an error")
        transcript.notes(_notice(words, fields.text(error, "type"), final=True))
    stats = fields.mapping(event, "stats")
    if stats:
        transcript.usage = Usage(
            input_tokens=fields.whole(stats, "input_tokens"),
            output_tokens=fields.whole(stats, "output_tokens"),
            cached_tokens=fields.whole(stats, "cached"),
        )
    transcript.ends(flagged=flagged)


def _notice(words: str, kind: str, *, final: bool) -> Notice:
    found = provider_error.read(words)
    return Notice(
        kind=found.kind or kind, status=found.status, text=found.text, retry_after=found.retry_after, final=final
    )
