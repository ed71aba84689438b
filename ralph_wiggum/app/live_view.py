"""The live view on a terminal: events scroll by, a few lines below them are drawn anew. No threads (design, part 1).

`render` is a pure function of a state; `LiveView` keeps the state and draws it, at most four times a second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from types import TracebackType
from typing import IO, TYPE_CHECKING, Self, cast

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ralph_wiggum.app.view import TextStream, gate_words, label, progress_words, ticked_words
from ralph_wiggum.core.evidence import Gate, GateStatus
from ralph_wiggum.core.history import History
from ralph_wiggum.core.journal import Ended, Skipped, Started, Ticked
from ralph_wiggum.core.model import DONE, Plan, Task
from ralph_wiggum.core.outside_text import plain
from ralph_wiggum.core.run_words import clock_words, held_words, stop_words
from ralph_wiggum.core.select import next_task
from ralph_wiggum.core.status import Counts, count, unverified
from ralph_wiggum.core.terminal import clean
from ralph_wiggum.ports import Clock

if TYPE_CHECKING:
    from ralph_wiggum.app.order import Order

REDRAW_SECONDS = 0.25
OUTPUT_LINES = 6
HELD_LINES = 3
SHORTEST_BAR = 8
OUTPUT_CHARACTERS = 4096  # of what an agent printed last; the log holds all of it


NO_TASKS = Counts()


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveState:
    """What the live part of the screen shows. Times in seconds; `wait` is "" where the run does not wait.

    `held` are the agents that are left alone, with the time of their return; `stopping`: the end was asked for.
    """

    spec: str = ""
    counts: Counts = NO_TASKS
    unverified: int = 0
    task: str = ""
    doing: str = ""
    elapsed: float = 0.0
    limit: float = 0.0
    output: tuple[str, ...] = ()
    next: str = ""
    wait: str = ""
    held: tuple[str, ...] = ()
    stopping: str = ""


def render(state: LiveState, width: int) -> RenderableType:
    """Return what to draw for a state on a terminal of that width."""
    parts: list[RenderableType] = [_bar(state, width)]
    if state.wait:
        parts.append(_line(state.wait, width, "yellow"))
    elif state.task:
        parts.append(_line(state.task, width, "bold cyan"))
        parts.append(_line(_doing(state), width, "dim"))
        parts += [_line(f"  │ {line}", width, "dim") for line in state.output]
    parts += [_line(f"left alone: {held}", width, "yellow") for held in state.held[:HELD_LINES]]
    if state.stopping:
        parts.append(_line(state.stopping, width, "yellow"))
    if state.next:
        parts.append(_line(f"next: {state.next}", width, ""))
    return Group(*parts)


class LiveView:
    """Shows a run on a terminal. A terminal that goes away makes it quiet, and the run goes on (O12)."""

    def __init__(self, console: Console, clock: Clock, *, spec: str = "") -> None:
        self.state = LiveState(spec=spec)
        self._console = console
        self._clock = clock
        self._live: Live | None = None
        self._quiet = False
        self._drawn = float("-inf")
        self._began = 0.0
        self._tail = ""
        self._plan: Plan | None = None
        self._history: History | None = None

    def progress(self, plan: Plan, history: History) -> None:
        """Take the figures; the history is looked at again whenever something is drawn."""
        self._plan, self._history = plan, history
        self._update(
            counts=count(plan), unverified=len(unverified(plan, history)), task="", wait="", next=_next(plan, None)
        )

    def started(self, task: Task, started: Started, order: Order) -> None:
        """Show the attempt, and what would come after it."""
        strategy = "" if started.strategy == "first" else f" ({started.strategy})"
        doing = f"attempt {started.attempt}{strategy}, {started.agent}, run {started.iteration}/{order.max_iterations}"
        self._began = self._clock.monotonic()
        self._tail = ""
        following = _next(self._plan, task) if self._plan is not None else ""
        self._update(task=label(task), doing=doing, limit=started.timeout, next=following, wait="")

    def output(self, text: str) -> None:
        """Keep the end of what is printed; it is drawn with the next refresh."""
        self._tail = (self._tail + text[-OUTPUT_CHARACTERS:])[-OUTPUT_CHARACTERS:]

    def gate(self, gate: Gate) -> None:
        """Let the result of a check scroll by."""
        style = {GateStatus.PASSED: "green", GateStatus.FAILED: "red"}.get(gate.status, "dim")
        self._say(f"  check {gate_words(gate)}", style)

    def looking(self, task: Task) -> None:
        """Show that the pages are looked at, in place of the agent."""
        self._began = self._clock.monotonic()
        self._tail = ""
        self._update(task=label(task), doing="looking at its pages", limit=0.0, wait="")

    def ended(self, task: Task, ended: Ended) -> None:
        """Let an attempt that did not pass scroll by."""
        self._tail = ""
        self._update(task="")
        if ended.result != "passed":
            self._say(f"{label(task)}: {ended.result} after {ended.seconds:.0f} s: {plain(ended.reason)}", "red")

    def ticked(self, task: Task, ticked: Ticked) -> None:
        """Let a completed task scroll by."""
        self._say(f"{label(task)}: complete{ticked_words(ticked)}", "green")

    def skipped(self, task: Task, skipped: Skipped) -> None:
        """Let a skipped task scroll by."""
        kept = f" (kept in {skipped.patch})" if skipped.patch else ""
        self._say(f"{label(task)}: SKIPPED: {plain(skipped.reason)}{kept}", "yellow")

    def waiting(self, reason: str, until: datetime) -> None:
        """Show the wait in place of the task."""
        words = clock_words(until, self._clock.now())
        self._update(wait=f"waiting until {words}: {plain(reason)}", task="")
        self._say(self.state.wait, "yellow")

    def note(self, text: str) -> None:
        """Let words scroll by."""
        for line in text.split("\n"):
            self._say(plain(line, 500), "")

    def refresh(self) -> None:
        """Draw anew, if the last time is long enough ago."""
        now = self._clock.monotonic()
        if now - self._drawn >= REDRAW_SECONDS:
            self._drawn = now
            self._draw()

    def close(self) -> None:
        """Take the live part away and leave the cursor below what scrolled by."""
        live, self._live = self._live, None
        if live is not None:
            self._try(live.stop)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _update(self, **changes: object) -> None:
        self.state = replace(self.state, **changes)  # type: ignore[arg-type]  # names and types are those of LiveState
        self._drawn = float("-inf")
        self.refresh()

    def _draw(self) -> None:
        if self.state.task:
            elapsed = self._clock.monotonic() - self._began
            self.state = replace(self.state, elapsed=elapsed, output=_last_lines(self._tail))
        if self._history is not None:
            held = held_words(self._history, self._clock.now())
            self.state = replace(self.state, held=held, stopping=stop_words(self._history.stop))
        if self._live is None and not self._quiet:
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._try(self._live.start)
        if self._live is not None:
            live = self._live
            self._try(lambda: live.update(render(self.state, self._console.width), refresh=True))

    def _say(self, text: str, style: str) -> None:
        line = Text(f"{self._clock.now():%H:%M} {text}", style=style)
        self._try(lambda: self._console.print(line, soft_wrap=True))

    def _try(self, act: Callable[[], object]) -> None:
        """Do something with the terminal; once that fails, never again."""
        if self._quiet:
            return
        try:
            act()
        except (OSError, ValueError):  # EIO of a terminal that hung up, EPIPE, a closed stream
            self._quiet = True
            self._live = None


def console_on(stream: TextStream) -> Console:
    """Return a console on a terminal; NO_COLOR is rich's own business."""
    return Console(file=cast("IO[str]", stream), highlight=False, markup=False, emoji=False)


def _bar(state: LiveState, width: int) -> RenderableType:
    counts = state.counts
    figures = f"{counts.percent:.0f} %  {progress_words(counts)}"
    figures += f", {state.unverified} unverified" if state.unverified else ""
    name = plain(state.spec, max(8, width // 3))
    space = width - len(name) - len(figures) - 4
    if space < SHORTEST_BAR:
        return _line(f"{name}  {figures}", width, "bold")
    row = Table.grid(padding=(0, 2, 0, 0))
    bar = ProgressBar(total=max(counts.total, 1), completed=counts.completed, width=min(space, 40))
    row.add_row(Text(name, style="bold"), bar, Text(figures))
    return row


def _doing(state: LiveState) -> str:
    limit = f" of {_minutes(state.limit)}" if state.limit else ""
    return f"{state.doing}, {_minutes(state.elapsed)}{limit}"


def _line(text: str, width: int, style: str) -> Text:
    text = plain(text, width) if not text.startswith(" ") else text
    cut = Text(text, style=style, no_wrap=True, overflow="ellipsis")
    cut.truncate(width, overflow="ellipsis")
    return cut


def _last_lines(tail: str) -> tuple[str, ...]:
    lines = [line.expandtabs(4).rstrip() for line in clean(tail).split("\n")]
    return tuple(line for line in lines if line.strip())[-OUTPUT_LINES:]


def _next(plan: Plan | None, current: Task | None) -> str:
    """Return what is next, or what would be next once the current task is done."""
    if plan is None:
        return ""
    if current is not None and current.key in plan.by_key:
        plan = plan.with_mark(current.key, DONE)
    following = next_task(plan)
    return label(following) if following is not None else ""


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
