"""GitHub Copilot CLI with `--output-format json` (1.0): one JSON object a line, what it says under `data`.

https://docs.github.com/copilot/concepts/agents/about-copilot-cli and the events that 1.0.102 printed. A text comes in
pieces first and then as a whole; no tokens and no cost are told.
"""

from __future__ import annotations

from ralph_wiggum.core.dialects import fields, provider_error
from ralph_wiggum.core.dialects.fields import Event
from ralph_wiggum.core.dialects.heard import WORDS, Transcript
from ralph_wiggum.core.evidence import Notice


def hear(event: Event, transcript: Transcript) -> None:
    """Take one event."""
    data = fields.mapping(event, "data")
    ours = not fields.text(data, "parentToolCallId")  # else it is a sub-agent's
    message = fields.text(data, "messageId")
    match fields.text(event, "type"):
        case "assistant.message_delta" if ours:
            transcript.streams(fields.text(data, "deltaContent"), message=message)
        case "assistant.message" if ours:
            transcript.says(fields.text(data, "content"), message=message, whole=True)
        case "tool.execution_start":
            transcript.uses(fields.text(data, "toolName"), data.get("arguments"), below=not ours)
        case "tool.execution_complete" if ours and data.get("success") is False:
            error = fields.mapping(data, "error")
            if fields.text(error, "code") == "denied":
                transcript.denies_last()
            transcript.tool_failed(fields.text(error, "message"))
        case "model.call_failure":
            _call_failed(data, transcript)
        case "session.error":
            transcript.notes(_notice(data, fields.text(data, "message"), final=True))
        case "result":
            transcript.session = fields.text(event, "sessionId")[:WORDS]
            code = event.get("exitCode")
            transcript.ends(flagged=isinstance(code, int) and code != 0)


def _call_failed(data: Event, transcript: Transcript) -> None:
    transcript.notes(_notice(data, fields.text(data, "errorMessage"), final=False))


def _notice(data: Event, words: str, *, final: bool) -> Notice:
    found = provider_error.read(words or "a call of the model failed")
    return Notice(
        kind=fields.text(data, "errorCode")[:WORDS] or found.kind or fields.text(data, "errorType")[:WORDS],
        status=fields.whole(data, "statusCode") or found.status,
        text=found.text,
        retry_after=found.retry_after,
        final=final,
    )
