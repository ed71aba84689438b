"""Real tasks.md files of public repositories: read where the corpus is present, never copied into the project."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from ralph_wiggum.core import plan_cache
from ralph_wiggum.core.edit import relocate, set_mark
from ralph_wiggum.core.model import MARKS, Plan
from ralph_wiggum.core.parse import parse
from ralph_wiggum.core.protect import protect
from ralph_wiggum.core.select import Close, Finished, select

CHECKOUT = Path(__file__).resolve().parents[1]
CORPUS = Path(os.environ.get("RALPH_CORPUS") or CHECKOUT / ".." / "shared" / "corpus")
MANIFEST = CORPUS / "manifest.jsonl"

LEGEND = "the manifest counts a legend such as `- [P] tasks = …`, which is prose (O1)"
# Where our count differs from the manifest's: ours, and why.
EXCEPTIONS = {
    "21-DOT-DEV__subtree__002-config-schema-validation.md": (80, LEGEND),
    "21-DOT-DEV__subtree__003-init-command.md": (85, LEGEND),
    "21-DOT-DEV__subtree__004-add-command.md": (89, LEGEND),
    "21-DOT-DEV__subtree__007-case-insensitive-names.md": (46, LEGEND),
    "5rbit__mxrc__001-ethercat-integration.md": (99, LEGEND),
    "5rbit__mxrc__016-pallet-shuttle-control.md": (93, LEGEND),
    "gotalab__cc-sdd__sangiiin-senkyo-realtime-app.md": (28, LEGEND),
    "tzachbon__smart-ralph__examples.md": (28, LEGEND),
    "kirillDR01__Grins_irrigation_platform__ui-redesign.md": (
        768,
        "a damaged fence ends with its list item (CommonMark); the manifest lets it swallow tasks 53.4 to 53.7",
    ),
}


@dataclass(frozen=True)
class Real:
    """One file of the corpus; `tasks` is what the manifest counts."""

    name: str
    tasks: int

    @property
    def text(self) -> str:
        return (CORPUS / self.name).read_bytes().decode("utf-8")


def _files() -> list[Real]:
    if not MANIFEST.exists():
        return []
    rows = [json.loads(line) for line in MANIFEST.read_text(encoding="utf-8").splitlines()]
    return [Real(row["file"], row["tasks"]) for row in rows]


FILES = _files()
pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not FILES, reason=f"no corpus at {CORPUS}; set RALPH_CORPUS"),
]
each_file = pytest.mark.parametrize("real", FILES, ids=lambda real: real.name.removesuffix(".md"))


def real_plan(name: str) -> Plan:
    path = CORPUS / name
    if not path.exists():
        pytest.skip(f"{name} is not in this corpus")
    return parse(path.read_bytes().decode("utf-8"))


@each_file
def test_o1_every_task_is_found(real: Real) -> None:
    expected, _ = EXCEPTIONS.get(real.name, (real.tasks, ""))
    assert len(parse(real.text).tasks) == expected


@each_file
def test_the_plan_is_sound(real: Real) -> None:
    plan = parse(real.text)
    lines = real.text.split("\n")
    for task in plan.tasks:
        assert f"[{task.mark}]" in lines[task.line - 1]
        assert task.mark in MARKS
        assert task.name
        assert not task.id.endswith((".", ":"))
        assert plan.task(task.key) is task
    loaded = plan_cache.load(plan_cache.dump(plan))
    assert loaded is not None
    assert [(task.key, task.line, task.level) for task in loaded.tasks] == [
        (task.key, task.line, task.level) for task in plan.tasks
    ]


@each_file
def test_o8_every_task_can_be_edited_by_one_character(real: Real) -> None:
    text = real.text
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    for task in parse(text).tasks:
        mark = "S" if task.mark == "x" else "x"
        at = starts[task.line - 1] + lines[task.line - 1].index("[") + 1
        assert set_mark(text, task, mark) == text[:at] + mark + text[at + 1 :]


@each_file
def test_o8_o17_a_tick_changes_the_plan_by_one_mark_and_can_be_undone(real: Real) -> None:
    text = real.text
    plan = parse(text)
    for task in plan.tasks[:: max(1, len(plan.tasks) // 2)]:
        edited = set_mark(text, task, "~")
        assert parse(edited).tasks == plan.with_mark(task.key, "~").tasks
        assert protect(text, edited, task.key).text == text
        assert relocate(task, parse("Added\n\n" + text.removeprefix("\ufeff")), plan).line == task.line + 2


@each_file
@pytest.mark.parametrize("optional", [False, True], ids=["required", "optional too"])
def test_o10_a_run_that_ticks_everything_comes_to_its_end(real: Real, optional: bool) -> None:  # noqa: FBT001 - drawn
    plan = parse(real.text)
    for _ in range(len(plan.tasks) + 1):
        choice = select(plan, optional=optional, queued=True)
        if isinstance(choice, Finished):
            break
        if isinstance(choice, Close):
            assert all(child.done or child.optional for child in plan.sub_tasks(choice.task))
        plan = plan.with_mark(choice.task.key, "x")
    assert isinstance(choice, Finished)
    assert (choice.open_required, choice.queued) == (0, 0)
    held = {task.index for task in plan.tasks if task.mark == "S"}
    for task in plan.tasks:  # a skipped task holds back what is below it and its parents
        if task.parent in held:
            held.add(task.index)
    for task in [task for task in plan.tasks if task.mark == "S"]:
        held.update(parent.index for parent in plan.parents(task))
    left = {task.index for task in plan.tasks if not task.done and (optional or task.index not in plan.left_alone)}
    assert left <= held


def test_o1_the_corpus_holds_every_state() -> None:
    marks = Counter(task.mark for real in FILES for task in parse(real.text).tasks)
    assert set(marks) == set(MARKS)


def test_o7_tasks_in_a_comment_are_none() -> None:
    name = "kirillDR01__Grins_irrigation_platform__map-scheduling-interface.md"
    plan = real_plan(name)
    commented = [
        n for n, line in enumerate((CORPUS / name).read_text(encoding="utf-8").split("\n"), 1) if "<!--" in line
    ]
    assert commented
    assert not [task for task in plan.tasks if task.id.startswith("0.")]


def test_o1_a_damaged_fence_swallows_no_task_and_is_named() -> None:
    plan = real_plan("kirillDR01__Grins_irrigation_platform__ui-redesign.md")
    lines = {task.line for task in plan.tasks}
    assert {1960, 1962, 1964, 1966} <= lines
    assert any(warned.line == 1939 and "never closed" in warned.message for warned in plan.warnings)
    assert sum(task.mark == "S" for task in plan.tasks) == 62
    assert "53.4@2" in plan.by_key


def test_o1_states_of_a_run_that_crashed() -> None:
    plan = real_plan("kirillDR01__Grins_irrigation_platform__appointment-modal-v2.md")
    assert Counter(task.mark for task in plan.tasks if task.mark in "-~") == {"-": 2, "~": 6}
    choice = select(plan)
    assert not isinstance(choice, Finished)
    assert choice.task.id == "22.1"


def test_o1_skipped_sub_tasks_keep_their_parents_open() -> None:
    plan = real_plan("kirillDR01__Grins_irrigation_platform__ai-assistant.md")
    assert {task.id for task in plan.tasks if task.mark == "S"} == {"19.3", "20.3", "21.3", "22.3"}


def test_o1_a_stray_fence_at_the_end_is_named() -> None:
    plan = real_plan("dougis-org__dnd-tracker__002-navigation-not-implemented-page.md")
    assert [warned.message for warned in plan.warnings] == ["this code fence is never closed"]


def test_tasks_without_ids_and_with_crlf_have_keys_of_their_own() -> None:
    plan = real_plan("0xRabbidfly__pepedawn__002-merkle-uhoh.md")
    assert len(plan.tasks) == 81
    assert all(task.key.startswith("~") for task in plan.tasks if not task.id)
    assert any("@" in task.key for task in plan.tasks)
    assert not any("\r" in task.name or "\r" in task.text for task in plan.tasks)


def test_o4_escaped_stars_are_optional() -> None:
    plan = real_plan("caraseli02__MoldovaDirect__admin-order-management.md")
    lines = (CORPUS / "caraseli02__MoldovaDirect__admin-order-management.md").read_text(encoding="utf-8").split("\n")
    starred = [number for number, line in enumerate(lines, 1) if "]\\*" in line]
    assert starred
    assert [task.line for task in plan.tasks if task.optional] == starred


def test_ids_behind_the_words_task_and_subtask() -> None:
    plan = real_plan("ashllll__log-analyzer_rust__git-branch-merge.md")
    first, sub = plan.tasks[0], plan.tasks[1]
    assert (first.id, sub.id, sub.parent) == ("1", "1.1", 0)


def test_o5_templates_hold_next_to_no_tasks() -> None:
    counts = {real.name: len(parse(real.text).tasks) for real in FILES if "__commands" in real.name}
    assert counts
    assert all(count <= 2 for count in counts.values()), counts
