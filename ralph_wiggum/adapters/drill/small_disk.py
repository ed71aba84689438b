"""A disk of some megabytes in memory, to be filled: a tmpfs, where this user may mount one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

MOUNT_SECONDS = 10.0
ROOM_BYTES = 64_000_000  # beside the copy: what the runs write, and room to fill
MOST_BYTES = 400_000_000


class NoSmallDiskError(Exception):
    """This user, this machine or this project cannot have a small disk; the text says why."""


class SmallDisk:
    """A mounted tmpfs. `close` takes it away, whatever lies on it; it may be called again."""

    def __init__(self, folder: Path, content: int) -> None:
        """Mount it on a new folder, with room for `content` bytes; NoSmallDiskError where that cannot be."""
        self.folder = folder
        size = content * 3 // 2 + ROOM_BYTES
        if sys.platform != "linux" or os.geteuid() != 0:
            raise NoSmallDiskError("only root on Linux may mount a small disk to fill")
        if size > MOST_BYTES:
            raise NoSmallDiskError(f"the copy is too large for a small disk ({content // 1_000_000} MB)")
        folder.mkdir()
        said = _run("mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "ralph-drill", str(folder))
        if said:
            raise NoSmallDiskError(f"no small disk can be mounted here: {said}")

    def close(self) -> None:
        """Take the disk away."""
        unmount(self.folder)


def unmount(folder: Path) -> None:
    """Take a disk away that is mounted on a folder, at once or as soon as nobody uses it any more."""
    if folder.is_mount() and _run("umount", str(folder)):
        _run("umount", "-l", str(folder))


def _run(*argv: str) -> str:
    """Return "" or why a command failed, in its own words."""
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=MOUNT_SECONDS, check=False, env=_plain()
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    words = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return "" if done.returncode == 0 else (words or [f"exit code {done.returncode}"])[0]


def _plain() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"), "LC_ALL": "C"}
