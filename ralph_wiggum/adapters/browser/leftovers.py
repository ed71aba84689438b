"""The private folder of a run's browser: sockets, profiles, downloads. Short of name, and gone in the end."""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from pathlib import Path

from ralph_wiggum.core.errors import RalphError

_ROOM = (
    40  # characters for the folder above: a socket's path may have 104 on macOS, 108 on Linux, Chromium's its own 40
)
_FALLBACK = "/tmp"  # noqa: S108 - the folder below it is made for this user alone, and refused if it is another's


def folder_of(run_id: str) -> Path:
    """Return where the browser of a run keeps what it needs while it runs."""
    above = tempfile.gettempdir()
    name = re.sub(r"[^\w.-]", "-", run_id)[:40]
    return Path(above if len(above) <= _ROOM else _FALLBACK) / f"ralph-{name}"


def make(run_id: str) -> Path:
    """Make the folder for this user alone and return it; RalphError if somebody else's stands there."""
    folder = folder_of(run_id)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        if not _ours(folder):
            raise RalphError(f"{folder} belongs to somebody else", hint="remove it, or set TMPDIR") from None
    except OSError as error:
        raise RalphError(f"cannot make {folder}: {error.strerror}", hint="free some space, or set TMPDIR") from None
    return folder


def remove(run_id: str) -> None:
    """Remove what a run's browser left in its folder: at its end, or at the next start after it was killed."""
    folder = folder_of(run_id)
    if _ours(folder):
        shutil.rmtree(folder, ignore_errors=True)


def _ours(folder: Path) -> bool:
    """Say whether a folder is one that we made: no link, this user's, closed to others."""
    try:
        found = os.lstat(folder)
    except OSError:
        return False
    mode = stat.S_IMODE(found.st_mode)
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not mode & 0o077
