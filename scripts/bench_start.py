"""What grows with the plan or with imports: `ralph-status`, the size of prompts, parsing."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

from bench_ground import Ground, Project, Row, in_turn, make_project, plan

import ralph_wiggum

MODULES = """import sys
before = set(sys.modules)
import ralph_wiggum.cli.status_report
print(len(set(sys.modules) - before))"""
LAST_TASK = "- [ ] 9999. Write the last piece\n  - Keep what is there already\n  - _Requirements: 1.1_\n"


def status(ground: Ground) -> Iterator[Row]:
    """Measure `ralph-status` of 100 tasks as a multiple of a bare start of the same Python."""
    python, command = _install(ground)
    project, configured = (make_project(ground, name, plan(100, done=40)) for name in ("status", "configured"))
    (project.root / ".kiro/settings/ralph.yaml").unlink()
    bare = "python3 -I -c pass"
    actions: dict[str, Callable[[], object]] = {
        bare: lambda: _run(project, python, "-I", "-c", "pass"),
        "warm": lambda: _run(project, command, "demo"),
        "--json": lambda: _run(project, command, "demo", "--json"),
        "cold, no plan.json": lambda: _cold(project, command),
        "warm, with a settings file": lambda: _run(configured, command, "demo"),
    }
    taken = in_turn(actions, ground.size(31, 3))
    for name, goal in (("warm", 7), ("--json", 5), ("cold, no plan.json", 11), ("warm, with a settings file", 7)):
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


def _install(ground: Ground) -> tuple[str, str]:
    """Return the Python of a fresh venv, and a `ralph-status` beside it as pip writes it.

    Not the installed one: where the checkout is installed as editable, every start loads a finder for that, which
    would be measured with the command and with its floor.
    """
    folder = ground.folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--symlinks", folder], check=True)
    python = folder / "bin/python3"
    (site_packages,) = folder.glob("lib/python*/site-packages")
    places = (Path(ralph_wiggum.__file__).parents[1], sysconfig.get_path("purelib"))
    (site_packages / "bench.pth").write_text("".join(f"{place}\n" for place in places))
    command = folder / "bin/ralph-status"
    command.write_text(f"#!{python}\nimport sys\nfrom ralph_wiggum.cli.status import main\nsys.exit(main())\n")
    command.chmod(0o755)
    return str(python), str(command)


def _run(project: Project, *words: str) -> str:
    environment = project.ground.environment()
    return subprocess.run(words, cwd=project.root, env=environment, capture_output=True, text=True, check=True).stdout


def _cold(project: Project, command: str) -> None:
    (project.state / "plan.json").unlink(missing_ok=True)
    _run(project, command, "demo")


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
    modules = float(_run(project, sys.executable, "-c", MODULES))
    yield Row(name="parsing", what="modules imported by ralph-status, beyond a bare start", unit="", measured=modules)
