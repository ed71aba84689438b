"""A client of the model server for its own tests: requests in each wire format, and what their answers say."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

DEADLINE_SECONDS = 30.0
SCHEMA = {
    "type": "object",
    "properties": {"command": {"type": "string"}, "why": {"type": "string"}},
    "required": ["command", "why"],
}
PROMPT = 'Do this.\n<task id="1">\n- [ ] 1. Greet\n  - model: echo hello > hello.txt\n</task>\nEnd well.'


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back over HTTP."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def body(self) -> dict[str, Any]:
        found = json.loads(self.text)
        assert isinstance(found, dict)
        return found

    @property
    def events(self) -> list[dict[str, Any]]:
        rows = [row[len("data: ") :] for row in self.text.splitlines() if row.startswith("data: ")]
        return [json.loads(row) for row in rows if row != "[DONE]"]


def post(url: str, body: dict[str, Any], *, timeout: float = DEADLINE_SECONDS) -> Heard:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=timeout)
    try:
        connection.request("POST", url.removeprefix(f"http://{parts.netloc}"), json.dumps(body))
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Heard(response.status, headers, response.read().decode())
    finally:
        connection.close()


def ask(wire: str, base: str, *, streamed: bool, results: int = 0, prompt: str = PROMPT, tools: bool = True) -> Heard:
    url, body = request(wire, streamed=streamed, results=results, prompt=prompt, tools=tools)
    return post(base + url, body)


def request(
    wire: str, *, streamed: bool, results: int = 0, prompt: str = PROMPT, tools: bool = True
) -> tuple[str, dict[str, Any]]:
    """Return the path and the body of a request with so many results of tools after the prompt."""
    function = {"name": "bash", "description": "runs a command"}
    many = range(results)
    match wire:
        case "chat":
            messages: list[dict[str, Any]] = [{"role": "user", "content": prompt}]
            messages += [{"role": "tool", "tool_call_id": str(each), "content": "fine"} for each in many]
            declared: list[Any] = [{"type": "function", "function": function | {"parameters": SCHEMA}}]
            usage = {"stream_options": {"include_usage": True}}
            path, body = "/v1/chat/completions", {"messages": messages, "stream": streamed, **usage}
        case "responses":
            items: list[dict[str, Any]] = [{"role": "user", "content": [{"type": "input_text", "text": prompt}]}]
            items += [{"type": "function_call_output", "call_id": str(each), "output": "fine"} for each in many]
            declared = [function | {"type": "function", "parameters": SCHEMA}]
            path, body = "/v1/responses", {"input": items, "stream": streamed}
        case "anthropic":
            turns: list[dict[str, Any]] = [{"role": "user", "content": [{"type": "text", "text": prompt}]}]
            result = {"type": "tool_result", "content": [{"type": "text", "text": "fine"}]}
            turns += [{"role": "user", "content": [result | {"tool_use_id": str(each)}]} for each in many]
            declared = [function | {"input_schema": SCHEMA}]
            path, body = "/v1/messages", {"messages": turns, "stream": streamed}
        case _:
            contents: list[dict[str, Any]] = [{"role": "user", "parts": [{"text": prompt}]}]
            reply = {"functionResponse": {"name": "bash", "response": {"output": "fine"}}}
            contents += [{"role": "user", "parts": [reply]} for _ in many]
            declared = [{"functionDeclarations": [function | {"parametersJsonSchema": SCHEMA}]}]
            verb = "streamGenerateContent?alt=sse" if streamed else "generateContent"
            path, body = f"/v1beta/models/mock-model:{verb}", {"contents": contents}
    return path, body | {"model": "mock-model"} | ({"tools": declared} if tools else {})


def said(wire: str, heard: Heard, *, streamed: bool) -> str:
    """Return the text of an answer."""
    return "".join(_texts(wire, heard.events if streamed else [heard.body], streamed=streamed))


def _texts(wire: str, rows: list[dict[str, Any]], *, streamed: bool) -> Iterator[str]:
    match wire:
        case "chat":
            key = "delta" if streamed else "message"
            yield from (each[key].get("content") or "" for row in rows for each in row["choices"])
        case "responses" if streamed:
            yield from (row["delta"] for row in rows if row["type"] == "response.output_text.delta")
        case "responses":
            yield from (part["text"] for each in rows[0]["output"] for part in each.get("content", []))
        case "anthropic" if streamed:
            yield from (row["delta"].get("text", "") for row in rows if row["type"] == "content_block_delta")
        case "anthropic":
            yield from (part.get("text", "") for part in rows[0]["content"])
        case _:
            parts = [part for row in rows for each in row["candidates"] for part in each["content"]["parts"]]
            yield from (part.get("text", "") for part in parts)


def called(wire: str, heard: Heard, *, streamed: bool) -> dict[str, Any]:
    """Return the arguments of the call in an answer, or nothing."""
    rows = heard.events if streamed else [heard.body]
    found = re.search(r'"command": ?"(?:[^"\\]|\\.)*"', json.dumps(rows).replace('\\\\"', "'").replace('\\"', '"'))
    match wire, streamed:
        case "chat", False:
            calls = rows[0]["choices"][0]["message"].get("tool_calls") or []
            text = calls[0]["function"]["arguments"] if calls else "{}"
        case "chat", True:
            deltas = [call for row in rows for each in row["choices"] for call in each["delta"].get("tool_calls", [])]
            text = "".join(each["function"]["arguments"] for each in deltas) or "{}"
        case "responses", _:
            items = (
                rows[0]["output"]
                if not streamed
                else [row["item"] for row in rows if "output_item.done" in row["type"]]
            )
            text = items[0].get("arguments", "{}") if items else "{}"
        case "anthropic", False:
            text = json.dumps(rows[0]["content"][0].get("input", {}))
        case "anthropic", True:
            text = "".join(row.get("delta", {}).get("partial_json", "") for row in rows) or "{}"
        case _:
            part = rows[0]["candidates"][0]["content"]["parts"][0]
            text = json.dumps(part.get("functionCall", {}).get("args", {}))
    arguments = json.loads(text)
    assert isinstance(arguments, dict)
    assert bool(arguments) == bool(found)
    return arguments


def tokens(wire: str, heard: Heard, *, streamed: bool) -> tuple[int, int]:
    """Return the tokens that an answer tells: in, out."""
    rows = heard.events if streamed else [heard.body]
    match wire:
        case "chat":
            usage = rows[-1]["usage"]
            return usage["prompt_tokens"], usage["completion_tokens"]
        case "responses":
            usage = (rows[-1]["response"] if streamed else rows[0])["usage"]
            return usage["input_tokens"], usage["output_tokens"]
        case "anthropic":
            first = rows[0]["message"] if streamed else rows[0]
            last = rows[-2] if streamed else rows[0]
            return first["usage"]["input_tokens"], last["usage"]["output_tokens"]
    usage = rows[-1]["usageMetadata"]
    return usage["promptTokenCount"], usage["candidatesTokenCount"]
