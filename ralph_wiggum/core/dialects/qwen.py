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
    unfinished = not fields.whole(fields.mapping(message, "usage"), "output_tokens")
    said, errors = [], []
    for block in map(fields.mapping, fields.items(message, "content")):
        text, error = _split(fields.text(block, "text"), unfinished=unfinished)
        errors += [error] if error else []
        said += [{**block, "text": text}] if text or not error else []
    claude.hear({**event, "message": {**message, "content": said}}, transcript)
    for error in errors:
        _note(error, transcript, final=False)


def _split(text: str, *, unfinished: bool) -> tuple[str, str]:
    """Return what the model said and the error after it: of an answer that broke off, both stand in one text (0.15).

    A model may write of such errors too; but then the provider told what it had used (`unfinished`: it did not).
    """
    at = 0 if text.startswith(_ERROR) else -1
    if at < 0 and unfinished and text.rstrip().endswith("]"):
        at = text.rfind(_ERROR)
    return (text, "") if at < 0 else (text[:at], text[at:])


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
