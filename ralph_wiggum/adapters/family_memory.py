"""What a family of processes holds of the machine's memory.

On Linux first by /proc/PID/status, which costs 30 µs a process: anonymous memory, shared memory and swap, without
pages of files, which the kernel can drop. What forks share is counted for each of them there; so only a family that
seems to hold too much is measured by /proc/PID/smaps_rollup, which shares such pages out (proc(5): Pss) and costs
milliseconds for each gigabyte. Elsewhere psutil's resident size.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

_ROUGH = re.compile(rb"^(?:RssAnon|RssShmem|VmSwap):\s+(\d+) kB", re.MULTILINE)
_EXACT = re.compile(rb"^(?:Pss_Anon|Pss_Shmem|SwapPss):\s+(\d+) kB", re.MULTILINE)
_READ_BYTES = 1 << 14

Measure = Callable[[Iterable[int]], Mapping[int, int]]


def rough(pids: Iterable[int]) -> Mapping[int, int]:
    """Return what each process holds, in bytes, by pid; too much where memory is shared. What is gone is left out."""
    if sys.platform != "linux":
        return _resident(pids)
    found = {pid: _sum(f"/proc/{pid}/status", _ROUGH) for pid in pids}
    return {pid: held for pid, held in found.items() if held is not None}


def exact(pids: Iterable[int]) -> Mapping[int, int]:
    """Return what each process holds, in bytes, shared memory shared out; rough where that may not be read."""
    if sys.platform != "linux":
        return _resident(pids)
    held: dict[int, int] = {}
    for pid in pids:
        found = _sum(f"/proc/{pid}/smaps_rollup", _EXACT)
        held |= rough((pid,)) if found is None else {pid: found}
    return held


def _sum(path: str, lines: re.Pattern[bytes]) -> int | None:
    """Return the sum of the lines of a file of /proc, None where it cannot be read or has none of them."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        figures = lines.findall(os.read(descriptor, _READ_BYTES))
    except OSError:  # it is gone (ESRCH), or another user's
        return None
    finally:
        os.close(descriptor)
    return 1024 * sum(map(int, figures)) if figures else None


def _resident(pids: Iterable[int]) -> Mapping[int, int]:
    import psutil  # noqa: PLC0415 - costs 18 ms, and is not needed on Linux

    held: dict[int, int] = {}
    for pid in pids:
        with suppress(psutil.Error):
            held[pid] = psutil.Process(pid).memory_info().rss
    return held
