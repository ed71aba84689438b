"""Codex CLI's `exec --json`: items, retries, a turn that failed (O16, B1)."""

from __future__ import annotations

import pytest

from ralph_wiggum.core.evidence import Notice, Usage
from tests.core.dialects.hearing import heard, listen

BEGUN: list[object] = [{"type": "thread.started", "thread_id": "t-1"}, {"type": "turn.started"}]
USAGE = {"input_tokens": 4000, "cached_input_tokens": 3000, "output_tokens": 90, "reasoning_output_tokens": 50}


def item(kind: str, done: bool = True, **more: object) -> dict[str, object]:  # noqa: FBT001, FBT002 - reads well here
    return {"type": f"item.{'completed' if done else 'started'}", "item": {"id": "i1", "type": kind, **more}}


def error(message: str) -> dict[str, object]:
    return {"type": "error", "message": message}


def failed(message: str) -> dict[str, object]:
    return {"type": "turn.failed", "error": {"message": message}}


DONE = {"type": "turn.completed", "usage": USAGE}


def test_a_good_run() -> None:
    found, shown = listen(
        "codex",
        *BEGUN,
        item("reasoning", text="hm"),
        item("command_execution", done=False, command="/bin/bash -lc 'npm test'", status="in_progress"),
        item("command_execution", command="/bin/bash -lc 'npm test'", aggregated_output="TASK_COMPLETE", exit_code=0),
        item("file_change", changes=[{"path": "a.py", "kind": "add"}, {"path": "b.py", "kind": "update"}]),
        item("mcp_tool_call", done=False, server="docs", tool="search", arguments={"query": "x"}),
        item("agent_message", text="Done.\n\nTASK_COMPLETE"),
        DONE,
    )
    assert (found.message, found.completed, found.flagged) == ("Done.\n\nTASK_COMPLETE", True, False)
    assert found.usage == Usage(input_tokens=4000, output_tokens=90, cached_tokens=3000)
    assert (found.session, found.notices) == ("t-1", ())
    assert shown == ("command: /bin/bash -lc 'npm test'\nfile change: a.py, b.py\nsearch: x\nDone.\n\nTASK_COMPLETE\n")


def test_the_last_message_counts() -> None:
    first, second = item("agent_message", text="One"), item("agent_message", text="Two")
    second["item"] = {**second["item"], "id": "i2"}  # type: ignore[dict-item]  # it is a dict
    assert heard("codex", *BEGUN, first, second, DONE).message == "Two"


def test_usage_counts_from_the_beginning_of_the_thread() -> None:
    more = {"type": "turn.completed", "usage": {**USAGE, "input_tokens": 9000}}
    assert heard("codex", *BEGUN, DONE, {"type": "turn.started"}, more).usage == Usage(
        input_tokens=9000, output_tokens=90, cached_tokens=3000
    )


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("You’ve hit your usage limit. Upgrade to Pro or try again at Nov 23rd, 2026 6:23 PM.", 0),
        ("exceeded retry limit, last status: 429 Too Many Requests", 429),
        ("unexpected status 401 Unauthorized: Incorrect API key provided, url: http://127.0.0.1/v1", 401),
        ("Codex ran out of room in the model's context window.", 0),
    ],
)
def test_a_turn_that_failed_is_one_final_notice(words: str, status: int) -> None:
    found = heard("codex", *BEGUN, error(words), failed(words))
    assert found.notices == (Notice(kind="turn.failed", status=status, text=words, final=True),)
    assert (found.completed, found.flagged) == (True, True)


def test_reconnecting_goes_on_trying() -> None:
    words = "Reconnecting... 1/5 (unexpected status 529 <unknown status code>: Overloaded)"
    found = heard("codex", *BEGUN, error(words))
    assert found.notices == (Notice(kind="error", status=529, text=words),)
    assert (found.completed, found.flagged) == (False, False)
    served = heard("codex", *BEGUN, error(words), item("agent_message", text="TASK_COMPLETE"), DONE)
    assert served.notices == (Notice(kind="error", status=529, text=words, stale=True),)


def test_an_item_of_kind_error_is_a_warning() -> None:
    found, shown = listen("codex", *BEGUN, item("error", message="Model metadata not found."))
    assert found.notices == ()
    assert shown == "Model metadata not found.\n"


def test_a_turn_that_began_anew_has_not_ended() -> None:
    assert heard("codex", *BEGUN, item("agent_message", text="x"), DONE, {"type": "turn.started"}).completed is False


def test_a_turn_that_failed_without_words_is_told() -> None:
    assert heard("codex", {"type": "turn.failed"}).notices[0].text == "the turn failed"
