"""GitHub Copilot CLI's JSON: pieces and then the whole, failures of calls, the error that ended it (O16, B1)."""

from __future__ import annotations

import pytest

from ralph_wiggum.core.evidence import Notice
from tests.core.dialects.hearing import heard, listen


def event(kind: str, **data: object) -> dict[str, object]:
    return {"type": kind, "data": data, "id": "e"}


def piece(text: str, message: str = "m1", **more: object) -> dict[str, object]:
    return event("assistant.message_delta", messageId=message, deltaContent=text, **more)


def whole(text: str, message: str = "m1", **more: object) -> dict[str, object]:
    return event("assistant.message", messageId=message, content=text, **more)


def uses(command: str, **more: object) -> dict[str, object]:
    return event("tool.execution_start", toolName="bash", arguments={"command": command}, **more)


def result(code: object = 0) -> dict[str, object]:
    return {"type": "result", "sessionId": "c-1", "exitCode": code, "usage": {"premiumRequests": 0}}


NOISE = event("session.background_tasks_changed")


def test_a_good_run() -> None:
    found, shown = listen(
        "copilot", NOISE, whole("", toolRequests=[{}]), uses("ls"), NOISE, piece("Done.\nTA", "m2"), piece("SK_COMPLETE", "m2"), whole("Done.\nTASK_COMPLETE", "m2"), NOISE, result()
    )  # fmt: skip
    assert (found.message, found.completed, found.flagged) == ("Done.\nTASK_COMPLETE", True, False)
    assert (found.session, found.usage, found.notices) == ("c-1", None, ())
    assert shown == "bash: ls\nDone.\nTASK_COMPLETE\n"


def test_pieces_without_their_whole_are_the_message() -> None:
    assert heard("copilot", piece("I am ", "m2"), piece("cut", "m2")).message == "I am cut"


def test_what_a_sub_agent_says_is_no_message() -> None:
    found, shown = listen(
        "copilot",
        whole("I ask another."),
        uses("ls", parentToolCallId="t"),
        piece("TASK_", "m9", parentToolCallId="t"),
        whole("TASK_COMPLETE", "m9", parentToolCallId="t"),
    )
    assert found.message == "I ask another."
    assert shown == "I ask another.\n  bash: ls\n"


def test_a_failed_call_and_the_error_that_ended_it() -> None:
    body = '{"message": "Overloaded", "type": "server_error", "param": null, "code": null}'
    found = heard(
        "copilot",
        event("model.call_failure", statusCode=529, errorMessage=body, errorCode="overloaded"),
        event("session.error", errorType="query", statusCode=529, message="Failed; retried 5 times Last error: 529 Overloaded"),
        result(1),
    )  # fmt: skip
    assert found.notices == (
        Notice(kind="overloaded", status=529, text="Overloaded"),
        Notice(kind="query", status=529, text="Failed; retried 5 times Last error: 529 Overloaded", final=True),
    )
    assert (found.completed, found.flagged) == (True, True)


def test_a_failed_call_that_was_got_over_is_stale() -> None:
    failure = event("model.call_failure", statusCode=500, errorMessage="oops", errorType="server_error")
    found = heard("copilot", failure, failure, piece("TASK_COMPLETE"), whole("TASK_COMPLETE"), result())
    assert found.notices == (Notice(kind="server_error", status=500, text="oops", stale=True),)
    assert found.flagged is False


@pytest.mark.parametrize(("code", "flagged"), [(0, False), (1, True), (-15, True), (None, False), ([1], False)])
def test_the_exit_code_flags_the_end(code: object, flagged: bool) -> None:  # noqa: FBT001 - a column of a table
    found = heard("copilot", whole("x"), result(code))
    assert (found.completed, found.flagged) == (True, flagged)


def test_a_tool_that_its_own_rules_refused_is_named() -> None:
    """--allow-all-tools without --allow-all-paths refuses what touches /dev/null (1.0.102)."""
    refused = event("tool.execution_complete", success=False, error={"message": "Permission denied", "code": "denied"})
    found = heard("copilot", uses("cat /dev/zero"), refused, whole("I could not."), result())
    assert found.denied == ("bash: cat /dev/zero",)
    failed = event("tool.execution_complete", success=False, error={"message": "exit 1", "code": "failure"})
    assert heard("copilot", uses("false"), failed, result()).denied == ()
