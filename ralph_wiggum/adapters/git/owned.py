"""The runner's own files in the repository (tasks.md, activity.md …): which of them may be committed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from ralph_wiggum.adapters.git.place import Place


class Owned:
    """Decides by how things were when the run began: what the person had not committed then is left out."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._record = place.state / "owned.json"
        self._ignored: dict[str, bool] = {}
        self.dirty: frozenset[str] = frozenset()

    def begin(self, *, resumed: bool) -> None:
        """Look which runner-owned files hold changes of the person's.

        A resumed run goes by what the broken one found, because the changes since are the runner's. A file that did
        not exist when an earlier run began, and is untracked now, is the runner's as well.
        """
        status = self._status()
        earlier_dirty, made = self._load()
        dirty = {path for path, code in status.items() if code != "??" or not _under(path, made)}
        if resumed:
            dirty &= earlier_dirty
        self.dirty = frozenset(dirty)
        made |= {path for path in self._place.outside if not os.path.lexists(self._place.top / path)}
        self._save(made)

    def due(self, files: Iterable[Path], persons: frozenset[str]) -> list[str]:
        """Return the files that a commit may hold: real ones in the work tree, clean at first, not ignored."""
        paths = [path for path in map(self._from_top, files) if path]
        self._ask_ignored([path for path in paths if path not in self._ignored])
        return [path for path in paths if not self._ignored[path] and path not in self.dirty | persons]

    def content(self, paths: Sequence[str]) -> dict[str, str]:
        """Store the files as they are now; return path -> "mode id"."""
        if not paths:
            return {}
        names = "".join(f"{path}\n" for path in paths)
        ids = self._place.git.run("hash-object", "-w", "--stdin-paths", stdin=os.fsencode(names)).text.split("\n")
        return {path: f"{self._mode(path)} {object_id}" for path, object_id in zip(paths, ids, strict=True)}

    def _mode(self, path: str) -> str:
        return "100755" if os.access(self._place.top / path, os.X_OK) else "100644"

    def _from_top(self, file: Path) -> str:
        """Return a regular file's path from the top, or "" for what is no such file."""
        full = self._place.top / self._place.prefix / file
        full = full.parent.resolve() / full.name
        if "\n" in str(full) or full.is_symlink() or not full.is_file() or not full.is_relative_to(self._place.top):
            return ""
        return full.relative_to(self._place.top).as_posix()

    def _ask_ignored(self, paths: Sequence[str]) -> None:
        if paths:
            ignored = set(self._place.git.run("check-ignore", "-z", "--stdin", stdin=paths, check=False).items)
            self._ignored |= {path: path in ignored for path in paths}

    def _status(self) -> dict[str, str]:
        options = ("status", "--porcelain", "-z", "-uall", "--no-renames", "--")
        place = self._place
        files = [path for path in place.outside if not place.state.is_relative_to(place.top / path)]
        pathspecs = [] if place.why_private else [f":(top,literal){path}" for path in files]
        items = place.git.run(*options, *pathspecs).items if pathspecs else []
        return {item[3:]: item[:2] for item in items}

    def _load(self) -> tuple[set[str], set[str]]:
        with suppress(OSError, ValueError, KeyError, TypeError):
            record = json.loads(self._record.read_text(encoding="utf-8"))
            return set(record["dirty"]), set(record["made"])
        return set(), set()

    def _save(self, made: Iterable[str]) -> None:
        record = {"dirty": sorted(self.dirty), "made": sorted(made)}
        scratch = self._record.with_suffix(".new")
        scratch.write_text(json.dumps(record), encoding="utf-8")
        scratch.replace(self._record)


def _under(path: str, folders: Iterable[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)
