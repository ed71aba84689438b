"""`ralph-overnight SPEC [MAX]`: the night."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ralph_wiggum.cli import common
from ralph_wiggum.core.errors import RalphError

if TYPE_CHECKING:
    from ralph_wiggum.core.model import Task

TEXT = """Work through a spec's tasks.md with a coding agent until nothing is left to do.

Every task is run by the agent, checked by the checks that ralph runs itself, committed, ticked and logged in
activity.md. What cannot be done is marked [S] with the reason, and its leftovers are kept as a patch. Nothing in
between waits for a person."""

EPILOG = """examples:
  ralph-overnight guestbook 100            up to 100 agent runs
  ralph-overnight guestbook --dry-run      show plan, checks and the first prompt; spend nothing
  ralph-overnight guestbook --until 07:00  start nothing new after seven
  ralph-overnight guestbook --agent claude

exit codes:
  0  every required task is complete        4  ended with required tasks open (a limit, a pause)
  1  a bug in ralph (report saved)          5  another run holds this work tree
  2  bad usage or input                     130/143  stopped by SIGINT/SIGTERM, in good order
  3  nothing left to do, some skipped

Stop it with Ctrl-C: the agent ends, journal and status are written, and the next start goes on from there."""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = common.parser("ralph-overnight", TEXT, EPILOG)
    parser.add_argument("spec", metavar="SPEC", help="a name under .kiro/specs/, or a path to a spec or tasks.md")
    parser.add_argument(
        "max", metavar="MAX", nargs="?", type=positive, help="agent runs of this call at the most (default 100)"
    )
    parser.add_argument(
        "--agent", metavar="NAME", help="the agent to use (default: the settings, else an installed one)"
    )
    parser.add_argument("--until", metavar="HH:MM", type=clock_time, help="begin no attempt after this time of day")
    parser.add_argument("--max-cost", metavar="USD", help="not built yet")
    parser.add_argument("--optional", action="store_true", help="work on tasks marked optional (*) too")
    parser.add_argument("--queued", action="store_true", help="work on queued tasks [~] too")
    parser.add_argument("--dry-run", action="store_true", help="show what would be done and spend nothing")
    parser.add_argument("--no-commit", action="store_true", help="make no branch and no commits")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    return common.run_command(lambda: overnight(build_parser().parse_args(argv)))


def overnight(arguments: argparse.Namespace) -> int:
    """Carry out what the command line asked for."""
    if arguments.max_cost is not None:
        raise RalphError("--max-cost is not built yet", hint="leave it out; --until and MAX bound a night")
    common.refuse_within_an_agent("ralph-overnight")
    flags = {
        "agent": arguments.agent,
        "max_iterations": arguments.max,
        "git.commit": "none" if arguments.no_commit else None,
    }
    _, settings, project = common.open_project(arguments, flags)
    from ralph_wiggum.cli import running  # noqa: PLC0415 - heavy; usage errors come without it

    return running.run(
        project,
        settings,
        until=next_time(arguments.until, datetime.now().astimezone()),
        optional=arguments.optional,
        queued=arguments.queued,
        dry_run=arguments.dry_run,
        ask_before_skip=ask if settings.user_input_wait and sys.stdin.isatty() else None,
    )


def positive(text: str) -> int:
    """Return a whole number above 0."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return number


def clock_time(text: str) -> tuple[int, int]:
    """Return hour and minute of a time of day such as 07:00."""
    hours, colon, minutes = text.partition(":")
    if not colon or not hours.isdigit() or not minutes.isdigit() or int(hours) > 23 or int(minutes) > 59:  # noqa: PLR2004 - a day has 24 hours of 60 minutes
        raise argparse.ArgumentTypeError(f"{text!r} is no time of day such as 07:00")
    return int(hours), int(minutes)


def next_time(at: tuple[int, int] | None, now: datetime) -> datetime | None:
    """Return the next moment that shows this time of day, today or tomorrow."""
    if at is None:
        return None
    moment = now.replace(hour=at[0], minute=at[1], second=0, microsecond=0)
    return moment if moment > now else moment + timedelta(days=1)


def ask(task: Task, reason: str) -> bool:
    """Ask on the terminal whether a task may be skipped (overnight_mode.user_input_wait)."""
    print(f"\n{task.label} would be skipped: {reason}", flush=True)
    answer = input("Skip it? [Y] skip it, [n] try it again: ")
    return not answer.strip().lower().startswith("n")


if __name__ == "__main__":
    sys.exit(main())
