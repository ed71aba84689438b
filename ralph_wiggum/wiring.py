"""The only place that names concrete adapters: a request in plain values becomes a run."""

from __future__ import annotations

import io
import os
import random
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ralph_wiggum.adapters import bug_report
from ralph_wiggum.adapters import keeper as keepers
from ralph_wiggum.adapters.activity_file import ActivityFile
from ralph_wiggum.adapters.agents import catalogue, preflight
from ralph_wiggum.adapters.browser.agent_browser import AgentBrowser
from ralph_wiggum.adapters.checks import ShellChecks
from ralph_wiggum.adapters.clock import Interrupts, SystemClock
from ralph_wiggum.adapters.earlier_runs import sweep_earlier
from ralph_wiggum.adapters.git.repo import GitRepo
from ralph_wiggum.adapters.housekeeping import Housekeeping
from ralph_wiggum.adapters.journal_file import JournalFile
from ralph_wiggum.adapters.lost_journal import lost_journal
from ralph_wiggum.adapters.machine import disk
from ralph_wiggum.adapters.machine.awake import Awake
from ralph_wiggum.adapters.machine.host import HostMachine
from ralph_wiggum.adapters.network import NetworkLook
from ralph_wiggum.adapters.process import Family
from ralph_wiggum.adapters.project import Project, claim_state
from ralph_wiggum.adapters.root_folder import RootFolder
from ralph_wiggum.adapters.run_id import new_run_id
from ralph_wiggum.adapters.run_lock import RunLock
from ralph_wiggum.adapters.servers.server_set import ServerSet
from ralph_wiggum.adapters.servers.set_up import ShellSetUp
from ralph_wiggum.adapters.spec_files import SpecFiles
from ralph_wiggum.adapters.state_room import StateRoom
from ralph_wiggum.adapters.templates import load_templates
from ralph_wiggum.app import rehearsal
from ralph_wiggum.app.attendant import Attendant
from ralph_wiggum.app.briefing import Briefing
from ralph_wiggum.app.events import View
from ralph_wiggum.app.ledger import Ledger
from ralph_wiggum.app.order import Order, Ports
from ralph_wiggum.app.outcome import Outcome
from ralph_wiggum.app.run import Facts, Run
from ralph_wiggum.app.validation import Validation
from ralph_wiggum.app.view import PlainView
from ralph_wiggum.core.cut_off import agent_until
from ralph_wiggum.core.history import History
from ralph_wiggum.core.journal import Started
from ralph_wiggum.core.settings import AgentSettings, Settings
from ralph_wiggum.ports import Snapshot
from ralph_wiggum.request import Request, check_plans, order, setup_plans


def run(request: Request, keeper: keepers.Keeper, view: View, interrupts: Interrupts) -> tuple[Outcome, list[str]]:
    """Run to the end; return how it ended and the last screen. RalphError (LOCKED) if another run holds the tree.

    `keeper` was forked before anything heavy was imported and before the lock was opened.
    """
    started = SystemClock(interrupts.fileno()).now()
    run_id = request.run_id or new_run_id(started)
    project = request.project
    with RunLock(project.root) as lock:
        lock.acquire(spec=project.spec, run=run_id, started=started.isoformat(timespec="seconds"))
        lock.note(keeper=keeper.pid)
        claim_state(project)
        sweep_earlier(project, lock.previous)
        parts = assemble(request, run_id, keeper, view, interrupts, on_stop=lambda: lock.note(state="stopping"))
        night = Run(
            parts.ports,
            parts.ledger,
            parts.order,
            checks=parts.checks,
            setup=parts.setup,
            briefing=parts.briefing,
            facts=Facts(pid=os.getpid(), keeper=keeper.pid, devlog=project.root / "DEVLOG.md"),
            report_bug=lambda error: _report(error, project.root),
            keep_house=Housekeeping(
                lock,
                keeper,
                RootFolder(project.root),
                StateRoom(project.state, request.settings.logs, run_id),
                lambda: [key for key, record in parts.ledger.history.tasks.items() if not record.settled],
            ),
            found=lambda: lost_journal(project),
            preflight=lambda: [
                preflight.look(agent, parts.family, project.root, parts.environ, Attendant(parts.ports, parts.ledger))
                for agent in request.agents
            ],
            jitter=random.random,
        )
        try:
            outcome = night.go()
        except KeyboardInterrupt:  # a second signal: at once; the keepers end the servers without us
            parts.servers.hang_up()
            raise
        except BaseException:
            parts.servers.stop()
            raise
        finally:
            parts.ports.machine.end()
        parts.servers.stop()
        return outcome, night.last_screen(outcome)


def _report(error: BaseException, root: Path) -> str:
    saved = bug_report.save(error, root)
    return f" (a bug in ralph; report: {saved})" if saved else " (a bug in ralph)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The adapters of one run, put together."""

    order: Order
    ports: Ports
    ledger: Ledger
    family: Family
    environ: Mapping[str, str]
    checks: ShellChecks
    setup: ShellChecks
    servers: ServerSet
    briefing: Briefing


def assemble(
    request: Request,
    run_id: str,
    keeper: keepers.Keeper,
    view: View,
    interrupts: Interrupts,
    on_stop: Callable[[], None] = lambda: None,
    runs: Path | None = None,
) -> Parts:
    """Put the adapters of a run together; `runs`, where logs are to lie, is for a rehearsal, which changes nothing."""
    project, settings = request.project, request.settings
    clock = SystemClock(interrupts.fileno())
    plan = order(request, run_id)
    plan = plan if runs is None else replace(plan, runs=runs)
    family = Family(keeper, clock, interrupts.fileno())
    spec = SpecFiles(project, puts_back=runs is None)
    environ = {**request.environ, "RALPH_RUN_ID": run_id}
    checks = ShellChecks(
        check_plans(project, settings), project.root, family, plan.runs / "checks", environ, plan.limits
    )
    repo = open_repo(project, settings, commit=settings.commit == "per_task")
    set_up = ShellSetUp(project.root, family, plan.runs / "setup", environ)
    servers = _servers(request, run_id, clock, set_up)
    browser = AgentBrowser(settings.visual, project.root, run_id, clock, request.environ, interrupts.fileno())
    ports = Ports(
        spec=spec,
        repo=repo,
        checks=checks,
        agents=tuple(catalogue.build(agent, family) for agent in request.agents),
        servers=servers,
        validator=_validation(request, servers, browser),
        machine=_machine(request, run_id),
        clock=clock,
        view=view,
        interrupted=Stop(interrupts, on_stop),
        network=lambda name: NetworkLook(_hosts(request.agents, name)),
    )
    journal, log = JournalFile(project.journal_file), ActivityFile(project.activity_file, project.spec)
    return Parts(
        order=plan,
        ports=ports,
        family=family,
        environ=environ,
        ledger=Ledger(journal, log, clock, run_id, retry_limit=settings.retry_limit),
        checks=checks,
        servers=servers,
        setup=ShellChecks(setup_plans(settings), project.root, family, plan.runs / "setup", environ, plan.limits),
        briefing=Briefing(
            plan,
            spec,
            load_templates(),
            check_commands=tuple(p.command for p in checks.plans),
            servers=lambda: servers.standings,
        ),
    )


def _machine(request: Request, run_id: str) -> HostMachine:
    project, settings = request.project, request.settings.machine
    awake = Awake(run_id, request.environ) if settings.keep_awake else None
    places = disk.places(project.root, project.state, disk.git_folder(project.root), request.environ)
    return HostMachine(settings, places, awake)


def _hosts(agents: Sequence[AgentSettings], name: str) -> tuple[str, ...]:
    return next((agent.hosts for agent in agents if agent.name == name), ())


def _servers(request: Request, run_id: str, clock: SystemClock, set_up: ShellSetUp) -> ServerSet:
    project, settings = request.project, request.settings
    return ServerSet(
        settings.servers,
        project.root,
        project.state / "logs",
        run_id,
        clock,
        request.environ,
        set_up=set_up,
        health_check=settings.server_health_check,
        restart=settings.auto_restart_servers,
    )


def _validation(request: Request, servers: ServerSet, browser: AgentBrowser) -> Validation:
    project, settings = request.project, request.settings
    pictures, accepted = screenshots(project, settings), project.state / "accepted"
    return Validation(servers, browser, settings.visual, project.root, pictures, accepted)


class Stop:
    """Says whether a signal asked for the end; the first time that one did, others are told too."""

    def __init__(self, interrupts: Interrupts, on_stop: Callable[[], None]) -> None:
        self._interrupts = interrupts
        self._on_stop = on_stop
        self._told = False

    def __call__(self) -> str:
        """Return "" or the name of the signal."""
        if self._interrupts.reason and not self._told:
            self._told = True
            with suppress(OSError):
                self._on_stop()
        return self._interrupts.reason


def rehearse(request: Request, keeper: keepers.Keeper, interrupts: Interrupts) -> Iterator[str]:
    """Yield the lines of a dry run."""
    clock = SystemClock(interrupts.fileno())
    quiet = PlainView(io.StringIO(), clock)
    with tempfile.TemporaryDirectory(prefix="ralph-dry-run-") as logs:
        parts = assemble(request, new_run_id(clock.now()), keeper, quiet, interrupts, runs=Path(logs))
        yield from rehearsal.rehearse(parts.ports, parts.ledger, parts.order, parts.briefing)


def repo_of_attempt(project: Project, settings: Settings, history: History, first: Started) -> tuple[GitRepo, Snapshot]:
    """Return the repository and the snapshot that a task began with, for a person who skips it with no run about.

    No branch and no commit is made; what an attempt that was cut off did with git is put back, as at a start.
    """
    repo = open_repo(project, settings, commit=False)
    base = Snapshot(tree=first.base, large=first.large)
    repo.begin("skip", since=base, agent_until=agent_until(history))
    return repo, base


def open_repo(project: Project, settings: Settings, *, commit: bool) -> GitRepo:
    """Return the repository of a project, with the runner's own files set apart."""
    return GitRepo(
        project.root,
        state=project.state,
        spec=project.spec,
        owned=(project.tasks_file, project.activity_file, screenshots(project, settings)),
        commit=commit,
        branch_pattern=settings.branch,
    )


def screenshots(project: Project, settings: Settings) -> Path:
    """Return the folder of a spec's screenshots (visual_validation.screenshot_dir)."""
    return project.root / settings.visual.screenshot_dir.replace("{feature}", project.spec)
