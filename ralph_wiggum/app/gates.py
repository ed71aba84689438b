"""What checkpoints and visual parents have to pass, without an agent if it goes well (O19, O25)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ralph_wiggum.app.ledger import Ledger
from ralph_wiggum.app.order import Order, Ports
from ralph_wiggum.app.proving import Proof, Proving, seen_gates
from ralph_wiggum.app.settle import Settling
from ralph_wiggum.app.weather import Weather
from ralph_wiggum.core import fingerprint
from ralph_wiggum.core.decide import Decision, Policy, decide, give_up
from ralph_wiggum.core.evidence import Gate, Passed
from ralph_wiggum.core.journal import CheckpointBlocked, Ended
from ralph_wiggum.core.judge import by_gates_alone
from ralph_wiggum.core.model import Task


class Gates:
    """Tries the gates of a task, ticks what passes them, says once what is blocked and decides who mends it."""

    def __init__(
        self, ports: Ports, ledger: Ledger, order: Order, proving: Proving, settling: Settling, weather: Weather
    ) -> None:
        self._ports = ports
        self._ledger = ledger
        self._order = order
        self._proving = proving
        self._settling = settling
        self._weather = weather
        self._said = ("", "")  # the task that was said to be blocked last, and why

    @property
    def policy(self) -> Policy:
        """Return when a task that is blocked by its gates is given up: after so many rounds of mending."""
        rounds = self._order.checkpoint_rounds
        return replace(self._order.policy, threshold=rounds, max_attempts=rounds)

    def prove(self, task: Task) -> Proof:
        """Run all checks of a checkpoint and look at the pages of what is visual."""
        here = self._ports.repo.snapshot()
        if self._order.is_checkpoint(task):
            return self._proving.prove(task, (), here, everything=True)
        return self._proving.look(task, here)

    def passed(self, task: Task, proof: Proof) -> None:
        """Tick a task whose gates all pass."""
        how = "checkpoint" if self._order.is_checkpoint(task) else "validation"
        verdict = by_gates_alone(proof.gates)
        verified = isinstance(verdict, Passed) and verdict.verified
        self._settling.complete_without_agent(task, how, seen_gates(proof.gates), verified=verified, notes=proof.notes)

    def blocked(self, task: Task, failed: Sequence[Gate], attempts: Sequence[Ended]) -> Decision:
        """Return what is to be done about gates that failed; `attempts` are those of agents at mending them."""
        if not attempts:
            self._say(task, failed)
        if hopeless := next((gate.reason for gate in failed if gate.hopeless), ""):
            return give_up(f"no attempt can change it: {hopeless}", self.policy, for_good=True)
        if self._weather.is_climate(fingerprint.of_gates(failed)):
            reason = "; ".join(gate.reason for gate in failed)
            return give_up(f"waiting did not help: {reason}", self.policy, for_good=True)
        return decide(attempts, self.policy)

    def _say(self, task: Task, failed: Sequence[Gate]) -> None:
        """Say why a task is blocked, but not again after a wait for an agent."""
        reason = "; ".join(f"{gate.name}: {gate.reason}" for gate in failed)
        if self._said == (task.key, reason):
            return
        self._said = (task.key, reason)
        blocked = CheckpointBlocked(
            key=task.key,
            id=task.id,
            name=task.name,
            reason=reason,
            gates=seen_gates(failed),
            visual=not self._order.is_checkpoint(task),
            hopeless=any(gate.hopeless for gate in failed),
        )
        self._ledger.record(blocked)
        what = "VISUAL VALIDATION FAILED" if blocked.visual else "CHECKPOINT BLOCKED"
        self._ports.view.note(f"{what}: {task.name}: {reason}")
