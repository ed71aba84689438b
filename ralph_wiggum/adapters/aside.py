"""What stands where something of the runner's belongs: what it is, and out of the way with it."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from itertools import count
from pathlib import Path

from ralph_wiggum.adapters.project import make_state
from ralph_wiggum.adapters.whole_file import make_way

_KINDS = ((stat.S_ISDIR, "a folder"), (stat.S_ISLNK, "a link"), (stat.S_ISREG, "a file"), (stat.S_ISFIFO, "a pipe"))


def kind_of(path: Path) -> str:
    """Return in a word what stands there; a link is not followed."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return "nothing"
    return next((what for test, what in _KINDS if test(mode)), "no file")


def link_of(path: Path) -> str:
    """Return where a symbolic link points, as the text it is; "" if the path is none."""
    try:
        return os.readlink(path)  # noqa: PTH115 - as the text it is
    except OSError:
        return ""


def move_aside(path: Path, state: Path) -> Path | None:
    """Free a path; return where in the state folder what stood there went, None for a folder with nothing in it.

    It is never copied, which may take for ever: on another file system it goes beside its place. OSError if neither
    can be done.
    """
    with suppress(OSError):
        path.rmdir()
        return None
    folder = make_state(state / "aside")
    aside = next(place for n in count(1) if not os.path.lexists(place := folder / f"{path.name}.{n}"))
    try:
        path.rename(aside)
    except OSError:
        return make_way(path)
    return aside
