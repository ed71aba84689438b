"""One rehearsal, from its scratch copy to the verdict: the real command is started, killed, started again."""

from __future__ import annotations

import shutil
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ralph_wiggum.adapters.drill import observe
from ralph_wiggum.adapters.drill.lane import Lane, Steps, said
from ralph_wiggum.adapters.drill.model import Model
from ralph_wiggum.adapters.drill.scratch import Scratch, make_scratch
from ralph_wiggum.adapters.drill.small_disk import NoSmallDiskError
from ralph_wiggum.adapters.run_lock import holder, process_began
from ralph_wiggum.core.drill.observation import Observation, Start
from ralph_wiggum.core.drill.scenario import Scenario, Stage, Victim
from ralph_wiggum.core.drill.verdict import Result, Verdict, judge
from ralph_wiggum.core.settings import Settings
from ralph_wiggum.ports import Clock

MOST_STARTS = 3
LEFT_SECONDS = 5.0  # after which nothing of a family may live (design, part 3)
FULL_SECONDS = 2.5  # how long the disk stays full
MOMENT = "moment"  # what the agent notes when it may be killed
FULL = "full"  # … and when it has filled the disk


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """What all rehearsals share.

    `runner` is the command line that a spec and -C are added to, `root` the person's project, which is only looked at.
    `folder` takes one folder for each rehearsal; they are removed unless `keep`.
    """

    runner: Sequence[str]
    root: Path
    spec: str
    settings: Settings
    model: Model
    folder: Path
    clock: Clock
    keep: bool = False


@dataclass(slots=True)
class _Run:
    """One start of the runner, while it goes on. `late`: it had to be ended because its time was over."""

    pid: int
    kills: list[Victim]
    killed: bool = False
    late: bool = False
    memory: int = 0


def perform(drill: Drill, scenario: Scenario, lane: Lane) -> Generator[None, None, Verdict]:
    """Rehearse one scenario; return the verdict. RalphError if the copy cannot be made."""
    if reason := left_out(scenario, drill.settings, drill.model):
        return Verdict(result=Result.LEFT_OUT, words=reason)
    folder = drill.folder / scenario.name
    scratch: Scratch | None = None
    try:
        scratch = yield from make_scratch(scenario, f"{drill.spec}-drill", drill.settings, drill.model, folder, lane)
        seen = yield from _starts(drill, scenario, scratch, lane)
        if scenario.stage is Stage.CHECKS and any(start.code is None for start in seen.starts):
            return Verdict(result=Result.LEFT_OUT, words=f"still running after {scenario.most_seconds:.0f} s")
        return judge(scenario, seen)
    except NoSmallDiskError as error:
        return Verdict(result=Result.LEFT_OUT, words=str(error))
    finally:
        _put_away(folder, scratch, keep=drill.keep)


def left_out(scenario: Scenario, settings: Settings, model: Model) -> str:
    """Return why a scenario cannot be rehearsed in this project, "" if it can."""
    if scenario.needs_repository and model.repository is None:
        return "the project is in no git repository"
    if scenario.stage is Stage.HOOKS and settings.commit != "per_task":
        return f"git.commit is {settings.commit}"
    if scenario.stage is Stage.CHECKS and model.dependencies:
        folders = ", ".join(model.dependencies)
        return f"they need {folders}, which is not copied; `ralph-overnight SPEC --dry-run` runs them in place"
    return ""


def _put_away(folder: Path, scratch: Scratch | None, *, keep: bool) -> None:
    """Remove the copy; one that is kept on a small disk moves to where it can stay."""
    disk = scratch.disk if scratch is not None else None
    if disk is not None and scratch is not None:
        if keep:
            with suppress(OSError, shutil.Error):
                shutil.copytree(scratch.top, folder / "repo", symlinks=True)
        disk.close()
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)


def _starts(drill: Drill, scenario: Scenario, scratch: Scratch, lane: Lane) -> Generator[None, None, Observation]:
    """Start the runner until it comes to its end without being killed; return what is found then."""
    starts: list[Start] = []
    memory = 0
    kills = list(scenario.kills)
    end = drill.clock.monotonic() + scenario.most_seconds
    for number in range(1, MOST_STARTS + 1):
        screen = scratch.folder / f"screen-{number}.log"
        began = drill.clock.monotonic()
        argv = (*drill.runner, scratch.spec, "-C", str(scratch.root))
        run = _Run(lane.launch(argv, scratch.folder, screen), kills)
        yield from _watch(run, scratch, lane, drill.clock, end)
        seconds = drill.clock.monotonic() - began
        left: tuple[str, ...] = ()
        if not (run.killed and Victim.KEEPER in scenario.kills):  # without both, only the next start can sweep
            left = yield from lane.left(observe.marks(scratch), LEFT_SECONDS)
        code = None if run.late else lane.code(run.pid)
        starts.append(Start(code=code, seconds=seconds, killed=run.killed, left=left, said=said(screen)))
        memory = max(memory, run.memory)
        if not run.killed:
            break
    yield from lane.clear()
    commits = drill.settings.commit == "per_task"
    return observe.observe(scenario, scratch, drill.model, tuple(starts), memory, lane.env, commits=commits)


def _watch(run: _Run, scratch: Scratch, lane: Lane, clock: Clock, end: float) -> Steps:
    """Do to a run what its scenario says until it is over; at `end` it is ended."""
    while lane.code(run.pid) is None:
        if clock.monotonic() > end:
            run.late = True
            lane.kill(run.pid)
            yield from lane.clear()
            return
        run.memory = max(run.memory, observe.peak_memory(run.pid))
        if run.kills and observe.noted(scratch, MOMENT):
            _strike(run, scratch, lane)
        _make_room(scratch, clock)
        yield


def _strike(run: _Run, scratch: Scratch, lane: Lane) -> None:
    """Kill whom the scenario names; the keeper first where both die, so that the runner cannot answer."""
    for victim in run.kills:
        if victim is Victim.RUNNER:
            lane.kill(run.pid)
            run.killed = True
        else:
            held = holder(scratch.root)
            if held is not None and held.keeper and process_began(held.keeper) == held.keeper_began:
                lane.kill(held.keeper)
    run.kills.clear()


def _make_room(scratch: Scratch, clock: Clock) -> None:
    """Remove what fills the small disk after a while, as somebody else's program would."""
    if scratch.disk is None:
        return
    full = observe.noted(scratch, FULL)
    if full and clock.now().timestamp() - full[-1].at > FULL_SECONDS:
        scratch.filler.unlink(missing_ok=True)
