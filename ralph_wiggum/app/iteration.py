"""One attempt, in one direction: prompt, agent, what changed, checks, verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ralph_wiggum.app.attempt_record import EXCERPT_BYTES, Seen, Used, describe, with_usage, with_verdict
from ralph_wiggum.app.attendant import Attendant
from ralph_wiggum.app.briefing import Briefing
from ralph_wiggum.app.crew import Crew
from ralph_wiggum.app.ledger import Ledger
from ralph_wiggum.app.order import Order, Ports
from ralph_wiggum.app.proving import Proof, Proving, seen_gates
from ralph_wiggum.core import costs, sessions, signals
from ralph_wiggum.core.cut_off import interrupted
from ralph_wiggum.core.decide import Retry
from ralph_wiggum.core.evidence import (
    AgentOutcome,
    Ending,
    FailureKind,
    Gate,
    GateStatus,
    Interrupted,
    Verdict,
)
from ralph_wiggum.core.history import Session
from ralph_wiggum.core.journal import Ended, Started
from ralph_wiggum.core.judge import Evidence, by_gates_alone, judge, worth_checking
from ralph_wiggum.core.keys import file_name
from ralph_wiggum.core.model import WORKING_CHECKPOINT, Plan, Task
from ralph_wiggum.core.spent import Spent
from ralph_wiggum.core.visual.wanted import is_pure_validation
from ralph_wiggum.ports import Agent, AgentRequest, Limits, Snapshot

LEAST_COST = 0.01  # US dollars that an attempt may cost at least: 0 would mean no limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Unjudged:
    """An attempt whose agent has ended and whose end is not in the journal yet."""

    task: Task
    started: Started
    before: Snapshot
    outcome: AgentOutcome
    fix_round: bool


class Iteration:
    """Runs attempts. Everything it decides is in core; everything it touches is behind a port."""

    def __init__(
        self,
        ports: Ports,
        ledger: Ledger,
        order: Order,
        briefing: Briefing,
        crew: Crew,
        skip_others: Callable[[str], None],
    ) -> None:
        self._ports = ports
        self._ledger = ledger
        self._crew = crew
        self._order = order
        self._briefing = briefing
        self._skip_others = skip_others
        self.proving = Proving(ports, ledger, order, self.attendant)
        self._unjudged: Unjudged | None = None
        self._round: tuple[str, Proof] = ("", Proof())  # key and gates of the last fix round

    def run(
        self, plan: Plan, task: Task, retry: Retry, agent: Agent, *, blocked: Sequence[Gate] = (), leaf: bool = True
    ) -> Ended:
        """Run one attempt at a task and return how it ended; both ends are in the journal.

        `blocked` are the failed gates of a checkpoint: then the agent is asked to mend those, and they alone decide.
        """
        before = self._ports.repo.snapshot(recent=not self.proving.may_have_written)
        self.proving.may_have_written = False
        if leaf and task.mark != "-":
            plan = self._ports.spec.write(task.key, "-")
        self._ports.spec.hold()
        session = self._session(plan, task, agent.name)
        started = self._start(task, retry, before, agent.name, fix_round=bool(blocked), session=session)
        self._ports.view.started(task, started, self._order)
        if self._order.looks_at(task):
            self.proving.bring_up_servers(task, before)
        if reason := self.attendant(task.key).stop_reason():
            outcome = AgentOutcome(ending=Ending.STOPPED, error=reason)
        else:
            outcome = agent.run(self._request(plan, task, started, retry, blocked), self.attendant(task.key))
        self.proving.files_changed()
        left = Unjudged(task=task, started=started, before=before, outcome=outcome, fix_round=bool(blocked))
        return self._judge(left)

    def look_alone(self, task: Task) -> Ended:
        """Look at the pages of a task that asks for nothing else, before any agent is paid for it (O25).

        Its end is in the journal, as that of an attempt without an agent.
        """
        began = self._ports.clock.monotonic()
        here = self._ports.repo.snapshot()
        return self._without_agent(task, self.proving.prove(task, (), here, everything=False), here, began)

    def cannot_look(self, task: Task, missing: str) -> Ended:
        """Record that a task's pages cannot be looked at, and why: no agent is paid for what would be taken out."""
        gate = Gate(
            name="visual",
            kind=FailureKind.VISUAL.value,
            status=GateStatus.FAILED,
            reason=missing,
            failures=(missing,),
            hopeless=True,
        )
        self.proving.show((gate,))
        return self._without_agent(
            task, Proof(gates=(gate,)), self._ports.repo.snapshot(), self._ports.clock.monotonic()
        )

    def abandon(self, reason: str) -> None:
        """Close the attempt that cannot be judged, because something of ours fails at it again and again."""
        left, self._unjudged = self._unjudged, None
        if left is not None:
            used = self._usage(left.started, left.outcome)  # it was paid for all the same
            self._ledger.record(with_usage(interrupted(left.started, reason), used))

    def _without_agent(self, task: Task, proof: Proof, here: Snapshot, began: float) -> Ended:
        verdict: Verdict = by_gates_alone(proof.gates)
        if reason := self.attendant(task.key).stop_reason():
            verdict = Interrupted(reason=reason)
        failed = next((gate for gate in proof.gates if gate.failed), None)
        looked = Ended(
            key=task.key,
            id=task.id,
            name=task.name,
            attempt=0,
            how="validation",
            strategy="look",
            seconds=round(self._ports.clock.monotonic() - began, 3),
            excerpt=failed.excerpt[-EXCERPT_BYTES:] if failed else "",
            failing=failed.command if failed else "",
            gates=seen_gates(proof.gates),
            notes=proof.notes,
            after=here.tree,
            after_large=dict(here.large),
        )
        ended = with_verdict(looked, verdict)
        self._ledger.record(ended)
        self._ports.view.ended(task, ended)
        return ended

    def judge_again(self) -> Ended | None:
        """Judge the attempt whose agent has ended, if there is one that is not judged yet.

        When something of ours failed at it (a full disk, git), the agent's work is not paid for twice: the next step
        of the loop comes here first.
        """
        return None if self._unjudged is None else self._judge(self._unjudged)

    def last_round(self, key: str) -> Proof | None:
        """Return, once, the gates that just ended a fix round of this checkpoint; None where none ran (O18: reuse)."""
        (of, proof), self._round = self._round, ("", Proof())
        return proof if of == key and proof.gates else None

    def _judge(self, left: Unjudged) -> Ended:
        self._unjudged = left
        seen = self._look(left.task, left.started, left.before, left.outcome, fix_round=left.fix_round)
        ended = describe(left.task, left.started, seen, self._usage(left.started, left.outcome))
        self._ledger.record(ended)
        self._unjudged = None
        self._round = (left.task.key, Proof(gates=seen.gates)) if left.fix_round else ("", Proof())
        self._ports.view.ended(left.task, ended)
        self._crew.heard(left.started.agent, seen.diagnosis)
        return ended

    def _session(self, plan: Plan, task: Task, agent: str) -> str:
        """Return the session that the attempt goes on with, "" for a fresh one (O11)."""
        if agent not in self._order.resumes:
            return ""
        history = self._ledger.history
        record = history.of(task.key)
        passed = plan.by_key.get(history.passed.key)
        anew = passed is None or self._order.is_checkpoint(plan.tasks[passed])
        return sessions.to_resume(
            () if record.settled else record.attempts,
            Session() if anew else history.passed,
            agent,
            retry_session=self._order.retry_session,
            continuous=self._order.continuous,
            tried=0 if record.settled else len(record.tried),
        )

    def _usage(self, started: Started, outcome: AgentOutcome) -> Used | None:
        """Return what the attempt itself used, and what that cost, as far as anybody can tell (T7)."""
        usage = outcome.usage
        if usage is None:
            return None
        if started.resumes and started.agent in self._order.whole_sessions:
            usage = costs.since(usage, self._ledger.history.sessions.get(outcome.session, Spent()))
        cost = costs.cost_of(usage, self._order.prices.get(started.agent))
        return Used(usage=usage, cost=cost, priced=cost is not None and cost != usage.cost)

    def _start(
        self, task: Task, retry: Retry, before: Snapshot, agent: str, *, fix_round: bool, session: str
    ) -> Started:
        record = self._ledger.history.of(task.key)
        fresh = record.settled or record.first is None
        base = before if fresh or record.first is None else _base(record.first)
        if fresh:
            self._ports.repo.keep("task", before)  # the one before it is settled and needs no holding any more
        started = Started(
            key=task.key,
            id=task.id,
            name=task.name,
            line=task.line,
            attempt=1 if record.settled else len(record.tried) + 1,
            iteration=self._ledger.history.iterations + 1,
            agent=agent,
            strategy=retry.strategy.value,
            timeout=retry.timeout,
            base=base.tree,
            large=dict(base.large),
            checkpoint=fix_round and bool(task.checkpoint),
            resumes=session,
        )
        self._ledger.record(started)
        return started

    def _request(self, plan: Plan, task: Task, started: Started, retry: Retry, blocked: Sequence[Gate]) -> AgentRequest:
        stem = f"{file_name(task.key)}-{started.attempt}"
        record = self._ledger.history.of(task.key)
        return AgentRequest(
            prompt=self._briefing.prompt(plan, task, record, retry, started, blocked),
            cwd=self._order.root,
            env={
                **dict(self._order.environment),
                "RALPH_SPEC": self._order.spec,
                "RALPH_TASK_ID": task.key,
                "RALPH_ATTEMPT": str(started.attempt),
                "RALPH_RUN_ID": self._order.run_id,
            },
            limits=self._limits(retry),
            log=self._order.runs / "logs" / f"{stem}.log",
            prompt_file=self._order.runs / "prompts" / f"{stem}.md",
            substitutions={
                "tasks_file": str(self._order.tasks_file),
                "activity_file": str(self._order.activity_file),
                "task": task.key,
            },
            files_token=self._ports.repo.files_token,
            session=started.resumes,
        )

    def _limits(self, retry: Retry) -> Limits:
        """Return the limits of an attempt: its money is what is left of that of the task and of the run."""
        order = self._order
        left = [retry.cost] if retry.cost else []
        left += [order.max_cost - self._ledger.history.cost] if order.max_cost is not None else []
        return replace(
            order.limits,
            task_seconds=retry.timeout,
            end_at=order.until.timestamp() if order.until else 0.0,
            cost=max(LEAST_COST, min(left)) if left else 0.0,
        )

    def attendant(self, key: str = "") -> Attendant:
        """Return who watches over the child processes of a task."""
        return Attendant(self._ports, self._ledger, key, self._skip_others)

    def _look(self, task: Task, started: Started, before: Snapshot, outcome: AgentOutcome, *, fix_round: bool) -> Seen:
        """Put back what only the runner may do, see what changed, run the checks if they can matter, judge."""
        repo = self._ports.repo
        notes = (*self._said(task, repo.mend(), repo.rescued), *self._protect(task))
        after = repo.snapshot()
        base = _base(started)
        said = signals.read(outcome.message)
        changes = () if after == base else repo.changes(base, after)
        looking = self._order.looks_at(task) and is_pure_validation(task)
        proof = Proof()
        anything = bool(changes) or said.no_change is not None or fix_round or looking
        if anything and worth_checking(outcome, said, fix_round=fix_round):
            proof = self.proving.prove(
                task, changes, after, everything=fix_round or task.checkpoint == WORKING_CHECKPOINT
            )
        evidence = Evidence(
            outcome=outcome,
            said=said,
            changed=bool(changes),
            progressed=after != before,
            gates=proof.gates,
            fix_round=fix_round,
            looking=looking,
        )
        diagnosis = self._crew.diagnose(started.agent, outcome, said, resumed=bool(started.resumes))
        verdict: Verdict = self._crew.verdict(started.agent, diagnosis) or judge(evidence)
        if reason := self.attendant(task.key).stop_reason():
            verdict = Interrupted(reason=reason)
        return Seen(
            outcome=outcome,
            diagnosis=diagnosis,
            said=said,
            base=base,
            after=after,
            changes=changes,
            gates=proof.gates,
            verdict=verdict,
            notes=(*notes, *proof.notes),
        )

    def _said(self, task: Task, words: tuple[str, ...], rescued: tuple[str, ...]) -> tuple[str, ...]:
        """Say what was put back because it was gone or broken, now and in the morning; return the other words (B10)."""
        for text in rescued:
            self._ledger.note(text, key=task.key)
            self._ports.view.note(text)
        return tuple(text for text in words if text not in rescued)

    def _protect(self, task: Task) -> tuple[str, ...]:
        """Undo what the attempt did to tasks.md; edits that stay are noted with their diff (O17)."""
        notes = self._said(task, self._ports.spec.protect(task.key), self._ports.spec.rescued)
        if diff := self._ports.spec.foreign_diff:
            text = f"tasks.md was edited while {task.label} was worked on; the edit stays and needs a look"
            self._ledger.note(text, key=task.key, detail=diff)
            self._ports.view.note(text)
        return notes


def _base(started: Started) -> Snapshot:
    return Snapshot(tree=started.base, large=started.large)
