"""Anthropic Messages (docs.claude.com/en/api/messages and /en/api/messages-streaming)."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from tests.modelserver.conversation import (
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    Answer,
    Conversation,
    Json,
    Reading,
    Say,
    Stream,
    items,
    texts,
    tools,
)

NAME = "anthropic"


def read(body: Json, path: str) -> Conversation:
    """Return what a request says."""
    reading = Reading()
    reading.system(body.get("system", ""))
    for message in items(body.get("messages")):
        content = message.get("content")
        results = [part for part in items(content) if part.get("type") == "tool_result"]
        for part in results:
            reading.tool(part.get("content", ""))
        if message.get("role") == "user" and not results:
            reading.person("\n".join(texts(content)))
        elif message.get("role") == "system":
            reading.system(content)
    return Conversation(
        model=str(body.get("model", "")),
        prompt=reading.prompt,
        system="\n".join(reading.before),
        results=reading.results,
        result=reading.result,
        tools=tools(items(body.get("tools")), "input_schema"),
        streamed=bool(body.get("stream")),
        schema=_schema(body),
    )


def _schema(body: Json) -> Json | None:
    wanted = (body.get("output_config") or {}).get("format") or body.get("output_format") or {}
    found = wanted.get("schema") if isinstance(wanted, dict) else None
    return found if isinstance(found, dict) else None


def whole(answer: Answer, model: str) -> Json:
    """Return the body of an answer that is not streamed."""
    return _message(model) | {
        "content": [_block(answer)],
        "stop_reason": _reason(answer),
        "usage": _usage(OUTPUT_TOKENS),
    }


def stream(answer: Answer, conversation: Conversation) -> Stream:
    """Return the events of a streamed answer."""
    start = _message(conversation.model) | {"content": [], "stop_reason": None, "usage": _usage(1)}
    if isinstance(answer, Say):
        begun: Json = {"type": "text", "text": ""}
        deltas: list[Json] = [{"type": "text_delta", "text": piece} for piece in answer.pieces]
    else:
        begun = _block(answer) | {"input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": json.dumps(answer.arguments)}]
    return Stream(
        (
            _event("message_start", message=start),
            _event("content_block_start", index=0, content_block=begun),
            *(_event("content_block_delta", index=0, delta=delta) for delta in deltas),
            _event("content_block_stop", index=0),
        ),
        (
            _event(
                "message_delta",
                delta={"stop_reason": _reason(answer), "stop_sequence": None},
                usage={"output_tokens": OUTPUT_TOKENS},
            ),
            _event("message_stop"),
        ),
    )


def count() -> Json:
    """Return the answer of count_tokens."""
    return {"input_tokens": INPUT_TOKENS}


def _message(model: str) -> Json:
    name = f"msg_{uuid4().hex[:24]}"
    return {"id": name, "type": "message", "role": "assistant", "model": model, "stop_sequence": None}


def _block(answer: Answer) -> Json:
    if isinstance(answer, Say):
        return {"type": "text", "text": answer.text}
    return {"type": "tool_use", "id": f"toolu_{uuid4().hex[:24]}", "name": answer.tool, "input": answer.arguments}


def _reason(answer: Answer) -> str:
    return "end_turn" if isinstance(answer, Say) else "tool_use"


def _usage(output: int) -> Json:
    return {
        "input_tokens": INPUT_TOKENS,
        "output_tokens": output,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
    }


def _event(kind: str, **fields: Any) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n"
