"""What has to be heard of each run of a real CLI whose output is in tests/data/captures, by agent and mode."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from ralph_wiggum.core.provider.cause import Cause


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
DONE, FAILED = Cause.DONE, Cause.FAILED
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


def retrying(cause: Cause, words: str, kind: str, status: int) -> Wanted:
    """Return what is wanted of aider, ended while it tried again: no line of it is an event."""
    wanted = trying(cause, words, kind, status)
    return replace(wanted, completed=None, session=False, last="Retrying in 16.0 seconds...")


def unheard(cause: Cause, words: str) -> Wanted:
    """Return what is wanted of a run that was ended before its first event."""
    return replace(trying(cause, words), completed=None, session=False)


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
    # Why it tries again, its log alone tells, on standard error; no event comes before the first answer.
    "opencode-limit": replace(unheard(USAGE, "5-hour usage limit"), until=HOUR),
    "opencode-429": unheard(RATE, "Rate limit reached"),
    "opencode-529": unheard(BUSY, "Overloaded"),
    "opencode-cutall": unheard(BUSY, "socket connection was closed"),
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
    # It says nothing while it tries again, and why at its end (ralph has it give up).
    "qwen-limit": replace(gave_up(USAGE, "usage limit reached", "", 429), until=HOUR, used=NOTHING),
    "qwen-429": replace(gave_up(RATE, "Rate limit reached", "", 429), used=NOTHING),
    "qwen-529": replace(gave_up(BUSY, "Overloaded", "", 529), used=NOTHING),
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
    # aider: no line of it ends a run well, so the exit code has to tell; it writes files, and shows no command.
    "aider-ok": replace(done((797, 25, None), session=False), completed=None, worked=False),
    "aider-nosignal": replace(silent((797, 23, None), session=False), completed=None, worked=False),
    "aider-limit": replace(retrying(USAGE, "5-hour usage limit", "RateLimitError", 429), until=HOUR),
    "aider-401": replace(gave_up(LOGIN, "Incorrect API key", "AuthenticationError", 401), session=False),
    "aider-ctx": replace(
        gave_up(CONTEXT, "token limit", "ContextWindowExceededError"), session=False, used=(797, 0, None)
    ),
    "aider-429": retrying(RATE, "Rate limit reached", "RateLimitError", 429),
    "aider-529": retrying(BUSY, "Overloaded", "APIError", 0),
}
