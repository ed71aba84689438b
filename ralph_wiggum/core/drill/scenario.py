"""What one rehearsal of the fire drill is made of (B8): a plan, what the scripted agent does, what must come of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from ralph_wiggum.core.drill.observation import Observation
from ralph_wiggum.core.errors import Exit

AGENT = "rehearsed"  # the scripted agent's name in the scratch settings
SPARE = "spare"  # the one that takes over, where there are two

# Steps are functions of adapters/drill/actor.py with their arguments; {task} and {work} are replaced there.
Step = Sequence[object]
Script = Sequence[Step]

WORK: Script = (("write", "{work}", "{task}\n"), ("say", "Did {task}."), ("say", "TASK_COMPLETE"))


class Victim(StrEnum):
    """Who is killed with SIGKILL while an agent works."""

    RUNNER = "runner"
    KEEPER = "keeper"


class Stage(StrEnum):
    """Where a rehearsal takes place, beside the plain scratch copy."""

    PLAIN = "plain"
    SMALL_DISK = "small disk"
    HOOKS = "hooks"  # with the person's own git hooks
    CHECKS = "checks"  # with the person's own checks


def _nothing(_seen: Observation) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One rehearsal. Times in seconds.

    `marks` are the states that the tasks must end with, in order; task n has the key str(n). `play` holds, by key, the
    script of the first run of a task, of its second and so on (the last one again after that); a task without one is
    worked on. `proof` returns what speaks against it beside what must hold for all, also that the fault never
    happened. `told` makes words of what was seen, "" for `survived`. `commits_may_wait`: the commit of a task may be
    made together with the next one's.
    """

    name: str
    what: str
    survived: str
    marks: str = "xx"
    play: Mapping[str, Sequence[Script]] = field(default_factory=dict)
    proof: Callable[[Observation], Sequence[str]] = _nothing
    told: Callable[[Observation], str] | None = None
    code: Exit = Exit.DONE
    kills: tuple[Victim, ...] = ()
    stage: Stage = Stage.PLAIN
    spare: bool = False
    needs_repository: bool = False
    commits_may_wait: bool = False
    task_seconds: float = 30.0
    most_seconds: float = 60.0

    @property
    def done(self) -> tuple[str, ...]:
        """Return the keys of the tasks that must be complete in the end."""
        return tuple(str(place) for place, mark in enumerate(self.marks, start=1) if mark == "x")

    def plan(self, marks: str = "") -> str:
        """Return the tasks.md of this rehearsal, with the boxes open or as given."""
        marks = marks or " " * len(self.marks)
        lines = (f"- [{mark}] {place}. Rehearse: {self.what}\n" for place, mark in enumerate(marks, start=1))
        return f"# Fire drill: {self.name}\n\n" + "".join(lines)
