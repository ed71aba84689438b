"""`ralph stop [SPEC]`: end a run in good order, after the attempt at hand or now (O10)."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ralph_wiggum.adapters.journal_file import JournalFile, read_journal
from ralph_wiggum.adapters.journal_tail import JournalTail
from ralph_wiggum.adapters.project import Project, find_root
from ralph_wiggum.adapters.run_lock import Holder
from ralph_wiggum.cli import common, runs
from ralph_wiggum.core.errors import Exit, RalphError
from ralph_wiggum.core.history import History
from ralph_wiggum.core.journal import Started, StopAsked
from ralph_wiggum.core.outside_text import plain

if TYPE_CHECKING:
    import argparse

PATIENCE_SECONDS = 10.0  # an agent that ignores TERM is killed after 3, and the end is written after that
NAP_SECONDS = 0.05
STOPPING = "stopping"  # what a run notes in its lock once a signal asked for its end

TEXT = """End a run in good order. The attempt at hand comes to its end first: it is judged, and a task that is done
is ticked and committed. With --now the agent ends at once, as with Ctrl-C; its task goes on at the next start.

Without SPEC: the run that holds this work tree."""

EPILOG = """examples:
  ralph stop                   after the attempt at hand
  ralph stop guestbook --now

exit codes:
  0  asked, or ended; also where no run is on      2  bad usage or input
  1  a bug in ralph (report saved)                 4  --now: it has not ended yet"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = common.parser("ralph stop", TEXT, EPILOG)
    parser.add_argument("spec", metavar="SPEC", nargs="?", default="", help="a name under .kiro/specs/, or a path")
    parser.add_argument("--now", action="store_true", help="do not wait for the attempt at hand")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    return common.run_command(lambda: stop(build_parser().parse_args(argv)))


def stop(arguments: argparse.Namespace) -> int:
    """Carry out what the command line asked for."""
    common.refuse_within_an_agent("ralph stop")
    start = common.start_folder(arguments.directory)
    root = find_root(start)
    project, run, other = runs.find(root, arguments.spec, start)
    if run is None:
        more = f"; the one that is on is that of {other.spec} (pid {other.pid})" if other is not None else ""
        print(f"no run of {project.spec} is on{more}")
        return int(Exit.DONE)
    history = _begun(project, run)
    first = _ask(project, run, history, now=arguments.now)
    if arguments.now and first and run.state != STOPPING:  # a second signal would end it at once, not in good order
        _signal(run)
    if not arguments.now and history.current is not None:
        _say_after(run, history.current)
        return int(Exit.DONE)
    unfinished = Exit.OPEN_TASKS if arguments.now else Exit.DONE
    return int(Exit.DONE if _wait(root, project, run) else unfinished)


def _begun(project: Project, run: Holder) -> History:
    """Return what the journal says once the run has begun to write there: it hears no wish that came before."""
    tail, history = JournalTail(project.journal_file), History()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        for entry in tail.poll():
            history.apply(entry)
        if (history.run is not None and history.run.run == run.run) or time.monotonic() >= deadline or not run.alive:
            tail.close()
            return history
        time.sleep(NAP_SECONDS)


def _ask(project: Project, run: Holder, history: History, *, now: bool) -> bool:
    """Leave the wish in the journal, unless it stands there already; return whether it is the first of its kind.

    Two persons may ask in the same moment: the order of the file decides between them.
    """
    asked = history.stop
    if asked is not None and asked.target == run.run and (asked.now or not now):
        return False
    journal = JournalFile(project.journal_file)
    wish = StopAsked(at=datetime.now().astimezone().isoformat(timespec="microseconds"), target=run.run, now=now)
    journal.append(wish)
    of_this_kind = (entry for entry in journal.poll() if isinstance(entry, StopAsked) and entry.target == run.run)
    first = next((entry for entry in of_this_kind if entry.now == now), None)
    journal.close()
    return first == wish


def _signal(run: Holder) -> None:
    """Send SIGTERM to the very process that took the lock, and to no other that may bear its number by now.

    RalphError where that is not allowed. One that is not to be seen, as in another container, hears the wish alone.
    """
    try:
        descriptor = os.pidfd_open(run.pid) if hasattr(os, "pidfd_open") else -1  # Linux
    except OSError:
        return
    try:
        if not run.alive:  # asked while the descriptor holds the process: its number cannot go to another
            return
        if descriptor >= 0:
            signal.pidfd_send_signal(descriptor, signal.SIGTERM)
        else:
            os.kill(run.pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    except PermissionError:
        hint = "the wish stands in its journal, and is heard between two steps; else ask that user"
        raise RalphError(f"the run (pid {run.pid}) belongs to another user", hint=hint) from None
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _say_after(run: Holder, current: Started) -> None:
    print(
        f"the run of {run.spec} (pid {run.pid}) ends after this attempt: {plain(current.id)} {plain(current.name)}, "
        f"attempt {current.attempt}"
    )
    print("  `ralph attach` shows it; `ralph stop --now` does not wait for the attempt")


def _wait(root: Path, project: Project, run: Holder) -> bool:
    """Wait until the run is gone, and say how it ended, or what it still does; return whether it is."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while runs.alive(root, run):
        if time.monotonic() >= deadline:
            _say_unfinished(project, run)
            return False
        time.sleep(NAP_SECONDS)
    ended = History(read_journal(project.journal_file)[0]).ended
    why = f": {plain(ended.reason)}" if ended is not None and ended.run == run.run else ", and wrote no end"
    print(f"the run of {run.spec} (pid {run.pid}) has ended{why}")
    return True


def _say_unfinished(project: Project, run: Holder) -> None:
    history = History(read_journal(project.journal_file)[0])
    doing = f"works on {plain(history.current.id)} {plain(history.current.name)}" if history.current else "is busy"
    print(f"the run of {run.spec} (pid {run.pid}) was asked to end and has not done so yet; it {doing}")
    print("  `ralph attach` shows it")


if __name__ == "__main__":
    sys.exit(main())
