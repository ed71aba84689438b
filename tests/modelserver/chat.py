"""OpenAI chat completions (platform.openai.com/docs/api-reference/chat), which most CLIs speak to any provider."""

from __future__ import annotations

import json
import time
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

NAME = "chat"


def read(body: Json, path: str) -> Conversation:
    """Return what a request says."""
    reading = Reading()
    for message in items(body.get("messages")):
        content = message.get("content")
        match message.get("role"):
            case "user":
                reading.person("\n".join(texts(content)))
            case "tool" | "function":
                reading.tool(content)
            case "system" | "developer":
                reading.system(content)
    functions = [each.get("function") for each in items(body.get("tools")) if each.get("type") == "function"]
    form = body.get("response_format") or {}
    return Conversation(
        model=str(body.get("model", "")),
        prompt=reading.prompt,
        system="\n".join(reading.before),
        results=reading.results,
        result=reading.result,
        tools=tools(items(functions), "parameters"),
        streamed=bool(body.get("stream")),
        usage=bool((body.get("stream_options") or {}).get("include_usage")),
        schema=(form.get("json_schema") or {}).get("schema") if isinstance(form, dict) else None,
    )


def whole(answer: Answer, model: str) -> Json:
    """Return the body of an answer that is not streamed."""
    message: Json = {"role": "assistant", "content": answer.text if isinstance(answer, Say) else None}
    if not isinstance(answer, Say):
        message["tool_calls"] = [_call(answer.tool, json.dumps(answer.arguments))]
    choice = {"index": 0, "message": message, "finish_reason": _reason(answer), "logprobs": None}
    return _head(model, "chat.completion") | {"choices": [choice], "usage": _usage()}


def stream(answer: Answer, conversation: Conversation) -> Stream:
    """Return the events of a streamed answer."""
    head = _head(conversation.model, "chat.completion.chunk")
    if isinstance(answer, Say):
        deltas: list[Json] = [{"content": piece} for piece in answer.pieces]
    else:
        deltas = [
            {"tool_calls": [{"index": 0, **_call(answer.tool, "")}]},
            {"tool_calls": [{"index": 0, "function": {"arguments": json.dumps(answer.arguments)}}]},
        ]
    deltas[0] = {"role": "assistant", **deltas[0]}
    closing = [_chunk(head, {}, _reason(answer))]
    if conversation.usage:
        closing.append(_event(head | {"choices": [], "usage": _usage()}))
    return Stream(tuple(_chunk(head, delta) for delta in deltas), (*closing, "data: [DONE]\n\n"))


def models() -> Json:
    """Return the list of models."""
    return {"object": "list", "data": [{"id": "mock-model", "object": "model", "created": 0, "owned_by": "mock"}]}


def _head(model: str, kind: str) -> Json:
    return {"id": f"chatcmpl-{uuid4().hex[:24]}", "object": kind, "created": int(time.time()), "model": model}


def _call(name: str, arguments: str) -> Json:
    return {
        "id": f"call_{uuid4().hex[:20]}",
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }


def _chunk(head: Json, delta: Json, reason: str | None = None) -> str:
    return _event(head | {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})


def _reason(answer: Answer) -> str:
    return "stop" if isinstance(answer, Say) else "tool_calls"


def _usage() -> Json:
    return {
        "prompt_tokens": INPUT_TOKENS,
        "completion_tokens": OUTPUT_TOKENS,
        "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
    }


def _event(data: Json) -> str:
    return f"data: {json.dumps(data)}\n\n"
