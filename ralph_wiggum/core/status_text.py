"""The status as lines for a person (O30): as wide as asked for, with or without colours."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from ralph_wiggum.core.model import Task
from ralph_wiggum.core.spent import total
from ralph_wiggum.core.spent_words import by_agent
from ralph_wiggum.core.status import Happened, Status
from ralph_wiggum.core.terminal import clean

SHOWN_RECENT = 5
SHOWN_WARNINGS = 10
LABEL_WIDTH = 12
NARROWEST = 20
SHORTEST_BAR = 10
LONGEST_BAR = 30
SHORTEST_TAIL = 8

_BOLD, _DIM, _RED, _GREEN, _YELLOW, _CYAN = "1", "2", "31", "32", "33", "36"
_STATUS_COLOURS = {"complete": _GREEN, "skipped": _YELLOW, "failed": _RED, "interrupted": _YELLOW}
_STATE_COLOURS = {"running": _GREEN, "waiting": _YELLOW, "paused": _YELLOW, "stopping": _YELLOW}


class Page:
    """How to write lines: their width in terminal cells, and whether colours are wanted."""

    def __init__(self, width: int, *, colour: bool) -> None:
        self.width = max(width, NARROWEST)
        self.colour = colour

    def paint(self, text: str, code: str) -> str:
        """Return the text in a colour, by its SGR code."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and text else text

    def fit(self, text: str, used: int = 0) -> str:
        """Return the text as one line that fits beside `used` cells."""
        return fit(text, self.width - used)


def as_lines(status: Status, width: int, *, colour: bool) -> list[str]:
    """Return the status of one spec as lines, the most wanted first."""
    page = Page(width, colour=colour)
    return [
        *_head(status, page),
        "",
        *_facts(status, page),
        *_section(page, "Skipped", (_skipped(page, s.task, s.reason) for s in status.skipped)),
        *_section(page, "Recent", (_recent(page, happened) for happened in status.recent[:SHOWN_RECENT])),
        *_section(page, "Warnings", _warnings(status, page)),
    ]


def overview(statuses: list[Status], width: int, *, colour: bool) -> list[str]:
    """Return one line for each spec: name, bar, figures, what is next."""
    page = Page(width, colour=colour)
    column = min(max((cells(status.spec) for status in statuses), default=0), max(10, page.width // 3))
    return [_overview_line(status, page, column) for status in statuses]


def cells(text: str) -> int:
    """Return how many terminal cells a text takes: two for wide characters, none for combining ones."""
    return len(text) if text.isascii() else sum(map(_cells_of, text))


def fit(text: str, width: int) -> str:
    """Return the text as one clean line of at most `width` cells, with an ellipsis where something went."""
    text = " ".join(clean(text).split())
    if cells(text) <= width:
        return text
    used = 1  # the ellipsis
    for index, letter in enumerate(text):
        used += _cells_of(letter)
        if used > width:
            return text[:index].rstrip() + "…"
    return text


def bar(percent: float, width: int) -> str:
    """Return a bar of `width` cells that is full only at 100 per cent."""
    filled = int(percent / 100 * width)
    return "█" * filled + "░" * (width - filled)


def _cells_of(letter: str) -> int:
    if unicodedata.combining(letter) or unicodedata.category(letter) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def _head(status: Status, page: Page) -> Iterator[str]:
    counts = status.counts
    figures = f"{counts.percent:.1f} %  {counts.completed}/{counts.total} tasks"
    name = page.fit(status.spec, 0)
    space = page.width - cells(name) - len(figures) - 4
    state = page.paint(_run(status), _STATE_COLOURS.get(status.run.state, _DIM))
    if space >= SHORTEST_BAR:
        drawn = page.paint(bar(counts.percent, min(space, LONGEST_BAR)), _GREEN)
        yield f"{page.paint(name, _BOLD)}  {drawn}  {figures}"
    else:
        yield page.paint(name, _BOLD)
        yield figures
    yield state


def _run(status: Status) -> str:
    run = status.run
    return run.state if run.pid is None else f"{run.state} (pid {run.pid}, agent run {run.iteration})"


def _facts(status: Status, page: Page) -> Iterator[str]:
    for label, words in status.standing:
        yield _fact(page, label, words, _YELLOW)
    counts = status.counts
    parts = (
        (counts.skipped, "skipped"),
        (counts.in_progress, "in progress"),
        (counts.queued, "queued"),
        (counts.open, "open"),
        (counts.optional_open, "optional open"),
    )
    totals = ", ".join([f"{counts.completed}/{counts.total} complete", *(f"{n} {word}" for n, word in parts if n)])
    yield _fact(page, "Tasks", totals)
    yield _fact(page, "Top level", f"{counts.top_level[1]}/{counts.top_level[0]} complete")
    yield _fact(page, "Sub-tasks", f"{counts.sub_tasks[1]}/{counts.sub_tasks[0]} complete")
    if status.unverified:
        yield _fact(page, "Unverified", f"{status.unverified} completed without a check that proves it", _YELLOW)
    if status.current is not None:
        yield _fact(page, "Current", _place(status.current), _CYAN)
    if status.next is not None and status.next is not status.current:
        yield _fact(page, "Next", _place(status.next), _CYAN)
    if status.next is None and status.current is None:
        yield _fact(page, "Next", "nothing is left to select")
    if status.last_completed is not None:
        yield _fact(page, "Last done", _place(status.last_completed))
    if words := by_agent(status.spent):
        earlier = total(status.spent_before)
        whole = f" (all runs: ${total(status.spent).and_(earlier).cost:.2f})" if earlier.cost else ""
        yield _fact(page, "Cost", f"{words}{whole}")
    if status.checkpoint is not None:
        task, away = status.checkpoint
        yield _fact(page, "Checkpoint", f"{task.label}, {away} {'task' if away == 1 else 'tasks'} away")


def _fact(page: Page, label: str, text: str, colour: str = "") -> str:
    value = page.fit(text, LABEL_WIDTH)
    return page.paint(label.ljust(LABEL_WIDTH), _DIM) + (page.paint(value, colour) if colour else value)


def _place(task: Task) -> str:
    return f"{task.label} (line {task.line})"


def _section(page: Page, title: str, lines: Iterator[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        if number == 0:
            yield ""
            yield page.paint(title, _BOLD)
        yield line


def _skipped(page: Page, task: Task, reason: str) -> str:
    return page.paint(page.fit(f"{task.label}: {reason or 'no reason is known'}", 2).join(("  ", "")), _YELLOW)


def _recent(page: Page, happened: Happened) -> str:
    time = happened.time[5:16].replace("T", " ")
    status = page.paint(happened.status.ljust(11), _STATUS_COLOURS.get(happened.status, _DIM))
    name = page.fit(f"{happened.id} {happened.name}", 2 + len(time) + 2 + 12)
    return f"  {time}  {status} {name}"


def _warnings(status: Status, page: Page) -> Iterator[str]:
    for warned in status.warnings[:SHOWN_WARNINGS]:
        yield f"  {page.fit(f'{status.tasks_path}:{warned.line}: {warned.message}', 2)}"
    if len(status.warnings) > SHOWN_WARNINGS:
        yield f"  and {len(status.warnings) - SHOWN_WARNINGS} more"


def _overview_line(status: Status, page: Page, column: int) -> str:
    counts = status.counts
    name = fit(status.spec, column)
    name += " " * (column - cells(name))
    figures = f"{bar(counts.percent, SHORTEST_BAR)} {counts.percent:5.1f} %  {counts.completed}/{counts.total}"
    rest = [status.run.state] if status.run.state != "idle" else []
    rest += [f"{counts.skipped} skipped"] if counts.skipped else []
    rest += [f"{len(status.warnings)} warnings"] if status.warnings else []
    rest += [f"next: {status.next.label}"] if status.next is not None else []
    used = column + 2 + cells(figures) + 2
    tail = page.fit(", ".join(rest), used) if page.width - used > SHORTEST_TAIL else ""
    return f"{page.paint(name, _BOLD)}  {figures}  {tail}".rstrip()
