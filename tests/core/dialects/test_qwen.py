"""Qwen Code's stream-json: errors that look like success (B1)."""

from __future__ import annotations

import pytest

from ralph_wiggum.core.evidence import Notice, Usage
from tests.core.dialects.hearing import heard
from tests.core.dialects.test_claude import INIT, assistant, says, uses

USAGE = {"input_tokens": 900, "output_tokens": 80, "cache_read_input_tokens": 400, "total_tokens": 980}


def result(text: str, **more: object) -> dict[str, object]:
    return {
        "type": "result",
        "subtype": "success",
        "is_error": False,
        "result": text,
        "usage": USAGE,
        "session_id": "5e551011",
        "permission_denials": [],
        **more,
    }


def test_a_good_run() -> None:
    found = heard("qwen", INIT, uses("ls"), says("Done.\nTASK_COMPLETE", number="m2"), result("Done.\nTASK_COMPLETE"))
    assert (found.completed, found.flagged, found.message, found.notices) == (True, False, "Done.\nTASK_COMPLETE", ())
    assert found.usage == Usage(input_tokens=900, output_tokens=80, cached_tokens=400), "no cost"
    assert found.session == "5e551011"


@pytest.mark.parametrize(
    ("text", "notice"),
    [
        (
            "[API Error: 401 Incorrect API key provided.]",
            Notice(status=401, text="401 Incorrect API key provided.", final=True),
        ),
        (
            "[API Error: 400 This model's maximum context length is 1000 tokens.]",
            Notice(status=400, text="400 This model's maximum context length is 1000 tokens.", final=True),
        ),
        ("[API Error: terminated]", Notice(text="terminated", final=True)),
    ],
)
def test_an_error_in_the_text_is_one(text: str, notice: Notice) -> None:
    found = heard("qwen", INIT, says("Half done."), says(text, number="m2"), result(text))
    assert found.notices == (notice,)
    assert (found.completed, found.flagged, found.message) == (True, True, "Half done.")


def test_a_text_that_was_cut_off_by_an_error_is_no_success() -> None:
    blocks = [{"type": "text", "text": "I wrote\nTASK_COMPLETE"}, {"type": "text", "text": "[API Error: terminated]"}]
    found = heard("qwen", INIT, assistant(*blocks), result("I wrote\nTASK_COMPLETE"))
    assert (found.completed, found.flagged) == (True, True)
    assert found.notices == (Notice(text="terminated", final=True),)


def test_an_error_that_the_model_got_over_is_stale() -> None:
    found = heard(
        "qwen", INIT, says("[API Error: 500 oops]"), says("TASK_COMPLETE", number="m2"), result("TASK_COMPLETE")
    )
    assert (found.flagged, found.message) == (False, "TASK_COMPLETE")
    assert found.notices == (Notice(status=500, text="500 oops", stale=True),)


def test_the_words_further_down_are_the_models() -> None:
    words = "I handle the text [API Error: 429 …] now.\nTASK_COMPLETE"
    found = heard("qwen", says(words), result(words))
    assert (found.flagged, found.notices, found.message) == (False, (), words)
