"""What a look at pages is to do, and what it has found so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ralph_wiggum.core.servers.standing import Standing
from ralph_wiggum.core.visual.commands import Command
from ralph_wiggum.core.visual.page import Rules, Seen

Viewport = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What is to be looked at: `before` first, then `commands` in order, or without any, each of `pages`.

    Where the commands open no page, `lead` does, the commands of earlier tasks that they go on from, or else the first
    of `pages`. `picture` returns where the screenshot of a page goes, by its
    number (0 …) and viewport; `root` is the project's; `baseline` what a picture is compared with, None for nothing.
    """

    before: tuple[Command, ...]
    lead: tuple[Command, ...] = ()
    commands: tuple[Command, ...]
    pages: tuple[str, ...]
    viewports: tuple[Viewport, ...]
    rules: Rules
    root: Path
    standings: tuple[Standing, ...]
    picture: Callable[[int, Viewport | None], Path]
    baseline: Callable[[Path], Path | None]


@dataclass
class Record:
    """What a look has found so far."""

    console: dict[str, tuple[str, ...]] = field(default_factory=dict)
    pictures: list[Path] = field(default_factory=list)
    last_picture: Path | None = None  # of ours, not of the task's own commands
    notes: list[str] = field(default_factory=list)
    commands: int = 0
    pages: int = 0
    seen: Seen | None = None
