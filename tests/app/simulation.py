"""A night in memory with faults from a seed: what a real one brings, in a fraction of a second.

The agent hangs, crashes, lies and meets an overloaded provider by chance; its provider limits it for a while; some
tasks cannot be done. Time is that of a clock that the agent's work moves forward.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from ralph_wiggum.app.outcome import Outcome
from ralph_wiggum.core.evidence import AgentOutcome, Ending, Gate, Notice
from ralph_wiggum.core.journal import Ended
from ralph_wiggum.ports import AgentRequest
from tests.app.nights import NightOfFakes
from tests.fakes import EVENING, HandClock, ScriptedChecks, green, red, says

HANG_SECONDS = 300.0  # until no progress is noticed
REFUSED_SECONDS = 2.0  # that a provider takes to say no
OFFLINE_SECONDS = 20.0  # that an agent takes to notice that there is no network


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """How often what goes wrong, from 0 to 1; windows are minutes after the evening."""

    hangs: float = 0.05
    crashes: float = 0.05
    lies: float = 0.05
    transient: float = 0.10
    limits: Sequence[tuple[float, float]] = ((120.0, 185.0),)
    outages: Sequence[tuple[float, float]] = ()
    impossible: frozenset[str] = frozenset({"13", "28"})
    tasks: int = 40
    minutes: float = 5.0  # that the work of a task takes in the middle


@dataclass
class SimulatedNight:
    """One night: `run` it, then ask for its figures."""

    seed: int
    path: Path
    faults: Faults = field(default_factory=Faults)
    until: datetime | None = None
    on_attempt: Callable[[HandClock, int], None] = lambda _clock, _number: None

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self.clock = HandClock(step=15.0)
        self._work = {str(n): self._random.lognormvariate(0, 0.5) * 60 * self.faults.minutes for n in self._numbers}
        self.counts: dict[str, int] = {}
        checks = ScriptedChecks()
        checks.result = self._check
        self._current = ""
        text = "".join(f"- [ ] {n}. Task {n}\n" for n in self._numbers)
        self.night = NightOfFakes(
            text, self._play, self.path, checks=checks, clock=self.clock, until=self.until, max_iterations=1000
        )
        self.night.network.back = lambda: not self._within(self.faults.outages)

    @property
    def _numbers(self) -> range:
        return range(1, self.faults.tasks + 1)

    def run(self) -> Outcome:
        """Run the night to its end."""
        return self.night.run()

    @property
    def attempts(self) -> list[Ended]:
        """Return the ends of all attempts, oldest first."""
        return [entry for entry in self.night.journal.entries if isinstance(entry, Ended)]

    @property
    def hours(self) -> float:
        """Return how long the night was."""
        return (self.clock.now() - EVENING).total_seconds() / 3600

    @property
    def yielded(self) -> float:
        """Return the time of agent work that counted over that of an agent that never failed, 0 to 1.

        Such an agent does every task that can be done, each at the first attempt.
        """
        counted = sum(ended.seconds for ended in self.attempts if ended.result == "passed")
        return counted / sum(work for key, work in self._work.items() if key not in self.faults.impossible)

    @property
    def lost(self) -> list[str]:
        """Return the tasks that could be done and were not."""
        plan = self.night.spec.plan()
        return [task.key for task in plan.tasks if not task.done and task.key not in self.faults.impossible]

    @property
    def efficiency(self) -> float:
        """Return the time of agent work that counted over the time of the whole night without waits for limits."""
        counted = sum(ended.seconds for ended in self.attempts if ended.result == "passed")
        history = self.night.ledger.history
        waited = sum(
            (datetime.fromisoformat(over) - datetime.fromisoformat(w.at)).total_seconds() for w, over in history.waits
        )
        return counted / (self.hours * 3600 - waited)

    def _within(self, windows: Sequence[tuple[float, float]]) -> float | None:
        minutes = (self.clock.now() - EVENING).total_seconds() / 60
        return next((end for begin, end in windows if begin <= minutes < end), None)

    def _play(self, request: AgentRequest) -> AgentOutcome:
        self._current = key = request.env["RALPH_TASK_ID"]
        self.on_attempt(self.clock, len(self.attempts))
        if (end := self._within(self.faults.limits)) is not None:
            return self._refused("limit", _limited(EVENING + timedelta(minutes=end)), REFUSED_SECONDS)
        if self._within(self.faults.outages) is not None:
            return self._refused("outage", _offline(), OFFLINE_SECONDS)
        return self._by_chance(key)

    def _by_chance(self, key: str) -> AgentOutcome:
        faults, work, chance = self.faults, self._work[key], self._random.random()
        for name, share in (("hang", faults.hangs), ("crash", faults.crashes), ("lie", faults.lies)):
            if chance < share:
                return self._went_wrong(name, work)
            chance -= share
        if chance < faults.transient:
            return self._refused("transient", _overloaded(), self._random.uniform(3, 20))
        self._spend(work)
        self.night.repo.files[f"{key}.py"] = key
        return says("Did it.\n\nTASK_COMPLETE", seconds=work)

    def _went_wrong(self, name: str, work: float) -> AgentOutcome:
        self._count(name)
        match name:
            case "hang":
                self._spend(HANG_SECONDS)
                return AgentOutcome(ending=Ending.NO_PROGRESS, seconds=HANG_SECONDS)
            case "crash":
                seconds = work * self._random.uniform(0.1, 0.9)
                self._spend(seconds)
                return AgentOutcome(ending=Ending.CRASHED, signal=11, seconds=seconds)
            case _:
                self._spend(work)
                return says("All is done.\n\nTASK_COMPLETE", seconds=work)

    def _refused(self, name: str, notice: Notice, seconds: float) -> AgentOutcome:
        self._count(name)
        self._spend(seconds)
        return AgentOutcome(
            ending=Ending.EXITED, exit_code=1, notices=(notice,), completed=True, flagged=True, seconds=seconds
        )

    def _spend(self, seconds: float) -> None:
        self.clock.push(seconds)

    def _count(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1

    def _check(self) -> list[Gate]:
        return [red("1 failed", "test_it") if self._current in self.faults.impossible and self._begun else green()]

    @property
    def _begun(self) -> bool:
        """Say whether the work of the impossible task is in the tree: without it the checks are green."""
        return f"{self._current}.py" in self.night.repo.files


def _limited(until: datetime) -> Notice:
    text = "You've hit your limit"
    return Notice(kind="rate_limit", status=429, text=text, resets_at=until.timestamp(), final=True)


def _offline() -> Notice:
    return Notice(kind="connection", text="Connection error: getaddrinfo ENOTFOUND api.example.com", final=True)


def _overloaded() -> Notice:
    return Notice(kind="overloaded", status=529, text="API Error: 529 Overloaded", final=True)
