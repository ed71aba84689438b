"""`ralph-status [SPEC]`: how far a spec is, or all of them. It changes nothing, so an agent may call it too."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ralph_wiggum.adapters.journal_file import read_journal
from ralph_wiggum.adapters.plan_file import current_plan, plan_during_attempt
from ralph_wiggum.adapters.project import Project, find_root, lost_projects, open_spec, specs
from ralph_wiggum.adapters.run_lock import Holder, holder
from ralph_wiggum.cli import common
from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.history import History
from ralph_wiggum.core.status import Status, as_json, run_state, summarise

PIPED_WIDTH = 500  # what reads a pipe can cut lines itself

TEXT = """Show how far a spec is: totals, current and next task, next checkpoint, what was skipped and why, what
happened last, and what looks wrong in tasks.md. Without SPEC: one line for each spec."""

EPILOG = """examples:
  ralph-status                     all specs, one line each
  ralph-status guestbook           one spec
  ralph-status guestbook --json    for programs; add --tasks for every task
  ralph-status guestbook --follow  look at its run until that ends, as `ralph attach` does

exit codes: 0 shown, 1 a bug in ralph (report saved), 2 bad usage or input, 130 --follow was left with Ctrl-C"""


class Arguments(NamedTuple):
    """What the command line asked for."""

    spec: str = ""
    json: bool = False
    tasks: bool = False
    follow: bool = False
    directory: str = ""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    return common.run_command(lambda: show(arguments(sys.argv[1:] if argv is None else argv)))


def arguments(argv: Sequence[str]) -> Arguments:
    """Read the command line: plain calls by hand, since argparse takes longer than all the rest."""
    words = [word for word in argv if not word.startswith("-")]
    flags = [word for word in argv if word.startswith("-")]
    if len(words) <= 1 and set(flags) <= {"--json", "--tasks"}:
        return Arguments(spec="".join(words), json="--json" in flags, tasks="--tasks" in flags)
    parser = common.parser("ralph-status", TEXT, EPILOG)
    parser.add_argument("spec", metavar="SPEC", nargs="?", default="", help="a name under .kiro/specs/, or a path")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--tasks", action="store_true", help="with --json: every task too")
    parser.add_argument("--follow", action="store_true", help="look at its run until that ends")
    return Arguments(**vars(parser.parse_args(argv)))


def show(wanted: Arguments) -> int:
    """Print what was asked for."""
    if wanted.follow:
        return _follow(wanted)
    start = common.start_folder(wanted.directory)
    root = find_root(start)
    places = common.places(root)
    held = holder(root)
    if wanted.spec:
        project = open_spec(
            root, wanted.spec, tasks_file=places.tasks_file, activity_file=places.activity_file, start=start
        )
        status = look(project, held, places)
        if wanted.json:
            _print_json(as_json(status, tasks=wanted.tasks))
        else:
            _print_lines([status], whole=True)
        return 0
    statuses = list(_look_at_all(root, held, places))
    if wanted.json:
        _print_json([as_json(status, tasks=wanted.tasks) for status in statuses])
    elif statuses:
        _print_lines(statuses, whole=False)
    else:
        print(f"no specs in {root}: write {places.tasks_file.replace('{feature}', '<spec>')} first")
    return 0


def _follow(wanted: Arguments) -> int:
    """Look at the run until it ends; how it ended is no matter of the status."""
    if wanted.json or wanted.tasks:
        raise RalphError("--follow shows a run to a person", hint="leave --json and --tasks out")
    from ralph_wiggum.cli import attach  # noqa: PLC0415 - heavy, and seldom wanted

    attach.look(wanted.spec, wanted.directory)
    return 0


def look(project: Project, held: Holder | None, places: common.Places) -> Status:
    """Return the status of one spec."""
    history = History(read_journal(project.journal_file)[0])
    mine = held if held is not None and held.spec == project.spec else None
    current = history.current if mine else None
    return summarise(
        plan_during_attempt(project, current.key) if current else current_plan(project),
        history,
        run_state(history, mine.pid if mine else None, mine.state if mine else ""),
        places.visual_tasks,
        spec=project.spec,
        tasks_path=project.tasks_path,
        standing=_standing(project, history, running=mine is not None),
    )


def _standing(project: Project, history: History, *, running: bool) -> tuple[tuple[str, str], ...]:
    if history.run is None or (running and history.waiting is None and history.stop is None and not history.held):
        return ()
    from datetime import datetime  # noqa: PLC0415 - not for most calls

    from ralph_wiggum.core import run_words  # noqa: PLC0415 - as above

    words = run_words.standing(history, datetime.now().astimezone(), running=running)
    if running or history.ended is None:
        return words
    return (*words, *(("Screen log", path) for path in screen_logs(project, history.run.run)))


def screen_logs(project: Project, run: str) -> tuple[str, ...]:
    """Return where the words of a run went that had no terminal, its last screen among them; else nothing."""
    from ralph_wiggum.adapters.screen import screen_log  # noqa: PLC0415 - not for most calls

    path = screen_log(project.state, run)
    if not path.exists():
        return ()
    return (str(path.relative_to(project.root) if path.is_relative_to(project.root) else path),)


def _look_at_all(root: Path, held: Holder | None, places: common.Places) -> list[Status]:
    """Return the status of every spec that can be read, and say which cannot."""
    found = []
    lost = (project.spec for project in lost_projects(root, places.tasks_file, places.activity_file))
    for name in dict.fromkeys((*specs(root, places.tasks_file), *lost)):
        try:
            project = open_spec(root, name, tasks_file=places.tasks_file, activity_file=places.activity_file)
            found.append(look(project, held, places))
        except RalphError as error:
            print(f"ralph: {name}: {error}\n  hint: {error.hint}", file=sys.stderr)
    return found


def _print_json(data: dict[str, Any] | list[dict[str, Any]]) -> None:
    plain = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    print(json.dumps(data, ensure_ascii=plain, indent=2))


def _print_lines(statuses: list[Status], *, whole: bool) -> None:
    from ralph_wiggum.core.status_text import as_lines, overview  # noqa: PLC0415 - not for --json

    width, colour = _screen()
    lines = as_lines(statuses[0], width, colour=colour) if whole else overview(statuses, width, colour=colour)
    print("\n".join(lines))


def _screen() -> tuple[int, bool]:
    """Return the width to fit in, and whether colours are wanted (no-color.org)."""
    if not sys.stdout.isatty():
        return PIPED_WIDTH, False
    try:
        width = os.get_terminal_size(sys.stdout.fileno()).columns or 80
    except OSError:
        width = 80
    return width, not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"
