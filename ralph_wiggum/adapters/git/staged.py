"""What the person has staged: a copy of the index, put back where an agent changed what it holds."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from ralph_wiggum.adapters.git.late import LEFT, Late
from ralph_wiggum.adapters.git.place import Place
from ralph_wiggum.adapters.git.refs import Head
from ralph_wiggum.adapters.git.snapshot import copy_index


class StagedIndex:
    """The person's index and the copy of it in the runner's folder, which is there for the next start too."""

    def __init__(self, place: Place) -> None:
        self._git = place.git
        self.path = place.git_dir / "index"
        self._copy = place.state / "persons.index"
        self._was_there = True

    def save(self) -> None:
        """Take the index as it is for right."""
        self._was_there = self.path.exists()
        self._copy.unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            copy_index(self.path, self._copy)

    def mend(self, head: Head, late: Late) -> list[str]:
        """Put the index back if its content changed (a mere refresh is none of our business); return words.

        A late one is left, unless it holds nothing beyond `head`, which is kept: then nothing can be lost.
        """
        if self._was_there and not self._copy.exists():  # an agent removed the runner's folder
            gone = "what is staged may have been changed, and the copy of it is gone: left as it is"
            return [gone] if self.path.exists() else []
        if self._content(self.path) == self._content(self._copy):
            return []
        if late.file(self.path) and not self._holds_only(head):
            return [f"what is staged {LEFT}"]
        self._put_back()
        return ["the agent staged or unstaged files: what is staged was put back as it was"]

    def _put_back(self) -> None:
        if not self._copy.exists():
            self.path.unlink(missing_ok=True)
            return
        lock = Path(f"{self.path}.lock")
        with suppress(FileExistsError):  # a living git is at it: leave it, what is staged does no harm
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
            copy_index(self._copy, lock)
            lock.replace(self.path)

    def _content(self, index: Path) -> bytes:
        return self._git.run("ls-files", "-s", "-v", "-z", index=index, check=False).out if index.exists() else b""

    def _holds_only(self, head: Head) -> bool:
        options = ("diff-index", "--cached", "--quiet", "--no-ext-diff")
        return bool(head.commit) and self._git.run(*options, head.commit, "--", check=False).code == 0
