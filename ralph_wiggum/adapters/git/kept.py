"""Small files that git does not keep (ignored ones, untracked secrets): copied once at the start of a run.

The copies are plain files in the runner's folder and never objects of git, so that no push can carry them away.
What becomes of them: a file that is missing is put back; a secret (`.env`, a key) that was changed is put back too and
the other version kept beside; any other that was changed (a local database, a log) is left alone, because a program
that runs may be writing it.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from ralph_wiggum.adapters.git.late import Late
from ralph_wiggum.adapters.git.place import TOOL_FOLDERS, Place
from ralph_wiggum.core.commits import is_secret

KEPT_BYTES = 1_000_000  # a file
KEPT_FILES = 2_000
KEPT_TOTAL_BYTES = 64_000_000
_WALKED_FILES = 50_000  # looked at below ignored folders
# Ignored and never worth keeping: what a build or an installation makes again.
_MADE_AGAIN = frozenset({*TOOL_FOLDERS, ".git", ".ralph", "target", "dist", "build", "out", "vendor", "coverage"})


class Kept:
    """Copies of small ignored files, and which folders were empty."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._copies = place.state / "kept"
        self._aside = place.state / "aside"
        self._stats: dict[str, tuple[int, int]] = {}
        self.empty_folders: frozenset[str] = frozenset()

    @property
    def paths(self) -> tuple[str, ...]:
        """Return the paths that were copied, from the top of the work tree."""
        return tuple(self._stats)

    def begin(self, *, resumed: bool) -> None:
        """Copy what is there now; a resumed run also holds on to the copies that the broken one made."""
        earlier = set(self._copied()) if resumed else set()
        self._stats = {}
        budget = KEPT_TOTAL_BYTES
        for path in self._candidates():
            if self._outside(path) or not _MADE_AGAIN.isdisjoint(path.split("/")):
                continue
            size = self._copy(path, budget)
            budget -= size
            if len(self._stats) >= KEPT_FILES or budget <= 0:
                break
        for path in set(self._copied()) - self._stats.keys():
            if path in earlier and not (self._place.top / path).exists():
                self._note(path, self._copies / path)
            else:
                (self._copies / path).unlink(missing_ok=True)
        self.empty_folders = frozenset(_empty_folders(self._place.top))

    def recover(self, late: Late) -> tuple[str, ...]:
        """Put back what an attempt that was cut off took, by the copies of its run; comes before `begin`.

        What was changed too late for that is left: the person mended it.
        """
        copied = [path for path in self._copied() if not late.file(self._place.top / path)]
        for path in copied:
            self._note(path, self._copies / path)
        return self.put_back(only_secrets=not self.all_missing())

    def put_back(self, *, only_secrets: bool = False) -> tuple[str, ...]:
        """Put back what is missing and the secrets that were changed; return their paths, from the top."""
        mended = []
        for path, stats in self._stats.items():
            secret = is_secret(path)
            now = _stats(self._place.top / path)
            if now == stats or (now is not None and not secret) or (only_secrets and not secret):
                continue
            with suppress(OSError):
                if now is not None and now[0] >= 0 and self._same(path):
                    self._note(path, self._place.top / path)
                    continue
                self._return(path, there=now is not None)
                mended.append(path)
        return tuple(mended)

    def refresh(self) -> None:
        """Take what is there now for right, after a completed task: changed files are copied anew."""
        for path, stats in list(self._stats.items()):
            now = _stats(self._place.top / path)
            if now != stats:
                del self._stats[path]
                if not self._copy(path, KEPT_BYTES):
                    (self._copies / path).unlink(missing_ok=True)

    def all_missing(self) -> bool:
        """Say whether two or more were copied and none is left: the sign of `git clean -x`."""
        return len(self._stats) > 1 and not any(os.path.lexists(self._place.top / path) for path in self._stats)

    def set_aside(self, path: str) -> None:
        """Move a file that cannot be stored out of the work tree, into the runner's folder; OSError if it cannot be."""
        target = self._aside / path
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.move(self._place.top / path, target)

    def _return(self, path: str, *, there: bool) -> None:
        if there:
            self.set_aside(path)
        target = self._place.top / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(self._copies / path, target)
        self._note(path, target)

    def _same(self, path: str) -> bool:
        """Say whether a file that was touched still has the content of its copy."""
        return (self._copies / path).read_bytes() == (self._place.top / path).read_bytes()

    def _copy(self, path: str, budget: int) -> int:
        """Copy one file unless the copy is there already; return its size, 0 if it was not copied."""
        source, target = self._place.top / path, self._copies / path
        stats = _stats(source)
        if stats is None or not 0 <= stats[0] <= min(KEPT_BYTES, budget):
            return 0
        if stats != _stats(target):
            try:
                target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                shutil.copy2(source, target)
            except OSError:  # unreadable, vanished: nothing to keep
                return 0
        self._stats[path] = stats
        return stats[0]

    def _note(self, path: str, at: Path) -> None:
        stats = _stats(at)
        if stats is not None:
            self._stats[path] = stats

    def _copied(self) -> Iterator[str]:
        for folder, _, names in os.walk(self._copies):
            for name in names:
                yield (Path(folder) / name).relative_to(self._copies).as_posix()

    def _outside(self, path: str) -> bool:
        return any(path == owned or path.startswith(f"{owned}/") for owned in self._place.outside)

    def _candidates(self) -> Iterator[str]:
        """Yield ignored files and untracked secrets; what git collapses to a folder is walked."""
        git, excludes = self._place.git, self._place.excludes
        others = git.run("ls-files", "-o", "-z", "--exclude-standard", "--directory", "--", *excludes).items
        ignored = git.run("ls-files", "-o", "-i", "-z", "--exclude-standard", "--directory", "--", *excludes).items
        walked = self._walk(path for path in ignored if path.endswith("/"))
        secrets = (path for path in (*others, *self._walk(p for p in others if p.endswith("/"))) if is_secret(path))
        yield from dict.fromkeys((*(path for path in ignored if not path.endswith("/")), *secrets, *walked))

    def _walk(self, folders: Iterable[str]) -> list[str]:
        found: list[str] = []
        for start in folders:
            if not _MADE_AGAIN.isdisjoint(start.split("/")):
                continue
            for folder, names, files in os.walk(self._place.top / start):
                names[:] = [name for name in names if name not in _MADE_AGAIN]
                found += [os.path.relpath(os.path.join(folder, name), self._place.top) for name in files]  # noqa: PTH118 - hot loop
                if len(found) > _WALKED_FILES:
                    return found
        return found


def _stats(path: Path) -> tuple[int, int] | None:
    """Return size and time of a regular file, (-1, 0) for what is none, None where there is nothing."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return (found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else (-1, 0)


def _empty_folders(top: Path) -> Iterator[str]:
    """Yield the folders that hold nothing: git does not know them, and a restore must not take them away."""
    for folder, names, files in os.walk(top):
        names[:] = [name for name in names if name not in _MADE_AGAIN]
        if not names and not files:
            yield os.path.relpath(folder, top)
