"""reconcile: journal against file at a start, as a table (B2, design part 1)."""

from __future__ import annotations

import pytest

from ralph_wiggum.core.history import History
from ralph_wiggum.core.journal import Ended, Entry, Reopened, SkipDecided, Skipped, Started, Ticked
from ralph_wiggum.core.model import Plan, Task
from ralph_wiggum.core.reconcile import Mend, Step, mends, reconcile

STARTED = Started(key="1")
FAILED = Ended(key="1", result="failed")
PASSED = Ended(key="1", result="passed")
TICKED = Ticked(key="1")
DECIDED = SkipDecided(key="1")
SKIPPED = Skipped(key="1")


@pytest.mark.parametrize(
    ("entries", "mark", "expected"),
    [
        pytest.param([], " ", [], id="nothing happened"),
        pytest.param([], "-", [], id="a stale mark of another tool is just continued"),
        pytest.param([STARTED], "-", [Mend.CLOSE_ATTEMPT], id="killed in an attempt"),
        pytest.param([STARTED], None, [Mend.CLOSE_ATTEMPT], id="killed in an attempt, the task is gone"),
        pytest.param([STARTED, FAILED], "-", [], id="killed between attempts"),
        pytest.param([STARTED, FAILED, STARTED], "-", [Mend.CLOSE_ATTEMPT], id="killed in a second attempt"),
        pytest.param([STARTED, PASSED], "-", [Mend.FINISH_TICK], id="killed between verdict and tick"),
        pytest.param([STARTED, PASSED], "x", [Mend.FINISH_TICK], id="killed between tick and commit or entry"),
        pytest.param([STARTED, PASSED, TICKED], "x", [], id="all is well"),
        pytest.param([STARTED, PASSED, TICKED], "X", [], id="a capital X is complete too"),
        pytest.param([STARTED, PASSED, TICKED], " ", [Mend.REOPEN], id="a person set a tick back"),
        pytest.param([STARTED, PASSED, TICKED], "S", [], id="a person skipped what was ticked"),
        pytest.param([STARTED, PASSED, TICKED, Reopened(key="1")], " ", [], id="reopened once, not again"),
        pytest.param([STARTED, FAILED, DECIDED], "-", [Mend.FINISH_SKIP], id="killed before the skip's patch"),
        pytest.param([STARTED, FAILED, DECIDED], "S", [Mend.FINISH_SKIP], id="killed after the skip's mark"),
        pytest.param([STARTED, FAILED, DECIDED, SKIPPED], "S", [], id="skipped for good"),
        pytest.param([STARTED, DECIDED, SKIPPED], "S", [Mend.CLOSE_ATTEMPT], id="cut off, then skipped by a person"),
        pytest.param([STARTED, FAILED, DECIDED, SKIPPED], " ", [Mend.REOPEN], id="a person set a skip back"),
        pytest.param([STARTED, FAILED, DECIDED, SKIPPED], "x", [], id="a person did it by hand after the skip"),
        pytest.param([STARTED, FAILED], "x", [Mend.REOPEN], id="a person finished it by hand: counters empty"),
        pytest.param([STARTED, FAILED, DECIDED], None, [], id="the task to skip is gone"),
    ],
)
def test_mends(entries: list[Entry], mark: str | None, expected: list[Mend]) -> None:
    assert list(mends(History(entries).of("1"), mark)) == expected


def test_reconcile_names_the_tasks() -> None:
    task = Task(index=0, key="1", id="1", name="a", mark=" ", line=1, level=1, parent=None, optional=False)
    plan = Plan(tasks=(task,), children=((),), by_key={"1": 0})
    history = History([STARTED, PASSED, TICKED, Started(key="gone")])
    assert reconcile(plan, history) == (
        Step(key="1", mend=Mend.REOPEN),
        Step(key="gone", mend=Mend.CLOSE_ATTEMPT),
    )
