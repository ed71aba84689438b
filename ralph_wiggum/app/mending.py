"""What a start mends after the last run, and what a person's edits of tasks.md mean while a run goes on."""

from __future__ import annotations

from ralph_wiggum.app.ledger import Ledger
from ralph_wiggum.app.order import Ports
from ralph_wiggum.app.settle import Settling
from ralph_wiggum.core.cut_off import interrupted
from ralph_wiggum.core.journal import Renumbered, Reopened
from ralph_wiggum.core.model import Plan
from ralph_wiggum.core.reconcile import Mend, Step, reconcile
from ralph_wiggum.core.renumbered import renumbered


class Mending:
    """Carries out what `reconcile` finds."""

    def __init__(self, ports: Ports, ledger: Ledger, settling: Settling) -> None:
        self._ports = ports
        self._ledger = ledger
        self._settling = settling
        self._seen: Plan | None = None
        self._distrusted = False

    def begin(self) -> tuple[str, ...]:
        """Mend what the last run left half done; return words for the person, one a thing.

        An attempt without an end was cut off: what its agent did to tasks.md is undone first (O17), then the attempt
        is closed as interrupted, which counts as nothing.
        """
        words: list[str] = []
        for key, record in tuple(self._ledger.history.tasks.items()):
            if record.open is not None:
                undone = (*self._ports.repo.mend(), *self._ports.spec.protect(key))
                for text in undone:
                    self._ledger.note(text, key=key)
                words.extend(undone)
        words.extend(self._renumber(self._ports.spec.plan(), self._ports.spec.held_plan()))
        steps = reconcile(self._ports.spec.plan(), self._ledger.history)
        words.extend([self._carry_out(step) for step in steps])
        self._seen = self._ports.spec.plan()
        return tuple(word for word in words if word)

    def distrust(self) -> None:
        """Have the next `current_plan` look for what was left half done: a step of the loop failed."""
        self._distrusted = True

    def current_plan(self) -> Plan:
        """Return the plan as it is now; tasks that a person set back to `[ ]` begin anew (design, part 1)."""
        plan = self._ports.spec.plan()
        if plan is self._seen and not self._distrusted:
            return plan
        self._renumber(plan, self._seen)
        for step in reconcile(plan, self._ledger.history):
            if step.mend is Mend.REOPEN or self._distrusted:
                self._carry_out(step)
        self._distrusted = False
        self._seen = self._ports.spec.plan()
        return self._seen

    def _renumber(self, plan: Plan, before: Plan | None) -> list[str]:
        """Follow tasks to the ids that a person gave them since; return words about it."""
        keys = renumbered(self._ledger.history, plan, before)
        if keys:
            self._ledger.record(Renumbered(keys=dict(keys)))
        moved = [f"what was task {old} is task {new} now" for old, new in keys.items() if new]
        return moved + [f"{old} is another task now, and begins anew" for old, new in keys.items() if not new]

    def _carry_out(self, step: Step) -> str:
        record = self._ledger.history.of(step.key)
        match step.mend:
            case Mend.CLOSE_ATTEMPT:
                started = record.open
                if started is None:
                    return ""
                self._ledger.record(interrupted(started, "the runner was ended in the middle of it"))
                return f"attempt {started.attempt} at {started.id or step.key} was interrupted; it counts as nothing"
            case Mend.FINISH_TICK:
                ended_before = record.passed
                if ended_before is None:
                    return ""
                self._settling.complete(self._ports.spec.plan().task(step.key), ended_before)
                return f"{step.key} had passed and is ticked now"
            case Mend.FINISH_SKIP:
                self._settling.finish_skip(self._ports.spec.plan().task(step.key))
                return f"the skip of {step.key} is finished"
            case Mend.REOPEN:
                self._ledger.record(Reopened(key=step.key, by="person", reason="its mark was changed in tasks.md"))
                return f"{step.key} was set by hand in tasks.md; its counters are empty"
