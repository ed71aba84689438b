"""decide: a table over the attempts of one task (O13, O14, O15, O19, O34)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ralph_wiggum.core.decide import (
    LONGEST_TIMEOUT,
    Complete,
    Decision,
    End,
    Leave,
    Policy,
    Retry,
    Skip,
    decide,
    identical_failures,
)
from ralph_wiggum.core.journal import Ended
from ralph_wiggum.core.strategy import Strategy


def failed(
    fingerprint: str = "exit 1", *, seconds: float = 1.0, progressed: bool = False, timeout: float = 600.0
) -> Ended:
    return Ended(
        result="failed",
        fingerprint=fingerprint,
        reason=fingerprint,
        seconds=seconds,
        progressed=progressed,
        timeout=timeout,
    )


def paid(dollars: float, result: str = "failed") -> Ended:
    return Ended(result=result, fingerprint="exit 1", reason="exit 1", seconds=1.0, cost=dollars)


PASSED = Ended(result="passed")
INTERRUPTED = Ended(result="interrupted", reason="SIGINT")
TEN_MINUTES = 600.0


@pytest.mark.parametrize(
    ("attempts", "expected"),
    [
        pytest.param([], Retry(strategy=Strategy.FIRST, timeout=TEN_MINUTES), id="no attempt yet begins"),
        pytest.param([PASSED], Complete(), id="a passed attempt completes"),
        pytest.param([failed(), PASSED], Complete(), id="success after failure completes (O15)"),
        pytest.param(
            [failed()],
            Retry(strategy=Strategy.SAME, timeout=TEN_MINUTES, identical=1),
            id="one failure tries the same approach",
        ),
        pytest.param(
            [failed()] * 2,
            Retry(strategy=Strategy.OTHER_IMPLEMENTATION, timeout=TEN_MINUTES, identical=2),
            id="two identical failures try another implementation",
        ),
        pytest.param(
            [failed()] * 3,
            Retry(strategy=Strategy.SIMPLER, timeout=TEN_MINUTES, identical=3),
            id="three identical failures narrow the scope",
        ),
        *[
            pytest.param(
                [failed()] * count,
                Retry(strategy=Strategy.OTHER_APPROACH, timeout=TEN_MINUTES, identical=count),
                id=f"{count} identical failures try other approaches",
            )
            for count in range(4, 9)
        ],
        pytest.param(
            [failed()] * 9,
            Retry(strategy=Strategy.CONSERVATIVE, timeout=TEN_MINUTES, identical=9),
            id="the last attempt before a skip is the conservative one",
        ),
        pytest.param(
            [failed()] * 10, Skip(reason="10 identical failures: exit 1"), id="ten identical failures skip (O14)"
        ),
        pytest.param(
            [failed("a")] * 9 + [failed("b")],
            Retry(strategy=Strategy.SAME, timeout=TEN_MINUTES, identical=1),
            id="a different failure starts the count again",
        ),
        pytest.param(
            [failed()] * 9 + [INTERRUPTED],
            Retry(strategy=Strategy.CONSERVATIVE, timeout=TEN_MINUTES, identical=9),
            id="an interrupted attempt counts as nothing",
        ),
        pytest.param(
            [INTERRUPTED], Retry(strategy=Strategy.FIRST, timeout=TEN_MINUTES), id="an interrupted first begins again"
        ),
        pytest.param(
            [failed()] * 9 + [INTERRUPTED, failed()],
            Skip(reason="10 identical failures: exit 1"),
            id="interruptions do not break a row of ten",
        ),
        pytest.param(
            [failed(f"f{n}") for n in range(29)],
            Retry(strategy=Strategy.CONSERVATIVE, timeout=TEN_MINUTES, identical=1),
            id="the thirtieth attempt is the conservative one",
        ),
        pytest.param(
            [failed(f"f{n}") for n in range(30)],
            Skip(reason="30 attempts without success, the last: f29"),
            id="thirty different failures skip",
        ),
        pytest.param(
            [failed("a", seconds=2700.0), failed("b", seconds=2700.0)],
            Skip(reason="90 minutes without success, the last: b"),
            id="ninety minutes skip",
        ),
        pytest.param(
            [failed("timeout", progressed=True)],
            Retry(strategy=Strategy.FIRST, timeout=1200.0, identical=0),
            id="a timeout with progress doubles the time and is no identical failure",
        ),
        pytest.param(
            [failed("timeout", progressed=True), failed("timeout", progressed=True, timeout=1200.0)],
            Retry(strategy=Strategy.FIRST, timeout=LONGEST_TIMEOUT, identical=0),
            id="the doubled time ends at 1,800 s",
        ),
        pytest.param(
            [failed("timeout", progressed=True), failed("timeout", timeout=1200.0)],
            Retry(strategy=Strategy.SAME, timeout=TEN_MINUTES, identical=1),
            id="a timeout without progress counts and gives back the usual time",
        ),
    ],
)
def test_decide(attempts: list[Ended], expected: Decision) -> None:
    assert decide(attempts, Policy()) == expected


@pytest.mark.parametrize(
    ("on_give_up", "kind"),
    [
        pytest.param("skip", Skip, id="never_stop skips"),
        pytest.param("leave", Leave, id="skip_on_stagnation false leaves the task open"),
        pytest.param("end", End, id="stop_on_failure ends the run"),
    ],
)
def test_giving_up_follows_the_settings(on_give_up: str, kind: type[Decision]) -> None:
    assert isinstance(decide([failed()] * 10, Policy(on_give_up=on_give_up)), kind)


def test_thresholds_come_from_the_policy() -> None:
    """O34: every key does what it says."""
    policy = Policy(threshold=3, max_attempts=5, max_seconds=100.0, timeout=50.0)
    assert isinstance(decide([failed()] * 2, policy), Retry)
    assert isinstance(decide([failed()] * 3, policy), Skip)
    assert isinstance(decide([failed(str(n)) for n in range(5)], policy), Skip)
    assert isinstance(decide([failed("a", seconds=60.0), failed("b", seconds=60.0)], policy), Skip)
    assert decide([], policy) == Retry(strategy=Strategy.FIRST, timeout=50.0)


def test_a_base_timeout_above_the_cap_stays() -> None:
    policy = Policy(timeout=3600.0)
    retry = decide([failed(progressed=True, timeout=3600.0)], policy)
    assert isinstance(retry, Retry)
    assert retry.timeout == 3600.0


def test_what_no_attempt_can_change_is_given_up_at_once() -> None:
    """A missing tool costs one attempt and not ten; what the settings want instead of a skip holds here too."""
    hopeless = failed()._replace(hopeless=True, reason="agent-browser is not installed")
    assert decide([hopeless], Policy()) == Skip(reason="no attempt can change it: agent-browser is not installed")
    assert isinstance(decide([hopeless], Policy(on_give_up="leave")), Leave)
    assert isinstance(decide([hopeless], Policy(on_give_up="end")), End)
    assert isinstance(decide([hopeless, failed()], Policy()), Retry)


def test_a_look_that_the_runner_took_alone_is_no_attempt() -> None:
    look = failed()._replace(how="validation", attempt=0)
    assert decide([look], Policy()) == decide([], Policy())
    assert identical_failures([look, failed(), failed()]) == 2
    assert isinstance(decide([look, *[failed()] * 9], Policy()), Retry)
    assert isinstance(decide([look, *[failed()] * 10], Policy()), Skip)
    assert decide([look._replace(result="passed")], Policy()) == Complete()


ATTEMPTS = st.lists(
    st.builds(
        Ended,
        result=st.sampled_from(["failed", "failed", "failed", "interrupted"]),
        fingerprint=st.sampled_from("ab"),
        seconds=st.floats(0, 60),
        progressed=st.booleans(),
        hopeless=st.just(False),
        how=st.sampled_from(["", "", "", "validation"]),
    ),
    max_size=60,
)


@given(ATTEMPTS)
def test_every_task_ends(attempts: list[Ended]) -> None:
    """O12: whatever fails, after at most 30 counted attempts no other one follows."""
    counted = [ended for ended in attempts if ended.result != "interrupted" and not ended.how]
    decision = decide(attempts, Policy())
    if len(counted) >= 30 or identical_failures(attempts) >= 10:
        assert isinstance(decision, Skip)
    else:
        assert isinstance(decision, Retry)


@given(ATTEMPTS)
def test_interrupted_attempts_change_nothing(attempts: list[Ended]) -> None:
    counted = [ended for ended in attempts if ended.result != "interrupted"]
    assert decide(attempts, Policy()) == decide(counted, Policy())


@pytest.mark.parametrize(
    ("attempts", "left"),
    [
        pytest.param([], 2.0, id="all of it"),
        pytest.param([paid(0.5)], 1.5, id="the rest"),
        pytest.param(
            [paid(0.5, "interrupted"), paid(-1.0)], 1.5, id="cut off, but paid for; and one that told nothing"
        ),
        pytest.param([paid(1.995)], 0.005, id="next to nothing, but no more"),
        pytest.param([paid(2.0)], None, id="nothing"),
        pytest.param([paid(9.0, "interrupted")], None, id="more than there was"),
    ],
)
def test_what_an_attempt_may_cost_is_what_is_left_of_the_money_of_its_task(
    attempts: list[Ended], left: float | None
) -> None:
    """max_task_cost."""
    decision = decide(attempts, Policy(max_cost=2.0))
    assert isinstance(decision, Skip) if left is None else isinstance(decision, Retry)
    assert left is None or (isinstance(decision, Retry) and decision.cost == pytest.approx(left))


def test_a_task_that_cost_too_much_does_not_come_back_in_the_same_run() -> None:
    """It would begin anew, and spend as much again, and again."""
    decision = decide([paid(2.0)], Policy(max_cost=2.0, on_give_up="leave"))
    assert isinstance(decision, Leave)
    assert decision.for_good
    assert decide([paid(99.0)], Policy()) == decide([failed()], Policy()), "no limit was set"
