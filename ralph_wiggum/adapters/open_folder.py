"""A folder that is held open: it is known again, and found again, wherever it is moved to."""

from __future__ import annotations

import fcntl
import os
import sys
import weakref
from pathlib import Path

_F_GETPATH = 50  # fcntl(2) of macOS: the path of an open file, into a buffer of MAXPATHLEN
_MAXPATHLEN = 1024
_DELETED = " (deleted)"  # what Linux appends to the link in /proc/self/fd of what is gone (proc(5))


class OpenFolder:
    """Holds a folder by a descriptor, so that the system gives its inode number to no other; OSError if there is none.

    The descriptor is closed with the object, and in every program that this process starts.
    """

    def __init__(self, path: Path) -> None:
        flags = os.O_DIRECTORY | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)
        self._fd = os.open(path, flags)
        self._close = weakref.finalize(self, os.close, self._fd)
        found = os.fstat(self._fd)
        self.number = (found.st_dev, found.st_ino)

    def is_at(self, path: Path | str) -> bool:
        """Say whether this very folder stands there, not behind a symbolic link."""
        try:
            found = os.lstat(path)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == self.number

    def where(self) -> Path | None:
        """Return where the folder is now; None where it was removed, or nobody can tell."""
        try:
            found = Path(_path_of(self._fd))
        except OSError:
            return None
        return found if self.is_at(found) else None

    def close(self) -> None:
        """Let go of the folder; may be called again."""
        self._close()


def _path_of(fd: int) -> str:
    if sys.platform == "darwin":
        return os.fsdecode(fcntl.fcntl(fd, _F_GETPATH, bytes(_MAXPATHLEN)).split(b"\0", 1)[0])
    return os.readlink(f"/proc/self/fd/{fd}").removesuffix(_DELETED)  # noqa: PTH115 - Path has no use here
