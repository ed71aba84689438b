"""O18, O37, G1: results beside their baseline, as gates with one line of reason."""

from __future__ import annotations

import pytest

from ralph_wiggum.core import check_gate, failures
from ralph_wiggum.core.check_gate import CheckResult
from ralph_wiggum.core.evidence import GateStatus
from ralph_wiggum.core.failures import NO_TESTS, Failures
from ralph_wiggum.core.settings import CheckPlan

PLAN = CheckPlan(name="pytest", kind="backend", command="pytest -q", timeout=600)
FAILED, PASSED = GateStatus.FAILED, GateStatus.PASSED


def _red(*keys: str, code: int | None = 1) -> Failures:
    return Failures(keys=keys, exit_code=code)


@pytest.mark.parametrize(
    ("now", "before", "status", "reason"),
    [
        pytest.param(Failures(), None, PASSED, "passed", id="green"),
        pytest.param(_red("a"), None, FAILED, "exit 1: 1 failure: a", id="red without a baseline"),
        pytest.param(_red("a", "b"), Failures(), FAILED, "exit 1: 2 new failures: a, b", id="red since"),
        pytest.param(_red("a", "b", "c", "d"), _red("a"), FAILED, "exit 1: 3 new failures: b, c, …", id="more red since"),
        pytest.param(_red("a", "b", "c"), _red("a", "b", "c"), PASSED, "passed (3 failures remain of the baseline)", id="as red as before"),
        pytest.param(_red("a"), _red("a", "b"), PASSED, "passed (1 failure remains of the baseline)", id="less red than before"),
        pytest.param(failures.timed_out(), Failures(), FAILED, "timeout after 600 s", id="out of time"),
        pytest.param(_red(NO_TESTS, code=5), _red(NO_TESTS, code=5), PASSED, "passed (no tests yet)", id="still no tests"),
        pytest.param(_red(NO_TESTS, code=5), Failures(), FAILED, "exit 5: 1 new failure: no tests found", id="the tests are gone"),
        pytest.param(_red(NO_TESTS, code=5), _red("a"), FAILED, "exit 5: 1 new failure: no tests found", id="the red tests are gone"),
        pytest.param(_red("ended by signal 11", code=None), Failures(), FAILED, "1 new failure: ended by signal 11", id="crashed"),
    ],
)  # fmt: skip
def test_gates(now: Failures, before: Failures | None, status: GateStatus, reason: str) -> None:
    """O18."""
    gate = check_gate.gate(PLAN, CheckResult(failures=now, excerpt="out", counts="1 failed"), before)
    assert (gate.status, gate.reason) == (status, reason)
    assert gate.excerpt == ("out" if gate.failed else "")
    assert bool(gate.failures) is gate.failed
    assert check_gate.red_as_before(gate) is ("of the baseline" in reason)


def test_a_baseline_without_tests_is_no_failure() -> None:
    """O18: exit 5 passes while the baseline had none."""
    result = CheckResult(failures=_red(NO_TESTS, code=5))
    assert check_gate.gate(PLAN, result, None, taking_baseline=True).status is PASSED
    assert check_gate.gate(PLAN, result, None).status is FAILED


def test_what_could_not_run_is_the_environment() -> None:
    """O37."""
    gate = check_gate.gate(PLAN, CheckResult(failures=_red("exit 127"), obstacle="pytest is not installed"), Failures())
    assert gate.failed
    assert gate.environment
    assert gate.reason == "pytest is not installed"
    assert gate.failures == ("cannot run: pytest is not installed",)


def test_the_obstacle_of_the_evening_blocks_nobody() -> None:
    """O18: red at the start blocks by new failures only; another obstacle is new."""
    result = CheckResult(failures=_red("exit 127"), obstacle="pytest is not installed")
    same, other = Failures(obstacle="pytest is not installed"), Failures(obstacle="no space left")
    assert check_gate.gate(PLAN, result, same).status is GateStatus.NOT_RUN
    assert check_gate.gate(PLAN, result, other).environment


def test_what_was_stopped_proves_nothing() -> None:
    gate = check_gate.gate(PLAN, CheckResult(failures=Failures(), stopped=True), None)
    assert (gate.status, gate.reason) == (GateStatus.NOT_RUN, "stopped")
