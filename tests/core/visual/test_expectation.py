"""What an `is` is to answer, by the words behind it: a table."""

from __future__ import annotations

import pytest

from ralph_wiggum.core.visual.expectation import is_to_be_false


@pytest.mark.parametrize(
    ("question", "behind"),
    [
        ("visible", " - returns false"),
        ("visible", " returns `false`"),
        ("visible", " returns: false"),
        ("visible", " → false"),
        ("visible", " => **false**"),
        ("visible", "false"),
        ("visible", " (false)"),
        ("visible", " (expected: false)"),
        ("visible", ": expect false"),
        ("visible", " should return false."),
        ("visible", " evaluates to false"),
        ("visible", " – it should be gone"),
        ("visible", " → should be gone"),
        ("visible", " is hidden"),
        ("visible", "not visible"),
        ("visible", "not visible any more"),
        ("visible", "hidden until the menu is opened"),
        ("visible", " # invisible, then"),
        ("visible", " - should not be visible"),
        ("visible", " must not be displayed"),
        ("visible", " shouldn't be there"),
        ("visible", " should fail"),
        ("visible", " must fail now"),
        ("enabled", " - disabled"),
        ("enabled", " - should be disabled while it loads"),
        ("enabled", " not enabled"),
        ("checked", " - should be unchecked"),
        ("checked", " should not be checked"),
    ],
)
def test_a_short_clause_turns_the_answer_round(question: str, behind: str) -> None:
    assert is_to_be_false(("is", question, "#a"), behind)


@pytest.mark.parametrize(
    ("question", "behind"),
    [
        ("visible", ""),
        ("visible", " - returns true"),
        ("visible", " - the results show and the spinner is hidden"),
        ("visible", " even when the save button is disabled"),
        ("visible", "was not visible before login"),
        ("visible", " (a false alarm earlier)"),
        ("visible", " true, not false"),
        ("visible", " - hidden menu opens"),
        ("visible", " the hidden menu"),
        ("visible", " - gone are the old cards"),
        ("visible", " - not hidden"),
        ("visible", " - disabled"),
        ("visible", " - should be visible, not hidden"),
        ("visible", ". False positives were fixed"),
        ("visible", " should not be disabled"),
        ("visible", " - falsey values are shown"),
        ("visible", " should failover to the cache"),
        ("enabled", " - hidden"),
        ("enabled", " should be enabled, the other is disabled"),
    ],
)
def test_anything_else_does_not(question: str, behind: str) -> None:
    assert not is_to_be_false(("is", question, "#a"), behind)


@pytest.mark.parametrize("argv", [(), ("is",), ("get", "text", "#a"), ("is", "shiny", "#a")])
def test_only_the_questions_of_is_have_an_answer(argv: tuple[str, ...]) -> None:
    assert not is_to_be_false(argv, " - returns false")
