"""Where what stood in the way of a repair goes: never destroyed, and named."""

from __future__ import annotations

import os
import shutil
from itertools import count
from pathlib import Path

from ralph_wiggum.adapters.project import make_state


class Aside:
    """Takes things into `aside/git-<n>/` of a spec's state folder, one number for each time of mending."""

    def __init__(self, state: Path, root: Path) -> None:
        self._folder = state / "aside"
        self._root = root
        self._now: Path | None = None

    def at(self, name: str) -> Path:
        """Return where something is that was taken under that name first."""
        return self._number() / name

    def take(self, path: Path, name: str = "") -> str:
        """Move a file or a folder there; return where it is, as a person in the project would write it.

        `name` is what to call it, else its own name. OSError if it cannot be moved: then it stands where it was.
        """
        folder = self._number()
        name = name or path.name
        target = folder / name
        free = (folder / f"{name}.{n}" for n in count(2))
        while os.path.lexists(target):
            target = next(free)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, target)
        return os.path.relpath(target, self._root)

    @property
    def folder(self) -> str:
        """Return where all that was taken is."""
        return os.path.relpath(self._number(), self._root)

    def _number(self) -> Path:
        if self._now is None:
            make_state(self._folder)
            self._now = next(at for n in count(1) if not os.path.lexists(at := self._folder / f"git-{n}"))
            self._now.mkdir()
        return self._now
