"""diagnose: endings, structured events, successes; every cause is reachable (B1)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ralph_wiggum.core.evidence import AgentOutcome, Ending, Notice
from ralph_wiggum.core.provider.cause import UNSERVED, Cause
from tests.core.provider.attempts import NOW, cause, diagnosed, printed, told

RESET = datetime(2026, 11, 20, 7, 43, 46, tzinfo=UTC)
OVERLOADED = Notice(kind="overloaded", status=529, text="Overloaded", final=True)
RETRY = Notice(kind="overloaded", status=529, text="overloaded; retry 7 of 10", retry_after=19.0)
DONE = "I did it.\n\nTASK_COMPLETE"


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        pytest.param(printed(DONE), Cause.DONE, id="a signal at exit code 0"),
        pytest.param(told(OVERLOADED, message=DONE, code=0, flagged=False), Cause.DONE, id="whatever was retried before"),
        pytest.param(printed("Error: 429 Too Many Requests\n\nTASK_COMPLETE", errors="Error: 429"), Cause.DONE, id="whatever was printed before"),
        pytest.param(told(message=DONE, code=0, completed=True, flagged=True), Cause.FAILED, id="its last event says error"),
        pytest.param(told(message=DONE, code=0, completed=False, flagged=False), Cause.FAILED, id="its last event never came"),
        pytest.param(printed(DONE, code=1), Cause.FAILED, id="a signal, but exit code 1"),
        pytest.param(printed("TASK_SKIPPED: no key"), Cause.FAILED, id="it gave up"),
        pytest.param(printed("I did it."), Cause.FAILED, id="no signal"),
        pytest.param(printed(""), Cause.FAILED, id="nothing at all"),
        pytest.param(told(message="Not allowed.", code=0, flagged=False, denied=["Bash: rm"]), Cause.PERMISSION_DENIED, id="a tool was refused"),
        pytest.param(told(message=DONE, code=0, flagged=False, denied=["Bash: rm"]), Cause.DONE, id="a tool was refused, it went another way"),
        pytest.param(told(message=DONE, code=1, flagged=False, denied=["Bash: rm"]), Cause.DONE, id="its last event says success, its exit code comes after that"),
        pytest.param(told(OVERLOADED, denied=["Bash: rm"]), Cause.OVERLOADED, id="a tool was refused, then the provider broke down"),
        pytest.param(AgentOutcome(ending=Ending.NOT_STARTED, error="claude is not installed"), Cause.NOT_STARTED, id="not installed"),
        pytest.param(AgentOutcome(ending=Ending.NOT_STARTED, error="it asked what nobody is there to answer: Select login method"), Cause.NOT_LOGGED_IN, id="it asks for a login"),
        pytest.param(AgentOutcome(ending=Ending.NOT_STARTED, error="it asked what nobody is there to answer: Trust it?"), Cause.NOT_STARTED, id="it asks for something else"),
        pytest.param(AgentOutcome(ending=Ending.CRASHED, signal=11), Cause.CRASHED, id="a signal that nobody sent"),
        pytest.param(told(RETRY, ending=Ending.CRASHED), Cause.CRASHED, id="a crash while it was retrying"),
        pytest.param(told(OVERLOADED, ending=Ending.CRASHED), Cause.OVERLOADED, id="a crash after it gave up over the provider"),
        pytest.param(AgentOutcome(ending=Ending.CRASHED, signal=11, completed=True, message=DONE), Cause.DONE, id="a crash after its last event"),
        pytest.param(AgentOutcome(ending=Ending.LINGERED, exit_code=143, completed=True, message="I am not sure.", errors="Error: 429 Too Many Requests", excerpt="Error: 429 Too Many Requests\nI am not sure."), Cause.FAILED, id="it came to its end over an error on the way, and did not leave"),
        *(pytest.param(AgentOutcome(ending=ending), Cause.KILLED, id=ending.value) for ending in Ending if ending not in {Ending.EXITED, Ending.LINGERED, Ending.CRASHED, Ending.NOT_STARTED}),
        *(pytest.param(told(OVERLOADED, ending=ending), Cause.KILLED, id=f"{ending.value}, whatever the provider did") for ending in (Ending.STOPPED, Ending.OUT_OF_TIME, Ending.OUT_OF_MEMORY, Ending.DISK_FULL)),
    ],
)  # fmt: skip
def test_b1_how_an_attempt_ended(outcome: AgentOutcome, expected: Cause) -> None:
    assert cause(outcome) is expected


@pytest.mark.parametrize(
    ("notice", "expected"),
    [
        (Notice(kind="rate_limit", status=429, text="You've hit your limit · resets 7:43am (UTC)"), Cause.USAGE_LIMIT),
        (Notice(kind="rate_limit", status=429, text="usage limit reached: seven_day"), Cause.USAGE_LIMIT),
        (Notice(kind="rate_limit", status=429, resets_at=RESET.timestamp()), Cause.USAGE_LIMIT),
        (Notice(kind="rate_limit", status=429, resets_at=NOW.timestamp() + 30), Cause.RATE_LIMIT),
        (Notice(kind="rate_limit", status=429, text="API Error: Request rejected (429) · slow down"), Cause.RATE_LIMIT),
        (Notice(kind="rate-limit"), Cause.RATE_LIMIT),
        (Notice(status=429), Cause.RATE_LIMIT),
        (Notice(kind="insufficient_quota", status=429), Cause.NO_CREDIT),
        (Notice(text="You exceeded your current quota, please check your plan and billing details."), Cause.NO_CREDIT),
        (Notice(text="You exceeded your current quota. Please retry in 3600s."), Cause.USAGE_LIMIT),
        (Notice(kind="quota_exceeded", status=402, text="You have no quota"), Cause.USAGE_LIMIT),
        (Notice(kind="billing_error", text="Credit balance is too low"), Cause.NO_CREDIT),
        (Notice(status=402), Cause.NO_CREDIT),
        (Notice(kind="overloaded", status=529, text="Overloaded"), Cause.OVERLOADED),
        (Notice(kind="server_error", status=500), Cause.OVERLOADED),
        (Notice(status=522, text="a page of HTML"), Cause.OVERLOADED),
        (Notice(kind="error", text="stream disconnected before completion"), Cause.OVERLOADED),
        (Notice(kind="error", text="read ECONNRESET"), Cause.OVERLOADED),
        (Notice(kind="error", text="getaddrinfo ENOTFOUND api.anthropic.com"), Cause.OFFLINE),
        (Notice(kind="error", text="connect ECONNREFUSED 127.0.0.1:11434"), Cause.OFFLINE),
        (Notice(kind="error", text="self-signed certificate in certificate chain"), Cause.OFFLINE),
        (Notice(kind="authentication_failed", status=401), Cause.NOT_LOGGED_IN),
        (Notice(status=403, text="Forbidden"), Cause.NOT_LOGGED_IN),
        (Notice(status=403, text="You've reached your usage limit for this billing cycle."), Cause.USAGE_LIMIT),
        (Notice(kind="UNAUTHENTICATED", status=401, text="API key not valid."), Cause.NOT_LOGGED_IN),
        (Notice(kind="model_not_found", status=404), Cause.UNKNOWN_MODEL),
        (Notice(status=404, text="model: claude-opus-99"), Cause.UNKNOWN_MODEL),
        (Notice(status=400, text="The model `gpt-99` does not exist"), Cause.UNKNOWN_MODEL),
        (Notice(kind="ContextOverflowError", text="too many tokens"), Cause.CONTEXT_OVERFLOW),
        (Notice(status=400, text="Prompt is too long · the request is ~214000 tokens"), Cause.CONTEXT_OVERFLOW),
        (Notice(kind="request_too_large", status=413), Cause.CONTEXT_OVERFLOW),
        (Notice(kind="error_max_turns", text="Reached maximum number of turns (2)"), Cause.FAILED),
        (Notice(kind="INVALID_ARGUMENT", status=400, text="Internal error encountered."), Cause.FAILED),
        (Notice(kind="invalid_request", status=400, text="messages.5: tool_use ids were found"), Cause.FAILED),
        (Notice(), Cause.FAILED),
    ],
    ids=str,
)
def test_b1_a_notice_over_which_the_agent_gave_up(notice: Notice, expected: Cause) -> None:
    final = replace(notice, final=True)
    assert cause(told(final)) is expected
    assert cause(told(final, code=0, flagged=False)) is expected  # at any exit code
    assert cause(told(final, errors_ignored())) is expected
    assert cause(told(final, ending=Ending.NO_PROGRESS)) is (Cause.KILLED if expected is Cause.FAILED else expected)
    assert cause(told(replace(final, stale=True), message="I went on.", code=0, flagged=False)) is Cause.FAILED


def errors_ignored() -> Notice:
    """Return something that the provider said before, and that the model answered after."""
    return Notice(kind="authentication_failed", status=401, text="Invalid API key", final=True, stale=True)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        pytest.param(told(RETRY, ending=Ending.NO_PROGRESS), Cause.OVERLOADED, id="ended while it was retrying"),
        pytest.param(told(RETRY, ending=Ending.TASK_TIMEOUT), Cause.OVERLOADED, id="timed out while it was retrying"),
        pytest.param(told(RETRY, completed=False, flagged=False), Cause.OVERLOADED, id="it died while it was retrying"),
        pytest.param(told(RETRY, code=0, completed=False, flagged=False), Cause.OVERLOADED, id="it broke off while retrying"),
        pytest.param(told(RETRY, code=0, flagged=False, message="I did it."), Cause.FAILED, id="it ended well after that"),
        pytest.param(told(replace(RETRY, stale=True), ending=Ending.NO_PROGRESS), Cause.KILLED, id="the model answered after that"),
        pytest.param(told(replace(RETRY, status=401, kind="authentication_failed", text="x"), ending=Ending.NO_PROGRESS), Cause.NOT_LOGGED_IN, id="a login is retried too"),
        pytest.param(told(Notice(kind="unknown", text="unknown; retry 3 of 10"), ending=Ending.NO_PROGRESS), Cause.OFFLINE, id="a retry without an answer"),
        pytest.param(told(Notice(kind="error", text="Reconnecting... 2/5"), ending=Ending.NO_PROGRESS), Cause.OVERLOADED, id="a stream that broke off"),
    ],
)  # fmt: skip
def test_b1_a_notice_over_which_the_agent_was_still_trying(outcome: AgentOutcome, expected: Cause) -> None:
    assert cause(outcome) is expected


def test_b1_the_last_word_of_the_provider_decides() -> None:
    login = Notice(kind="authentication_failed", status=401, final=True)
    assert cause(told(OVERLOADED, login)) is Cause.NOT_LOGGED_IN
    assert cause(told(login, OVERLOADED)) is Cause.OVERLOADED


def test_b1_a_limit_of_the_plan_explains_the_request_that_was_turned_away() -> None:
    limit = Notice(kind="rate_limit", status=429, text="usage limit reached: five_hour", resets_at=RESET.timestamp())
    rejected = Notice(kind="rate_limit", status=429, text="API Error: Request rejected (429)", final=True)
    found = diagnosed(told(limit, rejected))
    assert (found.cause, found.until, found.words) == (Cause.USAGE_LIMIT, RESET, "usage limit reached: five_hour")


@pytest.mark.parametrize(
    ("notice", "until"),
    [
        pytest.param(Notice(status=429, text="You've hit your limit · resets 9pm", resets_at=RESET.timestamp()), RESET, id="the number before the text"),
        pytest.param(Notice(status=429, text="You've hit your limit · resets 7:43am (UTC)"), RESET.replace(second=0), id="the text"),
        pytest.param(Notice(status=429, text="slow down", retry_after=30), NOW + timedelta(seconds=30), id="seconds"),
        pytest.param(Notice(status=529, text="Overloaded", retry_after=30), NOW + timedelta(seconds=30), id="seconds of an overload"),
        pytest.param(Notice(status=529, text="Overloaded at 9pm"), None, id="no time is read from an overload"),
        pytest.param(Notice(status=429, text="slow down", resets_at=NOW.timestamp() - 60), NOW, id="just over"),
        pytest.param(Notice(status=429, text="You've hit your limit · resets 5am", resets_at=NOW.timestamp() - 6000), NOW, id="over while the machine slept"),
        pytest.param(Notice(status=429, text="slow down", resets_at=1.0), None, id="an absurd number"),
        pytest.param(Notice(status=429, text="slow down", resets_at=float("inf"), retry_after=float("nan")), None, id="no number at all"),
    ],
)  # fmt: skip
def test_b1_the_time_of_return_is_told(notice: Notice, until: datetime | None) -> None:
    assert diagnosed(told(replace(notice, final=True))).until == until


def test_b1_the_wait_of_the_agents_own_retry_is_no_time_of_return() -> None:
    retry = Notice(kind="rate_limit", status=429, text="rate_limit; retry 7 of 10", retry_after=32.0)
    assert diagnosed(told(retry, ending=Ending.NO_PROGRESS)).until is None


def test_b1_words_are_never_empty_where_an_agent_is_held_for_them() -> None:
    for notice in (Notice(status=529), Notice(kind="rate_limit"), Notice(status=401, text="\x1b[31m\u202e")):
        found = diagnosed(told(replace(notice, final=True)))
        assert found.cause in UNSERVED
        assert found.words.strip()


def test_b1_text_is_asked_where_events_say_nothing() -> None:
    limit = "You've hit your limit · resets 3pm (UTC)"
    assert cause(told(message=limit, code=0, flagged=False)) is Cause.USAGE_LIMIT  # its message and no word beside it
    assert cause(told(message="API Error: 529 Overloaded", code=1, flagged=True)) is Cause.OVERLOADED
    assert cause(told(message=limit, code=1, flagged=False, completed=None)) is Cause.USAGE_LIMIT
    other = Notice(kind="error_max_turns", text="Reached maximum number of turns (2)", final=True)
    assert cause(told(other, message=limit)) is Cause.FAILED  # it told over what it gave up


REACHED = {
    Cause.DONE: printed(DONE),
    Cause.FAILED: printed("No."),
    Cause.USAGE_LIMIT: printed("You've hit your limit · resets 9pm"),
    Cause.RATE_LIMIT: printed("", errors="429 rate_limit_error", code=1),
    Cause.OVERLOADED: told(OVERLOADED),
    Cause.OFFLINE: printed("API Error: Connection error.", code=1),
    Cause.NOT_LOGGED_IN: printed("Invalid API key · Please run /login", code=1),
    Cause.NO_CREDIT: printed("Credit balance is too low", code=1),
    Cause.UNKNOWN_MODEL: told(Notice(status=404, text="model: x", final=True)),
    Cause.NOT_STARTED: AgentOutcome(ending=Ending.NOT_STARTED),
    Cause.CONTEXT_OVERFLOW: printed("Prompt is too long", code=1),
    Cause.PERMISSION_DENIED: told(code=0, flagged=False, denied=["Bash"]),
    Cause.KILLED: AgentOutcome(ending=Ending.TASK_TIMEOUT),
    Cause.CRASHED: AgentOutcome(ending=Ending.CRASHED, signal=9),
}


# What is said of an attempt that was to go on with a session, and of no other: tests/core/test_sessions.py.
ELSEWHERE = {Cause.SESSION_LOST}


@pytest.mark.parametrize("expected", [cause for cause in Cause if cause not in ELSEWHERE])
def test_b1_every_cause_is_reached(expected: Cause) -> None:
    assert cause(REACHED[expected]) is expected
