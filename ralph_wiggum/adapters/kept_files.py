"""Copies of small files beside the journal, with an index: what a night began with, for the case that it goes away."""

from __future__ import annotations

import json
import os
import shutil
import stat
import zlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from ralph_wiggum.adapters.project import make_state
from ralph_wiggum.adapters.whole_file import read_file, replace_file

FILE_BYTES = 1 << 20
LOG_BYTES = 16 << 20
TOTAL_BYTES = 64 << 20
MOST_FILES = 1000
_INDEX = "index.json"
_OUTSIDE = "outside"


class KeptFile(NamedTuple):
    """A file as it was when it was copied. `time` is of its last change (ns); `link` is where it pointed, or ""."""

    size: int = 0
    time: int = 0
    inode: int = 0
    mode: int = 0o644
    check: int = 0
    link: str = ""


class KeptFolder(NamedTuple):
    """A folder as it was: its mode, and where it pointed if it was a symbolic link."""

    mode: int = 0o755
    link: str = ""


class KeptFiles:
    """The copies in one folder; `files` and `folders` are known by their absolute paths.

    Bounded: a file of up to 1 MB (a log of up to 16 MB), 64 MB and 1,000 files in all; what goes beyond is not kept.
    """

    def __init__(self, folder: Path, root: Path) -> None:
        self._folder = folder
        self._root = root
        self.files: dict[Path, KeptFile] = {}
        self.folders: dict[Path, KeptFolder] = {}
        self._changed = False

    def load(self) -> bool:
        """Take up what an earlier process kept; say whether there is anything."""
        with suppress(OSError, ValueError, TypeError, AttributeError):
            data = json.loads(read_file(self._folder / _INDEX))
            files = {self._root / path: KeptFile(*values) for path, values in data["files"].items()}
            folders = {self._root / path: KeptFolder(*values) for path, values in data["folders"].items()}
            self.files, self.folders = files, folders
        return bool(self.files or self.folders)

    def save(self) -> None:
        """Write the index if anything changed; OSError if that cannot be done."""
        if not self._changed:
            return
        data: dict[str, Any] = {"v": 1}
        data["files"] = {self._short(path): [*kept] for path, kept in self.files.items()}
        data["folders"] = {self._short(path): [*kept] for path, kept in self.folders.items()}
        make_state(self._folder)
        replace_file(self._folder / _INDEX, (json.dumps(data).encode(),), durable=False)
        self._changed = False

    def keep_folder(self, path: Path) -> None:
        """Note how a folder, or a link to one, is; nothing where there is none."""
        try:
            found = os.lstat(path)
            link = os.readlink(path) if stat.S_ISLNK(found.st_mode) else ""  # noqa: PTH115 - as the text it is
        except OSError:
            return
        kept = KeptFolder(stat.S_IMODE(found.st_mode), link)
        if (link or stat.S_ISDIR(found.st_mode)) and self.folders.get(path) != kept:
            self.folders[path] = kept
            self._changed = True

    def keep(self, path: Path, limit: int = FILE_BYTES) -> None:
        """Copy a file if it changed since it was copied last; nothing where it is not there, no file, or too large.

        OSError if the copy cannot be written.
        """
        try:
            found, named = os.stat(path), os.lstat(path)  # noqa: PTH116 - the pair of lstat
            link = os.readlink(path) if stat.S_ISLNK(named.st_mode) else ""  # noqa: PTH115 - as the text it is
        except OSError:
            return
        before = self.files.get(path)
        state = (found.st_size, found.st_mtime_ns, found.st_ino, stat.S_IMODE(found.st_mode))
        if before is not None and (*before[:4], before.link) == (*state, link):
            return
        if not stat.S_ISREG(found.st_mode) or found.st_size > limit or not self._room(path, found.st_size):
            return
        try:
            data = read_file(path)
        except OSError:
            return
        copy = self._copy(path)
        make_state(copy.parent)
        replace_file(copy, (data,), durable=False)
        self.files[path] = KeptFile(len(data), *state[1:], zlib.crc32(data), link)
        self._changed = True

    def forget_others(self, files: Iterable[Path], folders: Iterable[Path]) -> None:
        """Let go of what is not among these: the person removed it since."""
        wanted, places = set(files), set(folders)
        for path in [each for each in self.files if each not in wanted]:
            del self.files[path]
            self._copy(path).unlink(missing_ok=True)
            self._changed = True
        for path in [each for each in self.folders if each not in places]:
            del self.folders[path]
            self._changed = True

    def clear(self) -> None:
        """Let go of everything."""
        self.files, self.folders, self._changed = {}, {}, True
        shutil.rmtree(self._folder, ignore_errors=True)

    def content(self, path: Path) -> bytes | None:
        """Return what was copied of a file; None if nothing was, or if a power cut spoiled the copy."""
        kept = self.files.get(path)
        with suppress(OSError):
            data = read_file(self._copy(path), LOG_BYTES + 1)
            if kept is not None and len(data) == kept.size and zlib.crc32(data) == kept.check:
                return data
        return None

    def _room(self, path: Path, size: int) -> bool:
        others = [kept.size for each, kept in self.files.items() if each != path]
        return len(others) < MOST_FILES and sum(others) + size <= TOTAL_BYTES

    def _short(self, path: Path) -> str:
        return str(path.relative_to(self._root)) if path.is_relative_to(self._root) else str(path)

    def _copy(self, path: Path) -> Path:
        if path.is_relative_to(self._root):
            return self._folder / path.relative_to(self._root)
        return self._folder / _OUTSIDE / str(path).lstrip("/")
