"""What ralph-overnight and ralph-next share: keeper first, then signals, screen, run, last screen, exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import datetime
from shlex import quote
from typing import TYPE_CHECKING

from ralph_wiggum.adapters.clock import Interrupts, SystemClock
from ralph_wiggum.adapters.keeper import Keeper
from ralph_wiggum.adapters.project import Project
from ralph_wiggum.adapters.run_id import new_run_id
from ralph_wiggum.core.errors import Exit
from ralph_wiggum.core.model import Task
from ralph_wiggum.core.settings import Settings

if TYPE_CHECKING:
    from ralph_wiggum.app.lasting_view import LastingView
    from ralph_wiggum.cli.detached import Background
    from ralph_wiggum.request import Request

STANDARD_DESCRIPTORS = (0, 1, 2)


def run(
    project: Project,
    settings: Settings,
    *,
    until: datetime | None = None,
    max_cost: float | None = None,
    optional: bool = False,
    queued: bool = False,
    one_task: bool = False,
    attempts: int = 3,
    dry_run: bool = False,
    ask_before_skip: Callable[[Task, str], bool] | None = None,
    background: Background | None = None,
) -> int:
    """Run, print the last screen, return the exit code.

    The keeper is forked before anything heavy is imported, so that it stays small (design, part 3). A terminal that is
    closed ends nothing from then on; a second Ctrl-C ends the command at once, and the keeper then ends the agent's
    family by itself. `background` is what a run without a terminal writes to and tells of its beginning.
    """
    _fill_descriptors()
    keeper = Keeper.start()
    try:
        with Interrupts() as interrupts:
            from ralph_wiggum import request as requests  # noqa: PLC0415 - after the fork, see above
            from ralph_wiggum.adapters.agents import catalogue  # noqa: PLC0415 - as above

            agents = catalogue.choose_agents(settings, os.environ.get("PATH"), project.root)
            if max_cost is not None:
                catalogue.refuse_cost_limit(agents)
            request = requests.Request(
                project=project,
                settings=settings,
                agents=agents,
                max_iterations=settings.max_iterations,
                until=until,
                max_cost=max_cost,
                optional=optional,
                queued=queued,
                one_task=one_task,
                attempts=attempts,
                ask_before_skip=ask_before_skip,
                run_id=background.run_id if background else new_run_id(datetime.now().astimezone()),
            )
            code = _dry(request, keeper, interrupts) if dry_run else _run(request, keeper, interrupts, background)
    except KeyboardInterrupt:
        keeper.hang_up()
        raise
    except BaseException:
        keeper.close()
        raise
    keeper.close()
    return code


def _run(request: Request, keeper: Keeper, interrupts: Interrupts, background: Background | None) -> int:
    from ralph_wiggum import wiring  # noqa: PLC0415 - after the fork

    if interrupts.reason:  # nothing has begun that would have to be ended in order
        raise KeyboardInterrupt
    view = _view(request, interrupts, background)
    try:
        outcome, screen = wiring.run(request, keeper, view, interrupts)
    finally:
        view.close()
    view.last_words(screen)
    return int(outcome.code)


def _view(request: Request, interrupts: Interrupts, background: Background | None) -> LastingView:
    """Return a view on the terminal, or on what stands in its place, that goes on in the run's screen log (O12)."""
    from ralph_wiggum.adapters.screen import Screen, ScreenLog, screen_log  # noqa: PLC0415 - after the fork
    from ralph_wiggum.app.lasting_view import LastingView  # noqa: PLC0415 - after the fork
    from ralph_wiggum.app.view import PlainView, choose_view  # noqa: PLC0415 - after the fork

    clock = SystemClock(interrupts.fileno())
    spec = request.project.spec
    path = screen_log(request.project.state, request.run_id)
    log = ScreenLog(path)
    screen = log if background else Screen(sys.stdout.fileno(), sys.stdout.encoding)
    return LastingView(
        screen,
        choose_view(screen, clock, os.environ, spec=spec),
        log,
        PlainView(log, clock),
        hung_up=lambda: interrupts.hung_up,
        farewell=f"the terminal was closed; the run goes on, its words go to {path}; "
        f"`ralph attach {quote(spec)}` shows it",
        on_going=background.going if background else None,
    )


def _dry(request: Request, keeper: Keeper, interrupts: Interrupts) -> int:
    from ralph_wiggum import wiring  # noqa: PLC0415 - after the fork

    for line in wiring.rehearse(request, keeper, interrupts):
        print(line)
    return int(Exit.DONE)


def _fill_descriptors() -> None:
    """Open the null device where a standard descriptor is closed, so that nothing else of ours gets its number."""
    for descriptor in STANDARD_DESCRIPTORS:
        try:
            os.fstat(descriptor)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)
            if null != descriptor:
                os.dup2(null, descriptor)
                os.close(null)
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - for as long as the process
