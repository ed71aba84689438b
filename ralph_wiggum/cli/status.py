"""The entry of `ralph-status`: a short life, in which nothing is worth the collection of garbage.

The imports alone would set it off again and again: 4 ms of 40. The command itself is in `status_report.py`.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        from ralph_wiggum.cli import status_report  # noqa: PLC0415 - see above

        return status_report.main(argv)
    finally:
        if collecting:
            gc.enable()


if __name__ == "__main__":
    sys.exit(main())
