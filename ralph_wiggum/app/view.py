"""The plain view, one line an event, and the choice between it and the live one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from ralph_wiggum.app.events import View
from ralph_wiggum.core.evidence import Gate, GateStatus
from ralph_wiggum.core.history import History
from ralph_wiggum.core.journal import Ended, Skipped, Started, Ticked
from ralph_wiggum.core.model import Plan, Task
from ralph_wiggum.core.outside_text import plain
from ralph_wiggum.core.run_words import clock_words
from ralph_wiggum.core.status import Counts, count
from ralph_wiggum.ports import Clock

if TYPE_CHECKING:
    from ralph_wiggum.app.order import Order

GATE_WORDS = {GateStatus.PASSED: "passed", GateStatus.FAILED: "FAILED", GateStatus.NOT_RUN: "not run"}


class TextStream(Protocol):
    """What a view writes to."""

    def write(self, text: str, /) -> int:
        """Take a text."""
        ...

    def flush(self) -> None:
        """Show it."""
        ...

    def isatty(self) -> bool:
        """Say whether it is a terminal."""
        ...


class PlainView:
    """Prints one line for each event with the time of day; survives a pipe or a terminal that was closed (O12)."""

    def __init__(self, stream: TextStream, clock: Clock) -> None:
        self._stream = stream
        self._clock = clock
        self._quiet = False
        self._counts = ""

    def progress(self, plan: Plan, history: History) -> None:  # noqa: ARG002 - of use to the live view
        """Say how far the spec is, where that changed."""
        counts = progress_words(count(plan))
        if counts != self._counts:
            self._counts = counts
            self._say(counts)

    def started(self, task: Task, started: Started, order: Order) -> None:
        """Say what is tried."""
        attempt = f"attempt {started.attempt}" + ("" if started.strategy == "first" else f" ({started.strategy})")
        self._say(f"{label(task)}: {attempt}, {started.agent}, run {started.iteration}/{order.max_iterations}")

    def output(self, text: str) -> None:
        """Keep silent: what agents print is in their logs."""

    def gate(self, gate: Gate) -> None:
        """Say how a check went."""
        self._say(f"  check {gate_words(gate)}")

    def looking(self, task: Task) -> None:
        """Say whose pages are looked at."""
        self._say(f"{label(task)}: looking at its pages")

    def ended(self, task: Task, ended: Ended) -> None:
        """Say how an attempt that did not pass ended."""
        if ended.result != "passed":
            self._say(f"{label(task)}: {ended.result} after {ended.seconds:.0f} s: {plain(ended.reason)}")

    def ticked(self, task: Task, ticked: Ticked) -> None:
        """Say that a task is complete."""
        self._say(f"{label(task)}: complete{ticked_words(ticked)}")

    def skipped(self, task: Task, skipped: Skipped) -> None:
        """Say that a task was skipped, and where its leftovers are."""
        kept = f" (kept in {skipped.patch})" if skipped.patch else ""
        self._say(f"{label(task)}: SKIPPED: {plain(skipped.reason)}{kept}")

    def waiting(self, reason: str, until: datetime) -> None:
        """Say that the run waits."""
        self._say(f"waiting until {clock_words(until, self._clock.now())}: {plain(reason)}")

    def note(self, text: str) -> None:
        """Say it, each line by itself."""
        for line in text.split("\n"):
            self._say(plain(line, 500))

    def refresh(self) -> None:
        """Draw nothing: there is nothing that moves."""

    def close(self) -> None:
        """Leave the stream to whoever opened it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _say(self, text: str) -> None:
        if self._quiet:
            return
        try:
            print(f"{self._clock.now():%H:%M} {text}", file=self._stream, flush=True)
        except UnicodeEncodeError:
            self._say(text.encode("ascii", "replace").decode())
        except (OSError, ValueError):  # EPIPE, EIO, a closed stream: the night goes on without a screen
            self._quiet = True


def choose_view(stream: TextStream, clock: Clock, environ: Mapping[str, str], *, spec: str = "") -> View:
    """Return the live view on a terminal that can move its cursor, the plain one everywhere else."""
    if environ.get("TERM", "") in {"", "dumb"} or not _is_terminal(stream):
        return PlainView(stream, clock)
    from ralph_wiggum.app.live_view import LiveView, console_on  # noqa: PLC0415 - rich costs 40 ms

    return LiveView(console_on(stream), clock, spec=spec)


def label(task: Task) -> str:
    """Return a task's id and name, cut for one line."""
    return plain(task.label, 100)


def gate_words(gate: Gate) -> str:
    """Return a check's result in one line."""
    words = GATE_WORDS[gate.status]
    reason = gate.reason.removeprefix(words).lstrip(", ")  # "passed" need not be said twice
    if reason.startswith("("):  # nor brackets in brackets
        reason = reason[1:].replace(")", "", 1)
    said = "; ".join(plain(text) for text in (gate.counts, reason) if text)
    took = f" in {gate.seconds:.1f} s" if gate.seconds else ""
    return f"{gate.name}: {words}" + (f" ({said})" if said else "") + took


def ticked_words(ticked: Ticked) -> str:
    """Return what is worth saying of a tick beside that it is one."""
    words = [f"{ticked.attempts} attempts"] if ticked.attempts > 1 else []
    if not ticked.verified and ticked.how != "parent":
        words.append("unverified")
    if ticked.sha:
        words.append(ticked.sha[:9])
    return f" ({', '.join(words)})" if words else ""


def progress_words(counts: Counts) -> str:
    """Return how far a plan is: "3/12 tasks complete, 1 skipped"."""
    return f"{counts.completed}/{counts.total} tasks complete" + (
        f", {counts.skipped} skipped" if counts.skipped else ""
    )


def _is_terminal(stream: TextStream) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False
