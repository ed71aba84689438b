"""What was red before the first task: it blocks only by failures that are new since (O18, B5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from ralph_wiggum.core.failures import Failures

Baseline = Mapping[str, Failures]  # command_key -> how it came out before the first task


def command_key(command: str, cwd: str) -> str:
    """Return what a check is known by in a baseline: its command and where it runs."""
    return f"{cwd}$ {command}"


def blocking(now: Failures, before: Failures | None) -> tuple[str, ...]:
    """Return the failures that count: those of now that the baseline did not have, sorted; all without a baseline.

    They are compared as multisets: a second F401 in a file that had one is new.
    """
    known = Counter(before.keys) if before else Counter[str]()
    return tuple(sorted((Counter(now.keys) - known).elements()))


def to_data(baseline: Baseline) -> dict[str, object]:
    """Return a baseline as plain data that JSON can hold."""
    return {
        key: {"keys": list(each.keys), "exit_code": each.exit_code, "obstacle": each.obstacle}
        for key, each in baseline.items()
    }


def from_data(data: Mapping[str, object]) -> dict[str, Failures]:
    """Return the baseline of plain data; entries of another shape are left out, so those checks have none."""
    found: dict[str, Failures] = {}
    for key, entry in data.items():
        match entry:
            case {"keys": list(keys), "exit_code": int() | None as exit_code, "obstacle": str(obstacle)}:
                names = tuple(sorted(str(each) for each in keys))
                found[key] = Failures(keys=names, exit_code=exit_code, obstacle=obstacle)
            case _:
                continue
    return found
