"""Qwen Code with `--output-format stream-json` (0.15): the events of Claude Code, but errors look like success.

An error of the provider is a text `[API Error: …]` of the assistant, and the result that follows repeats it with
subtype "success", `is_error` false and exit code 0. It tells no cost; its input tokens include those from the cache.
"""

from __future__ import annotations

from ralph_wiggum.core.dialects import claude, fields, provider_error
from ralph_wiggum.core.dialects.fields import Event
from ralph_wiggum.core.dialects.heard import Transcript
from ralph_wiggum.core.evidence import Notice, Usage

_ERROR = "[API Error:"


def hear(event: Event, transcript: Transcript) -> None:
    """Take one event."""
    match fields.text(event, "type"):
        case "assistant":
            _assistant(event, transcript)
        case "result":
            _result(event, transcript)
        case _:
            claude.hear(event, transcript)


def _assistant(event: Event, transcript: Transcript) -> None:
    message = fields.mapping(event, "message")
    blocks = [fields.mapping(block) for block in fields.items(message, "content")]
    errors = [text for block in blocks if (text := fields.text(block, "text")).startswith(_ERROR)]
    said = [block for block in blocks if not fields.text(block, "text").startswith(_ERROR)]
    claude.hear({**event, "message": {**message, "content": said}}, transcript)
    for error in errors:
        _note(error, transcript, final=False)


def _result(event: Event, transcript: Transcript) -> None:
    """Take the end: an error, if it is one or if the last that came of the assistant was one."""
    words, last = fields.text(event, "result"), transcript.standing()
    if words.startswith(_ERROR):
        _note(words, transcript, final=True)
    elif last is not None and event.get("is_error") is not True:
        transcript.notes(Notice(text=last.text, final=True))
    else:
        claude.hear(event, transcript)
    if words.startswith(_ERROR) or last is not None:
        transcript.ends(flagged=True)
    tokens = fields.mapping(event, "usage")
    transcript.usage = Usage(
        input_tokens=fields.whole(tokens, "input_tokens"),
        output_tokens=fields.whole(tokens, "output_tokens"),
        cached_tokens=fields.whole(tokens, "cache_read_input_tokens"),
    )


def _note(words: str, transcript: Transcript, *, final: bool) -> None:
    found = provider_error.read(words)
    transcript.notes(
        Notice(kind=found.kind, status=found.status, text=found.text, retry_after=found.retry_after, final=final)
    )
