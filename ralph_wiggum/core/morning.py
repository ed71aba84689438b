"""What a person finds in the morning: the last screen of a run, and its entry in DEVLOG.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from ralph_wiggum.core.commits import WITHOUT_HOOKS, describe_for_morning
from ralph_wiggum.core.fingerprint import normalise
from ralph_wiggum.core.history import History, TaskRecord
from ralph_wiggum.core.journal import Ticked
from ralph_wiggum.core.model import Plan, Task
from ralph_wiggum.core.outside_text import code, inline, plain
from ralph_wiggum.core.sizes import span
from ralph_wiggum.core.spent_words import by_agent
from ralph_wiggum.core.status import count, skipped_tasks, unverified

NAMED = 8  # paths in one note
SHOWN = 40  # lines of a section; the report and activity.md hold the rest


class RepoFacts(Protocol):
    """Where the repository stood when the run began (ports.RepoState)."""

    @property
    def head(self) -> str:
        """Return the commit at the start, "" before the first one."""
        ...

    @property
    def branch(self) -> str:
        """Return the branch of the run, "" when detached."""
        ...

    @property
    def evening(self) -> str:
        """Return the commit to go back to."""
        ...

    @property
    def started_on(self) -> str:
        """Return the branch that the person was on, "" if it is not known."""
        ...


def last_screen(plan: Plan, history: History, repo: RepoFacts, reason: str) -> list[str]:
    """Return the lines of the last screen: why it ended, done, skipped, put back, left out, and what to do with it."""
    ticked = _ticked_tonight(plan, history)
    return [
        *_why_and_how_far(plan, history, reason),
        *_section("Done in this run", [_done_line(task, tick) for task, tick in ticked if tick.how != "parent"]),
        *_section("Skipped", list(_skipped_lines(plan, history))),
        *_section("Said in the night", [*_said(history), *_unhooked(tick for _, tick in ticked)]),
        *_section("Changed, but left out of the commits", _left_out(tick for _, tick in ticked)),
        "",
        *_git_lines(repo, [tick.sha for _, tick in ticked if tick.sha]),
    ]


def persons_paths(paths: Sequence[str]) -> tuple[str, ...]:
    """Return the word about what the person had changed before the run, none where that is nothing (O33).

    >>> persons_paths(["a.py", "b.py"])
    ('changed before the run, so left out of its commits: a.py, b.py',)
    """
    if not paths:
        return ()
    more = f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
    names = ", ".join(plain(path, 100) for path in paths[:NAMED])
    return (f"changed before the run, so left out of its commits: {names}{more}",)


def devlog_entry(spec: str, plan: Plan, history: History, now: datetime) -> str:
    """Return the entry of a run for DEVLOG.md, in markdown, to be appended (O35)."""
    counts = count(plan)
    ticked = [(task, tick) for task, tick in _ticked_tonight(plan, history) if tick.how != "parent"]
    reason = history.ended.reason if history.ended else ""
    lines = [
        "",
        f"## [{now:%Y-%m-%d %H:%M}] - ralph-wiggum: {inline(spec)}",
        "",
        f"{counts.completed}/{counts.total} tasks complete ({counts.percent:.1f} %), {counts.skipped} skipped."
        + (f" The run ended: {inline(reason)}." if reason else ""),
        "",
        *(f"- done: {inline(task.label)}{_commit(tick)}" for task, tick in ticked),
        *(f"- skipped: {inline(s.task.label)}: {inline(s.reason)}" for s in skipped_tasks(plan, history)),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


def _why_and_how_far(plan: Plan, history: History, reason: str) -> Iterator[str]:
    counts = count(plan)
    unproved = len(unverified(plan, history))
    rest = counts.total - counts.completed - counts.skipped
    parts = ((counts.skipped, "skipped"), (rest, "open"), (unproved, "complete but unverified"))
    figures = [f"{counts.completed}/{counts.total} tasks complete", *(f"{n} {word}" for n, word in parts if n)]
    yield f"The run ended: {plain(reason)}."
    yield ", ".join(figures) + "."
    waited = sum(_seconds(wait.at, over) for wait, over in history.waits)
    if waited >= 1:
        yield f"Waited for {span(waited)} in all: {', '.join(_waited_for(history))}."
    if spent := by_agent(history.spent):
        yield f"Spent {spent}."


def _waited_for(history: History) -> Iterator[str]:
    """Yield what was waited for, each once, the longest first."""
    seconds: dict[str, float] = {}
    for wait, over in history.waits:
        seconds[plain(wait.reason, 80)] = seconds.get(plain(wait.reason, 80), 0.0) + _seconds(wait.at, over)
    longest = sorted(seconds.items(), key=lambda item: -item[1])
    yield from (f"{reason} ({span(spent)})" for reason, spent in longest[:NAMED])
    if len(longest) > NAMED:
        yield f"and {len(longest) - NAMED} more"


def _seconds(begin: str, end: str) -> float:
    try:
        return max(0.0, (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds())
    except (ValueError, TypeError):  # a line of the journal that somebody edited
        return 0.0


def _ticked_tonight(plan: Plan, history: History) -> list[tuple[Task, Ticked]]:
    """Return the tasks that this run completed, in the order of the document, with their ticks."""
    run = history.run.run if history.run else ""
    found = ((task, history.of(task.key).ticked) for task in plan.tasks if task.done)
    return [(task, tick) for task, tick in found if tick is not None and tick.run == run]


def _done_line(task: Task, ticked: Ticked) -> str:
    words = [f"{ticked.attempts} attempts"] if ticked.attempts > 1 else []
    words += [] if ticked.verified else ["unverified"]
    words += [ticked.sha[:10]] if ticked.sha else []
    return f"{plain(task.label, 100)}" + (f" ({', '.join(words)})" if words else "")


def _skipped_lines(plan: Plan, history: History) -> Iterator[str]:
    for skipped in skipped_tasks(plan, history):
        yield f"{plain(skipped.task.label, 100)}: {plain(skipped.reason) or 'no reason is known'}"
        yield from _leftovers(history.of(skipped.task.key))


def _said(history: History) -> list[str]:
    """Return the notes of the night, each once, with how often it came: times and process ids make no other note."""
    times: dict[str, list[str]] = {}
    for note in history.notes:
        times.setdefault(normalise(note.text), []).append(plain(note.text, 400))
    return [f"- {same[0]}" + (f" ({len(same)} times)" if len(same) > 1 else "") for same in times.values()]


def _unhooked(ticks: Iterable[Ticked]) -> list[str]:
    """Return why commits were made without the person's hooks, each reason once: they may fail in the morning."""
    found = [plain(note, 400) for tick in ticks for note in tick.notes if note.startswith(WITHOUT_HOOKS)]
    return [
        f"- {words}" + (f" ({n} commits)" if (n := found.count(words)) > 1 else "") for words in dict.fromkeys(found)
    ]


def _leftovers(record: TaskRecord) -> Iterator[str]:
    if record.skipped is None:
        return
    if record.skipped.patch:
        yield f"  what was tried: git apply {record.skipped.patch}"
    for path in record.skipped.left:
        yield f"  not put back, because it changed since: {plain(path)}"


def _left_out(ticks: Iterable[Ticked]) -> list[str]:
    return sorted({plain(path) for tick in ticks for path in tick.left_out})


def _git_lines(repo: RepoFacts, shas: list[str]) -> Iterator[str]:
    yield from describe_for_morning(
        branch=repo.branch,
        started_on=repo.started_on,
        evening=repo.evening or repo.head,
        head=shas[-1] if shas else "",
    )


def _section(title: str, lines: list[str]) -> Iterator[str]:
    if not lines:
        return
    yield ""
    yield f"{title}:"
    yield from (f"  {line}" for line in lines[:SHOWN])
    if len(lines) > SHOWN:
        yield f"  and {len(lines) - SHOWN} more"


def _commit(ticked: Ticked) -> str:
    return f" ({code(ticked.sha[:10])})" if ticked.sha else ""
