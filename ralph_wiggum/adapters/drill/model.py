"""The person's repository, copied once: what all scratch copies are made from. The repository itself is only read."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ralph_wiggum.adapters.drill.persons_repository import PersonsRepository
from ralph_wiggum.adapters.git.commands import Git, git_error
from ralph_wiggum.adapters.git.place import TOOL_FOLDERS
from ralph_wiggum.adapters.project import STATE
from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.sizes import size as shown

COPIES = 3  # that lie on the disk at once: this one, and one for each of two rehearsals
WORK_NAMES = tuple(f"ralph-drill/{{task}}.{ending}" for ending in ("txt", "md", "py", "json"))
DEPENDENCIES = ("node_modules", ".venv", "venv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much may be copied, and what must stay free. Bytes.

    `tree` is the most of the whole work tree, of which each rehearsal has a copy; `untracked` of one file that git does
    not track, as for the runner's snapshots (design, part 1); `spare` stays free beside the copies.
    """

    tree: int = 1_000_000_000
    untracked: int = 10_000_000
    spare: int = 300_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A copy of a project that nothing works in.

    `tree` holds the files of the work tree, `repository` a bare clone (None where the project lies in none), with the
    file `config` and the folders `info` and, maybe, `hooks` of the person's repository beside it. `prefix` leads from
    the top to the project root ("" or "sub/dir"). `files` maps each path from the top to size and time of change (ns).
    `hooks` is where the person's hooks belong: "" in the git folder, else a path from the top; None where there are
    none for commits. `work` is the path of a file that git does not ignore, with {task} in it. `dependencies` are
    folders that checks may need and that are not copied. `size` counts bytes.
    """

    tree: Path
    repository: Path | None
    prefix: str
    files: Mapping[str, tuple[int, int]]
    size: int
    work: str
    hooks: str | None = None
    dependencies: tuple[str, ...] = ()
    not_copied: tuple[str, ...] = ()


BOUNDS = Bounds()


def make_model(
    root: Path, folder: Path, env: Mapping[str, str], wait: Callable[[], None], bounds: Bounds = BOUNDS
) -> Model:
    """Copy a project into a folder; `wait` is called in between and may raise. RalphError if it is too large."""
    root = root.resolve()
    top = _top(Git(root, env), root)
    person = PersonsRepository(Git(top, env)) if top is not None else None
    base = top or root
    paths = sorted(set(_listed(Git(base, env)) if person is not None else _walked(root)))
    tracked = frozenset(_tracked(Git(base, env)) if person is not None else paths)
    files, skipped = _sizes(base, paths, tracked, bounds)
    size = sum(size for size, _ in files.values())
    _fits(base, folder, COPIES * size + (person.copied_bytes if person is not None else 0), size, bounds)
    prefix = "" if base == root else root.relative_to(base).as_posix()
    tree = folder / "tree"
    (tree / prefix).mkdir(parents=True)
    for path in files:
        wait()
        _copy(base / path, tree / path)
    return Model(
        tree=tree,
        repository=person.clone(folder) if person is not None else None,
        prefix=prefix,
        files=files,
        size=size,
        work=_work(Git(root, env)),
        hooks=person.keep_hooks(folder) if person is not None else None,
        dependencies=_dependencies(root, {path.split("/")[0] for path in files}),
        not_copied=skipped,
    )


def _top(git: Git, root: Path) -> Path | None:
    """Return the top of the repository that a project lies in, None where the runner would use one of its own."""
    found = git.run("rev-parse", "--show-toplevel", check=False)
    if found.code == 0:
        top = Path(os.fsdecode(found.out).rstrip("\n"))
        ignored = top != root and git.run("check-ignore", "-q", "--", str(root), check=False).code == 0
        return None if ignored else top
    if "not a git repository" in found.err or "must be run in a work tree" in found.err:
        return None
    raise git_error(("rev-parse",), found)


def _listed(git: Git) -> list[str]:
    return [path for path in git.run("ls-files", "-z", "-c", "-o", "--exclude-standard").items if not _ours(path)]


def _tracked(git: Git) -> frozenset[str]:
    return frozenset(git.run("ls-files", "-z", "-c").items)


def _walked(root: Path) -> Iterator[str]:
    for folder, names, files in os.walk(root):
        names[:] = [name for name in names if name not in {*TOOL_FOLDERS, STATE, ".git"}]
        yield from (Path(folder, name).relative_to(root).as_posix() for name in files)


def _ours(path: str) -> bool:
    return STATE in path.split("/")


def _sizes(
    base: Path, paths: list[str], tracked: frozenset[str], bounds: Bounds
) -> tuple[dict[str, tuple[int, int]], tuple[str, ...]]:
    """Return size and time of each file that is copied, and the names of those that are not."""
    files: dict[str, tuple[int, int]] = {}
    skipped: list[str] = []
    for path in paths:
        try:
            found = os.lstat(base / path)
        except OSError:  # listed by git, but deleted
            continue
        whole = stat.S_ISREG(found.st_mode)
        readable = os.access(base / path, os.R_OK, follow_symlinks=False) or not whole
        large = whole and path not in tracked and found.st_size > bounds.untracked
        if large or not readable or not (whole or stat.S_ISLNK(found.st_mode)):
            skipped += [] if stat.S_ISDIR(found.st_mode) else [path]  # a submodule's folder
        else:
            files[path] = (found.st_size, found.st_mtime_ns)
    return files, tuple(skipped)


def _fits(base: Path, folder: Path, copies: int, size: int, bounds: Bounds) -> None:
    """Raise RalphError if the work tree (`size`, bytes) is too large, or the disk has no room for all `copies`."""
    if size > bounds.tree:
        raise RalphError(
            f"the work tree in {base} holds {shown(size)}; a drill copies {shown(bounds.tree)} at the most",
            hint="git-ignore what is made or downloaded, or drill in a smaller clone",
        )
    free, wanted = shutil.disk_usage(folder).free, copies + bounds.spare
    if free < wanted:
        raise RalphError(
            f"{shown(free)} are free in {folder}, and a drill takes {shown(wanted)}",
            hint="free some space, or set TMPDIR to another disk",
        )


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copy2(source, target, follow_symlinks=False)
    except FileNotFoundError:  # deleted meanwhile
        return
    except OSError as error:
        raise RalphError(f"{source} cannot be copied: {error.strerror}", hint="is the disk full?") from error


def _dependencies(root: Path, copied: Collection[str]) -> tuple[str, ...]:
    """Return the folders of installed packages at the root or one folder below it."""
    places = (
        *(root / name for name in DEPENDENCIES),
        *(path for name in DEPENDENCIES for path in root.glob(f"*/{name}")),
    )
    found = (path.relative_to(root).as_posix() for path in places if path.is_dir())
    return tuple(path for path in found if path not in copied)


def _work(git: Git) -> str:
    """Return the first name for work that git does not ignore."""
    names = (name for name in WORK_NAMES if git.run("check-ignore", "-q", "--", name, check=False).code != 0)
    return next(names, WORK_NAMES[0])
