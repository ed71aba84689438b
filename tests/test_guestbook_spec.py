"""The demo spec of this repository: every task does its work, keeps the checks green, and can be run again (O31).

Tasks are run by the real embedded agent, checks as the settings have them, in a git repository of their own.
"""

import http.client
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode

import pytest

from ralph_wiggum.adapters import settings_file
from ralph_wiggum.adapters.agents import shell
from ralph_wiggum.core.model import Task
from ralph_wiggum.core.parse import parse

PROJECT = Path(__file__).resolve().parents[1]
SPEC = PROJECT / ".kiro/specs/guestbook"
TASKS_FILE = SPEC / "tasks.md"
PLAN = parse(TASKS_FILE.read_text(encoding="utf-8"))
LEAVES = [task for task in PLAN.tasks if task.index in PLAN.required_leaves and not task.checkpoint]
SETTINGS = settings_file.load(PROJECT, environ={"HOME": "/nonexistent"})
SCRIPT = "<script>alert('hello')</script>"


def test_the_plan_shows_what_plans_can_hold() -> None:
    """O2, O4, O5: nested tasks, two pure checkpoints, an optional task, nothing that looks wrong."""
    shape = [(task.key, task.level, task.optional, task.checkpoint, task.visual) for task in PLAN.tasks]
    assert shape == [
        ("1", 1, False, "", False),
        ("1.1", 2, False, "", False),
        ("1.2", 2, False, "", False),
        ("2", 1, False, "pure", False),
        ("3", 1, False, "", False),
        ("3.1", 2, False, "", False),
        ("3.2", 2, False, "", False),
        ("3.3", 2, False, "", False),
        ("3.4", 2, False, "", False),
        ("4", 1, True, "", False),
        ("5", 1, False, "", False),
        ("6", 1, False, "pure", False),
    ]
    assert PLAN.warnings == ()


def test_tasks_cite_every_criterion_and_no_other() -> None:
    """O7: the requirements that a task cites are there to be found."""
    criteria, requirement = set(), ""
    for line in (SPEC / "requirements.md").read_text(encoding="utf-8").splitlines():
        if found := re.match(r"### Requirement (\d+)", line):
            requirement = found[1]
        elif found := re.match(r"(\d+)\. ", line):
            criteria.add(f"{requirement}.{found[1]}")
    lines = [found for task in PLAN.tasks for found in re.findall(r"Requirements:? ([\d., ]+)", task.text)]
    assert {each for line in lines for each in re.findall(r"\d+\.\d+", line)} == criteria


def test_the_settings_need_nothing_installed() -> None:
    """O31: a fresh clone runs the demo with the embedded agent."""
    assert SETTINGS.agent == ("shell",)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make a repository with nothing but what git ignores here."""
    git(tmp_path, "init", "--quiet")
    shutil.copy(PROJECT / ".gitignore", tmp_path)
    return tmp_path


def git(cwd: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=cwd, check=True, capture_output=True, text=True).stdout.strip()


def tree(project: Path) -> str:
    """Name the state of everything that git does not ignore."""
    git(project, "add", "--all")
    return git(project, "write-tree")


def work(project: Path, task: Task) -> None:
    """Run a task as a night does: the embedded agent, from the project root."""
    done = subprocess.run(
        [sys.executable, shell.__file__, TASKS_FILE, task.key],
        cwd=project,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "TASK_COMPLETE"), done.stdout + done.stderr


def check(project: Path) -> str:
    """Run the checks of the settings; return what they print."""
    said = ""
    for command in [command for kind in SETTINGS.quality_checks or () for command in kind.commands]:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=project,
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        said += done.stdout + done.stderr
        assert done.returncode == 0, f"{command}\n{said}"
    return said


def test_each_task_does_something_once_and_keeps_the_checks_green(project: Path) -> None:
    """O18: green at the baseline and after each task; a block may run again and then changes nothing."""
    assert check(project) == ""  # the baseline: there is nothing to check yet
    optional = [task for task in PLAN.tasks if task.optional]
    states, tests = [tree(project)], [0]
    for task in [*LEAVES, *optional]:
        work(project, task)
        states.append(tree(project))
        work(project, task)
        assert tree(project) == states[-1], f"{task.label} is not the same when it runs again"
        tests.append(int(re.findall(r"Ran (\d+) tests? in", check(project))[-1]))
    assert len(set(states)) == len(states), "a task changed nothing"
    assert tests == sorted(set(tests)), "a task brought no tests"
    assert all(path.startswith(("demo/", ".gitignore")) for path in git(project, "ls-files").splitlines())
    assert not re.search(r"\.(pyc|db)$", git(project, "ls-files"), re.MULTILINE)


def test_a_program_without_tests_is_not_green(project: Path) -> None:
    """O18: the checks cannot be passed by leaving the tests out."""
    work(project, LEAVES[0])
    shutil.rmtree(project / "demo/tests")
    with pytest.raises(AssertionError, match="unittest"):
        check(project)


def test_the_program_that_comes_out_of_it_works(project: Path) -> None:
    """The result, used as a visitor uses it: a signed script is shown as text."""
    for task in LEAVES:
        work(project, task)
    with subprocess.Popen(
        [sys.executable, "-m", "demo.guestbook", "--port", "0"],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as program:
        try:
            assert program.stdout is not None
            port = int(program.stdout.readline().split(":")[3].split("/")[0])
            assert ask(port, "POST", "/entries", {"name": SCRIPT, "message": SCRIPT})[0] == 303
            status, page = ask(port, "GET", "/")
        finally:
            program.terminate()
    assert (status, program.returncode) == (200, 0)
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 2
    assert git(project, "status", "--short", "--", "*.db") == ""


def ask(port: int, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, urlencode(form) if form else None)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()
