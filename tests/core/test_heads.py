"""Ids, stars and names of task lines, form by form (O4, design: "Ids label, keys identify")."""

from __future__ import annotations

import pytest

from ralph_wiggum.core.heads import Head, box, head, join_name, same, second_box, settle
from ralph_wiggum.core.model import Task


@pytest.mark.parametrize(
    ("rest", "ident", "name"),
    [
        pytest.param("1. Set up", "1", "Set up", id="number with dot"),
        pytest.param("0.5. Prepare", "0.5", "Prepare", id="dotted with a dot behind"),
        pytest.param("2.3 Build", "2.3", "Build", id="dotted"),
        pytest.param("1.2.3.4 Build", "1.2.3.4", "Build", id="four deep"),
        pytest.param("7.4b Build", "7.4b", "Build", id="dotted with a letter"),
        pytest.param("7.3.5a Build", "7.3.5a", "Build", id="three deep with a letter"),
        pytest.param("5A.1 Build", "5A.1", "Build", id="letter within"),
        pytest.param("1) Build", "1", "Build", id="number with parenthesis"),
        pytest.param("1.1: Build", "1.1", "Build", id="colon"),
        pytest.param("1.1 - Build", "1.1", "Build", id="dash between"),
        pytest.param("1、登录", "1", "登录", id="ideographic comma"),
        pytest.param("T001 [P] [US1] Add it", "T001", "[P] [US1] Add it", id="labels after the id stay in the name"),
        pytest.param("[T001] [P1] Add it", "T001", "[P1] Add it", id="bracketed id"),
        pytest.param("T003A Add it", "T003A", "Add it", id="letter behind"),
        pytest.param("P001 Add it", "P001", "Add it", id="P number"),
        pytest.param("T-4 Add it", "T-4", "Add it", id="T dash number"),
        pytest.param("CORE-2: Add it", "CORE-2", "Add it", id="word dash number, colon"),
        pytest.param("Task 1.1: Add it", "1.1", "Add it", id="the word Task goes"),
        pytest.param("SubTask 2.1: Add it", "2.1", "Add it", id="the word SubTask goes"),
        pytest.param("任务 2：登录", "2", "登录", id="the word Task in Chinese goes"),
        pytest.param("Phase 1: Set up", "Phase 1", "Set up", id="a phase keeps its word"),
        pytest.param("**1.2 Build it**", "1.2", "Build it", id="bold around all"),
        pytest.param("**1.2** Build it", "1.2", "Build it", id="bold around the id"),
        pytest.param("**1.2**: Build it", "1.2", "Build it", id="bold around the id, colon behind"),
        pytest.param("**Task 3:** Build it", "3", "Build it", id="bold label with colon"),
        pytest.param("**1.2 Build** (later)", "1.2", "**Build** (later)", id="bold goes on with the name"),
        pytest.param("19.3 **Check: all** (late)", "19.3", "**Check: all** (late)", id="inner bold stays as written"),
        pytest.param("4. `run` the [docs](x)", "4", "`run` the [docs](x)", id="inline mark-up stays as written"),
        pytest.param("3.", "3", "", id="id without name"),
        pytest.param("T010 .github/workflows", "T010", ".github/workflows", id="a name may begin with a dot"),
        pytest.param("- [X] T001 Add it", "T001", "Add it", id="second box goes"),
        pytest.param("2FA login", "", "2FA login", id="2FA is no id"),
        pytest.param("3D view", "", "3D view", id="3D is no id"),
        pytest.param("3.5mm jack", "", "3.5mm jack", id="a measure is no id"),
        pytest.param("10:30 meeting", "", "10:30 meeting", id="a time is no id"),
        pytest.param("v1.2 release", "", "v1.2 release", id="a version is no id"),
        pytest.param("[US1] Add it", "", "[US1] Add it", id="a story label is no id"),
        pytest.param("[P1] Add it", "", "[P1] Add it", id="a priority label is no id"),
        pytest.param("Phase 1 Checkpoint", "", "Phase 1 Checkpoint", id="a phase without colon is a name"),
        pytest.param("Task list view", "", "Task list view", id="Task without number is a name"),
        pytest.param("**Bold name**", "", "Bold name", id="bold of the whole name goes"),
        pytest.param("**A** and **B**", "", "**A** and **B**", id="two bold parts stay"),
        pytest.param("(Optional) Write docs", "", "(Optional) Write docs", id="the word optional is no star"),
    ],
)
def test_id_and_name(rest: str, ident: str, name: str) -> None:
    found = head(rest)
    assert (found.id, found.name, found.optional, found.weak) == (ident, name, False, False)


@pytest.mark.parametrize(
    "rest", ["12.7* Test it", "12.7\\* Test it", "12.* Test it", "**12.7* Test it**", "T007* Test it"]
)
def test_o4_a_star_behind_the_id_makes_the_task_optional(rest: str) -> None:
    found = head(rest)
    assert found.optional
    assert found.name == "Test it"


@pytest.mark.parametrize(
    ("lines", "labels"),
    [
        pytest.param(["3 new tests"], [("", "3 new tests")], id="number before a lower-case word is a name"),
        pytest.param(["1 Set up"], [("1", "Set up")], id="number before a capital is an id"),
        pytest.param(["1 set up", "2 build"], [("1", "set up"), ("2", "build")], id="numbers in a row are ids"),
        pytest.param(["3 add it", "3.1 a"], [("3", "add it"), ("3.1", "a")], id="number with sub-tasks is an id"),
        pytest.param(
            ["3. Add", "3 new tests"], [("3", "Add"), ("", "3 new tests")], id="number taken by another is a name"
        ),
        pytest.param(["3 登录"], [("3", "登录")], id="number before another script is an id"),
        pytest.param(["S3 bucket", "S3 policy"], [("", "S3 bucket"), ("", "S3 policy")], id="one number is no scheme"),
        pytest.param(["V4 Check", "V5 Check"], [("V4", "Check"), ("V5", "Check")], id="two numbers are a scheme"),
        pytest.param(["UTF-8 names"], [("", "UTF-8 names")], id="UTF-8 alone is a name"),
        pytest.param(["2024 roadmap"], [("", "2024 roadmap")], id="a year is a name"),
    ],
)
def test_weak_ids_need_company(lines: list[str], labels: list[tuple[str, str]]) -> None:
    assert [(each.id, each.name) for each in settle([head(line) for line in lines])] == labels


@pytest.mark.parametrize(
    ("line", "mark", "optional", "rest"),
    [
        pytest.param("- [ ] A", " ", False, "A", id="open"),
        pytest.param("* [X] A", "X", False, "A", id="capital, star bullet"),
        pytest.param("\t+ [-] A\r", "-", False, "A", id="tab, plus bullet, carriage return"),
        pytest.param("\ufeff- [~] A", "~", False, "A", id="byte order mark"),
        pytest.param("- [S]* A", "S", True, "A", id="star"),
        pytest.param("- [ ]\\* A", " ", True, "A", id="escaped star"),
        pytest.param("-  [ ]\u3000A", " ", False, "A", id="wide blanks"),
    ],
)
def test_o1_boxes(line: str, mark: str, optional: bool, rest: str) -> None:  # noqa: FBT001 - a column of the table
    found = box(line)
    assert found is not None
    assert (found.mark, found.optional, found.rest, line[found.offset]) == (mark, optional, rest, mark)


@pytest.mark.parametrize(
    "line",
    [
        "- [P] A",
        "- [x ] A",
        "- [] A",
        "- [!] A",
        "-[ ] A",
        "[ ] A",
        "1. [ ] A",
        "- [ ]A",
        "- [x](u) A",
        "- [ ]**A**",
        "> - [ ] A",
    ],
)
def test_o1_other_brackets_are_prose(line: str) -> None:
    assert box(line) is None


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        pytest.param(["Build the", "thing that", "we need"], "Build the thing that we need", id="wrapped"),
        pytest.param(["Build", "  _Requirements: 1.1_"], "Build", id="annotation"),
        pytest.param(["Build", "**Files**: a.py"], "Build", id="bold label"),
        pytest.param(["Build", "↳ Schema: x"], "Build", id="arrow"),
        pytest.param(["Build", "Note: x", "more"], "Build", id="label, and all below it"),
        pytest.param(["Build", "[x] 17.1 Lost"], "Build", id="box that lost its dash"),
        pytest.param(["Build", "- a detail"], "Build", id="bullet that is indented too far"),
        pytest.param(["Build  ", "more"], "Build", id="hard break"),
        pytest.param(["", "Build"], "Build", id="name below its box"),
    ],
)
def test_names_go_on_over_wrapped_lines_but_not_into_details(lines: list[str], name: str) -> None:
    assert join_name(lines) == name


@pytest.mark.parametrize(
    ("rest", "two"),
    [
        pytest.param("- [ ] T001 A", True, id="right behind"),
        pytest.param("[x] T001 A", True, id="right behind without dash"),
        pytest.param("1. A - [x] 2. B", True, id="lost line break"),
        pytest.param("Change `- [ ]` to - `- [x] b`", False, id="in inline code"),
        pytest.param("Read config[x] now", False, id="an index"),
    ],
)
def test_o1_two_boxes_on_a_line(rest: str, two: bool) -> None:  # noqa: FBT001 - a column of the table
    assert second_box(rest) is two


def test_a_line_is_known_again_by_its_words() -> None:
    task = Task(
        index=0, key="1", id="1", name="Build the thing", mark=" ", line=1, level=1, parent=None, optional=False
    )
    assert same("1. Build the thing", task)
    assert same("**1.** Build the", task)
    assert not same("1. Build th", task)
    assert not same("2. Build the thing", task)
    assert not same("", task)
    assert head("1. Build") == Head("1", "Build")
