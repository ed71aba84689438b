"""What the runner makes of an attempt: evidence in, verdict out (O16, O18). What the agent says never decides alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ralph_wiggum.core import fingerprint
from ralph_wiggum.core.completion import cap, complete, ended_well
from ralph_wiggum.core.evidence import (
    AgentOutcome,
    Claim,
    Ending,
    Failed,
    FailureKind,
    Gate,
    GateStatus,
    Interrupted,
    Passed,
    Said,
    Verdict,
)

SAID_NOTHING = Said()
OUT_OF_TIME = "the time of --until was reached"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that is known of an attempt when it is judged.

    `changed`: the tree differs from what it was when the task began. `progressed`: it differs from what it was when
    this attempt began. `gates` is empty where none ran. `fix_round`: the attempt was to mend a blocked checkpoint,
    and only the gates decide. `looking`: the task asks only to look at a page, so nothing has to change (O25).
    """

    outcome: AgentOutcome
    said: Said = SAID_NOTHING
    changed: bool = False
    progressed: bool = False
    gates: Sequence[Gate] = ()
    fix_round: bool = False
    looking: bool = False


def worth_checking(outcome: AgentOutcome, said: Said, *, fix_round: bool) -> bool:
    """Say whether the checks can still make a difference: the agent ended well and claims completion.

    In a fix round the gates decide whatever was claimed, so they run after every attempt that ended by itself.
    """
    if fix_round:
        return outcome.ending in (Ending.EXITED, Ending.CRASHED, Ending.LINGERED) or complete(outcome, said)
    return complete(outcome, said)


def judge(evidence: Evidence) -> Verdict:
    """Return the verdict on one attempt.

    The runner's own evidence comes first (how the process ended, the gates, the tree), the agent's words last.
    """
    return (
        _by_ending(evidence)
        or (_by_gates(evidence) if evidence.fix_round else None)
        or _by_exit(evidence.outcome)
        or _by_claim(evidence)
        or _by_gates(evidence)
        or _by_change(evidence)
    )


def _by_ending(evidence: Evidence) -> Verdict | None:
    outcome = evidence.outcome
    if complete(outcome, evidence.said):
        return None  # also where it hung after its last word
    if reason := cap(outcome):
        reason = f"used more than one attempt may: {reason}"
        return Failed(kind=FailureKind.CAP, fingerprint=FailureKind.CAP.value, reason=reason)
    return _by_the_runner(evidence)


def _by_the_runner(evidence: Evidence) -> Verdict | None:
    """Judge an attempt that never began, or that the runner ended."""
    outcome = evidence.outcome
    match outcome.ending:
        case Ending.STOPPED | Ending.OUT_OF_TIME:
            late = outcome.ending is Ending.OUT_OF_TIME
            return Interrupted(reason=OUT_OF_TIME if late else outcome.error or "stopped by a person")
        case Ending.NOT_STARTED:
            key = fingerprint.of_text("not started", outcome.error)
            reason = outcome.error or "the agent could not be started"
            return Failed(kind=FailureKind.NOT_STARTED, fingerprint=key, reason=reason, environment=True)
        case Ending.TASK_TIMEOUT:
            return _failed(FailureKind.TIMEOUT, f"ran into the task timeout after {outcome.seconds:.0f} s", evidence)
        case Ending.NO_PROGRESS:
            return _failed(FailureKind.NO_PROGRESS, f"made no progress, ended after {outcome.seconds:.0f} s", evidence)
        case Ending.OUT_OF_MEMORY | Ending.DISK_FULL:
            return _by_machine(outcome)
        case _:
            return None


def _by_machine(outcome: AgentOutcome) -> Failed:
    """Judge an attempt that used too much of the machine (B7): its memory it used itself, the disk may be others'."""
    disk = outcome.ending is Ending.DISK_FULL
    kind = FailureKind.DISK if disk else FailureKind.MEMORY
    reason = outcome.error or ("the disk was nearly full" if disk else "used more memory than it may")
    return Failed(kind=kind, fingerprint=kind.value, reason=reason, environment=disk)


def _failed(kind: FailureKind, reason: str, evidence: Evidence) -> Failed:
    progressed = kind is FailureKind.TIMEOUT and evidence.progressed
    return Failed(kind=kind, fingerprint=kind.value, reason=reason, progressed=progressed)


def _by_exit(outcome: AgentOutcome) -> Verdict | None:
    if ended_well(outcome):
        return None
    if outcome.ending is Ending.CRASHED:
        what = f"signal {outcome.signal}" if outcome.signal else outcome.error or "crashed"
        reason = f"the agent was ended by {what}" if outcome.signal else f"the agent did not come to its end: {what}"
        return Failed(kind=FailureKind.CRASH, fingerprint=f"crash {what}", reason=reason)
    if outcome.exit_code and outcome.ending is Ending.EXITED:  # else it is that of an answer to our TERM
        reason = f"the agent ended with exit code {outcome.exit_code}"
        return Failed(kind=FailureKind.EXIT, fingerprint=f"exit {outcome.exit_code}", reason=reason)
    if outcome.flagged:
        reason = "the agent's own last event says that it ended with an error"
        return Failed(kind=FailureKind.EXIT, fingerprint="ended with an error", reason=reason)
    if outcome.completed is False and outcome.ending is Ending.EXITED:
        reason = "the agent ended without the event that ends every run of it"
        return Failed(kind=FailureKind.EXIT, fingerprint="ended early", reason=reason)
    return None


def _by_claim(evidence: Evidence) -> Verdict | None:
    said = evidence.said
    match said.claim:
        case Claim.TASK_COMPLETE:
            return None
        case Claim.NONE:
            reason = "the agent's last line was no signal" + _nothing_done(evidence)
            key = "no signal" if evidence.changed else "no signal, no change"
            return Failed(kind=FailureKind.NO_SIGNAL, fingerprint=key, reason=reason)
        case Claim.TASK_SKIPPED:
            return _gave_up(evidence)
        case _:
            reason = f"the agent said {said.claim.value}, which decides nothing" + _nothing_done(evidence)
            return Failed(kind=FailureKind.WRONG_SIGNAL, fingerprint=f"said {said.claim.value}", reason=reason)


def _gave_up(evidence: Evidence) -> Failed:
    """TASK_SKIPPED: the tree is the evidence where it did not change, the agent's reason only where it did (O14)."""
    reason = f"the agent gave up: {evidence.said.detail}" + _nothing_done(evidence)
    key = fingerprint.of_text("gave up", evidence.said.detail) if evidence.changed else "gave up, no change"
    return Failed(kind=FailureKind.GAVE_UP, fingerprint=key, reason=reason)


def _nothing_done(evidence: Evidence) -> str:
    return "" if evidence.changed else "; no file had changed"


def _by_gates(evidence: Evidence) -> Verdict | None:
    failed = [gate for gate in evidence.gates if gate.failed]
    if failed:
        reason = "; ".join(f"{gate.name}: {gate.reason}" for gate in failed)
        return Failed(
            kind=fingerprint.kind_of_gates(failed),
            fingerprint=fingerprint.of_gates(failed),
            reason=reason,
            environment=all(gate.environment for gate in failed),
            hopeless=any(gate.hopeless for gate in failed),
        )
    return Passed(verified=_verified(evidence.gates)) if evidence.fix_round else None


def by_gates_alone(gates: Sequence[Gate]) -> Verdict:
    """Return the verdict on a task that no agent had a hand in: the gates decide."""
    failed = _by_gates(Evidence(outcome=AgentOutcome(ending=Ending.EXITED), gates=gates))
    return failed or Passed(verified=_verified(gates))


def _by_change(evidence: Evidence) -> Verdict:
    verified = _verified(evidence.gates)
    if evidence.changed or (evidence.looking and verified):
        return Passed(verified=verified)
    if evidence.said.no_change is not None:
        return Passed(verified=verified, no_change=evidence.said.no_change or "no reason given")
    reason = "the agent said TASK_COMPLETE, but no file had changed since the task began"
    return Failed(kind=FailureKind.NO_CHANGE, fingerprint="no change", reason=reason)


def _verified(gates: Sequence[Gate]) -> bool:
    """Say whether something was proved: a server that is up proves nothing of a task."""
    return any(gate.status is GateStatus.PASSED and gate.kind != FailureKind.SERVER.value for gate in gates)
