"""A repository about rate limits must not stop the night: what an agent quotes or writes about is no limit (B1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ralph_wiggum.core.evidence import AgentOutcome, Ending, Said
from ralph_wiggum.core.provider.cause import UNSERVED, Cause
from ralph_wiggum.core.provider.classify import diagnose
from tests.core.provider.attempts import NOW, cause, diagnosed, printed, told
from tests.core.provider.test_texts import LINES, LOOSE

LIMIT = "You've hit your limit · resets 9pm"
LOG = "Error: 429 Too Many Requests"

PROSE = [
    pytest.param("I added handling for 429 rate_limit_error and 529 overloaded_error.", id="prose about both"),
    pytest.param("The client now waits when it sees `Claude AI usage limit reached|1795160626`.", id="quoted inline"),
    pytest.param(f"It used to print {LIMIT} and stop.", id="inside a sentence"),
    pytest.param(f"'{LIMIT}'", id="in quotation marks"),
    pytest.param(f"`{LIMIT}`", id="in backticks"),
    pytest.param(f"**{LIMIT}**", id="in bold"),
    pytest.param(f"The program printed:\n{LIMIT}", id="introduced by a colon"),
    pytest.param(f"The program printed:\n\n{LIMIT}", id="introduced by a colon, a line between"),
    pytest.param(f"程序输出：\n{LIMIT}", id="introduced by a wide colon"),
    pytest.param(f"The log says:\n\n```\n{LIMIT}\n```", id="in a fence"),
    pytest.param(f"The log says\n\n~~~text\n{LIMIT}\n{LOG}\n~~~\n", id="in a fence of tildes"),
    pytest.param(f"The log says\n\n    {LIMIT}\n", id="an indented block"),
    pytest.param(f"The log says\n  {LIMIT}\n", id="indented a little"),
    pytest.param(f"The log says\n\t{LIMIT}\n", id="indented by a tab"),
    pytest.param(f"Somebody wrote\n\n> {LIMIT}\n", id="a block quote"),
    pytest.param(f"Somebody wrote\n\n> > {LIMIT}\n", id="a quote in a quote"),
    pytest.param(f"Messages that are handled\n\n- {LIMIT}\n- {LOG}\n", id="a list"),
    pytest.param(f"Messages that are handled\n\n* {LIMIT}\n", id="a list with stars"),
    pytest.param(f"Messages that are handled\n\n1. {LIMIT}\n2. {LOG}\n", id="a numbered list"),
    pytest.param(f"| message | kind |\n|---|---|\n| {LIMIT} | usage |", id="a table"),
    pytest.param(f"{LIMIT}\nThat is the text that the banner shows.", id="prose after it"),
    pytest.param(f"{LIMIT}\n\nNow I will go on with the tests.", id="a paragraph after it"),
    pytest.param(f"{LOG}\n{LOG}\nAll retries passed in the end, nothing is left to do.", id="echoed by a tool, then prose"),
    pytest.param("API Error: 429 is now retried with a back-off.", id="a sentence that begins like the line"),
    pytest.param("API Error: Connection error is a class of its own now.", id="a sentence that begins like offline"),
    pytest.param("OAuth token has expired is shown as a banner.", id="a sentence that begins like a login"),
    pytest.param("Kiro is having trouble responding right now is matched by the new rule.", id="a sentence like kiro's"),
    pytest.param("litellm.APIError: handled in retry.py.", id="a sentence that begins like litellm"),
    pytest.param("You've hit your limit of five todo items", id="the project's own limit"),
    pytest.param("Prompt is too long for the label, so it is cut.", id="the project's own prompt"),
    pytest.param("Invalid API key responses give 401 now.", id="the project's own keys"),
    pytest.param("The model does not exist in the database yet.", id="the project's own models"),
    pytest.param("The usage limit has been reached banner is done.", id="a feature about limits"),
    pytest.param("Retrying in 5 seconds...", id="a retry alone"),
    pytest.param("test_429 FAILED\n1 failed, 3 passed", id="a test about it"),
    pytest.param("npm error code ENOTFOUND\nnpm error errno ENOTFOUND\nnpm error network request failed", id="npm"),
    pytest.param("curl: (6) Could not resolve host: nowhere.example", id="curl"),
    pytest.param("Error: connect ECONNREFUSED 127.0.0.1:5432", id="the project's database"),
    pytest.param("HTTP/1.1 429 Too Many Requests", id="an answer of the project's own server"),
    pytest.param("The new page says that a model of high traffic is used.", id="traffic"),
    pytest.param("You've reached your overage limit is shown in red now.", id="a sentence like kiro's of overages"),
    pytest.param("Kiro rate limit reached is a state of its own.", id="a sentence like kiro's of rates"),
    pytest.param("No payment method. Then the form is shown.", id="a sentence like opencode's"),
]  # fmt: skip


@pytest.mark.parametrize("message", PROSE)
def test_b1_what_an_agent_writes_or_quotes_is_no_limit(message: str) -> None:
    assert cause(printed(message)) is Cause.FAILED  # no signal, but no limit either
    assert cause(printed(f"I did the task.\n\n{message}\n")) is Cause.FAILED
    assert cause(told(message=message, code=0, flagged=False)) is Cause.FAILED


@pytest.mark.parametrize("message", PROSE)
def test_b1_nor_where_the_program_failed_for_another_reason(message: str) -> None:
    assert cause(printed(f"I did the task.\n\n{message}\n\nThen the program crashed.", code=1)) is Cause.FAILED
    assert cause(printed(message, errors="Segmentation fault", code=1)) in {Cause.FAILED, *UNSERVED}


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(f"The log says:\n\n```\n{LIMIT}\n```", id="in a fence"),
        pytest.param(f"The log says\n\n    {LOG}\n", id="an indented block"),
        pytest.param(f"Somebody wrote\n\n> {LOG}\n", id="a block quote"),
        pytest.param(f"Messages\n\n- {LOG}\n", id="a list"),
        pytest.param(f"The tests print:\n{LOG}\n", id="introduced by a colon"),
        pytest.param(f"{LOG}\nI have added a test for it and stop here.", id="prose after it"),
    ],
)
def test_b1_a_quote_is_no_limit_at_any_exit_code(message: str) -> None:
    assert cause(printed(message, code=1)) is Cause.FAILED


@pytest.mark.parametrize("line", [line for line, _ in LINES + LOOSE], ids=lambda line: line[:50])
def test_b1_a_message_that_ends_with_a_signal_is_not_read_for_limits(line: str) -> None:
    assert cause(printed(f"{line}\n\nTASK_COMPLETE", errors=line)) is Cause.DONE
    assert cause(printed(f"{line}\nTASK_SKIPPED: no key")) is Cause.FAILED
    assert cause(told(message=f"{line}\nTASK_COMPLETE", code=0, flagged=False)) is Cause.DONE


@pytest.mark.parametrize("line", [line for line, _ in LINES + LOOSE], ids=lambda line: line[:50])
def test_b1_an_agent_without_a_provider_never_meets_a_limit(line: str) -> None:
    for outcome in (printed(line, errors=line, code=1), printed(line), printed(line, ending=Ending.NO_PROGRESS)):
        assert diagnose(outcome, Said(), NOW, provider=False).cause in {Cause.FAILED, Cause.KILLED}


@pytest.mark.parametrize("line", [line for line, _ in LINES], ids=lambda line: line[:50])
def test_b1_what_the_model_wrote_before_its_last_words_is_not_read(line: str) -> None:
    """In structured events the last line of a message is the model's too; only a message of nothing else counts."""
    outcome = told(message=f"I looked at the task.\n\n{line}", code=0, flagged=False)
    assert cause(outcome) is Cause.FAILED


@pytest.mark.parametrize(
    "errors",
    [
        "Error: connect ECONNREFUSED 10.0.0.3:5432",
        "Error: getaddrinfo ENOTFOUND db",
        "Error: Model User not found",
        'Error: Model "User" does not exist',
        "Error: Unknown model: User",
        "You are not logged into any GitHub hosts. Run gh auth login",
        "E   ConnectionRefusedError: [Errno 111] Connection refused",
    ],
)
def test_b1_the_projects_own_trouble_at_the_end_of_an_agent_that_failed_is_no_limit(errors: str) -> None:
    assert cause(printed("I tried.", errors=errors, code=1)) is Cause.FAILED


LINE = st.sampled_from([line for line, _ in LINES + LOOSE])
PIECES = st.lists(
    LINE | st.text(max_size=40) | st.sampled_from(["```", "Exit:", "[API Error: ", "   0: x", ""]), max_size=12
)
TEXTS = PIECES.map("\n".join)


@given(
    message=TEXTS,
    errors=TEXTS,
    excerpt=TEXTS,
    ending=st.sampled_from(Ending),
    code=st.integers(0, 255) | st.none(),
    flagged=st.booleans(),
)
def test_b1_no_outcome_breaks_it(
    *, message: str, errors: str, excerpt: str, ending: Ending, code: int | None, flagged: bool
) -> None:
    outcome = AgentOutcome(
        ending=ending, exit_code=code, message=message, errors=errors, excerpt=excerpt, flagged=flagged, error=errors
    )
    diagnosis = diagnosed(outcome)
    assert len(diagnosis.words) <= 200
    assert "\n" not in diagnosis.words
    assert diagnosis.until is None or diagnosis.until >= NOW


@given(st.text(max_size=200).filter(lambda text: not text.strip().endswith(":")))
def test_b1_prose_after_a_limit_lifts_it(prose: str) -> None:
    said = f"{LIMIT}\n\nI went on: {prose.strip()} and all is well now."
    assert cause(printed(said)) is Cause.FAILED
