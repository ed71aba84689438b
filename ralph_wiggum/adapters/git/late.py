"""What was changed too late for an agent that was cut off: by the person, who looked at the repository since."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ralph_wiggum.adapters.git.place import Place
from ralph_wiggum.adapters.git.refs import Head

LEFT = "was changed after the attempt that was cut off, so not by its agent: left as it is"


@dataclass(frozen=True, slots=True)
class Late:
    """Compares the times of git's files with `until` (None: nothing is ever late, the attempt ended a moment ago).

    Where a time is missing (a thing that is gone) or stands for many (packed refs, reftable), the answer is the one
    that loses nothing: what is gone may be put back, what may be the person's is left.
    """

    place: Place
    until: datetime | None = None

    @property
    def possible(self) -> bool:
        """Say whether anything can be late at all: whether there was time for a person to act."""
        return self.until is not None

    def file(self, path: Path) -> bool:
        """Say whether what stands there was written too late; a file that is gone was not."""
        return written_after(self.until, path)

    def ref(self, name: str) -> bool:
        """Say whether a branch or tag was moved too late."""
        common = self.place.common_dir
        loose = common / name
        packed = (common / "packed-refs", common / "reftable" / "tables.list")
        return self.file(loose) if loose.exists() else any(map(self.file, packed))

    def head(self, head: Head) -> bool:
        """Say whether HEAD was switched too late, or its branch moved: the person stands there."""
        return self.file(self.place.git_dir / "HEAD") or (bool(head.ref) and self.ref(head.ref))

    def commit(self, commit: str) -> bool:
        """Say whether a commit (a stash) was made too late, by its own date."""
        if self.until is None:
            return False
        made = self.place.git.run("show", "-s", "--format=%ct", commit, "--", check=False).text
        return made.isdigit() and int(made) > self.until.timestamp()


def written_after(until: datetime | None, path: Path) -> bool:
    """Say whether what stands there was written after a moment; never where there is none, or nothing stands there."""
    if until is None:
        return False
    try:
        return os.lstat(path).st_mtime > until.timestamp()
    except OSError:
        return False
