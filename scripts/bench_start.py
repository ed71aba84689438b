"""What grows with the plan or with imports: `ralph-status`, the size of prompts, parsing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator

from bench_ground import Ground, Project, Row, console_script, in_turn, make_project, plan

MODULES = "import sys; before = set(sys.modules); import ralph_wiggum.cli.status; print(len(set(sys.modules) - before))"
LAST_TASK = "- [ ] 9999. Write the last piece\n  - Keep what is there already\n  - _Requirements: 1.1_\n"


def status(ground: Ground) -> Iterator[Row]:
    """Measure `ralph-status` of 100 tasks as a multiple of the start of this Python."""
    project = make_project(ground, "status", plan(100, done=40))
    bare = "python3 -I -c pass"
    actions: dict[str, Callable[[], object]] = {
        bare: lambda: _python(project, "-c", "pass"),
        "warm": lambda: _status(project),
        "--json": lambda: _status(project, "--json"),
        "cold, no plan.json": lambda: _cold(project),
        "warm again": lambda: _status(project),  # cold ran before, and left a cache
    }
    taken = in_turn(actions, ground.size(31, 3))
    for name, goal in (("warm", 7), ("--json", 5), ("cold, no plan.json", 11)):
        floor = taken[bare]
        yield Row(
            name="status",
            what=f"ralph-status, 100 tasks, {name}",
            unit="ms",
            measured=taken[name],
            goal=round(goal * floor, 2),
            floor=floor,
            floor_is=f"{bare} (goal: {goal} times)",
        )


def _python(project: Project, *words: str) -> str:
    return subprocess.run([sys.executable, "-I", *words], cwd=project.root, capture_output=True, text=True).stdout  # noqa: PLW1510 - nothing to fail


def _status(project: Project, *flags: str) -> None:
    words = [console_script("ralph-status"), "demo", *flags]
    subprocess.run(words, cwd=project.root, env=project.ground.environment(), stdout=subprocess.DEVNULL, check=True)


def _cold(project: Project) -> None:
    (project.state / "plan.json").unlink(missing_ok=True)
    _status(project)


def prompt(ground: Ground) -> Iterator[Row]:
    """Measure the prompt of the same task in a short plan and in a long one."""
    short, long = 50, ground.size(2000, 200)
    sizes = {count: _prompt_size(ground, count) for count in (short, long)}
    yield Row(
        name="prompt",
        what=f"prompt of a task, the last of {long:,}",
        unit="bytes",
        measured=sizes[long],
        goal=round(1.05 * sizes[short]),
        floor=sizes[short],
        floor_is=f"the same task, the last of {short}",
    )


def _prompt_size(ground: Ground, count: int) -> int:
    project = make_project(ground, f"prompt-{count}", plan(count, done=count) + LAST_TASK)
    project.overnight(1, "--no-commit")
    (written,) = project.state.glob("runs/*/prompts/*.md")
    return written.stat().st_size


def parsing(ground: Ground) -> Iterator[Row]:
    """Measure the parser, and what the status command imports."""
    from ralph_wiggum.core.parse import parse  # noqa: PLC0415 - only this measurement needs it

    texts = {count: plan(count) for count in (100, 1_000)}
    actions = {str(count): lambda text=text: parse(text) for count, text in texts.items()}
    taken = in_turn(actions, ground.size(15, 2))
    for count in texts:
        yield Row(name="parsing", what=f"parse a plan of {count:,} tasks", unit="ms", measured=taken[str(count)])
    project = make_project(ground, "parsing", plan(10))
    modules = float(_python(project, "-c", MODULES))
    yield Row(name="parsing", what="modules imported by ralph-status, beyond a bare start", unit="", measured=modules)
