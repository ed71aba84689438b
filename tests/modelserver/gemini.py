"""Gemini generateContent (ai.google.dev/api/generate-content), streamed as server-sent events with ?alt=sse."""

from __future__ import annotations

import json
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
    Tool,
    items,
    texts,
)

NAME = "gemini"


def read(body: Json, path: str) -> Conversation:
    """Return what a request says: the model and whether it is streamed stand in the path."""
    reading = Reading()
    reading.system(body.get("systemInstruction") or body.get("system_instruction") or "")
    for content in items(body.get("contents")):
        parts = items(content.get("parts"))
        results = [part["functionResponse"] for part in parts if isinstance(part.get("functionResponse"), dict)]
        for result in results:
            reading.tool(result.get("response", {}))
        if content.get("role", "user") == "user" and not results:
            reading.person("\n".join(texts(parts)))
    model, _, verb = path.partition("?")[0].rpartition("/")[2].partition(":")
    config = body.get("generationConfig") or {}
    schema = config.get("responseJsonSchema") or config.get("responseSchema")
    return Conversation(
        model=model,
        prompt=reading.prompt,
        system="\n".join(reading.before),
        results=reading.results,
        result=reading.result,
        tools=_tools(body),
        streamed=verb == "streamGenerateContent",
        schema=schema if isinstance(schema, dict) else None,
    )


def _tools(body: Json) -> tuple[Tool, ...]:
    declared = [one for each in items(body.get("tools")) for one in items(each.get("functionDeclarations"))]
    return tuple(
        Tool(str(each["name"]), each.get("parametersJsonSchema") or each.get("parameters") or {})
        for each in declared
        if "name" in each
    )


def whole(answer: Answer, model: str) -> Json:
    """Return the body of an answer that is not streamed."""
    return _content(model, _part(answer), last=True)


def stream(answer: Answer, conversation: Conversation) -> Stream:
    """Return the events of a streamed answer; the last of them carries the finish reason."""
    parts = [{"text": piece} for piece in answer.pieces] if isinstance(answer, Say) else [_part(answer)]
    # A reason to finish is all that ends a stream here: it comes with an empty text, so that it can be left out.
    ending = _content(conversation.model, {"text": ""}, last=True)
    return Stream(
        tuple(_event(_content(conversation.model, part, last=False)) for part in parts),
        (_event(ending),),
    )


def count() -> Json:
    """Return the answer of countTokens."""
    return {"totalTokens": INPUT_TOKENS}


def models() -> Json:
    """Return the list of models."""
    return {"models": [{"name": "models/mock-model", "supportedGenerationMethods": ["generateContent"]}]}


def _part(answer: Answer) -> Json:
    if isinstance(answer, Say):
        return {"text": answer.text}
    return {"functionCall": {"name": answer.tool, "args": answer.arguments}}


def _content(model: str, part: Json, *, last: bool) -> Json:
    candidate: Json = {"content": {"role": "model", "parts": [part]}, "index": 0}
    body: Json = {"candidates": [candidate], "modelVersion": model, "responseId": uuid4().hex[:22]}
    if last:
        candidate["finishReason"] = "STOP"
        body["usageMetadata"] = {
            "promptTokenCount": INPUT_TOKENS,
            "candidatesTokenCount": OUTPUT_TOKENS,
            "totalTokenCount": INPUT_TOKENS + OUTPUT_TOKENS,
        }
    return body


def _event(data: Json) -> str:
    return f"data: {json.dumps(data)}\n\n"
