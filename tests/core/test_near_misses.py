"""O1: what is nearly a task, or looks wrong, is a warning with its line; never a guess, never silent."""

from __future__ import annotations

import pytest

from ralph_wiggum.core.parse import parse


@pytest.mark.parametrize(
    ("line", "words"),
    [
        pytest.param("- [x  ] 3. a", "is no box", id="too many blanks"),
        pytest.param("- [  ] 3. a", "is no box", id="two blanks"),
        pytest.param("- [] 3. a", "is no box", id="nothing between the brackets"),
        pytest.param("[x] 17.1 a", "without a dash", id="lost dash"),
        pytest.param(" [ ] 16.2 a", "without a dash", id="lost dash, indented"),
        pytest.param("[ ]* 16.2 a", "without a dash", id="lost dash, optional"),
        pytest.param("- [!] 3. a", "no known state", id="exclamation mark"),
        pytest.param("- [?] a", "no known state", id="question mark"),
        pytest.param("- [s] a", "no known state", id="lower-case s"),
        pytest.param("- [✓] a", "no known state", id="tick"),
        pytest.param("- [✔\ufe0f] a", "no known state", id="emoji tick"),
        pytest.param("- [\u00a0] a", "is no box", id="no-break space"),
        pytest.param("- [v] 3.1 a", "no known state", id="letter before an id"),
        pytest.param("-[ ] a", "no space between", id="dash sticks to the box"),
        pytest.param("- [ ]a", "no space behind", id="name sticks to the box"),
        pytest.param("- [ ]**a**", "no space behind", id="bold name sticks to the box"),
        pytest.param("- [x]: http://example.org", "no space behind", id="link definition"),
        pytest.param("- [ ]", "without a name", id="no name"),
        pytest.param("- [ ]*", "without a name", id="star without name"),
        pytest.param("1. [ ] a", "numbered", id="numbered item"),
        pytest.param("1. - [ ] a", "numbered", id="number before the dash"),
        pytest.param("- - [ ] a", "begin the line", id="two dashes"),
        pytest.param("– [ ] a", "begin the line", id="en dash"),
        pytest.param("• [x] a", "begin the line", id="dot bullet"),
        pytest.param("- \\[ \\] a", "escaped", id="escaped brackets"),
        pytest.param("```sh", "never closed", id="fence that never closes"),
        pytest.param("<!-- open", "never closed", id="comment that never closes"),
        pytest.param("text <!-- open", "hides no tasks", id="comment within a line"),
    ],
)
def test_near_misses_are_named_with_their_line(line: str, words: str) -> None:
    plan = parse(f"# Plan\n\n- [ ] 1. Real\n\n{line}\n")
    assert [task.key for task in plan.tasks] == ["1"]
    assert [(warned.line, words in warned.message) for warned in plan.warnings] == [(5, True)]


@pytest.mark.parametrize(
    "line",
    [
        "- [P] tasks = different files",
        "- [P]: runs in parallel",
        "- [1] A reference",
        "- [CLI](../cli.md) reference",
        "- [x](../cli.md) reference",
        "- [VALIDATED] it works",
        "- [Jest] + [React] tests",
        "- [US#] story",
        "> - [!] quoted",
        "`- [!]` in code",
        "| [x] | table |",
        "Text with [x] in it",
        "[x]: http://example.org",
        "- plain",
    ],
)
def test_prose_is_left_in_peace(line: str) -> None:
    plan = parse(f"- [ ] 1. Real\n\n{line}\n")
    assert [task.key for task in plan.tasks] == ["1"]
    assert plan.warnings == ()


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        pytest.param("- [ ] - [x] T001 a\n", 1, "two boxes", id="two boxes"),
        pytest.param("- [ ] 1. a - [ ] 2. b\n", 1, "two boxes", id="a lost line break"),
        pytest.param("text\n\n    - [ ] 1. a\n", 3, "indented so far", id="code for Markdown"),
        pytest.param("- [ ] 1. a\n      - [ ] 1.1 b\n", 2, "indented so far", id="text for Markdown"),
        pytest.param("- [ ] * 1. a\n", 1, "star apart", id="star apart from the box"),
        pytest.param("- [ ] 1. a\n\n```sh\nrun\n```\n", 3, "not indented", id="code at the margin below a task"),
        pytest.param("<details>\n- [ ] 1. a\n</details>\n", 2, "HTML block", id="box in other HTML"),
        pytest.param(
            "- [ ] 1. a\n  ```sh\n- [ ] 2. b\n", 2, "ends where its list item does, above line 3", id="fence cut off"
        ),
        pytest.param("```\n- [ ] 1. a\n- [ ] 2. b\n", 1, "boxes below it (2)", id="fence that swallows tasks"),
        pytest.param(
            "- a\n  <!--\n- [ ] 1. b\n-->\n", 2, "closed outside of its list item, on line 4", id="comment cut off"
        ),
        pytest.param("- [x] 1. a\n  - [ ] 1.1 b\n", 1, "1 is done, but 1.1 (line 2)", id="done parent, open sub-task"),
        pytest.param("- [x] 1. a\n- [-] 1.1 b\n", 1, "1 is done, but 1.1 (line 2)", id="done parent by id"),
        pytest.param("- [-] 1. a\n- [-] 2. b\n", 1, "in progress: lines 1, 2", id="several in progress"),
    ],
)
def test_what_looks_wrong_is_named(text: str, line: int, words: str) -> None:
    found = [(warned.line, warned.message) for warned in parse(text).warnings]
    assert len(found) == 1, found
    assert found[0][0] == line
    assert words in found[0][1]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("- [x] 1. a\n  - [ ]* 1.1 b\n", id="done parent with an open optional sub-task is normal"),
        pytest.param("- [x] 1. a\n  - [S] 1.1 b\n", id="done parent with a skipped sub-task"),
        pytest.param("- [-] 1. a\n  - [-] 1.1 b\n", id="parent and sub-task in progress"),
        pytest.param("- [ ] 1. a\n    - [ ] 1.1 b\n        - [ ] 1.1.1 c\n", id="four blanks a level"),
        pytest.param("- [ ] 1. Write `- [ ]` and `<!--`\n", id="marks in inline code"),
        pytest.param("- [ ] 1. a <!-- note -->\n", id="comment closed on its line"),
        pytest.param("- [ ] 1. a\n  ```sh\n  run\n  ```\n", id="indented fence"),
    ],
)
def test_what_is_normal_is_no_warning(text: str) -> None:
    assert parse(text).warnings == ()


def test_repeated_ids_are_one_warning_that_names_the_lines() -> None:
    text = "".join(f"- [ ] {number}. a\n" for number in (1, 2, 1, 2, 3, 1))
    (warned,) = parse(text).warnings
    assert warned.line == 1
    assert "1 (lines 1, 3, 6), 2 (lines 2, 4)" in warned.message
    assert "1@1" in warned.message


def test_long_lists_in_a_warning_are_cut() -> None:
    text = "".join(f"- [-] {number}. a\n" for number in range(12))
    (warned,) = parse(text).warnings
    assert "lines 1, 2, 3, 4, 5 and 7 more" in warned.message
