"""How a drill is shown: lines in a pipe, a table that grows on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TextIO

from rich.live import Live
from rich.table import Table
from rich.text import Text

from ralph_wiggum.app.drill import DrillView, Rehearsal
from ralph_wiggum.app.live_view import console_on
from ralph_wiggum.core.drill.report import Row, line
from ralph_wiggum.core.drill.verdict import Result
from ralph_wiggum.core.outside_text import plain
from ralph_wiggum.ports import Clock

REDRAW_SECONDS = 0.2
STYLES: Mapping[Result, str] = {
    Result.SURVIVED: "green",
    Result.FAILED: "bold red",
    Result.NOT_REHEARSED: "red",
    Result.LEFT_OUT: "yellow",
}


class PlainDrillView:
    """Prints a line for each rehearsal that is over; quiet once the stream is closed."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._width = 0
        self._quiet = False

    def begin(self, rehearsals: Sequence[Rehearsal]) -> None:
        """Take how wide the names are."""
        self._width = max((len(each.name) for each in rehearsals), default=0)

    def started(self, rehearsal: Rehearsal) -> None:
        """Keep silent."""

    def finished(self, row: Row) -> None:
        """Print how a rehearsal came out."""
        if not self._quiet:
            try:
                print(line(row, self._width), file=self._stream, flush=True)
            except (OSError, ValueError):  # EPIPE, EIO: the copies are removed all the same
                self._quiet = True

    def refresh(self) -> None:
        """Draw nothing: there is nothing that moves."""

    def close(self) -> None:
        """Leave the stream to whoever opened it."""


class TableDrillView:
    """Shows a table on a terminal: what is over, what goes on and for how long, what is still to come."""

    def __init__(self, stream: TextIO, clock: Clock) -> None:
        self._clock = clock
        self._rehearsals: Sequence[Rehearsal] = ()
        self._began: dict[str, float] = {}
        self._rows: dict[str, Row] = {}
        self._drawn = float("-inf")
        self._live: Live | None = Live(
            console=console_on(stream), auto_refresh=False, get_renderable=self.table, vertical_overflow="visible"
        )
        self._begun = False

    def begin(self, rehearsals: Sequence[Rehearsal]) -> None:
        """Take what the table will hold."""
        self._rehearsals = rehearsals
        self._draw()

    def started(self, rehearsal: Rehearsal) -> None:
        """Show that a rehearsal goes on."""
        self._began[rehearsal.name] = self._clock.monotonic()
        self._draw()

    def finished(self, row: Row) -> None:
        """Show how a rehearsal came out."""
        self._rows[row.name] = row
        self._draw()

    def refresh(self) -> None:
        """Draw anew, if the last time is long enough ago."""
        if self._clock.monotonic() - self._drawn >= REDRAW_SECONDS:
            self._draw()

    def close(self) -> None:
        """Leave the table on the screen."""
        live = self._live
        if live is not None:
            self._try(live.stop)
        self._live = None

    def table(self) -> Table:
        """Return the table as it stands."""
        made = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
        for name in ("rehearsed", "result", "seconds", "in words"):
            made.add_column(name, justify="right" if name == "seconds" else "left", no_wrap=name != "in words")
        for each in self._rehearsals:
            made.add_row(*self._cells(each))
        return made

    def _cells(self, rehearsal: Rehearsal) -> tuple[str | Text, ...]:
        row = self._rows.get(rehearsal.name)
        if row is not None:
            result = row.verdict.result
            words = f"{row.what}: {row.verdict.words}" if row.verdict.words else row.what
            return row.name, Text(result.value, style=STYLES[result]), f"{row.seconds:.1f}", Text(plain(words, 400))
        began = self._began.get(rehearsal.name)
        if began is None:
            return Text(rehearsal.name, style="dim"), "", "", Text(rehearsal.what, style="dim")
        return rehearsal.name, Text("…"), f"{self._clock.monotonic() - began:.0f}", Text(rehearsal.what)

    def _draw(self) -> None:
        self._drawn = self._clock.monotonic()
        live = self._live
        if live is None:
            return
        if not self._begun:
            self._begun = True
            self._try(live.start)
        self._try(live.refresh)

    def _try(self, act: Callable[[], object]) -> None:
        """Do something with the terminal; once that fails, never again."""
        try:
            act()
        except (OSError, ValueError):  # EIO of a terminal that hung up
            self._live = None


def choose_drill_view(stream: TextIO, clock: Clock, environ: Mapping[str, str]) -> DrillView:
    """Return the table on a terminal that can move its cursor, lines everywhere else."""
    if environ.get("TERM", "") in {"", "dumb"} or not stream.isatty():
        return PlainDrillView(stream)
    return TableDrillView(stream, clock)
