"""A drill that cannot fail is a defect: each observation here is one fault of the night, and is told as such (B8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from ralph_wiggum.core.drill.catalogue import HELD_SECONDS, NAMES, SCENARIOS
from ralph_wiggum.core.drill.observation import Event, Observation, Start
from ralph_wiggum.core.drill.scenario import AGENT, SPARE, Scenario, Victim
from ralph_wiggum.core.drill.verdict import Result, judge
from ralph_wiggum.core.journal import Ended, Entry, GateSeen, Held, Noted, Started, Ticked

BY_NAME = {each.name: each for each in SCENARIOS}


def event(kind: str, task: str = "1", run: int = 1, agent: str = AGENT, at: float = 100.0) -> Event:
    return Event(kind=kind, task=task, run=run, agent=agent, at=at)


def ended(key: str = "1", **changes: Any) -> Ended:
    return Ended(key=key, result="passed")._replace(**changes)


def failed(kind: str, key: str = "1", **changes: Any) -> Ended:
    return ended(key, result="failed", kind=kind, reason="it failed", **changes)


def ticked(key: str = "1", notes: tuple[str, ...] = ()) -> Ticked:
    return Ticked(key=key, sha="0" * 40, notes=notes)


# What is seen of each scenario where all goes well, beside what holds for all.
ENTRIES: dict[str, tuple[Entry, ...]] = {
    "limit": (Started(key="1"), ended(cause="rate limit", result="interrupted"), Started(key="1"), ended()),
    "hang": (failed("timeout"), ended()),
    "crash": (failed("crash"), ended()),
    "lie": (failed("no change", "1"), failed("no change", "2"), failed("wrong signal", "3"), ended("4")),
    "two-agents": (Held(agent=AGENT, until="2026-11-20T23:00:00+00:00"), ended()),
    "git": (ended(), ended("2", notes=("the repository /x/.git was deleted: put back",))),
    "runner": (ended(result="interrupted"), ended(), ticked(), ticked("2")),
    "keeper": (failed("crash"), ended(), ticked(), ticked("2")),
    "both": (ended(result="interrupted"), ended(), ticked(), ticked("2")),
    "commit": (ended(), ticked(), ticked("2")),
    "checks": (ended(gates=(GateSeen(name="ruff check", status="passed", seconds=0.2),)),),
}
EVENTS: dict[str, tuple[Event, ...]] = {
    "limit": (event("start"), event("start", run=2, at=105.0)),
    "hang": (event("hung"),),
    "orphan": (event("orphan"),),
    "flood": (event("flooded"),),
    "lie": (event("ticked"),),
    "two-agents": (event("start"), event("start", agent=SPARE), event("end", agent=SPARE)),
    "git": (event("deleted"),),
    "keeper": (event("moment"),),
    "disk": (event("full"),),
}


def good(scenario: Scenario) -> Observation:
    """Return what is seen of a scenario that the night survives."""
    last = Start(code=int(scenario.code), seconds=2.0)
    restarted = Victim.RUNNER in scenario.kills
    first = (Start(code=-9, seconds=1.0, killed=True),) if restarted else ()
    return Observation(
        starts=(*first, last),
        plan=scenario.plan(scenario.marks),
        entries=ENTRIES.get(scenario.name, ()),
        commits=scenario.done,
        committed=frozenset(scenario.done),
        events=EVENTS.get(scenario.name, ()),
    )


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
def test_what_goes_well_is_survived_and_told(scenario: Scenario) -> None:
    verdict = judge(scenario, good(scenario))
    assert verdict.result is Result.SURVIVED, verdict.words
    assert verdict.words


def start(**changes: object) -> tuple[Start, ...]:
    return (replace(Start(code=0, seconds=1.0), **changes),)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"starts": ()}, "no run was started", id="nothing ran"),
        pytest.param({"starts": start(code=2, said="ralph: no agent\n")}, "exit code 2 instead of 0 (ralph: no agent)", id="refused"),
        pytest.param({"starts": start(code=1)}, "exit code 1 instead of 0", id="another exit code"),
        pytest.param({"starts": start(code=-11)}, "exit code -11 instead of 0", id="the runner itself crashed"),
        pytest.param({"starts": start(code=None)}, "did not end within 60 s", id="it hangs"),
        pytest.param({"starts": start(left=("sleep 600 (pid 7)",))}, "still alive 5 s after the run: sleep 600 (pid 7)", id="an orphan"),
        pytest.param({"starts": start(left=("a", "b", "c", "d"))}, "a, b, c and 1 more", id="many orphans"),
        pytest.param({"starts": start(said="Traceback (most recent call last):\n")}, "traceback", id="a traceback"),
        pytest.param({"starts": start(code=-9, killed=True)}, "not started again", id="never restarted"),
        pytest.param({"plan": ""}, "tasks.md is not what it was", id="tasks.md is gone"),
        pytest.param({"plan": BY_NAME["crash"].plan("xx") + "more\n"}, "tasks.md is not what it was", id="tasks.md has more"),
        pytest.param({"plan": BY_NAME["crash"].plan("x-")}, "[x] [-] instead of [x] [x]", id="a task is not done"),
        pytest.param({"plan": BY_NAME["crash"].plan("Sx")}, "[S] [x] instead of [x] [x]", id="a task was given up"),
        pytest.param({"commits": ("2",)}, "no commit of its own for task 1", id="a commit is missing"),
        pytest.param({"commits": ("2",), "committed": frozenset("2")}, "the work of task 1 is in no commit", id="work is lost"),
        pytest.param({"commits": ("1", "1", "2")}, "more than one commit for task 1", id="done twice"),
        pytest.param({"commits": ("1", "2", "9")}, "a commit for task 9, which was not done", id="a strange commit"),
        pytest.param({"readable": False}, "journal has lines that cannot be read", id="a torn journal"),
        pytest.param({"repository": "fatal: bad object"}, "broken: fatal: bad object", id="a broken repository"),
        pytest.param({"changed": ("a.py",)}, "files of yours were changed: a.py", id="a file of the person's"),
        pytest.param({"entries": (ended(),)}, "no attempt was ended as 'crash' (seen: none)", id="the fault never happened"),
    ],
)  # fmt: skip
def test_whatever_went_wrong_is_a_reason(changes: dict[str, object], reason: str) -> None:
    scenario = BY_NAME["crash"]
    verdict = judge(scenario, replace(good(scenario), **changes))  # type: ignore[arg-type]
    assert verdict.result is Result.FAILED
    assert reason in verdict.words


@pytest.mark.parametrize(
    ("name", "changes", "reason"),
    [
        pytest.param("limit", {"entries": (failed("exit"), ended())}, "not taken for one", id="a limit that counts as failure"),
        pytest.param("limit", {"entries": (*ENTRIES["limit"], Started(key="1", attempt=2))}, "cost an attempt", id="a limit that costs an attempt"),
        pytest.param("limit", {"events": (event("start"), event("start", run=2, at=101.0))}, "asked again after 1.0 s", id="a limit that is not waited for"),
        pytest.param("two-agents", {"entries": ()}, "not left alone", id="an agent that is not held"),
        pytest.param("two-agents", {"events": (event("start"), event("start", task="2"), event("end", agent=SPARE))}, "asked 2 times", id="asked in spite of its limit"),
        pytest.param("two-agents", {"events": (event("start"),)}, "the second agent never worked", id="nobody took over"),
        pytest.param("hang", {"entries": (ended(),)}, "as 'timeout' (seen: none)", id="a hang that was no timeout"),
        pytest.param("hang", {"events": ()}, "noted no 'hung'", id="no hang at all"),
        pytest.param("orphan", {"events": ()}, "noted no 'orphan'", id="no orphan at all"),
        pytest.param("flood", {"memory": 400_000_000}, "took 400 MB of memory", id="memory grew with the flood"),
        pytest.param("flood", {"log": 150_000_000}, "a log of 150 MB was kept", id="the log holds it all"),
        pytest.param("lie", {"entries": (ended("1"), ended("4"))}, "a lie was believed: task 1", id="a lie that passed"),
        pytest.param("lie", {"plan": BY_NAME["lie"].plan("xxxx")}, "[x] [x] [x] [x] instead of [S] [S] [S] [x]", id="the agent's own ticks"),
        pytest.param("git", {"entries": ()}, "nothing was said about it", id="a silent repair"),
        pytest.param("git", {"events": ()}, "noted no 'deleted'", id="nothing was deleted"),
        pytest.param("runner", {"entries": (failed("crash"), ended())}, "cut off was counted", id="a kill that costs an attempt"),
        pytest.param("runner", {"entries": (*ENTRIES["runner"], ticked())}, "task 1 was ticked twice", id="ticked twice"),
        pytest.param("runner", {"starts": start()}, "the run was not started again", id="no kill at all"),
        pytest.param("both", {"starts": (Start(code=-9, seconds=1, killed=True), Start(code=0, seconds=1, left=("orphan",)))}, "still alive", id="nothing was swept"),
        pytest.param("keeper", {"events": ()}, "noted no 'moment'", id="the keeper was never killed"),
        pytest.param("disk", {"events": ()}, "noted no 'full'", id="the disk was never full"),
        pytest.param("disk", {"commits": ("2",), "committed": frozenset("2")}, "the work of task 1 is in no commit", id="work lost on a full disk"),
        pytest.param("checks", {"entries": (failed("check"),)}, "your checks fail after a harmless change", id="checks that stand in the way"),
    ],
)  # fmt: skip
def test_each_rehearsal_has_its_own_proof(name: str, changes: dict[str, object], reason: str) -> None:
    scenario = BY_NAME[name]
    verdict = judge(scenario, replace(good(scenario), **changes))  # type: ignore[arg-type]
    assert verdict.result is Result.FAILED
    assert reason in verdict.words


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        pytest.param("commit", {"hooks": True}, "through your hooks", id="hooks that pass"),
        pytest.param("commit", {}, "no hooks of yours", id="no hooks"),
        pytest.param("commit", {"hooks": True, "entries": (ticked("1", ("a hook failed: no way",)), ticked("2"))}, "but a hook failed: no way", id="hooks that fail"),
        pytest.param("commit", {"hooks": True, "lacking": ("node_modules",), "entries": (ticked("1", ("a hook failed: x",)), ticked("2"))}, "the copy has no node_modules", id="hooks that lack packages"),
        pytest.param("git", {"entries": (Noted(text="the agent deleted .git"), ended(), ended("2"))}, "put back", id="a repair that is noted by itself"),
        pytest.param("checks", {}, "ruff check passed in 0.2 s", id="checks with their time"),
        pytest.param("checks", {"entries": (ended(),)}, "no checks are set or found", id="no checks"),
        pytest.param("disk", {"commits": ("2",)}, "went on", id="a commit made together with the next"),
        pytest.param("crash", {"commits": None, "committed": None}, "crash", id="nothing is to be committed"),
    ],
)  # fmt: skip
def test_what_was_survived_is_told_with_what_a_person_wants_to_know(
    name: str, changes: dict[str, object], words: str
) -> None:
    scenario = BY_NAME[name]
    verdict = judge(scenario, replace(good(scenario), **changes))  # type: ignore[arg-type]
    assert verdict.result is Result.SURVIVED, verdict.words
    assert words in verdict.words


def test_all_that_went_wrong_is_named_once() -> None:
    scenario = BY_NAME["crash"]
    seen = replace(good(scenario), starts=start(code=1, left=("x",)), readable=False)
    words = judge(scenario, seen).words.split("; ")
    assert len(words) == len(set(words)) == 3


def scripted_steps(scenario: Scenario) -> Sequence[object]:
    return [step for scripts in scenario.play.values() for script in scripts for step in script]


def test_names_are_unique_and_every_task_of_a_script_exists() -> None:
    assert len(NAMES) == len(SCENARIOS) + 1
    assert HELD_SECONDS > 3600
    for scenario in SCENARIOS:
        assert set(scenario.play) <= {str(place) for place in range(1, len(scenario.marks) + 1)}
        assert scripted_steps(scenario) or scenario.name in {"commit", "checks"}
