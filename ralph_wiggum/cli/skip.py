"""`ralph-skip SPEC TASK "reason"`: a person gives a task up, also while a run goes on (O17, O30, O38)."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import datetime

from ralph_wiggum.adapters.activity_file import ActivityFile
from ralph_wiggum.adapters.journal_file import JournalFile
from ralph_wiggum.adapters.plan_file import current_plan, plan_during_attempt
from ralph_wiggum.adapters.project import Project, claim_state
from ralph_wiggum.adapters.run_lock import Holder, RunLock, holder
from ralph_wiggum.adapters.spec_files import SpecFiles
from ralph_wiggum.cli import common
from ralph_wiggum.core import activity
from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.history import History, TaskRecord
from ralph_wiggum.core.journal import SkipAsked, SkipDecided, Skipped
from ralph_wiggum.core.lookup import find_task
from ralph_wiggum.core.model import SKIPPED, Plan, Task
from ralph_wiggum.core.outside_text import plain
from ralph_wiggum.core.select import next_task
from ralph_wiggum.core.settings import Settings

PATIENCE_SECONDS = 10.0
NAP_SECONDS = 0.05

TEXT = """Skip a task: it is marked [S] and logged with the reason, and the run goes on with the next one.

While a run works on the spec, the run does it: an attempt at that very task ends at once, and what it changed is
kept as a patch and taken out of the work tree."""

EPILOG = """examples:
  ralph-skip guestbook 2.3 "needs the payment account"
  ralph-skip guestbook 2.3@2 "done by hand"      the second task with the id 2.3

exit codes:
  0  skipped (or asked the run to)     2  bad usage or input, an unknown task, no reason
  1  a bug in ralph (report saved)     5  a run of another spec holds this work tree"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = common.parser("ralph-skip", TEXT, EPILOG)
    parser.add_argument("spec", metavar="SPEC", help="a name under .kiro/specs/, or a path to a spec or tasks.md")
    parser.add_argument("task", metavar="TASK", help="the id of a task, or its key where ids repeat")
    parser.add_argument("reason", metavar="REASON", nargs="*", help="why; it goes into activity.md and the report")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    return common.run_command(lambda: skip(build_parser().parse_args(argv)))


def skip(arguments: argparse.Namespace) -> int:
    """Carry out what the command line asked for."""
    common.refuse_within_an_agent("ralph-skip")
    reason = plain(" ".join(arguments.reason), 1000)
    if not reason:
        raise RalphError("a skip needs a reason", hint=f'ralph-skip {arguments.spec} {arguments.task} "why"')
    root, settings, project = common.open_project(arguments)
    held = holder(root)
    plan = _plan_now(project, held)
    task = find_task(plan, arguments.task, project.tasks_path)
    if task.done:
        raise RalphError(f"{task.label} is complete already", hint="set it back to [ ] in tasks.md to do it again")
    if task.mark == SKIPPED:
        print(f"{task.label} is skipped already")
    elif held is not None and held.spec == project.spec:
        ask_the_run(project, task, reason, held)
    else:
        _skip_here(project, settings, task, reason)
    _say_next(current_plan(project))
    return 0


def _plan_now(project: Project, held: Holder | None) -> Plan:
    """Return the plan; while an attempt goes on, without what its agent did to the marks (O17)."""
    current = None
    if held is not None and held.spec == project.spec:
        current = History(JournalFile(project.journal_file).poll()).current
    return plan_during_attempt(project, current.key) if current else current_plan(project)


def ask_the_run(project: Project, task: Task, reason: str, held: Holder, *, patience: float = PATIENCE_SECONDS) -> None:
    """Leave the wish in the journal, and wait up to `patience` seconds to see the run carry it out."""
    journal = JournalFile(project.journal_file)
    journal.poll()
    journal.append(SkipAsked(at=_now(), key=task.key, id=task.id, name=task.name, reason=reason))
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if any(isinstance(entry, Skipped) and entry.key == task.key for entry in journal.poll()):
            print(f"skipped {task.label}: {reason} (by the run, pid {held.pid})")
            return
        time.sleep(NAP_SECONDS)
    print(f"asked the run (pid {held.pid}) to skip {task.label}; it has not done so yet, and will after its step")


def _skip_here(project: Project, settings: Settings, task: Task, reason: str) -> None:
    """Skip the task with no run about, under the lock of one. The journal announces it, and says when it is done."""
    with RunLock(project.root) as lock:
        lock.acquire(spec=project.spec, run="", started=_now())
        claim_state(project)
        spec = SpecFiles(project)
        task = find_task(spec.plan(), task.key, project.tasks_path)
        journal = JournalFile(project.journal_file)
        history = History(journal.poll())
        decided = SkipDecided(at=_now(), key=task.key, id=task.id, name=task.name, reason=reason, by="person")
        taken_out = _take_out_attempts(project, settings, history, decided, journal)
        spec.mark_held(task.key, SKIPPED)
        plan = spec.write(task.key, SKIPPED)
        skipped = taken_out._replace(
            at=_now(),
            id=task.id,
            name=task.name,
            reason=reason,
            by="person",
            checkpoint=bool(task.checkpoint),
            next=_next_label(plan),
        )
        journal.append(skipped)
        _show(project, plan, History(journal.read_all()[:-1]).of(task.key), skipped, journal)
    print(f"skipped {task.label}: {reason}")
    if skipped.patch:
        print(f"what its attempts changed was taken out of the work tree and is kept in {skipped.patch}")


def _take_out_attempts(
    project: Project, settings: Settings, history: History, decided: SkipDecided, journal: JournalFile
) -> Skipped:
    """Announce the skip, and put the tree back where earlier attempts at the task left something."""
    record = history.of(decided.key)
    if record.first is None or record.settled or not record.first.base:
        journal.append(decided)
        return Skipped(key=decided.key)
    from ralph_wiggum import wiring  # noqa: PLC0415 - heavy, and seldom needed
    from ralph_wiggum.app.leftovers import take_out  # noqa: PLC0415 - as above

    try:
        repo, base = wiring.repo_of_attempt(project, settings, history, record.first)
        after = repo.snapshot()
    except RalphError as error:
        journal.append(decided)
        print(f"what its attempts changed is still in the work tree: {error}")
        return Skipped(key=decided.key)
    known = decided._replace(base=base.tree, base_large=dict(base.large))
    journal.append(known._replace(after=after.tree, after_large=dict(after.large)))
    patch, restored = take_out(repo, decided.key, base, after, project.state / "skipped", project.root)
    return Skipped(key=decided.key, patch=patch, restored=len(restored.restored), left=restored.left)


def _show(project: Project, plan: Plan, record: TaskRecord, skipped: Skipped, journal: JournalFile) -> None:
    """Bring the skip into activity.md."""
    history = History(journal.read_all())
    log = ActivityFile(project.activity_file, project.spec)
    log.append(activity.entry_id(skipped), activity.entry(skipped, record))
    log.status(activity.status_block(project.spec, plan, history, _state(plan), datetime.now().astimezone()))


def _state(plan: Plan) -> str:
    return "Stopped" if next_task(plan) is not None else "Complete"


def _next_label(plan: Plan) -> str:
    following = next_task(plan)
    return following.label if following is not None else ""


def _say_next(plan: Plan) -> None:
    label = _next_label(plan)
    print(f"next: {plain(label)}" if label else "next: nothing is left to select")


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")


if __name__ == "__main__":
    sys.exit(main())
