"""What a person sees of a tool that failed, whatever the vendor's words for it (issue: tool start and end)."""

from __future__ import annotations

import pytest

from tests.core.dialects.hearing import listen

COMMAND = {"command": "npm test"}
CLAUDE_USES = {
    "type": "assistant",
    "message": {"id": "m", "content": [{"type": "tool_use", "name": "Bash", "input": COMMAND}]},
}


def result(content: object, *, is_error: bool) -> dict[str, object]:
    block = {"type": "tool_result", "tool_use_id": "t", "content": content, "is_error": is_error}
    return {"type": "user", "message": {"role": "user", "content": [block]}}


def opencode(**state: object) -> dict[str, object]:
    return {"type": "tool_use", "part": {"tool": "bash", "state": {"input": COMMAND, **state}}}


def codex(code: object) -> dict[str, object]:
    item = {"type": "command_execution", "command": "npm test", "exit_code": code}
    return {"type": "item.completed", "item": item}


def copilot(error: object, *, success: bool) -> dict[str, object]:
    return {"type": "tool.execution_complete", "data": {"success": success, "error": error}}


@pytest.mark.parametrize(
    ("dialect", "events", "shown"),
    [
        ("claude", [CLAUDE_USES, result("Exit code 1\n1 failed", is_error=True)], "  failed: Exit code 1 1 failed\n"),
        ("claude", [CLAUDE_USES, result([{"type": "text", "text": "no"}], is_error=True)], "  failed: no\n"),
        ("claude", [CLAUDE_USES, result("all passed", is_error=False)], ""),
        ("qwen", [CLAUDE_USES, result("", is_error=True)], "  failed: no reason was told\n"),
        ("codex", [codex(2)], "  failed: exit code 2\n"),
        ("codex", [codex(0)], ""),
        ("codex", [codex(None)], ""),
        ("gemini", [{"type": "tool_result", "status": "error", "output": "exit 1"}], "  failed: exit 1\n"),
        ("gemini", [{"type": "tool_result", "status": "error", "error": {"message": "no"}}], "  failed: no\n"),
        ("gemini", [{"type": "tool_result", "status": "success", "output": "fine"}], ""),
        ("opencode", [opencode(status="completed", metadata={"exit": 3})], "  failed: exit code 3\n"),
        ("opencode", [opencode(status="error", error="not found")], "  failed: not found\n"),
        ("opencode", [opencode(status="completed", metadata={"exit": 0})], ""),
        ("copilot", [copilot({"message": "no such file"}, success=False)], "  failed: no such file\n"),
        ("copilot", [copilot(None, success=True)], ""),
    ],
)
def test_a_tool_that_failed_is_told(dialect: str, events: list[dict[str, object]], shown: str) -> None:
    _, told = listen(dialect, *events)
    assert told.endswith(shown)
    assert ("failed" in told) is bool(shown)
    assert "\x1b" not in told
