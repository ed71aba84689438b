"""The course of a fire drill: a list of rehearsals, two at a time in one loop, within a time limit (B8)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from ralph_wiggum.core.drill.report import Row
from ralph_wiggum.core.drill.verdict import Result, Verdict
from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.ports import Clock

STEP_SECONDS = 0.03  # between two looks at what goes on

Performance = Generator[None, None, Verdict]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """Something to rehearse. `perform` is given the number of its lane, yields while it waits, and never blocks."""

    name: str
    what: str
    perform: Callable[[int], Performance]


class DrillView(Protocol):
    """Shows how a drill goes on."""

    def begin(self, rehearsals: Sequence[Rehearsal]) -> None:
        """Take what will be rehearsed."""
        ...

    def started(self, rehearsal: Rehearsal) -> None:
        """Show that a rehearsal goes on."""
        ...

    def finished(self, row: Row) -> None:
        """Show how a rehearsal came out."""
        ...

    def refresh(self) -> None:
        """Draw anew what moves."""
        ...

    def close(self) -> None:
        """Leave the screen as it is."""
        ...


@dataclass(slots=True)
class _Going:
    """A rehearsal that goes on."""

    rehearsal: Rehearsal
    steps: Performance
    began: float


def drill(
    rehearsals: Sequence[Rehearsal],
    view: DrillView,
    clock: Clock,
    *,
    lanes: int,
    seconds: float,
    interrupted: Callable[[], str] = lambda: "",
) -> tuple[Row, ...]:
    """Carry the rehearsals out, as many at a time as there are lanes; return one row for each, in the order given.

    What has not ended after `seconds`, or when `interrupted` names a signal, was not rehearsed. Every performance is
    closed in every case.
    """
    view.begin(rehearsals)
    end = clock.monotonic() + seconds
    waiting: Iterator[Rehearsal] = iter(rehearsals)
    going: list[_Going | None] = [None] * lanes
    rows: dict[str, Row] = {}

    def over() -> bool:
        return bool(interrupted()) or clock.monotonic() >= end

    try:
        while not over():
            for lane, place in enumerate(going):
                going[lane] = (_step(place, clock, rows, view) if place else None) or _next(waiting, clock, lane, view)
            if not any(going):
                break
            view.refresh()
            clock.pause(STEP_SECONDS, lambda: bool(interrupted()))
    finally:
        for place in going:
            if place is not None:
                place.steps.close()
    late = f"the drill was stopped ({interrupted()})" if interrupted() else f"not over when its {seconds:.0f} s were"
    for rehearsal in rehearsals:
        if rehearsal.name not in rows:
            began = next((each.began for each in going if each is not None and each.rehearsal is rehearsal), None)
            spent = clock.monotonic() - began if began is not None else 0.0
            rows[rehearsal.name] = _row(rehearsal, Verdict(result=Result.NOT_REHEARSED, words=late), spent)
            view.finished(rows[rehearsal.name])
    return tuple(rows[rehearsal.name] for rehearsal in rehearsals)


def _next(waiting: Iterator[Rehearsal], clock: Clock, lane: int, view: DrillView) -> _Going | None:
    """Begin the next rehearsal, if there is one."""
    with suppress(StopIteration):
        rehearsal = next(waiting)
        view.started(rehearsal)
        return _Going(rehearsal, rehearsal.perform(lane), clock.monotonic())
    return None


def _step(going: _Going, clock: Clock, rows: dict[str, Row], view: DrillView) -> _Going | None:
    """Let a rehearsal go one step on; return None once it is over, with its row."""
    try:
        next(going.steps)
    except StopIteration as stop:
        verdict: Verdict = stop.value
    except RalphError as error:
        verdict = Verdict(result=Result.NOT_REHEARSED, words=str(error))
    except OSError as error:
        verdict = Verdict(result=Result.NOT_REHEARSED, words=f"{error.filename or 'the copy'}: {error.strerror}")
    else:
        return going
    row = _row(going.rehearsal, verdict, clock.monotonic() - going.began)
    rows[row.name] = row
    view.finished(row)
    return None


def _row(rehearsal: Rehearsal, verdict: Verdict, seconds: float) -> Row:
    return Row(name=rehearsal.name, what=rehearsal.what, verdict=verdict, seconds=seconds)
