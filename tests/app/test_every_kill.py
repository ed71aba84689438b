"""B2, as a table of all moments: the runner dies after its n-th effect, for every n, and the next start goes on.

What a night comes to must not depend on when it was killed: marks, files, commits, patches, attempts that count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ralph_wiggum.core.decide import Policy
from ralph_wiggum.core.evidence import AgentOutcome
from ralph_wiggum.core.journal import Deferred, Ended, Skipped, Ticked
from ralph_wiggum.core.visual.looked import Looked
from ralph_wiggum.ports import AgentRequest, Committed, Snapshot
from tests.app.nights import NightOfFakes
from tests.fakes import (
    MemoryJournal,
    MemoryRepo,
    ScriptedChecks,
    ScriptedValidator,
    TextSpec,
    green,
    red,
    says,
    seen,
    unseen,
)

PLAN = """# Plan

- [ ] 1. Storage
  - [ ] 1.1 Schema
  - [ ] 1.2 Cannot be done
- [ ] 2. Web
  - [ ] 2.1 Page
- [ ] 3. Checkpoint - all is well
- [ ] 4. Needs two attempts
- [ ] 5. Final checkpoint
  - [ ] 5.1 Last work
- [ ] 6. Validate: the page
  ```bash
  agent-browser open http://localhost:5173/
  ```
- [ ] 7. Sidebar, with visual validation at its end
  - [ ] 7.1 The list
"""
LOOKED_AT = ("6", "7")


class Died(BaseException):
    """kill -9: nothing of the runner's runs after it."""


@dataclass
class Moments:
    """Counts effects; at the one that was chosen, the runner dies."""

    at: int = 0
    seen: int = 0

    def pass_one(self) -> None:
        self.seen += 1
        if self.seen == self.at:
            raise Died


EFFECTS = frozenset({"write", "hold", "protect", "mark_held", "append", "keep", "restore", "commit", "mend", "run"})


class Mortal:
    """A port after each of whose effects the runner may die."""

    def __init__(self, port: object, moments: Moments) -> None:
        self._port = port
        self._moments = moments

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if name not in EFFECTS:
            return found

        def act(*words: Any, **named: Any) -> Any:
            result = found(*words, **named)
            self._moments.pass_one()
            return result

        return act


class Tree(MemoryRepo):
    """A work tree whose commits hold only what is not in them yet, as git's do."""

    def __init__(self) -> None:
        super().__init__({"README": "hello"})
        self.head = dict(self.files)

    def commit(self, before: Snapshot, after: Snapshot, **words: Any) -> Committed:
        new = self.trees[after.tree]
        paths = [change.path for change in self.changes(before, after)]
        fresh = tuple(path for path in paths if self.head.get(path) != new.get(path))
        for path in fresh:
            self.head[path] = new[path]
        if not fresh:
            return Committed()
        self.commits.append((words["subject"], fresh, words["trailers"]))
        return Committed(sha=f"c{len(self.commits)}")


class Disk(MemoryJournal):
    """A journal that the next runner finds as the last one left it."""

    def opened(self) -> MemoryJournal:
        again = MemoryJournal()
        again.entries = self.entries
        return again


@dataclass
class World:
    """What outlives the runner."""

    path: Path
    spec: TextSpec = field(default_factory=lambda: TextSpec(PLAN))
    repo: Tree = field(default_factory=Tree)
    journal: Disk = field(default_factory=Disk)
    starts: int = 0

    def play(self, request: AgentRequest) -> AgentOutcome:
        key, attempt = request.env["RALPH_TASK_ID"], request.env["RALPH_ATTEMPT"]
        self.repo.files[f"{key}.py"] = f"{key} by attempt {attempt}"
        if key == "1.1":
            self.spec.text = self.spec.text.replace("[ ] 4.", "[x] 4.")  # a lie on the way
        failed = key == "1.2" or (key == "4" and attempt == "1")
        return says("TASK_COMPLETE", exit_code=int(failed))

    def spend(self, at: int, policy: Policy) -> int:
        """Run until the end or the chosen moment; return how many moments were seen."""
        self.starts += 1
        moments = Moments(at=at)
        checks = ScriptedChecks()
        checks.result = lambda: [red() if checks.calls[-1] is None and self._blocked else green()]

        def play(request: AgentRequest) -> AgentOutcome:
            outcome = self.play(request)
            moments.pass_one()
            return outcome

        validator = ScriptedValidator(
            lambda task: Looked(gates=(seen() if f"{task.key}.py" in self.repo.files else unseen(),))
        )
        ports: dict[str, Any] = {
            "validator": Mortal(validator, moments),
            "spec": Mortal(self.spec, moments),
            "repo": Mortal(self.repo, moments),
            "checks": Mortal(checks, moments),
            "journal": Mortal(self.journal.opened(), moments),
        }
        night = NightOfFakes("", play, self.path, **ports, run_id=f"r{self.starts}", policy=policy)
        night.run()
        return moments.seen

    @property
    def _blocked(self) -> bool:
        """Checkpoint 3 finds something that only its fix round mends."""
        return "2.1.py" in self.repo.files and "3.py" not in self.repo.files

    def came_to(self) -> dict[str, object]:
        """Return all that must be the same, whenever the runner died.

        The rounds of a checkpoint, and attempts at a page that is looked at first, are left out: what one that was cut
        off has mended needs no other.
        """
        entries = self.journal.entries
        ended = [e for e in entries if isinstance(e, Ended) and not e.checkpoint and not e.how]
        counted = [e for e in ended if e.result != "interrupted"]
        return {
            "tasks.md": self.spec.text,
            "files": self.repo.files,
            "commits": [(subject, paths, trailers["Ralph-Task"]) for subject, paths, trailers in self.repo.commits],
            "patches": {path.name: path.read_text("utf-8") for path in self.path.glob(".ralph/demo/skipped/*")},
            "ticked": [(e.key, e.verified) for e in entries if isinstance(e, Ticked)],
            "skipped": [(e.key, e.reason) for e in entries if isinstance(e, Skipped)],
            "left open": [e.key for e in entries if isinstance(e, Deferred)],
            "attempts": [(e.key, e.attempt, e.result, e.strategy) for e in counted if e.key not in LOOKED_AT],
        }


def whole_night(path: Path, policy: Policy, *deaths: int) -> tuple[dict[str, object], int]:
    """Spend a night with a death at each of these moments of the starts; return what it came to."""
    world = World(path)
    for at in deaths:
        try:
            world.spend(at, policy)
        except Died:
            continue
        break
    seen = world.spend(0, policy)
    return world.came_to(), seen


POLICIES: Mapping[str, Policy] = {
    "skips": Policy(threshold=2, max_attempts=4),
    "ends at a failure": Policy(threshold=2, max_attempts=4, on_give_up="end"),
}


def test_a_night_without_a_death(tmp_path: Path) -> None:
    """What the others are compared with holds every kind of end."""
    found, _ = whole_night(tmp_path, POLICIES["skips"])
    assert found["tasks.md"] == PLAN.replace("[ ]", "[x]").replace("[x] 1. ", "[ ] 1. ").replace("[x] 1.2", "[S] 1.2")
    assert found["commits"] == [
        ("feat(demo): Schema", ("1.1.py",), "1.1"),
        ("feat(demo): Page", ("2.1.py",), "2.1"),
        ("test(demo): Checkpoint - all is well", ("3.py",), "3"),
        ("feat(demo): Needs two attempts", ("4.py",), "4"),
        ("feat(demo): Last work", ("5.1.py",), "5.1"),
        ("test(demo): Validate: the page", ("6.py",), "6"),
        ("feat(demo): The list", ("7.1.py",), "7.1"),
        ("feat(demo): Sidebar, with visual validation at its end", ("7.py",), "7"),
    ]
    assert found["patches"] == {"1.2.patch": "A 1.2.py\n"}


@pytest.mark.parametrize("name", POLICIES)
def test_a_night_comes_to_the_same_whenever_the_runner_died(name: str, tmp_path: Path) -> None:
    """After the very last effect there is nothing to go on with: the next start is a run of its own."""
    expected, moments = whole_night(tmp_path / "0", POLICIES[name])
    assert moments > 20
    for at in range(1, moments):
        found, _ = whole_night(tmp_path / str(at), POLICIES[name], at)
        assert found == expected, f"killed after effect {at} of {moments}"


def test_a_night_comes_to_the_same_when_the_runner_died_twice_in_a_row(tmp_path: Path) -> None:
    """The second death comes while the first one is being mended, or soon after."""
    expected, moments = whole_night(tmp_path / "0", POLICIES["skips"])
    for at in range(1, moments, 2):
        for again in range(1, 12, 2):
            found, _ = whole_night(tmp_path / f"{at}-{again}", POLICIES["skips"], at, again)
            assert found == expected, f"killed after effect {at}, then after {again}"
