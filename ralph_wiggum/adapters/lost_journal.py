"""A journal that somebody removed, emptied or spoilt between two runs: noticed by the log, which tells of runs (B2)."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ralph_wiggum.adapters.append_only import CHUNK, read_range
from ralph_wiggum.adapters.journal_seal import JournalReader
from ralph_wiggum.adapters.project import Project

ENDS = 64 << 10  # bytes of the log that are searched, at its beginning and at its end
_ENTRY = re.compile(rb"<!-- ralph:[0-9a-f]{16} -->")


def lost_journal(project: Project) -> str:
    """Return words for the person where the journal holds nothing, and activity.md tells of attempts; "" else.

    To be asked before a run writes its first entry. Reads 1 MB at the most.
    """
    if _begins(project.journal_file) or not _tells_of_attempts(project.activity_file):
        return ""
    shown = str(project.journal_file).removeprefix(f"{project.root}/")
    return (
        f"{shown} is gone or holds nothing that can be read, though activity.md tells of earlier attempts: "
        "what tasks.md says holds, and the attempts of before do not count"
    )


def _begins(path: Path) -> bool:
    """Say whether a journal begins with lines that can be believed."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        data = read_range(fd, 0, CHUNK)
        return bool(JournalReader().read(data[: data.rfind(b"\n") + 1]))
    except OSError:  # a folder
        return False
    finally:
        os.close(fd)


def _tells_of_attempts(path: Path) -> bool:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        size = os.fstat(fd).st_size
        parts = (read_range(fd, 0, ENDS), read_range(fd, max(0, size - ENDS), size))
        return any(_ENTRY.search(part) for part in parts)
    except OSError:
        return False
    finally:
        os.close(fd)
