"""OpenAI Responses (platform.openai.com/docs/api-reference/responses and /responses-streaming): codex speaks it."""

from __future__ import annotations

import json
import time
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

NAME = "responses"


def read(body: Json, path: str) -> Conversation:
    """Return what a request says."""
    reading = Reading()
    reading.system(body.get("instructions") or "")
    given = body.get("input")
    for item in [{"role": "user", "content": given}] if isinstance(given, str) else items(given):
        if str(item.get("type", "")).endswith("_output"):
            reading.tool(item.get("output", ""))
        elif item.get("role") == "user":
            reading.person("\n".join(texts(item.get("content"))))
        elif item.get("role") in {"system", "developer"}:
            reading.system(item.get("content"))
    functions = [each for each in items(body.get("tools")) if each.get("type") == "function"]
    form = (body.get("text") or {}).get("format") or {}
    return Conversation(
        model=str(body.get("model", "")),
        prompt=reading.prompt,
        system="\n".join(reading.before),
        results=reading.results,
        result=reading.result,
        tools=tools(functions, "parameters"),
        streamed=bool(body.get("stream")),
        schema=form.get("schema") if isinstance(form, dict) else None,
    )


def whole(answer: Answer, model: str) -> Json:
    """Return the body of an answer that is not streamed."""
    return _response(model) | {"status": "completed", "output": [_item(answer, "completed")], "usage": _usage()}


def stream(answer: Answer, conversation: Conversation) -> Stream:
    """Return the events of a streamed answer."""
    response = _response(conversation.model)
    item = _item(answer, "completed")
    place: Json = {"item_id": item["id"], "output_index": 0}
    events: list[tuple[str, Json]] = [("response.created", {"response": response | {"status": "in_progress"}})]
    events.append(("response.output_item.added", {"output_index": 0, "item": _begun(item)}))
    if isinstance(answer, Say):
        part = {"type": "output_text", "text": "", "annotations": []}
        text = place | {"content_index": 0}
        events.append(("response.content_part.added", text | {"part": part}))
        events.extend(("response.output_text.delta", text | {"delta": piece}) for piece in answer.pieces)
        events.append(("response.output_text.done", text | {"text": answer.text}))
        events.append(("response.content_part.done", text | {"part": part | {"text": answer.text}}))
    else:
        arguments = json.dumps(answer.arguments)
        events.append(("response.function_call_arguments.delta", place | {"delta": arguments}))
        events.append(("response.function_call_arguments.done", place | {"arguments": arguments}))
    events.append(("response.output_item.done", {"output_index": 0, "item": item}))
    done = response | {"status": "completed", "output": [item], "usage": _usage()}
    last = ("response.completed", {"response": done})
    return Stream(
        tuple(_event(kind, number, data) for number, (kind, data) in enumerate(events)),
        (_event(last[0], len(events), last[1]),),
    )


def _response(model: str) -> Json:
    return {
        "id": f"resp_{uuid4().hex[:24]}",
        "object": "response",
        "created_at": int(time.time()),
        "model": model,
        "output": [],
        "error": None,
        "incomplete_details": None,
        "parallel_tool_calls": False,
        "tool_choice": "auto",
        "tools": [],
    }


def _item(answer: Answer, status: str) -> Json:
    if isinstance(answer, Say):
        content: list[Any] = [{"type": "output_text", "text": answer.text, "annotations": []}]
        return {
            "id": f"msg_{uuid4().hex[:24]}",
            "type": "message",
            "role": "assistant",
            "status": status,
            "content": content,
        }
    return {
        "id": f"fc_{uuid4().hex[:24]}",
        "type": "function_call",
        "call_id": f"call_{uuid4().hex[:20]}",
        "name": answer.tool,
        "arguments": json.dumps(answer.arguments),
        "status": status,
    }


def _begun(item: Json) -> Json:
    empty: Json = {"content": []} if "content" in item else {"arguments": ""}
    return item | {"status": "in_progress"} | empty


def _usage() -> Json:
    return {
        "input_tokens": INPUT_TOKENS,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": OUTPUT_TOKENS,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
    }


def _event(kind: str, number: int, data: Json) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, 'sequence_number': number, **data})}\n\n"
