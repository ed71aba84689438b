"""What was seen of a rehearsal -> whether the night would have survived it, and if not, why (B8)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from ralph_wiggum.core.drill.observation import Observation, Start
from ralph_wiggum.core.drill.scenario import Scenario
from ralph_wiggum.core.outside_text import plain

BOX = re.compile(r"^(- \[)(.)(\])", re.MULTILINE)
TRACEBACK = "Traceback (most recent call last)"
SHOWN = 3  # of a list of names


class Result(StrEnum):
    """How a rehearsal came out. The values are words for people."""

    SURVIVED = "survived"
    FAILED = "NOT SURVIVED"
    NOT_REHEARSED = "not rehearsed"  # it should have been: its time was over, or something of ours broke
    LEFT_OUT = "left out"  # it cannot be on this machine or in this project

    @property
    def good(self) -> bool:
        """Say whether a person may go to bed."""
        return self in (Result.SURVIVED, Result.LEFT_OUT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a rehearsal came out, in one line of words."""

    result: Result
    words: str


def judge(scenario: Scenario, seen: Observation) -> Verdict:
    """Return the verdict on what was seen of a rehearsal; its words name all that did not hold, the worst first."""
    reasons = tuple(dict.fromkeys(_reasons(scenario, seen)))
    if reasons:
        return Verdict(result=Result.FAILED, words="; ".join(reasons))
    words = scenario.told(seen) if scenario.told is not None else ""
    return Verdict(result=Result.SURVIVED, words=words or scenario.survived)


def _reasons(scenario: Scenario, seen: Observation) -> Iterator[str]:
    yield from _of_starts(scenario, seen)
    yield from _of_plan(scenario, seen)
    yield from _of_commits(scenario, seen)
    if not seen.readable:
        yield "the journal has lines that cannot be read"
    if seen.repository:
        yield f"the repository is broken: {plain(seen.repository, 120)}"
    if seen.changed:
        yield f"files of yours were changed: {few(seen.changed)}"
    yield from scenario.proof(seen)


def _of_starts(scenario: Scenario, seen: Observation) -> Iterator[str]:
    if not seen.starts:
        yield "no run was started"
        return
    for start in seen.starts:
        if start.left:
            yield f"still alive 5 s {'after the kill' if start.killed else 'after the run'}: {few(start.left)}"
        if TRACEBACK in start.said:
            yield "the run printed a traceback"
        if start.code is None:
            yield f"the run did not end within {scenario.most_seconds:.0f} s"
    last = seen.starts[-1]
    if last.killed:
        yield "the run was not started again after the kill"
    elif last.code is not None and last.code != scenario.code:
        yield f"the run ended with exit code {last.code} instead of {int(scenario.code)}{_last_words(last)}"


def _last_words(start: Start) -> str:
    """Return what a run said last where that tells why it did not even begin."""
    lines = [line for line in start.said.splitlines() if line.strip()]
    error = next((line for line in lines if line.startswith("ralph: ")), lines[-1] if lines else "")
    return f" ({plain(error, 160)})" if error else ""


def _of_plan(scenario: Scenario, seen: Observation) -> Iterator[str]:
    marks = "".join(found[2] for found in BOX.finditer(seen.plan))
    if BOX.sub(r"\1 \3", seen.plan) != scenario.plan():
        yield "tasks.md is not what it was, beside the boxes"
    elif marks != scenario.marks:
        yield f"the tasks ended as {_boxes(marks)} instead of {_boxes(scenario.marks)}"


def _of_commits(scenario: Scenario, seen: Observation) -> Iterator[str]:
    if seen.commits is None or seen.committed is None:
        return
    wanted, found = Counter(scenario.done), Counter(seen.commits)
    if lost := [key for key in scenario.done if key not in seen.committed]:
        yield f"the work of task {', '.join(lost)} is in no commit"
    if twice := sorted(key for key, count in found.items() if count > 1):
        yield f"more than one commit for task {', '.join(twice)}"
    if strange := sorted(found.keys() - wanted.keys()):
        yield f"a commit for task {', '.join(strange)}, which was not done"
    missing = sorted(wanted.keys() - found.keys())
    if missing and not lost and not scenario.commits_may_wait:
        yield f"no commit of its own for task {', '.join(missing)}"


def _boxes(marks: str) -> str:
    return " ".join(f"[{mark}]" for mark in marks) or "nothing"


def few(names: tuple[str, ...]) -> str:
    """Return the first names of a list, and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(plain(name, 80) for name in names[:SHOWN]) + more
