"""What ralph-overnight and ralph-next share: keeper first, then signals, screen, run, last screen, exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from ralph_wiggum.adapters.keeper import Keeper
from ralph_wiggum.adapters.project import Project
from ralph_wiggum.core.errors import Exit
from ralph_wiggum.core.model import Task
from ralph_wiggum.core.settings import Settings

if TYPE_CHECKING:
    from ralph_wiggum.wiring import Request


def run(
    project: Project,
    settings: Settings,
    *,
    until: datetime | None = None,
    optional: bool = False,
    queued: bool = False,
    one_task: bool = False,
    attempts: int = 3,
    dry_run: bool = False,
    ask_before_skip: Callable[[Task, str], bool] | None = None,
) -> int:
    """Run, print the last screen, return the exit code.

    The keeper is forked before anything heavy is imported, so that it stays small (design, part 3). A second Ctrl-C
    ends the command at once; the keeper then ends the agent's family by itself.
    """
    keeper = Keeper.start()
    try:
        from ralph_wiggum import wiring  # noqa: PLC0415 - after the fork, see above

        request = wiring.Request(
            project=project,
            settings=settings,
            agents=wiring.choose_agents(settings, os.environ.get("PATH")),
            max_iterations=settings.max_iterations,
            until=until,
            optional=optional,
            queued=queued,
            one_task=one_task,
            attempts=attempts,
            ask_before_skip=ask_before_skip,
        )
        code = _dry(request, keeper) if dry_run else _run(request, keeper)
    except KeyboardInterrupt:
        keeper.hang_up()
        raise
    except BaseException:
        keeper.close()
        raise
    keeper.close()
    return code


def _run(request: Request, keeper: Keeper) -> int:
    from ralph_wiggum import wiring  # noqa: PLC0415 - after the fork
    from ralph_wiggum.adapters.clock import Interrupts, SystemClock  # noqa: PLC0415 - after the fork
    from ralph_wiggum.app.view import choose_view  # noqa: PLC0415 - after the fork

    with Interrupts() as interrupts:
        clock = SystemClock(interrupts.fileno())
        view = choose_view(sys.stdout, clock, os.environ, spec=request.project.spec)
        try:
            outcome, screen = wiring.run(request, keeper, view, interrupts)
        finally:
            view.close()
    print("\n".join(screen))
    return int(outcome.code)


def _dry(request: Request, keeper: Keeper) -> int:
    from ralph_wiggum import wiring  # noqa: PLC0415 - after the fork
    from ralph_wiggum.adapters.clock import Interrupts  # noqa: PLC0415 - after the fork

    with Interrupts() as interrupts:
        for line in wiring.rehearse(request, keeper, interrupts):
            print(line)
    return int(Exit.DONE)
