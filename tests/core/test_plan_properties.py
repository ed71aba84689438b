"""What holds for every file, whatever it looks like."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from ralph_wiggum.core import plan_cache
from ralph_wiggum.core.edit import Moved, relocate, set_mark
from ralph_wiggum.core.heads import box
from ralph_wiggum.core.model import DONE_MARKS, Plan
from ralph_wiggum.core.parse import code_blocks, outline, parse
from ralph_wiggum.core.protect import protect
from ralph_wiggum.core.select import Close, Finished, Work, next_checkpoint, select
from tests.core.task_lists import MARKS, task_lists


@given(st.text())
def test_o1_any_text_can_be_read(text: str) -> None:
    plan = parse(text)
    assert len(plan.by_key) == len(plan.tasks)
    assert all(block.line <= text.count("\n") + 1 for block in code_blocks(text))


@given(st.text(alphabet=" \t->*+`~#[]x1.\n|<!", max_size=200))
def test_o1_any_heap_of_marks_can_be_read(text: str) -> None:
    assert all(1 <= task.line <= text.count("\n") + 1 for task in parse(text).tasks)


@given(task_lists())
def test_every_task_stands_where_its_line_says(text: str) -> None:
    lines = text.split("\n")
    for task in parse(text).tasks:
        found = box(lines[task.line - 1].removeprefix("\ufeff"))
        assert found is not None
        assert found.mark == task.mark
        assert "\n" not in task.name


@given(task_lists())
def test_o2_the_tasks_form_a_tree_in_document_order(text: str) -> None:
    plan = parse(text)
    for task in plan.tasks:
        above = plan.tasks[task.parent] if task.parent is not None else None
        assert task.level == (above.level + 1 if above else 1)
        assert above is None or above.line < task.line
    assert sorted(task.index for task in plan.walk()) == list(range(len(plan.tasks)))


@given(task_lists())
def test_o7_no_line_belongs_to_two_tasks(text: str) -> None:
    found = outline(text)
    owned = [line for spans in found.lines for start, end in spans for line in range(start, end)]
    assert len(owned) == len(set(owned))
    for task, spans, nested in zip(found.plan.tasks, found.lines, found.nested, strict=True):
        assert spans[0][0] == task.line - 1
        assert len(spans) == len(nested) + 1


@given(task_lists(), st.data())
def test_o8_a_new_state_changes_one_byte_and_nothing_else_in_the_plan(text: str, data: st.DataObject) -> None:
    plan = parse(text)
    assume(plan.tasks)
    task = data.draw(st.sampled_from(plan.tasks))
    mark = data.draw(st.sampled_from(MARKS))
    edited = set_mark(text, task, mark)
    old, new = text.encode(), edited.encode()
    assert len(old) == len(new)
    assert sum(a != b for a, b in zip(old, new, strict=True)) == (mark != task.mark)
    assert parse(edited).tasks == plan.with_mark(task.key, mark).tasks


@given(task_lists(), st.lists(st.sampled_from(["", "text", "- [ ] 9.9 New one", "## New"]), max_size=3), st.data())
def test_o8_a_task_is_found_again_below_new_lines_or_refused(text: str, added: list[str], data: st.DataObject) -> None:
    before = parse(text)
    assume(before.tasks)
    task = data.draw(st.sampled_from(before.tasks))
    shifted = "\n".join([*added, "", text])
    plan = parse(shifted)
    try:
        found = relocate(task, plan, before)
    except Moved:
        return
    assert found.label == task.label
    assert parse(set_mark(shifted, found, "S")).task(found.key).mark == "S"


@given(task_lists(), st.data())
def test_o17_flipped_states_are_put_back_to_the_byte(text: str, data: st.DataObject) -> None:
    plan = parse(text)
    assume(plan.tasks)
    after = text
    for task in data.draw(st.lists(st.sampled_from(plan.tasks), max_size=5)):
        after = set_mark(after, task, data.draw(st.sampled_from(MARKS)))
    result = protect(text, after, data.draw(st.sampled_from(plan.tasks)).key)
    assert result.text == text
    assert not result.replaced
    assert result.diff == ""


@given(task_lists(), task_lists(), st.data())
def test_o17_after_any_edit_every_known_task_has_its_state(text: str, other: str, data: st.DataObject) -> None:
    before = parse(text)
    assume(before.tasks)
    key = data.draw(st.sampled_from(before.tasks)).key
    lines, more = text.split("\n"), other.split("\n")
    start, end = sorted((data.draw(st.integers(0, len(lines))), data.draw(st.integers(0, len(lines)))))
    after = "\n".join([*lines[:start], *more[: data.draw(st.integers(0, 6))], *lines[end:]])
    result = protect(text, after, key)
    assert protect(text, result.text, key).text == result.text
    if result.replaced:
        assert result.text == text
    else:
        marks = sorted(task.mark for task in parse(result.text).tasks)
        for task in before.tasks:
            marks.remove(task.mark)  # ValueError where one is gone


@given(task_lists())
def test_the_cache_gives_back_the_plan_without_its_texts(text: str) -> None:
    plan = parse(text)
    bare = Plan.of([replace(task, text="") for task in plan.tasks], plan.warnings)
    assert plan_cache.load(plan_cache.dump(plan)) == bare


@given(task_lists(), st.booleans(), st.booleans(), st.data())
def test_o10_selection_comes_to_an_end(text: str, optional: bool, queued: bool, data: st.DataObject) -> None:  # noqa: FBT001 - drawn
    plan = parse(text)
    for _ in range(len(plan.tasks) + 1):
        choice = select(plan, optional=optional, queued=queued)
        if isinstance(choice, Finished):
            break
        task = choice.task
        assert task.mark in " -~"
        assert optional or task.index not in plan.left_alone
        required = [child for child in plan.sub_tasks(task) if not child.optional]
        if isinstance(choice, Close):
            assert required
            assert all(child.mark in DONE_MARKS for child in required)
            plan = plan.with_mark(task.key, "x")
        else:
            assert not required
            plan = plan.with_mark(task.key, data.draw(st.sampled_from("xxxS")))
    assert isinstance(choice, Finished)
    assert choice.open_required == 0
    assert choice.completed <= len(plan.required_leaves)


@given(task_lists(), st.data())
def test_o2_deferred_tasks_come_last_but_come(text: str, data: st.DataObject) -> None:
    plan = parse(text)
    assume(plan.tasks)
    put_off = frozenset(data.draw(st.lists(st.sampled_from(plan.tasks).map(lambda task: task.key))))
    without = select(plan)
    choice = select(plan, deferred=put_off)
    assert isinstance(choice, Finished) == isinstance(without, Finished)
    if isinstance(choice, Work | Close) and isinstance(without, Work | Close) and without.task.key not in put_off:
        assert choice.task.key not in put_off


@given(task_lists())
def test_o30_the_next_checkpoint_is_as_far_away_as_the_work_before_it(text: str) -> None:
    plan = parse(text)
    found = next_checkpoint(plan)
    if found is None:
        return
    task, away = found
    assert task.checkpoint
    assert not task.done
    assert 0 <= away <= len(plan.required_leaves)
