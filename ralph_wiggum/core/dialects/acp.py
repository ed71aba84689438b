"""The events of our own client of the Agent Client Protocol (ralph_wiggum.acp): one JSON object a line.

| type | fields |
|---|---|
| session | id: to go on with; agent, version: what the agent calls itself |
| session_gone | id, text, data: the session to go on with is not there; the run ends, and has to begin afresh |
| text, thought | text: a piece of a message, or of what the model thinks; message: the message's id, or "" |
| tool | name, doing: what it is called with (a command, a file), or its title |
| tool_given | name, doing: as tool, of one that was told before it was known what it is called with |
| plan | entries: lines |
| denied | tool, doing, why: what the agent may not do here |
| usage | input_tokens, output_tokens, cached_tokens, cost (US dollars or null): of this run so far |
| note | text: what a person should see, such as a line of the agent that belongs to no protocol |
| retry | text: why the agent asks its provider again |
| error | code, message, data: an error of JSON-RPC as it came; or kind, status, text: one of the client's own |
| end | reason: the stop reason of the turn (end_turn, max_tokens, max_turn_requests, refusal, cancelled) |

The stop reasons: https://agentclientprotocol.com/protocol/prompt-turn. The errors are those that gemini 0.61 (code: an
HTTP status), codex-acp 0.16 (data.codex_error_info), opencode 1.18 and qwen 0.15 (-32603) answer with. Copilot 1.0 ends
a turn well and says its error in a message; the client makes an error of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ralph_wiggum.core.dialects import fields, provider_error
from ralph_wiggum.core.dialects.fields import Event
from ralph_wiggum.core.dialects.heard import WORDS, Transcript, call
from ralph_wiggum.core.evidence import Notice, Usage
from ralph_wiggum.core.outside_text import plain

AUTH_REQUIRED = -32000  # agentclientprotocol.com/protocol/schema: ErrorCode
_KINDS = {AUTH_REQUIRED: "authentication"}
_STATUS = {AUTH_REQUIRED: 401}
_UNFINISHED = {
    "max_tokens": "it used all the tokens that a turn may have",
    "max_turn_requests": "it asked its model as often as a turn may",
    "refusal": "it refused to go on",
    "cancelled": "the turn was cancelled",
}
# Where agents keep the words of an error: SDKs and adapters put them below `data`, several levels deep at times.
_WORDS = ("details", "message", "error", "errorMessage", "reason", "cause")
_KIND = ("codex_error_info", "codexErrorInfo", "errorKind", "type", "status", "name")
_DEPTH = 4
_ENTRIES = 30  # of a plan


def hear(event: Event, transcript: Transcript) -> None:  # noqa: C901, PLR0912 - one case for each type of event
    """Take one event."""
    match fields.text(event, "type"):
        case "session":
            transcript.session = fields.text(event, "id")[:WORDS]
        case "text":
            transcript.streams(fields.text(event, "text"), message=fields.text(event, "message"))
        case "thought":
            transcript.answers()
        case "tool":
            transcript.uses(fields.text(event, "name"), fields.text(event, "doing"))
        case "tool_given":
            transcript.shows(call(fields.text(event, "name"), fields.text(event, "doing")))
        case "plan":
            entries = [entry for entry in fields.items(event, "entries") if isinstance(entry, str)]
            transcript.shows("\n".join(f"  {plain(entry, WORDS)}" for entry in entries[:_ENTRIES]))
        case "denied":
            transcript.denies(fields.text(event, "tool"), fields.text(event, "doing"))
            transcript.shows(f"  refused: {plain(fields.text(event, 'why'), WORDS)}")
        case "usage":
            transcript.usage = _usage(event)
        case "note":
            transcript.shows(plain(fields.text(event, "text"), 2 * WORDS))
        case "retry":
            transcript.notes(replace(notice(event), kind="retry", final=False))
        case "session_gone":
            words = _sentence(event, event.get("data")) or "the session to go on with is not there"
            _fails(Notice(kind="session_gone", text=plain(words, WORDS), final=True), transcript)
        case "error":
            _fails(notice(event), transcript)
        case "end":
            _ends(fields.text(event, "reason"), transcript)


def notice(event: Event) -> Notice:
    """Return what an error says: an error of JSON-RPC as agents fill it, or one that the client found itself."""
    code = event.get("code")
    code = code if isinstance(code, int) and not isinstance(code, bool) else 0
    data = event.get("data")
    words = _sentence(event, data)
    found = provider_error.read(words)
    named = next(_texts(data, _KIND), "")
    return Notice(
        kind=plain(fields.text(event, "kind") or _KINDS.get(code, "") or found.kind or named, WORDS) or "error",
        status=fields.whole(event, "status") or _http(code) or _STATUS.get(code, 0) or found.status,
        text=found.text or "the agent answered with an error",
        retry_after=found.retry_after,
        final=True,
    )


def _sentence(event: Event, data: object) -> str:
    """Return what the error says most exactly: the words below `data`, unless its own message holds them already."""
    own = fields.text(event, "text", "message")
    below = data if isinstance(data, str) else next(_texts(data, _WORDS), "")
    if not below or below in own:
        return own
    return below if own.casefold() in {"", "internal error"} or own in below else f"{own}: {below}"


def _texts(value: object, names: tuple[str, ...], depth: int = _DEPTH) -> Iterator[str]:
    """Yield the texts in some fields of an object, the first field first, then those of the objects below."""
    found = fields.mapping(value)
    for name in names:
        if isinstance(text := found.get(name), str) and text:
            yield text
    if depth:
        for below in found.values():
            yield from _texts(below, names, depth - 1)


def _http(code: int) -> int:
    return code if 400 <= code <= 599 else 0  # noqa: PLR2004 - the errors of HTTP


def _fails(notice: Notice, transcript: Transcript) -> None:
    transcript.notes(notice)
    transcript.ends(flagged=True)


def _ends(reason: str, transcript: Transcript) -> None:
    """Take the end of the turn; every reason but one says that the agent did not come to its own end."""
    if reason == "end_turn":
        transcript.ends(flagged=False)
        return
    words = _UNFINISHED.get(reason, f"the turn ended: {plain(reason, WORDS) or 'no reason was given'}")
    _fails(Notice(kind=plain(reason, WORDS) or "no_stop_reason", text=words, final=True), transcript)


def _usage(event: Event) -> Usage:
    cost = event.get("cost")
    return Usage(
        input_tokens=fields.whole(event, "input_tokens"),
        output_tokens=fields.whole(event, "output_tokens"),
        cached_tokens=fields.whole(event, "cached_tokens"),
        cost=fields.number(event, "cost") if isinstance(cost, int | float) and not isinstance(cost, bool) else None,
    )
