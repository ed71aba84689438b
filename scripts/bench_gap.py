"""The gap between the end of one agent and the start of the next, and what makes it longer."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from bench_ground import Ground, Project, Row, make_project, milliseconds, plan

LOOP = Path(__file__).with_name("bench_loop.py")
SHELL_LOOP = """while grep -q '^  - \\[ \\]' "$1"; do
  line=$(grep -m1 '^  - \\[ \\]' "$1")
  printf 'Do this one task: %s\\n' "$line" | "${@:2}" >out.txt
  if [ "$(tail -n1 out.txt)" = TASK_COMPLETE ]; then sed -i '0,/^  - \\[ \\]/s//  - [x]/' "$1"; fi
  printf '## %s\\n' "$line" >>log.md; cat out.txt >>log.md
done"""


def gap(ground: Ground) -> Iterator[Row]:
    """Measure the gap bare, with commits, and in a plan and a log of great length."""
    rounds, tasks = ground.size(5, 1), ground.size(200, 10)
    acts: tuple[Callable[[], float], ...] = (
        lambda: _python_loop(ground, tasks),
        lambda: _shell_loop(ground, tasks),
        lambda: _overnight(ground, tasks, "--no-commit"),
        lambda: _overnight(ground, tasks),
        lambda: _long(ground, tasks),
        lambda: _new_file(ground),
    )
    by_turns = [[act() for act in acts] for _ in range(rounds)]  # so that a disturbance meets all of them
    python, shell, bare, committed, long, new_file = map(statistics.median, zip(*by_turns, strict=True))
    loop = f"{LOOP.name}: Popen and nothing else"
    what = f"gap between two agents, {tasks} tasks"
    yield Row(name="gap", what=f"{what}, no commits", unit="ms", measured=bare, goal=15, floor=python, floor_is=loop)
    yield Row(name="gap", what=f"{what}, naive shell loop", unit="ms", measured=shell, floor=python, floor_is=loop)
    yield Row(
        name="gap", what=f"{what}, a commit each", unit="ms", measured=committed, goal=60, floor=python, floor_is=loop
    )
    size = f"{ground.size(2000, 100):,} tasks and a log of {ground.size(50, 1)} MB"
    yield Row(
        name="gap",
        what=f"{what}, of {size}",
        unit="ms",
        measured=long,
        goal=2 * bare,
        floor=bare,
        floor_is="the first row",
    )

    yield Row(name="gap", what="for comparison: a new file there (an attempt makes ten)", unit="ms", measured=new_file)


def _overnight(ground: Ground, tasks: int, *flags: str) -> float:
    project = make_project(ground, "gap", plan(tasks))
    project.overnight(tasks + 1, *flags)
    return _middle(project, tasks)


def _long(ground: Ground, tasks: int) -> float:
    """Let the last tasks of a long plan run beside a long log; the settings are those of the first row."""
    whole = ground.size(2000, 100)
    project = make_project(ground, "long", plan(whole, done=whole - tasks))
    with (project.spec / "activity.md").open("w") as log:
        for number in range(ground.size(50_000, 1_000)):
            log.write(f"## [2025-01-01 00:00] Task {number}: Said much\n{'A word and another one. ' * 40}\n\n")
    project.overnight(tasks + 1, "--no-commit")
    return _middle(project, tasks)


def _python_loop(ground: Ground, tasks: int) -> float:
    return _loop(ground, tasks, [sys.executable, "-I", str(LOOP)], "log.md")


def _shell_loop(ground: Ground, tasks: int) -> float:
    return _loop(ground, tasks, ["bash", "-c", SHELL_LOOP, "loop"])


def _loop(ground: Ground, tasks: int, program: list[str], *log: str) -> float:
    project = make_project(ground, "loop", plan(tasks))
    agent = [*ground.stub, "work", str(project.stamps_file)]
    words = [*program, str(project.spec / "tasks.md"), *log, *agent]
    subprocess.run(words, cwd=project.root, env=ground.environment(), check=True)
    return _middle(project, tasks)


def _middle(project: Project, tasks: int) -> float:
    """Return the median gap; RuntimeError if not every task was run."""
    gaps = project.gaps()
    if len(gaps) + 1 < tasks:
        raise RuntimeError(f"only {len(gaps) + 1} of {tasks} tasks were run in {project.root.name}")
    return statistics.median(gaps)


def _new_file(ground: Ground) -> float:
    """Return the median milliseconds that making a file takes: on a disk where much was deleted it is a lot."""
    folder = ground.folder / "files"
    folder.mkdir(exist_ok=True)
    taken = [milliseconds((folder / str(number)).touch) for number in range(200)]
    shutil.rmtree(folder)
    return statistics.median(taken)
