"""Shapes that real files of many repositories hold and that readers of tasks.md fall for, one by one, by hand."""

from __future__ import annotations

import pytest

from ralph_wiggum.core.parse import parse
from ralph_wiggum.core.select import Close, Finished, select

LOST_DASH = """- [ ] 17. Tests
  - [x] 16.9 Before
[x] 17.1 Lost its dash
  - [ ] 17.2 Behind
- [VALIDATED] it works
- [BLOCKED] by others
"""

COMMENTED_TASKS = """- [x] 1. Real
  <!-- - [~] 15.6 Hidden
  - [~] 15.7 Hidden too
  -->
  - [ ] 1.1 Real too

<!-- ## Before
- [ ] 0.1 Hidden
-->
- [ ] 2. Real
"""

MARKS_IN_CODE = """- [ ] 1. Skip what `<!--` opens
  - a detail
    ```markdown
    - [ ] example
      ```js
      <!-- - [x] another
    ```
- [ ] 2. Next
  1. numbered
     ```
     - [ ] inside
     ```
"""

HEREDOC = """- [ ] 1. Publish
  ```sh
  tool create --body "$(cat <<'EOF'
## Summary
- [x] seen by Markdown as a task
EOF
)"
  ```
"""

SPEC_KIT = """## Phase 1: Setup

- [X] T001 Create project
- [X] - [X] T002 [P] Add linter
- [-] [T003] [P1] [US1] Configure

**Checkpoint**: Foundation ready

- [P] tasks = different files
"""

FLAT = """- [x] 1. Base (P)
- [x] 1.1 Part one (P)
- [ ] 12. Other
- [x] 12.6 Part
- [ ] 12.7* Optional part
| 12.6 | `- [ ]?` |
"""

LEVELS = """- [ ] 7. Top
  - [ ] 7.3 Second
    - [ ] 7.3.5 Third
      - [ ] 7.3.5a Fourth
  - [ ] 7.4b Late (Optional)
"""

WAVES = """- [ ] 1. a

## Task Dependency Graph

```json
{"waves": [{"id": 1, "tasks": ["1", "9.9"]}]}
```
"""

WRAPPED = """- [ ] 1.1 A name that goes on
for a while at the margin
  and once more indented
  - then a detail
- [ ] 1.2 Another
"""


@pytest.mark.parametrize(
    ("text", "keys", "warned"),
    [
        pytest.param(LOST_DASH, ["17", "16.9", "17.2"], [3], id="lost dash, words in brackets"),
        pytest.param(
            COMMENTED_TASKS, ["1", "1.1", "2"], [1], id="comments around tasks; done parent with an open sub-task"
        ),
        pytest.param(MARKS_IN_CODE, ["1", "2"], [], id="comment marks in code, fences in lists"),
        pytest.param(
            HEREDOC, ["1", "~seen-by-markdown-as-a-task-eof"], [2, 8], id="heredoc at the margin ends its fence"
        ),
        pytest.param(SPEC_KIT, ["T001", "T002", "T003"], [4], id="spec-kit"),
        pytest.param(FLAT, ["1", "1.1", "12", "12.6", "12.7"], [], id="flat, star behind the id, ids in a table"),
        pytest.param(LEVELS, ["7", "7.3", "7.3.5", "7.3.5a", "7.4b"], [], id="four levels"),
        pytest.param(WAVES, ["1"], [], id="task graph as JSON"),
        pytest.param(WRAPPED, ["1.1", "1.2"], [], id="names over several lines"),
    ],
)
def test_o1_o7_traps(text: str, keys: list[str], warned: list[int]) -> None:
    plan = parse(text)
    assert [task.key for task in plan.tasks] == keys
    assert [each.line for each in plan.warnings] == warned


def test_a_wrapped_name_is_one_line() -> None:
    assert parse(WRAPPED).task("1.1").name == "A name that goes on for a while at the margin and once more indented"


def test_flat_parents_are_closed_when_their_last_required_sub_task_is_done() -> None:
    plan = parse(FLAT)
    assert [task.level for task in plan.tasks] == [1, 2, 1, 2, 2]
    assert select(plan) == Close(plan.task("12"))


def test_open_parents_of_complete_sub_tasks_are_closed_one_after_the_other() -> None:
    plan = parse("".join(f"- [ ] {n}. a\n  - [x] {n}.1 b\n  - [x] {n}.2 c\n" for n in range(1, 25)))
    closed = []
    while not isinstance(choice := select(plan), Finished):
        assert isinstance(choice, Close)
        closed.append(choice.task.id)
        plan = plan.with_mark(choice.task.key, "x")
    assert closed == [str(n) for n in range(1, 25)]


def test_a_file_without_any_open_box_still_has_work() -> None:
    plan = parse("- [x] 1. a\n- [-] 2. b\n- [~] 3. c\n- [-] 4. d\n")
    choice = select(plan)
    assert not isinstance(choice, Finished)
    assert choice.task.id == "2"


def test_where_all_that_is_left_is_optional_the_plan_is_complete() -> None:
    assert select(parse("- [x] 1. a\n  - [ ]* 1.1 b\n- [ ]\\* 2. c\n")) == Finished(
        open_required=0, skipped=0, queued=0, completed=1
    )
