"""Where things lie: the project root, the specs below it, the files of one spec, the folder for machine state."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from ralph_wiggum.adapters.whole_file import make_way
from ralph_wiggum.core.errors import RalphError

TASKS_FILE = ".kiro/specs/{feature}/tasks.md"
ACTIVITY_FILE = ".kiro/specs/{feature}/activity.md"
SPECS = Path(".kiro/specs")
STATE = ".ralph"
HELD = "tasks.held.md"  # in the state folder: tasks.md as it was before the last attempt
SHOWN_SPECS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """One spec in its project. All paths are absolute; `spec` is the name a person knows it by."""

    root: Path
    spec: str
    spec_dir: Path
    tasks_file: Path
    activity_file: Path
    state: Path

    @property
    def tasks_path(self) -> str:
        """Return the tasks file as a person would type it: from the root, where it lies below that."""
        return str(self.tasks_file).removeprefix(f"{self.root}/")

    @property
    def journal_file(self) -> Path:
        """Return where the journal of this spec lies."""
        return self.state / "journal.jsonl"

    @property
    def plan_file(self) -> Path:
        """Return where the cache of the parsed plan lies."""
        return self.state / "plan.json"


def find_root(start: Path) -> Path:
    """Return the nearest folder at or above `start` that holds `.kiro/`; RalphError if there is none.

    A folder whose `.kiro/` went away in the middle of an attempt counts as well: it is put back there.
    """
    try:
        start = Path(os.path.abspath(start))  # noqa: PTH100 - resolve() would leave the path that the person came by
    except FileNotFoundError:
        raise RalphError("the current folder was removed", hint="cd to one that is there") from None
    if not start.is_dir():
        raise RalphError(f"no folder {start}", hint="-C takes a folder inside the project")
    for folder in (start, *start.parents):
        if os.path.isdir(folder / ".kiro") or _lost_kiro(folder):  # noqa: PTH112 - Path raises where it may not look
            return folder
    raise RalphError(
        f"no .kiro folder in {start} or above it",
        hint="go to the project that holds your specs, or name it with -C DIR",
    )


def _lost_kiro(folder: Path) -> bool:
    """Say whether a spec's state lies here whose last run was killed, or is, in the middle of an attempt."""
    held = held_projects(folder)
    if not held:
        return False
    from ralph_wiggum.adapters.lost_plan import was_cut_off  # noqa: PLC0415 - it imports this module

    return any(map(was_cut_off, held))


def held_projects(root: Path, tasks_file: str = TASKS_FILE, activity_file: str = ACTIVITY_FILE) -> tuple[Project, ...]:
    """Return the specs of which a copy of their tasks file is held, sorted by name, whether that is there or not."""
    state = root / STATE
    if not os.path.isdir(state):  # noqa: PTH112 - Path raises where it may not look
        return ()
    states = sorted(held.parent for held in state.glob(f"*/{HELD}"))
    return tuple(_of_state(root, state, tasks_file, activity_file) for state in states)


def specs(root: Path, tasks_file: str = TASKS_FILE) -> tuple[str, ...]:
    """Return the names of all specs that have a tasks file, sorted."""
    if tasks_file.count("{feature}") != 1:
        return ()
    before, after = tasks_file.split("{feature}")
    names = (path.relative_to(root).as_posix()[len(before) :] for path in root.glob(f"{before}*{after}"))
    return tuple(sorted(name[: len(name) - len(after)] if after else name for name in names))


def open_spec(
    root: Path,
    argument: str,
    *,
    tasks_file: str = TASKS_FILE,
    activity_file: str = ACTIVITY_FILE,
    start: Path | None = None,
) -> Project:
    """Return the project with the spec that a person named.

    `argument` is a name under `.kiro/specs/`, or a path (from `start`, else from `root`) to a spec folder or to a
    tasks file anywhere. A tasks file that is gone and that the next start puts back (`lost_plan`) counts as there.
    RalphError lists near names where nothing fits.
    """
    name = argument.rstrip("/")
    named = _project(root, name, root / SPECS / name, root / tasks_file.replace("{feature}", name), activity_file)
    if _is_name(name) and _is_to_be_seen(named.tasks_file):
        return named
    found = _by_path(argument, (start or root, root))
    if found is not None:
        return _from_path(root, found, tasks_file, activity_file)
    places = {Path(os.path.abspath(base / argument)) for base in (start or root, root)}  # noqa: PTH100 - as below
    for lost in lost_projects(root, tasks_file, activity_file):
        if lost.spec == name or places & {lost.tasks_file, lost.tasks_file.parent}:
            return lost
    if _is_name(name) and (root / SPECS / name).is_dir():
        raise _without_tasks(named)
    raise _unknown(root, argument, tasks_file)


def lost_projects(root: Path, tasks_file: str = TASKS_FILE, activity_file: str = ACTIVITY_FILE) -> tuple[Project, ...]:
    """Return the specs whose tasks file is gone and will be put back by the next start, sorted by name."""
    from ralph_wiggum.adapters.lost_plan import is_lost  # noqa: PLC0415 - it imports this module

    return tuple(project for project in held_projects(root, tasks_file, activity_file) if is_lost(project))


def _of_state(root: Path, state: Path, tasks_file: str, activity_file: str) -> Project:
    """Return the spec that a state folder belongs to."""
    owner = state / "tasks-path"
    if owner.is_file():
        return _from_path(root, Path(owner.read_text("utf-8")), tasks_file, activity_file)
    tasks = root / tasks_file.replace("{feature}", state.name)
    return _project(root, state.name, root / SPECS / state.name, tasks, activity_file)


def _without_tasks(project: Project) -> RalphError:
    from ralph_wiggum.adapters.lost_plan import explained  # noqa: PLC0415 - it imports this module

    message = f"no tasks file in spec {project.spec!r}: {project.tasks_file} is not there"
    return explained(project, RalphError(message, hint="write it, or name another spec"))


def state_hint(error: OSError) -> str:
    """Return what a person can do where the state cannot be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "ralph keeps its state there: free some disk space and start again"
    return "ralph keeps its state there: make it writable, or move away what stands in its place"


def make_state(folder: Path) -> Path:
    """Make a folder at or below `.ralph/`, which ignores itself in git; return the folder.

    A file that stands where a folder belongs makes way, and rights that were taken away are given back: nothing that
    an agent does there may end a run (O12).
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except PermissionError:
        _reopen(folder)
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        _clear(folder)
        folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        _reopen(folder)
    for top in (folder, *folder.parents):
        if top.name == STATE:
            with_ignore = top / ".gitignore"
            if not with_ignore.exists() or not with_ignore.stat().st_size:  # a full disk leaves an empty one
                with_ignore.write_text("*\n", encoding="utf-8")
            break
    return folder


def bytecode_apart(env: Mapping[str, str], root: Path) -> dict[str, str]:
    """Return the variable that keeps Python's bytecode out of the work tree, in a cache that lasts.

    Not where the person has switched writing off: caches that are there would then be left unread, and every program
    would compile all that it imports, each time.
    """
    return {} if env.get("PYTHONDONTWRITEBYTECODE") else {"PYTHONPYCACHEPREFIX": str(root / STATE / "pycache")}


def _clear(folder: Path) -> None:
    """Move aside what is no folder on the way from `.ralph/` down to this one; nothing above or beside it is ours."""
    if STATE not in folder.parts:
        return
    below = list(takewhile(lambda place: place.name != STATE, (folder, *folder.parents)))
    top = below[-1].parent if below else folder
    for place in (top, *reversed(below)):
        if os.path.lexists(place) and not place.is_dir():
            make_way(place)


def _reopen(folder: Path) -> None:
    """Give back the rights of `.ralph/` and of all below it; they are taken from more than the one that is noticed."""
    from ralph_wiggum.adapters.rights import give_back_all  # noqa: PLC0415 - only where something is amiss

    top = next((place for place in (folder, *folder.parents) if place.name == STATE), None)
    if top is not None:
        give_back_all(top)


def _is_to_be_seen(path: Path) -> bool:
    """Say whether something stands there; RalphError where nobody may look."""
    try:
        return path.exists()
    except OSError as error:
        hint = "let yourself read and enter the folders above it: chmod -R u+rwX .kiro"
        raise RalphError(f"cannot look at {path}: {error.strerror}", hint=hint) from None


def _is_name(argument: str) -> bool:
    return bool(argument) and argument not in {".", ".."} and "/" not in argument and "\\" not in argument


def _by_path(argument: str, bases: tuple[Path, ...]) -> Path | None:
    """Return the tasks file that a path leads to."""
    for base in bases:
        path = base / os.path.expanduser(argument)  # noqa: PTH111 - Path raises for an unknown user
        if path.is_file():
            return path
        if (path / "tasks.md").is_file():
            return path / "tasks.md"
    return None


def _from_path(root: Path, found: Path, tasks_file: str, activity_file: str) -> Project:
    tasks = Path(os.path.abspath(found))  # noqa: PTH100 - a symbolic link keeps its own name and place
    for name in specs(root, tasks_file):
        own = root / tasks_file.replace("{feature}", name)
        if own == tasks or (tasks.exists() and own.samefile(tasks)):
            return _project(root, name, root / SPECS / name, own, activity_file)
    name = tasks.parent.name if tasks.name == "tasks.md" else tasks.stem
    return Project(
        root=root,
        spec=name,
        spec_dir=tasks.parent,
        tasks_file=tasks,
        activity_file=tasks.with_name("activity.md" if tasks.name == "tasks.md" else f"{tasks.stem}.activity.md"),
        state=root / STATE / _state_name(root, name, tasks),
    )


def _state_name(root: Path, name: str, tasks: Path) -> str:
    """Return the name of the state folder of a spec outside `.kiro/specs/`: its own, unless another spec has it.

    Of two outside specs with one name the second is told apart by the path of its folder.
    """
    state = root / STATE / name
    if not (root / SPECS / name).exists():
        owner = state / "tasks-path"
        if not (state / "journal.jsonl").exists() or (owner.is_file() and owner.read_text("utf-8") == str(tasks)):
            return name
    return f"{name}@" + str(tasks.parent).strip("/").replace("/", "-")


def claim_state(project: Project) -> None:
    """Make the state folder before a journal is begun there, and say in it whose it is, for specs that lie outside."""
    make_state(project.state)
    if not project.tasks_file.is_relative_to(project.root / ".kiro"):
        (project.state / "tasks-path").write_text(str(project.tasks_file), encoding="utf-8")


def _project(root: Path, name: str, folder: Path, tasks: Path, activity_file: str) -> Project:
    return Project(
        root=root,
        spec=name,
        spec_dir=folder if os.path.isdir(folder) else tasks.parent,  # noqa: PTH112 - Path raises where it may not look
        tasks_file=tasks,
        activity_file=root / activity_file.replace("{feature}", name),
        state=root / STATE / name,
    )


def _unknown(root: Path, argument: str, tasks_file: str) -> RalphError:
    import difflib  # noqa: PLC0415 - 4 ms, only on the way out

    known = specs(root, tasks_file)
    if not os.path.isdir(root / ".kiro"):  # noqa: PTH112 - Path raises where it may not look
        hint = f"it went away in the middle of an attempt; the next `ralph-overnight {argument}` puts it back"
        return RalphError(f"the folder .kiro in {root} is gone", hint=hint)
    if not known:
        place = tasks_file.replace("{feature}", "<spec>")
        return RalphError(f"no spec {argument!r}: there are none in {root}", hint=f"write {place} first")
    shown = ", ".join(_few(known))
    near = difflib.get_close_matches(argument, known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}? There are: {shown}" if near else f"there are: {shown}"
    return RalphError(f"no spec {argument!r} in {root}", hint=hint)


def _few(names: tuple[str, ...]) -> Iterator[str]:
    yield from names[:SHOWN_SPECS]
    if len(names) > SHOWN_SPECS:
        yield f"and {len(names) - SHOWN_SPECS} more"
