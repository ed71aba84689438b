"""Paths that are written below the project's root: nothing goes through a link out of it, and no odd name raises."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

# What the functions of pathlib raise for names that are too long, hold a NUL, or are links in a circle.
_ODD = (OSError, ValueError, RuntimeError)


def leads_outside(path: Path, root: Path) -> str:
    """Say why a path may not be used although it looks as if it may: a link that leads out of the project."""
    try:
        inside = path.resolve().is_relative_to(root.resolve())
    except _ODD as error:
        return f"{_short(path)} cannot be used: {_reason(error)}"
    return "" if inside else f"{_short(path)} leads outside of the project"


def make_folder(path: Path) -> str:
    """Make the folder that a file goes into; return why not, "" where it can be written to."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except _ODD as error:
        return f"the folder of {_short(path)} could not be made: {_reason(error)}"
    try:
        with suppress(FileNotFoundError):
            path.lstat()  # raises for a name that is too long, which resolving takes for one that is not there
    except _ODD as error:
        return f"{_short(path)} cannot be used: {_reason(error)}"
    return ""


def is_file(path: Path) -> bool:
    """Say whether there is such a file; what cannot even be asked for is none."""
    try:
        return path.is_file()
    except _ODD:
        return False


def _short(path: Path) -> str:
    return path.name if len(path.name) <= 100 else f"{path.name[:99]}…"  # noqa: PLR2004 - characters, for one line


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
