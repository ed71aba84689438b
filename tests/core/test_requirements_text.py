"""O7, O9: the texts of requirements in the shapes that real documents have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ralph_wiggum.core.citations import Span, key
from ralph_wiggum.core.requirements_text import read

_KIRO = """\
# Requirements Document

## Introduction

### 1. Why

Because.

## Requirements

### Requirement 1: Reading

**User Story:** As a reader, I want it read.

#### Acceptance Criteria

1. WHEN given THEN it SHALL read
2. IF broken THEN it SHALL say:
   - the file
   - the line
3. WHILE reading
it SHALL wait

A remark after the list.

### Requirement 2

**User Story:** As a writer.

1. first of two

#### Acceptance Criteria

1. the real one
"""


def _find(text: str, prefix: str, low: str, high: str = "") -> list[str]:
    document = read(text)
    span = Span(low=key(prefix, low), high=key(prefix, high or low), written="")
    return [document.items[each].text for each in document.find(span)]


@pytest.mark.parametrize(
    ("low", "expected"),
    [
        pytest.param("1.1", "WHEN given THEN it SHALL read", id="the n-th item is n.n"),
        pytest.param(
            "1.2", "IF broken THEN it SHALL say:\n   - the file\n   - the line", id="with what stands under it"
        ),
        pytest.param("1.3", "WHILE reading\nit SHALL wait", id="with its continuation line"),
        pytest.param("1", "**User Story:** As a reader, I want it read.\n\n\nA remark after the list.", id="the story"),
        pytest.param("2.1", "the real one", id="the list under the criteria wins over another one"),
    ],
)
def test_o7_kiros_own_shape(low: str, expected: str) -> None:
    assert _find(_KIRO, "", low) == [expected]


def test_o7_a_labelled_heading_wins_over_a_bare_number() -> None:
    assert read(_KIRO).items[("", (1,))].title == "Requirement 1: Reading"


@pytest.mark.parametrize(
    ("text", "prefix", "low", "expected"),
    [
        pytest.param(
            "### 需求 1 - 股票\n\n#### 驗收標準\n\n1. 系統 SHALL 新增", "", "1.1", "系統 SHALL 新增", id="Chinese"
        ),
        pytest.param(
            "### 要件1: 表示\n\n#### 受け入れ基準\n1. 黒であること", "", "1.1", "黒であること", id="Japanese, no space"
        ),
        pytest.param("### Требование 2\n1. да", "", "2.1", "да", id="Russian"),
        pytest.param("#### REQ-1.2: Deck\n- `add(card)`", "", "1.2", "- `add(card)`", id="a criterion with a heading"),
        pytest.param("### Requirement 1\n1.1 WHEN a\n1.2 WHEN b", "", "1.2", "WHEN b", id="ids written out"),
        pytest.param("### Requirement 1\n- **1.1** WHEN a", "", "1.1", "WHEN a", id="ids in bold"),
        pytest.param("### Requirement 1\n- R1.2: WHEN a", "", "1.2", "WHEN a", id="ids with an R"),
        pytest.param(
            "## Current Behavior\n\n1.1 WHEN a THEN it crashes", "", "1.1", "WHEN a THEN it crashes", id="bugfix.md"
        ),
        pytest.param("- **FR-001**: System MUST a", "FR", "1", "System MUST a", id="spec-kit"),
        pytest.param("| ID | Text |\n|--|--|\n| FR-1 | Must a | High |", "FR", "1", "Must a | High", id="a table"),
        pytest.param("### US-1: A\n- [ ] AC-1.1: b", "AC", "1.1", "b", id="criteria with boxes"),
        pytest.param(
            "### Requirement 2\n- **AC1**: b", "", "2.1", "b", id="criteria numbered anew in each requirement"
        ),
        pytest.param("### Requirement 2\n1. b", "AC", "2.1", "b", id="cited as AC, written as a list"),
        pytest.param(
            "### User Story 1 - A (P1)\n1. **Given** b", "US", "1.1", "**Given** b", id="a user story's scenarios"
        ),
        pytest.param("### Requirement 1\n#### Acceptance Criteria\n- a\n- b", "", "1.2", "b", id="bullets are counted"),
        pytest.param("### 2. Login\nUsers log in.", "", "2", "Users log in.", id="a heading with a bare number"),
        pytest.param(
            "## Requirements\n1. **Login**\n   - by mail", "", "1", "**Login**\n   - by mail", id="only a list"
        ),
        pytest.param("### Requirement 1\n```\n### Requirement 2\n```", "", "2", None, id="headings in code are code"),
        pytest.param("### Phase 1: a", "", "1", None, id="phases are no requirements"),
        pytest.param(
            "### Requirement 1\nin 1.5 seconds\n2.5 times", "", "2.5", None, id="numbers in the text are no ids"
        ),
    ],
)
def test_o7_other_shapes(text: str, prefix: str, low: str, expected: str | None) -> None:
    assert _find(text, prefix, low) == ([] if expected is None else [expected])


def test_o7_a_range_takes_what_there_is() -> None:
    text = "### Requirement 1\n1. a\n2. b\n3. c\n### Requirement 2\n1. d"
    assert _find(text, "", "1.2", "1.9") == ["b", "c"]
    assert _find(text, "", "1.3", "2.4") == ["c", "d"]
    assert _find(text, "", "7.1", "7.3") == []


def test_ids_are_labelled_as_the_document_writes_them() -> None:
    document = read("- **FR-001**: a\n\n### Requirement 2\n1. b")
    assert [item.label for item in document.items.values()] == ["FR-001", "2", "2.1"]
    assert document.items[("", (2, 1))].parent == ("", (2,))


@given(
    st.lists(
        st.sampled_from(
            ["### Requirement 1", "1. a", "- b", "1.1 c", "| FR-1 | d |", "```", "", "   x", "#", "**A:**"]
        ),
        max_size=20,
    ).map("\n".join),
)
def test_no_document_breaks_the_reading(text: str) -> None:
    for of, item in read(text).items.items():
        assert item.key == of
        assert item.parent is None or item.parent in read(text).items
