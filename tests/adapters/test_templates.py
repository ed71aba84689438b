"""The prompt templates that ship with the program are complete, and each placeholder of theirs is known."""

from __future__ import annotations

from pathlib import Path
from string import Template

import pytest

from ralph_wiggum.adapters.templates import load_templates
from ralph_wiggum.core.strategy import Strategy

_BASE = {
    *("spec", "task", "strategy", "attempts", "about", "section", "parents", "later", "today", "notes", "requirements"),
    *("missing", "design", "documents", "steering", "references", "rules", "ending", "resumed"),
}
_PLACEHOLDERS = {
    "task": _BASE | {"attempt"},
    "fix": _BASE | {"checkpoint", "round", "rounds", "failures"},
    "rules": {"tasks_file", "servers", "task_time", "command_time", "progress_time", "usual_time", "longer", "checks"},
    "checks": {"checks"},
    "strategy-other-approach": {"angle"},
}


@pytest.mark.parametrize("name", load_templates())
def test_every_value_is_used_and_every_placeholder_has_one(name: str) -> None:
    template = Template(load_templates()[name])
    assert template.is_valid()
    assert set(template.get_identifiers()) == _PLACEHOLDERS.get(name, set())


def test_o13_there_is_a_text_for_every_strategy() -> None:
    assert {f"strategy-{each}" for each in Strategy} <= load_templates().keys()


def test_a_folder_is_read_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("é $b", "utf-8")
    (tmp_path / "c.txt").write_text("no", "utf-8")
    assert dict(load_templates(tmp_path)) == {"a": "é $b"}
