"""O17: only the runner writes states; what an attempt did to them and to its own task's text is undone."""

from __future__ import annotations

import pytest

from ralph_wiggum.core.match import match
from ralph_wiggum.core.parse import parse
from ralph_wiggum.core.protect import DIFF_LINES, Protected, protect

PLAN = """# Plan

- [x] 1. First
- [-] 2. Second
  - build the thing
  - _Requirements: 1.1_
  - [x] 2.1 Sub one
  - [ ] 2.2 Sub two
    - with care
- [ ] 3. Third
  - and its detail
"""


def changed(*edits: tuple[str, str]) -> str:
    text = PLAN
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def test_nothing_changed() -> None:
    assert protect(PLAN, PLAN, "2.2") == Protected(text=PLAN)


@pytest.mark.parametrize(
    ("after", "notes"),
    [
        pytest.param(changed(("[ ] 2.2", "[x] 2.2")), ["2.2: [x] put back"], id="its own state"),
        pytest.param(changed(("[ ] 3.", "[x] 3."), ("[x] 1.", "[ ] 1.")), ["1: [ ] put back", "3: [x] put back"], id="states of others"),
        pytest.param(changed(("[-] 2.", "[S] 2.")), ["2: [S] put back"], id="a parent's state"),
        pytest.param(changed(("    - with care\n", "")), ["2.2 Sub two: its text was put back"], id="details taken out"),
        pytest.param(changed(("with care", "as you like")), ["2.2 Sub two: its text was put back"], id="details watered down"),
        pytest.param(changed(("2.2 Sub two", "2.2 Nothing to do")), ["2.2 Sub two: its text was put back"], id="another name"),
        pytest.param(changed(("2.2 Sub two", "2.9 Sub two")), ["2.2 Sub two: its text was put back"], id="another id"),
        pytest.param(changed(("    - with care", "    ```\n    with care")), ["2.2 Sub two: its text was put back"], id="a fence left open"),
        pytest.param(changed(("[ ] 2.2", "[ ]* 2.2")), ["2.2 Sub two: its text was put back"], id="a star"),
        pytest.param(changed(("    - with care", "    - with care\n    - Done: all of it")), ["2.2 Sub two: its text was put back"], id="a note below"),
    ],
)  # fmt: skip
def test_what_an_attempt_must_not_do_is_undone_to_the_byte(after: str, notes: list[str]) -> None:
    result = protect(PLAN, after, "2.2")
    assert result.text == PLAN
    assert not result.replaced
    assert result.diff == ""
    assert len(result.notes) == len(notes)
    assert all(note.startswith(start) for note, start in zip(result.notes, notes, strict=True))


def test_the_note_says_what_was_undone() -> None:
    assert protect(PLAN, changed(("[ ] 3.", "[x] 3.")), "2.2").notes == ("3: [x] put back to [ ]",)


@pytest.mark.parametrize(
    ("after", "stays"),
    [
        pytest.param(PLAN + "- [ ] 4. Added\n", "+- [ ] 4. Added", id="a task added at the end"),
        pytest.param(changed(("- [ ] 3.", "- [ ] 2.5 Added\n- [ ] 3.")), "+- [ ] 2.5 Added", id="a task added between"),
        pytest.param(changed(("and its detail", "and less")), "+  - and less", id="a later task watered down"),
        pytest.param(changed(("3. Third", "3. Reworded")), "+- [ ] 3. Reworded", id="a later task reworded"),
        pytest.param(changed(("- [ ] 3. Third\n  - and its detail\n", ""), ("- [x] 1.", "- [ ] 3. Third\n- [x] 1.")), "+- [ ] 3. Third", id="a task moved"),
        pytest.param("Intro\n" + PLAN, "+Intro", id="prose added"),
    ],
)  # fmt: skip
def test_other_edits_stay_and_are_shown(after: str, stays: str) -> None:
    result = protect(PLAN, after, "2.2")
    assert result == Protected(text=after, diff=result.diff)
    assert stays in result.diff.split("\n")


def test_an_edit_that_stays_beside_one_that_is_undone() -> None:
    after = changed(("[ ] 2.2", "[x] 2.2"), ("3. Third", "3. Reworded"), ("[ ] 3.", "[x] 3."))
    result = protect(PLAN, after, "2.2")
    assert result.text == changed(("3. Third", "3. Reworded"))
    assert [note[:1] for note in result.notes] == ["2", "3"]
    assert "-- [ ] 3. Third" in result.diff


def test_a_sub_task_that_was_added_to_the_running_task_stays() -> None:
    after = changed(("    - with care\n", "    - with no care\n    - [ ] 2.2.1 Added\n    - more of mine\n"))
    result = protect(PLAN, after, "2.2")
    assert result.text == changed(("    - with care\n", "    - with care\n    - [ ] 2.2.1 Added\n"))
    assert not result.replaced


def test_the_text_of_a_task_around_its_sub_tasks_is_put_back_in_its_places() -> None:
    before = "- [ ] 1. a\n  - one\n  - [ ] 1.1 b\n  - two\n  - [ ] 1.2 c\n\n  three\n- [ ] 2. d\n"
    after = before.replace("one", "1").replace("  - two\n", "").replace("three", "3\n  4").replace("1.2 c", "1.2 new")
    result = protect(before, after, "1")
    assert result.text == before.replace("1.2 c", "1.2 new")


@pytest.mark.parametrize(
    "after",
    [
        pytest.param("", id="emptied"),
        pytest.param("\ufeff \n", id="blank"),
        pytest.param("all done!\n", id="replaced by prose"),
        pytest.param(changed(("- [ ] 3. Third\n", "")), id="a task deleted"),
        pytest.param(changed(("- [ ] 3. Third", "- 3. Third")), id="a box taken away"),
        pytest.param(changed(("- [ ] 3. Third", "- [done] 3. Third")), id="a state that is none"),
        pytest.param(changed(("- [ ] 3.", "```\n- [ ] 3.")), id="a task put into a fence"),
        pytest.param(changed(("- [ ] 3.", "<!--\n- [ ] 3.")), id="a task put into a comment"),
        pytest.param(changed(("- [ ] 3. Third", "> - [ ] 3. Third")), id="a task put into a quote"),
        pytest.param(changed(("  - [ ] 2.2 Sub two\n", ""), ("[x] 2.1", "[x] 2.2")), id="two tasks made one"),
    ],
)
def test_where_a_known_task_is_missing_everything_is_put_back(after: str) -> None:
    result = protect(PLAN, after, "2.2")
    assert (result.text, result.replaced, result.diff) == (PLAN, True, "")
    assert len(result.notes) == 1
    assert result.notes[0].startswith("tasks.md was put back: ")


def test_sub_tasks_of_the_running_task_that_were_moved_about_put_everything_back() -> None:
    before = "- [ ] 1. a\n  - [ ] 1.1 b\n  - [ ] 1.2 c\n"
    result = protect(before, "- [ ] 1. a\n  - [ ] 1.2 c\n  - [ ] 1.1 b\n", "1")
    assert (result.text, result.replaced) == (before, True)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("\ufeff" + PLAN, PLAN, id="the byte order mark"),
        pytest.param(PLAN, "\ufeff" + PLAN, id="no byte order mark"),
        pytest.param(PLAN.replace("\n", "\r\n"), PLAN, id="CRLF"),
        pytest.param(PLAN, PLAN.replace("\n", "\r\n"), id="LF"),
        pytest.param(PLAN.replace("\n", "\r\n"), PLAN.replace("\n", "\r\n", 3), id="CRLF where some were lost"),
        pytest.param("\ufeff" + PLAN.replace("\n", "\r\n"), PLAN.replace("[ ]", "[x]"), id="both, and states"),
    ],
)
def test_line_endings_and_byte_order_mark_are_put_back(before: str, after: str) -> None:
    result = protect(before, after, "2.2")
    assert (result.text, result.replaced, result.diff) == (before, False, "")
    assert "line endings" in result.notes[-1]


def test_a_file_with_both_line_endings_keeps_them_line_by_line() -> None:
    before = "- [ ] 1. a\r\n- [ ] 2. b\n- [ ] 3. c"
    assert protect(before, before.replace("[ ] 2.", "[x] 2."), "1").text == before


def test_the_byte_order_mark_does_not_travel_with_the_running_task() -> None:
    before = "\ufeff- [ ] 1. a\n- [ ] 2. b\n"
    result = protect(before, "\ufeff- [ ] 2. b\n- [ ] 1. a!\n", "1")
    assert result.text == "\ufeff- [ ] 2. b\n- [ ] 1. a\n"


def test_a_task_without_id_that_was_reworded_is_not_missing() -> None:
    before = "- [ ] a\n- [ ] b\n- [ ] c\n"
    assert protect(before, before.replace("b", "better b"), "~a").text == "- [ ] a\n- [ ] better b\n- [ ] c\n"
    assert protect(before, before.replace("b\n", "x\n- [ ] y\n"), "~a").replaced


def test_a_file_without_tasks_is_protected_from_being_emptied() -> None:
    assert protect("# Plan\n", "\n", "1") == Protected(
        text="# Plan\n", notes=("tasks.md was put back: everything was missing from it",), replaced=True
    )
    assert protect("# Plan\n", "# Better plan\n", "1").text == "# Better plan\n"


def test_states_are_protected_where_the_key_is_unknown() -> None:
    assert protect(PLAN, changed(("[ ] 3.", "[x] 3.")), "99").text == PLAN


def test_a_long_diff_is_cut() -> None:
    after = PLAN + "".join(f"- [ ] {n}. Added\n" for n in range(10, 500))
    lines = protect(PLAN, after, "2.2").diff.split("\n")
    assert len(lines) == DIFF_LINES
    assert lines[-1] == "… and more"


@pytest.mark.parametrize(
    ("old", "new", "places"),
    [
        pytest.param("- [ ] 1. a\n- [ ] 2. b", "- [x] 1. a\n- [ ] 2. b", [0, 1], id="unchanged"),
        pytest.param("- [ ] 1. a\n- [ ] 2. b", "- [ ] 0. n\n- [ ] 2. b\n- [ ] 1. a", [2, 1], id="moved, one added"),
        pytest.param("- [ ] 1. a\n- [ ] 2. b", "- [ ] 1. n\n- [ ] 2. a\n- [ ] 3. b", [1, 2], id="renumbered"),
        pytest.param("- [ ] 1. a\n- [ ] 2. b", "- [ ] 1. b", [None, 0], id="deleted, the rest moved up"),
        pytest.param("- [x] t", "- [ ] t\n- [x] t", [1], id="a twin with another state added before"),
        pytest.param(
            "- [ ] t\n  - b", "- [ ] t\n  - a\n- [ ] t\n  - b", [1], id="a twin with other details added before"
        ),
        pytest.param("- [x] t\n- [ ] u", "- [ ] t\n- [x] t\n- [ ] u", [1, 2], id="a twin added before"),
        pytest.param("- [x] t\n- [ ] t", "- [ ] t\n- [x] t", [0, 1], id="twins whose states were changed"),
        pytest.param("- [ ] a\n- [ ] b", "- [ ] a\n- [ ] c", [0, 1], id="reworded without id"),
        pytest.param("- [ ] a\n- [ ] b", "- [ ] a\n  - [ ] c", [0, None], id="another depth"),
    ],
)
def test_matching_tasks_of_two_plans(old: str, new: str, places: list[int | None]) -> None:
    assert match(parse(old), parse(new)) == places
