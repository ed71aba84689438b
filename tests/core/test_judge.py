"""judge: evidence in, verdict out (O14, O16, O17, O18)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ralph_wiggum.core.evidence import (
    AgentOutcome,
    Claim,
    Ending,
    Failed,
    FailureKind,
    Gate,
    GateStatus,
    Interrupted,
    Notice,
    Passed,
    Said,
)
from ralph_wiggum.core.judge import Evidence, judge, worth_checking

WELL = AgentOutcome(ending=Ending.EXITED, exit_code=0, seconds=3.0)
TOLD = replace(WELL, completed=True)
CRASHED_AT_ITS_END = AgentOutcome(ending=Ending.CRASHED, signal=11, completed=True)
COMPLETE = Said(claim=Claim.TASK_COMPLETE)
GREEN = Gate(name="pytest", kind="backend", status=GateStatus.PASSED)
RED = Gate(name="pytest", kind="backend", status=GateStatus.FAILED, reason="1 failed", failures=("t.py::test_a",))
MISSING = Gate(name="ruff", kind="backend", status=GateStatus.FAILED, reason="not found: ruff", environment=True)


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        pytest.param(
            Evidence(outcome=WELL, said=COMPLETE, changed=True, gates=[GREEN]),
            Passed(verified=True),
            id="work that passes its checks is verified",
        ),
        pytest.param(
            Evidence(outcome=WELL, said=COMPLETE, changed=True),
            Passed(verified=False),
            id="work without any check is unverified (O18)",
        ),
        pytest.param(
            Evidence(outcome=WELL, said=Said(claim=Claim.TASK_COMPLETE, no_change="was there"), gates=[GREEN]),
            Passed(verified=True, no_change="was there"),
            id="nothing had to be done, and the checks pass",
        ),
        pytest.param(
            Evidence(outcome=WELL, said=Said(claim=Claim.TASK_COMPLETE, no_change="was there")),
            Passed(verified=False, no_change="was there"),
            id="nothing had to be done, no check ran (O16)",
        ),
        pytest.param(
            Evidence(outcome=WELL, said=Said(claim=Claim.NONE), fix_round=True, gates=[GREEN]),
            Passed(verified=True),
            id="in a fix round the gates decide, not the words",
        ),
        pytest.param(
            Evidence(outcome=AgentOutcome(ending=Ending.NO_PROGRESS), said=COMPLETE, changed=True, gates=[GREEN]),
            Passed(verified=True),
            id="a hang after the final message throws no work away",
        ),
        pytest.param(
            Evidence(outcome=AgentOutcome(ending=Ending.TASK_TIMEOUT, completed=False), said=COMPLETE, changed=True),
            Passed(verified=False),
            id="nor does one until the task timeout, where its events tell that it did no more",
        ),
        pytest.param(
            Evidence(
                outcome=AgentOutcome(ending=Ending.LINGERED, completed=True), said=COMPLETE, changed=True, gates=[GREEN]
            ),
            Passed(verified=True),
            id="it did not end after its last event",
        ),
        pytest.param(
            Evidence(outcome=replace(TOLD, exit_code=1), said=COMPLETE, changed=True, gates=[GREEN]),
            Passed(verified=True),
            id="the last event says success, and the exit code comes after that",
        ),
    ],
)
def test_what_passes(evidence: Evidence, expected: Passed) -> None:
    assert judge(evidence) == expected


@pytest.mark.parametrize(
    ("evidence", "kind", "words"),
    [
        pytest.param(
            Evidence(outcome=WELL, said=COMPLETE), FailureKind.NO_CHANGE, "no file had changed", id="a lie (O17)"
        ),
        pytest.param(
            Evidence(outcome=WELL, said=COMPLETE, changed=True, gates=[RED]),
            FailureKind.CHECK,
            "pytest: 1 failed",
            id="a red check beats the claim",
        ),
        pytest.param(
            Evidence(outcome=WELL, said=Said(claim=Claim.NONE), changed=True),
            FailureKind.NO_SIGNAL,
            "no signal",
            id="no signal is a failed attempt",
        ),
        pytest.param(
            Evidence(outcome=WELL, said=Said(claim=Claim.ALL_TASKS_COMPLETE), changed=True),
            FailureKind.WRONG_SIGNAL,
            "decides nothing",
            id="ALL_TASKS_COMPLETE never decides",
        ),
        pytest.param(
            Evidence(outcome=WELL, said=Said(claim=Claim.TASK_SKIPPED, detail="no database")),
            FailureKind.GAVE_UP,
            "no database",
            id="TASK_SKIPPED is a failed attempt with its reason",
        ),
        pytest.param(
            Evidence(
                outcome=AgentOutcome(ending=Ending.EXITED, exit_code=3), said=COMPLETE, changed=True, gates=[GREEN]
            ),
            FailureKind.EXIT,
            "exit code 3",
            id="a bad exit code beats the claim",
        ),
        pytest.param(
            Evidence(outcome=AgentOutcome(ending=Ending.CRASHED, signal=11), said=COMPLETE, changed=True),
            FailureKind.CRASH,
            "signal 11",
            id="a crash beats the claim",
        ),
        pytest.param(
            Evidence(outcome=AgentOutcome(ending=Ending.NO_PROGRESS, seconds=300), changed=True, gates=[GREEN]),
            FailureKind.NO_PROGRESS,
            "no progress",
            id="a hang without a signal",
        ),
        pytest.param(
            Evidence(outcome=AgentOutcome(ending=Ending.TASK_TIMEOUT), said=COMPLETE, changed=True, gates=[GREEN]),
            FailureKind.TIMEOUT,
            "task timeout",
            id="text alone: at the task timeout it may have been at work, whatever it said",
        ),
        pytest.param(
            Evidence(outcome=AgentOutcome(ending=Ending.NO_PROGRESS), said=COMPLETE, changed=True, gates=[RED]),
            FailureKind.CHECK,
            "pytest: 1 failed",
            id="a hang after the signal: the work is looked at, and is not good",
        ),
        pytest.param(
            Evidence(outcome=replace(TOLD, completed=False), said=COMPLETE, changed=True, gates=[GREEN]),
            FailureKind.EXIT,
            "without the event that ends every run",
            id="exit 0 before the last event (a stream that was cut)",
        ),
        pytest.param(
            Evidence(outcome=replace(TOLD, flagged=True, exit_code=1), said=COMPLETE, changed=True, gates=[GREEN]),
            FailureKind.EXIT,
            "exit code 1",
            id="an error flag beats the claim",
        ),
        pytest.param(
            Evidence(outcome=AgentOutcome(ending=Ending.LINGERED, completed=True), changed=True, gates=[GREEN]),
            FailureKind.NO_SIGNAL,
            "no signal",
            id="it lingered after a last word that is no signal",
        ),
        pytest.param(
            Evidence(outcome=AgentOutcome(ending=Ending.TOO_MANY_TURNS, error="41 turns of 40"), changed=True),
            FailureKind.CAP,
            "more than one attempt may: 41 turns of 40",
            id="the runner's cap of turns",
        ),
        pytest.param(
            Evidence(outcome=AgentOutcome(ending=Ending.TOO_EXPENSIVE), said=COMPLETE, changed=True),
            FailureKind.CAP,
            "too expensive",
            id="the runner's cap of money, whatever was claimed before",
        ),
        pytest.param(
            Evidence(
                outcome=replace(
                    TOLD,
                    flagged=True,
                    exit_code=1,
                    notices=(Notice(kind="error_max_turns", text="reached 40 turns", final=True),),
                ),
                changed=True,
            ),
            FailureKind.CAP,
            "reached 40 turns",
            id="the agent's own cap of turns",
        ),
        pytest.param(
            Evidence(
                outcome=replace(
                    TOLD,
                    completed=False,
                    exit_code=53,
                    errors="Reached max session turns for this session. Increase …\n",
                ),
                changed=True,
            ),
            FailureKind.CAP,
            "reached max session turns",
            id="qwen's own cap of turns",
        ),
    ],
)
def test_what_fails(evidence: Evidence, kind: FailureKind, words: str) -> None:
    verdict = judge(evidence)
    assert isinstance(verdict, Failed)
    assert verdict.kind is kind
    assert words in verdict.reason


def test_a_timeout_with_changes_is_progress() -> None:
    """O14."""
    late = AgentOutcome(ending=Ending.TASK_TIMEOUT, seconds=600)
    with_change = judge(Evidence(outcome=late, changed=True, progressed=True))
    without = judge(Evidence(outcome=late, changed=True, progressed=False))
    assert isinstance(with_change, Failed)
    assert isinstance(without, Failed)
    assert (with_change.progressed, without.progressed) == (True, False)


def test_a_stopped_attempt_is_interrupted() -> None:
    assert isinstance(judge(Evidence(outcome=AgentOutcome(ending=Ending.STOPPED))), Interrupted)


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        pytest.param(
            Ending.OUT_OF_TIME,
            Interrupted(reason="the time of --until was reached"),
            id="the end of the night is no failure",
        ),
        pytest.param(
            Ending.OUT_OF_MEMORY,
            Failed(kind=FailureKind.MEMORY, fingerprint="memory", reason="words of the runner"),
            id="too much memory is the attempt's own, and identical whatever the figures",
        ),
        pytest.param(
            Ending.DISK_FULL,
            Failed(kind=FailureKind.DISK, fingerprint="disk", reason="words of the runner", environment=True),
            id="a full disk is the environment (O37)",
        ),
    ],
)
def test_what_the_machine_ended(ending: Ending, expected: Failed | Interrupted) -> None:
    """B7: whatever the agent claimed before, and whatever it changed."""
    outcome = AgentOutcome(ending=ending, error="words of the runner", exit_code=0)
    assert judge(Evidence(outcome=outcome, said=COMPLETE, changed=True, gates=[GREEN])) == expected


def test_an_agent_that_cannot_start_and_a_missing_tool_are_the_environment() -> None:
    """O37."""
    absent = judge(Evidence(outcome=AgentOutcome(ending=Ending.NOT_STARTED, error="kiro-cli: not found")))
    no_tool = judge(Evidence(outcome=WELL, said=COMPLETE, changed=True, gates=[MISSING]))
    ordinary = judge(Evidence(outcome=WELL, said=COMPLETE, changed=True, gates=[RED]))
    assert [v.environment for v in (absent, no_tool, ordinary) if isinstance(v, Failed)] == [True, True, False]


def test_the_runners_evidence_makes_the_key() -> None:
    """O14: the agent's own reason counts only where the tree gives none."""

    def key(detail: str, *, changed: bool) -> str:
        verdict = judge(Evidence(outcome=WELL, said=Said(claim=Claim.TASK_SKIPPED, detail=detail), changed=changed))
        assert isinstance(verdict, Failed)
        return verdict.fingerprint

    assert key("no database", changed=False) == key("too hard", changed=False)
    assert key("no database", changed=True) != key("too hard", changed=True)


@pytest.mark.parametrize(
    ("outcome", "said", "fix_round", "expected"),
    [
        pytest.param(WELL, COMPLETE, False, True, id="a claim of completion is checked"),
        pytest.param(WELL, Said(claim=Claim.TASK_SKIPPED), False, False, id="giving up needs no check"),
        pytest.param(AgentOutcome(ending=Ending.TASK_TIMEOUT), Said(), False, False, id="a timeout needs no check"),
        pytest.param(AgentOutcome(ending=Ending.NO_PROGRESS), COMPLETE, False, True, id="a hang after a claim does"),
        pytest.param(AgentOutcome(ending=Ending.LINGERED, completed=True), COMPLETE, False, True, id="it lingered"),
        pytest.param(CRASHED_AT_ITS_END, COMPLETE, False, True, id="it crashed after its last event"),
        pytest.param(replace(TOLD, completed=False), COMPLETE, False, False, id="cut off before its last event"),
        pytest.param(AgentOutcome(ending=Ending.EXITED, exit_code=1), COMPLETE, False, False, id="exit 1 needs none"),
        pytest.param(WELL, Said(), True, True, id="a fix round is always checked"),
        pytest.param(AgentOutcome(ending=Ending.STOPPED), COMPLETE, True, False, id="a stopped one never"),
    ],
)
def test_checks_run_where_they_matter(outcome: AgentOutcome, said: Said, fix_round: bool, expected: bool) -> None:  # noqa: FBT001 - columns
    assert worth_checking(outcome, said, fix_round=fix_round) is expected


def test_a_last_event_that_says_error_is_no_success_whatever_was_claimed() -> None:
    """Some agents end with exit code 0 and an error in their last event: a stream that was cut, a bad request."""
    outcome = AgentOutcome(ending=Ending.EXITED, exit_code=0, completed=True, flagged=True)
    verdict = judge(Evidence(outcome=outcome, said=COMPLETE, changed=True, gates=[GREEN]))
    assert isinstance(verdict, Failed)
    assert verdict.kind is FailureKind.EXIT
    assert not worth_checking(outcome, COMPLETE, fix_round=False)


@pytest.mark.parametrize(
    ("outcome", "passes"),
    [
        pytest.param(AgentOutcome(ending=Ending.NO_PROGRESS, exit_code=143), True, id="it answered TERM with a code"),
        pytest.param(AgentOutcome(ending=Ending.NO_PROGRESS, signal=15), True, id="it died of TERM"),
        pytest.param(AgentOutcome(ending=Ending.LINGERED, exit_code=143, completed=True), True, id="it lingered"),
        pytest.param(CRASHED_AT_ITS_END, True, id="it crashed after its last event"),
        pytest.param(replace(CRASHED_AT_ITS_END, completed=False), False, id="it crashed before its last event"),
        pytest.param(replace(CRASHED_AT_ITS_END, flagged=True), False, id="its last event says error"),
        pytest.param(replace(CRASHED_AT_ITS_END, completed=None), False, id="nobody knows whether it was at its end"),
        pytest.param(
            AgentOutcome(ending=Ending.CRASHED, error="the keeper died", completed=True), False, id="no signal ended it"
        ),
    ],
)
def test_how_a_process_ended_after_all_was_said_says_nothing_of_the_work(
    outcome: AgentOutcome, *, passes: bool
) -> None:
    verdict = judge(Evidence(outcome=outcome, said=COMPLETE, changed=True, gates=[GREEN]))
    assert isinstance(verdict, Passed) is passes
