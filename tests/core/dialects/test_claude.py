"""Claude Code's stream-json (O16, B1): the message, limits and retries, denials, cost."""

from __future__ import annotations

import pytest

from ralph_wiggum.core.dialects.heard import MESSAGE_LIMIT, NOTICES
from ralph_wiggum.core.evidence import Notice, Usage
from tests.core.dialects.hearing import heard, listen

INIT = {"type": "system", "subtype": "init", "session_id": "5e551011", "tools": ["Bash"], "model": "claude-x"}


def says(*texts: str, number: str = "m1", parent: str | None = None) -> dict[str, object]:
    return assistant(*({"type": "text", "text": text} for text in texts), number=number, parent=parent)


def uses(command: str, number: str = "m1", parent: str | None = None) -> dict[str, object]:
    use = {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": command}}
    return assistant(use, number=number, parent=parent)


def assistant(*content: object, number: str = "m1", parent: str | None = None) -> dict[str, object]:
    message = {"id": number, "role": "assistant", "model": "claude-x", "content": list(content)}
    return {"type": "assistant", "message": message, "parent_tool_use_id": parent, "session_id": "5e551011"}


def answers(text: str) -> dict[str, object]:
    content = [{"type": "tool_result", "tool_use_id": "t1", "content": text, "is_error": False}]
    return {"type": "user", "message": {"role": "user", "content": content}, "session_id": "5e551011"}


def shows_error(text: str, error: str) -> dict[str, object]:
    content = [{"type": "text", "text": text}]
    return {"type": "assistant", "message": {"model": "<synthetic>", "id": "e1", "content": content}, "error": error}


def limit(status: str, **more: object) -> dict[str, object]:
    info = {"status": status, "resetsAt": 1_800_000_000, "rateLimitType": "five_hour", "isUsingOverage": False, **more}
    return {"type": "rate_limit_event", "rate_limit_info": info, "session_id": "5e551011"}


def retry(attempt: int, status: int | None, error: str) -> dict[str, object]:
    return {
        "type": "system",
        "subtype": "api_retry",
        "attempt": attempt,
        "max_retries": 10,
        "retry_delay_ms": 1500.5,
        "error_status": status,
        "error": error,
    }


def result(text: str = "Done.\n\nTASK_COMPLETE", **more: object) -> dict[str, object]:
    usage = {
        "input_tokens": 40,
        "cache_creation_input_tokens": 300,
        "cache_read_input_tokens": 5000,
        "output_tokens": 7,
    }
    return {
        "type": "result",
        "subtype": "success",
        "is_error": False,
        "api_error_status": None,
        "result": text,
        "session_id": "5e551011",
        "total_cost_usd": 0.25,
        "usage": usage,
        "permission_denials": [],
        "terminal_reason": "completed",
        **more,
    }


def test_a_good_run_gives_message_cost_and_session() -> None:
    found, shown = listen(
        "claude", INIT, says("I will look."), uses("npm test"), answers("ok"), says("Done.\n\nTASK_COMPLETE", number="m2"), result()
    )  # fmt: skip
    assert found.message == "Done.\n\nTASK_COMPLETE"
    assert (found.completed, found.flagged, found.notices, found.denied) == (True, False, (), ())
    assert found.usage == Usage(input_tokens=5340, output_tokens=7, cached_tokens=5000, cost=0.25)
    assert found.session == "5e551011"
    assert shown == "I will look.\nBash: npm test\nDone.\n\nTASK_COMPLETE\n"


def test_blocks_of_one_message_that_come_one_by_one_are_one_message() -> None:
    found = heard(
        "claude", INIT, says("First."), assistant({"type": "thinking", "thinking": "…"}), says("TASK_COMPLETE")
    )
    assert found.message == "First.\nTASK_COMPLETE"
    assert found.completed is False


def test_a_message_after_a_tool_is_another_even_with_the_same_id() -> None:
    assert heard("claude", says("First."), uses("ls"), answers(""), says("Second.")).message == "Second."


def test_a_claim_that_was_followed_by_work_is_not_final() -> None:
    """O16: the last non-empty line of the final message, and this one was not."""
    found = heard("claude", says("Nearly.\nTASK_COMPLETE"), uses("npm test"))
    assert found.message == "Nearly.\nTASK_COMPLETE\n\n(it went on with Bash: npm test)"


def test_a_last_turn_without_text_leaves_the_message_that_work_followed() -> None:
    found = heard("claude", says("TASK_COMPLETE"), uses("npm test"), answers(""), result(""))
    assert found.message.endswith("(it went on with Bash: npm test)")
    assert found.completed is True


def test_what_a_sub_agent_says_is_no_message() -> None:
    found, shown = listen(
        "claude", says("I ask another."), uses("ls", parent="t1"), says("TASK_COMPLETE", number="m9", parent="t1")
    )
    assert found.message == "I ask another."
    assert shown == "I ask another.\n  Bash: ls\n"


def test_a_tool_result_with_a_claim_is_no_message() -> None:
    assert heard("claude", INIT, uses("cat log"), answers("TASK_COMPLETE")).message == ""


def test_a_rejected_limit_is_a_notice_with_its_reset() -> None:
    words = "You've hit your limit · resets 7:43am (UTC)"
    failed = result(words, is_error=True, api_error_status=429)
    found = heard("claude", INIT, limit("rejected"), shows_error(words, "rate_limit"), failed)
    assert found.notices == (
        Notice(kind="rate_limit", status=429, text="usage limit reached: five_hour", resets_at=1_800_000_000.0),
        Notice(kind="rate_limit", status=429, text=words, resets_at=1_800_000_000.0, final=True),
    )
    assert (found.completed, found.flagged, found.message) == (True, True, "")


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(limit("allowed"), id="allowed"),
        pytest.param(limit("allowed_warning", utilization=0.95), id="only a warning"),
        pytest.param(limit("rejected", isUsingOverage=True), id="paid extra usage covers it"),
        pytest.param({"type": "rate_limit_event"}, id="without what it is about"),
        pytest.param({"type": "rate_limit_event", "rate_limit_info": [1]}, id="of another kind"),
    ],
)
def test_a_limit_that_ends_nothing_is_no_notice(event: object) -> None:
    assert heard("claude", INIT, event, says("On I go.")).notices == ()


def test_retries_are_notices_that_are_stale_once_the_model_answered() -> None:
    trying = heard("claude", INIT, retry(1, 529, "overloaded"), retry(2, 529, "overloaded"))
    assert trying.notices[-1] == Notice(
        kind="overloaded", status=529, text="overloaded; retry 2 of 10", retry_after=1.5005
    )
    assert [notice.stale for notice in trying.notices] == [False, False]
    for event in (says("Here."), uses("ls"), uses("ls", parent="t1"), assistant({"type": "thinking"})):
        served = heard("claude", INIT, retry(1, 529, "overloaded"), retry(2, 529, "overloaded"), event)
        assert [notice.stale for notice in served.notices] == [True, True]


def test_a_retry_without_a_status_is_one_of_the_network() -> None:
    (notice,) = heard("claude", retry(1, None, "unknown")).notices
    assert (notice.kind, notice.status) == ("unknown", 0)


@pytest.mark.parametrize(
    ("event", "before", "notice"),
    [
        pytest.param(
            result("Credit balance is too low", is_error=True, api_error_status=400),
            shows_error("Credit balance is too low", "billing_error"),
            Notice(kind="billing_error", status=400, text="Credit balance is too low", final=True),
            id="no credit",
        ),
        pytest.param(
            result("Prompt is too long", is_error=True, api_error_status=400, terminal_reason="prompt_too_long"),
            shows_error("Prompt is too long", "invalid_request"),
            Notice(kind="prompt_too_long", status=400, text="Prompt is too long", final=True),
            id="the reason says more than the kind of error",
        ),
        pytest.param(
            result("API Error: 529 Overloaded. Try again.", is_error=True),
            INIT,
            Notice(status=529, text="API Error: 529 Overloaded. Try again.", final=True),
            id="the status stands in the text",
        ),
        pytest.param(
            result("API Error: Request rejected (429) · Slow down", is_error=True),
            INIT,
            Notice(status=429, text="API Error: Request rejected (429) · Slow down", final=True),
            id="the status stands in brackets",
        ),
        pytest.param(
            {"type": "result", "subtype": "error_max_turns", "is_error": True, "errors": ["Reached maximum (2)"]},
            says("Half done."),
            Notice(kind="error_max_turns", text="Reached maximum (2)", final=True),
            id="turns used up",
        ),
        pytest.param(
            {"type": "result", "subtype": "error_during_execution", "is_error": True},
            INIT,
            Notice(kind="error_during_execution", text="error_during_execution", final=True),
            id="no words at all",
        ),
    ],
)
def test_an_error_that_ended_the_run_is_its_last_notice(event: object, before: object, notice: Notice) -> None:
    found = heard("claude", before, event)
    assert found.notices == (notice,)
    assert (found.completed, found.flagged) == (True, True)


def test_a_message_that_shows_an_error_is_not_the_models() -> None:
    found = heard("claude", says("Half done."), shows_error("API Error: 500 Internal server error", "server_error"))
    assert found.message == "Half done."
    assert found.notices == (Notice(kind="server_error", status=500, text="API Error: 500 Internal server error"),)


def test_a_message_of_the_programs_own_that_is_no_error_is_only_shown() -> None:
    found, shown = listen("claude", says("Done."), shows_error("No response requested.", ""))
    assert (found.notices, found.message) == ((), "Done.")
    assert shown.endswith("No response requested.\n")
    without_word = heard("claude", shows_error("API Error: 502 Bad gateway", ""))
    assert without_word.notices == (Notice(status=502, text="API Error: 502 Bad gateway"),)


def test_words_of_a_limit_by_the_model_itself_are_no_notice() -> None:
    """B1: a repository about rate limits must not stop the night."""
    words = "API Error: 429 is handled now; you've hit your limit · resets 3pm\n\nTASK_COMPLETE"
    found = heard("claude", INIT, says(words), result(words))
    assert (found.notices, found.message, found.flagged) == ((), words, False)


def test_refused_tools_are_told_once_each() -> None:
    denials = [
        {"tool_name": "Bash", "tool_use_id": "t1", "tool_input": {"command": "rm -rf build"}},
        {"tool_name": "Bash", "tool_use_id": "t2", "tool_input": {"command": "rm -rf build"}},
        {"tool_name": "Write", "tool_input": {"file_path": "a.txt", "content": "x" * 1000}},
        "what is this",
    ]
    found = heard("claude", result(permission_denials=denials))
    assert found.denied == ("Bash: rm -rf build", "Write: a.txt", "a tool")


def test_a_run_that_goes_on_after_its_result_has_not_ended() -> None:
    found = heard(
        "claude", says("One.\nTASK_COMPLETE"), result("One.\nTASK_COMPLETE"), says("More to do.", number="m3")
    )
    assert (found.completed, found.message) == (False, "More to do.")


def test_the_figures_of_the_last_result_count() -> None:
    assert heard("claude", result(), result(total_cost_usd=0.75)).usage == Usage(
        input_tokens=5340, output_tokens=7, cached_tokens=5000, cost=0.75
    )
    assert heard("claude", INIT, says("Cut off")).usage is None
    assert heard("claude", {"type": "result", "subtype": "success", "usage": {"output_tokens": 3}}).usage == Usage(
        output_tokens=3
    )


def test_only_the_end_of_a_giant_message_is_kept() -> None:
    found, shown = listen("claude", says("x" * 3_000_000 + "\nTASK_COMPLETE"))
    assert len(found.message) == MESSAGE_LIMIT
    assert found.message.endswith("x\nTASK_COMPLETE")
    assert len(shown) < 10_000


def test_only_the_latest_notices_are_kept() -> None:
    found = heard("claude", *(retry(number, 500, "server_error") for number in range(200)))
    assert len(found.notices) == NOTICES
    assert found.notices[-1].text == "server_error; retry 199 of 10"


def test_sequences_are_gone_from_all_texts() -> None:
    found, shown = listen("claude", says("\x1b[31mred\x1b[0m \u202etxt\nTASK_COMPLETE\x07"), uses("echo \x1b]0;x\x07y"))
    assert found.message.startswith("red txt\nTASK_COMPLETE\n")
    assert shown == "red txt\nTASK_COMPLETE\nBash: echo y\n"
