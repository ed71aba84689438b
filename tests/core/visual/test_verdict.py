"""What an answer means for its command; texts are those of agent-browser 0.27 and 0.41."""

from __future__ import annotations

import pytest

from ralph_wiggum.core.visual.commands import Command
from ralph_wiggum.core.visual.reply import Reply
from ralph_wiggum.core.visual.verdict import Failure, hangs, of

ADVICE_27 = "Element not found. Verify the selector is correct and the element exists in the DOM."
ADVICE_41 = "Element not found: #a. Verify the selector, role, or name is correct and the element exists in the DOM."


def command(words: str, *, expected: bool = True, error: str = "") -> Command:
    return Command(argv=tuple(words.split()), text=f"agent-browser {words}", line=0, expected=expected, error=error)


def yes(**data: object) -> Reply:
    return Reply(ok=True, data=data)


def no(error: str) -> Reply:
    return Reply(ok=False, error=error)


@pytest.mark.parametrize(
    ("words", "reply"),
    [
        ("is visible #a", yes(visible=True)),
        ("is enabled #a", yes(enabled=True)),
        ("is checked #a", yes(checked=True)),
        ("get count li", yes(count=0)),
        ("get text #a", yes(text="")),
        ("open /", yes(url="http://a/")),
        ("wait 500", yes(waited="timeout")),
        ("console", yes(messages=[{"type": "error", "text": "x"}])),
        ("errors", yes(errors=[{"text": "x"}])),
    ],
)
def test_a_step_that_is_done(words: str, reply: Reply) -> None:
    assert of(command(words), reply) is None


@pytest.mark.parametrize(
    ("words", "reply", "failure"),
    [
        pytest.param(
            "is visible #a",
            yes(visible=False),
            Failure(words="answered false: the element is there, but not visible", key="answered false", may_pass=True),
            id="hidden",
        ),
        pytest.param(
            "is enabled #a",
            yes(enabled=False),
            Failure(words="answered false: the element is disabled", key="answered false", may_pass=True),
            id="disabled",
        ),
        pytest.param(
            "is visible #a",
            no(ADVICE_27),
            Failure(words="Element not found", key="element not found", may_pass=True),
            id="missing, 0.27",
        ),
        pytest.param(
            "click #a",
            no(ADVICE_41),
            Failure(words="Element not found: #a", key="element not found", may_pass=True),
            id="missing, 0.41",
        ),
        pytest.param(
            "is visible #a",
            yes(origin="http://a/"),
            Failure(words="answered neither true nor false: {'origin': 'http://a/'}", key="no answer"),
            id="no answer",
        ),
        pytest.param(
            "wait #a",
            no("Wait timed out after 30000ms"),
            Failure(words="timed out after 30 s", key="timed out"),
            id="a wait",
        ),
        pytest.param(
            "wait --load load",
            no("Operation timed out. The page may still be loading or the element may not exist."),
            Failure(words="timed out", key="timed out"),
            id="another wait",
        ),
        pytest.param(
            "open http://localhost:1/",
            no("Navigation failed: net::ERR_CONNECTION_REFUSED"),
            Failure(words="net::ERR_CONNECTION_REFUSED (nothing listens there)", key="net::ERR_CONNECTION_REFUSED"),
            id="refused",
        ),
        pytest.param(
            "open http://a/",
            no("Navigation failed: net::ERR_SOMETHING_NEW"),
            Failure(words="net::ERR_SOMETHING_NEW", key="net::ERR_SOMETHING_NEW"),
            id="another net error",
        ),
        pytest.param(
            "open http://a/",
            no("CDP command timed out: Page.navigate"),
            Failure(
                words="the page or its server hangs: CDP command timed out: Page.navigate", key="not answered in time"
            ),
            id="a server that never answers",
        ),
        pytest.param(
            "get text #a",
            Reply(ok=False, timed_out=True, seconds=40.2),
            Failure(words="not answered within 40 s: the page or its server hangs", key="not answered in time"),
            id="ended by the runner",
        ),
        pytest.param(
            "eval throw",
            no("Evaluation error: Error: x"),
            Failure(words="Evaluation error: Error: x", key="Evaluation error: Error: x"),
            id="anything else is quoted",
        ),
        pytest.param("back", no(""), Failure(words="`back` failed without a word", key=""), id="not a word"),
    ],
)
def test_a_step_that_is_not_done(words: str, reply: Reply, failure: Failure) -> None:
    assert of(command(words), reply) == failure


def test_a_command_that_may_not_run_fails_with_its_reason() -> None:
    assert of(command("install", error="it may not"), no("")) == Failure(words="it may not", key="it may not")


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (yes(visible=False), ""),
        (no(ADVICE_41), ""),
        (yes(visible=True), "answered true: the element is visible, and is not to be"),
        (no("Evaluation error"), "Evaluation error"),
    ],
)
def test_what_is_to_be_hidden(reply: Reply, words: str) -> None:
    failure = of(command("is visible #a", expected=False), reply)
    assert (failure.words if failure else "") == words


@pytest.mark.parametrize(
    ("reply", "hanging"),
    [
        (no("page_wedged: the active tab stopped responding"), True),
        (no("Failed to read: Resource temporarily unavailable (os error 11)"), True),
        (no("CDP command timed out: Runtime.evaluate"), True),
        (Reply(ok=False, timed_out=True), True),
        (no(ADVICE_41), False),
        (yes(title="page_wedged"), False),
    ],
)
def test_a_page_that_hangs(reply: Reply, *, hanging: bool) -> None:
    assert hangs(reply) is hanging
