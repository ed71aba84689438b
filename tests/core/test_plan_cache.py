"""The cache of a plan: what goes in comes out, and nothing else does."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from ralph_wiggum.core.parse import parse
from ralph_wiggum.core.plan_cache import VERSION, dump, load

TEXT = "# T\n- [ ] 1. 登录 \ud83d\n  - [x]* 1.1 Checkpoint\n- [!] odd\n- [S] Take a screenshot\n"


def test_a_plan_survives_without_its_texts() -> None:
    plan = parse(TEXT)
    loaded = load(dump(plan))
    assert loaded is not None
    assert [task.key for task in loaded.tasks] == [task.key for task in plan.tasks]
    assert [task.headings for task in loaded.tasks] == [("T",)] * 3
    assert [task.text for task in loaded.tasks] == ["", "", ""]
    assert (loaded.children, loaded.by_key, loaded.warnings) == (plan.children, plan.by_key, plan.warnings)
    assert [task.visual for task in loaded.tasks] == [False, False, True]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"v": VERSION + 1}, id="another version"),
        pytest.param({"v": None}, id="no version"),
        pytest.param({"tasks": [[1, 2]]}, id="short rows"),
        pytest.param({"tasks": 3}, id="no rows"),
        pytest.param({"headings": []}, id="headings lost"),
        pytest.param({"warnings": [[1]]}, id="short warnings"),
    ],
)
def test_another_cache_is_refused(change: dict[str, object]) -> None:
    assert load(json.dumps({**json.loads(dump(parse(TEXT))), **change})) is None


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", "not json", "[" * 100_000])
def test_anything_else_is_refused(text: str) -> None:
    assert load(text) is None


def test_rows_out_of_place_are_refused() -> None:
    whole = json.loads(dump(parse("- [ ] 1. a\n  - [ ] 1.1 b\n")))
    whole["tasks"].reverse()
    assert load(json.dumps(whole)) is None
    whole["tasks"] = [whole["tasks"][1], whole["tasks"][1]]
    assert load(json.dumps(whole)) is None


def test_a_hundred_tasks_load_within_a_millisecond_or_so() -> None:
    text = dump(parse("".join(f"- [ ] {n}. Build part {n}\n" for n in range(1, 101))))
    best = min(_seconds(text) for _ in range(20))
    assert best < 0.004  # 0.2 ms on the machine this was written on


def _seconds(text: str) -> float:
    started = time.perf_counter()
    assert load(text) is not None
    return time.perf_counter() - started


def test_the_cache_does_not_load_the_parser() -> None:
    code = (
        "import sys; import ralph_wiggum.core.plan_cache, ralph_wiggum.core.select; print('markdown_it' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
