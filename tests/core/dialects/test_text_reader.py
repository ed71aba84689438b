"""Text of which nothing is certain: whatever comes, the readers of text hear what they can and never fail."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ralph_wiggum.core.dialects import litellm
from ralph_wiggum.core.dialects.heard import MESSAGE_LIMIT, SHOWN_LIMIT
from ralph_wiggum.core.dialects.table import TEXTS, reader
from ralph_wiggum.core.dialects.text_reader import TextReader
from ralph_wiggum.core.evidence import Notice

NAMES = sorted(TEXTS)
# Lines and parts of lines that the readers look for, so that made-up output reaches their insides.
LINES = st.sampled_from(
    [
        *("", "TASK_COMPLETE", "Tokens: 4.5k sent, 1.2k received.", "Tokens: 12k sent,", "Cost: $0.02 message, $0.05 session."),
        *("litellm.RateLimitError: RateLimitError: XException - try again in 20s", "Retrying in 4.0 seconds...", "litellm."),
        *("Retrying in 999999.9 seconds...", "The API provider has rate limited you.", "Applied edit to x", "Model: x"),
        *("The LLM did not conform to the edit format.", "Only 3 reflections allowed, stopping.", "Exit:", "Tool:", "User:"),
        *("mini-swe-agent (step 3, $0.50):", "mini-swe-agent (step 999999, $999999.99):", "─" * 80, "```", "LimitsExceeded"),
        *("Saved trajectory to 'x'", "Model x/y has hit a token limit!", "\x1b[31mred\x1b[0m", "Tokens: 999999999M sent, 1 received."),
    ]
)  # fmt: skip
VOCABULARY = (
    "info model_stats instance_cost api_calls exit_status submission Submitted LimitsExceeded messages role assistant exit "
    "content extra actions command response usage prompt_tokens completion_tokens prompt_tokens_details cached_tokens text "
    "choices message interrupt_type FormatError exception_str output object TASK_COMPLETE"
)
WORDS = st.sampled_from(VOCABULARY.split())
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=20,
)
REPORTS = st.binary(max_size=60) | VALUES.map(lambda value: json.dumps(value).encode())


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=200)
@given(
    lines=st.lists(LINES.map(str.encode) | st.text(max_size=40).map(lambda t: t.encode("utf-8", "replace")) | st.binary(max_size=60), max_size=25),
    report=REPORTS,
)  # fmt: skip
def test_nothing_ever_fails_and_all_texts_are_clean(name: str, lines: list[bytes], report: bytes) -> None:
    listening = reader(name)
    assert isinstance(listening, TextReader)
    texts = [listening.hear(each) for each in lines]
    listening.reads(report)
    found = listening.heard()
    texts += [found.message, *(part for notice in found.notices for part in (notice.text, notice.kind))]
    for text in texts:
        assert "\x1b" not in text
        text.encode("utf-8")  # fails for half a character, which no file could hold
    assert len(found.message) <= 2 * MESSAGE_LIMIT + 500
    assert all(len(notice.text) <= 500 and "\n" not in notice.text for notice in found.notices)
    assert all(notice.retry_after >= 0 and notice.status >= 0 for notice in found.notices)
    assert found.usage is None or min(found.usage.input_tokens, found.usage.output_tokens, found.usage.cost or 0) >= 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "line", [b"x" * 999 + b"\n", b"litellm.APIError: x\n", b"Tokens: 1 sent,\n", b"\n", b"Exit:\n", b"y" * 100_000]
)
def test_memory_is_bounded_whatever_floods_in(name: str, line: bytes) -> None:
    listening = reader(name)
    tracemalloc.start()
    for _ in range(3000):
        assert len(listening.hear(line)) <= SHOWN_LIMIT + 200
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * 1024 * 1024
    listening.heard()


@pytest.mark.parametrize("name", NAMES)
def test_a_line_of_megabytes_takes_little_time_and_keeps_its_end(name: str) -> None:
    assert reader(name).hear(b"x" * (16 << 20) + b"the end").endswith("the end\n")


@pytest.mark.parametrize(
    ("words", "notice"),
    [
        pytest.param(
            "litellm.ContextWindowExceededError: litellm.BadRequestError: ContextWindowExceededError: OpenAIException - Too long",
            Notice(kind="ContextWindowExceededError", status=400, text="Too long", final=True), id="nested names",
        ),
        pytest.param(
            'litellm.InternalServerError: AnthropicException - {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
            Notice(kind="InternalServerError", status=500, text="Overloaded", final=True), id="a body of JSON",
        ),
        pytest.param(
            "litellm.Timeout: APITimeoutError - Request timed out.", Notice(kind="Timeout", text="Request timed out.", final=True),
            id="no status of its own",
        ),
        pytest.param("litellm.", Notice(text="litellm.", final=True), id="nothing of it"),
    ],
)  # fmt: skip
def test_an_error_of_litellm_is_a_notice(words: str, notice: Notice) -> None:
    assert litellm.notice(words, final=True) == notice
