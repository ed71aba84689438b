"""kill -9 of the runner at random moments, restarted each time: the end must be the same as without (B2).

In a share of the cases its keeper is killed with it, so that nothing but the next start can end what the agent left.
python -m tests.night.kills 200 [SEED] prints the figures. A project that came to its end is compared and a new one
begun, until all kills are spent.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ralph_wiggum.adapters.journal_file import read_journal
from ralph_wiggum.core.journal import RunStarted
from tests.night import project as projects
from tests.night.project import ACTIVITY, SETTINGS, Project, Step

PLAN = """\
# Plan

- [ ] 1. Begin
  - [ ] 1.1 Lay the ground
  - [ ] 1.2 Build on it
- [ ] 2. Hopeless
- [ ] 3. Second thoughts
- [ ] 4. Checkpoint
- [ ]* 5. Optional
- [ ] 6. Finish
"""
ENTRY = re.compile(r"^## \[[^\]]*\] (?P<title>.*)\n\n### Status: (?P<status>.*)$", re.MULTILINE)
MARKER = re.compile(r"^<!-- ralph:([0-9a-f]{16}) -->$", re.MULTILINE)
OTHERWISE = (ACTIVITY, SETTINGS)  # these name times and folders
SETTLED = ("✅ COMPLETE", "⏭️ SKIPPED")
HELPER: Step = ["sh", "setsid sleep 300 >/dev/null 2>&1 &"]
COMMITS: Step = ["sh", "git add -A && git commit -qm mine"]
SWITCHES: Step = ["sh", "git switch -qC theirs && git add -A && git commit -qm mine"]
STASHES: Step = ["sh", "git stash -q -u && git stash apply -q"]
MOST_STARTS = 60  # of one project


@dataclass
class Figures:
    """What was counted."""

    kills: int = 0
    keepers: int = 0  # kills that met the keeper as well
    nights: int = 0
    starts: int = 0
    agents: int = 0
    cut: int = 0
    slowest_cleanup: float = 0.0
    cleanups: int = 0  # that were waited for


def work(path: str, *more: Step) -> list[Step]:
    """Return a script with several moments to be killed in: two files, one written in two steps."""
    return [
        HELPER,
        ["write", path, "half\n"],
        ["sleep", 0.05],
        ["write", path, "whole\n"],
        ["write", f"more/{path}", "{task}\n"],
        ["sleep", 0.05],
        *more,
        ["say", "Did it."],
        ["say", "TASK_COMPLETE"],
    ]


def make(folder: Path) -> Project:
    """Make the project: one task fails for ever, one fails at first, a.py is changed by two tasks, git by three."""
    project = projects.make(folder, PLAN, {"shared.txt": "start\n"})
    project.settings(
        quality_checks={"all": ["sleep 0.03", "test ! -e broken"]}, overnight_mode={"stagnation_threshold": 3}
    )
    project.plays(
        {
            "1.1": [work("one.txt", ["write", "shared.txt", "one\n"], COMMITS, ["sleep", 0.05])],
            "1.2": [work("two.txt", ["write", "shared.txt", "one, two\n"], ["remove", "a.py"])],
            "2": [work("hopeless.txt", ["write", "broken", "x"], ["write", "shared.txt", "spoilt"])],
            "3": [[*work("three.txt")[:-1], ["say", "I lost it."]], work("three.txt", SWITCHES, ["sleep", 0.05])],
            "6": [work("six.txt", STASHES, ["sleep", 0.05])],
        },
        by_attempt=True,
    )
    projects.commit_all(project)
    project.git("tag", "-f", "evening")
    return project


def look(project: Project) -> dict[str, object]:
    """Return all that must be the same with and without kills."""
    entries = [(found["title"], found["status"]) for found in ENTRY.finditer(project.activity)]
    return {
        "tasks.md": project.tasks,
        "tree": {path: blob for path, blob in project.tree().items() if path not in OTHERWISE},
        "work tree": {
            path.relative_to(project.root).as_posix(): path.read_bytes()
            for path in project.root.rglob("*")
            if path.is_file()
            and not {".git", ".ralph"} & set(path.parts)
            and path.name not in ("activity.md", "ralph.yaml")
        },
        "commits": sorted(project.task_commits()),
        "settled": sorted(entry for entry in entries if entry[1] in SETTLED),
        "failed": sorted(
            entry["key"] for entry in project.journal("ended") if entry.get("result", "failed") == "failed"
        ),
        "ticks": sorted(entry["key"] for entry in project.journal("ticked")),
        "skips": sorted(entry["key"] for entry in project.journal("skipped")),
        "patches": {
            path.name: path.read_bytes() for path in sorted((project.root / ".ralph/demo/skipped").glob("*.patch"))
        },
        "uncommitted": [line for line in project.dirty() if not line.endswith("activity.md")],
    }


def undisturbed(folder: Path) -> dict[str, object]:
    """Return what a night without kills comes to."""
    project = make(folder)
    result = project.night()
    assert result.code == 3, result.out + result.err
    project.sound()
    return look(project)


def compare(project: Project, wanted: dict[str, object]) -> None:
    """Fail if a project whose runs were killed came to another end."""
    found = look(project)
    for name, value in wanted.items():
        assert found[name] == value, f"{name}: {found[name]!r}, without kills {value!r}\n{project.activity}"
    marks = MARKER.findall(project.activity)
    assert len(marks) == len(set(marks)), "an entry stands twice in activity.md"
    assert not [entry for entry in project.log() if entry["event"] == "overlap"], "two agents at once"
    project.sound()


def run_until_done(
    project: Project,
    chance: random.Random,
    kills: int,
    figures: Figures,
    *,
    longest: float,
    code: int = 3,
    watched: float = 0.2,
    with_keeper: float = 0.2,
) -> None:
    """Start, kill, start again … until the night is over, with `code`; no more than `kills` times.

    A kill comes within `longest` seconds. In a share of them, `with_keeper`, the keeper dies first. After a share of
    the others, `watched`, nothing may be left within seconds; else the next start follows at once. What a keeper was
    killed over is ended by the next start, before it says that a run begins.
    """
    unswept = False  # by a start that got as far as that, since a keeper was killed
    for start in range(MOST_STARTS):
        figures.starts += 1
        begun = runs_begun(project)
        process = project.command("overnight", "demo")
        both = False
        if figures.kills < kills and start < MOST_STARTS - 1:
            time.sleep(chance.uniform(0.0, longest))
            both = chance.random() < with_keeper and process.poll() is None and kill_keepers(project, process)
            if process.poll() is None:
                process.kill()
                figures.kills += 1
                figures.keepers += both
        result = project.finish(process)
        if result.code != -9:
            assert result.code == code, f"exit {result.code}: {result.out}{result.err}"
            return
        unswept = both or (unswept and runs_begun(project) == begun)
        if not unswept and chance.random() < watched:  # else it is started again on top of what is still ending
            began = time.monotonic()
            project.nothing_left()
            figures.cleanups += 1
            figures.slowest_cleanup = max(figures.slowest_cleanup, time.monotonic() - began)


def runs_begun(project: Project) -> int:
    """Return how many runs the journal knows."""
    return sum(isinstance(entry, RunStarted) for entry in read_journal(project.root / ".ralph/demo/journal.jsonl")[0])


def kill_keepers(project: Project, runner: subprocess.Popen[str]) -> bool:
    """Kill the keepers of a runner that is to be killed next; say whether there were any.

    The runner is stopped first: it must not begin another keeper in between.
    """
    runner.send_signal(signal.SIGSTOP)
    found = [pid for pid in project.alive() if _is_keeper(pid)]
    for pid in found:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return bool(found)


def _is_keeper(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text() == "ralph-keeper\n"
    return False


def spend(kills: int, seed: int, folder: Path) -> Figures:
    """Spend a number of kills; AssertionError at the first difference, which names the seed's project."""
    chance = random.Random(seed)
    figures = Figures()
    began = time.monotonic()
    wanted = undisturbed(folder / "undisturbed")
    longest = time.monotonic() - began  # on a machine that is busy a night takes longer
    while figures.kills < kills:
        project = make(folder / f"night-{figures.nights}")
        try:
            run_until_done(project, chance, kills, figures, longest=longest)
            compare(project, wanted)
        except BaseException:
            projects.end_all(project)
            print(f"seed {seed}, {project.root}", file=sys.stderr)
            raise
        figures.nights += 1
        figures.agents += project.runs()
        figures.cut += sum(1 for entry in project.journal("ended") if entry.get("result") == "interrupted")
    return figures


def main(arguments: list[str]) -> int:
    kills, seed = (int(text) for text in (*arguments, *("200", "1")[len(arguments) :]))
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="ralph-kills-"))
    print(f"{spend(kills, seed, folder)} in {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
