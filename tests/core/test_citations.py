"""O7: which requirements a task cites."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ralph_wiggum.core.citations import Key, cited, key

_WAYS = st.lists(
    st.sampled_from(
        ["_Requirements: ", "1.1", ", ", "-", "FR-", "7", "All", "_", "\n", "- ", "需求", "：", "Property ", "."]
    ),
    max_size=25,
).map("".join)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("- _Requirements: 1.1, 1.2_", ["1.1", "1.2"], id="Kiro's own form"),
        pytest.param("_Requirements: 1.1,1.2;3_", ["1.1", "1.2", "3"], id="without spaces, whole requirements"),
        pytest.param("- **Validates: Requirements 1.2, 3.4**", ["1.2", "3.4"], id="a property's form"),
        pytest.param("_Validates: 1.2, 1.3_", ["1.2", "1.3"], id="validates with bare ids"),
        pytest.param("**Requirements**: R1, R1.2", ["1", "1.2"], id="bold label, ids with an R"),
        pytest.param("Requirements: US-3, Req 4.1", ["US-3", "4.1"], id="plain label, mixed ids"),
        pytest.param("_需求: 5.1、5.2_", ["5.1", "5.2"], id="Chinese"),
        pytest.param(
            "_要件: 要件7.3, 要件7.4, 全体システム統合_", ["7.3", "7.4"], id="Japanese with the word at each id"
        ),
        pytest.param("_Requisitos: 2.1_", ["2.1"], id="Spanish and Portuguese"),
        pytest.param("_Wymogi: 1.2, 3_", ["1.2", "3"], id="a language nobody thought of"),
        pytest.param("_Requirements: FR-1, AC-2.1_", ["FR-1", "AC-2.1"], id="ids with prefixes"),
        pytest.param("T038 [US1] Write the message (FR-029)", ["US-1", "FR-29"], id="spec-kit's labels in the name"),
        pytest.param("_Requirements: User context for 1.1, 1.2_", ["1.1", "1.2"], id="words before the ids"),
        pytest.param("_Requirements: 1.1,\n  1.2_", ["1.1", "1.2"], id="wrapped over two lines"),
        pytest.param("See Requirement 3 and 4.2 for that", ["3", "4.2"], id="in a sentence"),
        pytest.param("_Depends: 1.2_", [], id="dependencies on tasks are no citations"),
        pytest.param("```\n_Requirements: 1.1_\n```", [], id="code cites nothing"),
        pytest.param("Requirements: Python 3.11 and HTTP 2", [], id="versions of other things"),
        pytest.param("Validates: password length 8", [], id="a check that happens to be called validation"),
        pytest.param("Requirement 1 (Step 3)", ["1"], id="numbers of other things"),
        pytest.param("_Requirements: Testing Strategy_", [], id="only words"),
        pytest.param("Add 3 routes in 2.5 s", [], id="nothing cited"),
    ],
)
def test_o7_cited_ids(text: str, expected: list[str]) -> None:
    assert [_written(span.low) for span in cited(text).spans] == expected


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        pytest.param("_Requirements: 1.1-1.7_", "1.1", "1.7", id="a hyphen"),
        pytest.param("_Requirements: 1.1 – 1.7_", "1.1", "1.7", id="a dash"),
        pytest.param("_要件: 2.1〜2.5_", "2.1", "2.5", id="a wave dash"),
        pytest.param("_Requirements: 1.2 to 1.5_", "1.2", "1.5", id="a word"),
        pytest.param("_Requirements: AC-2.1-2.4_", "AC-2.1", "AC-2.4", id="the prefix holds for both ends"),
        pytest.param("(FR-020-FR-027)", "FR-20", "FR-27", id="the prefix written twice"),
        pytest.param("_Requirements: 1.7-1.1_", "1.7", "1.7", id="the wrong way round only the first counts"),
    ],
)
def test_o7_ranges(text: str, low: str, high: str) -> None:
    (span,) = cited(text).spans
    assert (_written(span.low), _written(span.high)) == (low, high)


@pytest.mark.parametrize(
    ("text", "everything"),
    [
        pytest.param("_Requirements: All_", True, id="all"),
        pytest.param("_Requirements: All requirements validation_", True, id="all with words"),
        pytest.param("_需求: 所有需求_", True, id="all in Chinese"),
        pytest.param("_要件: 全要件の統合テスト_", True, id="all in Japanese"),
        pytest.param("_Requirements: All properties 1-31_", False, id="all properties are not all requirements"),
        pytest.param("_Requirements: All backend properties_", False, id="nor are some of them"),
        pytest.param("_要件: 全般的な品質保証_", False, id="in general is not all"),
        pytest.param("- All pages load", False, id="a sentence that begins with all"),
    ],
)
def test_o7_all(text: str, everything: bool) -> None:  # noqa: FBT001 - a table's column
    assert cited(text).everything is everything


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("- **Property 3: Round trip**", {3}, id="a property"),
        pytest.param("Property 8, and Property 9", {8, 9}, id="two"),
        pytest.param("_Requirements: All properties 4-6_", {4, 5, 6}, id="a range"),
        pytest.param("- **属性 2：往返**", {2}, id="in Chinese"),
        pytest.param("Set the property of node 3", set(), id="another property"),
    ],
)
def test_properties_that_a_task_names(text: str, expected: set[int]) -> None:
    assert cited(text).properties == expected


def test_words_of_an_annotation_are_kept_for_the_design() -> None:
    assert cited("- _Requirements: Testing Strategy_").words == "Testing Strategy"
    assert cited("- _Requirements: 1.1_").words == ""


@given(_WAYS)
def test_no_text_breaks_the_reading(text: str) -> None:
    for span in cited(text).spans:
        assert span.low <= span.high
        assert span.written in text.replace("\n", " ") or "\n" in text


def _written(of: Key) -> str:
    numbers = ".".join(map(str, of[1]))
    return f"{of[0]}-{numbers}" if of[0] else numbers


def test_key_drops_leading_zeros_and_words_that_only_say_requirement() -> None:
    assert key("fr", "007") == ("FR", (7,))
    assert key("Requirement", "1.2") == ("", (1, 2))
