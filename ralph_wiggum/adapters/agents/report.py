"""The report that an agent may leave on its run, as a file beside its log; of what it holds nothing is certain."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ralph_wiggum.adapters.capture import MIB

REPORT_BYTES = 16 * MIB  # as much as of one event; what is longer is cut at its end


def read_report(path: Path) -> bytes:
    """Return the beginning of a report, b"" where there is none or it cannot be read; never waits."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # a FIFO or a device may never end
            return b""
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(REPORT_BYTES)
    except OSError:
        return b""
    finally:
        os.close(descriptor)
