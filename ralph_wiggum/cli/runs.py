"""Which run a person means: that of the spec they name, else the one that holds the work tree. Shared by commands."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ralph_wiggum.adapters.project import STATE, Project, open_spec
from ralph_wiggum.adapters.run_lock import Holder, holder
from ralph_wiggum.cli import common
from ralph_wiggum.core.errors import RalphError


class Meant(NamedTuple):
    """A spec and the run that works on it, None where there is none. `other` is a run of another spec."""

    project: Project
    run: Holder | None
    other: Holder | None = None


def find(root: Path, spec: str, start: Path) -> Meant:
    """Return the spec that is meant, and its run; without `spec` that of the run, else the one that ran last.

    RalphError where no spec is named and nothing ever ran. Settings that cannot be read do not stand in the way: the
    run began with others.
    """
    held = holder(root)
    if held is not None and not held.run:
        held = None  # ralph-skip, for a moment
    places = _places(root)
    if spec:
        project = _open(root, spec, places, start)
        return Meant(project, held) if held is not None and held.spec == project.spec else Meant(project, None, held)
    if held is not None:
        return Meant(_of_run(root, held.spec, places), held)
    return Meant(_last(root, places), None)


def alive(root: Path, run: Holder) -> bool:
    """Say whether a run still goes on: it holds the lock, or its very process is there.

    Both are asked: an agent may have removed the lock's file, and a process in another container is not to be seen.
    One that has ended and that its parent has not waited for yet is gone.
    """
    held = holder(root)
    if held is not None and held.run == run.run:
        return True
    if not run.alive:
        return False
    from ralph_wiggum.adapters.process_table import system_table  # noqa: PLC0415 - seldom asked

    seen = system_table().look(run.pid)
    return seen is not None and not seen.zombie


def _places(root: Path) -> common.Places:
    try:
        return common.places(root)
    except RalphError:
        return common.Places()


def _open(root: Path, spec: str, places: common.Places, start: Path) -> Project:
    return open_spec(root, spec, tasks_file=places.tasks_file, activity_file=places.activity_file, start=start)


def _of_run(root: Path, spec: str, places: common.Places) -> Project:
    """Return the spec that a run names; one that lies outside of `.kiro/specs/` is found by its state folder."""
    try:
        return _open(root, spec, places, root)
    except RalphError:
        for owner in _latest_first(root, f"{spec}*/tasks-path"):
            return _open(root, owner.read_text("utf-8"), places, root)
        raise


def _last(root: Path, places: common.Places) -> Project:
    for journal in _latest_first(root, "*/journal.jsonl"):
        return _of_run(root, journal.parent.name.partition("@")[0], places)
    raise RalphError("no run is on, and none ever was", hint="start one: `ralph-overnight SPEC`")


def _latest_first(root: Path, pattern: str) -> list[Path]:
    found = ((path.stat().st_mtime, path) for path in (root / STATE).glob(pattern))
    return [path for _, path in sorted(found, reverse=True)]
