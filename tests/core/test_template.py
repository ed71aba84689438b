"""Templates are strict about placeholders and silent where there is nothing to say."""

from __future__ import annotations

import pytest

from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.template import fill

_TEMPLATE = "Do $what.\n\n## A\n\nIntro\n$a\n\n$b\n\n## C\n\nAlways.\n\n$c\n"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param(
            {"a": "1", "b": "2", "c": "3"},
            "Do it.\n\n## A\n\nIntro\n1\n\n2\n\n## C\n\nAlways.\n\n3",
            id="everything said",
        ),
        pytest.param({"b": "2"}, "Do it.\n\n## A\n\n2\n\n## C\n\nAlways.", id="an empty paragraph goes with its words"),
        pytest.param({}, "Do it.\n\n## C\n\nAlways.", id="a section with only a heading left goes"),
        pytest.param(
            {"c": "$a $$\n\n## no heading of ours"},
            "Do it.\n\n## C\n\nAlways.\n\n$a $$\n\n## no heading of ours",
            id="values are not looked into",
        ),
    ],
)
def test_fill(values: dict[str, str], expected: str) -> None:
    assert fill("t", _TEMPLATE, {"what": "it", "a": "", "b": "", "c": ""} | values) == expected


@pytest.mark.parametrize(
    ("template", "message", "hint"),
    [
        pytest.param("$nope", "prompt template t: unknown placeholder $nope", "its placeholders are $a", id="unknown"),
        pytest.param(
            "costs $ 5", "prompt template t: a $ that begins no placeholder", "write $$ for a $", id="a lone dollar"
        ),
    ],
)
def test_mistakes_in_a_template_are_errors(template: str, message: str, hint: str) -> None:
    with pytest.raises(RalphError) as caught:
        fill("t", template, {"a": "1"})
    assert str(caught.value) == message
    assert caught.value.hint.startswith(hint)


def test_two_dollars_are_one() -> None:
    assert fill("t", "cost: $$5", {}) == "cost: $5"
