"""One fault at the first effect of a night, at the second …: each time the morning must be that of a quiet night."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import count
from pathlib import Path

from tests.night.faults import library
from tests.night.faults.effects import Fault, Meter, Share

METER = Meter()
if __name__ == "__main__":
    library.install(METER)  # before anything of ours is imported

from tests.night.faults import scene  # noqa: E402 - see above
from tests.night.faults.nursery import Nursery, Spent  # noqa: E402
from tests.night.faults.scene import Scene  # noqa: E402

SHOWN = 1000  # characters of what a night printed
ATTEMPTS = "Ralph-Attempts: "


@dataclass(frozen=True, slots=True)
class Found:
    """What one fault led to. `problems` is empty where the morning was the same."""

    at: int
    effect: str
    problems: tuple[str, ...]
    clean_up: float  # seconds until nothing of the dead run was alive, -1 where that was not waited for
    seconds: float


class Rounds:
    """Spends the nights of one process, all in one folder."""

    def __init__(self, folder: Path) -> None:
        self._nursery = Nursery(METER)
        self._scene = scene.make(folder)
        self._wanted = self._quiet()

    def _quiet(self) -> Mapping[str, object]:
        spent = self._nursery.spend(self._scene.project, Fault())
        assert spent.code == scene.CODE, spent
        self._nursery.nothing_left()
        problems = list(scene.wrong(self._scene.project))
        assert not problems, problems
        return scene.look(self._scene.project)

    def count(self, fault: Fault) -> int:
        """Return how many effects of a quiet night the fault can strike."""
        self._scene.set_back()
        seen = self._nursery.spend(self._scene.project, replace(fault, at=0)).seen
        self._nursery.nothing_left()
        return seen

    def one(self, fault: Fault) -> Found | None:
        """Spend one night with a fault; None if it was over before that effect came."""
        self._scene.set_back()
        first = last = self._nursery.spend(self._scene.project, fault)
        if not first.struck:
            self._nursery.nothing_left()
            return None
        problems: list[str] = []
        clean_up = -1.0
        try:
            problems += _ended_wrongly(first, fault, self._scene)
            if (fault.at + (fault.kind == "torn")) % 2:  # else the next start meets what is still ending
                clean_up = self._nursery.nothing_left()
            if first.code != scene.CODE:
                last = self._nursery.spend(self._scene.project, Fault())
                problems += _ended_wrongly(last, Fault(), self._scene)
            self._nursery.nothing_left()
            problems += self._unlike(fault)
        except (AssertionError, OSError, ValueError) as error:
            problems.append(f"{type(error).__name__}: {error}")
        took = first.seconds + (last.seconds if last is not first else 0.0)
        return Found(fault.at, first.struck, tuple(problems), clean_up, round(took, 3))

    def _unlike(self, fault: Fault) -> Iterator[str]:
        """Yield how the morning is not what it should be."""
        project = self._scene.project
        yield from scene.wrong(project, torn=int(fault.kind == "torn"))
        found, wanted = scene.look(project), dict(self._wanted)
        if not fault.deadly:  # it may have cost an attempt, or a commit that the next one made up for
            missed = {entry["name"] for entry in project.journal("ticked") if entry.get("uncommitted")}
            made = found["commits"] = _without_attempts(found)
            wanted["commits"] = [
                commit
                for commit in _without_attempts(wanted)
                if commit in made or commit[0].partition(": ")[2] not in missed
            ]
            del wanted["attempts"]
        yield from scene.differences(found, wanted)


def _ended_wrongly(spent: Spent, fault: Fault, at: Scene) -> Iterator[str]:
    """Yield what is wrong with how a night ended; only an evening may be refused, and with a clear word."""
    if "Traceback" in spent.said or "a bug in ralph" in spent.said:
        yield f"a traceback: {spent.said[-SHOWN:]}"
    if fault.deadly:
        wanted = -9
    elif fault.at and spent.code != scene.CODE and not (at.project.play / "runs").exists():
        wanted = 2
        if "hint:" not in spent.said:
            yield f"refused without a hint: {spent.said}"
    else:
        wanted = scene.CODE
    if spent.code != wanted:
        yield f"exit {spent.code} for {wanted}: {spent.said[-SHOWN:]}"


def _without_attempts(found: Mapping[str, object]) -> list[tuple[str, ...]]:
    told = found["commits"]
    assert isinstance(told, list)
    return [tuple(line for line in commit if not line.startswith(ATTEMPTS)) for commit in told]


def chosen(share: Share, rounds: Rounds) -> Iterator[Fault]:
    """Yield the faults of a share, for as long as they are asked for."""
    if share.faults:
        yield from (Fault(**words) for words in share.faults[share.job :: share.jobs])
        return
    fault = Fault(**share.fault)
    if share.sample:
        seen = rounds.count(fault)
        nights = sorted({1 + (2 * n + 1) * seen // (2 * share.sample) for n in range(share.sample)})
        yield from (replace(fault, at=at) for at in nights[share.job :: share.jobs])
        return
    yield from (replace(fault, at=at) for at in count(share.first + share.job * share.step, share.step * share.jobs))


def main(arguments: list[str]) -> None:
    """Spend the nights of SHARE in FOLDER; print a line of JSON for each.

    Where the effect never came that is {"unmet": its place in the list of faults, or -1 without one}.
    """
    folder, words = arguments
    share = Share(**json.loads(words))
    rounds = Rounds(Path(folder))
    for number, fault in enumerate(chosen(share, rounds)):
        found = rounds.one(fault)
        unmet = {"unmet": share.job + number * share.jobs if share.faults else -1}
        print(json.dumps(unmet if found is None else asdict(found)), flush=True)
        if found is None and not share.faults:
            break


if __name__ == "__main__":
    main(sys.argv[1:])
