"""aider: what the model said, between the lines that are aider's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from ralph_wiggum.core.dialects.heard import Heard
from ralph_wiggum.core.dialects.table import reader
from ralph_wiggum.core.evidence import Notice, Usage

BANNER = """\
Analytics have been permanently disabled.

Aider v0.86.2
Model: openai/some-model with diff edit format
Git repo: .git with 12 files
Repo-map: using 4096 tokens, auto refresh

"""
ANSWER = """\
I put the greeting into a function.

hello.py
<<<<<<< SEARCH
=======
def hello(): ...
>>>>>>> REPLACE

TASK_COMPLETE
"""
TOKENS = "Tokens: 4.5k sent, 123 received. Cost: $0.02 message, $0.02 session.\n"
APPLIED = "Applied edit to hello.py\n"
REJECTED = """\
The LLM did not conform to the edit format.
https://aider.chat/docs/troubleshooting/edit-errors.html

# 1 SEARCH/REPLACE block failed to match!
"""
LIMITED = """\
litellm.RateLimitError: RateLimitError: OpenAIException - Rate limit reached for
some-model on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try
again in 20s.
The API provider has rate limited you. Try again later or check your quotas.
"""
LIMIT_WORDS = "Rate limit reached for some-model on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in 20s."
REFUSED = """\
litellm.AuthenticationError: AuthenticationError: OpenAIException - Incorrect
API key provided: sk-x.
The API provider is not able to authenticate you. Check your API key.
"""


def hear(text: str) -> Heard:
    listening = reader("aider")
    for line in text.encode().split(b"\n"):
        listening.hear(line)
    return listening.heard()


def test_the_message_is_the_answer_without_lines_of_aiders_own() -> None:
    found = hear(BANNER + ANSWER + TOKENS + APPLIED)
    assert found.message.strip() == ANSWER.strip()
    assert (found.completed, found.flagged, found.notices) == (None, False, ())


@pytest.mark.parametrize(
    ("text", "usage"),
    [
        pytest.param("Tokens: 769 sent, 21 received.", Usage(input_tokens=769, output_tokens=21), id="no price is known"),
        pytest.param("Tokens: 4.5k sent, 1.2k received.", Usage(input_tokens=4500, output_tokens=1200), id="thousands"),
        pytest.param("Tokens: 1.5M sent, 12k received.", Usage(input_tokens=1_500_000, output_tokens=12_000), id="millions"),
        pytest.param(
            "Tokens: 12k sent, 3.1k cache hit, 1.2k received. Cost: $0.0012 message, $0.05\nsession.",
            Usage(input_tokens=12_000, output_tokens=1200, cached_tokens=3100, cost=0.05), id="wrapped",
        ),
        pytest.param(
            "Tokens: 12k sent, 4.5k cache write, 3.1k cache hit, 1.2k received.\nCost: $0.02 message, $1.25 session.",
            Usage(input_tokens=12_000, output_tokens=1200, cached_tokens=3100, cost=1.25), id="cost in a line of its own",
        ),
        pytest.param(
            "Tokens: 1k sent, 1k received. Cost: $0.02 message, $0.02 session.\nmore\n"
            "Tokens: 2k sent, 1k received. Cost: $0.03 message, $0.05 session.",
            Usage(input_tokens=3000, output_tokens=2000, cost=0.05), id="tokens are of the answer, cost is of the session",
        ),
        pytest.param("Tokens: many sent, few received.", None, id="no figures"),
    ],
)  # fmt: skip
def test_figures_are_added_up(text: str, usage: Usage | None) -> None:
    assert hear(f"{BANNER}Done.\n{text}\n{APPLIED}").usage == usage


def test_turns_are_answers() -> None:
    listening = reader("aider")
    for line in (BANNER + (ANSWER + TOKENS + APPLIED) * 3).encode().split(b"\n"):
        listening.hear(line)
    assert listening.turns == 3
    assert not listening.settled, "it may think about the next answer for minutes"


@pytest.mark.parametrize(
    ("text", "notices", "flagged"),
    [
        pytest.param(
            LIMITED + "Retrying in 4.0 seconds...\n",
            (Notice(kind="RateLimitError", status=429, text=LIMIT_WORDS, retry_after=20.0),), False, id="it tries again",
        ),
        pytest.param(
            REFUSED, (Notice(kind="AuthenticationError", status=401, text="Incorrect API key provided: sk-x.", final=True),),
            True, id="it gave up",
        ),
        pytest.param(
            LIMITED + "Retrying in 32.0 seconds...\n" + LIMITED,
            (Notice(kind="RateLimitError", status=429, text=LIMIT_WORDS, retry_after=20.0, final=True),), True,
            id="it gave up after retries",
        ),
        pytest.param(
            LIMITED + "Retrying in 4.0 seconds...\n" + ANSWER + TOKENS,
            (Notice(kind="RateLimitError", status=429, text=LIMIT_WORDS, retry_after=20.0, stale=True),), False,
            id="it was served in the end",
        ),
        pytest.param(
            "litellm.APIError: APIError: OpenAIException - Overloaded\nRetrying in 0.5 seconds...\n",
            (Notice(kind="APIError", text="Overloaded", retry_after=0.5),), False, id="without an explanation",
        ),
        pytest.param(
            "It took a whilelitellm.APIConnectionError: APIConnectionError: OpenAIException - peer closed\n"
            "connection without sending a complete body\nRetrying in 0.5 seconds...\nIt took a while. TASK_COM",
            (Notice(kind="APIConnectionError", text="peer closed connection without sending a complete body", retry_after=0.5),),
            False, id="in the middle of an answer",
        ),
        pytest.param(
            "\nTokens: 769 sent, 0 received.\n\n\nModel openai/some-model has hit a token limit!\n",
            (Notice(kind="ContextWindowExceededError", text="Model openai/some-model has hit a token limit!", final=True),),
            True, id="the context is full",
        ),
    ],
)  # fmt: skip
def test_errors_of_the_provider_are_notices(text: str, notices: tuple[Notice, ...], *, flagged: bool) -> None:
    found = hear(BANNER + text)
    assert found.notices == notices
    assert found.flagged is flagged
    assert found.completed is (True if flagged else None)


def test_an_answer_whose_edits_did_not_fit_is_not_the_last_word() -> None:
    """It asks the model again; a hang in that must not look like a hang after the final message."""
    found = hear(BANNER + ANSWER + TOKENS + REJECTED)
    assert not found.message.rstrip().endswith("TASK_COMPLETE")
    again = hear(BANNER + ANSWER + TOKENS + REJECTED + "Now it fits.\nTASK_COMPLETE\n" + TOKENS + APPLIED)
    assert again.message.rstrip().endswith("Now it fits.\nTASK_COMPLETE")
    assert not again.flagged


def test_three_times_no_fit_is_an_error() -> None:
    stops = "Only 3 reflections allowed, stopping.\n"
    assert hear(BANNER + (ANSWER + TOKENS + REJECTED) * 4 + stops).flagged
    assert not hear(BANNER + stops + ANSWER + TOKENS + APPLIED).flagged, "the model may write of it"


def test_what_aider_prints_after_the_last_answer_is_no_message() -> None:
    found = hear(BANNER + ANSWER + TOKENS + APPLIED + "\nhello.py\nTASK_SKIPPED: a file of this name\n")
    assert found.message.strip() == ANSWER.strip()


def test_where_it_never_answered_its_words_are_the_message() -> None:
    """A setting that is wrong, a wrapper of the person's own: what is printed is all that there is to go by."""
    found = hear("usage: aider [OPTIONS]\naider: error: unrecognized arguments: --no-such\n")
    assert found.message.startswith("usage: aider")
    assert found.completed is None


def test_a_person_sees_the_lines_as_they_come() -> None:
    listening = reader("aider")
    assert listening.hear(b"\x1b[32mApplied edit to hello.py\x1b[0m\r\n") == "Applied edit to hello.py\n"


CAPTURES = Path(__file__).resolve().parents[4] / "shared" / "reference" / "agent-output"


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("name", "flagged", "kind", "final"),
    [
        ("drip", False, "", False),
        ("limittext", False, "", False),
        ("ok", True, "", False),  # it went astray over a file that was not there
        ("401", True, "AuthenticationError", True),
        ("429", False, "RateLimitError", False),
        ("529", False, "APIError", False),
        ("limit", False, "RateLimitError", False),
        ("quota", False, "RateLimitError", False),
        ("ctx", True, "ContextWindowExceededError", True),
    ],
)
def test_captures_of_the_real_program(name: str, kind: str, *, flagged: bool, final: bool) -> None:
    path = CAPTURES / f"aider-{name}.out"
    if not path.exists():
        pytest.skip(f"there is no {path.name}")
    found = hear(path.read_text())
    assert found.flagged is flagged
    assert [(notice.kind, notice.final) for notice in found.notices] == ([(kind, final)] if kind else [])
    if name in {"ok", "drip"}:
        assert found.message.rstrip().endswith("\nTASK_COMPLETE")
