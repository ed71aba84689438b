"""One git folder made like another: objects by hard links, what git or a person may overwrite by copies.

An object never changes under its name (gitrepository-layout(5)), so a link costs no space, and git removes and replaces
files without touching what other links hold. Only what writes into the file itself reaches both.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MOST_COPIED_BYTES = 200_000_000  # where links cannot be made
LINKED_BYTES = 16_000_000  # larger files are linked wherever they are: git replaces an index, not what is in it
_AT_ONCE_BYTES = 1_000_000
TEMPORARY = ".ralph-new"
_PASSING = (".lock", TEMPORARY)  # how the names end of what is only there for a moment; no ref may end so
_STORES = ("lfs", "annex")  # large files of git-lfs and git-annex, named by their content
_FAN = re.compile(r"[0-9a-f]{2}")
_KEPT_OF_INFO = ("alternates", "http-alternates")  # all else git makes again


class NoRoomError(OSError):
    """Links cannot be made here, and there is too much to be copied."""


@dataclass(slots=True)
class Allowance:
    """How many bytes may still be copied where links cannot be made."""

    left: int = MOST_COPIED_BYTES

    def place(self, source: str, target: str) -> None:
        """Link a file, else copy it; OSError if neither can be done. One that is there already is left."""
        try:
            os.link(source, target, follow_symlinks=False)
        except FileExistsError:
            return
        except FileNotFoundError:
            raise
        except OSError as problem:  # another file system, one without links, a file of somebody else's
            size = os.stat(source).st_size  # noqa: PTH116 - strings are quicker than paths, here and below
            if size > self.left:
                raise NoRoomError(problem.errno, "links cannot be made there, and it is too large to copy") from None
            self.left -= size
            _copy(source, target)


def mirror(source: str, target: str, allowance: Allowance, *, exact: bool) -> None:
    """Bring `target` to what `source` holds; `exact` removes what it does not hold, but never an object.

    What is there with the same size and time is left. Locks, pipes and what passes are left out. OSError if a folder
    cannot be read or a file not written.
    """
    os.makedirs(target, exist_ok=True)  # noqa: PTH103 - as above
    kept = set()
    with os.scandir(source) as entries:
        for entry in entries:
            if entry.name.endswith(_PASSING):
                continue
            kept.add(entry.name)
            with suppress(FileNotFoundError):  # it went away meanwhile
                _mirror_entry(entry, os.path.join(target, entry.name), allowance, exact=exact)  # noqa: PTH118
    if exact:
        for name in set(os.listdir(target)) - kept - {"objects"}:  # noqa: PTH208 - as above
            remove(Path(target) / name)
    shutil.copymode(source, target)


def _mirror_entry(entry: os.DirEntry[str], target: str, allowance: Allowance, *, exact: bool) -> None:
    if entry.is_symlink():
        _same_link(entry.path, target)
    elif entry.is_dir():
        if entry.name == "objects" and is_store(entry.path):
            for folder in store_folders(entry.path):
                place_all(folder, os.path.join(target, os.path.basename(folder)), allowance)  # noqa: PTH118, PTH119
            _mirror_info(entry.path, target)
        elif entry.name in _STORES:
            _link_below(entry.path, target, allowance)
        else:
            mirror(entry.path, target, allowance, exact=exact)
    elif entry.is_file():
        same_file(entry.path, target, allowance)


def is_store(folder: str) -> bool:
    """Say whether a folder `objects` is one of git's, and not a folder of refs that has the name."""
    beside = Path(folder).parent
    return (beside / "HEAD").exists() or (beside / "refs").is_dir()


def store_folders(objects: str) -> Iterator[str]:
    """Yield the folders that hold objects: the fan-out and the packs."""
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(objects) as entries:
        for entry in entries:
            if (entry.name == "pack" or _FAN.fullmatch(entry.name)) and entry.is_dir(follow_symlinks=False):
                yield entry.path


def stored(folder: str) -> dict[str, int]:
    """Return the files of one such folder that hold objects, name -> inode; nothing where there is none."""
    packs = os.path.basename(folder) == "pack"  # noqa: PTH119 - as above
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        return {
            entry.name: entry.inode()
            for entry in entries
            if (entry.name.startswith("pack-") if packs else not entry.name.startswith("tmp_"))
        }
    return {}


def _names(folder: str) -> set[str]:
    """Return the names of `stored` alone, which is quicker."""
    packs = os.path.basename(folder) == "pack"  # noqa: PTH119 - as above
    try:
        names = os.listdir(folder)  # noqa: PTH208 - as above
    except (FileNotFoundError, NotADirectoryError):
        return set()
    return {name for name in names if (name.startswith("pack-") if packs else not name.startswith("tmp_"))}


def place_all(source: str, target: str, allowance: Allowance) -> bool:
    """Link what one folder of objects holds and the other does not; say whether they hold the same then."""
    ours, theirs = _names(source), _names(target)
    if missing := ours - theirs:
        place_some(source, target, missing, allowance)
    return theirs <= ours


def place_some(source: str, target: str, names: Iterable[str], allowance: Allowance) -> int:
    """Link the named files of one folder of objects into another; return how many."""
    done = 0
    if not os.path.isdir(target):  # noqa: PTH112 - as above
        os.makedirs(target)  # noqa: PTH103 - as above
    for name in sorted(names, key=lambda name: name.endswith(".idx")):  # a pack counts from when its index is there
        with suppress(FileNotFoundError):
            allowance.place(os.path.join(source, name), os.path.join(target, name))  # noqa: PTH118
            done += 1
    return done


def same_file(source: str, target: str, allowance: Allowance) -> None:
    """Copy a file, mode and time too, in one step for whoever reads the copy; one that is like it is left."""
    found = os.stat(source)  # noqa: PTH116 - as above
    try:
        there = os.lstat(target)
    except OSError:
        there = None
    if there is not None and stat.S_ISREG(there.st_mode):
        if (found.st_size, found.st_mtime_ns, found.st_mode) == (there.st_size, there.st_mtime_ns, there.st_mode):
            return
    elif there is not None:
        remove(Path(target))
    scratch = f"{target}{TEMPORARY}"
    with suppress(FileNotFoundError):
        os.unlink(scratch)  # noqa: PTH108 - as above
    try:
        if found.st_size > LINKED_BYTES:
            allowance.place(source, scratch)
        else:
            _copy(source, scratch)
        os.replace(scratch, target)  # noqa: PTH105 - as above
    except OSError:
        with suppress(OSError):
            os.unlink(scratch)  # noqa: PTH108 - as above
        raise


def remove(path: Path) -> None:
    """Remove a file or a folder with all it holds."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _copy(source: str, target: str) -> None:
    """Copy content, mode and time to a new file: small ones in a third of the time that shutil.copy2 takes."""
    found = os.stat(source)  # noqa: PTH116 - as above
    if found.st_size > _AT_ONCE_BYTES:
        shutil.copyfile(source, target)
    else:
        with open(source, "rb", buffering=0) as file, open(target, "xb", buffering=0) as copied:  # noqa: PTH123
            data = file.read()
            while data:  # an unbuffered file may take a part only
                data = data[copied.write(data) :]
    os.chmod(target, stat.S_IMODE(found.st_mode))  # noqa: PTH101 - as above
    os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))


def _same_link(source: str, target: str) -> None:
    to = os.readlink(source)  # noqa: PTH115 - as above
    if not (os.path.islink(target) and os.readlink(target) == to):  # noqa: PTH114, PTH115 - as above
        remove(Path(target))
        os.symlink(to, target)  # noqa: PTH211 - as above


def _mirror_info(source: str, target: str) -> None:
    for name in _KEPT_OF_INFO:
        file = Path(source, "info", name)
        if file.is_file():
            Path(target, "info").mkdir(parents=True, exist_ok=True)
            same_file(str(file), str(Path(target, "info", name)), Allowance())
    os.makedirs(target, exist_ok=True)  # noqa: PTH103 - as above


def _link_below(source: str, target: str, allowance: Allowance) -> None:
    for folder, _, names in os.walk(source):
        into = os.path.join(target, os.path.relpath(folder, source))  # noqa: PTH118 - as above
        os.makedirs(into, exist_ok=True)  # noqa: PTH103 - as above
        for name in names:
            with suppress(FileNotFoundError):
                allowance.place(os.path.join(folder, name), os.path.join(into, name))  # noqa: PTH118 - as above
