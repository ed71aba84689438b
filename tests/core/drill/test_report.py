"""The table's lines, the last sentence and the exit code."""

from __future__ import annotations

import pytest

from ralph_wiggum.core.drill.report import Row, exit_code, line, sentence
from ralph_wiggum.core.drill.verdict import Result, Verdict


def row(result: Result, name: str = "crash", words: str = "noticed") -> Row:
    return Row(name=name, what="it dies", verdict=Verdict(result=result, words=words), seconds=2.04)


@pytest.mark.parametrize(
    ("results", "code", "words"),
    [
        pytest.param([Result.SURVIVED] * 3, 0, "3 of 3 rehearsals survived in 9 s: the night can begin.", id="all"),
        pytest.param([Result.SURVIVED, Result.LEFT_OUT], 0, "1 left out", id="what cannot be here is no failure"),
        pytest.param([Result.SURVIVED, Result.FAILED], 1, "1 of 2 did not go well (crash)", id="one failed"),
        pytest.param([Result.SURVIVED, Result.NOT_REHEARSED], 1, "did not go well", id="one was cut by the time"),
        pytest.param([Result.LEFT_OUT], 1, "Nothing could be rehearsed here.", id="nothing at all"),
        pytest.param([], 1, "Nothing could be rehearsed here.", id="no rows"),
    ],
)
def test_only_a_drill_that_was_survived_ends_well(results: list[Result], code: int, words: str) -> None:
    rows = [row(result) for result in results]
    assert exit_code(rows) == code
    assert words in sentence(rows, 9.0)


def test_a_line_holds_no_control_characters_and_no_more_than_one_line() -> None:
    shown = line(row(Result.FAILED, words="\x1b[31mred\nand more " + "x" * 1000), 8)
    assert shown.startswith("crash     NOT SURVIVED    2.0 s  it dies: red and more")
    assert "\n" not in shown
    assert "\x1b" not in shown
    assert len(shown) < 450
