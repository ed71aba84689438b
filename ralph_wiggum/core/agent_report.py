"""What is known of the agents, for a person and for programs: rows, a table as wide as asked for, JSON (O11, B1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ralph_wiggum.core.agent_choice import ON_DEMAND
from ralph_wiggum.core.agents import TELLS_COST, TELLS_TOKENS
from ralph_wiggum.core.login import Login, Readiness
from ralph_wiggum.core.outside_text import plain
from ralph_wiggum.core.settings import AgentSettings, Settings
from ralph_wiggum.core.status_text import Page, cells
from ralph_wiggum.core.versions import older

_GAP = "  "
_LONGEST = 20_000  # characters of a paragraph
_BOLD, _RED, _GREEN, _YELLOW = "1", "31", "32", "33"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One agent: its settings, what was learnt of it, the path of its program ("": not installed).

    `place` is its place among those that a night asks that names no agent, from 1; 0: it is none of them.
    """

    agent: AgentSettings
    readiness: Readiness
    path: str = ""
    place: int = 0

    @property
    def tells(self) -> str:
        """Return what is told of a run: "cost" (by the program, or by the person's prices), "tokens" or ""."""
        if self.agent.dialect in TELLS_COST or (self.agent.dialect in TELLS_TOKENS and self.agent.prices):
            return "cost"
        return "tokens" if self.agent.dialect in TELLS_TOKENS else ""

    @property
    def too_old(self) -> bool:
        """Say whether the program is older than what is needed, as far as it told."""
        return older(self.readiness.version, self.agent.minimum_version)

    @property
    def login(self) -> str:
        """Return how it stands with the login, in a few words."""
        if self.readiness.by:
            return f"by {self.readiness.by}"
        if not self.readiness.installed:
            return ""
        if self.readiness.login is Login.UNKNOWN and not self.agent.login and not self.agent.credentials:
            return "-"  # it needs none, or nothing tells
        return self.readiness.login.value


def usable(rows: Sequence[Row]) -> bool:
    """Say whether any of the agents can be asked; one that a night takes only by its name counts where it is named."""
    return any(row.readiness.ready for row in rows if row.place or row.agent.name not in ON_DEMAND)


def table(rows: Sequence[Row], settings: Settings, width: int, *, colour: bool) -> list[str]:
    """Return the table of what is installed, what is not with how to install it, and what is to be known."""
    page = Page(width, colour=colour)
    there = [row for row in rows if row.readiness.installed]
    return [
        *_installed(there, page),
        *_section(page, "Not installed", [row for row in rows if row not in there], lambda row: row.readiness.hint),
        *_section(page, "Notes", [row for row in there if row.readiness.words], _known),
        "",
        *paragraph(_default(rows, settings), page.width),
    ]


def _installed(rows: Sequence[Row], page: Page) -> Iterator[str]:
    """Yield head and rows, with as many columns as fit, the most wanted first."""
    if not rows:
        return
    columns = [[head, *(plain(cell(row)) for row in rows)] for head, cell in _COLUMNS]
    widths = [max(map(cells, column)) for column in columns]
    shown = len(widths)
    while shown > _LEAST_COLUMNS and sum(widths[:shown]) + len(_GAP) * (shown - 1) > page.width:
        shown -= 1
    for number, line in enumerate(zip(*columns[:shown], strict=True)):
        padded = (cell + " " * (width - cells(cell)) for cell, width in zip(line, widths, strict=False))
        text = _cut(_GAP.join(padded).rstrip(), page.width)
        yield page.paint(text, _BOLD if number == 0 else _colour(rows[number - 1]))


def _cut(text: str, width: int) -> str:
    """Return a line of at most `width` cells; unlike `fit`, its spaces stay."""
    while cells(text) > width:
        text = text[:-2].rstrip() + "…"
    return text


def _colour(row: Row) -> str:
    if not row.readiness.ready:
        return _RED
    if row.too_old:
        return _YELLOW
    return _GREEN if row.place else ""


def _section(page: Page, title: str, rows: Sequence[Row], words: Callable[[Row], str]) -> Iterator[str]:
    """Yield a title and a paragraph for each row; nothing where there is none."""
    if not rows:
        return
    yield from ("", page.paint(title, _BOLD))
    width = max(cells(plain(row.agent.name)) for row in rows)
    for row in rows:
        head = f"  {plain(row.agent.name).ljust(width)}{_GAP}"
        yield from paragraph(words(row) or "-", page.width, head)


def _known(row: Row) -> str:
    return "; ".join(filter(None, (row.readiness.words, row.readiness.hint)))


def _default(rows: Sequence[Row], settings: Settings) -> str:
    """Say whom a night asks that names no agent."""
    chosen = sorted((row for row in rows if row.place), key=lambda row: row.place)
    if not chosen:
        return "Default: none of those that a run looks for is installed; name one with --agent, or in agent:"
    if settings.agent:
        source = settings.origin.get("agent", "")
        then = f"Default: {', then '.join(row.agent.name for row in chosen)}" + (
            f" (agent: in {source})" if source else ""
        )
    else:
        then = f"Default: {chosen[0].agent.name} (the first that is installed; set agent: to choose)"
    if not any(row.readiness.ready for row in chosen):
        others = [row.agent.name for row in rows if row.readiness.ready and row.agent.name not in ON_DEMAND]
        then += ", which cannot work now" + (f"; there is also {', '.join(others)}" if others else "")
    return then


def paragraph(text: str, width: int, head: str = "") -> Iterator[str]:
    """Yield a text as lines of at most `width`; the first begins with `head`, the others stand below its end.

    Where that leaves too little room, they stand four from the left.
    """
    import textwrap  # noqa: PLC0415 - 3 ms, only where something is printed

    indent = " " * cells(head) if cells(head) < width // 2 else "    "
    words = plain(text, _LONGEST)
    yield from textwrap.wrap(words, width, initial_indent=head, subsequent_indent=indent, break_on_hyphens=False)


_COLUMNS: Sequence[tuple[str, Callable[[Row], str]]] = (
    ("", lambda row: str(row.place or "")),
    ("agent", lambda row: row.agent.name),
    ("version", lambda row: row.readiness.version or ("?" if row.agent.version else "")),
    ("login", lambda row: row.login),
    ("driver", lambda row: row.agent.driver),
    ("dialect", lambda row: row.agent.dialect),
    ("resumes", lambda row: "yes" if row.agent.resumes else "no"),
    ("tells", lambda row: row.tells or "nothing"),
    ("program", lambda row: row.path),
)
_LEAST_COLUMNS = 4


def as_json(row: Row) -> dict[str, Any]:
    """Return a row as plain data; the help of `ralph agents` describes it."""
    agent, found = row.agent, row.readiness
    comparable = bool(found.version and agent.minimum_version)
    return {
        "name": agent.name,
        "default": row.place or None,
        "usable": found.ready,
        "installed": found.installed,
        "path": row.path or None,
        "install_hint": agent.install_hint or None,
        "version": found.version or None,
        "minimum_version": agent.minimum_version or None,
        "version_ok": not row.too_old if comparable else None,
        "login": found.login.name.lower(),
        "login_by": found.by or None,
        "driver": agent.driver,
        "dialect": agent.dialect,
        "resume": agent.resumes,
        "tells": row.tells or None,
        "docs": agent.docs or None,
        "words": found.words,
        "hint": found.hint,
    }
