"""Which task is next (O2-O4, O10)."""

from __future__ import annotations

import time

import pytest

from ralph_wiggum.core.model import Plan
from ralph_wiggum.core.parse import parse
from ralph_wiggum.core.select import Choice, Close, Finished, Work, next_checkpoint, next_task, select


def shown(choice: Choice) -> str:
    match choice:
        case Work(task=task):
            return f"work {task.key}"
        case Close(task=task):
            return f"close {task.key}"
        case Finished():
            return f"open {choice.open_required}, skipped {choice.skipped}, queued {choice.queued}, done {choice.completed}"


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        pytest.param("", "open 0, skipped 0, queued 0, done 0", id="no tasks at all"),
        pytest.param("- [ ] 1. a\n- [ ] 2. b", "work 1", id="the first open task"),
        pytest.param("- [ ] 1. a\n  - [ ] 1.1 b\n    - [ ] 1.1.1 c", "work 1.1.1", id="the deepest first"),
        pytest.param("- [ ] 1. a\n  - [x] 1.1 b\n  - [ ] 1.2 c", "work 1.2", id="the first open sub-task"),
        pytest.param("- [ ] 1. a\n- [ ] 2. b\n- [ ] 1.1 c", "work 1.1", id="flat sub-tasks before what stands between"),
        pytest.param("- [ ] 1. a\n  - [x] 1.1 b\n  - [X] 1.2 c\n- [ ] 2. d", "close 1", id="a parent whose sub-tasks are complete"),
        pytest.param("- [-] 1. a\n  - [x] 1.1 b\n- [-] 2. d", "work 2", id="a leaf in progress before a parent to close"),
        pytest.param("- [ ] 1. a\n- [ ] 2. b\n  - [-] 2.1 c", "work 2.1", id="a leaf in progress before a new one"),
        pytest.param("- [-] 1. a\n  - [ ] 1.1 b\n  - [-] 1.2 c", "work 1.2", id="the leaf in progress, not its parent"),
        pytest.param("- [ ] 1. a\n- [-] 2. b\n- [-] 3. c", "work 2", id="the first of several in progress"),
        pytest.param("- [S] 1. a\n  - [-] 1.1 b\n- [ ] 2. c", "work 2", id="nothing in progress below a skipped task"),
        pytest.param("- [ ] 1. a\n  - [S] 1.1 b\n- [ ] 2. c", "work 2", id="a parent with a skipped sub-task is passed over"),
        pytest.param("- [ ] 1. a\n  - [S] 1.1 b\n  - [x] 1.2 c", "open 0, skipped 1, queued 0, done 1", id="and stays open at the end"),
        pytest.param("- [S] 1. a\n  - [ ] 1.1 b\n  - [ ] 1.2 c", "open 0, skipped 2, queued 0, done 0", id="a skipped parent shuts its sub-tasks"),
        pytest.param("- [S] 1. a\n  - [x] 1.1 b", "open 0, skipped 1, queued 0, done 1", id="a skipped parent of complete sub-tasks counts"),
        pytest.param("- [x] 1. a\n  - [ ] 1.1 b\n- [ ] 2. c", "work 1.1", id="an open sub-task of a done parent is work"),
        pytest.param("- [x] 1. a\n  - [ ] 1.1 b\n    - [x] 1.1.1 c", "close 1.1", id="an open parent below a done one is closed"),
        pytest.param("- [~] 1. a\n- [ ] 2. b", "work 2", id="a queued task is left alone"),
        pytest.param("- [~] 1. a\n  - [ ] 1.1 b", "open 0, skipped 0, queued 1, done 0", id="a queued parent shuts its sub-tasks"),
        pytest.param("- [ ] 1. a\n  - [~] 1.1 b\n  - [x] 1.2 c", "open 0, skipped 0, queued 1, done 1", id="a parent of a queued task waits"),
        pytest.param("- [~] 1. a\n  - [S] 1.1 b", "open 0, skipped 1, queued 1, done 0", id="skipped below queued is skipped"),
        pytest.param("- [ ]* 1. a\n- [ ] 2. b", "work 2", id="an optional task is left alone"),
        pytest.param("- [ ]* 1. a\n  - [ ] 1.1 b", "open 0, skipped 0, queued 0, done 0", id="and so is what is below it"),
        pytest.param("- [ ] 1. a\n  - [ ]* 1.1 b", "work 1", id="a task with only optional sub-tasks is a leaf"),
        pytest.param("- [ ] 1. a\n  - [x] 1.1 b\n  - [ ]* 1.2 c", "close 1", id="optional sub-tasks do not hold their parent"),
        pytest.param("- [ ] 1. a\n  - [x] 1.1 b\n  - [S]* 1.2 c", "close 1", id="nor do skipped optional ones"),
        pytest.param("- [x] 1. a\n- [X] 2. b\n- [S] 3. c", "open 0, skipped 1, queued 0, done 2", id="all terminal"),
    ],
)  # fmt: skip
def test_o2_o3_o4_the_next_task(text: str, choice: str) -> None:
    assert shown(select(parse(text))) == choice


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        pytest.param("- [ ] 1. a\n  - [ ]* 1.1 b", "work 1.1", id="before their parent"),
        pytest.param("- [ ] 1. a\n  - [x] 1.1 b\n  - [S]* 1.2 c", "close 1", id="and never hold it back"),
        pytest.param("- [x] 1. a\n  - [ ]* 1.1 b", "work 1.1", id="below a parent that was closed without them"),
        pytest.param("- [ ]* 1. a\n  - [ ] 1.1 b", "work 1.1", id="with what is below them"),
        pytest.param("- [ ]* 1. a\n  - [x] 1.1 b", "close 1", id="optional parents are closed like others"),
        pytest.param(
            "- [S] 1. a\n  - [ ]* 1.1 b", "open 0, skipped 1, queued 0, done 0", id="but not below a skipped task"
        ),
    ],
)
def test_o4_optional_tasks_where_asked_for(text: str, choice: str) -> None:
    assert shown(select(parse(text), optional=True)) == choice


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        pytest.param("- [~] 1. a\n- [ ] 2. b", "work 1", id="in document order"),
        pytest.param("- [~] 1. a\n  - [ ] 1.1 b", "work 1.1", id="with their sub-tasks"),
        pytest.param("- [~] 1. a\n  - [x] 1.1 b", "close 1", id="parents are closed"),
        pytest.param("- [~] 1. a\n  - [S] 1.1 b", "open 0, skipped 1, queued 0, done 0", id="nothing left"),
    ],
)
def test_o1_queued_tasks_where_asked_for(text: str, choice: str) -> None:
    assert shown(select(parse(text), queued=True)) == choice


@pytest.mark.parametrize(
    ("text", "deferred", "choice"),
    [
        pytest.param("- [ ] 1. a\n- [ ] 2. b", {"1"}, "work 2", id="put off for another"),
        pytest.param("- [-] 1. a\n- [ ] 2. b", {"1"}, "work 2", id="put off though in progress"),
        pytest.param("- [ ] 1. a\n- [x] 2. b", {"1"}, "work 1", id="taken when nothing else is left"),
        pytest.param("- [ ] 1. a\n  - [x] 1.1 b\n- [ ] 2. c", {"1"}, "work 2", id="a parent's gate is put off"),
        pytest.param("- [ ] 1. a\n  - [ ] 1.1 b\n- [ ] 2. c", {"1"}, "work 1.1", id="but not the work below it"),
        pytest.param("- [ ] 1. a\n  - [ ] 1.1 b\n- [ ] 2. c", {"1.1"}, "work 2", id="its parent waits for it"),
    ],
)
def test_deferred_tasks_come_when_nothing_else_is_left(text: str, deferred: set[str], choice: str) -> None:
    assert shown(select(parse(text), deferred=frozenset(deferred))) == choice


@pytest.mark.parametrize(
    ("text", "after", "found"),
    [
        pytest.param("- [ ] 1. a\n- [ ] 2. b\n- [ ] 3. Checkpoint", None, ("3", 2), id="behind two tasks"),
        pytest.param("- [x] 1. a\n- [ ] 2. b\n- [ ] 3. Checkpoint", None, ("3", 1), id="done tasks do not count"),
        pytest.param("- [ ] 1. a\n- [ ]* 2. b\n- [~] 3. c\n- [ ] 4. Checkpoint", None, ("4", 1), id="nor optional and queued ones"),
        pytest.param("- [ ] 1. a\n- [ ] 2. b\n- [ ] 3. Checkpoint", "1", ("3", 1), id="counted from behind a task"),
        pytest.param("- [ ] 1. Checkpoint\n- [ ] 2. b\n- [ ] 3. Checkpoint", "1", ("3", 1), id="the one behind a checkpoint"),
        pytest.param("- [x] 1. Checkpoint\n- [ ] 2. Checkpoint", None, ("2", 0), id="next in line"),
        pytest.param("- [ ] 1. Checkpoint\n  - [ ] 1.1 a\n  - [ ] 1.2 b", None, ("1", 2), id="a parent comes behind its sub-tasks"),
        pytest.param("- [ ] 1. a\n  - [ ] 1.1 b\n- [ ] 2. Checkpoint", None, ("2", 1), id="parents do not count"),
        pytest.param("- [S] 1. a\n  - [ ] 1.1 Checkpoint\n- [ ]* 2. Checkpoint", None, None, id="none that will be reached"),
        pytest.param("- [ ] 1. a", None, None, id="none at all"),
    ],
)  # fmt: skip
def test_o30_the_next_checkpoint(text: str, after: str | None, found: tuple[str, int] | None) -> None:
    plan = parse(text)
    result = next_checkpoint(plan, plan.task(after) if after else None)
    assert (result and (result[0].key, result[1])) == found


def large_plan(mark: str) -> Plan:
    text = "".join(
        f"- [{mark}] {n}. a\n" + "".join(f"  - [{mark}] {n}.{m} b\n" for m in range(1, 4)) for n in range(1, 501)
    )
    return parse(text)


def test_selecting_among_two_thousand_tasks_is_quick() -> None:
    plan = large_plan("x")
    plan = plan.with_mark(plan.tasks[-1].key, "-")
    assert len(plan.tasks) == 2000
    best = min(_seconds(plan) for _ in range(20))
    assert best < 0.006  # 0.3 ms on the machine this was written on


def _seconds(plan: Plan) -> float:
    started = time.perf_counter()
    assert shown(select(plan)) == "work 500.3"
    return time.perf_counter() - started


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param("- [ ] 1. a\n  - [x] 1.1 b\n- [ ] 2. c\n", "c", id="a parent to close is passed over"),
        pytest.param("- [ ] 1. a\n  - [x] 1.1 b\n", "a", id="where only parents are left, the first of them"),
        pytest.param(
            "- [ ] 1. UI validation\n  - [x] 1.1 b\n- [ ] 2. c\n", "UI validation", id="a page to look at is not"
        ),
        pytest.param("- [ ] 1. Checkpoint\n  - [x] 1.1 b\n- [ ] 2. c\n", "Checkpoint", id="nor is a gate"),
        pytest.param("- [x] 1. a\n", None, id="nothing is left"),
    ],
)
def test_next_task(text: str, name: str | None) -> None:
    """O30: what comes next, for people."""
    task = next_task(parse(text))
    assert (task.name if task else None) == name
