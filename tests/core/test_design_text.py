"""O9: the part of the design that fits a task, and never all of a long one."""

from __future__ import annotations

from pathlib import Path

import pytest

from ralph_wiggum.core import excerpt
from ralph_wiggum.core.citations import Citations, cited
from ralph_wiggum.core.design_sections import sections
from ralph_wiggum.core.design_text import SECTION_LIMIT, matching, terms

DESIGN = (
    (Path(__file__).parent.parent / "data" / "prompt" / "design.md").read_text("utf-8")
    + "\n## Appendix\n"
    + "lorem ipsum dolor\n\n" * 300
)


def _titles(task: str, design: str = DESIGN, budget: int = 8192) -> list[str]:
    found = matching(design, terms(task.partition("\n")[0], task), cited(task), budget)
    return [line.rsplit(" › ", 1)[-1].removeprefix("### ") for line in found.split("\n") if line.startswith("### ")]


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        pytest.param("Implement `find_windows`", ["WindowFinder", "Window"], id="a name in backticks, and its words"),
        pytest.param("Implement the TideCurve", ["TideCurve"], id="a name in camel case"),
        pytest.param("Interpolate by twelfths", ["TideCurve"], id="a rare word"),
        pytest.param("Write a test\n- **Property 1: x**", ["Property 1: Tables survive a round trip"], id="a property"),
        pytest.param("Do the packaging", ["Packaging"], id="the title of a section"),
        pytest.param(
            "_Requirements: Testing Strategy_\n- Testing Strategy", ["Testing Strategy"], id="a section that it cites"
        ),
        pytest.param("Make it", [], id="nothing telling: nothing"),
    ],
)
def test_o9_sections_are_chosen_by_the_words_of_the_task(task: str, expected: list[str]) -> None:
    assert _titles(task) == expected


def test_o9_a_section_that_validates_a_cited_requirement_counts() -> None:
    assert "Property 2: Windows are passable" in _titles("Something quite different\n- _Requirements: 2.2_")


def test_a_short_design_comes_whole() -> None:
    assert matching("# Design\n\nAll of it.", terms("x", "x"), Citations(), 8192) == "# Design\n\nAll of it."


def test_pairs_of_characters_find_chinese_sections() -> None:
    design = "## 概述\n" + "无关" * 900 + "\n## 组件\n### 信号检测服务\n黄金交叉\n### 图表\n其他\n"
    assert _titles("实现信号检测", design) == ["信号检测服务"]


def test_code_and_a_stray_fence_hide_no_section() -> None:
    text = "## A\n```py\n# not a heading\n```\n## B\ntext\n```\n\n## C\n```ts\nx\n```\n## D\nd\n---"
    assert [(part.title, part.text) for part in sections(text)] == [
        ("A", "```py\n# not a heading\n```"),
        ("B", "text\n```"),
        ("C", "```ts\nx\n```"),
        ("D", "d"),
    ]


def test_of_a_long_section_only_the_pieces_that_fit_come_with_their_fences_whole() -> None:
    functions = [f"def step_{n}(value):\n    return value + {n}  # {'pad ' * 20}" for n in range(100)]
    design = "## Steps\n```python\n" + "\n\n".join(functions) + "\n```\n"
    found = matching(design, terms("Fix `step_77`", "Fix `step_77`"), Citations(), 8192)
    assert "def step_77(" in found
    assert excerpt.size(found) <= SECTION_LIMIT
    assert found.count("```") == 2
    assert found.startswith("### Steps\n[…]\n```python\n")


@pytest.mark.parametrize("budget", [0, 100, 1000, 3000])
def test_the_budget_holds(budget: int) -> None:
    task = "TableReader TideCurve WindowFinder Water Window properties errors packaging"
    assert excerpt.size(matching(DESIGN, terms(task, task), Citations(), budget)) <= budget
