"""Checkpoints (O5), visual tasks (O6), types of commits."""

from __future__ import annotations

import pytest

from ralph_wiggum.core.classify import checkpoint_kind, commit_type, is_visual, mentions_visual
from ralph_wiggum.core.model import NO_CHECKPOINT, PURE_CHECKPOINT, WORKING_CHECKPOINT, Task
from ralph_wiggum.core.parse import parse


@pytest.mark.parametrize(
    "name",
    [
        "Checkpoint",
        "checkpoint",
        "Checkpoint - Ensure all tests pass",
        "Checkpoint — Ensure all tests pass",
        "CHECKPOINT: backend complete",
        "Checkpoint 1: After Phase 2",
        "Checkpoint (backend)",
        "Checkpoint ensure all tests pass",
        "Checkpoint - verify src/app.py compiles",
        "Final checkpoint",
        "Final Checkpoint - All Tests Pass",
        "**Checkpoint** all green",
        "**Final Checkpoint:** all green",
        "🏁 Checkpoint",
        "[VERIFY] Checkpoint: types",
        "(P) Checkpoint",
        "[P] [US1] Checkpoint",
        "检查点 - 确保所有测试通过",
        "最终检查点 - 完成",
        "チェックポイント: すべて通る",
        "最終チェックポイント",
    ],
)
def test_o5_a_name_that_begins_with_the_word_is_a_pure_gate(name: str) -> None:
    assert checkpoint_kind(name) == PURE_CHECKPOINT


@pytest.mark.parametrize(
    "name",
    [
        "Add checkpoint saving",
        "Implement checkpoint system",
        "POC Checkpoint",
        "[VERIFY] Quality checkpoint: typecheck",
        "Checkpointing of long runs",
        "CheckpointStore class",
        "Checkpoint saving and loading",
        "Checkpoint file format in src/core/state.py",
        "Run the validation checkpoints",
        "实现检查点",
    ],
)
def test_o5_elsewhere_it_is_work_as_well(name: str) -> None:
    assert checkpoint_kind(name) == WORKING_CHECKPOINT


@pytest.mark.parametrize("name", ["Check points of entry", "Build", ""])
def test_o5_other_names_are_no_checkpoints(name: str) -> None:
    assert checkpoint_kind(name) == NO_CHECKPOINT


@pytest.mark.parametrize(
    ("text", "name", "visual"),
    [
        pytest.param("1. a\n- Visual validation of the page", "a", True, id="visual validation"),
        pytest.param("1. a\n```sh\nagent-browser open x\n```", "a", True, id="agent-browser in code"),
        pytest.param("1. a\n- take Screenshots", "a", True, id="screenshots"),
        pytest.param("1. UI validation", "UI validation", True, id="UI validation"),
        pytest.param("1. a\n- end-to-end validation", "a", True, id="end-to-end validation"),
        pytest.param("1. x", "Validate the sidebar renders correctly", True, id="renders correctly"),
        pytest.param("1. x", "**Validate**: login works end-to-end", True, id="works end-to-end"),
        pytest.param("1. Build validation", "Build validation", False, id="build validation"),
        pytest.param("1. a\n- Validate input renders correctly", "a", False, id="renders correctly in a detail"),
        pytest.param("1. Validate input", "Validate input", False, id="validate alone"),
    ],
)
def test_o6_words_that_ask_for_visual_validation(text: str, name: str, visual: bool) -> None:  # noqa: FBT001 - a column
    assert mentions_visual(text, name) is visual


@pytest.mark.parametrize(
    ("ident", "patterns", "visual"),
    [
        pytest.param("28.1", ["28.*"], True, id="below"),
        pytest.param("28.1.2", ["28.*"], True, id="far below"),
        pytest.param("28", ["28.*"], False, id="not the parent"),
        pytest.param("128.1", ["28.*"], False, id="not a longer number"),
        pytest.param("2851", ["28.*"], False, id="the dot is a dot"),
        pytest.param("T01", ["1", "T0?"], True, id="any of several"),
        pytest.param("", ["*"], False, id="no id, no match"),
        pytest.param("1", [], False, id="no patterns"),
    ],
)
def test_o6_ids_from_the_settings(ident: str, patterns: list[str], visual: bool) -> None:  # noqa: FBT001 - a column
    assert is_visual(named("Build", ident), patterns) is visual


def test_o6_a_task_that_says_so_is_visual_without_settings() -> None:
    assert is_visual(parse("- [ ] 1. Take a screenshot").task("1"), [])


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Create the login page", "feat"),
        ("[P] [US1] Fix the crash", "fix"),
        ("**Refactor the store**", "refactor"),
        ("Write property tests for the store", "test"),
        ("Document the API", "docs"),
        ("Set up the project", "chore"),
        ("Checkpoint - all tests pass", "test"),
    ],
)
def test_types_of_commits(name: str, kind: str) -> None:
    assert commit_type(named(name)) == kind


def named(name: str, ident: str = "") -> Task:
    kind = checkpoint_kind(name)
    return Task(
        index=0, key=ident or "~x", id=ident, name=name, mark=" ", line=1, level=1, parent=None, optional=False, checkpoint=kind
    )  # fmt: skip
