"""Outputs that were captured from real agents, read by their dialects and diagnosed (B1)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ralph_wiggum.core.dialects.table import TEXTS, reader
from ralph_wiggum.core.evidence import AgentOutcome, Ending
from ralph_wiggum.core.provider.cause import Cause
from ralph_wiggum.core.terminal import clean
from tests.core.provider.attempts import cause, diagnosed

CAPTURES = Path(__file__).parents[4] / "shared" / "reference" / "agent-output"
END = 4096  # characters of standard error that a driver keeps

DONE, FAILED, KILLED = Cause.DONE, Cause.FAILED, Cause.KILLED
USAGE, RATE, BUSY, CONTEXT = Cause.USAGE_LIMIT, Cause.RATE_LIMIT, Cause.OVERLOADED, Cause.CONTEXT_OVERFLOW
LOGIN, CREDIT = Cause.NOT_LOGGED_IN, Cause.NO_CREDIT

# exit code, or None where the runner ended it; the cause. "limittext" is the limit's line with HTTP status 200.
EXPECTED: dict[str, tuple[int | None, Cause]] = {
    # The programs that print text; of mini there is no trajectory. aider ends with 0 whatever happens.
    "aider-401": (0, LOGIN),
    "aider-429": (None, RATE),
    "aider-529": (None, BUSY),
    "aider-ctx": (0, CONTEXT),
    "aider-drip": (0, DONE),
    "aider-hangTERM": (None, KILLED),
    "aider-limit": (None, USAGE),
    "aider-limittext": (0, USAGE),
    "aider-ok": (0, FAILED),  # it went astray over a file that was not there
    "aider-pty": (0, FAILED),
    "aider-quota": (None, CREDIT),
    "mini-401": (1, LOGIN),
    "mini-429": (None, RATE),
    "mini-529": (None, BUSY),
    "mini-bg": (0, DONE),
    "mini-ctx": (1, CONTEXT),
    "mini-drip": (0, FAILED),
    "mini-giant": (0, FAILED),
    "mini-hangTERM": (None, KILLED),
    "mini-limit": (None, USAGE),
    "mini-limittext": (0, FAILED),  # it takes the line for a slip of the model and goes on
    "mini-ok": (0, DONE),
    "mini-pty": (0, DONE),
    "mini-quota": (None, CREDIT),
    # The programs with structured events.
    "claude-401": (None, LOGIN),
    "claude-429": (None, RATE),
    "claude-529": (None, BUSY),
    "claude-bg": (0, DONE),
    "claude-ctx": (1, CONTEXT),
    "claude-drip": (0, DONE),
    "claude-hangTERM": (None, KILLED),
    "claude-limit": (1, RATE),
    "claude-limittext": (0, USAGE),
    "claude-ok": (0, DONE),
    "claude-pty": (0, DONE),
    "claude-quota": (1, CREDIT),
    "claude-subscription-limit-claim-seven_day": (1, USAGE),
    "claude-subscription-limit-claim-seven_day-reset-300000": (1, USAGE),
    "claude-subscription-limit-claim-seven_day_opus": (1, USAGE),
    "claude-subscription-ok-warn-1": (0, DONE),
    "codex-401": (1, LOGIN),
    "codex-429": (1, RATE),
    "codex-529": (1, BUSY),
    "codex-bg": (0, DONE),
    "codex-ctx": (1, CONTEXT),
    "codex-drip": (0, DONE),
    "codex-hangTERM": (None, KILLED),
    "codex-limit": (1, USAGE),
    "codex-limittext": (0, USAGE),
    "codex-ok": (0, DONE),
    "codex-pty": (0, DONE),
    "codex-quota": (1, CREDIT),
    "copilot-401": (1, LOGIN),
    "copilot-429": (1, RATE),
    "copilot-529": (1, BUSY),
    "copilot-bg": (0, DONE),
    "copilot-ctx": (1, CONTEXT),
    "copilot-drip": (0, DONE),
    "copilot-hangTERM": (None, KILLED),
    "copilot-limit": (None, USAGE),
    "copilot-limittext": (0, USAGE),
    "copilot-ok": (0, DONE),
    "copilot-pty": (0, DONE),
    "copilot-quota": (None, CREDIT),
    "gemini-401": (145, LOGIN),
    "gemini-429": (None, RATE),
    "gemini-529": (None, BUSY),
    "gemini-bg": (None, KILLED),
    "gemini-ctx": (144, FAILED),  # the server that was played gave a 400 and no word of the context
    "gemini-drip": (0, DONE),
    "gemini-giant": (0, FAILED),
    "gemini-hangTERM": (None, KILLED),
    "gemini-limit": (173, USAGE),
    "gemini-limittext": (0, USAGE),
    "gemini-ok": (0, DONE),
    "gemini-pty": (0, DONE),
    "gemini-quota": (173, USAGE),
    "opencode-401": (1, LOGIN),
    "opencode-429": (1, RATE),
    "opencode-bg": (None, KILLED),
    "opencode-ctx": (1, CONTEXT),
    "opencode-drip": (0, DONE),
    "opencode-limittext": (0, USAGE),
    "opencode-ok": (0, DONE),
    "opencode-pty": (0, DONE),
    "qwen-401": (0, LOGIN),
    "qwen-429": (None, KILLED),  # it says nothing while it retries: nobody can tell
    "qwen-529": (None, KILLED),
    "qwen-bg": (0, DONE),
    "qwen-ctx": (0, CONTEXT),
    "qwen-drip": (0, DONE),
    "qwen-hangTERM": (None, KILLED),
    "qwen-limit": (None, KILLED),
    "qwen-limittext": (0, USAGE),
    "qwen-ok": (0, DONE),
    "qwen-pty": (0, DONE),
    "qwen-quota": (None, KILLED),
}


@pytest.mark.corpus
@pytest.mark.parametrize("name", EXPECTED)
def test_b1_a_captured_output_is_diagnosed(name: str) -> None:
    code, expected = EXPECTED[name]
    assert cause(outcome(name, code)) is expected


@pytest.mark.corpus
def test_b1_every_capture_has_its_place_in_the_table() -> None:
    if not CAPTURES.is_dir():
        pytest.skip("the captured outputs are not here")
    assert {path.stem for path in CAPTURES.glob("*.out")} == set(EXPECTED)


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("name", "until"),
    [
        ("claude-subscription-limit-claim-seven_day-reset-300000", datetime(2026, 11, 23, 18, 13, tzinfo=UTC)),
        ("codex-limit", datetime(2026, 11, 20, 7, 39, tzinfo=UTC)),
        ("gemini-limit", datetime(2026, 11, 20, 7, 41, tzinfo=UTC)),
        ("aider-limittext", datetime(2026, 11, 20, 15, 0, tzinfo=UTC)),
    ],
)
def test_b1_a_captured_limit_tells_when_it_ends(name: str, until: datetime) -> None:
    found = diagnosed(outcome(name, EXPECTED[name][0])).until
    assert found is not None
    assert found.replace(second=0, microsecond=0) == until


def outcome(name: str, code: int | None) -> AgentOutcome:
    """Return the outcome of a captured run as the drivers would make it."""
    path = CAPTURES / f"{name}.out"
    if not path.is_file():
        pytest.skip(f"{path.name} is not here")
    ending = Ending.EXITED if code is not None else Ending.NO_PROGRESS
    beside = path.with_suffix(".err")
    errors = clean(beside.read_text(encoding="utf-8", errors="replace"))[-END:] if beside.is_file() else ""
    dialect = name.split("-", maxsplit=1)[0]
    hearing = reader(dialect)
    shown = "".join(map(hearing.hear, path.read_bytes().split(b"\n")))
    heard = hearing.heard()
    return AgentOutcome(
        ending=ending,
        exit_code=code,
        message=heard.message,
        errors=errors,
        excerpt=f"{shown}\n{errors}" if dialect in TEXTS else errors,
        notices=heard.notices,
        completed=heard.completed,
        flagged=heard.flagged,
        denied=heard.denied,
    )
