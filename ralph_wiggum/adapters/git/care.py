"""Work on a repository that may break at any time (B10): mended as soon as git fails at it, and done once more."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from ralph_wiggum.adapters.git.commands import NoAnswerError
from ralph_wiggum.adapters.git.parts import Parts
from ralph_wiggum.adapters.git.persons import empty_tree
from ralph_wiggum.adapters.git.place import init_again
from ralph_wiggum.adapters.git.refs import read_head
from ralph_wiggum.adapters.git.safety import Safety
from ralph_wiggum.adapters.git.snapshot import TooManyFilesError
from ralph_wiggum.adapters.root_folder import RootFolder
from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.ports import Restored, Snapshot

# What git says of objects that are gone or damaged; nothing of it is said of a full disk or a lock.
_DAMAGE = re.compile(
    r"corrupt|bad object|not a valid object|unable to read|could not read|missing|invalid object|is empty|unpack|"
    r"inflate|packfile|garbage|bad tree|not a tree object|could not parse|too short|unknown revision|bad revision|"
    r"reference already exists",  # said of a branch whose commit cannot be read
    re.IGNORECASE,
)
T = TypeVar("T")


class Care:
    """Does things with a repository; what had to be mended on the way is in the next notes of its git.

    Between two attempts nobody looks after the repository: checks, hooks and what an agent left running may break it.
    """

    def __init__(self, root: Path, safety: Safety, parts: Callable[[], Parts]) -> None:
        self._root = root
        self._safety = safety
        self._parts = parts
        self._folder: RootFolder | None = None
        self._lost: set[str] = set()  # snapshots whose objects are gone for good

    def hold(self) -> None:
        """Take hold of the project folder, so that it is found again."""
        with suppress(OSError):  # git says what is wrong with it
            self._folder = RootFolder(self._root)

    @property
    def at_home(self) -> bool:
        """Say whether the project folder is in its place, as far as it is held."""
        return self._folder is None or self._folder.there

    def home(self) -> list[str]:
        """Put the project folder back; return words. Comes first: all else would be mended in the old place."""
        return [*self._folder.mend()] if self._folder is not None else []

    def careful(self, act: Callable[[], T], *needed: Snapshot) -> T:
        """Do something with git; where it fails because the repository is broken, mend that and do it once more.

        `needed` are the snapshots that it cannot do without: `base` answers for those that turn out to be lost.
        """
        if not (self.at_home and self._safety.in_place):
            self._heal("", needed)
        try:
            return act()
        except (TooManyFilesError, NoAnswerError):
            raise
        except RalphError as problem:
            if not self._heal(str(problem), needed):
                raise
        return act()

    def base(self, before: Snapshot) -> Snapshot:
        """Return a snapshot, or the last commit where the snapshot is lost."""
        if before.tree not in self._lost:
            return before
        git = self._parts().place.git
        tree = git.run("rev-parse", "-q", "--verify", "HEAD^{tree}", check=False).text or empty_tree(git)
        return Snapshot(tree=tree, large=before.large)

    def restore(self, before: Snapshot, after: Snapshot) -> Restored:
        """Put back; nothing where the state before is lost, for the last commit lacks the person's changes."""
        parts = self._parts()
        if before.tree in self._lost:
            return Restored(left=tuple(change.path for change in parts.snapshots.changes(self.base(before), after)))
        return parts.restorer.restore(before, after)

    def _heal(self, problem: str, needed: Sequence[Snapshot]) -> bool:
        """Mend the repository; say whether there was something to mend."""
        parts = self._parts()
        words = self.home()
        if self.at_home:
            damaged = _DAMAGE.search(problem) is not None
            words += self._safety.mend(deep=damaged) + init_again(parts.place)
            if damaged:
                self.store_again(needed)
                words += parts.place.git.taken_notes()
        parts.place.git.notes += words
        if words and self.at_home:
            parts.begin_again()
            self._safety.refresh()
        return bool(words)

    def store_again(self, needed: Sequence[Snapshot] = ()) -> None:
        """Bring back what the work tree still holds of lost objects, and give up the rest."""
        parts = self._parts()
        parts.snapshots.store_again()
        words = self._safety.mend_tip(parts.place)
        if words and parts.guard is not None:
            parts.guard.goes_on(read_head(parts.place.git))
        for lost in (snapshot.tree for snapshot in needed if not self._is_there(snapshot)):
            words.append(f"the state {lost[:10]} that the task began with is lost: the last commit stands for it")
            self._lost.add(lost)
        parts.place.git.notes += words

    def _is_there(self, snapshot: Snapshot) -> bool:
        return self._parts().place.git.run("cat-file", "-e", f"{snapshot.tree}^{{tree}}", check=False).code == 0
