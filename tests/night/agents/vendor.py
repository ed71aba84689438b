"""A scripted agent that tells its story in the events of a vendor's program: vendor.py FOLDER DIALECT [--resume ID].

Folder, play.json and all steps are those of player.py. The steps below print what Claude Code, Codex, Gemini CLI,
opencode, Copilot CLI and Qwen Code print; where a dialect has no word for something (a retry), nothing is printed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

sys.path.insert(0, str(Path(__file__).parents[3]))  # it is started without any

from tests.night.agents import player

INPUT_TOKENS, OUTPUT_TOKENS, DOLLARS = 1200, 340, 0.25  # of one attempt
RESUMED = "--resume" in sys.argv
SESSION = sys.argv[-1] if RESUMED else f"ses-{player.TASK}-{player.earlier() + 1}"
URL = "https://api.example.com/v1"


def event(kind: str, **fields: object) -> None:
    """Print one event, in one write."""
    os.write(1, (json.dumps({"type": kind} | fields) + "\n").encode())


class Dialect(Protocol):
    """One vendor's way of telling what happens."""

    def begins(self) -> None: ...

    def says(self, text: str) -> None: ...

    def uses(self, command: str, output: str, code: int) -> None: ...

    def retries(self, status: int, word: str) -> None: ...

    def fails(self, status: int, word: str, message: str, *, resets_at: float, retry_after: float) -> int:
        """Give up over an error of the provider; return the exit code."""
        ...

    def ends(self, denied: str) -> None:
        """End well; `denied` is a command that the agent's own rules refused."""
        ...


class Claude:
    """Claude Code: --output-format stream-json --verbose."""

    tool = "Bash"
    model = "claude-opus"

    def __init__(self) -> None:
        self.count = 0
        self.last = ""

    def begins(self) -> None:
        event("system", subtype="init", cwd=str(Path.cwd()), session_id=SESSION, tools=["Bash", "Edit"])

    def says(self, text: str) -> None:
        self.last = text
        self._assistant({"type": "text", "text": text})

    def uses(self, command: str, output: str, code: int) -> None:
        name = f"toolu_{self.count}"
        self._assistant({"type": "tool_use", "id": name, "name": self.tool, "input": {"command": command}})
        result = {"type": "tool_result", "tool_use_id": name, "content": output, "is_error": code != 0}
        event("user", message={"role": "user", "content": [result]}, parent_tool_use_id=None, session_id=SESSION)

    def retries(self, status: int, word: str) -> None:
        self.count += 1
        more = {"attempt": self.count, "max_retries": 10, "retry_delay_ms": 600.5}
        event("system", subtype="api_retry", error_status=status or None, error=word, session_id=SESSION, **more)

    def fails(self, status: int, word: str, message: str, *, resets_at: float, retry_after: float) -> int:
        if resets_at:
            info = {"status": "rejected", "resetsAt": int(resets_at), "rateLimitType": "five_hour"}
            event("rate_limit_event", rate_limit_info=info | {"isUsingOverage": False}, session_id=SESSION)
        said = {"id": "m0", "role": "assistant", "model": "<synthetic>", "content": [{"type": "text", "text": message}]}
        event("assistant", message=said, error=word, parent_tool_use_id=None, session_id=SESSION)
        self._result(message, is_error=True, api_error_status=status or None)
        return 1

    def ends(self, denied: str) -> None:
        denials = [{"tool_name": self.tool, "tool_use_id": "t", "tool_input": {"command": denied}}] if denied else []
        self._result(self.last, is_error=False, permission_denials=denials)

    def _assistant(self, block: Mapping[str, object]) -> None:
        self.count += 1
        message = {"id": f"msg_{self.count}", "role": "assistant", "model": self.model, "content": [block]}
        event("assistant", message=message, parent_tool_use_id=None, session_id=SESSION)

    def _result(self, text: str, **more: object) -> None:
        usage = {"input_tokens": INPUT_TOKENS - 200, "cache_read_input_tokens": 200, "output_tokens": OUTPUT_TOKENS}
        cost = {"total_cost_usd": DOLLARS, "usage": usage}
        event("result", subtype="success", result=text, session_id=SESSION, terminal_reason="completed", **cost, **more)


class Qwen(Claude):
    """Qwen Code: the events of Claude Code, and every error looks like success."""

    tool = "run_shell_command"
    model = "qwen-coder"

    def retries(self, status: int, word: str) -> None:
        """Print nothing, as it does."""

    def fails(self, status: int, word: str, message: str, *, resets_at: float, retry_after: float) -> int:
        self.says(f"[API Error: {message}]")
        self.ends("")
        return 0

    def _result(self, text: str, **more: object) -> None:
        usage = {"input_tokens": INPUT_TOKENS, "cache_read_input_tokens": 200, "output_tokens": OUTPUT_TOKENS}
        event("result", subtype="success", result=text, session_id=SESSION, usage=usage, **more)


class Codex:
    """Codex CLI: exec --json."""

    def __init__(self) -> None:
        self.count = 0

    def begins(self) -> None:
        event("thread.started", thread_id=SESSION)
        self._item("completed", "error", message="Model metadata was not found; a fallback is used.")  # a warning
        event("turn.started")

    def says(self, text: str) -> None:
        self._item("completed", "agent_message", text=text)

    def uses(self, command: str, output: str, code: int) -> None:
        line = f"/bin/bash -lc {json.dumps(command)}"
        self._item("started", "command_execution", command=line, aggregated_output="", exit_code=None)
        self._item("completed", "command_execution", command=line, aggregated_output=output, exit_code=code)

    def retries(self, status: int, word: str) -> None:
        self.count += 1
        event(
            "error", message=f"Reconnecting... {self.count}/5 (unexpected status {status} {word}: try it, url: {URL})"
        )

    def fails(self, status: int, word: str, message: str, *, resets_at: float, retry_after: float) -> int:
        event("error", message=message)
        event("turn.failed", error={"message": message})
        return 1

    def ends(self, denied: str) -> None:
        turns = 2 if RESUMED else 1  # it counts from the beginning of the thread
        event("turn.completed", usage={"input_tokens": INPUT_TOKENS * turns, "output_tokens": OUTPUT_TOKENS * turns})

    def _item(self, state: str, kind: str, **fields: object) -> None:
        self.count += 1
        event(f"item.{state}", item={"id": f"item_{self.count}", "type": kind} | fields)


class Gemini:
    """Gemini CLI: --output-format stream-json. What it says comes in pieces, retries go to standard error."""

    def __init__(self) -> None:
        self.count = 0

    def begins(self) -> None:
        player.err("YOLO mode is enabled. All tool calls will be automatically approved.")
        event("init", session_id=SESSION, model="auto")
        event("message", role="user", content="the prompt")

    def says(self, text: str) -> None:
        half = len(text) // 2
        for piece in (text[:half], text[half:]):
            event("message", role="assistant", content=piece, delta=True)

    def uses(self, command: str, output: str, code: int) -> None:
        self.count += 1
        name = f"run_shell_command_{self.count}"
        event("tool_use", tool_name="run_shell_command", tool_id=name, parameters={"command": command})
        event("tool_result", tool_id=name, status="error" if code else "success", output=output)

    def retries(self, status: int, word: str) -> None:
        self.count += 1
        player.err(f"Attempt {self.count} failed with status {status}. Retrying with backoff... _ApiError: {word}")

    def fails(self, status: int, word: str, message: str, *, resets_at: float, retry_after: float) -> int:
        body = (
            message if word == "plain" else json.dumps({"error": {"code": status, "message": message, "status": word}})
        )
        self._result("error", {"error": {"type": "unknown", "message": f"[API Error: {body}]"}})
        return status % 256 if status else 1

    def ends(self, denied: str) -> None:
        self._result("success", {})

    def _result(self, status: str, more: Mapping[str, object]) -> None:
        event("result", status=status, stats={"input_tokens": INPUT_TOKENS, "output_tokens": OUTPUT_TOKENS}, **more)


class OpenCode:
    """opencode: run --format json. Tokens and cost come with each step; retries are silent."""

    def begins(self) -> None:
        self._part("step_start", type="step-start")

    def says(self, text: str) -> None:
        self._part("text", messageID="msg_2", text=text)

    def uses(self, command: str, output: str, code: int) -> None:
        state = {"status": "completed", "input": {"command": command}, "output": output, "metadata": {"exit": code}}
        self._part("tool_use", type="tool", tool="bash", state=state)
        self.steps("tool-calls", 0.0)
        self._part("step_start", type="step-start")

    def retries(self, status: int, word: str) -> None:
        """Print nothing, as it does."""

    def fails(self, status: int, word: str, message: str, *, resets_at: float, retry_after: float) -> int:
        headers = {"content-type": "application/json"} | ({"retry-after": f"{retry_after:.0f}"} if retry_after else {})
        data = {"message": message, "statusCode": status, "isRetryable": False, "responseHeaders": headers}
        body = json.dumps({"error": {"message": message, "type": "error", "code": word}})
        error = {"name": "APIError", "data": data | {"responseBody": body}}
        event("error", sessionID=SESSION, error=error)
        return 1

    def ends(self, denied: str) -> None:
        self.steps("stop", 1.0)

    def steps(self, reason: str, share: float) -> None:
        """Finish a step that used this share of the tokens and of the cost."""
        tokens = {
            "input": round(INPUT_TOKENS * share) - (200 if share else 0),
            "output": round(OUTPUT_TOKENS * share),
            "reasoning": 0,
            "cache": {"read": 200 if share else 0, "write": 0},
        }
        self._part("step_finish", type="step-finish", reason=reason, tokens=tokens, cost=DOLLARS * share)

    def _part(self, kind: str, **part: object) -> None:
        event(kind, timestamp=1_795_157_705_157, sessionID=SESSION, part=part)


class Copilot:
    """Copilot CLI: --output-format json. A text comes in pieces, then as a whole."""

    def __init__(self) -> None:
        self.count = 0

    def begins(self) -> None:
        self._data("session.background_tasks_changed")
        self._data("user.message", content="the prompt")
        self._data("assistant.turn_start", turnId="0")

    def says(self, text: str) -> None:
        self.count += 1
        half = len(text) // 2
        for piece in (text[:half], text[half:]):
            self._data("assistant.message_delta", messageId=f"m{self.count}", deltaContent=piece)
        self._data("assistant.message", messageId=f"m{self.count}", content=text)

    def uses(self, command: str, output: str, code: int) -> None:
        self.count += 1
        self._data("tool.execution_start", toolCallId=f"c{self.count}", toolName="bash", arguments={"command": command})
        result = {"content": output, "exitCode": code}
        self._data("tool.execution_complete", toolCallId=f"c{self.count}", success=not code, result=result)

    def retries(self, status: int, word: str) -> None:
        self._data("model.call_failure", statusCode=status, errorCode=word, errorMessage=f"{status} {word}")
        self._data("assistant.turn_retry", turnId="0", reason=word)

    def fails(self, status: int, word: str, message: str, *, resets_at: float, retry_after: float) -> int:
        self.retries(status, word)
        self._data("session.error", errorType=word, message=message, statusCode=status)
        event("result", sessionId=SESSION, exitCode=1, usage={"premiumRequests": 0})
        return 1

    def ends(self, denied: str) -> None:
        event("result", sessionId=SESSION, exitCode=0, usage={"premiumRequests": 0})

    def _data(self, kind: str, **data: object) -> None:
        event(kind, data=data, id="e", parentId="d")


DIALECTS: Mapping[str, type[Dialect]] = {
    "claude": Claude,
    "codex": Codex,
    "copilot": Copilot,
    "gemini": Gemini,
    "opencode": OpenCode,
    "qwen": Qwen,
}


class Steps:
    """The steps that player.py does not have."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect

    def begins(self) -> None:
        self.dialect.begins()

    def says(self, text: str) -> None:
        self.dialect.says(text)

    def uses(self, command: str) -> None:
        """Run a command, and tell of it as of a tool."""
        done = subprocess.run(
            ["sh", "-c", command],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.dialect.uses(command, done.stdout.decode(), done.returncode)

    def retries(self, status: int, word: str) -> None:
        self.dialect.retries(status, word)

    def fails(self, status: int, word: str, message: str, resets_at: float = 0.0, retry_after: float = 0.0) -> None:
        """Give up over an error of the provider. `resets_at` is in seconds since 1970, `retry_after` in seconds."""
        player.leave(self.dialect.fails(status, word, message, resets_at=resets_at, retry_after=retry_after))

    def ends(self, denied: str = "") -> None:
        self.dialect.ends(denied)

    def loses_its_session(self) -> None:
        """End as a program that does not know the session that it was to go on with."""
        player.err(f"No conversation found with session ID: {SESSION}")
        player.leave(1)

    def breaks(self, steps: int) -> None:
        """Ask again and again, each time over a stream that broke off (opencode)."""
        assert isinstance(self.dialect, OpenCode)
        for _ in range(steps):
            self.dialect.begins()
            self.dialect.says("I wri")
            self.dialect.steps("unknown", 0.0)
            player.sleep(0.02)

    def done_on_term(self) -> None:
        """Answer TERM as a program whose model is quick: with the end of a good run (seen with Claude Code)."""

        def done(*_: object) -> None:
            player.log("term")
            self.says("Stopped the command, but all was done.\n\nTASK_COMPLETE")
            self.ends()
            player.leave(0)

        signal.signal(signal.SIGTERM, done)

    def by_name(self) -> dict[str, object]:
        names = (name for name in vars(Steps) if not name.startswith("_") and name != "by_name")
        return {name: getattr(self, name) for name in names}


if __name__ == "__main__":
    vars(player).update(Steps(DIALECTS[sys.argv[2]]()).by_name())  # player.main finds a step by its name
    player.main()
