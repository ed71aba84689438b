"""One agent in one scenario: a night of two tasks in a repository of its own, and what came of it, in words."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.agents.installed import only
from tests.modelserver.serving import Server
from tests.modelserver.setups import setup
from tests.night import project as projects
from tests.night.project import MARK, Project, Result

TWO = """# Plan

- [ ] 1. Write one.txt
  - model: printf 'one\\n' > one.txt
- [ ] 2. Write two.txt
  - model: printf 'two\\n' > two.txt
"""
LONG_WAIT = 15.0  # seconds; a night that is to wait for longer is stopped once it waits
NIGHT_SECONDS = 240.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What the model server does (`server`, its path), with which settings the night runs, and what that is about."""

    name: str
    server: str
    about: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    subscription: bool = False  # claude: as a plan's user, to whom limits are told otherwise than to that of a key


QUICK = {"no_progress_timeout": 12, "max_task_timeout": 60, "max_command_timeout": 4, "stagnation_threshold": 2}
TURNED_AWAY = frozenset({"429", "limit", "529"})
# qwen tries again in silence for 85 s before it says why; opencode for hours, and is never idle (its own timers).
PATIENCE: Mapping[str, tuple[frozenset[str], Mapping[str, int]]] = {
    "qwen": (TURNED_AWAY, {"no_progress_timeout": 120, "max_task_timeout": 150}),
    "opencode": (TURNED_AWAY | {"hang", "cut", "cut clean", "stuck"}, {"max_task_timeout": 25}),
}

SCENARIOS: tuple[Scenario, ...] = (
    Scenario(name="completes", server="ok", about="both tasks are done"),
    Scenario(name="hang", server="hang,n=1", about="the model never answers the first request"),
    Scenario(name="429 reset", server="429,n=1,reset=2", about="one 429 that says: again in 2 s"),
    Scenario(name="429", server="429", about="429 for good, no time told"),
    Scenario(name="limit", server="limit,reset=3600", about="the plan's limit, for an hour", subscription=True),
    Scenario(name="529", server="529", about="overloaded for good"),
    Scenario(name="401", server="401", about="a wrong key"),
    Scenario(name="context", server="ctx,n=1", about="the context is too long, once"),
    Scenario(name="cut", server="cutall", about="every answer breaks off"),
    Scenario(name="cut clean", server="cutclean", about="every answer ends before its end, as if it were whole"),
    Scenario(name="background", server="bg", about="the command leaves `sleep 1000 &`, which holds its output open"),
    Scenario(name="setsid", server="bgsetsid", about="the command leaves a `setsid sleep 1000` behind"),
    Scenario(name="stuck", server="fgsleep", about="the command is `sleep 1000`"),
    Scenario(name="flood", server="giantout", about="the command prints 1 MB"),
    Scenario(name="flaky", server="flaky", about="two 500, then well"),
    Scenario(name="no signal", server="nosignal", about="the final message has no signal"),
    Scenario(name="lie", server="lie", about="TASK_COMPLETE, and nothing was done"),
)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What came of it. `first` is how the first attempt ended, `then` what the runner did, `left` processes left."""

    first: str
    then: str
    states: str
    code: int
    left: int
    seconds: float
    held: Sequence[Mapping[str, Any]] = ()
    ended: Sequence[Mapping[str, Any]] = ()
    shown: str = ""

    @property
    def words(self) -> str:
        """Return it in a few words."""
        left = f"; {self.left} LEFT" if self.left else ""
        return f"{self.first}{f'; {self.then}' if self.then else ''}{left}"


def prepare(base: Path, agent: str, program: Path, scenario: Scenario, url: str) -> Project:
    """Make the repository, the agent's home and the settings; nobody's environment and credentials are in it."""
    project = projects.make(base, TWO)
    home = base / "agent-home"
    made = setup(agent, home, url, subscription=scenario.subscription)
    kept = {key: value for key, value in project.env.items() if key.startswith("GIT_") or key in {MARK, "HOME"}}
    project.env = {
        **kept,
        "PATH": only(base / "bin", program),
        "LANG": os.environ.get("LANG", "C.UTF-8"),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    project.settings(
        agent=agent,
        agents={agent: {"env": made.env, **({"args": list(made.args)} if made.args else {})}},
        overnight_mode={**QUICK, **_patience(agent, scenario)},
        machine={"keep_awake": False},
        quality_checks={"all": ["test -e one.txt"]},
        **scenario.settings,
    )
    return project


def _patience(agent: str, scenario: Scenario) -> Mapping[str, int]:
    scenarios, limits = PATIENCE.get(agent, (frozenset(), {}))
    return limits if scenario.name in scenarios else {}


def play(project: Project) -> Cell:
    """Run the night and read what came of it; one that begins a long wait is stopped there, as a person would."""
    began = time.monotonic()
    night = project.command("overnight", "demo", "6")
    while night.poll() is None:
        if _waits(project) or time.monotonic() > began + NIGHT_SECONDS:
            project.run("stop", "demo", "--now")
            break
        time.sleep(0.2)
    return read(project, project.finish(night, timeout=NIGHT_SECONDS, began=began))


def _waits(project: Project) -> bool:
    """Say whether the run has begun a long wait."""
    if not project.exists(".ralph/demo/journal.jsonl"):
        return False
    last: Mapping[str, Any] = next(
        (entry for entry in reversed(project.journal()) if entry["event"] in {"waiting", "went_on"}), {}
    )
    if last.get("event") != "waiting":
        return False
    until = datetime.fromisoformat(last["until"]) if last.get("until") else datetime.now().astimezone()
    return bool((until - datetime.fromisoformat(last["at"])).total_seconds() > LONG_WAIT)


def read(project: Project, result: Result) -> Cell:
    """Return what came of a night, by its journal and its tasks."""
    end = time.monotonic() + 5.0
    while (left := project.alive()) and time.monotonic() < end:
        time.sleep(0.05)
    ended = project.journal("ended") if project.exists(".ralph/demo/journal.jsonl") else []
    held = [entry for entry in project.journal("held") if entry.get("until")] if ended else []
    return Cell(
        first=_class(ended[0]) if ended else "did not start",
        then=_then(project, ended, held),
        states=project.states(),
        code=result.code,
        left=len(left),
        seconds=result.seconds,
        held=held,
        ended=ended,
        shown=result.out + result.err,
    )


def _class(ended: Mapping[str, Any]) -> str:
    if ended.get("result") == "passed":
        return "done"
    return str(ended.get("cause") or ended.get("kind") or "unknown")


def _then(project: Project, ended: Sequence[Mapping[str, Any]], held: Sequence[Mapping[str, Any]]) -> str:
    states, words = project.states(), []
    if held:
        first = held[0]
        until = datetime.fromisoformat(first["until"])
        seconds = (until - datetime.fromisoformat(first["at"])).total_seconds()
        words.append(f"held {seconds:.0f} s" if seconds < 120 else f"held {seconds / 60:.0f} min")
    if len(ended) > 1 and ended[0].get("result") != "passed" and not held:
        words.append("tried again")
    if states == "xx" and (words or (ended and ended[0].get("result") != "passed")):
        words.append("done")
    elif "S" in states:
        words.append("skipped")
    elif states != "xx" and not held:
        words.append("still open")
    return ", ".join(words)


def server_path(server: Server, scenario: Scenario, mark: str) -> str:
    """Return the address of a scenario on the server, apart from that of every other cell."""
    mode, *pairs = scenario.server.split(",")
    parameters = dict(pair.partition("=")[::2] for pair in pairs)
    return server.url(mode, **parameters, id=re.sub(r"[^A-Za-z0-9]", "", mark))
