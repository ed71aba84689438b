"""The rows of the drill's table and its last sentence (B8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ralph_wiggum.core.drill.verdict import Result, Verdict
from ralph_wiggum.core.outside_text import plain

WORDS_LIMIT = 400
NOT_SURVIVED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table: what was rehearsed, how it came out, and how long that took, seconds."""

    name: str
    what: str
    verdict: Verdict
    seconds: float = 0.0


def line(row: Row, width: int = 0) -> str:
    """Return a row as one line of plain text; `width` is that of the column of names.

    >>> line(Row(name="crash", what="it dies", verdict=Verdict(result=Result.SURVIVED, words="noticed"), seconds=2.04))
    'crash  survived        2.0 s  it dies: noticed'
    """
    words = plain(f"{row.what}: {row.verdict.words}" if row.verdict.words else row.what, WORDS_LIMIT)
    return f"{row.name.ljust(width)}  {row.verdict.result.value:<13}{row.seconds:6.1f} s  {words}"


def sentence(rows: Sequence[Row], seconds: float) -> str:
    """Return the drill's last sentence."""
    bad = [row for row in rows if not row.verdict.result.good]
    survived = sum(row.verdict.result is Result.SURVIVED for row in rows)
    left_out = sum(row.verdict.result is Result.LEFT_OUT for row in rows)
    if bad:
        names = ", ".join(row.name for row in bad)
        return f"{len(bad)} of {len(rows)} did not go well ({names}): do not leave it alone for the night yet."
    if not survived:
        return "Nothing could be rehearsed here."
    rest = f"; {left_out} left out" if left_out else ""
    return f"{survived} of {survived} rehearsals survived in {seconds:.0f} s{rest}: the night can begin."


def exit_code(rows: Sequence[Row]) -> int:
    """Return the exit code: 0 where everything was survived or cannot be rehearsed here, else 1."""
    good = all(row.verdict.result.good for row in rows) and any(row.verdict.result is Result.SURVIVED for row in rows)
    return 0 if good else NOT_SURVIVED
