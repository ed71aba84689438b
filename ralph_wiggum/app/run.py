"""A whole run: the evening (look, mend, baseline), the night (the loop), the morning (checks once more, report)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from ralph_wiggum.app.attendant import Attendant, tend
from ralph_wiggum.app.briefing import Briefing
from ralph_wiggum.app.committing import commit
from ralph_wiggum.app.endure import Endurance
from ralph_wiggum.app.ledger import Ledger
from ralph_wiggum.app.night import Night
from ralph_wiggum.app.order import Order, Ports
from ralph_wiggum.app.outcome import Outcome, by_signal
from ralph_wiggum.app.proving import tree_name
from ralph_wiggum.core import morning
from ralph_wiggum.core.check_gate import red_as_before
from ralph_wiggum.core.cut_off import agent_until
from ralph_wiggum.core.ends import wanted_end
from ralph_wiggum.core.errors import Exit, RalphError
from ralph_wiggum.core.history import History
from ralph_wiggum.core.journal import Baseline, RunEnded, RunStarted
from ralph_wiggum.core.login import Readiness
from ralph_wiggum.core.model import IN_PROGRESS, OPEN, QUEUED, Task
from ralph_wiggum.core.outside_text import plain
from ralph_wiggum.core.select import Finished, select
from ralph_wiggum.core.visual.obstacle import earlier_siblings, obstacle
from ralph_wiggum.ports import Checks, RepoState, Snapshot

T = TypeVar("T")


class KeptBaseline(Protocol):
    """Checks whose baseline can be kept across restarts."""

    def baseline_data(self) -> Mapping[str, Any]:
        """Return the baseline as plain data."""
        ...

    def load_baseline(self, data: Mapping[str, Any]) -> None:
        """Take a baseline back."""
        ...


class CheckSet(Checks, KeptBaseline, Protocol):
    """Checks as a run needs them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the process is, for the journal."""

    pid: int
    keeper: int
    devlog: Path | None = None


class Run:
    """One call of ralph-overnight or ralph-next, from the first look to the last screen."""

    def __init__(
        self,
        ports: Ports,
        ledger: Ledger,
        order: Order,
        *,
        checks: CheckSet,
        setup: Checks,
        briefing: Briefing,
        facts: Facts,
        report_bug: Callable[[BaseException], str],
        keep_house: Callable[[], Iterable[str]],
        found: Callable[[], str] = str,
        preflight: Callable[[], Iterable[Readiness]] = tuple,
        jitter: Callable[[], float] = lambda: 0.5,
    ) -> None:
        self._ports = ports
        self._ledger = ledger
        self._order = order
        self._checks = checks
        self._setup = setup
        self._facts = facts
        self._keep_house = keep_house
        self._found = found
        self._preflight = preflight
        self._night = Night(ports, ledger, order, briefing, jitter)
        self._endurance = Endurance(
            ports,
            report_bug,
            self._night.mending.distrust,
            self._night.set_aside,
            lambda: tend(ports, ledger),
            self._note,
        )
        self.repo_state = RepoState(head="", branch="", evening="")

    def go(self) -> Outcome:
        """Run from beginning to end; the journal says how it ended, whatever happened."""
        self._evening()
        outcome = self._loop()
        self._morning(outcome)
        return outcome

    def last_screen(self, outcome: Outcome) -> list[str]:
        """Return the lines that a person finds in the morning."""
        plan = self._ports.spec.plan()
        lines = morning.last_screen(plan, self.history, self.repo_state, outcome.reason)
        if not self._order.one_task:
            return lines
        choice = select(plan, optional=self._order.optional, queued=self._order.queued)
        after = "nothing is left to select" if isinstance(choice, Finished) else plain(choice.task.label)
        return [*lines, "", f"next: {after}"]

    @property
    def history(self) -> History:
        """Return what the journal adds up to."""
        return self._ledger.history

    # --- the evening

    def _evening(self) -> None:
        if not self._ports.spec.plan().tasks:
            hint = "a task is a list item such as `- [ ] 1. Add the login page`; `ralph-status` names the near misses"
            raise RalphError(f"no task in {self._order.tasks_path}", hint=hint)
        found = self._found()
        self._ledger.catch_up()
        readiness = self._look_at_agents()  # before anything is changed: where none can work, nothing has begun
        anew = self.history.ended is not None
        self._night.weather.recall()
        self.repo_state = state = self._ports.repo.begin(
            self._order.run_id, since=self._since(), agent_until=agent_until(self.history)
        )
        self._ledger.record(
            RunStarted(
                pid=self._facts.pid,
                keeper=self._facts.keeper,
                agent=self._order.agent,
                head=state.head,
                branch=state.branch,
                evening=state.evening,
                max_iterations=self._order.max_iterations,
                dirty=state.dirty,
            )
        )
        for note in (
            *([found] if found else []),
            *state.notes,
            *morning.persons_paths(state.dirty),
            *self._order.unkept,
        ):
            self._note(note)
        self._endure(lambda: self.show_status("Running"))
        self._endure(self._mend)
        if end := wanted_end(self._order.until, self._order.max_cost, self._ports.clock.now()):
            self._ports.view.note(end)
        for warned in self._ports.spec.plan().warnings:
            self._ports.view.note(f"{self._order.tasks_path}:{warned.line}: {warned.message}")
        for words in self._ports.machine.begin():
            self._note(words)
        self._endure(lambda: self._night.crew.begin(readiness, anew=anew))
        self._endure(self._set_up)
        self._endure(self._bring_up_servers)
        self._endure(self._take_baseline)

    def _endure(self, step: Callable[[], None]) -> None:
        """Take a step of an evening that has begun, until it is done: the person may have left already (O12)."""
        while True:
            self._endurance.take(step)
            if not self._endurance.trouble.count or self._ports.interrupted():
                return

    def _mend(self) -> None:
        for words in self._night.mending.begin():
            self._ports.view.note(words)

    def _since(self) -> Snapshot | None:
        """Return the snapshot that a task in progress began with: what changed since is its own, not the person's.

        That holds after Ctrl-C as after a crash. A run that broke off between two tasks goes on from what is there.
        """
        if owed := self.history.owed:
            return Snapshot(tree=owed.base, large=owed.large)
        begun = [r.first for r in self.history.tasks.values() if r.first and not r.settled and not r.deferred]
        if begun:
            latest = max(begun, key=lambda started: started.at)
            return Snapshot(tree=latest.base, large=latest.large)
        broke_off = self.history.run is not None and self.history.ended is None
        return self._ports.repo.snapshot() if broke_off else None

    def _note(self, text: str) -> None:
        """Say it now and in the journal; a full disk takes the note, not the evening."""
        self._ports.view.note(text)
        with suppress(OSError):
            self._ledger.note(text)

    def _look_at_agents(self) -> tuple[Readiness, ...]:
        """Return which agents can work, as far as that can be told in the evening (B1); RalphError where none can."""
        found = tuple(self._preflight())
        if found and not any(each.ready for each in found):
            what = "; ".join(each.words for each in found)
            hints = dict.fromkeys(each.hint for each in found if each.hint)
            raise RalphError(f"no agent can work: {what}", hint="; ".join(hints))
        return found

    def _set_up(self) -> None:
        """Run the set-up commands (O35); one that fails is said, and the night goes on."""
        for gate in self._setup.run(None, "", self._attendant()):
            self._ports.view.gate(gate)
            if gate.failed:
                self._note(f"set-up command failed: {gate.command}: {gate.reason}")

    def _bring_up_servers(self) -> None:
        """Start what visual tasks will need, and say now what would fail them in the night (O23)."""
        if self._order.one_task or not any(map(self._order.looks_at, self._to_do())):
            return
        tree = tree_name(self._ports.repo.snapshot())
        for gate in self._ports.servers.ensure(self._attendant(), tree=tree):
            self._ports.view.gate(gate)
            if gate.failed:
                self._note(f"{gate.name}: {gate.reason}; it is tried again before each visual task")
        if missing := self._ports.validator.missing:
            self._note(f"visual tasks cannot be looked at, and will be skipped: {missing}")
        for reason, labels in self._unclear().items():
            self._note(f"cannot be looked at, and will be skipped: {', '.join(labels)}: {reason}")

    def _unclear(self) -> dict[str, list[str]]:
        """Return the visual tasks that can never be looked at as they are written, by what is in the way."""
        plan, found = self._ports.spec.plan(), dict[str, list[str]]()
        for task in filter(self._order.looks_at, self._to_do()):
            if reason := obstacle(task, earlier_siblings(plan, task), pages=self._order.pages):
                found.setdefault(reason, []).append(f"{plain(task.label, 60)} (line {task.line})")
        return found

    def _to_do(self) -> Iterator[Task]:
        """Yield the tasks that this run may come to, parents too."""
        plan, order = self._ports.spec.plan(), self._order
        for task in plan.tasks:
            waits = task.mark in (OPEN, IN_PROGRESS) or (order.queued and task.mark == QUEUED)
            if waits and (order.optional or task.index not in plan.left_alone):
                yield task

    def _take_baseline(self) -> None:
        """Run the checks before the first task (O18).

        Where an earlier run left a task half done, its baseline holds on: what is red now may be the task's.
        """
        kept = self.history.baseline
        if kept is not None and any(r.attempts and not r.settled for r in self.history.tasks.values()):
            self._checks.load_baseline(kept.data)
            return
        tree = self._ports.repo.snapshot().tree
        gates = self._checks.baseline(tree, self._attendant())
        for gate in gates:
            self._ports.view.gate(gate)
        if self._ports.interrupted():
            return
        self._ledger.record(Baseline(data=dict(self._checks.baseline_data())))
        for gate in gates:
            if gate.environment:
                self._note(f"{gate.command}: cannot run, so it proves nothing until it can: {gate.reason}")
        if not self._checks.plans:
            self._note("no checks are configured or found: tasks and checkpoints will be unverified")

    def _attendant(self) -> Attendant:
        return Attendant(self._ports, self._ledger)

    # --- the night

    def _loop(self) -> Outcome:
        while True:
            self._look_after_itself()
            outcome = self._endurance.take(self._night.step)
            if outcome is not None:
                return outcome
            if signal := self._ports.interrupted():
                return by_signal(signal)
            if not self._endurance.trouble.count:  # else its success would pass for that of the step
                self._endurance.take(lambda: self.show_status("Running"))

    def _look_after_itself(self) -> None:
        """Between two steps: lock, keeper, room for logs, the folder itself; what time did meanwhile."""
        with suppress(OSError):  # the next step tries again
            for words in (*self._keep_house(), *self._ports.machine.jumps()):
                self._note(words)

    def show_status(self, state: str) -> None:
        """Rewrite the status block of activity.md from plan and history (O27)."""
        self._ledger.status(self._order.spec, self._ports.spec.plan(), state)

    # --- the morning

    def _morning(self, outcome: Outcome) -> None:
        """Check once more, write the logs, commit them (O35). Nothing here may cost what the night has done."""
        if outcome.code in (Exit.DONE, Exit.SOME_SKIPPED, Exit.OPEN_TASKS) and not self._order.one_task:
            self._endurance.take(self._check_once_more)
        ended = RunEnded(code=int(outcome.code), state=outcome.state.lower(), reason=outcome.reason)
        self._try(lambda: self.show_status(outcome.state))
        self._try(self._write_devlog)
        made_up = self._try(lambda: self._commit_logs(outcome))
        self._try(lambda: self._ledger.record(ended._replace(made_up=bool(made_up))))  # last: all else is done again
        self._ports.view.refresh()

    def _try(self, step: Callable[[], T]) -> T | None:
        try:
            return step()
        except (RalphError, OSError) as error:
            self._ports.view.note(f"at the end: {error}")
            return None

    def _check_once_more(self) -> None:
        if not self._checks.plans:
            return
        gates = self._checks.run(None, self._ports.repo.snapshot().tree, self._attendant())
        for gate in gates:
            self._ports.view.gate(gate)
        red = [gate for gate in gates if gate.failed]
        words = "; ".join(f"{gate.name}: {gate.reason}" for gate in red) or "all pass"
        known = ", ".join(gate.name for gate in gates if red_as_before(gate))
        self._note(f"checks at the end: {words}" + (f"; with failures of before the run: {known}" if known else ""))

    def _write_devlog(self) -> None:
        """Add an entry to the project's DEVLOG.md where it has one (O35)."""
        path = self._facts.devlog
        if path is None or not path.is_file() or self._order.one_task:
            return
        plan = self._ports.spec.plan()
        entry = morning.devlog_entry(self._order.spec, plan, self.history, self._ports.clock.now())
        with path.open("a", encoding="utf-8") as file:
            file.write(entry)

    def _commit_logs(self, outcome: Outcome) -> bool:
        """Commit the logs, and what the commits of tasks failed to hold; say whether there was such, and it worked.

        Where a task is left open the tree may hold what an attempt at it left: then the next run makes up for it.
        """
        owed = self.history.owed if outcome.code in (Exit.DONE, Exit.SOME_SKIPPED) else None
        here = self._ports.repo.snapshot()
        made = commit(
            self._ports,
            here if owed is None else Snapshot(tree=owed.base, large=owed.large),
            here,
            subject=f"chore({self._order.spec}): log of the run",
            trailers={"Ralph-Spec": self._order.spec},
            extra=(self._order.tasks_file, *self._order.due),
        )
        for words in made.notes if made.failed else ():
            self._ports.view.note(f"at the end: {words}")
        return owed is not None and not made.failed
