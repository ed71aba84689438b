"""What the measurements share: rows of the table, throwaway projects, the stub agent, how commands are started."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

STUB_SOURCE = Path(__file__).with_name("bench_stub.c")
STUB_SCRIPT = Path(__file__).with_name("bench_stub.py")
RUN_SECONDS = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table. `goal` is an upper bound, or a lower one with `more`; None where there is none."""

    name: str
    what: str
    unit: str
    measured: float
    goal: float | None = None
    more: bool = False
    floor: float | None = None
    floor_is: str = ""

    @property
    def met(self) -> bool | None:
        """Say whether the goal is met; None without one."""
        if self.goal is None:
            return None
        return self.measured >= self.goal if self.more else self.measured <= self.goal

    @property
    def ratio(self) -> float | None:
        """Return how many times the floor was measured."""
        return self.measured / self.floor if self.floor else None


class LeftOutError(Exception):
    """A measurement needs what is not there; the message says what."""


@dataclass(frozen=True, slots=True)
class Ground:
    """A folder to measure in. `quick`: small numbers, to see that it works.

    `home` is the home folder of what is measured where that is not to be an empty one: programs lie below it.
    """

    folder: Path
    quick: bool
    stub: tuple[str, ...]
    home: Path | None = None

    def size(self, whole: int, quick: int) -> int:
        """Return how much to measure."""
        return quick if self.quick else whole

    def environment(self) -> dict[str, str]:
        """Return an environment without the person's own settings of git and ralph."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("RALPH_", "GIT_", "PYTHON"))}
        home = str(self.home or self.folder)
        return {**kept, "HOME": home, "XDG_CONFIG_HOME": str(self.folder / "config"), "LC_ALL": "C.UTF-8"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project with one spec, `demo`, in a repository of its own."""

    ground: Ground
    root: Path
    stamps_file: Path = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "stamps_file", self.root.with_suffix(".stamps"))

    @property
    def spec(self) -> Path:
        """Return the spec's folder."""
        return self.root / ".kiro/specs/demo"

    @property
    def state(self) -> Path:
        """Return the runner's folder."""
        return self.root / ".ralph/demo"

    def overnight(self, maximum: int, *flags: str) -> None:
        """Run `ralph-overnight`; raise where it fails to run (ending with tasks open is no failure)."""
        done = self.start("ralph-overnight", "demo", str(maximum), *flags)
        _, said = done.communicate(timeout=RUN_SECONDS)
        if done.returncode not in {0, 3, 4}:
            raise RuntimeError(f"ralph-overnight ended with {done.returncode}: {said[-2000:]}")

    def start(self, command: str, *arguments: str) -> subprocess.Popen[str]:
        """Start an installed command in the project."""
        return subprocess.Popen(
            [console_script(command), *arguments],
            cwd=self.root,
            env=self.ground.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def stamps(self) -> list[tuple[float, float]]:
        """Return start and end of every agent so far, monotonic seconds, as it saw them itself."""
        lines = self.stamps_file.read_text().splitlines()
        return [(float(start), float(end)) for start, end in (line.split() for line in lines)]

    def gaps(self) -> list[float]:
        """Return the milliseconds from the end of each agent to the start of the next."""
        stamps = self.stamps()
        return [1000 * (after[0] - before[1]) for before, after in pairwise(stamps)]


def make_project(
    ground: Ground, name: str, tasks: str, agent: Sequence[str] = (), *, driver: str = "pipe", settings: str = ""
) -> Project:
    """Make a project with a plan; `agent` is the command of its agent (default: the stub), `settings` more YAML."""
    project = Project(ground=ground, root=ground.folder / name)
    shutil.rmtree(project.root, ignore_errors=True)
    project.stamps_file.unlink(missing_ok=True)
    words = agent or (*ground.stub, "work", str(project.stamps_file))
    command = ", ".join(f'"{word}"' for word in words)
    write(
        project.root,
        {
            ".kiro/specs/demo/tasks.md": tasks,
            ".kiro/specs/demo/requirements.md": "# Requirements\n\n### Requirement 1: Pieces\n\n1. It holds pieces.\n",
            ".kiro/specs/demo/design.md": "# Design\n\n## Overview\n\nOne piece after the other.\n",
            ".kiro/settings/ralph.yaml": "agent: bench\nquality_checks: {}\nagents:\n"
            f"  bench: {{command: [{command}], driver: {driver}, prompt: stdin, dialect: text}}\n{settings}",
            **{f"src/part{number}.py": f"PART = {number}\n" for number in range(20)},
        },
    )
    make_repository(ground, project.root)
    return project


def make_repository(ground: Ground, root: Path) -> None:
    """Put a folder under git, all of it committed."""
    git(ground, root, "init", "-q", "-b", "main")
    git(ground, root, "config", "user.name", "bench")
    git(ground, root, "config", "user.email", "bench@localhost")
    git(ground, root, "add", "-A")
    git(ground, root, "commit", "-q", "-m", "begin")


def git(ground: Ground, root: Path, *words: str) -> None:
    """Run git in a folder."""
    subprocess.run(["git", *words], cwd=root, env=ground.environment(), check=True, stdout=subprocess.DEVNULL)


def write(root: Path, files: Mapping[str, str]) -> None:
    """Write files below a folder."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def plan(tasks: int, *, done: int = 0, details: bool = True) -> str:
    """Return a tasks.md of so many leaves in groups of ten, the first `done` of them (whole groups) completed."""
    lines = ["# Implementation Plan", ""]
    for number in range(tasks):
        group, place = divmod(number, 10)
        mark = "x" if number < done else " "
        if place == 0:
            lines.append(f"- [{mark}] {group + 1}. Build part {group + 1}")
        lines.append(f"  - [{mark}] {group + 1}.{place + 1} Write piece {place + 1} of part {group + 1}")
        if details:
            lines += ["    - Keep what is there already", "    - _Requirements: 1.1_"]
    return "\n".join(lines) + "\n"


def compile_stub(folder: Path) -> tuple[str, ...]:
    """Return the command of the stub agent: compiled where there is a C compiler, else a Python script."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return (sys.executable, "-I", "-S", str(STUB_SCRIPT))
    program = folder / "stub"
    subprocess.run([compiler, "-O2", "-o", program, STUB_SOURCE], check=True, capture_output=True)
    return (str(program),)


def console_script(name: str) -> str:
    """Return an installed command of this interpreter; RuntimeError if it is not installed."""
    path = Path(sys.executable).parent / name
    if not path.exists():
        raise RuntimeError(f"{name} is not installed beside this Python: pip install -e . first")
    return str(path)


def milliseconds(action: Callable[[], object]) -> float:
    """Return how long an action takes."""
    began = time.perf_counter()
    action()
    return 1000 * (time.perf_counter() - began)


def in_turn(actions: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Measure actions by turns, so that a disturbance meets all of them; return the median milliseconds of each."""
    taken: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(rounds):
        for name, action in actions.items():
            taken[name].append(milliseconds(action))
    return {name: statistics.median(values) for name, values in taken.items()}
