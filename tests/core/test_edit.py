"""O8: one character changes; a task is found again or refused, never the wrong line."""

from __future__ import annotations

import time

import pytest

from ralph_wiggum.core.edit import Moved, relocate, set_mark
from ralph_wiggum.core.model import Plan
from ralph_wiggum.core.parse import parse


def at(plan: Plan, line: int) -> str:
    return next(task.key for task in plan.tasks if task.line == line)


@pytest.mark.parametrize(
    ("text", "key", "mark", "edited"),
    [
        pytest.param("- [ ] 1. a", "1", "x", "- [x] 1. a", id="no line feed at the end"),
        pytest.param("\ufeff- [ ] 1. a\r\n- [X] 2. b \r\n", "2", "S", "\ufeff- [ ] 1. a\r\n- [S] 2. b \r\n", id="BOM, CRLF, trailing blank"),
        pytest.param("\ufeff- [ ] 1. a\n", "1", "-", "\ufeff- [-] 1. a\n", id="BOM on the task's own line"),
        pytest.param("\t- [ ]\\* 1. a [ ] b\n", "1", "x", "\t- [x]\\* 1. a [ ] b\n", id="tab, star, brackets in the name"),
        pytest.param("a\x0cb\u2028c\n- [ ] 1. a\n", "1", "x", "a\x0cb\u2028c\n- [x] 1. a\n", id="form feed and line separator above"),
        pytest.param("- [ ] - [X] T001 a\n", "T001", "x", "- [x] - [X] T001 a\n", id="first of two boxes"),
        pytest.param("- [ ] **Long\n  name**\n", "~long-name", "x", "- [x] **Long\n  name**\n", id="wrapped name"),
        pytest.param("- [ ]\n  1.1 a\n", "1.1", "x", "- [x]\n  1.1 a\n", id="name below its box"),
        pytest.param("- [ ] 1. a\n- [ ] 1. a\n", "1@2", "x", "- [ ] 1. a\n- [x] 1. a\n", id="same words twice"),
        pytest.param("- [X] 1. a\n", "1", "X", "- [X] 1. a\n", id="nothing to change"),
    ],
)  # fmt: skip
def test_o8_one_character_changes(text: str, key: str, mark: str, edited: str) -> None:
    assert set_mark(text, parse(text).task(key), mark) == edited


@pytest.mark.parametrize(
    "now",
    [
        pytest.param("", id="emptied file"),
        pytest.param("- [ ] 1. a", id="file that ends above"),
        pytest.param("- [ ] 1. a\n- [ ] 3. other\n", id="another task"),
        pytest.param("- [ ] 1. a\n- 2. b\n", id="no box"),
        pytest.param("- [ ] 1. a\n- [ ]\n", id="no name"),
        pytest.param("- [ ] 1. a\n\n- [ ] 2. b\n", id="shifted line"),
    ],
)
def test_o8_a_line_that_is_no_longer_the_task_is_refused(now: str) -> None:
    task = parse("- [ ] 1. a\n- [ ] 2. b\n").task("2")
    with pytest.raises(Moved) as caught:
        set_mark(now, task, "x")
    assert "line 2" in str(caught.value)


def test_an_unknown_state_is_a_mistake_of_the_caller() -> None:
    text = "- [ ] 1. a"
    with pytest.raises(ValueError, match="no state"):
        set_mark(text, parse(text).task("1"), "y")


def test_o8_an_edit_of_a_large_file_is_quick() -> None:
    text = "".join(f"- [ ] {n}. {'word ' * 20}\n  - {'detail ' * 6}\n" for n in range(1, 2001))
    task = parse(text).tasks[-1]
    started = time.perf_counter()
    for _ in range(10):
        set_mark(text, task, "x")
    assert len(text) > 300_000
    assert (time.perf_counter() - started) / 10 < 0.02


@pytest.mark.parametrize(
    ("old", "key", "new", "line"),
    [
        pytest.param("- [ ] 1. a\n", "1", "# T\n\n- [x] 1. a\n", 3, id="lines came in above"),
        pytest.param("- [ ] 1. a\n- [ ] 2. b\n", "2", "- [ ] 2. b\n- [ ] 1. a\n", 1, id="moved"),
        pytest.param("- [ ] 1. a\n- [ ] 2. b\n", "2", "- [ ] 1. a\n- [ ] 2. new\n- [ ] 3. b\n", 3, id="renumbered"),
        pytest.param("- [ ] 1. a\n- [ ] 2. b\n", "2", "- [ ] 1. a\n- [ ] 2. better b\n", 2, id="reworded"),
        pytest.param("- [ ] a\n", "~a", "- [ ] 1. a\n", 1, id="got an id"),
        pytest.param("- [ ] 1. a\n", "1", "- [ ] 1. a\n- [ ] 1. b\n", 1, id="id used again for another name"),
        pytest.param("## A\n- [ ] 1. t\n## B\n- [ ] 1. t\n", "1@2", "\n## A\n- [ ] 1. t\n## B\n- [ ] 1. t\n", 5, id="twins under two headings"),
        pytest.param("## A\n- [ ] 1. t\n## B\n- [ ] 1. t\n", "1@2", "## B\n- [ ] 1. t\n", 2, id="the other twin was deleted"),
        pytest.param("- [ ] t\n  - x\n- [ ] t\n  - y\n", "~t@1", "- [ ] t\n  - y\n- [ ] t\n  - x\n", 3, id="twins with details changed places"),
        pytest.param("- [x] t\n- [ ] t\n", "~t@2", "note\n\n- [x] t\n- [ ] t\n", 4, id="twins alike, lines came in above"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("with_older", [False, True])
def test_o8_a_task_is_found_again(old: str, key: str, new: str, line: int, with_older: bool) -> None:  # noqa: FBT001 - drawn
    before, plan = parse(old), parse(new)
    assert relocate(before.task(key), plan, before if with_older else None).line == line


@pytest.mark.parametrize(
    ("old", "key", "new"),
    [
        pytest.param("- [ ] 1. a\n- [ ] 2. b\n", "2", "- [ ] 1. a\n", id="deleted"),
        pytest.param("- [ ] 1. a\n", "1", "", id="emptied"),
        pytest.param("- [ ] 1. a\n", "1", "- [ ] 2. a\n- [ ] 3. a\n", id="two with the name, none with the id"),
        pytest.param("- [ ] 1. a\n", "1", "- [ ] 1. b\n- [ ] 1. c\n", id="two with the id, none with the name"),
        pytest.param("- [ ] 1. a\n- [ ] 1. b\n", "1@1", "- [ ] 1. c\n", id="an id that was not unique before"),
        pytest.param("- [ ] t\n- [x] t\n", "~t@2", "- [ ] t\n- [ ] t\n- [x] t\n", id="twins with one more among them"),
        pytest.param("- [ ] a\n", "~a", "- [ ] b\n", id="no id and another name"),
    ],
)
@pytest.mark.parametrize("with_older", [False, True])
def test_o8_doubt_is_refused(old: str, key: str, new: str, with_older: bool) -> None:  # noqa: FBT001 - drawn
    before, plan = parse(old), parse(new)
    with pytest.raises(Moved, match="cannot be found again"):
        relocate(before.task(key), plan, before if with_older else None)


@pytest.mark.parametrize(
    ("old", "key", "new"),
    [
        pytest.param(
            "- [ ] 1.1 Test it\n- [ ] 2.1 Test it\n", "1.1", "- [ ] 2.1 Test it\n", id="same name, other task"
        ),
        pytest.param("- [ ] 1. a\n- [ ] 2. b\n", "1", "- [ ] 1. b\n", id="deleted, and the rest moved up"),
        pytest.param("- [ ] t\n- [ ] t\n", "~t@1", "- [ ] t\n", id="one of two twins is left"),
    ],
)
def test_o8_the_older_plan_rules_out_the_place_of_a_deleted_task(old: str, key: str, new: str) -> None:
    before = parse(old)
    with pytest.raises(Moved):
        relocate(before.task(key), parse(new), before)


def test_the_refusal_names_the_lines_that_came_near() -> None:
    task = parse("- [ ] 1. a\n").task("1")
    with pytest.raises(Moved) as caught:
        relocate(task, parse("- [ ] 2. a\n\n- [ ] 3. a\n"))
    assert "line 1: 2 a, line 3: 3 a" in str(caught.value)
    assert caught.value.hint
