"""opencode's `run --format json`: steps that are added up, errors, and a stream that breaks off for ever (B1)."""

from __future__ import annotations

import pytest

from ralph_wiggum.core.dialects.opencode import BROKEN, BROKEN_STEPS
from ralph_wiggum.core.dialects.reader import Reader
from ralph_wiggum.core.dialects.table import DIALECTS
from ralph_wiggum.core.evidence import Notice, Usage
from tests.core.dialects.hearing import heard, line, listen

START = {"type": "step_start", "sessionID": "ses_1", "part": {"type": "step-start"}}


def says(text: str, message: str = "m1") -> dict[str, object]:
    return {"type": "text", "sessionID": "ses_1", "part": {"type": "text", "messageID": message, "text": text}}


def uses(command: str) -> dict[str, object]:
    part = {"type": "tool", "tool": "bash", "state": {"status": "completed", "input": {"command": command}, "output": "TASK_COMPLETE"}}  # fmt: skip
    return {"type": "tool_use", "sessionID": "ses_1", "part": part}


def finish(reason: str, cost: float = 0.25) -> dict[str, object]:
    tokens = {"input": 100, "output": 20, "reasoning": 5, "cache": {"read": 1000, "write": 50}}
    return {"type": "step_finish", "sessionID": "ses_1", "part": {"reason": reason, "cost": cost, "tokens": tokens}}


def error(name: str, **data: object) -> dict[str, object]:
    return {"type": "error", "sessionID": "ses_1", "error": {"name": name, "data": data}}


def test_a_good_run_adds_up_its_steps() -> None:
    found, shown = listen(
        "opencode", START, uses("npm test"), finish("tool-calls"), START, says("Done.\nTASK_COMPLETE"), finish("stop")
    )
    assert (found.message, found.completed, found.flagged) == ("Done.\nTASK_COMPLETE", True, False)
    assert found.usage == Usage(input_tokens=2300, output_tokens=50, cached_tokens=2000, cost=0.5)
    assert found.session == "ses_1"
    assert shown == "bash: npm test\nDone.\nTASK_COMPLETE\n"


def test_parts_of_one_message_belong_together() -> None:
    assert heard("opencode", START, says("One."), says("TASK_COMPLETE")).message == "One.\nTASK_COMPLETE"
    assert heard("opencode", START, says("One."), says("Two.", "m2")).message == "Two."


@pytest.mark.parametrize(
    ("reason", "completed"),
    [("stop", True), ("length", True), ("tool-calls", False), ("unknown", False), ("error", False), ("", False)],
)
def test_the_run_is_over_when_a_step_asks_for_nothing_more(reason: str, completed: bool) -> None:  # noqa: FBT001 - a column of a table
    assert heard("opencode", START, says("x"), finish(reason)).completed is completed
    assert heard("opencode", START, finish(reason), START).completed is False


@pytest.mark.parametrize(
    ("event", "notice"),
    [
        pytest.param(
            error("APIError", message="Bad key.", statusCode=401, responseBody='{"error": {"code": "invalid_api_key"}}'),
            Notice(kind="invalid_api_key", status=401, text="Bad key.", final=True),
            id="the code of the body says more",
        ),
        pytest.param(
            error("APIError", message="Slow. Please try again in 20s.", statusCode=429, responseBody="<html>"),
            Notice(kind="APIError", status=429, text="Slow. Please try again in 20s.", retry_after=20.0, final=True),
            id="the wait stands in the text",
        ),
        pytest.param(
            error("APIError", message="Slow.", statusCode=429, responseHeaders={"retry-after": "77"}),
            Notice(kind="APIError", status=429, text="Slow.", retry_after=77.0, final=True),
            id="the wait stands in a header",
        ),
        pytest.param(
            error("APIError", message="Slow.", responseHeaders={"retry-after": "Fri, 20 Nov 2026 06:45:56 GMT"}),
            Notice(kind="APIError", text="Slow.", final=True),
            id="a header with a date",
        ),
        pytest.param(
            error("ContextOverflowError", message="Too long.", responseBody='{"error": {"code": "context_length_exceeded"}}'),
            Notice(kind="ContextOverflowError", text="Too long.", final=True),
            id="a name that says it",
        ),
        pytest.param({"type": "error"}, Notice(text="", final=True), id="nothing said"),
    ],
)  # fmt: skip
def test_an_error_is_a_final_notice(event: object, notice: Notice) -> None:
    found = heard("opencode", event, event)
    assert found.notices == (notice,), "told twice, kept once"
    assert (found.completed, found.flagged) == (True, True)


def looped(*events: object) -> bool:
    reader = Reader(DIALECTS["opencode"])
    for event in events:
        reader.hear(line(event))
    return reader.looped


def test_steps_that_break_off_again_and_again_are_a_loop() -> None:
    broken: list[object] = [START, says("I wr"), finish("unknown", cost=0.0)]
    assert not looped(*broken * (BROKEN_STEPS - 1))
    assert heard("opencode", *broken * (BROKEN_STEPS - 1)).notices == ()
    assert looped(*broken * BROKEN_STEPS)
    found = heard("opencode", *broken * (BROKEN_STEPS + 5))
    (notice,) = found.notices
    assert (notice.kind, notice.stale, notice.final) == (BROKEN, False, False)
    assert found.completed is False


def test_a_step_that_did_something_begins_the_count_anew() -> None:
    broken: list[object] = [START, finish("unknown")]
    most = broken * (BROKEN_STEPS - 1)
    assert not looped(*most, START, uses("ls"), finish("unknown"), *most[:-2])
    assert not looped(*most, START, finish("tool-calls"), *most)
