"""A server brought up and a page looked at with three commands, beside what server and agent-browser take alone."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from bench_ground import Ground, Project, Row
from bench_page_floor import FLOOR, by_hand
from bench_site import Site, sites, wait_until_gone

from ralph_wiggum.adapters.journal_file import read_journal
from ralph_wiggum.adapters.process_table import system_table
from ralph_wiggum.core.history import History

GOAL_SECONDS = 1.5
STEPS = {  # as both ways name them -> as the table does
    "server up": "the server comes up",
    "search": "agent-browser and Chromium are looked for",
    "session": "a session is made: folder, keeper",
    "open": "open, which starts Chromium",
    "click": "click",
    "is": "is visible",
    "settle": "the page comes to rest",
    "evidence": "console, errors, snapshot",
    "requests": "requests",
    "screenshot": "screenshot",
    "close": "close, until the browser is gone",
    "server ended": "the server is ended",
    "else": "all else",
}

Seconds = Mapping[str, float]


def pages(ground: Ground) -> Iterator[Row]:
    """Measure with each server that is there; LeftOutError without agent-browser or Chromium."""
    for site in sites(ground):
        yield from _pages(site)


def _pages(site: Site) -> Iterator[Row]:
    from bench_page_run import by_ralph, step_by_step  # noqa: PLC0415 - all of ralph; flood compares its own memory

    project = site.make("once")
    acts: tuple[Callable[[], Seconds], ...] = (
        lambda: by_hand(site, project.root).seconds,
        lambda: {"": by_ralph(site, project)},
        lambda: step_by_step(site, project).seconds,
        lambda: _nights(site),
    )
    for act in acts[:2]:  # what a machine reads for the first time is nobody's cost
        act()
    hand, ours, steps, nights = _by_turns(acts, site.ground.size(7, 1))
    floor = statistics.median(sum(taken.values()) for taken in hand)
    goal = round(floor + GOAL_SECONDS, 2)
    yield _whole(f"{site.name} up, three commands at its page, all ended", _middle(ours, ""), floor, goal)
    for turn, words in (("first", "for the first time"), ("again", "again")):
        yield _whole(f"{site.name}: ralph-overnight with this one task, {words}", _middle(nights, turn), floor)
    yield from _steps(site, steps, hand)


def _by_turns(acts: Sequence[Callable[[], Seconds]], rounds: int) -> list[list[Seconds]]:
    """Return what each act took in each round; every other round goes backwards, for each act disturbs the next."""
    taken: list[list[Seconds]] = [[] for _ in acts]
    for number in range(rounds):
        places = range(len(acts)) if number % 2 == 0 else reversed(range(len(acts)))
        for place in places:
            taken[place].append(acts[place]())
    return taken


def _middle(taken: Sequence[Seconds], step: str) -> float:
    return statistics.median(seconds[step] for seconds in taken)


def _whole(what: str, measured: float, floor: float, goal: float | None = None) -> Row:
    words = FLOOR if goal is None else f"{FLOOR} (goal: {GOAL_SECONDS} s more)"
    return Row(name="pages", what=what, unit="s", measured=measured, goal=goal, floor=floor, floor_is=words)


def _steps(site: Site, ours: Sequence[Seconds], hand: Sequence[Seconds]) -> Iterator[Row]:
    """Yield where the time of the first row goes, step by step."""
    for step, words in STEPS.items():
        both = step in hand[0]
        yield Row(
            name="pages",
            what=f"{site.name}: {words}",
            unit="ms",
            measured=1000 * _middle(ours, step),
            floor=1000 * _middle(hand, step) if both else None,
            floor_is="the same by hand" if both else "",
        )


def _nights(site: Site) -> Seconds:
    """Return the seconds of two runs of one project, each until nothing of it is alive."""
    project = site.make("night")
    tasks = project.spec / "tasks.md"
    text = tasks.read_text()
    first = _night(project)
    tasks.write_text(text)
    return {"first": first, "again": _night(project)}


def _night(project: Project) -> float:
    began = time.perf_counter()
    project.overnight(1, "--no-commit")
    begun = History(read_journal(project.state / "journal.jsonl")[0]).run
    if begun is None:
        raise RuntimeError("no run was begun")
    wait_until_gone(system_table().marked({begun.run}, below=True).values())
    taken = time.perf_counter() - began
    if "[x]" not in (project.spec / "tasks.md").read_text() or project.stamps_file.exists():
        raise RuntimeError("the page was not found good at once")
    return taken
