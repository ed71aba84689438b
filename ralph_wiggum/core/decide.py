"""What comes next for a task, from how its attempts ended (O13-O15, O19). A pure function with a table of tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ralph_wiggum.core.journal import Ended
from ralph_wiggum.core.strategy import Strategy, strategy

MINUTES_FROM = 120.0  # seconds; below, a time is told in seconds
LONGEST_TIMEOUT = 1800.0  # O14: twice the time after a timeout with progress, up to this


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """When to go on and when to give up. Times in seconds, money in US dollars.

    `threshold` identical failures in a row, `max_attempts` in all, `max_seconds` and `max_cost` over all attempts (0:
    no limit of money); `timeout` is that of a first attempt. `on_give_up` is "skip", "leave" (skip_on_stagnation:
    false) or "end" (stop_on_failure).
    """

    threshold: int = 10
    max_attempts: int = 30
    max_seconds: float = 5400.0
    max_cost: float = 0.0
    timeout: float = 600.0
    on_give_up: str = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Complete:
    """The task is done: tick, commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Try again, this way, with this much time. `identical` is how often the same failure came in a row.

    `cost` is what is left of the money of the task, in US dollars; 0: no limit.
    """

    strategy: Strategy
    timeout: float
    identical: int = 0
    cost: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """Give the task up: patch, restore, `[S]`, on with the next."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """Give the task up for now: it stays open and comes back when all else is done; `for_good`: not in this run."""

    reason: str
    for_good: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """Give the run up, as the settings say."""

    reason: str


Decision = Complete | Retry | Skip | Leave | End


def identical_failures(attempts: Sequence[Ended]) -> int:
    """Return how many counted attempts at the end failed in the same way (O14).

    Interrupted attempts and looks that the runner took alone are no evidence either way. A timeout with progress is
    identical to nothing.
    """
    count = 0
    key = ""
    for ended in reversed([ended for ended in attempts if ended.result != "interrupted" and not ended.how]):
        if ended.result != "failed" or ended.progressed or (count and ended.fingerprint != key):
            break
        key = ended.fingerprint
        count += 1
    return count


def decide(attempts: Sequence[Ended], policy: Policy) -> Decision:
    """Choose the next step of a task from its attempts, oldest first (none: the first attempt)."""
    counted = [ended for ended in attempts if ended.result != "interrupted"]
    if counted and counted[-1].result == "passed":
        return Complete()
    if counted and counted[-1].hopeless:
        return give_up(f"no attempt can change it: {counted[-1].reason}", policy, for_good=True)
    counted = [ended for ended in counted if not ended.how]  # a look that the runner took alone is no attempt
    if reason := _too_expensive(attempts, policy):
        return give_up(reason, policy, for_good=True)  # what comes back begins anew, and spends as much again
    left = policy.max_cost - _cost(attempts) if policy.max_cost else 0.0
    if not counted:
        return Retry(strategy=Strategy.FIRST, timeout=policy.timeout, cost=left)
    identical = identical_failures(counted)
    reason = _out_of_attempts(counted, identical, policy)
    if reason:
        return give_up(reason, policy)
    last_chance = identical + 1 >= policy.threshold or len(counted) + 1 >= policy.max_attempts
    return Retry(
        strategy=strategy(identical, last=last_chance),
        timeout=_next_timeout(counted[-1], policy),
        identical=identical,
        cost=left,
    )


def _out_of_attempts(counted: Sequence[Ended], identical: int, policy: Policy) -> str:
    spent = sum(ended.seconds for ended in counted)
    if identical >= policy.threshold:
        return f"{identical} identical failures: {counted[-1].reason}"
    if len(counted) >= policy.max_attempts:
        return f"{len(counted)} attempts without success, the last: {counted[-1].reason}"
    if spent >= policy.max_seconds:
        long = f"{spent / 60:.0f} minutes" if spent >= MINUTES_FROM else f"{spent:.0f} s"
        return f"{long} without success, the last: {counted[-1].reason}"
    return ""


def _too_expensive(attempts: Sequence[Ended], policy: Policy) -> str:
    """Return why the task costs too much, by all that was paid for it, interrupted attempts too."""
    spent = _cost(attempts)
    if not policy.max_cost or spent < policy.max_cost:
        return ""
    last = f", the last: {attempts[-1].reason}" if attempts[-1].reason else ""
    return f"${spent:.2f} without success, of the ${policy.max_cost:.2f} of max_task_cost{last}"


def _cost(attempts: Sequence[Ended]) -> float:
    return sum(max(0.0, ended.cost) for ended in attempts)


def give_up(reason: str, policy: Policy, *, for_good: bool = False) -> Skip | Leave | End:
    """Return what the settings want done with a task that cannot be done; `for_good`: nor later in this run."""
    match policy.on_give_up:
        case "end":
            return End(reason=reason)
        case "leave":
            return Leave(reason=reason, for_good=for_good)
        case _:
            return Skip(reason=reason)


def _next_timeout(last: Ended, policy: Policy) -> float:
    """Twice the time after a timeout with progress, else as at first."""
    if not last.progressed:
        return policy.timeout
    return max(policy.timeout, min(last.timeout * 2, LONGEST_TIMEOUT))
