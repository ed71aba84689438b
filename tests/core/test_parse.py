"""tasks.md text -> plan: what is a task, whose sub-task it is, what belongs to it (O1, O2, O4, O7)."""

from __future__ import annotations

import pytest

from ralph_wiggum.core.model import Plan
from ralph_wiggum.core.parse import CodeBlock, code_blocks, parse


def tree(plan: Plan) -> list[str]:
    """Return the tasks as "level:key", in document order."""
    return [f"{task.level}:{task.key}" for task in plan.tasks]


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        pytest.param("- [ ] 1. a\n  - [ ] 1.1 b\n    - [ ] 1.1.1 c\n- [ ] 2. d\n", ["1:1", "2:1.1", "3:1.1.1", "1:2"], id="two blanks"),
        pytest.param("- [ ] 1. a\n   - [ ] 1.1 b\n      - [ ] 1.1.1 c\n", ["1:1", "2:1.1", "3:1.1.1"], id="three blanks"),
        pytest.param("- [ ] 1. a\n    - [ ] 1.1 b\n        - [ ] 1.1.1 c\n", ["1:1", "2:1.1", "3:1.1.1"], id="four blanks"),
        pytest.param("- [ ] 1. a\n\t- [ ] 1.1 b\n\t\t- [ ] 1.1.1 c\n", ["1:1", "2:1.1", "3:1.1.1"], id="tabs"),
        pytest.param("- [ ] 1. a\n- [ ] 1.1 b\n- [ ] 1.2 c\n- [ ] 2. d\n- [ ] 2.1 e\n", ["1:1", "2:1.1", "2:1.2", "1:2", "2:2.1"], id="flat"),
        pytest.param("- [ ] 1. a\n- [ ] 2. b\n- [ ] 1.1 c\n", ["1:1", "1:2", "2:1.1"], id="flat and out of order"),
        pytest.param("- [ ] 1. a\n- [ ] 1.2.3 b\n", ["1:1", "2:1.2.3"], id="flat with a step left out"),
        pytest.param("- [ ] 5A. a\n- [ ] 5A.1 b\n- [ ] 5A.1b c\n", ["1:5A", "2:5A.1", "2:5A.1b"], id="flat with letters"),
        pytest.param("- [ ] 2.1 a\n- [ ] 2. b\n", ["1:2.1", "1:2"], id="a parent stands above its sub-tasks"),
        pytest.param("- [ ] 15.7 a\n  - [ ] 16.1 b\n- [ ] 16. c\n", ["1:15.7", "2:16.1", "1:16"], id="indentation wins"),
        pytest.param("- [ ] 1. a\n  - note\n    - [ ] deep one\n", ["1:1", "2:~deep-one"], id="through a plain bullet"),
        pytest.param("- note\n  - [ ] 1. a\n", ["1:1"], id="under a plain bullet alone"),
        pytest.param("- [ ] 1. a\n\n\n\n  - [ ] 1.1 b\n", ["1:1", "2:1.1"], id="over blank lines"),
        pytest.param("- [ ] 1. a\n\n  text\n\n  - [ ] 1.1 b\n", ["1:1", "2:1.1"], id="below a second paragraph"),
        pytest.param("    - [ ] 1. a\n    - [ ] 2. b\n", ["1:1", "1:2"], id="indented without a list around"),
        pytest.param("- [ ] 1. a\n      - [ ] 1.1 b\n      - [ ] 1.2 c\n", ["1:1", "2:1.1", "2:1.2"], id="six blanks"),
        pytest.param("- [ ] 1. a\n      ```\n      - [ ] 9. no\n      ```\n- [ ] 2. b\n", ["1:1", "1:2"], id="fence six blanks in"),
        pytest.param("* [ ] 1. a\n+ [ ] 2. b\n", ["1:1", "1:2"], id="other bullets"),
        pytest.param("## A\n- [ ] 1. a\n- [ ] 1.1 b\n## B\n- [ ] 1. c\n- [ ] 1.1 d\n", ["1:1@1", "2:1.1@1", "1:1@2", "2:1.1@2"], id="numbers start anew"),
        pytest.param("- [ ] 3 new tests\n- [ ] Set up: CI/CD\n- [ ] 登录 页\n", ["1:~3-new-tests", "1:~set-up-ci-cd", "1:~登录-页"], id="keys of names"),
        pytest.param("- [ ] Same\n- [ ] Same\n- [ ] !!\n", ["1:~same@1", "1:~same@2", "1:~task"], id="names that repeat or hold no letter"),
    ],
)  # fmt: skip
def test_o2_hierarchy_and_keys(text: str, shape: list[str]) -> None:
    assert tree(parse(text)) == shape


@pytest.mark.parametrize(
    "hidden",
    [
        pytest.param("```\n{}\n```", id="fence"),
        pytest.param("~~~~ sh\n{}\n```\n{}\n~~~~", id="fence of tildes with other marks within"),
        pytest.param("- bullet\n  ```sh\n  {}\n  ```", id="fence within a list item"),
        pytest.param("        ```\n        {}\n        ```", id="fence that is indented far"),
        pytest.param("> {}\n> {}", id="quote"),
        pytest.param("- bullet\n  > {}", id="quote within a list item"),
        pytest.param("<!-- {} -->", id="comment on a line"),
        pytest.param("<!--\n## Heading\n{}\n\n{}\n-->", id="comment over lines"),
        pytest.param("<!-- {}\n  more of it\n-->", id="comment that opens before the bullet"),
        pytest.param("- bullet\n  <!--\n{}\n-->", id="comment that its list item cuts off"),
        pytest.param("| `{}` | a table |", id="table"),
        pytest.param("Some `{}` in a sentence", id="inline code"),
        pytest.param("1. {}", id="numbered item around it"),
    ],
)
def test_o7_boxes_in_code_quotes_and_comments_are_no_tasks(hidden: str) -> None:
    text = f"- [ ] 1. before\n\n{hidden.replace('{}', '- [ ] 9. hidden')}\n\n- [ ] 2. behind\n"
    assert [task.key for task in parse(text).tasks] == ["1", "2"]


def test_o7_front_matter_is_no_heading_and_hides_no_box() -> None:
    plan = parse("---\ntitle: Plan\nlist: [a]\n---\n### Real\n- [ ] 1. a\n")
    assert [(task.line, task.headings) for task in plan.tasks] == [(6, ("Real",))]
    assert [task.headings for task in parse("---\ntitle: Plan\n---\r\n- [ ] 1. a").tasks] == [()]
    assert tree(parse("---\n\n- [ ] 1. a\n\n---\n- [ ] 2. b\n")) == ["1:1", "1:2"]
    assert tree(parse("---\nnote\n- [ ] 1. a\n---\n")) == ["1:1"]


def test_o7_inline_code_with_a_comment_mark_swallows_nothing() -> None:
    plan = parse("- [ ] 1. Handle `<!--` at the start\n- [ ] 2. Next\n")
    assert tree(plan) == ["1:1", "1:2"]
    assert plan.warnings == ()


def test_o7_a_tasks_text_is_its_own_lines_dedented() -> None:
    text = (
        "# Plan\n"
        "- [ ] 1. Build\n"
        "    further words\n"
        "  - a detail\n"
        "    ```sh\n"
        "    echo  two\n"
        "\n"
        "    ```\n"
        "  - [ ] 1.1 Sub\n"
        "    - its own\n"
        "  - _Requirements: 1.1_\n"
        "\n"
        "## Next\n"
    )
    whole, sub = parse(text).tasks
    assert whole.text == "1. Build\n  further words\n- a detail\n  ```sh\n  echo  two\n\n  ```\n- _Requirements: 1.1_"
    assert whole.name == "Build further words"
    assert sub.text == "1.1 Sub\n- its own"
    assert whole.headings == ("Plan",)


def test_text_under_a_tab_is_dedented_by_columns() -> None:
    (task,) = parse("\t- [ ] 1. a\n\t\t- b\n\t  c\n").tasks
    assert task.text == "1. a\n  - b\nc"


def test_o2_headings_group_and_close_each_other() -> None:
    plan = parse(
        "# T\n## A\n- [ ] a\n### B\n- [ ] b\n## C *x*\n- [ ] c\n\n  # inside an item\n- [ ] d\nSetext\n---\n- [ ] e\n"
    )
    assert [task.headings for task in plan.tasks] == [
        ("T", "A"),
        ("T", "A", "B"),
        ("T", "C *x*"),
        ("T", "C *x*"),
        ("T", "C *x*"),
    ]


@pytest.mark.parametrize(
    ("line", "mark"),
    [("- [ ] a", " "), ("- [x] a", "x"), ("- [X] a", "X"), ("- [-] a", "-"), ("- [~] a", "~"), ("- [S] a", "S")],
)
def test_o1_states(line: str, mark: str) -> None:
    assert [task.mark for task in parse(line).tasks] == [mark]


@pytest.mark.parametrize("line", ["- [ ]* 2.3 Test", "- [ ]\\* 2.3 Test", "- [ ] 2.3* Test", "  - [x]* **2.3 Test**"])
def test_o4_optional_tasks(line: str) -> None:
    (task,) = parse(line).tasks
    assert (task.optional, task.id, task.name) == (True, "2.3", "Test")


def test_o4_the_word_optional_is_no_star() -> None:
    assert not parse("- [ ] 2.3 Test (Optional)").tasks[0].optional


def test_o1_two_boxes_are_one_task_with_the_state_of_the_first() -> None:
    plan = parse("- [ ] - [X] T001 Build\n")
    assert [(task.id, task.name, task.mark) for task in plan.tasks] == [("T001", "Build", " ")]
    assert [warned.line for warned in plan.warnings] == [1]


def test_lines_are_counted_by_line_feeds_alone() -> None:
    text = "\ufeffa\x0cb\u2028c\x85d\re\r\n\x0b\n- [ ] 1. first\x0cpart\u2028end\r\n\r\n- [x] 2. second\r\n"
    plan = parse(text)
    assert [(task.line, task.id) for task in plan.tasks] == [(3, "1"), (5, "2")]
    assert "\n" not in plan.tasks[0].name


def test_a_fence_that_an_outdented_line_ends_swallows_no_task() -> None:
    plan = parse("- [x] 1. a\n  ```sh\n  run\n  ``` button\n- [ ] 2. b\n  ```sh\n  run\n  ```\n- [ ] 3. c\n")
    assert tree(plan) == ["1:1", "1:2", "1:3"]
    assert [warned.line for warned in plan.warnings] == [2]


def test_o5_o6_kinds_are_set_from_name_and_text() -> None:
    plan = parse("- [ ] 1. Checkpoint - all pass\n- [ ] 2. Build\n  - take a screenshot\n  - [ ] 2.1 Sub\n")
    assert [(task.checkpoint, task.visual) for task in plan.tasks] == [("pure", False), ("", True), ("", False)]


def test_lists_within_lists_may_be_very_deep() -> None:
    deep = "".join("  " * level + f"- [ ] task {level}\n" for level in range(40))
    assert [task.level for task in parse(deep).tasks] == list(range(1, 41))
    parse(">" * 5000 + "- [ ] a\n" + "- " * 5000 + "\n" + "".join("  " * n + "- [ ] a\n" for n in range(300)))


def test_code_blocks_of_a_task() -> None:
    text = "1. Run it\n- like this:\n  ```bash title=x\n  echo 1\n    echo 2\n  ```\n> ```sh\n> quoted\n> ```\n\n~~~\nplain\n~~~\n```sh\nlost"
    assert code_blocks(text) == (
        CodeBlock("bash", "echo 1\n  echo 2\n", 3),
        CodeBlock("", "plain\n", 11),
        CodeBlock("sh", "lost", 14, closed=False),
    )


def test_code_blocks_of_a_parsed_task_leave_those_of_its_sub_tasks_out() -> None:
    text = "- [ ] 1. a\n\n    ```sh\n    one\n    ```\n  - [ ] 1.1 b\n    ```sh\n    two\n    ```\n"
    plan = parse(text)
    assert [[block.code for block in code_blocks(task.text)] for task in plan.tasks] == [["one\n"], ["two\n"]]
