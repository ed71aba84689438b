"""An agent of the Agent Client Protocol that does what a script says: JSON-RPC by hand, so that it can misbehave too.

Usage: python agent.py SCRIPT. The script is Python; it may define `hello`, `new`, `load` (params -> result) and `prompt`
(params -> stop reason, or a whole result) in the place of those below, and uses `say`, `update`, `call` and the others.
"""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path
from typing import Any

SESSION = "s-1"
numbers = itertools.count(1000)
cancelled = False


class Refusal(Exception):  # noqa: N818 - an answer of JSON-RPC
    """An error to answer with, or that was answered with: code, message, data."""


def send(**message: Any) -> None:
    raw(json.dumps({"jsonrpc": "2.0", **message}) + "\n")


def raw(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def receive() -> dict[str, Any]:
    global cancelled  # noqa: PLW0603 - one conversation, one process
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    message: dict[str, Any] = json.loads(line)
    cancelled = cancelled or message.get("method") == "session/cancel"
    return message


def call(method: str, **params: Any) -> Any:
    """Call the client and return its result; Refusal for an error."""
    number = next(numbers)
    send(id=number, method=method, params={"sessionId": SESSION, **params})
    while (message := receive()).get("id") != number:
        pass
    if "error" in message:
        raise Refusal(message["error"]["code"], message["error"]["message"], message["error"].get("data"))
    return message["result"]


def tried(method: str, **params: Any) -> str:
    """Call the client and return its result or its error, as a text."""
    try:
        return json.dumps(call(method, **params))
    except Refusal as refusal:
        return f"refused {json.dumps(refusal.args)}"


def update(update_kind: str, /, **more: Any) -> None:
    send(method="session/update", params={"sessionId": SESSION, "update": {"sessionUpdate": update_kind, **more}})


def say(text: str, kind: str = "agent_message_chunk") -> None:
    update(kind, content={"type": "text", "text": text})


def complete(text: str = "Done.") -> str:
    say(f"{text}\nTASK_COMPLETE")
    return "end_turn"


def run(command: str, *args: str, **more: Any) -> tuple[str, Any]:
    """Have the client run a command; return its output and how it ended."""
    terminal = call("terminal/create", command=command, args=list(args), **more)["terminalId"]
    ended = call("terminal/wait_for_exit", terminalId=terminal)
    output = call("terminal/output", terminalId=terminal)
    call("terminal/release", terminalId=terminal)
    return output["output"], ended


def permitted(kind: str, path: str, *options: str, **more: Any) -> Any:
    """Ask for permission; return what was chosen."""
    offered = [
        {"optionId": f"id-{each}", "name": each, "kind": each} for each in options or ("allow_once", "reject_once")
    ]
    tool = {"toolCallId": "t-1", "kind": kind, "title": f"{kind} {path}", "locations": [{"path": path}], **more}
    return call("session/request_permission", toolCall=tool, options=offered)["outcome"]


def hello(params: Any) -> Any:
    capabilities = {"loadSession": True, "promptCapabilities": {}}
    return {"protocolVersion": 1, "agentCapabilities": capabilities, "agentInfo": {"name": "scripted", "version": "1"}}


def new(params: Any) -> Any:
    return {"sessionId": SESSION}


def load(params: Any) -> Any:
    raise Refusal(-32602, "Invalid params", {"details": "unknown session"})


def prompt(params: Any) -> Any:
    return complete()


calls = {"initialize": "hello", "session/new": "new", "session/load": "load", "session/prompt": "prompt"}


def main(script: str) -> None:
    exec(compile(Path(script).read_text(encoding="utf-8"), script, "exec"), globals())  # noqa: S102 - it is for that
    while True:
        message = receive()
        if message.get("method") not in calls:
            continue
        try:
            result = globals()[calls[message["method"]]](message["params"])
        except Refusal as refusal:
            code, text, *data = refusal.args
            send(id=message["id"], error={"code": code, "message": text, **({"data": data[0]} if data else {})})
            continue
        send(id=message["id"], result={"stopReason": result} if isinstance(result, str) else result)


if __name__ == "__main__":
    main(sys.argv[1])
