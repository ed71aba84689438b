"""Lock files of git: a dead git's is removed, a live one's is waited for."""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from pathlib import Path

WAIT_SECONDS = 20.0  # for a lock that a living git holds
FRESH_SECONDS = 1.0  # a lock this young is believed, whoever holds it
OLD_SECONDS = 60.0  # a lock this old is nobody's, where processes cannot be looked at
_PAUSE_SECONDS = 0.05
_LOCK = re.compile(r"Unable to create '(.+?\.lock)': File exists")


# Beside these each ref has one, and with reftable its list of tables.
_LOCKED = ("index", "HEAD", "packed-refs", "config", "config.worktree", "shallow", "reftable/tables.list")


def lock_files(git_dir: Path, common_dir: Path) -> list[Path]:
    """Return the locks that stand in a repository, whoever holds them."""
    fixed = (f"{folder}/{name}.lock" for folder in {str(git_dir): 0, str(common_dir): 0} for name in _LOCKED)
    found = [Path(lock) for lock in fixed if os.path.exists(lock)]  # noqa: PTH110 - asked after every attempt
    for folder, _, names in os.walk(common_dir / "refs"):
        found += [Path(folder, name) for name in names if name.endswith(".lock")]
    return found


class LockWait:
    """One command's patience with locks; `notes` tell what was removed."""

    def __init__(self, top: Path, *, wait_seconds: float = WAIT_SECONDS) -> None:
        self.notes: list[str] = []
        self._top = top
        self._deadline = time.monotonic() + wait_seconds

    def passed(self, said: str) -> bool:
        """Return whether the command may be tried again: the lock that git complained of is gone or was removed."""
        found = _LOCK.search(said)
        return found is not None and self.free(self._top / found[1])

    def free(self, lock: Path) -> bool:
        """Wait until the lock is gone, or remove it where its git is gone; False if it stays."""
        while time.monotonic() < self._deadline:
            if not lock.exists():
                return True
            if _stale(lock, self._top):
                lock.unlink(missing_ok=True)
                self.notes.append(f"removed {lock}, left behind by a git process that is gone")
                return True
            time.sleep(_PAUSE_SECONDS)
        return False


def _stale(lock: Path, top: Path) -> bool:
    """Say whether no living git can hold this lock: old enough, and no git process works in the tree.

    A git that ended while the processes were looked at took its lock along; what is there then is another's.
    """
    found = _stamp(lock)
    if found is None:
        return False
    age = time.time() - found[1] / 1e9  # the file system's clock stamps it, so compare with that
    if not Path("/proc/self/fd").exists():
        return age > OLD_SECONDS
    processes = (entry for entry in Path("/proc").iterdir() if entry.name.isdigit())
    orphan = age > FRESH_SECONDS and not any(_works_in(process, top, lock) for process in processes)
    return orphan and _stamp(lock) == found


def _stamp(lock: Path) -> tuple[int, int] | None:
    """Return inode and time of change (ns) of the lock file, None if it is gone."""
    try:
        stats = lock.lstat()
    except OSError:
        return None
    return stats.st_ino, stats.st_mtime_ns


def _works_in(process: Path, top: Path, lock: Path) -> bool:
    """Say whether the process (a folder of /proc) is a git inside the tree, or has the lock file open."""
    with suppress(OSError):
        if (process / "comm").read_text().startswith("git"):
            cwd = (process / "cwd").readlink()
            return cwd.is_relative_to(top) or lock.is_relative_to(cwd)
    with suppress(OSError):
        return any(entry.readlink() == lock for entry in (process / "fd").iterdir())
    return False
