"""Claude Code with `--output-format stream-json --verbose` (2.1): one JSON object a line.

https://code.claude.com/docs/en/headless and the events that 2.1.197 printed. `rate_limit_event` has a status of
"allowed", "allowed_warning" or "rejected"; only the last is an end.
"""

from __future__ import annotations

from ralph_wiggum.core.dialects import fields, provider_error
from ralph_wiggum.core.dialects.fields import Event
from ralph_wiggum.core.dialects.heard import WORDS, Transcript
from ralph_wiggum.core.evidence import Notice, Usage
from ralph_wiggum.core.outside_text import plain

TOO_MANY_REQUESTS = 429
SYNTHETIC = "<synthetic>"  # the model of messages that the program wrote itself, to show an error


def hear(event: Event, transcript: Transcript) -> None:
    """Take one event."""
    match fields.text(event, "type"):
        case "system":
            _system(event, transcript)
        case "assistant":
            _assistant(event, transcript)
        case "user" if not fields.text(event, "parent_tool_use_id"):
            transcript.ends_message()
            _tool_results(fields.mapping(event, "message"), transcript)
        case "rate_limit_event":
            _limit(fields.mapping(event, "rate_limit_info"), transcript)
        case "result":
            _result(event, transcript)
    transcript.session = fields.text(event, "session_id")[:WORDS] or transcript.session


def _system(event: Event, transcript: Transcript) -> None:
    if fields.text(event, "subtype") != "api_retry":
        return
    kind = fields.text(event, "error")
    attempt, most = fields.whole(event, "attempt"), fields.whole(event, "max_retries")
    transcript.notes(
        Notice(
            kind=plain(kind, WORDS),
            status=fields.whole(event, "error_status"),
            text=plain(f"{kind or 'an error of the API'}; retry {attempt} of {most}", WORDS),
            retry_after=fields.number(event, "retry_delay_ms") / 1000,
        )
    )


def _assistant(event: Event, transcript: Transcript) -> None:
    """Take a message, or one block of it: text, thinking, the use of a tool. That of a sub-agent is only shown."""
    message = fields.mapping(event, "message")
    if (error := fields.text(event, "error")) or fields.text(message, "model") == SYNTHETIC:
        _synthetic(error, message, transcript)
        return
    ours = not fields.text(event, "parent_tool_use_id")
    for block in fields.items(message, "content"):
        part = fields.mapping(block)
        match fields.text(part, "type"):
            case "text" if ours:
                transcript.says(fields.text(part, "text"), message=fields.text(message, "id"))
            case "tool_use":
                transcript.uses(fields.text(part, "name"), part.get("input"), below=not ours)
            case _:
                transcript.answers()


def _tool_results(message: Event, transcript: Transcript) -> None:
    """Take what tools gave back: only that one failed is told, its output is its own."""
    for block in fields.items(message, "content"):
        part = fields.mapping(block)
        if part.get("is_error") is True:
            inner = (fields.text(fields.mapping(each), "text") for each in fields.items(part, "content"))
            transcript.tool_failed(fields.text(part, "content") or next(filter(None, inner), ""))


def _synthetic(error: str, message: Event, transcript: Transcript) -> None:
    """Take a message that the program wrote itself: an error, as a rule, in place of what the model would have said."""
    blocks = (fields.text(fields.mapping(block), "text") for block in fields.items(message, "content"))
    words = next(filter(None, blocks), "")
    found = provider_error.read(words)
    if not error and not found.status:  # "No response requested." is another such message
        transcript.shows(words)
        return
    notice = Notice(
        kind=plain(error, WORDS) or found.kind,
        status=found.status,
        text=found.text,
        retry_after=found.retry_after,
        resets_at=_resets_at(transcript),
    )
    transcript.notes(notice)


def _limit(info: Event, transcript: Transcript) -> None:
    """Take the standing of the plan's limits; while paid extra usage covers for it, a limit is no end."""
    if fields.text(info, "status") != "rejected" or info.get("isUsingOverage") is True:
        return
    limit = plain(fields.text(info, "rateLimitType"), WORDS)
    transcript.notes(
        Notice(
            kind="rate_limit",
            status=TOO_MANY_REQUESTS,
            text=f"usage limit reached: {limit or 'of the plan'}",
            resets_at=fields.number(info, "resetsAt"),
        )
    )


def _resets_at(transcript: Transcript) -> float:
    """Return when the limit ends that was told just before."""
    last = transcript.standing()
    return last.resets_at if last is not None else 0.0


def _result(event: Event, transcript: Transcript) -> None:
    """Take the event that ends a run: what was said last, what it cost, and whether an error ended it.

    Errors of the API come as subtype "success" with `is_error` true and `api_error_status`.
    """
    subtype = fields.text(event, "subtype")
    flagged = event.get("is_error") is True or subtype not in {"success", ""}
    if flagged:
        _failed(event, subtype, transcript)
    elif "result" in event:
        transcript.concludes(fields.text(event, "result"))
    for refused in fields.items(event, "permission_denials"):
        denial = fields.mapping(refused)
        transcript.denies(fields.text(denial, "tool_name"), denial.get("tool_input"))
    transcript.usage = _usage(event) or transcript.usage
    transcript.ends(flagged=flagged)


def _failed(event: Event, subtype: str, transcript: Transcript) -> None:
    errors = [error for error in fields.items(event, "errors") if isinstance(error, str)]
    words = fields.text(event, "result") or "; ".join(errors) or subtype
    found = provider_error.read(words)
    reason = fields.text(event, "terminal_reason")  # says more than the kind of HTTP error, where it does
    last = transcript.standing()
    before = last.kind if last is not None else ""
    kind = subtype if subtype not in {"success", ""} else reason if reason not in {"completed", ""} else before
    transcript.notes(
        Notice(
            kind=plain(kind or found.kind, WORDS),
            status=fields.whole(event, "api_error_status") or found.status,
            text=found.text,
            resets_at=_resets_at(transcript),
            retry_after=found.retry_after,
            final=True,
        )
    )


def _usage(event: Event) -> Usage | None:
    """Return the figures of a result: all tokens that went in, cached or not, and the cost where it is given."""
    figures = fields.mapping(event, "usage")
    cost = event.get("total_cost_usd")
    if not figures and cost is None:
        return None
    return Usage(
        input_tokens=fields.whole(figures, "input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"),
        output_tokens=fields.whole(figures, "output_tokens"),
        cached_tokens=fields.whole(figures, "cache_read_input_tokens"),
        cost=fields.number(event, "total_cost_usd") if isinstance(cost, int | float) else None,
    )
