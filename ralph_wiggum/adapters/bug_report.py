"""A surprise of ours -> a file that can be sent to us (exit code 1)."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from ralph_wiggum import __version__
from ralph_wiggum.adapters.project import STATE, make_state


def save(error: BaseException, root: Path | None, argv: Sequence[str] = ()) -> Path | None:
    """Write the traceback and the versions under `.ralph/`, else in the temporary folder; None if neither works."""
    now = datetime.now(UTC)
    name = f"bug-{now:%Y%m%d-%H%M%S}-{os.getpid()}.txt"
    text = describe(error, argv, now)
    for folder in (root / STATE if root else None, Path(tempfile.gettempdir())):
        if folder is None:
            continue
        try:
            path = (make_state(folder) if folder.name == STATE else folder) / name
            path.write_text(text, encoding="utf-8", errors="replace")
        except OSError:
            continue
        return path
    return None


def describe(error: BaseException, argv: Sequence[str], now: datetime) -> str:
    """Return the report: what was called, with which versions, what went wrong where."""
    return "\n".join(
        [
            f"ralph-wiggum {__version__}",
            f"python {sys.version.split()[0]} on {platform.platform()}",
            f"time {now:%Y-%m-%dT%H:%M:%SZ}",
            f"called as: {' '.join(argv)}",
            "",
            "".join(traceback.format_exception(error)),
        ]
    )
