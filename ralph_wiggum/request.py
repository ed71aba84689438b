"""What a command asks for, and the plain values that a run is made of by it: order, checks, set-up commands."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ralph_wiggum.adapters.machine.memory import memory_limit
from ralph_wiggum.adapters.manifests import read_manifests
from ralph_wiggum.adapters.project import Project
from ralph_wiggum.app.order import Order
from ralph_wiggum.core import check_plan
from ralph_wiggum.core.agents import COUNTS_WHOLE_SESSION
from ralph_wiggum.core.decide import Policy
from ralph_wiggum.core.model import Task
from ralph_wiggum.core.servers import target as targets
from ralph_wiggum.core.settings import AgentSettings, Settings, limits
from ralph_wiggum.core.unkept import unkept
from ralph_wiggum.ports import CheckPlan

SETUP_SECONDS = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a command asks for; plain values, so that a run can be described, repeated or sent elsewhere."""

    project: Project
    settings: Settings
    agents: Sequence[AgentSettings]  # in the order in which they are asked, at least one
    max_iterations: int
    until: datetime | None = None
    max_cost: float | None = None
    optional: bool = False
    queued: bool = False
    one_task: bool = False
    attempts: int = 3  # of ralph-next
    ask_before_skip: Callable[[Task, str], bool] | None = None
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    run_id: str = ""  # chosen by the caller, who writes beside the run's logs; "": here


def policy(request: Request) -> Policy:
    """Return when this run gives a task up."""
    settings = request.settings
    if request.one_task:
        return Policy(
            threshold=request.attempts,
            max_attempts=request.attempts,
            max_seconds=settings.max_task_time,
            max_cost=settings.max_task_cost,
            timeout=settings.max_task_timeout,
            on_give_up="end",
        )
    give_up = "skip" if settings.skip_on_stagnation else "leave"
    return Policy(
        threshold=settings.stagnation_threshold,
        max_attempts=settings.max_attempts,
        max_seconds=settings.max_task_time,
        max_cost=settings.max_task_cost,
        timeout=settings.max_task_timeout,
        on_give_up=give_up if settings.never_stop else "end",
    )


def order(request: Request, run_id: str) -> Order:
    """Return the order of a run."""
    project, settings = request.project, request.settings
    tasks = project.tasks_file
    devlog = project.root / "DEVLOG.md"
    return Order(
        spec=project.spec,
        run_id=run_id,
        agent=request.agents[0].name,
        without_provider=frozenset({"shell"}),
        resumes=frozenset(agent.name for agent in request.agents if agent.resumes),
        prices={agent.name: agent.prices for agent in request.agents if agent.prices is not None},
        whole_sessions=frozenset(agent.name for agent in request.agents if agent.dialect in COUNTS_WHOLE_SESSION),
        retry_session=settings.retry_session,
        continuous=settings.context_mode != "fresh",
        escalate_after=settings.escalate_after,
        unkept=unkept(settings, request.agents),
        root=project.root,
        runs=project.state / "runs" / run_id,
        skipped=project.state / "skipped",
        tasks_file=tasks,
        activity_file=project.activity_file,
        tasks_path=str(tasks.relative_to(project.root)) if tasks.is_relative_to(project.root) else str(tasks),
        max_iterations=request.max_iterations,
        until=request.until,
        max_cost=request.max_cost,
        optional=request.optional,
        queued=request.queued,
        one_task=request.one_task,
        pause_at_checkpoint=settings.checkpoint_pause or settings.continue_mode == "until_checkpoint",
        end_at_failed_checkpoint=not settings.checkpoint_skip_on_failure,
        checkpoints=settings.checkpoint_detection,
        policy=policy(request),
        checkpoint_rounds=request.attempts if request.one_task else settings.retry_limit,
        limits=replace(limits(settings), memory_bytes=memory_limit(settings.machine)),
        visual=settings.visual.enabled,
        visual_patterns=settings.visual_tasks,
        pages=bool(settings.visual.pages) or any(map(targets.page, settings.servers)),
        due=(project.activity_file, *((devlog,) if devlog.is_file() else ())),
        ask_before_skip=request.ask_before_skip,
    )


def check_plans(project: Project, settings: Settings) -> Sequence[CheckPlan]:
    """Return the checks of a project: what the settings say, else what its manifests configure."""
    from_settings = check_plan.from_settings(settings)
    if from_settings is not None:
        return from_settings
    return check_plan.from_manifests(read_manifests(project.root))


def setup_plans(settings: Settings) -> tuple[CheckPlan, ...]:
    """Return the set-up commands as things to run and look at, in their order."""
    return tuple(CheckPlan(name=line, kind="setup", command=line, timeout=SETUP_SECONDS) for line in settings.setup)
