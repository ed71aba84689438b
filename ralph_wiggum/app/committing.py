"""A commit that fails is tried again: a disk that was full for a moment must not cost a task its commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ralph_wiggum.app.order import Ports
from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.ports import Committed, Snapshot

AGAIN_SECONDS = (1.0, 5.0)  # pauses before the second and the third try


def commit(
    ports: Ports,
    before: Snapshot,
    after: Snapshot,
    *,
    subject: str,
    trailers: Mapping[str, str],
    extra: Sequence[Path],
) -> Committed:
    """Commit what changed between the two (ports.Repo.commit), at the third try at the latest.

    A commit that cannot be made costs no work: `failed` then says so, the notes why, and the files stay as they are.
    """
    pauses = iter(AGAIN_SECONDS)
    while True:
        try:
            made = ports.repo.commit(before, after, subject=subject, trailers=trailers, extra=extra)
        except RalphError as error:
            made = Committed(notes=(f"not committed, the work stays in the tree: {error}",), failed=True)
        pause = next(pauses, None)
        if not made.failed or pause is None or ports.interrupted():
            return made
        ports.clock.pause(pause, lambda: bool(ports.interrupted()))
