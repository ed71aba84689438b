"""`ralph-next SPEC`: the next task alone."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ralph_wiggum.cli import common
from ralph_wiggum.cli.overnight import positive

TEXT = """Run the next task of a spec alone, then stop and say what comes next.

It is tried up to three times. If it still fails, it stays [-] with the reason in activity.md, and the exit code
is 4; the next call tries it again."""

EPILOG = """examples:
  ralph-next guestbook
  ralph-next guestbook --attempts 1

exit codes:
  0  the task is complete       4  it is still open          130/143  stopped by SIGINT/SIGTERM
  2  bad usage or input         5  another run holds this work tree"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = common.parser("ralph-next", TEXT, EPILOG)
    parser.add_argument("spec", metavar="SPEC", help="a name under .kiro/specs/, or a path to a spec or tasks.md")
    parser.add_argument("--agent", metavar="NAME[,NAME]", help="the agents to use")
    parser.add_argument("--attempts", metavar="N", type=positive, default=3, help="how often to try (default 3)")
    parser.add_argument("--optional", action="store_true", help="count tasks marked optional (*) too")
    parser.add_argument("--queued", action="store_true", help="count queued tasks [~] too")
    parser.add_argument("--no-commit", action="store_true", help="make no branch and no commit")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    return common.run_command(lambda: run_next(build_parser().parse_args(argv)))


def run_next(arguments: argparse.Namespace) -> int:
    """Carry out what the command line asked for."""
    common.refuse_within_an_agent("ralph-next")
    flags = {"agent": arguments.agent, "git.commit": "none" if arguments.no_commit else None}
    _, settings, project = common.open_project(arguments, flags)
    from ralph_wiggum.cli import running  # noqa: PLC0415 - heavy; usage errors come without it

    return running.run(
        project,
        settings,
        optional=arguments.optional,
        queued=arguments.queued,
        one_task=True,
        attempts=arguments.attempts,
    )


if __name__ == "__main__":
    sys.exit(main())
