"""`ralph attach [SPEC]`: look at a run that another process makes, as it goes on. It changes nothing."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from ralph_wiggum.adapters.clock import SystemClock
from ralph_wiggum.adapters.journal_file import read_journal
from ralph_wiggum.adapters.journal_tail import JournalTail
from ralph_wiggum.adapters.log_tail import LogTail
from ralph_wiggum.adapters.plan_watch import PlanWatch
from ralph_wiggum.adapters.project import Project, find_root
from ralph_wiggum.adapters.run_lock import Holder
from ralph_wiggum.adapters.screen import Screen
from ralph_wiggum.app.following import EntryTime, Follower
from ralph_wiggum.app.order import Order
from ralph_wiggum.app.view import choose_view
from ralph_wiggum.cli import common, runs
from ralph_wiggum.cli.status_report import screen_logs
from ralph_wiggum.core.errors import Exit, RalphError
from ralph_wiggum.core.history import History
from ralph_wiggum.core.keys import file_name
from ralph_wiggum.core.outside_text import plain
from ralph_wiggum.core.run_words import clock_words, moment

if TYPE_CHECKING:
    import argparse

    from ralph_wiggum.core.journal import RunEnded, Started

LOOK_SECONDS = 0.25  # between two looks at the journal
LOCK_SECONDS = 1.0  # between two looks at whether the run is still there
ENDING_SECONDS = 15.0  # after its last entry a run commits its logs and ends its servers
LAST_SECONDS = 3.0

TEXT = """Look at a run that goes on elsewhere, in the background or on another terminal, until it ends.

On a terminal: the screen of the run, with what its agent prints. In a pipe: a line for each event. Ctrl-C ends the
look and leaves the run alone. Without SPEC: the run that holds this work tree."""

EPILOG = """examples:
  ralph attach                 the run of this project
  ralph attach guestbook
  ralph attach | tee night.txt

exit codes: that of the run, as of ralph-overnight, also where it has ended already; and
  4    the run was killed before its end       130  you left with Ctrl-C; the run goes on
  2    bad usage or input, nothing ever ran"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = common.parser("ralph attach", TEXT, EPILOG)
    parser.add_argument("spec", metavar="SPEC", nargs="?", default="", help="a name under .kiro/specs/, or a path")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    return common.run_command(lambda: attach(build_parser().parse_args(argv)))


def attach(arguments: argparse.Namespace) -> int:
    """Carry out what the command line asked for."""
    return look(arguments.spec, arguments.directory)


def look(spec: str, directory: str) -> int:
    """Look at a run until it ends; return its exit code."""
    start = common.start_folder(directory)
    root = find_root(start)
    meant = runs.find(root, spec, start)
    if meant.run is None:
        return _ended_before(meant)
    try:
        return _Look(root, meant.project, meant.run).until_the_end()
    except KeyboardInterrupt:
        print(f"\nthe run of {meant.project.spec} goes on (pid {meant.run.pid}); `ralph stop` ends it")
        raise


class _Look:
    """One look at one run. `screen` takes what is shown; where nobody reads it any more, the look is over."""

    def __init__(self, root: Path, project: Project, run: Holder) -> None:
        self._root = root
        self._project = project
        self._run = run
        self._screen = Screen(sys.stdout.fileno(), sys.stdout.encoding)
        clock = SystemClock()
        time_shown = EntryTime(clock)
        self._view = choose_view(self._screen, time_shown, os.environ, spec=project.spec)
        order = Order(
            spec=project.spec,
            run_id=run.run,
            agent="",
            root=root,
            runs=project.state / "runs" / run.run,
            skipped=project.state / "skipped",
        )
        self._runs = order.runs
        self._follower = Follower(self._view, time_shown, order, PlanWatch(project).plan)
        self._journal = JournalTail(project.journal_file)
        self._seen_anew = 0
        self._attempt: Started | None = None
        self._log: LogTail | None = None

    def until_the_end(self) -> int:
        """Show the run until it has ended or nobody looks any more; return the exit code."""
        try:
            self._follower.begin(self._journal.poll())
            end = self._watch()
        finally:
            self._view.close()
            self._screen.flush()
        if self._screen.gone:
            return int(Exit.DONE)
        self._screen.write("".join(f"{line}\n" for line in self._follower.last_words(end)))
        self._screen.drain(LAST_SECONDS)
        if end is None:
            return int(Exit.OPEN_TASKS)
        self._wait_until_gone()
        for path in screen_logs(self._project, self._run.run):  # complete once it is gone
            print(f"what it did, and its last screen: {path}", flush=True)
        return end.code

    def _watch(self) -> RunEnded | None:
        next_look_at_lock = 0.0
        while self._follower.end is None and not self._screen.gone:
            if time.monotonic() >= next_look_at_lock:
                next_look_at_lock = time.monotonic() + LOCK_SECONDS
                if not runs.alive(self._root, self._run):
                    self._step()  # what it wrote last
                    break
            self._step()
            time.sleep(LOOK_SECONDS)
        return self._follower.end

    def _step(self) -> None:
        if self._journal.anew != self._seen_anew:
            self._seen_anew = self._journal.anew
            self._follower.forget()
        self._follower.take(self._journal.poll())
        if self._follower.current != self._attempt:
            self._attempt = self._follower.current
            self._log = self._open_log()
        if self._log is not None and (text := self._log.poll()):
            self._view.output(text)
        self._view.refresh()
        self._screen.flush()

    def _open_log(self) -> LogTail | None:
        if self._log is not None:
            self._log.close()
        if self._attempt is None:
            return None
        name = f"{file_name(self._attempt.key)}-{self._attempt.attempt}.log"
        return LogTail(self._runs / "logs" / name, _dialect(self._root, self._attempt.agent))

    def _wait_until_gone(self) -> None:
        """Wait until its process is gone, so that a command after this one finds the work tree free."""
        end = time.monotonic() + ENDING_SECONDS
        while runs.alive(self._root, self._run) and time.monotonic() < end:
            time.sleep(LOOK_SECONDS)


def _dialect(root: Path, agent: str) -> str:
    """Return how the log of an agent is to be read."""
    from ralph_wiggum.adapters import settings_file  # noqa: PLC0415 - once for each attempt that is looked at

    try:
        agents = settings_file.load(root).agents
    except RalphError:
        return "text"
    return agents[agent].dialect if agent in agents else "text"


def _ended_before(meant: runs.Meant) -> int:
    """Say how the last run of a spec ended, and return its exit code."""
    spec = meant.project.spec
    history = History(read_journal(meant.project.journal_file)[0])
    if meant.other is not None:
        print(f"the run that is on is that of {meant.other.spec} (pid {meant.other.pid})")
    if history.run is None:
        raise RalphError(
            f"no run of {spec} is on, and none ever was", hint=f"start one: `ralph-overnight {quote(spec)}`"
        )
    ended = history.ended
    if ended is None:
        goes_on = f"`ralph-overnight {quote(spec)}` goes on from there"
        print(f"no run of {spec} is on; the last one was killed, and {goes_on}")
        return int(Exit.OPEN_TASKS)
    at, now = moment(ended.at), SystemClock().now()
    when = f" at {clock_words(at, now)}" if at is not None else ""
    print(f"no run of {spec} is on; the last one ended{when}: {plain(ended.reason)} (exit code {ended.code})")
    for path in screen_logs(meant.project, history.run.run):
        print(f"what it did, and its last screen: {path}")
    return ended.code


if __name__ == "__main__":
    sys.exit(main())
