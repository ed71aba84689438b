"""How a run ends: in what order the reasons count, and what is said of them (O10; design, part 2: exit codes)."""

from __future__ import annotations

from dataclasses import dataclass

from ralph_wiggum.app.order import Order, Ports
from ralph_wiggum.core.ends import agent_runs, too_expensive, too_late
from ralph_wiggum.core.errors import Exit
from ralph_wiggum.core.history import History
from ralph_wiggum.core.model import Plan, Task
from ralph_wiggum.core.select import Finished, select

STOPPED_BY_WISH = "stopped by `ralph stop`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended: its exit code, a word for the status, a sentence for the person."""

    code: Exit
    state: str
    reason: str


def by_signal(signal: str) -> Outcome:
    """Return the end by a signal that asked for it."""
    code = Exit.INTERRUPTED if signal == "SIGINT" else Exit.TERMINATED
    return Outcome(code=code, state="Stopped", reason=f"stopped by {signal}")


def asked_for(ports: Ports, history: History, order: Order, plan: Plan) -> Outcome | None:
    """Return the end that somebody asked for, if its moment has come: a signal, `ralph stop`, `--until`."""
    if signal := ports.interrupted():
        return by_signal(signal)
    if history.stop is not None:
        return open_end(plan, order, STOPPED_BY_WISH)
    if order.until is not None and ports.clock.now() >= order.until:
        return open_end(plan, order, too_late(order.until, ports.clock.now(), ()))
    return None


def spent(ports: Ports, history: History, order: Order, plan: Plan) -> Outcome | None:
    """Return the end of a run that may not begin another attempt: iterations, time or money are used up."""
    if history.iterations >= order.max_iterations:
        return open_end(plan, order, f"the limit of {_agent_runs(order.max_iterations)} is reached")
    attempts = agent_runs(history)
    late = too_late(order.until, ports.clock.now(), attempts)
    reason = late or too_expensive(order.max_cost, history.cost, attempts, [seconds for _, seconds in history.untold])
    return open_end(plan, order, reason) if reason else None


def open_end(plan: Plan, order: Order, reason: str, state: str = "Stopped") -> Outcome:
    """End with tasks open, unless the plan is complete all the same."""
    choice = select(plan, optional=order.optional, queued=order.queued)
    if isinstance(choice, Finished):
        return finished(choice)
    return Outcome(code=Exit.OPEN_TASKS, state=state, reason=reason)


def finished(choice: Finished) -> Outcome:
    """Return the end of a run that can select nothing more."""
    if choice.open_required or choice.queued:
        what = f"{_tasks(choice.queued)} queued" if choice.queued else f"{_tasks(choice.open_required)} left open"
        return Outcome(code=Exit.OPEN_TASKS, state="Stopped", reason=f"nothing more can be selected; {what}")
    if choice.skipped:
        reason = f"nothing is left to do; {_tasks(choice.skipped)} skipped"
        return Outcome(code=Exit.SOME_SKIPPED, state="Complete", reason=reason)
    reason = "every required task is complete" if choice.completed else "no task is required; optional: --optional"
    return Outcome(code=Exit.DONE, state="Complete", reason=reason)


def one_task_done(task: Task) -> Outcome:
    """Return the end of ralph-next, which worked on this task."""
    if task.done:
        return Outcome(code=Exit.DONE, state="Idle", reason=f"{task.label} is complete")
    if task.mark == "S":
        return Outcome(code=Exit.SOME_SKIPPED, state="Idle", reason=f"{task.label} was skipped")
    return Outcome(code=Exit.OPEN_TASKS, state="Idle", reason=f"{task.label} is still open")


def _agent_runs(number: int) -> str:
    return "1 agent run" if number == 1 else f"{number} agent runs"


def _tasks(number: int) -> str:
    return "1 task" if number == 1 else f"{number} tasks"
