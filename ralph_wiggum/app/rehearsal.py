"""`--dry-run`: plan, agent, checks with their baseline, the first prompt. Changes nothing and spends nothing."""

from __future__ import annotations

from collections.abc import Iterator

from ralph_wiggum.app.attendant import Attendant
from ralph_wiggum.app.briefing import Briefing
from ralph_wiggum.app.ledger import Ledger
from ralph_wiggum.app.order import Order, Ports
from ralph_wiggum.core.decide import Retry, decide
from ralph_wiggum.core.ends import wanted_end
from ralph_wiggum.core.evidence import Gate
from ralph_wiggum.core.journal import Started
from ralph_wiggum.core.model import PURE_CHECKPOINT, Plan, Task
from ralph_wiggum.core.select import Close, Work, select
from ralph_wiggum.core.visual.wanted import is_pure_validation


def rehearse(ports: Ports, ledger: Ledger, order: Order, briefing: Briefing) -> Iterator[str]:
    """Yield the lines of a dry run. The checks are run for real, since their baseline is part of the answer."""
    ledger.load()
    plan = ports.spec.plan()
    yield from _overview(plan, order)
    if end := wanted_end(order.until, order.max_cost, ports.clock.now()):
        yield end
    yield from order.unkept
    yield from _in_order(plan, order)
    yield from _pages(plan, ports, order)
    yield from _checks(ports, ledger)
    yield from _prompt(plan, ledger, order, briefing)


def _overview(plan: Plan, order: Order) -> Iterator[str]:
    leaves = [plan.tasks[index] for index in sorted(plan.required_leaves)]
    done = sum(task.done for task in leaves)
    yield f"spec {order.spec}: {done} of {len(leaves)} required tasks complete ({order.tasks_path})"
    yield f"agent {order.agent}, at most {order.max_iterations} runs, {order.policy.timeout:.0f} s an attempt"
    for warned in plan.warnings:
        yield f"warning: {order.tasks_path}:{warned.line}: {warned.message}"


def _in_order(plan: Plan, order: Order) -> Iterator[str]:
    """Yield the tasks in the order in which they would be worked on, if each succeeded."""
    yield ""
    yield "what would be done, in this order:"
    while isinstance(choice := select(plan, optional=order.optional, queued=order.queued), (Work, Close)):
        if isinstance(choice, Work):
            yield f"  {choice.task.label} ({_how(choice.task, order)}, line {choice.task.line})"
        plan = plan.with_mark(choice.task.key, "x")


def _how(task: Task, order: Order) -> str:
    if task.checkpoint == PURE_CHECKPOINT and order.checkpoints:
        return "checkpoint: the checks alone"
    if order.looks_at(task):
        return "looked at first, then agent" if is_pure_validation(task) else "agent, then looked at"
    return "agent"


def _pages(plan: Plan, ports: Ports, order: Order) -> Iterator[str]:
    """Yield what looking at pages would need, without starting any of it."""
    if not any(order.looks_at(task) and not task.done for task in plan.tasks):
        return
    yield ""
    servers = [f"{each.name} ({each.wanted})" if each.wanted else each.name for each in ports.servers.standings]
    yield f"servers that would be up for visual tasks: {', '.join(servers) or 'none are configured'}"
    if missing := ports.validator.missing:
        yield f"visual tasks could not be looked at, and would be skipped: {missing}"


def _checks(ports: Ports, ledger: Ledger) -> Iterator[str]:
    yield ""
    if not ports.checks.plans:
        yield "checks: none are configured or found; tasks would be unverified"
        return
    yield "checks, as they stand now:"
    attendant = Attendant(ports, ledger)
    for gate in ports.checks.baseline("", attendant):
        yield f"  {_result(gate)}  {gate.command}  ({gate.seconds:.1f} s)"


def _result(gate: Gate) -> str:
    return f"{gate.status.value}: {gate.reason}" if gate.reason else gate.status.value


def _prompt(plan: Plan, ledger: Ledger, order: Order, briefing: Briefing) -> Iterator[str]:
    choice = select(plan, optional=order.optional, queued=order.queued)
    if not isinstance(choice, Work):
        return
    record = ledger.history.of(choice.task.key)
    retry = decide(record.attempts, order.policy)
    if not isinstance(retry, Retry):
        return
    yield ""
    yield f"the first prompt, for {choice.task.label}:"
    yield "-" * 72
    yield briefing.prompt(plan, choice.task, record, retry, Started(key=choice.task.key), ())
    yield "-" * 72
