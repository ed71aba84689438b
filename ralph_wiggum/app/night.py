"""The loop: one task after the other until nothing can be selected or the person's limits are reached (O10-O12)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, timedelta

from ralph_wiggum.app.attendant import tend
from ralph_wiggum.app.briefing import Briefing
from ralph_wiggum.app.crew import Crew
from ralph_wiggum.app.gates import Gates
from ralph_wiggum.app.iteration import Iteration
from ralph_wiggum.app.ledger import Ledger
from ralph_wiggum.app.mending import Mending
from ralph_wiggum.app.order import PROBE_SECONDS, Order, Ports
from ralph_wiggum.app.outcome import Outcome, asked_for, finished, one_task_done, open_end, spent
from ralph_wiggum.app.pauses import Pauses
from ralph_wiggum.app.settle import Settling
from ralph_wiggum.app.weather import PAGES, Weather
from ralph_wiggum.core import fingerprint
from ralph_wiggum.core.decide import Complete, Decision, End, Leave, Policy, Retry, Skip, decide, give_up
from ralph_wiggum.core.errors import Exit
from ralph_wiggum.core.evidence import FailureKind, Gate
from ralph_wiggum.core.journal import Deferred, Ended, Reopened
from ralph_wiggum.core.model import IN_PROGRESS, OPEN, PURE_CHECKPOINT, Plan, Task
from ralph_wiggum.core.provider.roster import Use, outlasts
from ralph_wiggum.core.run_words import clock_words
from ralph_wiggum.core.select import Close, Finished, Work, select
from ralph_wiggum.core.visual.obstacle import earlier_siblings, obstacle
from ralph_wiggum.core.visual.wanted import brings_the_tool, is_pure_validation
from ralph_wiggum.ports import Agent

PATIENCE_OF_ONE_TASK = timedelta(minutes=15)  # of ralph-next, before which a person sits


class Night:
    """A run over one spec. Every step is announced in the ledger before it is taken."""

    def __init__(
        self,
        ports: Ports,
        ledger: Ledger,
        order: Order,
        briefing: Briefing,
        jitter: Callable[[], float] = lambda: 0.5,
    ) -> None:
        self._ports = ports
        self._ledger = ledger
        self._order = order
        self._settling = Settling(ports, ledger, order)
        self._pauses = Pauses(
            ports,
            ledger,
            order,
            obey=lambda: self._obey_skips(ports.spec.plan()),
            idle=lambda: isinstance(self._select(ports.spec.plan()), Finished),
        )
        self.crew = Crew(ports, ledger, order, self._pauses, jitter)
        self.iteration = Iteration(ports, ledger, order, briefing, self.crew, self._settling.skip_meanwhile)
        self.mending = Mending(ports, ledger, self._settling)
        self.weather = Weather(ports, ledger, order, self._pauses)
        self._gates = Gates(ports, ledger, order, self.iteration.proving, self._settling, self.weather)
        self._shortages = 0  # pauses in a row, because the machine was short of something
        self._ending: Outcome | None = None
        self._at = ""  # the key of the task that was worked on last
        self._aside: dict[str, str] = {}  # tasks on which a bug of ours struck, and what to say of it
        self._worked = ""  # the key of the task that one_task has worked on

    def step(self) -> Outcome | None:
        """Take one step: one attempt, one tick, one skip. Returns how the run ended once it has."""
        if (ended := self.iteration.judge_again()) is not None:
            self._after_attempt(self._ports.spec.plan(), ended)
        plan = self.mending.current_plan()
        self._obey_skips(plan)
        tend(self._ports, self._ledger)
        plan = self._ports.spec.plan()
        self._ports.view.progress(plan, self._ledger.history)
        if outcome := self._ending or asked_for(self._ports, self._ledger.history, self._order, plan):
            return outcome
        choice = self._select(plan)
        match choice:
            case Finished():
                return one_task_done(plan.task(self._worked)) if self._worked else finished(choice)
            case Work(task=task) | Close(task=task):
                work = isinstance(choice, Work) or self._order.has_gate(task)  # others are ticked, which is no work
                if self._worked and work and task.key != self._worked:
                    return one_task_done(plan.task(self._worked))
                if task.key in self._aside:
                    return Outcome(code=Exit.OPEN_TASKS, state="Stopped", reason=self._aside[task.key])
                if work and self._short():
                    return None
                self._at = task.key
                if work and self._order.one_task:
                    self._worked = task.key
                (self._work if isinstance(choice, Work) else self._close)(plan, task)
        return None

    def _select(self, plan: Plan) -> Work | Close | Finished:
        return select(plan, optional=self._order.optional, queued=self._order.queued, deferred=self._deferred())

    def set_aside(self, reason: str) -> None:
        """Leave the task at hand alone for this run: a bug of ours strikes on it again and again (O12)."""
        if self._at and self._at not in self._aside:
            self._aside[self._at] = f"{self._at} is left open because of a bug in ralph: {reason}"
            self.iteration.abandon(reason)
            self._ledger.record(Deferred(key=self._at, reason=self._aside[self._at]))
            self._ledger.note(self._aside[self._at], key=self._at)

    def _deferred(self) -> frozenset[str]:
        deferred = (key for key, record in self._ledger.history.tasks.items() if record.deferred)
        return frozenset((*deferred, *self._aside))

    def _obey_skips(self, plan: Plan) -> None:
        """Carry out what ralph-skip asked for while the loop was busy (O17, O38)."""
        self._ledger.poll()
        for asked in tuple(self._ledger.history.asked.values()):
            if asked.key in plan.by_key and not plan.task(asked.key).done:
                self._settling.skip(plan.task(asked.key), asked.reason, by="person")
            else:
                self._ledger.history.asked.pop(asked.key, None)

    # --- parents, checkpoints, leaves

    def _close(self, plan: Plan, task: Task) -> None:
        """Tick a parent whose required sub-tasks are complete; a checkpoint or visual one passes its gate first."""
        if self._order.has_gate(task):
            self._pass_gate(plan, task, leaf=False)
            return
        self._settling.complete_without_agent(task, "parent", (), verified=True)

    def _work(self, plan: Plan, task: Task) -> None:
        if self._ledger.history.of(task.key).deferred:
            self._ledger.record(Reopened(key=task.key, by="runner", reason="all else is done: once more"))
        if task.checkpoint == PURE_CHECKPOINT and self._order.checkpoints:
            self._pass_gate(plan, task, leaf=True)
            return
        if missing := self._missing(plan, task):
            self._after_attempt(plan, self.iteration.cannot_look(task, missing))
        elif self._looks_first(task):
            self._after_attempt(plan, self.iteration.look_alone(task))
            return
        self._follow(plan, task, self._decide(task, self._order.policy))

    def _decide(self, task: Task, policy: Policy) -> Decision:
        """Decide from the attempts; what four waits did not bring back is not tried ten times for every task (O37)."""
        attempts = self._attempts(task, policy)
        last = attempts[-1] if attempts else None
        if last is not None and last.kind in PAGES and self.weather.is_climate(last.fingerprint):
            return give_up(f"waiting did not help: {last.reason}", policy, for_good=True)
        return decide(attempts, policy)

    def _follow(
        self, plan: Plan, task: Task, decision: Decision, gates: tuple[Gate, ...] = (), *, leaf: bool = True
    ) -> None:
        """Carry out what was decided for a task; `gates` are those that an agent is asked to mend."""
        match decision:
            case Retry() as retry:
                if (agent := self._agent(plan, task)) is not None:
                    self._after_attempt(plan, self.iteration.run(plan, task, retry, agent, blocked=gates, leaf=leaf))
            case Complete():
                self._complete(task)
            case Skip(reason=reason):
                self._skip(task, reason)
            case Leave(reason=reason, for_good=for_good):
                self._leave(task, reason, for_good=for_good)
            case End(reason=reason):
                self._ending = Outcome(code=Exit.OPEN_TASKS, state="Stopped", reason=f"{task.label}: {reason}")

    def _attempts(self, task: Task, policy: Policy) -> tuple[Ended, ...]:
        """Return the attempts that count for this run: all of the task's, but only this run's own for ralph-next.

        Where an earlier run came to its end over the task, as the settings say, this one tries it anew: the person
        who starts it again wants more than the same word at once.
        """
        run = self._order.run_id
        attempts = tuple(
            ended if ended.run == run else ended._replace(hopeless=False)  # what was missing then may be there now
            for ended in self._ledger.history.of(task.key).attempts
        )
        own = tuple(ended for ended in attempts if ended.run == run)
        if self._order.one_task:
            return own
        before = tuple(ended for ended in attempts if ended.run != self._order.run_id)
        ends = policy.on_give_up == "end" or (self._order.is_checkpoint(task) and self._order.end_at_failed_checkpoint)
        return own if ends and isinstance(decide(before, policy), (Skip, End)) else attempts

    def _missing(self, plan: Plan, task: Task) -> str:
        """Return what a visual task cannot be looked at without; "" where an agent may be about to bring it."""
        if not self._order.looks_at(task):
            return ""
        unclear = obstacle(task, earlier_siblings(plan, task), pages=self._order.pages)
        return unclear or ("" if brings_the_tool(task) else self._ports.validator.missing)

    def _looks_first(self, task: Task) -> bool:
        """Say whether the pages are looked at before an agent is asked: once a run, where nothing else is wanted."""
        if not self._order.looks_at(task) or not is_pure_validation(task):
            return False
        record = self._ledger.history.of(task.key)
        return record.passed is None and not any(ended.run == self._order.run_id for ended in record.attempts)

    def _agent(self, plan: Plan, task: Task) -> Agent | None:
        """Return who is to be asked now; None where the run is to end, or has waited and is to look anew (B1)."""
        self._ending = spent(self._ports, self._ledger.history, self._order, plan)
        if self._ending is not None:
            return None
        choice = self.crew.choice(len(self._ledger.history.of(task.key).tried))
        if isinstance(choice, Use):
            return self.crew.agent(choice)
        now = self._ports.clock.now()
        words = f"{self.crew.reason(choice)}, until {clock_words(choice.until, now)}"
        if outlasts(choice.until, self._order.until):
            self._ending = open_end(plan, self._order, f"{words}, which is past --until")
        elif self._order.one_task and choice.until.astimezone(UTC) - now.astimezone(UTC) > PATIENCE_OF_ONE_TASK:
            self._ending = open_end(plan, self._order, f"{words}; ralph-next waits for minutes, not for hours", "Idle")
        else:
            self.crew.wait(choice, self._needs_no_agent)
        return None

    def _needs_no_agent(self) -> bool:
        """Say whether the next step, after an edit or a skip by a person, is one for which nobody has to be waited."""
        choice = self._select(self._ports.spec.plan())
        if isinstance(choice, Finished):
            return True
        if choice.task.key == self._at:
            return False
        gate = choice.task.checkpoint == PURE_CHECKPOINT and self._order.checkpoints
        return isinstance(choice, Close) or gate or self._looks_first(choice.task)

    def _short(self) -> bool:
        """Wait where the machine is short of something (B7); say whether it was."""
        reason = self._ports.machine.shortage()
        if not reason:
            self._shortages = 0
            return False
        seconds = PROBE_SECONDS[min(self._shortages, len(PROBE_SECONDS) - 1)]
        self._shortages += 1
        until = self._ports.clock.now() + timedelta(seconds=seconds)
        self._pauses.wait(reason, until, lambda: not self._ports.machine.shortage())
        return True

    def _after_attempt(self, plan: Plan, ended: Ended) -> None:
        if self.weather.is_bad(ended):
            if not self._put_off(ended):
                self._ride_out(ended)
        elif ended.result == "passed" and ended.key in plan.by_key:
            self._complete(plan.task(ended.key))
        elif ended.kind == FailureKind.DISK.value and ended.key in plan.by_key:
            self._settling.put_back(plan.task(ended.key))  # what it wrote may be what fills the disk

    def _complete(self, task: Task) -> None:
        ended = self._ledger.history.of(task.key).passed
        if ended is not None:
            self._settling.complete(task, ended)
            self.weather.cleared(visual=self._order.looks_at(task))
            self._after_checkpoint(task)

    def _skip(self, task: Task, reason: str) -> None:
        if self._order.is_checkpoint(task) and self._order.end_at_failed_checkpoint:
            text = f"the checkpoint {task.label} could not be passed: {reason}"
            self._ending = Outcome(code=Exit.OPEN_TASKS, state="Stopped at Checkpoint", reason=text)
            return
        ask = self._order.ask_before_skip
        if ask is not None and not ask(task, reason):
            words = "asked to try again instead of a skip"
            self._ledger.record(Reopened(key=task.key, by="person", reason=words, goes_on=True))
            return
        counted = self._ledger.history.of(task.key).counted
        last = counted[-1] if counted else None
        red = [gate for gate in self._settling.skip(task, reason) if gate.failed]
        self.weather.given_up(last, still_red=fingerprint.of_gates(red) if red else "")
        self._after_checkpoint(task)

    def _leave(self, task: Task, reason: str, *, for_good: bool) -> None:
        """Put the tree back, leave the task open, come back to it last (skip_on_stagnation: false)."""
        self._settling.put_back(task)
        self._ports.spec.write(task.key, OPEN)
        self._ledger.record(Deferred(key=task.key, reason=reason))
        if for_good:
            self._aside[task.key] = f"{task.label} is left open: {reason}"

    def _put_off(self, ended: Ended) -> bool:
        """Put the visual tasks off until all else is done, where a server or the browser fails them; say whether.

        Waiting for it holds up nobody then (O12, O23).
        """
        plan = self._ports.spec.plan()
        waiting = frozenset(task.key for task in plan.tasks if not task.done and self._order.looks_at(task))
        rest = select(
            plan, optional=self._order.optional, queued=self._order.queued, deferred=self._deferred() | waiting
        )
        others = not isinstance(rest, Finished) and rest.task.key not in waiting | self._deferred()
        if ended.kind not in PAGES or self._order.one_task or not others:
            return False
        self._give_back(ended)
        reason = f"put off until all else is done: {ended.reason}"
        for key in waiting:
            if plan.task(key).mark in (OPEN, IN_PROGRESS) or key in self.weather.blamed(ended):
                self._ledger.record(Deferred(key=key, reason=reason))
        self._ledger.note(f"visual tasks are {reason}")
        self._ports.view.note(f"visual tasks are {reason}")
        self.weather.put_off(ended)
        return True

    def _ride_out(self, ended: Ended) -> None:
        """Two tasks in a row failed in the same way that is not theirs: give both back and wait (O37)."""
        self._give_back(ended)
        self.weather.wait_out(ended)

    def _give_back(self, ended: Ended) -> None:
        plan = self._ports.spec.plan()
        if ended.key in plan.by_key:
            self._settling.put_back(plan.task(ended.key))
        self.iteration.last_round(ended.key)  # the tree was put back, and the weather may change
        for key in self.weather.blamed(ended):
            if key in plan.by_key:
                self._ports.spec.write(key, OPEN)
            self._ledger.record(Reopened(key=key, by="runner", reason=f"not the task's fault: {ended.reason}"))

    def _pass_gate(self, plan: Plan, task: Task, *, leaf: bool) -> None:
        """Run all checks of a checkpoint and look at the pages of what is visual; tick if all is well (O19, O25).

        Else an agent is asked to mend what failed, up to ten times.
        """
        if self._ledger.history.of(task.key).passed is not None:
            self._complete(task)
            return
        proof = self.iteration.last_round(task.key) or self._gates.prove(task)
        if self._ports.interrupted() or proof.stopped:
            return
        failed = tuple(gate for gate in proof.gates if gate.failed)
        if failed:
            decision = self._gates.blocked(task, failed, self._attempts(task, self._gates.policy))
            self._follow(plan, task, decision, failed, leaf=leaf)
            return
        self._gates.passed(task, proof)
        self.weather.cleared(visual=self._order.looks_at(task))
        self._after_checkpoint(task)

    def _after_checkpoint(self, task: Task) -> None:
        """End the run after a checkpoint, passed or skipped, if that was asked for (O10); others change nothing."""
        if self._order.is_checkpoint(task) and self._order.pause_at_checkpoint:
            plan = self._ports.spec.plan()
            self._ending = open_end(plan, self._order, f"paused after {task.label}", "Paused at Checkpoint")
