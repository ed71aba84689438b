"""What proves a task: checks first, then a look at its pages, with servers that show the present files (O18, O25)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ralph_wiggum.app.attendant import Attendant
from ralph_wiggum.app.ledger import Ledger
from ralph_wiggum.app.order import Order, Ports
from ralph_wiggum.core import check_gate
from ralph_wiggum.core.evidence import Change, FailureKind, Gate
from ralph_wiggum.core.journal import Accepted, GateSeen
from ralph_wiggum.core.model import Task
from ralph_wiggum.core.visual.obstacle import earlier_siblings
from ralph_wiggum.ports import Snapshot

RELOAD_SECONDS = 1.5  # from an agent's end to the look: reloaders ask for changed files once a second (Django, Flask)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What gates gave, the visual one included, and words for the log that belong to them."""

    gates: tuple[Gate, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Say whether a gate stands in the way."""
        return any(gate.failed for gate in self.gates)

    @property
    def stopped(self) -> bool:
        """Say whether a person stopped it: then it proves nothing."""
        return any(gate.reason == check_gate.STOPPED for gate in self.gates)


class Proving:
    """Runs the gates of a task. `attendant` returns who watches over the processes of the task with that key."""

    def __init__(self, ports: Ports, ledger: Ledger, order: Order, attendant: Callable[[str], Attendant]) -> None:
        self._ports = ports
        self._ledger = ledger
        self._order = order
        self._attendant = attendant
        self._down_with = ""  # the tree with which a server did not come up
        self._changed_at = float("-inf")  # when the last agent ended
        self.may_have_written = True  # what ran since the last snapshot

    def files_changed(self) -> None:
        """Take note that an agent has just ended: servers have to be given the time to notice what it wrote."""
        self._changed_at = self._ports.clock.monotonic()

    def bring_up_servers(self, task: Task, before: Snapshot) -> None:
        """Bring up the servers for an agent; the prompt tells of those that are not up.

        What did not come up with these very files is not waited for again: the agent is to change them.
        """
        tree = tree_name(before)
        if self._down_with and self._down_with == tree:
            return
        gates = self._ports.servers.ensure(self._attendant(task.key), tree=tree)
        self.show([gate for gate in gates if gate.failed])
        self._down_with = tree if any(gate.failed for gate in gates) else ""

    def prove(self, task: Task, changes: Sequence[Change], tree: Snapshot, *, everything: bool) -> Proof:
        """Run the checks that these changes call for (all of them for `everything`), showing each result.

        Where they pass and the task is visual, its pages are looked at too.
        """
        changed = None if everything else [change.path for change in changes]
        gates = tuple(self._ports.checks.run(changed, tree_name(tree), self._attendant(task.key)))
        self.may_have_written = self.may_have_written or bool(gates)
        self.show(gates)
        checked = Proof(gates=gates)
        return checked if checked.failed or checked.stopped else self.look(task, tree, checked)

    def look(self, task: Task, tree: Snapshot, checked: Proof = Proof()) -> Proof:
        """Return `checked` with what the runner found at the pages of a visual task; other tasks have none (O25).

        `tree` is what the servers have to show: one that began with another, and does not reload, is started anew.
        """
        if not self._order.looks_at(task):
            return checked
        attendant = self._attendant(task.key)
        self._ports.view.looking(task)
        self._let_reload(attendant)
        accepted = self._ledger.history.console
        looked = self._ports.validator.run(
            task,
            accepted,
            attendant,
            self._say,
            tree=tree_name(tree),
            earlier=earlier_siblings(self._ports.spec.plan(), task),
        )
        self.may_have_written = True  # servers and pages may have written files
        self.show(looked.gates)
        failed = any(gate.failed and gate.kind == FailureKind.SERVER.value for gate in looked.gates)
        self._down_with = tree_name(tree) if failed else ""
        proof = Proof(
            gates=(*checked.gates, *looked.gates),
            notes=(*checked.notes, *looked.notes, *(f"screenshot: {path}" for path in looked.screenshots)),
        )
        if not proof.failed and not proof.stopped:
            self._accept(task, looked.console)
        return proof

    def _accept(self, task: Task, console: Mapping[str, Sequence[str]]) -> None:
        """Record which console errors the next look is to expect, where that is another list than before."""
        known = self._ledger.history.console
        if any(tuple(errors) != known.get(page, ()) for page, errors in console.items()):
            self._ledger.record(Accepted(key=task.key, console={page: list(each) for page, each in console.items()}))

    def _let_reload(self, attendant: Attendant) -> None:
        """Give servers the time to notice what the agent wrote last: the page is not to be judged as it was before."""

        def wanted() -> bool:
            attendant.tick()
            return attendant.stop_reason() is not None

        left = self._changed_at + RELOAD_SECONDS - self._ports.clock.monotonic()
        if left > 0 and self._ports.servers.standings:
            self._ports.clock.pause(left, wanted)

    def show(self, gates: Sequence[Gate]) -> None:
        """Show the results of gates."""
        for gate in gates:
            self._ports.view.gate(gate)

    def _say(self, text: str) -> None:
        self._ports.view.output(f"{text}\n")


def seen_gates(gates: Sequence[Gate]) -> tuple[GateSeen, ...]:
    """Return gates as the journal keeps them."""
    return tuple(
        GateSeen(name=g.name, status=g.status.value, reason=g.reason, counts=g.counts, seconds=round(g.seconds, 3))
        for g in gates
    )


def tree_name(snapshot: Snapshot) -> str:
    """Return a name for the state of the tree, the same for the same files; large files are part of it."""
    large = "".join(f"\n{path} {stamp}" for path, stamp in sorted(snapshot.large.items()))
    return snapshot.tree + large if snapshot.tree else ""
