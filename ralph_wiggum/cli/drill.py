"""`ralph drill SPEC`: the fire drill before bedtime (B8)."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ralph_wiggum.adapters.keeper import Keeper
from ralph_wiggum.cli import common
from ralph_wiggum.core.errors import Exit, RalphError

if TYPE_CHECKING:
    from ralph_wiggum.adapters.clock import Interrupts
    from ralph_wiggum.adapters.drill.lane import Lane
    from ralph_wiggum.adapters.drill.perform import Drill
    from ralph_wiggum.adapters.project import Project
    from ralph_wiggum.app.drill import Performance, Rehearsal
    from ralph_wiggum.core.settings import Settings

TEXT = """Rehearse what can go wrong in a night, in a scratch copy of this repository, before going to bed.

ralph runs itself there with scripted agents that hang, crash, leave daemons behind, hit a limit, flood, lie and
delete .git; it is killed with kill -9 and started again, and its disk fills up. Nothing outside the copy is touched:
not the checkout, its index, branches or .ralph, no server, no port, and no agent of yours is asked. Time limits are
shortened to seconds in the copy; your git hooks and your own checks are tried once each. It takes two minutes at the
most, and the copy is removed at the end."""

EPILOG = """examples:
  ralph drill guestbook
  ralph drill guestbook --only hang,git     some rehearsals alone
  ralph drill guestbook --keep              keep the copies for a look
  ralph drill --list                        what is rehearsed

exit codes:
  0  everything was survived     2  bad usage or input
  1  something was not (the table says what and why), or a bug in ralph
  130/143  stopped by SIGINT/SIGTERM; the copy is removed"""

LANES = 2
MOST_SECONDS = 115.0  # two minutes, with the clearing up
RUNNER = (sys.executable, "-P", "-m", "ralph_wiggum.cli.overnight")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = common.parser("ralph drill", TEXT, EPILOG)
    parser.add_argument(
        "spec", metavar="SPEC", nargs="?", default="", help="a name under .kiro/specs/, or a path to a spec or tasks.md"
    )
    parser.add_argument("--only", metavar="NAME[,NAME]", default="", help="rehearse these alone")
    parser.add_argument("--list", action="store_true", help="list what is rehearsed, and do nothing")
    parser.add_argument("--keep", action="store_true", help="keep the scratch copies, and say where they are")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    return common.run_command(lambda: drill(build_parser().parse_args(argv)))


def drill(arguments: argparse.Namespace, runner: Sequence[str] = RUNNER, seconds: float = MOST_SECONDS) -> int:
    """Carry out what the command line asked for. `runner` is the command that is rehearsed, `seconds` its limit."""
    from ralph_wiggum.core.drill.catalogue import NAMES  # noqa: PLC0415 - not for --help

    if arguments.list:
        width = max(map(len, NAMES))
        print("\n".join(f"{name.ljust(width)}  {what}" for name, what in NAMES.items()))
        return int(Exit.DONE)
    common.refuse_within_an_agent("ralph drill")
    chosen = choose(tuple(NAMES), arguments.only)
    if not arguments.spec:
        raise RalphError("a drill needs a spec", hint="ralph drill SPEC; `ralph status` lists them")
    root, settings, project = common.open_project(arguments)
    keepers = [Keeper.start() for _ in range(LANES)]  # before anything heavy is imported
    try:
        return _rehearse(root, settings, project, chosen, keepers, runner, seconds, keep=arguments.keep)
    finally:
        for keeper in keepers:
            keeper.close()


def choose(known: Sequence[str], only: str) -> Sequence[str]:
    """Return the rehearsals that `--only` names, all without it; RalphError for a name that is none."""
    names = [name.strip() for name in only.split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise RalphError(f"no rehearsal {name!r}", hint=f"there are: {', '.join(known)}")
    return [name for name in known if name in names] if names else known


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the rehearsed runs: the person's, without what belongs to another run of ralph."""
    return {name: value for name, value in environ.items() if not name.startswith("RALPH_")}


def _rehearse(
    root: Path,
    settings: Settings,
    project: Project,
    names: Sequence[str],
    keepers: Sequence[Keeper],
    runner: Sequence[str],
    seconds: float,
    *,
    keep: bool,
) -> int:
    """Make the copy, rehearse, print the table; return the exit code. Everything is removed in every case."""
    from ralph_wiggum.adapters.clock import Interrupts, SystemClock  # noqa: PLC0415 - after the fork
    from ralph_wiggum.adapters.drill.lane import Lane  # noqa: PLC0415 - after the fork
    from ralph_wiggum.adapters.drill.model import make_model  # noqa: PLC0415 - after the fork
    from ralph_wiggum.adapters.drill.perform import Drill  # noqa: PLC0415 - after the fork
    from ralph_wiggum.adapters.drill.places import drill_folder, home_of_copies  # noqa: PLC0415 - after the fork

    env = environment(os.environ)
    home = home_of_copies(root, env, Path(tempfile.gettempdir()))
    with Interrupts() as interrupts, drill_folder(home, keep=keep) as folder:
        clock = SystemClock(interrupts.fileno())
        end = clock.monotonic() + seconds
        try:
            model = make_model(root, folder, env, lambda: _go_on(interrupts, end - clock.monotonic()))
            play = Drill(
                runner=runner,
                root=root,
                spec=project.spec,
                settings=settings,
                model=model,
                folder=folder,
                clock=clock,
                keep=keep,
            )
            lanes = [Lane(keeper, clock, env) for keeper in keepers]
            code = _course(play, names, lanes, interrupts, end)
        finally:
            for keeper in keepers:
                keeper.close()  # all that lives ends before its folder goes
        return code


def _course(play: Drill, names: Sequence[str], lanes: Sequence[Lane], interrupts: Interrupts, end: float) -> int:
    """Rehearse until `end` (of the monotonic clock) at the latest; show the table, return the exit code."""
    from ralph_wiggum.app import drill as course  # noqa: PLC0415 - after the fork
    from ralph_wiggum.app.drill_view import choose_drill_view  # noqa: PLC0415 - after the fork
    from ralph_wiggum.core.drill import report  # noqa: PLC0415 - after the fork
    from ralph_wiggum.core.drill.verdict import few  # noqa: PLC0415 - after the fork

    view = choose_drill_view(sys.stdout, play.clock, os.environ)
    began = play.clock.monotonic()
    try:
        rows = course.drill(
            [_rehearsal(name, play, lanes) for name in names],
            view,
            play.clock,
            lanes=len(lanes),
            seconds=end - began,
            interrupted=lambda: interrupts.reason,
        )
    finally:
        view.close()
    _say(
        *([f"not copied: {few(play.model.not_copied)}"] if play.model.not_copied else []),
        report.sentence(rows, play.clock.monotonic() - began),
        *([f"the copies are in {play.folder}; remove it when you have looked"] if play.keep else []),
    )
    return _signal_code(interrupts) or report.exit_code(rows)


def _rehearsal(name: str, play: Drill, lanes: Sequence[Lane]) -> Rehearsal:
    """Return what is to be rehearsed under a name."""
    from ralph_wiggum.adapters.drill.perform import perform  # noqa: PLC0415 - after the fork
    from ralph_wiggum.app.drill import Rehearsal  # noqa: PLC0415 - after the fork
    from ralph_wiggum.core.drill.catalogue import AGENT_LOOK, NAMES, SCENARIOS  # noqa: PLC0415 - after the fork

    def on_lane(lane: int) -> Performance:
        if name == AGENT_LOOK:
            return _look_at_agents(play, lanes[lane])
        return perform(play, next(each for each in SCENARIOS if each.name == name), lanes[lane])

    return Rehearsal(name=name, what=NAMES[name], perform=on_lane)


def _look_at_agents(play: Drill, lane: Lane) -> Performance:
    from ralph_wiggum.adapters.agents import catalogue  # noqa: PLC0415 - after the fork
    from ralph_wiggum.adapters.drill.agents import look_at_agents  # noqa: PLC0415 - after the fork
    from ralph_wiggum.core.drill.verdict import Result, Verdict  # noqa: PLC0415 - after the fork

    try:
        agents = catalogue.choose_agents(play.settings, lane.env.get("PATH"), play.root)
    except RalphError as error:
        # without one in the settings the night asks for one at once, before anybody is in bed
        return Verdict(result=Result.FAILED if play.settings.agent else Result.LEFT_OUT, words=str(error))
    folder = play.folder / "agents"
    folder.mkdir()
    return (yield from look_at_agents(agents, lane, play.root, folder, play.clock))


def _say(*lines: str) -> None:
    """Print lines; a terminal or pipe that was closed meanwhile changes nothing, least of all the exit code."""
    try:
        print("\n".join(lines), flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _go_on(interrupts: Interrupts, left: float) -> None:
    """Raise SystemExit where a signal asked for the end, RalphError where copying alone takes the drill's time."""
    if interrupts.reason:
        raise SystemExit(_signal_code(interrupts))
    if left <= 0:
        raise RalphError("copying the work tree takes longer than the drill may", hint="drill in a smaller clone")


def _signal_code(interrupts: Interrupts) -> int:
    """Return the exit code of the signal that asked for the end, 0 where none did."""
    return 128 + signal.Signals[interrupts.reason] if interrupts.reason else 0


if __name__ == "__main__":
    sys.exit(main())
