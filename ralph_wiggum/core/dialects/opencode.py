"""opencode with `run --format json` (1.18): steps and their parts, one JSON object a line.

https://opencode.ai/docs/cli. There is no event for the end: the run is over after a step that finished for another
reason than to use tools. A stream that is cut, or is no JSON, makes it ask again for ever, about six steps a second,
each finished for the reason "unknown".
"""

from __future__ import annotations

from ralph_wiggum.core.dialects import fields, provider_error
from ralph_wiggum.core.dialects.fields import Event
from ralph_wiggum.core.dialects.heard import WORDS, Transcript
from ralph_wiggum.core.evidence import Notice, Usage

BROKEN_STEPS = 20  # in a row, after which it will not end by itself
BROKEN = "stream_broken"  # our word: opencode has none for it

_GOES_ON = frozenset({"tool-calls", "unknown", "error"})
_UNTOLD = "APIError"  # says nothing that the body of the answer does not say better


def hear(event: Event, transcript: Transcript) -> None:
    """Take one event."""
    part = fields.mapping(event, "part")
    match fields.text(event, "type"):
        case "step_start":
            transcript.goes_on()
        case "text":
            transcript.says(fields.text(part, "text"), message=fields.text(part, "messageID"))
        case "reasoning":
            transcript.answers()
        case "tool_use":
            transcript.broken = 0
            _used(fields.text(part, "tool"), fields.mapping(part, "state"), transcript)
        case "step_finish":
            _finished(part, transcript)
        case "error":
            _failed(fields.mapping(event, "error"), transcript)
    transcript.session = fields.text(event, "sessionID")[:WORDS] or transcript.session


def _used(tool: str, state: Event, transcript: Transcript) -> None:
    """Take the use of a tool, which is told when it is over."""
    transcript.uses(tool, state.get("input"))
    code = fields.mapping(state, "metadata").get("exit")
    if fields.text(state, "status") == "error":
        transcript.tool_failed(fields.text(state, "error"))
    elif isinstance(code, int) and code:
        transcript.tool_failed(f"exit code {code}")


def _finished(part: Event, transcript: Transcript) -> None:
    """Take the end of a step: add up what it used, and count those in a row whose stream broke off."""
    reason = fields.text(part, "reason")
    tokens = fields.mapping(part, "tokens")
    so_far = transcript.usage or Usage(cost=0.0)
    transcript.usage = Usage(
        input_tokens=so_far.input_tokens
        + fields.whole(tokens, "input")
        + fields.whole(fields.mapping(tokens, "cache"), "read", "write"),
        cached_tokens=so_far.cached_tokens + fields.whole(fields.mapping(tokens, "cache"), "read"),
        output_tokens=so_far.output_tokens + fields.whole(tokens, "output", "reasoning"),
        cost=(so_far.cost or 0.0) + fields.number(part, "cost"),
    )
    transcript.broken = transcript.broken + 1 if reason == "unknown" else 0
    if transcript.broken == BROKEN_STEPS:
        transcript.looped = True
        transcript.notes(Notice(kind=BROKEN, text=f"the model's stream broke off in {BROKEN_STEPS} steps in a row"))
    if reason and reason not in _GOES_ON:
        transcript.ends(flagged=False)


def _failed(error: Event, transcript: Transcript) -> None:
    name, data = fields.text(error, "name"), fields.mapping(error, "data")
    body = provider_error.of_body(fields.text(data, "responseBody"))
    found = provider_error.read(fields.text(data, "message") or name)
    wait = fields.text(fields.mapping(data, "responseHeaders"), "retry-after")  # RFC 9110: seconds, or a date
    transcript.notes(
        Notice(
            kind=(provider_error.kind(body) or name) if name == _UNTOLD else name,
            status=fields.whole(data, "statusCode") or found.status,
            text=found.text,
            retry_after=float(wait) if wait.isdecimal() and len(wait) < 8 else found.retry_after,  # noqa: PLR2004 - a year
            final=True,
        )
    )
    transcript.ends(flagged=True)
