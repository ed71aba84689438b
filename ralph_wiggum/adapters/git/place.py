"""Which repository a project lies in, and the private one for a project that lies in none."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ralph_wiggum.adapters.git.commands import Git, git_error
from ralph_wiggum.adapters.project import STATE, make_state

# Under these a folder holds what tools downloaded or made: never snapshotted while untracked, never committed.
TOOL_FOLDERS = (
    *("node_modules", ".venv", "venv", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".tox", ".nox"),
    *(".hypothesis", ".gradle", ".next", ".turbo", ".aider.tags.cache.v3", ".aider.tags.cache.v4"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where things are: `top` of the work tree, its git folder, what worktrees share of it.

    `prefix` leads from the top to the project root ("" or "sub/dir/"); `outside` are paths from the top that snapshots
    leave alone; `why_private` says why a repository of our own serves ("" where the person's does).
    """

    git: Git
    top: Path
    git_dir: Path
    common_dir: Path
    state: Path
    prefix: str
    outside: tuple[str, ...]
    why_private: str = ""

    @property
    def excludes(self) -> tuple[str, ...]:
        """Return the pathspecs for everything but the runner's own files."""
        return (".", *(f":(top,exclude,literal){path}" for path in self.outside))

    def shown(self, path: str) -> str:
        """Return a path from the top as a person in the project root would write it (printable)."""
        path = os.fsencode(path).decode("utf-8", "backslashreplace")
        if not self.prefix:
            return path
        if path.startswith(self.prefix):
            return path[len(self.prefix) :]
        slash = "/" if path.endswith("/") else ""
        return os.path.relpath(path, self.prefix) + slash


def copy_home(state: Path) -> Path:
    """Return the folder of the safety copy for the state folder of a spec: one for all specs of a work tree."""
    return (state.parent if state.parent.name == STATE else state) / "git-copy"


def locate(root: Path, state: Path, owned: Sequence[Path], env: Mapping[str, str] | None, hook_seconds: float) -> Place:
    """Return the repository that covers `root`, or a private one in `state` where none does.

    Raises RalphError when git is missing, or finds a repository and refuses it.
    """
    root = root.resolve()
    state.mkdir(parents=True, exist_ok=True)
    state = state.resolve()
    finder = Git(root, env)
    found = finder.run("rev-parse", "--show-toplevel", "--absolute-git-dir", "--git-common-dir", check=False)
    if found.code == 0:
        top, git_dir, common = (Path(line) for line in os.fsdecode(found.out).rstrip("\n").split("\n"))
        if top == root or finder.run("check-ignore", "-q", "--", str(root), check=False).code != 0:
            git = Git(top, finder.env, git_dir, hook_seconds)
            return _place(git, root, state, owned, common_dir=(root / common).resolve())
        return _private(root, state, owned, finder, f"the repository in {top} ignores this folder")
    if "not a git repository" in found.err or "must be run in a work tree" in found.err:
        return _private(root, state, owned, finder, "this folder is in no git repository")
    raise git_error(("rev-parse",), found)


def _place(git: Git, root: Path, state: Path, owned: Sequence[Path], *, common_dir: Path, why: str = "") -> Place:
    top = git.cwd
    prefix = "" if root == top else f"{root.relative_to(top).as_posix()}/"
    inside = (_from_top(path, root, top) for path in (*owned, state, copy_home(state)))
    return Place(
        git=git,
        top=top,
        git_dir=git.git_dir or common_dir,
        common_dir=common_dir,
        state=state,
        prefix=prefix,
        outside=tuple(dict.fromkeys(path for path in inside if path)),
        why_private=why,
    )


def _private(root: Path, state: Path, owned: Sequence[Path], finder: Git, why: str) -> Place:
    git_dir = state / "snapshots.git"
    git = Git(root, finder.env, git_dir)
    if not (git_dir / "HEAD").exists():
        git.run("init", "-q", "--template=")
    return _place(git, root, state, owned, common_dir=git_dir, why=why)


def init_again(place: Place) -> list[str]:
    """Begin the private repository anew where somebody removed it with the runner's folder; return words."""
    if not place.why_private or (place.git_dir / "HEAD").exists():
        return []
    make_state(place.state)
    place.git.run("init", "-q", "--template=")
    return ["the runner's folder was removed, and the snapshots in it: begun anew"]


def _from_top(path: Path, root: Path, top: Path) -> str:
    """Return a path below the top, from there, or ""; the last part may be a symbolic link and is not followed."""
    full = root / path
    full = full.parent.resolve() / full.name
    return full.relative_to(top).as_posix() if full != top and full.is_relative_to(top) else ""
