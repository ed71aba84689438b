"""`ralph servers up|down|status`: the servers of the settings, by hand (O23, O24)."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from ralph_wiggum.adapters import keeper as keepers
from ralph_wiggum.adapters import settings_file
from ralph_wiggum.adapters.process_table import system_table
from ralph_wiggum.adapters.project import STATE, find_root
from ralph_wiggum.adapters.run_lock import Holder, RunLock, holder
from ralph_wiggum.adapters.servers import host
from ralph_wiggum.adapters.servers import record as records
from ralph_wiggum.adapters.servers.record import Record
from ralph_wiggum.cli import common
from ralph_wiggum.core.errors import Exit, RalphError
from ralph_wiggum.core.servers import report
from ralph_wiggum.core.servers.standing import Health
from ralph_wiggum.core.settings import Settings

NAP_SECONDS = 0.02
ANSWER_SECONDS = 10.0  # a host that has not begun another round by then hangs
ENDING_SECONDS = 45.0  # the ladder of the servers takes 30 s at most

TEXT = """Bring the servers of .kiro/settings/ralph.yaml up, end them, or show how they stand.

A run does all this by itself: it uses what answers already, and starts and ends the rest. With `ralph servers up`
they stay up between runs, are started again when they die, and write their logs to .ralph/logs/."""

EPILOG = """examples:
  ralph servers up         start what does not answer yet, and wait until it does
  ralph servers status     one line for each; asks each once
  ralph servers down       end what `ralph servers up` started, and what a run that was killed left behind

exit codes:
  0  done (status: shown)                  4  up: not every server came up; those that did stay up
  1  a bug in ralph (report saved)         5  down: the servers belong to a run that goes on
  2  bad usage or input, no servers set"""

NO_SERVERS = """name some in .kiro/settings/ralph.yaml, such as
    servers:
      web: {command: npm run dev, ready: "http://localhost:5173"}"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = common.parser("ralph servers", TEXT, EPILOG)
    ways = parser.add_subparsers(dest="way", metavar="up|down|status", required=True)
    for way, text in (("up", "start them, and leave them up"), ("down", "end them"), ("status", "show them")):
        sub = ways.add_parser(way, help=text, description=text, allow_abbrev=False)
        # SUPPRESS: what was given before the word is not overwritten by what is not given after it
        sub.add_argument("-C", dest="directory", metavar="DIR", default=argparse.SUPPRESS, help="as before the word")
        if way == "status":
            sub.add_argument("--json", action="store_true", help="print JSON")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    return common.run_command(lambda: carry_out(build_parser().parse_args(argv)))


def carry_out(arguments: argparse.Namespace) -> int:
    """Carry out what the command line asked for."""
    if arguments.way != "status":
        common.refuse_within_an_agent(f"ralph servers {arguments.way}")
    root = find_root(common.start_folder(arguments.directory))
    match arguments.way:
        case "up":
            return up(root, settings_file.load(root))
        case "down":
            return down(root)
        case _:
            return status(root, settings_file.load(root), as_json=arguments.json)


def up(root: Path, settings: Settings) -> int:
    """Bring the servers up, by the host that is there or by another one; say how they stand."""
    if not settings.servers:
        raise RalphError("no servers are set", hint=NO_SERVERS)
    path = records.path_of(root, records.UP)
    record = records.read(path)
    if record is not None and record.alive:
        record = _again(path, record)
        if record.settings != host.fingerprint(settings):
            print("the settings have changed since: `ralph servers down` and up again use them")
    else:
        print(f"starting {', '.join(server.name for server in settings.servers)} …", flush=True)
        record = _begin(root, path, settings)
    print("\n".join(report.brought_up(record.standings)))
    if not any(standing.health is Health.UP for standing in record.standings):
        print("nothing came up, and nothing was left running")
    return int(Exit.DONE if report.all_up(record.standings) else Exit.OPEN_TASKS)


def _again(path: Path, record: Record) -> Record:
    """Have the host that is there bring up what is not; return what it wrote then."""
    seen = record.round
    _signal(record.pid, signal.SIGUSR1)
    end = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < end and (found := records.read(path)) is not None and found.round == seen:
        time.sleep(NAP_SECONDS)
    return _settled(path, record.pid, lambda: record.alive)


def _begin(root: Path, path: Path, settings: Settings) -> Record:
    """Start a host and wait until it is done with bringing up; a Ctrl-C meanwhile ends it again."""
    pid = host.begin(root, settings, os.environ)
    try:
        return _settled(path, pid, lambda: os.waitpid(pid, os.WNOHANG) == (0, 0))
    except KeyboardInterrupt:
        _signal(pid, signal.SIGTERM)
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)
        raise


def _settled(path: Path, pid: int, lives: Callable[[], bool]) -> Record:
    """Wait until the host has brought up what it can; return what it wrote. RalphError if it ends before that."""
    while True:
        living = lives()  # asked first: what it wrote before its end is there then
        record = records.read(path)
        if record is not None and record.settled and (record.pid == pid or record.alive):
            return record
        if not living:
            log = host.log_path(path.parent.parent)
            raise RalphError(
                "the process that holds the servers has ended before they were up", hint=f"{log} may say why"
            )
        time.sleep(NAP_SECONDS)


def down(root: Path) -> int:
    """End what `ralph servers up` started and what dead runs left; leave alone what belongs to a run that goes on."""
    held = holder(root)
    if held is not None and held.run and _servers_of(held):
        raise RalphError(
            f"the servers belong to a run that goes on (pid {held.pid}, spec {held.spec or '?'})",
            hint="it ends them when it ends; `ralph stop` ends it in good order",
            code=Exit.LOCKED,
        )
    said = [*_end_host(root), *_end_leftovers(root)]
    print("\n".join(said) if said else "nothing to end: no server of `ralph servers up`, none of a dead run")
    return int(Exit.DONE)


def _servers_of(held: Holder) -> bool:
    """Say whether a run has started servers; its browser is none."""
    table = system_table()
    others = table.marked({held.run, f"{held.run}/browser"})
    return bool(table.marked({held.run}, below=True).keys() - others.keys())


def _end_host(root: Path) -> list[str]:
    """End the host of the project, with all that it has started; return what to say."""
    path = records.path_of(root, records.UP)
    record = records.read(path)
    if record is None:
        return []
    said = [
        f"ended {each.name} (pid {each.pid}, {each.url or 'no URL'})"
        if each.ours
        else f"left {each.name} alone: it was there before"
        for each in record.standings
        if record.alive and each.health in {Health.UP, Health.STARTING}
    ]
    if record.alive:
        _signal(record.pid, signal.SIGTERM)
        end = time.monotonic() + ENDING_SECONDS
        while record.alive and time.monotonic() < end:
            time.sleep(NAP_SECONDS)
        if record.alive:
            _signal(record.pid, signal.SIGKILL)
            said.append(f"the process that held them (pid {record.pid}) had to be killed")
    records.remove(path)
    return said


def _signal(pid: int, number: signal.Signals) -> None:
    """Send a signal to the process that holds the servers, if it is still there; RalphError if it is another user's."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
    except PermissionError:
        raise RalphError(
            f"the process that holds the servers (pid {pid}) belongs to another user",
            hint="call this as the user who called `ralph servers up`",
        ) from None


def _end_leftovers(root: Path) -> list[str]:
    """End what a dead host or dead runs left behind; return what to say."""
    found = keepers.sweep({records.mark(root)}, below=True).found
    with RunLock(root) as lock:
        try:
            lock.acquire(spec="", run="", started=datetime.now().astimezone().isoformat(timespec="seconds"))
        except RalphError as error:
            if error.code is not Exit.LOCKED:
                raise
        else:
            found += _end_dead_runs(root, lock.previous)
    return [f"ended {found} process{'es' if found > 1 else ''} that nobody kept any more"] if found else []


def _end_dead_runs(root: Path, previous: Holder | None) -> int:
    """End what runs left that were killed together with their keepers; the lock is held meanwhile."""
    marks = {folder.name for folder in (root / STATE).glob("*/runs/*") if folder.is_dir()}
    if previous is not None and previous.run:
        marks.add(previous.run)
        if previous.keeper:
            keepers.wait_for(f"{previous.keeper}@{previous.keeper_began}")
    records.remove(records.path_of(root, records.RUN))
    return keepers.sweep(marks, below=True).found if marks else 0


def status(root: Path, settings: Settings, *, as_json: bool) -> int:
    """Show one line for each server; each is asked once."""
    from ralph_wiggum.adapters.clock import SystemClock  # noqa: PLC0415 - up and down do without
    from ralph_wiggum.adapters.servers.look import look  # noqa: PLC0415 - as above

    rows = look(root, settings.servers, SystemClock())
    if as_json:
        print(json.dumps(report.as_json(rows), indent=2))
    else:
        print("\n".join(report.lines(rows)) or "no servers are set")
    return int(Exit.DONE)


if __name__ == "__main__":
    sys.exit(main())
