"""The trajectory that mini-swe-agent leaves at its end (2.4, "mini-swe-agent-1.1"): JSON -> what was heard.

https://mini-swe-agent.com/latest/reference/agents/default/. It is written anew after each step, not atomically; `info`
comes first, so it can be read of a file that is torn or too long.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from ralph_wiggum.core import signals
from ralph_wiggum.core.dialects import fields, litellm
from ralph_wiggum.core.dialects.fields import Event
from ralph_wiggum.core.dialects.heard import MESSAGE_LIMIT, WORDS, Transcript
from ralph_wiggum.core.evidence import Claim, Notice, Usage
from ralph_wiggum.core.outside_text import plain

SUBMITTED = "Submitted"
FORMAT_ERROR = "RepeatedFormatError"
CAPS = frozenset({"LimitsExceeded", "TimeExceeded"})  # its own, of steps, cost and time

_INFO = '"info":'
_HEAD = 4096  # characters in which `info` begins
_WORDS = {
    "LimitsExceeded": "mini's own limit of steps or cost was reached",
    "TimeExceeded": "mini's own limit of time was reached",
    FORMAT_ERROR: "the model answered again and again without the use of a tool",
}


def read(report: bytes) -> Event:
    """Return the trajectory, only its `info` where the rest cannot be read, an empty object where nothing can be."""
    text = report.decode("utf-8", errors="replace")
    whole = fields.json_object(text)
    if whole is not None:
        return whole
    at = text.find(_INFO, 0, _HEAD)
    if at < 0:
        return {}
    try:
        info, _ = json.JSONDecoder().raw_decode(text, text.find("{", at + len(_INFO), at + len(_INFO) + 10))
    except (ValueError, RecursionError):
        return {}
    return {"info": info}


def is_one(trajectory: Event) -> bool:
    """Say whether what was read is a trajectory, or the beginning of one."""
    return bool(fields.mapping(trajectory, "info", "model_stats"))


def replay(trajectory: Event, said: str) -> Transcript:
    """Return a transcript of what the trajectory tells; `said` are the last words of the model where it does not."""
    transcript = Transcript()
    for each in fields.items(trajectory, "messages"):
        said = _message(fields.mapping(each), said, transcript)
    info = fields.mapping(trajectory, "info")
    transcript.usage = _usage(trajectory)
    status = fields.text(info, "exit_status")
    if status == SUBMITTED:
        transcript.concludes(final_message(said, fields.text(info, "submission")))
        transcript.ends(flagged=False)
    elif status:
        _fails(status, trajectory, transcript)
    return transcript


def final_message(said: str, submission: str) -> str:
    """Return the final message: what the model said last, then what it submitted.

    Its instructions let it end with a command whose output is the submission; most models say their last words beside
    that command, and submit nothing, or a diff. So the signal (O16) counts at the end of either.
    """
    parts = [said, submission[-MESSAGE_LIMIT:]]
    if signals.read(submission).claim is Claim.NONE and signals.read(said).claim is not Claim.NONE:
        parts.reverse()
    return "\n\n".join(part.strip("\n") for part in parts if part.strip())


def _message(message: Event, said: str, transcript: Transcript) -> str:
    """Take one message and return the last words of the model; an answer without a tool is part of the complaint."""
    extra = fields.mapping(message, "extra")
    actions: Sequence[object] = ()
    if fields.text(message, "role") == "assistant" or fields.text(message, "object") == "response":
        said, actions = _text(message), fields.items(extra, "actions")
    elif fields.text(extra, "interrupt_type") == "FormatError":
        choices = fields.items(fields.mapping(extra, "response"), "choices")
        said = _text(fields.mapping(choices[0] if choices else None, "message"))
    else:
        return said
    transcript.ends_message()
    transcript.says(said)
    for each in actions:
        transcript.uses("bash", each)
    transcript.take_shown()
    return said


def _text(message: Event) -> str:
    """Return the text of a message of either API of OpenAI, as LiteLLM makes them of all providers' answers."""
    parts = [fields.text(message, "content")]
    for item in map(fields.mapping, (*fields.items(message, "content"), *fields.items(message, "output"))):
        parts.append(fields.text(item, "text"))
        parts += [fields.text(fields.mapping(part), "text") for part in fields.items(item, "content")]
    return "\n\n".join(part for part in parts if part.strip())


def _fails(status: str, trajectory: Event, transcript: Transcript) -> None:
    """Take an end that is none: a limit, an error. Of one by the model's own words nothing more is known."""
    messages = fields.items(trajectory, "messages")
    extra = fields.mapping(fields.mapping(messages[-1]) if messages else None, "extra")
    error = fields.text(extra, "exception_str")
    known = _WORDS.get(status)
    if known:
        transcript.notes(Notice(kind=status, text=known, final=status in CAPS))
    else:
        transcript.notes(litellm.notice(error or status, name=plain(status, WORDS), final=True))
    transcript.ends(flagged=True)


def _usage(trajectory: Event) -> Usage | None:
    """Return the sum of all answers; a cost of 0 means that LiteLLM knows no price of the model."""
    tokens = [0, 0, 0]
    for each in fields.items(trajectory, "messages"):
        extra = fields.mapping(fields.mapping(each), "extra")
        figures = fields.mapping(extra, "response", "usage")
        details = (fields.mapping(figures, "prompt_tokens_details"), fields.mapping(figures, "input_tokens_details"))
        tokens[0] += fields.whole(figures, "prompt_tokens") or fields.whole(figures, "input_tokens")
        tokens[1] += fields.whole(figures, "completion_tokens") or fields.whole(figures, "output_tokens")
        tokens[2] += max(fields.whole(detail, "cached_tokens") for detail in details)
    cost = fields.number(fields.mapping(trajectory, "info", "model_stats"), "instance_cost")
    if not (cost or any(tokens)):
        return None
    return Usage(
        input_tokens=tokens[0],
        output_tokens=tokens[1],
        cached_tokens=min(tokens[2], tokens[0]),
        cost=cost or None,
    )
