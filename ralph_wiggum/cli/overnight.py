"""`ralph-overnight SPEC [MAX]`: the night."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ralph_wiggum.cli import common
from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.outside_text import plain

if TYPE_CHECKING:
    from ralph_wiggum.cli.detached import Background
    from ralph_wiggum.core.model import Task
    from ralph_wiggum.core.settings import Settings

WAIT_KEY = "overnight_mode.user_input_wait"

TEXT = """Work through a spec's tasks.md with a coding agent until nothing is left to do.

Every task is run by the agent, checked by the checks that ralph runs itself, committed, ticked and logged in
activity.md. What cannot be done is marked [S] with the reason, and its leftovers are kept as a patch. Nothing in
between waits for a person."""

EPILOG = """examples:
  ralph-overnight guestbook 100            up to 100 agent runs
  ralph-overnight guestbook --dry-run      show plan, checks and the first prompt; spend nothing
  ralph-overnight guestbook --until 07:00  be done by seven
  ralph-overnight guestbook --max-cost 20  spend no more than 20 US dollars, by the agent's own figures
  ralph-overnight guestbook --agent claude,codex    the second takes over while the first is at its limit
  ralph-overnight guestbook --detach       in the background; then: ralph attach, ralph stop

exit codes:
  0  every required task is complete        4  ended with required tasks open (a limit, a pause)
  1  a bug in ralph (report saved)          5  another run holds this work tree
  2  bad usage or input                     130/143  stopped by SIGINT/SIGTERM, in good order
  3  nothing left to do, some skipped

Stop it with Ctrl-C: the agent ends, journal and status are written, and the next start goes on from there.
`ralph stop` lets the task at hand come to its end first. A terminal that is closed stops nothing: the run goes on,
and `ralph attach` shows it again."""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = common.parser("ralph-overnight", TEXT, EPILOG)
    parser.add_argument("spec", metavar="SPEC", help="a name under .kiro/specs/, or a path to a spec or tasks.md")
    parser.add_argument(
        "max", metavar="MAX", nargs="?", type=positive, help="agent runs of this call at the most (default 100)"
    )
    parser.add_argument(
        "--agent", metavar="NAME[,NAME]", help="the agents to use (default: the settings, else an installed one)"
    )
    parser.add_argument("--max-iterations", metavar="N", type=positive, help="the same as MAX")
    parser.add_argument("--until", metavar="HH:MM", type=clock_time, help="end by this time of day, today or tomorrow")
    parser.add_argument("--max-cost", metavar="USD", type=dollars, help="end before the agents cost more than that")
    parser.add_argument("--detach", action="store_true", help="run in the background, without a terminal")
    parser.add_argument("--optional", action="store_true", help="work on tasks marked optional (*) too")
    parser.add_argument("--queued", action="store_true", help="work on queued tasks [~] too")
    parser.add_argument("--dry-run", action="store_true", help="show what would be done and spend nothing")
    parser.add_argument("--no-commit", action="store_true", help="make no branch and no commits")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    return common.run_command(lambda: overnight(build_parser().parse_intermixed_args(argv)))


def overnight(arguments: argparse.Namespace) -> int:
    """Carry out what the command line asked for."""
    common.refuse_within_an_agent("ralph-overnight")
    flags = {
        "agent": arguments.agent,
        "max_iterations": iterations(arguments.max, arguments.max_iterations),
        "git.commit": "none" if arguments.no_commit else None,
    }
    _, settings, project = common.open_project(arguments, flags)
    until = next_time(arguments.until, datetime.now().astimezone())

    def start(background: Background | None = None) -> int:
        from ralph_wiggum.cli import running  # noqa: PLC0415 - heavy; usage errors come without it

        return running.run(
            project,
            settings,
            until=until,
            max_cost=arguments.max_cost,
            optional=arguments.optional,
            queued=arguments.queued,
            dry_run=arguments.dry_run,
            ask_before_skip=ask if settings.user_input_wait and background is None and sys.stdin.isatty() else None,
            background=background,
        )

    if not arguments.detach:
        return start()
    _refuse_to_detach(arguments, settings)
    from ralph_wiggum.cli import detached  # noqa: PLC0415 - only where it is wanted

    return detached.begin(project, arguments.spec, start)


def _refuse_to_detach(arguments: argparse.Namespace, settings: Settings) -> None:
    """Raise RalphError where a run without a terminal was not meant."""
    if arguments.dry_run:
        raise RalphError("--dry-run shows what would be done, and --detach shows nothing", hint="leave one of them out")
    if settings.user_input_wait:
        raise RalphError(
            f"overnight_mode.user_input_wait asks on the terminal ({settings.origin.get(WAIT_KEY, 'settings')}), "
            "and --detach leaves it",
            hint="set it to false, or leave --detach out",
        )


def iterations(place: int | None, flag: int | None) -> int | None:
    """Return how many agent runs were asked for, by MAX or by --max-iterations; RalphError if they disagree."""
    if place is not None and flag is not None and place != flag:
        raise RalphError(f"MAX is {place}, and --max-iterations is {flag}", hint="name one of them")
    return flag if place is None else place


def positive(text: str) -> int:
    """Return a whole number above 0."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return number


def dollars(text: str) -> float:
    """Return an amount of US dollars above 0."""
    try:
        amount = float(text.removeprefix("$"))
    except ValueError:
        amount = 0.0
    if not 0 < amount < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no amount above 0, such as 20 or 7.50")
    return amount


def clock_time(text: str) -> tuple[int, int]:
    """Return hour and minute of a time of day such as 07:00."""
    hours, colon, minutes = text.partition(":")
    if not colon or not hours.isdigit() or not minutes.isdigit() or int(hours) > 23 or int(minutes) > 59:  # noqa: PLR2004 - a day has 24 hours of 60 minutes
        raise argparse.ArgumentTypeError(f"{text!r} is no time of day such as 07:00")
    return int(hours), int(minutes)


def next_time(at: tuple[int, int] | None, now: datetime) -> datetime | None:
    """Return the next moment that shows this time of day, today or tomorrow, by the clocks of this place.

    A night in which they are set has no 24 hours: the day goes on by the calendar.
    """
    if at is None:
        return None
    today = now.replace(hour=at[0], minute=at[1], second=0, microsecond=0, tzinfo=None)
    moments = (day.astimezone() for day in (today, today + timedelta(days=1)))
    return next((moment for moment in moments if moment > now), None)


def ask(task: Task, reason: str) -> bool:
    """Ask on the terminal whether a task may be skipped (overnight_mode.user_input_wait).

    Where the terminal was closed meanwhile nobody answers, and the task is skipped (O12).
    """
    try:
        print(f"\n{plain(task.label)} would be skipped: {plain(reason)}", flush=True)
        answer = input("Skip it? [Y] skip it, [n] try it again: ")
    except (EOFError, OSError):
        return True
    return not answer.strip().lower().startswith("n")


if __name__ == "__main__":
    sys.exit(main())
