"""A task as a person names it (O30: unknown and ambiguous ids are clear errors)."""

from __future__ import annotations

import pytest

from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.lookup import find_task
from ralph_wiggum.core.parse import parse

PLAN = parse(
    """# One
- [ ] 1. Login
  - [ ] 1.1 Form
  - [ ] 1.2 Session
# Two
- [ ] 1. Again
- [ ] T001 Bare
- [ ] no id at all
"""
)


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        pytest.param("1.1", "Form", id="an id"),
        pytest.param(" 1.2. ", "Session", id="an id as it is written, with a dot"),
        pytest.param("1@2", "Again", id="a key"),
        pytest.param("t001", "Bare", id="another case"),
        pytest.param("~no-id-at-all", "no id at all", id="the key of a task without an id"),
    ],
)
def test_found(wanted: str, name: str) -> None:
    assert find_task(PLAN, wanted).name == name


def test_an_id_of_several_tasks_lists_them_with_their_lines() -> None:
    with pytest.raises(RalphError, match="stands for 2 tasks") as caught:
        find_task(PLAN, "1", "p/tasks.md")
    assert "1@1 (p/tasks.md:2: Login); 1@2 (p/tasks.md:6: Again)" in str(caught.value)
    assert "1@1" in caught.value.hint


@pytest.mark.parametrize(
    ("wanted", "near"),
    [
        pytest.param("1.3", "1.1 (tasks.md:3: Form)", id="a near id"),
        pytest.param("T01", "T001 (tasks.md:7: Bare)", id="a slip"),
        pytest.param("sesion", "1.2 (tasks.md:4: Session)", id="a name in place of an id"),
    ],
)
def test_an_unknown_id_lists_near_ones(wanted: str, near: str) -> None:
    with pytest.raises(RalphError, match="no task") as caught:
        find_task(PLAN, wanted)
    assert near in caught.value.hint


def test_what_is_near_nothing_says_where_the_ids_are() -> None:
    with pytest.raises(RalphError) as caught:
        find_task(PLAN, "zzzzzz")
    assert "--tasks" in caught.value.hint
    with pytest.raises(RalphError, match="there are no tasks"):
        find_task(parse("# nothing\n"), "1")
