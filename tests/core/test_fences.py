"""Code fences in texts that were written carelessly."""

from __future__ import annotations

import pytest

from ralph_wiggum.core import fences


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        pytest.param("a\n```\nb\n```\nc", {1, 2, 3}, id="a fence"),
        pytest.param("```py\n# a\n```", {0, 1, 2}, id="with a language"),
        pytest.param("~~~\n```\n~~~", {0, 1, 2}, id="the other mark inside is text"),
        pytest.param("````\n```\n````", {0, 1, 2}, id="a shorter mark inside is text"),
        pytest.param("  - x\n    ```\n    y\n    ```", {1, 2, 3}, id="indented in a list"),
        pytest.param("a\n```\nb\nc", set(), id="one that never closes hides nothing"),
        pytest.param("a\n```\nb\n```ts\nc\n```\nd", {3, 4, 5}, id="a stray mark before a fence with a language"),
        pytest.param("`` `a` ``\n```x```", set(), id="inline code is no fence"),
    ],
)
def test_fenced_lines(text: str, inside: set[int]) -> None:
    assert fences.fenced(text.split("\n")) == inside


def test_without_takes_the_fences_out() -> None:
    assert fences.without("a\n```\nb\n```\nc") == "a\nc"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("```\na", True, id="cut inside a fence"),
        pytest.param("```\na\n```\nb", False, id="cut behind one"),
        pytest.param("````\n```", True, id="a shorter mark does not close it"),
    ],
)
def test_opened(text: str, expected: bool) -> None:  # noqa: FBT001 - a table's column
    assert fences.opened(text) is expected
