"""The project folder itself: put back where it was if somebody renames it, moves it or takes its permissions (B10)."""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress
from itertools import count
from pathlib import Path

from ralph_wiggum.adapters.open_folder import OpenFolder
from ralph_wiggum.adapters.whole_file import TEMPORARY

_OWNER = stat.S_IRWXU
_ASIDE = ".ralph/aside"
_COARSE_SECONDS = 1.0  # file systems stamp by a coarser clock than the one that is asked here


class RootFolder:
    """Holds the project folder open from the moment it is made; `mend` costs microseconds while all is well.

    A folder that was deleted, or moved to another file system (which deletes it here), cannot be put back. One whose
    folder above was renamed is found but left: what lies outside the project is not the runner's to rename.
    Something else that stands in the old place is moved into the project's `.ralph/aside/` if it is younger than this
    object: it came in the run. Older things (another project of the person's that was renamed) stay, and that is said.
    """

    def __init__(self, root: Path) -> None:
        """Take hold of the folder; OSError where there is none."""
        self._root = Path(os.path.realpath(root))
        self._held = OpenFolder(self._root)
        self._mode = stat.S_IMODE(self._root.stat().st_mode)
        self._began = time.time() - _COARSE_SECONDS
        self._said = ""

    @property
    def there(self) -> bool:
        """Say whether the project folder is where it was."""
        return self._held.is_at(self._root)

    def mend(self) -> tuple[str, ...]:
        """Put the folder back; return words, one a thing, and what cannot be mended only once in a row."""
        try:
            words = self._open_again() if self.there else self._put_back()
        except OSError as problem:
            words = self._stuck(f"the project folder {self._root} cannot be put back: {problem}")
        if self.there:
            self._said = ""
        return words

    def close(self) -> None:
        """Let go of the folder."""
        self._held.close()

    def _open_again(self) -> tuple[str, ...]:
        """Give the owner's permissions back where they were taken."""
        mode = stat.S_IMODE(self._root.stat().st_mode)
        if not (self._mode & ~mode & _OWNER):
            return ()
        self._root.chmod(self._mode)
        return ("the permissions of the project folder were taken away: given back",)

    def _put_back(self) -> tuple[str, ...]:
        now = was = self._held.where()
        if now is None:
            return self._stuck(f"the project folder {self._root} was deleted, or moved to another file system")
        if not self._root.parent.is_dir():
            return self._stuck(f"the project folder is at {now} by now, and {self._root.parent} is gone")
        if self._taken():
            return self._stuck(f"the project folder is at {now} by now, and something older stands at {self._root}")
        if now.is_relative_to(self._root):  # moved into a folder that was then moved into its place
            now = now.rename(self._root.with_name(f".{self._root.name}{TEMPORARY}"))
        aside = self._make_room(now)
        now.rename(self._root)
        words = (f"the project folder was moved to {was}: moved back to {self._root}",)
        return (*words, f"what stood in its place was moved to {self._root / aside}") if aside else words

    def _taken(self) -> bool:
        """Say whether something stands in the old place that was there, or elsewhere, before this run."""
        try:
            found = self._root.lstat()
        except FileNotFoundError:
            return False
        return min(found.st_mtime, found.st_ctime) < self._began

    def _make_room(self, now: Path) -> str:
        """Free the old place; return where what stood there went, from the project folder, "" if nowhere."""
        if not os.path.lexists(self._root):
            return ""
        with suppress(OSError):  # no folder, or it holds something
            self._root.rmdir()
            return ""
        (now / _ASIDE).mkdir(parents=True, exist_ok=True)
        aside = next(name for n in count(1) if not os.path.lexists(now / (name := f"{_ASIDE}/root-{n}")))
        self._root.rename(now / aside)
        return aside

    def _stuck(self, words: str) -> tuple[str, ...]:
        if words == self._said:
            return ()
        self._said = words
        return (words,)
