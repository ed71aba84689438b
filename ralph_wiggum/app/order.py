"""What a run was asked to do, and the ports it does it with: plain values, so that a run is a function of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from ralph_wiggum.app.events import View
from ralph_wiggum.core import classify
from ralph_wiggum.core.decide import Policy
from ralph_wiggum.core.model import Task
from ralph_wiggum.core.settings import Prices
from ralph_wiggum.core.visual.looked import Looked
from ralph_wiggum.ports import Agent, Checks, Clock, Limits, Machine, Repo, Servers, Spec, Watcher

PROBE_SECONDS = (300.0, 900.0, 1800.0, 3600.0)  # O37: wait 5, 15, 30, 60 minutes between probes


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the person asked for.

    `until` ends the run before the next attempt once the time of day is reached. `max_cost`, in US dollars, is that of
    this run. `one_task`: stop after the next task (ralph-next). `pause_at_checkpoint`: end in good order after a
    checkpoint. `end_at_failed_checkpoint`: a checkpoint that cannot be mended ends the run. `ask_before_skip` is None
    when nobody is to be asked. `resumes` are agents that can go on with a session, `whole_sessions` those whose figures
    count from its beginning; `continuous`: a session goes on from task to task up to a checkpoint; `escalate_after`:
    attempts after which the next agent is asked, 0: never. `unkept` are words on settings that an agent cannot keep.
    """

    spec: str
    run_id: str
    agent: str
    root: Path
    runs: Path  # this run's folder: logs and prompts
    skipped: Path  # where patches of skipped tasks go
    without_provider: frozenset[str] = frozenset()  # agents that no provider can limit: what they print is not its
    resumes: frozenset[str] = frozenset()
    whole_sessions: frozenset[str] = frozenset()
    prices: Mapping[str, Prices] = field(default_factory=dict)
    retry_session: str = "fresh"
    continuous: bool = False
    escalate_after: int = 0
    unkept: tuple[str, ...] = ()
    tasks_path: str = ""  # relative to the root, for prompts
    max_iterations: int = 100
    until: datetime | None = None
    max_cost: float | None = None
    optional: bool = False
    queued: bool = False
    one_task: bool = False
    pause_at_checkpoint: bool = False
    end_at_failed_checkpoint: bool = False
    checkpoints: bool = True
    policy: Policy = field(default_factory=Policy)
    checkpoint_rounds: int = 10
    limits: Limits = field(default_factory=Limits)
    visual: bool = True  # visual_validation.enabled
    visual_patterns: tuple[str, ...] = ()
    pages: bool = False  # the settings name a page, or a server that has one
    due: tuple[Path, ...] = ()  # runner-owned files that go into commits at checkpoints and at the end
    tasks_file: Path = field(default_factory=Path)
    activity_file: Path = field(default_factory=Path)
    ask_before_skip: Callable[[Task, str], bool] | None = None
    environment: tuple[tuple[str, str], ...] = ()

    def looks_at(self, task: Task) -> bool:
        """Say whether a task is complete only after the runner has looked at its pages (O6, O25)."""
        return self.visual and classify.is_visual(task, self.visual_patterns)

    def is_checkpoint(self, task: Task) -> bool:
        """Say whether a task is a checkpoint that all checks have to pass (O19)."""
        return self.checkpoints and bool(task.checkpoint)

    def has_gate(self, task: Task) -> bool:
        """Say whether a task is complete only after the runner has tried something itself, agent or not."""
        return self.is_checkpoint(task) or self.looks_at(task)


class Validator(Protocol):
    """Looks at the pages of a visual task (O25)."""

    @property
    def missing(self) -> str:
        """Return what pages cannot be looked at without, and how to install it; "" if all is there."""
        ...

    def run(
        self,
        task: Task,
        accepted: Mapping[str, tuple[str, ...]],
        watcher: Watcher,
        say: Callable[[str], None],
        *,
        tree: str = "",
        earlier: Sequence[Task] = (),
    ) -> Looked:
        """Look at a task's pages; `accepted` are the console errors that do not count, by page.

        `tree` is the state of the work tree that the servers have to show, as for Servers.ensure; `earlier` are the
        tasks before it, whose page it may go on with.
        """
        ...


class NetworkLook(Protocol):
    """Says, asked again and again, whether the network is back; costs next to nothing and never blocks."""

    def __call__(self) -> bool:
        """Return whether it was seen to be back since the last call."""
        ...

    def close(self) -> None:
        """End what is still going on."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The collaborators of a run. `agents` are in the order in which they are to be asked, at least one."""

    spec: Spec
    repo: Repo
    checks: Checks
    agents: Sequence[Agent]
    servers: Servers
    validator: Validator
    machine: Machine
    clock: Clock
    view: View
    interrupted: Callable[[], str]  # "" or the name of the signal that asked for the end
    network: Callable[[str], NetworkLook]  # a look at the network as the agent of that name needs it
