"""The safety copy of a repository, `.ralph/git-copy/`: made when a run begins, kept current, given back after a loss.

`current/about.json` says of which repository it is, and is written last: a copy without it was never finished and is
not used. A new one is made under another name and takes the place of the old one by a rename. Objects are links
(`mirror`): the copy takes no space until the repository gives objects up.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from ralph_wiggum.adapters.git.mirror import TEMPORARY, Allowance, mirror, remove, same_file, store_folders, stored
from ralph_wiggum.adapters.git.origin import Origin
from ralph_wiggum.adapters.git.refs import overwrite
from ralph_wiggum.adapters.git.scan import APART
from ralph_wiggum.adapters.git.sound import packed_refs, ref_id
from ralph_wiggum.adapters.project import make_state
from ralph_wiggum.adapters.whole_file import replace_file

_VERSION = 1
_ABOUT = "about.json"
_NAMES = ("common", "own")  # of the copies of Origin.folders, in their order
# What the repository has given up is held until this much of it: then its own history is proved first.
_HELD_BYTES = 50_000_000
_HELD_FILES = 5_000
_SHORT_BYTES = 256


class SafeCopy:
    """The copy on disk. `root` is the project root, from which paths are told."""

    def __init__(self, home: Path, root: Path) -> None:
        self._home = home
        self._root = root
        self._current = home / "current"
        self._allowance = Allowance()
        self._origin: Origin | None = None

    @property
    def there(self) -> bool:
        """Say whether there is a copy that can be used."""
        return (self._current / _ABOUT).exists()

    def load(self) -> Origin | None:
        """Return the repository that the copy is of; None where there is none, or a torn one."""
        self._finish_swap()
        with suppress(OSError, ValueError, KeyError, TypeError):
            about = json.loads((self._current / _ABOUT).read_bytes())
            if about["v"] == _VERSION:
                self._origin = Origin.from_data(about, self._root)
                return self._origin
        return None

    def renew(self, origin: Origin, proved: Callable[[], bool]) -> None:
        """Bring the copy to what a repository in order holds now; OSError where no copy can be made.

        A copy of another repository is replaced, one of the same brought up to date. What it alone still holds is
        removed when that is much, and `proved()` says that the repository can do without.
        """
        make_state(self._home)
        self._allowance = Allowance()
        known = self.load()
        for left_over in ("new", "old", "back"):
            remove(self._home / left_over)
        if known is None or known != origin or not self._linked(origin):
            self._make(origin)
        else:
            self._mirror(origin, self._current)
        self._origin = origin
        self._let_go(proved)

    def renumber(self, origin: Origin) -> None:
        """Note that the repository is in another folder of the same path by now."""
        self._origin = origin
        self._write_about(origin, self._current)

    def at(self, path: str | Path) -> Path:
        """Return where the copy of something in the repository lies; KeyError for what is not in it."""
        asked = str(path)  # texts are quicker, and this is asked often
        for folder, copied in self._folders:
            if asked == folder or asked.startswith(f"{folder}/"):
                return Path(copied + asked[len(folder) :])
        raise KeyError(asked)

    @property
    def _folders(self) -> Iterator[tuple[str, str]]:
        """Yield the folders of the repository and of their copies."""
        if self._origin is not None:
            for name, folder in zip(_NAMES, self._origin.folders, strict=False):
                yield str(folder), f"{self._current}/{name}"

    def take(self, path: Path) -> None:
        """Copy one small file of the repository anew; OSError if it cannot be read or written.

        A ref is written over its copy, and what came to a reflog is appended: that takes a tenth of the time of a new
        file, and the end of this process does not tear it.
        """
        target = self.at(path)
        if _grown(str(path), str(target)) or _written_over(str(path), str(target)):
            return
        try:
            same_file(str(path), str(target), self._allowance)
        except FileNotFoundError:
            target.parent.mkdir(parents=True, exist_ok=True)
            same_file(str(path), str(target), self._allowance)

    def forget(self, path: Path) -> None:
        """Remove one small file from the copy."""
        remove(self.at(path))

    def give_back(self, folder: Path) -> None:
        """Put a folder of the repository (all of it, or one below) where it belongs, from the copy, in one step.

        Nothing may stand there. OSError if it cannot be done.
        """
        folder.parent.mkdir(parents=True, exist_ok=True)
        near = folder.parent.stat().st_dev == self._home.stat().st_dev
        scratch = self._home / "back" if near else folder.with_name(f"{folder.name}{TEMPORARY}")
        remove(scratch)
        mirror(str(self.at(folder)), str(scratch), Allowance(), exact=True)
        scratch.rename(folder)

    def tip(self) -> str:
        """Return the commit at which HEAD was, "" before the first one; OSError without a copy."""
        if self._origin is None:
            return ""
        head = self.at(self._origin.git_dir / "HEAD").read_bytes()
        name = head.removeprefix(b"ref:").strip().decode("utf-8", "surrogateescape")
        if name == ref_id(head):
            return name
        with suppress(OSError):
            return ref_id(self.at(self._origin.common_dir / name).read_bytes())
        with suppress(OSError):
            return packed_refs(self.at(self._origin.common_dir / "packed-refs").read_bytes()).get(name, "")
        return ""

    def files(self, folder: Path) -> Iterator[Path]:
        """Yield where the files of a folder belong that the copy holds, but for objects and other work trees."""
        copies = self.at(folder)
        for at, names, files in os.walk(copies):
            if Path(at) == copies:
                names[:] = [name for name in names if name not in APART]
            yield from (folder / os.path.relpath(Path(at) / name, copies) for name in files)

    def stores(self) -> Iterator[tuple[Path, Path]]:
        """Yield every folder of objects of the repository itself: where it belongs, and its copy."""
        if self._origin is not None:
            objects = self._origin.common_dir / "objects"
            for copied in store_folders(str(self.at(objects))):
                yield objects / Path(copied).name, Path(copied)

    # --- making it

    def _make(self, origin: Origin) -> None:
        new, old = self._home / "new", self._home / "old"
        self._mirror(origin, new)
        self._write_about(origin, new)
        with suppress(FileNotFoundError):
            self._current.rename(old)
        new.rename(self._current)
        remove(old)

    def _mirror(self, origin: Origin, into: Path) -> None:
        for name, folder in zip(_NAMES, origin.folders, strict=False):
            mirror(str(folder), str(into / name), self._allowance, exact=True)

    def _write_about(self, origin: Origin, into: Path) -> None:
        about = {"v": _VERSION, **origin.data(self._root)}
        replace_file(into / _ABOUT, [json.dumps(about).encode()])

    def _finish_swap(self) -> None:
        """End what a crash cut off between the two renames of `_make`."""
        for name in ("new", "old"):
            if not self.there and (self._home / name / _ABOUT).exists():
                with suppress(OSError):
                    remove(self._current)
                    (self._home / name).rename(self._current)

    def _linked(self, origin: Origin) -> bool:
        """Say whether the copy shares its objects with the repository, as far as one look can tell.

        A project that was copied as a whole brings a copy along whose objects are files of their own.
        """
        self._origin = origin
        for belongs, copied in self.stores():
            both = stored(str(belongs)).items() & stored(str(copied)).items()
            if both or stored(str(belongs)).keys() & stored(str(copied)).keys():
                return bool(both) or not _can_link(belongs, self._home)
        return True

    def _let_go(self, proved: Callable[[], bool]) -> None:
        held = [copied / name for copied, name in self._held()]
        size = sum(path.stat().st_size for path in held)
        if held and (size > _HELD_BYTES or len(held) > _HELD_FILES) and proved():
            for path in held:
                path.unlink(missing_ok=True)

    def _held(self) -> Iterator[tuple[Path, str]]:
        """Yield the objects that only the copy holds, by their folder; those of submodules nobody can prove."""
        for belongs, copied in self.stores():
            yield from ((copied, lost) for lost in stored(str(copied)).keys() - stored(str(belongs)).keys())


def _can_link(source: Path, home: Path) -> bool:
    return source.stat().st_dev == home.stat().st_dev


def _written_over(source: str, target: str) -> bool:
    """Write a short file over one of the same length; False where that is not so."""
    with open(source, "rb", buffering=0) as file:  # noqa: PTH123 - quicker than Path
        content = file.read(_SHORT_BYTES + 1)
    return len(content) <= _SHORT_BYTES and overwrite(target, content)


def _grown(source: str, target: str) -> bool:
    """Append to a copy what its reflog has more by now; False where that is none, or did not simply grow."""
    if "/logs/" not in source:
        return False
    with suppress(OSError), open(source, "rb", buffering=0) as file, open(target, "r+b", buffering=0) as copied:  # noqa: PTH123 - as above
        size = os.fstat(copied.fileno()).st_size
        if os.fstat(file.fileno()).st_size > size:
            start = max(0, size - _SHORT_BYTES)
            if os.pread(copied.fileno(), size - start, start) == os.pread(file.fileno(), size - start, start):
                file.seek(size)
                copied.seek(size)
                copied.write(file.read())
                return True
    return False
