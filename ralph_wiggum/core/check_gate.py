"""The result of a check, beside its baseline -> a gate with its reason in one line (O18, G1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ralph_wiggum.core import failures
from ralph_wiggum.core.baseline import blocking
from ralph_wiggum.core.evidence import Gate, GateStatus
from ralph_wiggum.core.failures import Failures
from ralph_wiggum.core.fingerprint import normalise
from ralph_wiggum.core.settings import CheckPlan

STOPPED = "stopped"  # the reason of gates that a person's stop prevented
AS_BEFORE = "cannot run, as before the first task"
EARLIER_FAILED = "an earlier check failed"
OF_THE_BASELINE = "of the baseline"  # in the reason of a check that passed although it is red

_NAMED = 2  # failures that a reason names
_REASON = 200  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What came out of one command; `obstacle` says why it could not run at all (O37)."""

    failures: Failures
    seconds: float = 0.0
    obstacle: str = ""
    excerpt: str = ""
    counts: str = ""
    stopped: bool = False


def gate(plan: CheckPlan, result: CheckResult, before: Failures | None, *, taking_baseline: bool = False) -> Gate:
    """Return the gate for a result: red where failures are new since the baseline, or where it could not run.

    `before` is the baseline of this check, None if it has none: then all failures count.
    """
    if result.stopped:
        return not_run(plan, STOPPED)
    if result.obstacle and before is not None and normalise(before.obstacle) == normalise(result.obstacle):
        # red in the evening for the same reason: it blocks nobody, and it proves nothing (O18)
        return not_run(plan, f"{AS_BEFORE}: {result.obstacle}"[:_REASON])
    counting = blocking(result.failures, before)
    if counting == (failures.NO_TESTS,) and taking_baseline:
        counting = ()  # a project without tests yet (O18)
    red = bool(counting) or bool(result.obstacle)
    return Gate(
        name=plan.name,
        kind=plan.kind,
        status=GateStatus.FAILED if red else GateStatus.PASSED,
        command=plan.command,
        reason=_why_failed(plan, result, counting, before) if red else _why_passed(result),
        excerpt=result.excerpt if red else "",
        seconds=result.seconds,
        failures=(f"cannot run: {normalise(result.obstacle)}",) if result.obstacle else counting,
        counts=result.counts,
        environment=bool(result.obstacle),
    )


def red_as_before(gate: Gate) -> bool:
    """Say whether a check passed although it is red, since it was so when the run began (O18)."""
    return gate.status is GateStatus.PASSED and OF_THE_BASELINE in gate.reason


def not_run(plan: CheckPlan, reason: str) -> Gate:
    """Return the gate of a check that was not tried: it proves nothing."""
    return Gate(name=plan.name, kind=plan.kind, status=GateStatus.NOT_RUN, command=plan.command, reason=reason)


def _why_passed(result: CheckResult) -> str:
    remaining = len(result.failures.keys)
    if not remaining:
        return "passed"
    if result.failures.keys == (failures.NO_TESTS,):
        return "passed (no tests yet)"
    return f"passed ({remaining} failure{'s remain' if remaining > 1 else ' remains'} {OF_THE_BASELINE})"


def _why_failed(plan: CheckPlan, result: CheckResult, counting: Sequence[str], before: Failures | None) -> str:
    if result.obstacle:
        return result.obstacle[:_REASON]
    if counting == (failures.TIMEOUT,):
        return f"timeout after {plan.timeout:g} s"
    code = result.failures.exit_code
    if counting == (f"exit {code}",):
        return counting[0]
    new = "" if before is None else "new "
    many = f"{len(counting)} {new}failure{'s' if len(counting) > 1 else ''}"
    more = ", …" if len(counting) > _NAMED else ""
    words = f"exit {code}: {many}" if code is not None else many
    return f"{words}: {', '.join(counting[:_NAMED])}{more}"[:_REASON]
