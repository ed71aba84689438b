"""What a rehearsal left behind, read from the scratch copy and the machine's process table."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ralph_wiggum.adapters.drill.model import Model
from ralph_wiggum.adapters.drill.scratch import Scratch
from ralph_wiggum.adapters.git.commands import Git
from ralph_wiggum.adapters.journal_file import read_journal
from ralph_wiggum.adapters.settings_file import PROJECT_FILE
from ralph_wiggum.core.drill.observation import Event, Observation, Start
from ralph_wiggum.core.drill.scenario import Scenario
from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.journal import Entry, RunStarted

DEVLOG = "DEVLOG.md"  # the runner adds to it at the end (O35)
TRAILERS = "--format=%(trailers:key=Ralph-Task,valueonly,separator=%x2C)"


def observe(
    scenario: Scenario,
    scratch: Scratch,
    model: Model,
    starts: tuple[Start, ...],
    memory: int,
    env: Mapping[str, str],
    *,
    commits: bool,
) -> Observation:
    """Look at what a rehearsal left behind. `commits` says whether the runner was to make any."""
    entries, unreadable = _journal(scratch)
    made, committed, broken = _repository(scenario, scratch, model.prefix, env)
    counts = commits and scratch.evening != ""
    return Observation(
        starts=starts,
        plan=_text(scratch.tasks_file),
        entries=entries,
        readable=unreadable == 0,
        commits=made if counts else None,
        committed=committed if counts else None,
        repository=broken,
        changed=_changed(scratch, model),
        events=noted(scratch),
        memory=memory,
        log=max((path.stat().st_size for path in scratch.state.rglob("*.log") if path.is_file()), default=0),
        hooks=model.hooks is not None,
        lacking=model.dependencies,
    )


def marks(scratch: Scratch) -> tuple[str, ...]:
    """Return the marks of all runs in a scratch copy."""
    return tuple(entry.run for entry in _journal(scratch)[0] if isinstance(entry, RunStarted) and entry.run)


def noted(scratch: Scratch, kind: str = "") -> tuple[Event, ...]:
    """Return what the scripted agent noted, under a word or all of it."""
    found = []
    for line in _text(scratch.events).splitlines():
        with suppress(ValueError, TypeError):
            found.append(Event(**json.loads(line)))
    return tuple(event for event in found if kind in ("", event.kind))


def peak_memory(pid: int) -> int:
    """Return the most memory that a process ever held, bytes; 0 where the system does not tell (proc(5))."""
    for line in _text(Path(f"/proc/{pid}/status")).splitlines():
        if line.startswith("VmHWM:"):
            return 1024 * int(line.split()[1])
    return 0


def _journal(scratch: Scratch) -> tuple[tuple[Entry, ...], int]:
    try:
        return read_journal(scratch.state / "journal.jsonl")
    except OSError:
        return (), 1


def _repository(
    scenario: Scenario, scratch: Scratch, prefix: str, env: Mapping[str, str]
) -> tuple[tuple[str, ...], frozenset[str], str]:
    """Return the tasks that the night's commits name, those whose work HEAD holds, and what is broken."""
    if not scratch.evening:
        return (), frozenset(), ""
    git = Git(scratch.top, env)
    try:
        git.run("rev-list", "--objects", "--quiet", "HEAD", f"^{scratch.evening}")
        keys = git.run("log", TRAILERS, f"{scratch.evening}..HEAD").text.split()
        tree = set(git.run("ls-tree", "-r", "-z", "--name-only", "--full-tree", "HEAD").items)
    except RalphError as error:
        return (), frozenset(), str(error)
    locked = "index.lock was left behind" if (scratch.top / ".git/index.lock").exists() else ""
    held = {key for key in scenario.done if _at(prefix, scratch.work.format(task=key)) in tree}
    return tuple(keys), frozenset(held), locked


def _at(prefix: str, path: str) -> str:
    return f"{prefix}/{path}" if prefix else path


def _changed(scratch: Scratch, model: Model) -> tuple[str, ...]:
    """Return the person's files that are gone or hold something else; what the runner writes is left out."""
    own = {_at(model.prefix, path) for path in (PROJECT_FILE, DEVLOG)}
    folder = _at(model.prefix, f".kiro/specs/{scratch.spec}/")
    others = (path for path in model.files if path not in own and not path.startswith(folder))
    return tuple(path for path in others if not _same(scratch.top / path, model.tree / path))


def _same(here: Path, there: Path) -> bool:
    try:
        mine, model = os.lstat(here), os.lstat(there)
        if (mine.st_mode, mine.st_size) != (model.st_mode, model.st_size):
            return False
        if here.is_symlink():
            return here.readlink() == there.readlink()
        return mine.st_mtime_ns == model.st_mtime_ns or here.read_bytes() == there.read_bytes()
    except OSError:
        return False


def _text(path: Path) -> str:
    with suppress(OSError):
        return path.read_bytes().decode("utf-8", "replace")
    return ""
