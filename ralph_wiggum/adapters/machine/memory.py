"""How much memory there is: of the machine, or of the container (cgroup) that the runner is in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from ralph_wiggum.adapters.whole_file import read_file
from ralph_wiggum.core.settings import MachineSettings

SYSTEM = Path("/")

_FILE_BYTES = 1 << 16
_V2 = ("sys/fs/cgroup", "sys/fs/cgroup/unified")  # cgroups(7): alone, or beside version 1
_V1 = ("sys/fs/cgroup/memory", "sys/fs/cgroup/memory,hugetlb")


def memory_limit(settings: MachineSettings, system: Path = SYSTEM) -> int:
    """Return what the family of an agent may hold, in bytes; 0 for no limit.

    Where the settings name a share, it is one of what there is, so that the attempt ends before the kernel ends
    whatever it likes.
    """
    if settings.max_memory is not None:
        return settings.max_memory
    return int(settings.memory_share * (available_memory(system) or 0))


def available_memory(system: Path = SYSTEM) -> int | None:
    """Return the memory of the machine, or of the smallest cgroup around the runner; None where nobody can tell."""
    known = [found for found in (_of_machine(), *_of_cgroups(system)) if found]
    return min(known, default=None)


def _of_machine() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None


def _of_cgroups(system: Path) -> Iterator[int]:
    """Yield each limit that holds: that of the own group and of all above it (cgroups(7), memory.max).

    Inside of a container the path may be that of the host: what is not there is left out.
    """
    for line in _text(system / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        group = PurePosixPath(path.lstrip("/"))
        if controllers == "":
            files = [system / mount / place / "memory.max" for mount in _V2 for place in (group, *group.parents)]
        elif "memory" in controllers.split(","):
            name = "memory.limit_in_bytes"
            files = [system / mount / place / name for mount in _V1 for place in (group, *group.parents)]
        else:
            continue
        yield from (int(text) for text in map(_text, files) if text.isdecimal())  # "max": no limit


def _text(path: Path) -> str:
    try:
        return read_file(path, _FILE_BYTES).decode("utf-8", errors="replace").strip()
    except OSError:
        return ""
