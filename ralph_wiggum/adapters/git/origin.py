"""Which repository a safety copy is of: where its folders lie, and how `.git` leads to them."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from ralph_wiggum.adapters.git.place import Place
from ralph_wiggum.adapters.git.sound import is_judged, sound
from ralph_wiggum.adapters.whole_file import read_file

FOLDER, FILE, LINK, NOTHING = "folder", "file", "link", ""
_HEADER, _WHOLE = 64, 64_000_000  # bytes read to judge a file: packed-refs is all looked at
_SHORT = 4096  # bytes of a `.git` that is a file (gitrepository-layout(5): "gitdir: PATH")
Number = tuple[int, int]  # device and inode


@dataclass(frozen=True, slots=True)
class DotGit:
    """`.git` at the top of the work tree: a folder, a file (linked worktree, submodule) or a symbolic link.

    `text` is what the file holds or where the link leads.
    """

    kind: str = NOTHING
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A repository, with the number of the folder that holds it (`common_dir`)."""

    top: Path
    git_dir: Path
    common_dir: Path
    dot_git: DotGit
    number: Number

    @classmethod
    def of(cls, place: Place) -> Self:
        """Return the repository of a place, as it is now; OSError where it is gone."""
        found = place.common_dir.stat()
        return cls(
            top=place.top,
            git_dir=place.git_dir,
            common_dir=place.common_dir,
            dot_git=read_dot_git(place.top / ".git"),
            number=(found.st_dev, found.st_ino),
        )

    @property
    def dot_git_path(self) -> Path:
        """Return where `.git` belongs."""
        return self.top / ".git"

    @property
    def folders(self) -> tuple[Path, ...]:
        """Return the folders that make up the repository, none within another."""
        return (self.common_dir,) if self.git_dir.is_relative_to(self.common_dir) else (self.common_dir, self.git_dir)

    @property
    def keeps_refs_as_files(self) -> bool:
        """Say whether every ref is a file or a line of packed-refs, and not in a reftable."""
        return not (self.common_dir / "reftable").is_dir()

    def name(self, path: Path) -> str:
        """Return the name of a file in git's folder; of one in a linked work tree's own folder, the name in that."""
        asked, own = str(path), f"{self.git_dir}/"  # texts are quicker
        return asked.removeprefix(own if asked.startswith(own) else f"{self.common_dir}/")

    def sound(self, path: Path, name: str = "") -> bool:
        """Say whether git can read a small file of its folder, or the copy of the file `name`; OSError without one."""
        name = name or self.name(path)
        if name.startswith("refs/") and not self.keeps_refs_as_files:
            return True
        return not is_judged(name) or sound(name, read_file(path, _HEADER if name == "index" else _WHOLE))

    def numbered(self) -> Self:
        """Return the same with the number of the folder that stands there now; OSError where none does."""
        found = self.common_dir.stat()
        return replace(self, number=(found.st_dev, found.st_ino))

    def data(self, root: Path) -> dict[str, Any]:
        """Return plain data. What lies near the project is told from there, so that it may be moved as a whole."""
        return {
            "top": _told(self.top, root),
            "git_dir": _told(self.git_dir, root),
            "common_dir": _told(self.common_dir, root),
            "dot_git": [self.dot_git.kind, self.dot_git.text],
            "number": list(self.number),
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any], root: Path) -> Self:
        """Return what `data` made; ValueError, KeyError or TypeError for anything else."""
        kind, text = data["dot_git"]
        device, inode = data["number"]
        return cls(
            top=_found(data["top"], root),
            git_dir=_found(data["git_dir"], root),
            common_dir=_found(data["common_dir"], root),
            dot_git=DotGit(str(kind), str(text)),
            number=(int(device), int(inode)),
        )


def read_dot_git(path: Path) -> DotGit:
    """Return what stands there."""
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            return DotGit(LINK, os.fsdecode(path.readlink()))
        if stat.S_ISDIR(mode):
            return DotGit(FOLDER)
        return DotGit(FILE, os.fsdecode(read_file(path, _SHORT)))
    except OSError:
        return DotGit()


def _told(path: Path, root: Path) -> str:
    """Return a path from the project root where it lies in it, or the root in it; else absolute."""
    near = path.is_relative_to(root) or root.is_relative_to(path) or root.is_relative_to(path.parent)
    return os.path.relpath(path, root) if near else str(path)


def _found(told: str, root: Path) -> Path:
    return Path(os.path.normpath(root / told))
