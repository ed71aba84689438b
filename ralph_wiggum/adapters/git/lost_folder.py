"""A git folder that was deleted, moved away or replaced is put back, from where it went or from the safety copy."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from ralph_wiggum.adapters.git.aside import Aside
from ralph_wiggum.adapters.git.commands import Git
from ralph_wiggum.adapters.git.origin import FILE, LINK, Origin, read_dot_git
from ralph_wiggum.adapters.git.safe_copy import SafeCopy
from ralph_wiggum.adapters.git.sound import sound_head
from ralph_wiggum.adapters.open_folder import OpenFolder
from ralph_wiggum.adapters.whole_file import read_file
from ralph_wiggum.core.errors import RalphError

LATER = "was made after the attempt that was cut off, so not by its agent: left as it is"
_READ_BYTES = 4096


class LostFolder:
    """Puts the folder of a repository back. `held` is what holds it open since it was whole, where somebody does.

    `late` says of a path whether it was written too late for an agent that was cut off. Where another folder stands
    in the place: it is taken for the repository if it holds the commit at which HEAD was, else it goes aside.
    """

    def __init__(
        self,
        copy: SafeCopy,
        origin: Origin,
        aside: Aside,
        env: Mapping[str, str] | None,
        held: OpenFolder | None = None,
        late: Callable[[Path], bool] = lambda _: False,
    ) -> None:
        self.origin = origin
        self._env = env
        self._copy = copy
        self._aside = aside
        self._held = held
        self._late = late

    @property
    def there(self) -> bool:
        """Say whether the repository is where it belongs, whatever may be broken in it."""
        return self._is_it(self.origin.common_dir) and read_dot_git(self.origin.dot_git_path) == self.origin.dot_git

    def put_back(self) -> list[str]:
        """Put the folder back, and what leads to it; return words. OSError if it cannot be done."""
        return [*self._put_back_folder(), *self._put_back_dot_git()]

    def _put_back_folder(self) -> list[str]:
        place = self.origin.common_dir
        if self._is_it(place):
            return []
        moved = self._where()
        stands = os.path.lexists(place)
        if stands and moved is None and self._is_like_it(place):
            self._copy.renumber(self.origin.numbered())
            self.origin = self.origin.numbered()
            return []
        if stands and self._late(place / "HEAD" if place.is_dir() else place):
            return [f"{place.name} {LATER}"]
        if moved is None and not self._copy.there:
            raise FileNotFoundError(f"{place} is gone, and so is its safety copy")
        there = f"; what stood there by then: {self._aside.take(place)}" if stands else ""
        if moved is not None:
            place.parent.mkdir(parents=True, exist_ok=True)
            moved.rename(place)
            return [f"the repository {place} was moved to {moved}: moved back{there}"]
        self._copy.give_back(place)
        self._copy.renumber(self.origin.numbered())
        self.origin = self.origin.numbered()
        what = "replaced" if stands else "deleted"
        return [f"the repository {place} was {what}: put back from its safety copy, with every commit{there}"]

    def _put_back_dot_git(self) -> list[str]:
        """Put back a `.git` that is a file or a link; one that is a folder is the repository itself."""
        place, was = self.origin.dot_git_path, self.origin.dot_git
        if was.kind not in (FILE, LINK) or read_dot_git(place) == was:
            return []
        stands = os.path.lexists(place)
        if stands and self._late(place):
            return [f"{place} {LATER}"]
        there = f"; what stood there by then: {self._aside.take(place)}" if stands else ""
        if was.kind == LINK:
            place.symlink_to(was.text)
        else:
            place.write_bytes(os.fsencode(was.text))
        return [f"{place}, which leads to the repository, was {'changed' if stands else 'deleted'}: put back{there}"]

    # --- knowing it again

    def _is_it(self, folder: Path) -> bool:
        if self._held is not None:
            return self._held.is_at(folder)
        try:
            found = folder.lstat()
        except OSError:
            return False
        # the number alone proves little: that of a deleted folder is given to the next one
        return (found.st_dev, found.st_ino) == self.origin.number and (self._is_old(folder) or self._is_like_it(folder))

    def _is_old(self, folder: Path) -> bool:
        """Say whether some small file in a folder is as old as its copy: no other repository has that."""
        place = self.origin.common_dir
        times = ((folder / path.relative_to(place), self._copy.at(path)) for path in self._copy.files(place))
        return any(_time(there) == _time(copied) is not None for there, copied in times)

    def _is_like_it(self, folder: Path) -> bool:
        """Say whether a folder is a repository that holds the commit at which HEAD was."""
        with suppress(OSError, RalphError):
            tip = self._copy.tip()
            asked = ("cat-file", "-e", f"{tip}^{{commit}}")
            git = Git(self.origin.top, self._env, folder)
            return (
                bool(tip)
                and sound_head(read_file(folder / "HEAD", _READ_BYTES))
                and git.run(*asked, check=False).code == 0
            )
        return False

    def _where(self) -> Path | None:
        """Return where the folder was moved to; None if that cannot be found."""
        if self._held is not None:
            return self._held.where()
        return next((path for path in self._near() if self._is_it(path)), None)

    def _near(self) -> Iterator[Path]:
        """Yield the folders in the usual places that have the number of the lost one."""
        place = self.origin.common_dir
        for folder in dict.fromkeys((place.parent, place.parent.parent, Path(tempfile.gettempdir()))):
            with suppress(OSError), os.scandir(folder) as entries:
                yield from (Path(e.path) for e in entries if e.inode() == self.origin.number[1] and e.is_dir())


def _time(path: Path) -> int | None:
    try:
        return path.lstat().st_mtime_ns
    except OSError:
        return None
