"""Lines of which nothing is certain: whatever comes, the reader hears what it can and never fails."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ralph_wiggum.core.dialects.heard import MESSAGE_LIMIT, SHOWN_LIMIT, End
from ralph_wiggum.core.dialects.reader import Reader
from ralph_wiggum.core.dialects.table import DIALECTS
from tests.core.dialects.hearing import heard, line, listen
from tests.core.dialects.test_claude import INIT, answers, limit, result, says, uses

NAMES = sorted(DIALECTS)
# The words that the parsers look for, so that made-up events reach their insides.
VOCABULARY = (
    "type subtype system assistant user result message content text tool_use name input id session_id is_error error "
    "errors success usage input_tokens total_cost_usd permission_denials rate_limit_event rate_limit_info status "
    "rejected resetsAt api_retry retry_delay_ms item item.started item.completed agent_message command_execution "
    "file_change changes path turn.failed turn.completed thread.started step_start step_finish part reason unknown "
    "tokens cache cost messageID state data statusCode responseBody responseHeaders retry-after role delta init stats "
    "severity assistant.message assistant.message_delta deltaContent tool.execution_start toolName arguments "
    "model.call_failure session.error errorMessage exitCode [API_Error: <synthetic> model parent_tool_use_id"
)
WORDS = st.sampled_from(VOCABULARY.split())
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=12,
)
EVENTS = st.dictionaries(WORDS, VALUES, max_size=8)


@pytest.mark.parametrize("dialect", NAMES)
@settings(deadline=None, max_examples=150)
@given(lines=st.lists(EVENTS.map(line) | st.binary(max_size=60), max_size=12))
def test_no_line_ever_fails_and_all_texts_are_clean(dialect: str, lines: list[bytes]) -> None:
    reader = Reader(DIALECTS[dialect])
    texts = [reader.hear(each) for each in lines]
    found = reader.heard()
    texts += [found.message, found.session, *found.denied]
    texts += [part for notice in found.notices for part in (notice.text, notice.kind)]
    for text in texts:
        assert "\x1b" not in text
        text.encode("utf-8")  # fails for half a character, which no file could hold
    assert len(found.message) <= MESSAGE_LIMIT + 500
    assert all(len(notice.text) <= 500 and "\n" not in notice.text for notice in found.notices)
    assert all(notice.resets_at >= 0 and notice.retry_after >= 0 and notice.status >= 0 for notice in found.notices)


@pytest.mark.parametrize("dialect", NAMES)
@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\n", id="a bare end"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"{}", id="an object without a type"),
        pytest.param(b'{"type":"res', id="torn"),
        pytest.param(b'{"type":1,"message":[],"part":"x","data":5,"item":null}', id="fields of other kinds"),
        pytest.param(b"{" * 200_000, id="open braces"),
        pytest.param(b"[" * 200_000, id="open brackets"),
        pytest.param(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, id="too deep"),
        pytest.param(b'{"type":"result","exitCode":' + b"9" * 6000 + b"}", id="a number without end"),
        pytest.param(b'{"type":"result","total_cost_usd":1e999,"usage":{"input_tokens":NaN}}', id="no numbers"),
        pytest.param(b"\xff\xfe\x00\x80{", id="no UTF-8"),
        pytest.param(b'{"type":"text","part":{"text":"\\ud800"}}', id="half a character"),
        pytest.param(b'{"type":' * 50_000, id="many beginnings"),
    ],
)
def test_bad_lines_are_read_over(dialect: str, bad: bytes) -> None:
    reader = Reader(DIALECTS[dialect])
    reader.hear(bad).encode()
    reader.heard().message.encode()


def test_foreign_lines_in_the_middle_are_shown_and_are_no_message() -> None:
    found, shown = listen(
        "claude", b"Warning: deprecated\n", INIT, says("Done.\nTASK_COMPLETE"), b"  TASK_SKIPPED: no\r\n", result("Done.\nTASK_COMPLETE")
    )  # fmt: skip
    assert found.message == "Done.\nTASK_COMPLETE"
    assert shown == "Warning: deprecated\nDone.\nTASK_COMPLETE\n  TASK_SKIPPED: no\n"


def test_where_nothing_is_an_event_the_lines_are_the_message() -> None:
    """A wrapper of the person's own, or an option that was taken out: it still works, as text."""
    found = heard("claude", b"Done.\n", b"\x1b[32mTASK_COMPLETE\x1b[0m\n")
    assert found.message == "Done.\nTASK_COMPLETE\n"
    assert found.completed is None


def test_an_event_after_an_open_line_is_found() -> None:
    torn = b"Reading additional input..." + line(says("TASK_COMPLETE"))
    assert heard("claude", INIT, torn).message == "TASK_COMPLETE"


def test_an_event_that_was_put_into_another_is_found() -> None:
    """Anthropics/claude-code 49640: a rate_limit_event in the middle of a message."""
    whole = line(says("I am half"))
    found = heard("claude", INIT, whole[:60] + line(limit("rejected")), whole[60:], says("On I go.", number="m2"))
    assert [notice.resets_at for notice in found.notices] == [1_800_000_000.0]
    assert found.message == "On I go."


def test_a_tool_result_that_is_torn_is_not_searched_for_events() -> None:
    inside = answers("x") | {"tool_use_result": {"type": "result", "subtype": "success", "result": "TASK_COMPLETE"}}
    found = heard("claude", INIT, uses("cat"), b"!" + line(inside))
    assert (found.message, found.completed) == ("", False)


@pytest.mark.parametrize("cut", range(0, 200, 7))
def test_a_run_that_is_cut_anywhere_is_not_complete(cut: int) -> None:
    last = line(result("TASK_COMPLETE"))
    assert heard("claude", INIT, says("Working."), last[: -2 - cut]).completed is False


def test_crlf_and_a_byte_order_mark_do_no_harm() -> None:
    found = heard("claude", b"\xef\xbb\xbf" + line(INIT), line(says("TASK_COMPLETE")).replace(b"\n", b"\r\n"))
    assert (found.session, found.message) == ("5e551011", "TASK_COMPLETE")


def test_memory_is_bounded_whatever_floods_in() -> None:
    reader = Reader(DIALECTS["claude"])
    say, use, text = line(says("y" * 1000)), line(uses("z" * 1000)), b"x" * 79 + b"\n"
    tracemalloc.start()
    for _ in range(5000):
        for each in (say, use, text, text):
            assert len(reader.hear(each)) <= SHOWN_LIMIT + 200
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * 1024 * 1024


def test_a_flood_of_text_keeps_its_end() -> None:
    reader = Reader(DIALECTS["codex"])
    for number in range(50_000):
        reader.hear(b"line %d\n" % number)
    assert reader.heard().message.endswith("line 49998\nline 49999\n")
    assert len(reader.heard().message) == MESSAGE_LIMIT


def test_a_line_of_nothing_but_objects_is_not_taken_apart() -> None:
    """Each of them takes twenty times the memory of its two characters."""
    flood = b'{"type":"user","message":[' + b"{}," * 700_000 + b"{}]}\n"
    tracemalloc.start()
    assert heard("claude", INIT, flood).completed is False
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * 1024 * 1024


def test_what_comes_after_a_loop_was_seen_is_not_heard() -> None:
    broken = [{"type": "step_finish", "part": {"reason": "unknown"}}] * 30
    after = {"type": "text", "part": {"text": "TASK_COMPLETE"}}
    found, shown = listen("opencode", *broken, after)
    assert found.message == ""
    assert "broke off" in shown
    assert "TASK_COMPLETE" not in shown


@settings(deadline=None)
@given(st.lists(st.text(max_size=30), max_size=30), st.integers(1, 40))
def test_an_end_is_the_end_however_it_comes(pieces: list[str], limit: int) -> None:
    end = End(limit)
    for piece in pieces:
        end.add(piece)
    assert end.text() == "".join(pieces)[-limit:]
