"""How a task leaves the plan: ticked and committed, or skipped with its leftovers kept as a patch (O15, O17, O33).

Each effect is announced in the journal first and can be done again after a crash with the same end.
"""

from __future__ import annotations

from collections.abc import Sequence

from ralph_wiggum.app.attendant import Attendant
from ralph_wiggum.app.committing import commit
from ralph_wiggum.app.ledger import Ledger
from ralph_wiggum.app.leftovers import take_out
from ralph_wiggum.app.order import Order, Ports
from ralph_wiggum.core import classify
from ralph_wiggum.core.commits import subject_line
from ralph_wiggum.core.evidence import FailureKind, Gate
from ralph_wiggum.core.journal import Ended, GateSeen, Noted, SkipDecided, Skipped, Ticked
from ralph_wiggum.core.model import DONE, SKIPPED, Plan, Task
from ralph_wiggum.core.select import next_task
from ralph_wiggum.ports import Committed, Restored, Snapshot

NOT_LOOKED_AT = "a visual task, but visual_validation.enabled is false: nobody looked at the page"


class Settling:
    """Ticks and skips."""

    def __init__(self, ports: Ports, ledger: Ledger, order: Order) -> None:
        self._ports = ports
        self._ledger = ledger
        self._order = order

    def complete(self, task: Task, ended: Ended) -> None:
        """Tick a task whose attempt passed, commit what changed in it, log it; a tick that broke off is finished.

        What fix rounds changed that were cut off, or failed, is a checkpoint's own when it passes without an agent.
        """
        record = self._ledger.history.of(task.key)
        first = self._ledger.history.owed or record.first  # a commit that failed is made up for by this one
        after = None if ended.how == "parent" else Snapshot(tree=ended.after, large=ended.after_large)
        base = Snapshot(tree=first.base, large=first.large) if first else after
        unseen = not self._order.visual and classify.is_visual(task, self._order.visual_patterns)
        self._tick(
            task,
            Ticked(
                key=task.key,
                id=task.id,
                name=task.name,
                how=ended.how or ("checkpoint" if ended.checkpoint else "agent"),
                verified=ended.verified,
                notes=(*(ended.notes if ended.how else ()), *((NOT_LOOKED_AT,) if unseen else ())),
                attempts=len(record.tried),
                gates=ended.gates,
            ),
            base,
            after,
        )

    def complete_without_agent(
        self, task: Task, how: str, gates: Sequence[GateSeen], *, verified: bool, notes: Sequence[str] = ()
    ) -> None:
        """Tick a parent whose sub-tasks are complete, or what had only to pass its gates (O3, O19, O25)."""
        gate = how != "parent"
        here = self._ports.repo.snapshot() if gate else Snapshot(tree="")
        passed = Ended(
            key=task.key,
            id=task.id,
            name=task.name,
            result="passed",
            how=how,
            verified=verified,
            gates=tuple(gates),
            after=here.tree,
            after_large=dict(here.large),
            checkpoint=how == "checkpoint",
            notes=tuple(notes),
        )
        self._ledger.record(passed)
        self.complete(task, passed)

    def _tick(self, task: Task, ticked: Ticked, base: Snapshot | None, after: Snapshot | None) -> None:
        self._ports.spec.write(task.key, DONE)
        committed = Committed() if base is None or after is None else self._commit(task, ticked, base, after)
        self._ledger.record(
            ticked._replace(
                sha=committed.sha,
                left_out=committed.left_out,
                notes=(*ticked.notes, *committed.notes),
                uncommitted=committed.failed,
            ),
        )
        self._ports.view.ticked(task, ticked._replace(sha=committed.sha))

    def _commit(self, task: Task, ticked: Ticked, base: Snapshot, after: Snapshot) -> Committed:
        """Commit a task's paths with tasks.md; at a checkpoint the logs that are due go along (contract "Commits").

        A commit that fails costs no work: the files stay as they are, and the log says so.
        """
        due = self._order.due if ticked.how == "checkpoint" else ()
        trailers = {
            "Ralph-Spec": self._order.spec,
            "Ralph-Task": task.key,
            "Ralph-Attempts": str(ticked.attempts),
        }
        subject = subject_line(self._order.spec, task.name, kind=classify.commit_type(task))
        extra = (self._order.tasks_file, *due)
        committed = commit(self._ports, base, after, subject=subject, trailers=trailers, extra=extra)
        for words in committed.notes if committed.failed else ():
            self._ports.view.note(f"{task.label}: {words}")
        return committed

    def skip(self, task: Task, reason: str, *, by: str = "runner") -> tuple[Gate, ...]:
        """Skip a task: keep what it left behind as a patch, put the tree back, mark it `[S]`.

        Returns the gates of one more run of the checks, or of the servers, where one of these was the reason; red ones
        mean that the task was not to blame (O37).
        """
        record = self._ledger.history.of(task.key)
        base = Snapshot(tree=record.first.base, large=record.first.large) if record.first else Snapshot(tree="")
        after = self._ports.repo.snapshot() if record.first else base
        self._ledger.record(
            SkipDecided(
                key=task.key,
                id=task.id,
                name=task.name,
                reason=reason,
                by=by,
                base=base.tree,
                base_large=dict(base.large),
                after=after.tree,
                after_large=dict(after.large),
            ),
        )
        self.finish_skip(task)
        last = record.counted[-1] if record.counted else None
        if by != "runner" or last is None or last.checkpoint:  # a checkpoint was red before anybody tried to mend it
            return ()
        return self._look_again(last.kind, base)

    def skip_meanwhile(self, key: str) -> None:
        """Carry out a person's skip of a task that is not the one being worked on, while an attempt goes on.

        Nothing of the tree is put back: it is in the hands of the running agent. The mark is held too, so that the
        end of the attempt does not take it for the agent's (O17).
        """
        asked = self._ledger.history.asked[key]
        plan = self._ports.spec.plan()
        if key not in plan.by_key or plan.task(key).done:
            return  # perhaps by the agent: it is looked at again when the attempt has ended
        task = plan.task(key)
        self._ports.spec.write(key, SKIPPED)
        self._ports.spec.mark_held(key, SKIPPED)
        skipped = Skipped(key=key, id=task.id, name=task.name, reason=asked.reason, by="person")
        self._ledger.record(skipped)
        self._ports.view.skipped(task, skipped)

    def finish_skip(self, task: Task) -> None:
        """Carry out a skip that the journal has decided; doing it twice changes nothing more."""
        record = self._ledger.history.of(task.key)
        decided = record.skipping
        if decided is None:
            return
        patch, restored = self._put_back(task, decided)
        plan = self._ports.spec.write(task.key, SKIPPED)
        skipped = Skipped(
            key=task.key,
            id=task.id,
            name=task.name,
            reason=decided.reason,
            by=decided.by,
            checkpoint=bool(task.checkpoint),
            patch=patch,
            restored=len(restored.restored),
            left=restored.left,
            next=self._next_label(plan),
        )
        self._ledger.record(skipped)
        self._ports.view.skipped(task, skipped)

    def put_back(self, task: Task) -> None:
        """Put the tree back to where the task began and keep the difference as a patch, without skipping it."""
        record = self._ledger.history.of(task.key)
        if record.first is None:
            return
        base = Snapshot(tree=record.first.base, large=record.first.large)
        after = self._ports.repo.snapshot()
        decided = SkipDecided(
            base=base.tree, base_large=dict(base.large), after=after.tree, after_large=dict(after.large)
        )
        patch, restored = self._put_back(task, decided)
        if patch:
            files = "1 file" if len(restored.restored) == 1 else f"{len(restored.restored)} files"
            text = f"{task.label}: {files} put back, the difference is kept in {patch}"
            self._ledger.record(Noted(key=task.key, text=text, detail="\n".join(restored.left)))

    def _put_back(self, task: Task, decided: SkipDecided) -> tuple[str, Restored]:
        base = Snapshot(tree=decided.base, large=decided.base_large)
        after = Snapshot(tree=decided.after, large=decided.after_large)
        return take_out(self._ports.repo, task.key, base, after, self._order.skipped, self._order.root)

    def _look_again(self, kind: str, base: Snapshot) -> tuple[Gate, ...]:
        """Return the gates of one more run of what failed, now that the task's work is taken out (O37)."""
        attendant = Attendant(self._ports, self._ledger)
        match kind:
            case FailureKind.CHECK.value:
                return tuple(self._ports.checks.run(None, base.tree, attendant))
            case FailureKind.SERVER.value:
                return self._ports.servers.ensure(attendant)
            case _:
                return ()

    def _next_label(self, plan: Plan) -> str:
        following = next_task(plan, optional=self._order.optional, queued=self._order.queued)
        return following.label if following is not None else ""
