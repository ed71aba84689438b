"""Gemini CLI's stream-json: a text in pieces, a result that says error (O16, B1)."""

from __future__ import annotations

import pytest

from ralph_wiggum.core.evidence import Notice, Usage
from tests.core.dialects.hearing import heard, listen

INIT = {"type": "init", "session_id": "g-1", "model": "auto"}
USER = {"type": "message", "role": "user", "content": "TASK_COMPLETE"}
STATS = {"total_tokens": 3150, "input_tokens": 3000, "output_tokens": 150, "cached": 100}


def piece(text: str) -> dict[str, object]:
    return {"type": "message", "role": "assistant", "content": text, "delta": True}


def uses(command: str) -> dict[str, object]:
    return {"type": "tool_use", "tool_name": "run_shell_command", "parameters": {"command": command}}


def result(status: str = "success", **more: object) -> dict[str, object]:
    return {"type": "result", "status": status, "stats": STATS, **more}


def test_pieces_are_put_together() -> None:
    found, shown = listen(
        "gemini", INIT, USER, piece("I will "), piece("look."), uses("ls"), piece("Done.\nTA"), piece("SK_COMPLETE"), result()
    )  # fmt: skip
    assert (found.message, found.completed, found.flagged) == ("Done.\nTASK_COMPLETE", True, False)
    assert found.usage == Usage(input_tokens=3000, output_tokens=150, cached_tokens=100)
    assert found.session == "g-1"
    assert shown == "I will look.\nrun_shell_command: ls\nDone.\nTASK_COMPLETE\n"


def test_a_whole_message_is_taken_too() -> None:
    whole = {"type": "message", "role": "assistant", "content": "TASK_COMPLETE"}
    assert heard("gemini", piece("x"), USER, whole).message == "TASK_COMPLETE"


def test_an_error_of_the_api_is_unwrapped() -> None:
    body = '[API Error: {"error":{"code":401,"message":"API key not valid.","status":"UNAUTHENTICATED","details":[]}}]'
    found = heard("gemini", INIT, USER, result("error", error={"type": "unknown", "message": body}))
    assert found.notices == (Notice(kind="UNAUTHENTICATED", status=401, text="API key not valid.", final=True),)
    assert (found.completed, found.flagged) == (True, True)


def test_a_limit_with_the_time_to_wait() -> None:
    words = "[API Error: You exceeded your quota.\nPlease retry in 3600.5s.]\nPlease wait and try again later."
    (notice,) = heard("gemini", result("error", error={"type": "quota", "message": words})).notices
    assert (notice.kind, notice.retry_after) == ("quota", 3600.5)
    assert notice.text == "You exceeded your quota. Please retry in 3600.5s."


def test_a_stream_that_was_cut_is_an_error_at_exit_code_0() -> None:
    found = heard("gemini", piece("I wrote\nTASK_COMPLETE"), result("error"))
    assert (found.completed, found.flagged) == (True, True)
    assert found.notices[0].final


@pytest.mark.parametrize(("severity", "notices"), [("warning", 0), ("error", 1)])
def test_a_warning_is_no_notice(severity: str, notices: int) -> None:
    found, shown = listen("gemini", {"type": "error", "severity": severity, "message": "Loop detected"}, result())
    assert len(found.notices) == notices
    assert "Loop detected" in shown
