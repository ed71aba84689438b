"""Who has started which servers, in a file: `ralph servers status` shows it, a run finds what is up already by it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ralph_wiggum.adapters.keeper import identity
from ralph_wiggum.adapters.process_table import system_table
from ralph_wiggum.adapters.project import STATE, make_state
from ralph_wiggum.adapters.whole_file import make_way, read_file, replace_file
from ralph_wiggum.core.servers.standing import Health, Standing

UP = "servers.json"  # of `ralph servers up`
RUN = "servers-of-run.json"  # of a run
_MOST_BYTES = 1 << 20
_DIGITS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What the owner of servers wrote last. `owner` is its pid with its start, `run` the mark of its processes.

    `settled`: everything was waited for, in the `round`-th wait. `settings` tells one state of the settings from
    another.
    """

    owner: str = ""
    run: str = ""
    round: int = 0
    settled: bool = False
    settings: str = ""
    standings: tuple[Standing, ...] = ()

    @property
    def pid(self) -> int:
        """Return the owner's pid, 0 if there is none."""
        pid = self.owner.partition("@")[0]
        return int(pid) if pid.isdigit() else 0

    @property
    def alive(self) -> bool:
        """Say whether the very process that wrote it is still there."""
        seen = system_table().look(self.pid) if self.pid else None
        return seen is not None and not seen.zombie and f"{seen.pid}@{seen.birth}" == self.owner


def mark(root: Path) -> str:
    """Return the mark of everything that `ralph servers up` starts in a project."""
    return f"servers-{hashlib.sha256(os.fsencode(os.path.realpath(root))).hexdigest()[:_DIGITS]}"


def path_of(root: Path, name: str) -> Path:
    """Return where a record of a project lies."""
    return root / STATE / name


def read(path: Path) -> Record | None:
    """Return the record of a file, None where there is none; what is of another shape is left out."""
    try:
        data = json.loads(read_file(path, _MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    known = _known(Record, data)
    listed = data.get("standings")
    found = [_standing(each) for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    return Record(**{**known, "standings": tuple(each for each in found if each is not None)})


def write(path: Path, record: Record) -> bool:
    """Write a record; return whether that worked. A full disk stops no server."""
    data = [json.dumps(asdict(record), indent=1).encode()]
    try:
        make_state(path.parent)
        if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises PermissionError before Python 3.14
            make_way(path)  # below .ralph/ nothing else is in its place
        replace_file(path, data, durable=False)
    except OSError:
        return False
    return True


def remove(path: Path) -> None:
    """Remove a record; what cannot be removed stays, and tells of an owner that is gone."""
    with suppress(OSError):
        path.unlink()


def is_there(path: Path) -> bool:
    """Say whether there is a record; also where nobody may look, or a folder stands in its place."""
    return os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises PermissionError before Python 3.14


def of_this_process(
    run: str, standings: Sequence[Standing], *, round_: int = 0, settled: bool = False, settings: str = ""
) -> Record:
    """Return a record whose owner is the calling process."""
    return Record(
        owner=identity(os.getpid()),
        run=run,
        round=round_,
        settled=settled,
        settings=settings,
        standings=tuple(standings),
    )


def _standing(data: dict[str, Any]) -> Standing | None:
    known = _known(Standing, data)
    if not known.get("name"):
        return None
    health = data.get("health")
    return Standing(**{**known, "health": Health(health) if health in set(Health) else Health.UNKNOWN})


def _known(kind: type[Record | Standing], data: dict[str, Any]) -> dict[str, Any]:
    """Return those values that are of the type of their field's default (texts where there is none)."""
    default = kind(name="") if kind is Standing else Record()
    names = [each.name for each in fields(kind)]
    return {name: data[name] for name in names if type(data.get(name)) is type(getattr(default, name))}
