"""A night in memory: everything real but the ports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ralph_wiggum.adapters.templates import load_templates
from ralph_wiggum.app.briefing import Briefing
from ralph_wiggum.app.ledger import Ledger
from ralph_wiggum.app.night import Night
from ralph_wiggum.app.order import Order, Ports
from ralph_wiggum.app.outcome import Outcome
from ralph_wiggum.core.decide import Policy
from ralph_wiggum.core.evidence import AgentOutcome
from ralph_wiggum.core.history import History
from ralph_wiggum.core.journal import RunStarted
from ralph_wiggum.core.model import Plan, Task
from ralph_wiggum.ports import AgentRequest
from tests.fakes import (
    HandClock,
    MemoryJournal,
    MemoryLog,
    MemoryRepo,
    Play,
    ScriptedAgent,
    ScriptedChecks,
    ScriptedMachine,
    ScriptedNetwork,
    ScriptedServers,
    ScriptedValidator,
    TextSpec,
    says,
)

MANY_STEPS = 3000


@dataclass
class QuietView:
    """A screen that keeps words."""

    words: list[str] = field(default_factory=list)

    def progress(self, plan: Plan, history: History) -> None: ...

    def started(self, task: Task, started: object, order: Order) -> None: ...

    def output(self, text: str) -> None: ...

    def gate(self, gate: object) -> None: ...

    def looking(self, task: Task) -> None: ...

    def ended(self, task: Task, ended: object) -> None: ...

    def ticked(self, task: Task, ticked: object) -> None: ...

    def skipped(self, task: Task, skipped: object) -> None: ...

    def waiting(self, reason: str, until: datetime) -> None:
        self.words.append(f"waiting: {reason}")

    def note(self, text: str) -> None:
        self.words.append(text)

    def refresh(self) -> None: ...

    def close(self) -> None: ...


class NightOfFakes:
    """One spec, one scripted agent; `run` goes on until the night has ended."""

    def __init__(
        self,
        tasks: str,
        play: Play,
        tmp_path: Path,
        *,
        checks: ScriptedChecks | None = None,
        servers: ScriptedServers | None = None,
        validator: ScriptedValidator | None = None,
        journal: MemoryJournal | None = None,
        repo: MemoryRepo | None = None,
        spec: TextSpec | None = None,
        interrupted: str = "",
        others: Sequence[ScriptedAgent] = (),
        clock: HandClock | None = None,
        **wishes: Any,
    ) -> None:
        self.spec = spec or TextSpec(tasks)
        self.repo = repo or MemoryRepo({"README": "hello"})
        self.checks = checks or ScriptedChecks()
        self.servers = servers or ScriptedServers()
        self.validator = validator or ScriptedValidator()
        self.clock = clock or HandClock()
        self.journal = journal or MemoryJournal()
        self.log = MemoryLog()
        self.view = QuietView()
        self.agent = ScriptedAgent(play)
        self.machine = ScriptedMachine()
        self.network = ScriptedNetwork()
        self.interrupted = interrupted
        self.order = replace(
            Order(
                spec="demo",
                run_id="r1",
                agent="scripted",
                root=tmp_path,
                runs=tmp_path / ".ralph/demo/runs/r1",
                skipped=tmp_path / ".ralph/demo/skipped",
                tasks_path=".kiro/specs/demo/tasks.md",
                tasks_file=tmp_path / ".kiro/specs/demo/tasks.md",
                policy=Policy(),
                pages=True,
            ),
            **wishes,
        )
        self.ports = Ports(
            spec=self.spec,
            repo=self.repo,
            checks=self.checks,
            agents=(self.agent, *others),
            servers=self.servers,
            validator=self.validator,
            machine=self.machine,
            clock=self.clock,
            view=self.view,
            interrupted=lambda: self.interrupted,
            network=lambda _: self.network,
        )
        self.ledger = Ledger(self.journal, self.log, self.clock, self.order.run_id)
        self.ledger.load()
        self.ledger.record(RunStarted(pid=1))
        briefing = Briefing(self.order, self.spec, load_templates(), servers=lambda: self.servers.standings)
        self.night = Night(self.ports, self.ledger, self.order, briefing)

    def run(self) -> Outcome:
        self.night.mending.begin()
        for _ in range(MANY_STEPS):
            if outcome := self.night.step():
                return outcome
        raise AssertionError("the night did not end")

    @property
    def marks(self) -> str:
        """The marks of all tasks in document order."""
        return "".join(task.mark for task in self.spec.plan().tasks)


def writes(night: dict[str, NightOfFakes], names: Mapping[str, str] | None = None) -> Play:
    """Return an agent that writes a file named after its task and says so."""

    def play(request: AgentRequest) -> AgentOutcome:
        key = request.env["RALPH_TASK_ID"]
        night["it"].repo.files[(names or {}).get(key, f"src/{key}.py")] = f"{key} {request.env['RALPH_ATTEMPT']}"
        return says("Wrote it.\n\nTASK_COMPLETE")

    return play
