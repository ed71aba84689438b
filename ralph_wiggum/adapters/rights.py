"""Rights that somebody took away from files and folders which the runner needs: given back, as far as it may (B10)."""

from __future__ import annotations

import fcntl
import os
import stat
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

# ioctl_iflags(2): _IOR('f', 1, long) and _IOW('f', 2, long), as most of Linux's architectures number them
_LONG = struct.calcsize("l")
_GET_FLAGS = 2 << 30 | _LONG << 16 | ord("f") << 8 | 1
_SET_FLAGS = 1 << 30 | _LONG << 16 | ord("f") << 8 | 2
_IMMUTABLE, _APPEND_ONLY = 0x10, 0x20
MOST = 10_000  # files and folders below one that are looked at


def give_back(path: Path, *, write: bool = False) -> bool:
    """Let the owner of a file or folder use it again; say whether anything had to be done and could be.

    A folder is to be read, changed and entered, a file to be read and, for `write`, written: others can be replaced
    whole, so that a person's `chmod a-w` stays. The attributes of chattr(1) go where this process may take them off.
    A link is left alone. Costs microseconds where all is well; never raises.
    """
    try:
        found = os.lstat(path)
        folder = stat.S_ISDIR(found.st_mode)
        if not folder and not stat.S_ISREG(found.st_mode):
            return False
        needed = os.R_OK | (os.W_OK if folder or write else 0) | (os.X_OK if folder else 0)
        closed = not os.access(path, needed)
        if closed:
            os.chmod(path, stat.S_IMODE(found.st_mode) | (0o700 if folder else 0o600))  # noqa: PTH101 - cheaper
        return _take_flags_off(path) or closed
    except OSError:  # immutable as well, perhaps
        opened = _take_flags_off(path)
        if opened:
            give_back(path, write=write)
        return opened


def give_back_way(root: Path, path: Path) -> tuple[Path, ...]:
    """Do so with every folder from `root` down to `path`, and with that itself; return those that had been closed."""
    if not path.is_relative_to(root):
        return (path,) if give_back(path) else ()
    below = path.relative_to(root).parts
    way = [root.joinpath(*below[:depth]) for depth in range(len(below) + 1)]
    return tuple(place for place in way if give_back(place))


def give_back_all(folder: Path) -> bool:
    """Do so with a folder of the runner's own and all below it, at most 10,000 names; say whether it was needed."""
    done = give_back(folder)
    for number, path in enumerate(_below(folder)):
        if number >= MOST:
            break
        done = give_back(path, write=True) or done
    return done


def _below(folder: Path) -> Iterator[Path]:
    """Yield what lies below a folder, a folder before its content; what cannot be listed is passed over."""
    waiting = [folder]
    while waiting:
        with suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                yield Path(entry.path)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))


def _take_flags_off(path: Path) -> bool:
    """Take "immutable" and "append only" off; on Linux that needs CAP_LINUX_IMMUTABLE, which root in a container lacks.

    Returns whether there was such a thing and it is off. What may not be opened cannot be asked.
    """
    change = getattr(os, "chflags", None)
    if change is not None:  # macOS, BSD: the owner may
        return _take_bsd_flags_off(path, change)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        flags = struct.unpack("l", fcntl.ioctl(fd, _GET_FLAGS, bytes(_LONG)))[0]
        locked = flags & (_IMMUTABLE | _APPEND_ONLY)
        if locked:
            fcntl.ioctl(fd, _SET_FLAGS, struct.pack("l", flags & ~locked))
    except OSError:
        return False
    finally:
        os.close(fd)
    return bool(locked)


def _take_bsd_flags_off(path: Path, change: Callable[[Path, int], None]) -> bool:
    try:
        flags = getattr(os.lstat(path), "st_flags", 0)
        locked = flags & (stat.UF_IMMUTABLE | stat.UF_APPEND)
        if locked:
            change(path, flags & ~locked)
    except OSError:
        return False
    return bool(locked)
