"""Folders that have to stay where they are, found again by a descriptor where somebody moved them (B10)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from ralph_wiggum.adapters.aside import kind_of, link_of, move_aside
from ralph_wiggum.adapters.kept_files import KeptFiles, KeptFolder
from ralph_wiggum.adapters.open_folder import OpenFolder


class GuardedFolders:
    """The folders of `kept`, from the top down. After `put_back`, `gone` are those whose content is to be brought back.

    A folder that was deleted and made again is taken as it is; one that was moved comes back with all that is in it,
    and what was put in its place goes to the state folder.
    """

    def __init__(self, kept: KeptFiles, state: Path, shown: Callable[[Path], str]) -> None:
        self.gone: list[Path] = []
        self._kept = kept
        self._state = state
        self._shown = shown
        self._open: dict[Path, OpenFolder] = {}

    def hold(self, paths: Iterable[Path]) -> None:
        """Take hold of these folders as they are now; microseconds for those that are held already."""
        for path in paths:
            self._kept.keep_folder(path)
            held = self._open.get(path)
            if held is None or not held.is_at(path):
                with suppress(OSError):  # a link is not held, what it leads to is
                    self._open[path] = OpenFolder(path)

    def put_back(self) -> tuple[str, ...]:
        """Have every folder where it was; return words, one a thing."""
        self.gone = []
        words: list[str] = []
        for path, kept in self._kept.folders.items():
            try:
                words.extend(self._link_put_back(path, kept) if kept.link else self._folder_put_back(path))
                if not path.is_dir():
                    self._make(path, kept)
            except OSError as error:
                words.append(f"{self._shown(path)} cannot be put back: {error.strerror}")
        return tuple(words)

    def _link_put_back(self, path: Path, kept: KeptFolder) -> list[str]:
        if link_of(path) == kept.link:
            return []
        words = self._freed(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(kept.link)
        return [*words, f"{self._shown(path)} is the link again that it was"]

    def _folder_put_back(self, path: Path) -> list[str]:
        held = self._open.get(path)
        moved = None if held is None or held.is_at(path) else held.where()
        is_folder = path.is_dir() and not path.is_symlink()
        if held is None or moved is None:
            return [] if is_folder else self._freed(path)
        words = self._freed(path)
        now = held.where() or moved  # it may have lain in what stood in its place
        path.parent.mkdir(parents=True, exist_ok=True)
        now.rename(path)
        return [*words, f"{self._shown(path)} had been moved to {self._shown(moved)}; moved back"]

    def _freed(self, path: Path) -> list[str]:
        """Free a path; return words if something stood there."""
        if not os.path.lexists(path):
            return []
        what = kind_of(path)
        aside = move_aside(path, self._state)
        kept = f"; what stood there is kept in {self._shown(aside)}" if aside else ""
        return [f"{self._shown(path)} had become {what}{kept}"]

    def _make(self, path: Path, kept: KeptFolder) -> None:
        """Make a folder that is gone, or the one that a link leads to; what is below another such comes with that."""
        if not any(path.is_relative_to(above) for above in self.gone):
            self.gone.append(path)
        Path(os.path.realpath(path)).mkdir(parents=True, exist_ok=True, mode=kept.mode | 0o700)
