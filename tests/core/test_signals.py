"""O16: the signal is the last non-empty line of the final message, and nothing else is one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ralph_wiggum.core.evidence import Claim
from ralph_wiggum.core.signals import SUMMARY_LIMIT, defuse, read, summary


@pytest.mark.parametrize(
    ("message", "claim", "detail"),
    [
        pytest.param("Done.\n\nTASK_COMPLETE", Claim.TASK_COMPLETE, "", id="alone on the last line"),
        pytest.param("TASK_COMPLETE\n\n  \n", Claim.TASK_COMPLETE, "", id="blank lines after it do not count"),
        pytest.param("Done.\r\nTASK_COMPLETE\r\n", Claim.TASK_COMPLETE, "", id="CRLF"),
        pytest.param("> TASK_COMPLETE", Claim.TASK_COMPLETE, "", id="kiro's prompt sign is taken off"),
        pytest.param("TASK_COMPLETE\n> ", Claim.TASK_COMPLETE, "", id="a lone prompt sign after it is an empty line"),
        pytest.param("  TASK_COMPLETE", Claim.TASK_COMPLETE, "", id="indented"),
        pytest.param("**TASK_COMPLETE**", Claim.TASK_COMPLETE, "", id="bold"),
        pytest.param("`TASK_COMPLETE`", Claim.TASK_COMPLETE, "", id="in backticks"),
        pytest.param("**`TASK_COMPLETE`**", Claim.TASK_COMPLETE, "", id="bold and in backticks"),
        pytest.param("_TASK_COMPLETE_", Claim.TASK_COMPLETE, "", id="in emphasis"),
        pytest.param("TASK_COMPLETE.", Claim.TASK_COMPLETE, "", id="with a full stop"),
        pytest.param("**TASK_COMPLETE**.", Claim.TASK_COMPLETE, "", id="bold with a full stop"),
        pytest.param("\ufeffTASK_COMPLETE\u200b", Claim.TASK_COMPLETE, "", id="invisible characters around it"),
        pytest.param("TASK_SKIPPED: no database", Claim.TASK_SKIPPED, "no database", id="a reason"),
        pytest.param("**TASK_SKIPPED:** no database", Claim.TASK_SKIPPED, "no database", id="bold word, plain reason"),
        pytest.param("`TASK_SKIPPED`: run `make`", Claim.TASK_SKIPPED, "run `make`", id="a reason that ends in code"),
        pytest.param("**TASK_SKIPPED: no key**", Claim.TASK_SKIPPED, "no key", id="all of it bold"),
        pytest.param("TASK_SKIPPED：缺少密钥", Claim.TASK_SKIPPED, "缺少密钥", id="a wide colon"),
        pytest.param("TASK_SKIPPED", Claim.TASK_SKIPPED, "", id="skipped without a reason is still a skip"),
        pytest.param("ALL_TASKS_COMPLETE", Claim.ALL_TASKS_COMPLETE, "", id="all tasks"),
        pytest.param("CHECKPOINT_PASSED: Backend", Claim.CHECKPOINT_PASSED, "Backend", id="checkpoint passed"),
        pytest.param("CHECKPOINT_SKIPPED: Backend", Claim.CHECKPOINT_SKIPPED, "Backend", id="checkpoint skipped"),
    ],
)
def test_o16_a_signal_on_the_last_line_is_read(message: str, claim: Claim, detail: str) -> None:
    said = read(message)
    assert (said.claim, said.detail) == (claim, detail)


@pytest.mark.parametrize(
    "message",
    [
        pytest.param("", id="an empty message"),
        pytest.param("TASK_COMPLETE\nAnything else?", id="a line after it"),
        pytest.param("Not TASK_COMPLETE yet", id="inside a sentence"),
        pytest.param("TASK_COMPLETE when all tests pass", id="words behind it"),
        pytest.param("Signal: TASK_COMPLETE", id="words before it"),
        pytest.param("TASK_COMPLETE: 2.1", id="a detail that this signal does not take"),
        pytest.param("task_complete", id="in small letters"),
        pytest.param("TASK COMPLETE", id="without the underscore"),
        pytest.param("- TASK_COMPLETE", id="as an item of a list: an echo of an explanation"),
        pytest.param("- `TASK_COMPLETE` says that the work is done.", id="a line of the prompt"),
        pytest.param("> > TASK_COMPLETE", id="a quote in a quote"),
        pytest.param("TASK_SKIPPED: <reason>", id="a placeholder in place of a reason"),
        pytest.param("TASK_SKIPPED no reason", id="no colon before the reason"),
        pytest.param("```\nTASK_COMPLETE\n```", id="in a fence, whose end is the last line"),
        pytest.param("CHECKPOINT_FAILED: x", id="a word that is no signal"),
        pytest.param("NO_CHANGE_NEEDED: was there", id="no change, but no signal after it"),
        pytest.param("TASK_COMPLETE\nNO_CHANGE_NEEDED: was there", id="the wrong way round"),
        pytest.param("TASK_COMPLETE TASK_COMPLETE", id="twice on a line"),
    ],
)
def test_o16_anything_else_is_no_signal(message: str) -> None:
    said = read(message)
    assert said.claim is Claim.NONE
    assert said.no_change is None


@pytest.mark.parametrize(
    ("message", "no_change"),
    [
        pytest.param("NO_CHANGE_NEEDED: 12 tests passed\nTASK_COMPLETE", "12 tests passed", id="directly before"),
        pytest.param("NO_CHANGE_NEEDED: there\n\n\nTASK_COMPLETE", "there", id="blank lines between"),
        pytest.param("**NO_CHANGE_NEEDED:** there\n**TASK_COMPLETE**", "there", id="both in bold"),
        pytest.param("NO_CHANGE_NEEDED: there\nMore.\nTASK_COMPLETE", None, id="further up it is nothing"),
        pytest.param("It said NO_CHANGE_NEEDED: there\nTASK_COMPLETE", None, id="not on a line of its own"),
        pytest.param("NO_CHANGE_NEEDED:\nTASK_COMPLETE", None, id="without a reason"),
        pytest.param("NO_CHANGE_NEEDED: <proof>\nTASK_COMPLETE", None, id="with a placeholder"),
        pytest.param("TASK_COMPLETE", None, id="not said"),
    ],
)
def test_o16_no_change_needed_stands_on_its_own_line_before_the_signal(message: str, no_change: str | None) -> None:
    said = read(message)
    assert (said.claim, said.no_change) == (Claim.TASK_COMPLETE, no_change)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param("Added a reader.\nTASK_COMPLETE", "Added a reader.", id="the signal is taken out"),
        pytest.param("Was there.\nNO_CHANGE_NEEDED: x\nTASK_COMPLETE", "Was there.", id="the no-change line too"),
        pytest.param("Only words", "Only words", id="without a signal the message is the summary"),
        pytest.param("Did\n```sh\nls\n```\nthat\nTASK_COMPLETE", "Did\nthat", id="fenced blocks are left out"),
        pytest.param("```\nAll in a fence\n```", "All in a fence", id="unless there is nothing else"),
        pytest.param("Did\n```\nit", "Did\nit", id="a fence that never closes hides nothing"),
        pytest.param("## Summary\nDid\n---\nit", "Summary\nDid\n\nit", id="no headings of its own"),
        pytest.param(
            "## [2026-01-01 10:00] Task 1: x", "[2026-01-01 10:00] Task 1: x", id="O29: cannot pose as an entry"
        ),
        pytest.param("a <!-- entry 3 --> b", "a &lt;!-- entry 3 --> b", id="O29: no comments"),
        pytest.param("a\x1b[31mb\x07\u202ec", "a[31mbc", id="O29: no control characters"),
        pytest.param("a\n\n\n\nb", "a\n\nb", id="no gaps"),
    ],
)
def test_o28_the_summary_is_the_message_fit_for_a_log(message: str, expected: str) -> None:
    assert read(message).summary == expected


def test_o28_of_a_long_message_the_end_is_kept() -> None:
    text = summary("\n".join(f"line {n}" for n in range(1000)))
    assert len(text) <= SUMMARY_LIMIT
    assert text.startswith("…\nline ")
    assert text.endswith("line 999")


def test_defused_lines_say_nothing_and_the_rest_is_untouched() -> None:
    text = "TASK_COMPLETE\n  text with TASK_COMPLETE in it\n> TASK_SKIPPED: x\nNO_CHANGE_NEEDED: y\nend"
    lines = defuse(text).split("\n")
    assert lines[1] == "  text with TASK_COMPLETE in it"
    assert lines[4] == "end"
    assert [read(line).claim for line in lines] == [Claim.NONE] * 5
    assert read(f"{lines[3]}\nTASK_COMPLETE").no_change is None


_PIECES = st.lists(
    st.sampled_from(
        [
            "TASK_COMPLETE", "TASK_SKIPPED: x", "NO_CHANGE_NEEDED: y", "CHECKPOINT_PASSED: z", "ALL_TASKS_COMPLETE",
            "> ", "**", "`", "_", " ", "\n", "\r", ".", ":", "<a>", "word", "\u2028", "```", "\x1b[0m", "#", "\ud800",
        ],
    ),
    max_size=30,
).map("".join)  # fmt: skip


@given(_PIECES)
def test_no_line_of_a_defused_text_is_a_signal(text: str) -> None:
    for line in defuse(text).split("\n"):
        assert read(line).claim is Claim.NONE
        assert read(f"{line}\nTASK_COMPLETE").no_change is None


@given(st.text(max_size=300) | _PIECES)
def test_o16_whatever_stands_before_it_the_last_line_decides(text: str) -> None:
    assert read(f"{text}\nTASK_COMPLETE").claim is Claim.TASK_COMPLETE
    assert read(f"{text}\nTASK_COMPLETE\nthe end of it").claim is Claim.NONE
    assert len(read(text * 20).summary) <= SUMMARY_LIMIT
