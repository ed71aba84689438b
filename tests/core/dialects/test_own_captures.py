"""What the real CLIs printed against the model server (`python -m tests.agents.capture`): every run is understood.

The server's answers stand in tests/modelserver: 1,000 tokens in and 50 out for each, a reset in an hour for `limit`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ralph_wiggum.adapters.agents.hearing import Lines
from ralph_wiggum.core import signals
from ralph_wiggum.core.dialects.heard import Heard
from ralph_wiggum.core.dialects.table import reader
from ralph_wiggum.core.dialects.text_reader import TextReader
from ralph_wiggum.core.evidence import AgentOutcome, Claim, Ending, Notice, Usage
from ralph_wiggum.core.provider.cause import Cause, Diagnosis
from ralph_wiggum.core.provider.classify import diagnose
from ralph_wiggum.core.terminal import clean
from tests.agents.scrubbing import MOMENT

CAPTURES = Path(__file__).parents[2] / "data" / "captures"
ENDS = json.loads((CAPTURES / "ends.json").read_text())
COMMAND = "echo hello > hello.txt"  # what the task has the model do
ERRORS_END = 4096  # characters of standard error that a driver keeps


@dataclass(frozen=True, slots=True)
class Run:
    """One capture, heard as the driver hears it."""

    heard: Heard
    shown: str
    outcome: AgentOutcome

    @property
    def diagnosis(self) -> Diagnosis:
        return diagnose(self.outcome, signals.read(self.outcome.message), MOMENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What has to be heard of a run: `notice` is the last one, `used` tokens in and out and US dollars."""

    cause: Cause
    words: str = ""  # of the diagnosis
    until: timedelta | None = None
    completed: bool | None = True
    flagged: bool = True
    last: str = ""  # line of the message
    notice: tuple[str, int, bool] | None = None  # kind, status, final
    used: tuple[int, int, float | None] | None = None
    session: bool = True
    worked: bool = False  # the use of the tool was shown


HOUR = timedelta(hours=1)
DONE, FAILED, KILLED = Cause.DONE, Cause.FAILED, Cause.KILLED
USAGE, RATE, BUSY = Cause.USAGE_LIMIT, Cause.RATE_LIMIT, Cause.OVERLOADED
LOGIN, CONTEXT = Cause.NOT_LOGGED_IN, Cause.CONTEXT_OVERFLOW
SAID = "I ran the command of the task and looked at what it did."
BROKEN_OFF = f"{SAID} It took a while"


def done(used: tuple[int, int, float | None] | None, *, session: bool = True) -> Wanted:
    return Wanted(cause=DONE, flagged=False, last="TASK_COMPLETE", used=used, session=session, worked=True)


def silent(used: tuple[int, int, float | None] | None, *, session: bool = True) -> Wanted:
    """Return what is wanted of a run that did its work and gave no signal."""
    return replace(done(used, session=session), cause=FAILED, last=SAID)


def trying(cause: Cause, words: str, kind: str = "", status: int = 0) -> Wanted:
    """Return what is wanted of a run that was ended while it tried again."""
    notice = (kind, status, False) if kind else None
    return Wanted(cause=cause, words=words, completed=False, flagged=False, notice=notice)


def gave_up(cause: Cause, words: str, kind: str, status: int = 0) -> Wanted:
    return Wanted(cause=cause, words=words, notice=(kind, status, True))


NOTHING = (0, 0, None)
WANTED: dict[str, Wanted] = {
    "claude-ok": done((2000, 100, 0.0125)),
    "claude-nosignal": silent((2000, 100, 0.0125)),
    "claude-limit": replace(gave_up(USAGE, "session limit", "rate_limit", 429), until=HOUR, used=(0, 0, 0.0)),
    "claude-401": trying(LOGIN, "authentication_failed", "authentication_failed", 401),
    "claude-ctx": replace(gave_up(CONTEXT, "Prompt is too long", "prompt_too_long", 400), used=(0, 0, 0.0)),
    "claude-429": trying(RATE, "rate_limit", "rate_limit", 429),
    "claude-529": trying(BUSY, "overloaded", "overloaded", 529),
    "codex-ok": done((2000, 100, None)),
    "codex-nosignal": silent((2000, 100, None)),
    "codex-limit": replace(gave_up(USAGE, "usage limit", "turn.failed"), until=HOUR),
    "codex-401": gave_up(LOGIN, "Incorrect API key", "turn.failed", 401),
    "codex-ctx": gave_up(CONTEXT, "ran out of room", "turn.failed"),
    "codex-429": gave_up(RATE, "429 Too Many Requests", "turn.failed", 429),
    "codex-529": gave_up(BUSY, "unexpected status 529", "turn.failed", 529),
    # Over a 429, a 529, a limit and broken connections it tries again in silence: there is nothing to be read.
    "opencode-ok": done((2000, 100, 0.0075)),
    "opencode-nosignal": silent((2000, 100, 0.0075)),
    "opencode-401": gave_up(LOGIN, "Incorrect API key", "invalid_api_key", 401),
    "opencode-ctx": gave_up(CONTEXT, "maximum context length", "ContextOverflowError"),
    "opencode-cutclean": replace(
        trying(BUSY, "broke off", "stream_broken"), last=BROKEN_OFF, used=(0, 0, 0.0), worked=False
    ),
    "gemini-ok": done((3000, 150, None)),  # its router asks a model too
    "gemini-nosignal": silent((3000, 150, None)),
    "gemini-limit": replace(gave_up(USAGE, "current quota", "unknown"), until=HOUR, used=NOTHING),
    "gemini-401": replace(gave_up(LOGIN, "API key not valid", "UNAUTHENTICATED", 401), used=NOTHING),
    "gemini-ctx": replace(gave_up(CONTEXT, "exceeds the maximum", "INVALID_ARGUMENT", 400), used=NOTHING),
    "gemini-429": trying(RATE, "status 429"),  # told on standard error alone
    "gemini-529": trying(BUSY, "status 503"),
    "gemini-cutall": replace(gave_up(BUSY, "terminated", "unknown"), last=BROKEN_OFF, used=(1000, 50, None)),
    "gemini-cutclean": replace(
        gave_up(BUSY, "ended without a finish reason", "error"), last=4 * BROKEN_OFF, used=(1000, 50, None)
    ),
    "qwen-ok": done((2000, 100, None)),
    "qwen-nosignal": silent((2000, 100, None)),
    "qwen-401": replace(gave_up(LOGIN, "Incorrect API key", "", 401), used=NOTHING),
    "qwen-ctx": replace(gave_up(CONTEXT, "maximum context length", "", 400), used=NOTHING),
    # It says nothing while it tries again: nobody can tell over what.
    **dict.fromkeys(("qwen-limit", "qwen-429", "qwen-529"), trying(KILLED, "task timeout")),
    "qwen-cutall": replace(gave_up(BUSY, "terminated", ""), last=BROKEN_OFF, used=NOTHING),
    "qwen-cutclean": replace(gave_up(BUSY, "ended without a finish reason", ""), last=3 * BROKEN_OFF, used=NOTHING),
    "copilot-ok": done(None),  # it tells no tokens
    "copilot-nosignal": silent(None),
    "copilot-limit": replace(gave_up(USAGE, "usage limit reached", "rate_limit", 429), until=HOUR),
    "copilot-401": gave_up(LOGIN, "Authentication failed", "authentication", 401),
    "copilot-ctx": gave_up(CONTEXT, "maximum context length", "query", 400),
    "copilot-429": replace(trying(RATE, "Rate limit reached", "rate_limit_exceeded", 429), session=False),  # at its end
    "copilot-529": gave_up(BUSY, "retried 5 times", "query", 529),
    "mini-ok": done((2000, 100, None), session=False),
    "mini-nosignal": silent((2000, 100, None), session=False),
    "mini-401": replace(gave_up(LOGIN, "Incorrect API key", "AuthenticationError", 401), session=False),
    "mini-ctx": replace(gave_up(CONTEXT, "maximum context", "ContextWindowExceededError", 400), session=False),
    # It leaves no trajectory where it is ended before its first step; what it tries again over is on standard error.
    "mini-limit": replace(trying(USAGE, "5-hour usage limit"), until=HOUR, session=False),
    "mini-429": replace(trying(RATE, "RateLimitError"), session=False),
    "mini-529": replace(trying(BUSY, "Overloaded"), session=False),
}


def names() -> list[str]:
    return sorted(path.stem for path in CAPTURES.glob("*.out"))


def cell(name: str) -> str:
    """Return agent and mode of a capture, without the version."""
    agent, *_, mode = name.split("-")
    return f"{agent}-{mode}"


def agent_of(name: str) -> str:
    return name.split("-", maxsplit=1)[0]


def hear(name: str, lines: list[bytes]) -> Heard:
    listening = reader(agent_of(name))
    for line in lines:
        listening.hear(line)
    return listening.heard()


def replay(name: str) -> Run:
    listening = reader(agent_of(name))
    data = part(name, "out")
    shown = "".join(map(listening.hear, data.split(b"\n")))
    if isinstance(listening, TextReader):
        listening.reads(part(name, "report"))
    heard = listening.heard()
    errors = clean(part(name, "err").decode())[-ERRORS_END:]
    end = ENDS[name]
    outcome = AgentOutcome(
        ending=Ending(end["ending"]),
        exit_code=end["exit_code"],
        message=heard.message,
        excerpt=shown + errors,
        errors=errors,
        notices=heard.notices,
        completed=heard.completed,
        flagged=heard.flagged,
        denied=heard.denied,
        usage=heard.usage,
        session=heard.session,
    )
    return Run(heard, shown, outcome)


def part(name: str, kind: str) -> bytes:
    path = CAPTURES / f"{name}.{kind}"
    return path.read_bytes() if path.exists() else b""


def test_every_capture_is_of_a_run_whose_end_is_known() -> None:
    assert sorted(ENDS) == names()
    assert {cell(name) for name in names()} == set(WANTED)


@pytest.mark.parametrize("name", names())
def test_a_capture_is_understood(name: str) -> None:
    run, wanted = replay(name), WANTED[cell(name)]
    heard = run.heard
    last = heard.notices[-1] if heard.notices else None
    assert (heard.completed, heard.flagged) == (wanted.completed, wanted.flagged)
    assert heard.message.strip().split("\n")[-1] == wanted.last
    assert (last and (last.kind, last.status, last.final)) == wanted.notice
    assert all(not notice.stale for notice in heard.notices[-1:])
    assert (heard.usage and (heard.usage.input_tokens, heard.usage.output_tokens, heard.usage.cost)) == wanted.used
    assert bool(heard.session) == wanted.session
    assert (COMMAND in run.shown) == wanted.worked


@pytest.mark.parametrize("name", names())
def test_b1_a_capture_is_diagnosed(name: str) -> None:
    found, wanted = replay(name).diagnosis, WANTED[cell(name)]
    assert found.cause is wanted.cause, found
    assert found.until == (MOMENT + wanted.until if wanted.until else None)
    assert wanted.words in found.words


@pytest.mark.parametrize("name", names())
def test_a_capture_that_is_torn_anywhere_is_no_success(name: str) -> None:
    data = part(name, "out")
    lines = data.rstrip(b"\n").split(b"\n")
    events = not isinstance(reader(agent_of(name)), TextReader)
    for number, line in enumerate(lines):
        found = hear(name, [*lines[:number], line[: len(line) // 2]])
        if events:  # text has no event that ends every run: there the exit code tells
            assert not (found.completed and signals.read(found.message).claim is Claim.TASK_COMPLETE)


GARBAGE = st.lists(
    st.binary(max_size=80).map(lambda data: b"~" + data.replace(b"\n", b" ").replace(b"{", b"(")), max_size=3
)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_foreign_lines_between_events_change_nothing(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(names()))
    lines = part(name, "out").rstrip(b"\n").split(b"\n")
    mixed = []
    for line in lines:
        mixed += [*data.draw(GARBAGE), line]
    found = hear(name, mixed)
    if not isinstance(reader(agent_of(name)), TextReader) and part(name, "out"):
        assert found == hear(name, lines)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_it_does_not_matter_how_the_bytes_come(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(names()))
    output, lines = part(name, "out"), Lines()
    size = data.draw(st.integers(1, 5000))
    came: list[bytes] = []
    for at in range(0, len(output), size):
        came += lines.feed(output[at : at + size])
    assert hear(name, [*came, lines.rest()]) == hear(name, output.split(b"\n"))
