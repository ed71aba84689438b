"""The demo spec of this repository: every task does its work, keeps the checks green, and can be run again (O31).

Tasks are run by the real embedded agent, checks as the settings have them, in a git repository of their own.
"""

import http.client
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

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
ENVIRONMENT = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
SCRIPT = "<script>alert('hello')</script>"


def test_the_plan_shows_what_plans_can_hold() -> None:
    """O2, O4 to O6: nested, optional and visual tasks, two pure checkpoints, nothing that looks wrong."""
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
        ("6", 1, True, "", False),
        ("6.1", 2, False, "", True),
        ("6.2", 2, False, "", True),
        ("7", 1, False, "pure", False),
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
    """O31: a fresh clone runs the demo with the embedded agent; what needs a browser is optional (O4)."""
    assert SETTINGS.agent == ("shell",)
    assert not [task.label for task in PLAN.tasks if task.visual and task.index not in PLAN.left_alone]


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
            env=ENVIRONMENT,
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
    states, tests = [tree(project)], [0]
    for task in [*LEAVES, PLAN.task("4")]:
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
    command = [sys.executable, "-m", "demo.guestbook", "--port", "0"]
    with running(command, cwd=project) as (program, port):
        assert ask(port, "POST", "/entries", {"name": SCRIPT, "message": SCRIPT})[0] == 303
        status, page = ask(port, "GET", "/")
    assert (status, program.returncode) == (200, 0)
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 2
    assert git(project, "status", "--short", "--", "*.db") == ""


def test_the_server_of_the_settings_serves_what_was_built(project: Path) -> None:
    """O23: the pages that task 6 looks at, on whatever port is free, and nothing of it for git."""
    (web,) = SETTINGS.servers
    assert not (project / web.cwd).exists(), "before task 1.1 there is nothing to serve, and nothing is"
    for task in LEAVES:
        work(project, task)
    before = tree(project)
    command = ["/bin/sh", "-c", web.command.replace("{port}", "0")]
    with running(command, cwd=project / web.cwd, **web.env) as (_, port):
        assert ask(port, "GET", urlsplit(web.ready.url).path)[0] == 200
        assert ask(port, "GET", urlsplit(web.url).path)[0] == 200
        assert ask(port, "POST", "/entries", {"name": "Ada", "message": "Hello"})[0] == 303
    assert tree(project) == before


def test_what_is_looked_at_lies_on_the_server_of_the_settings() -> None:
    """O25: every visual task opens the page of the server, wherever that has to move to."""
    (web,) = SETTINGS.servers
    assert web.url.startswith(web.ready.url.removesuffix("/health"))
    for task in PLAN.tasks:
        if task.visual:
            opened = re.findall(r"`agent-browser open (\S+)`", task.text)
            assert opened == [web.url], task.label


@contextmanager
def running(command: Sequence[str], *, cwd: Path, **env: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run the guestbook; give its process and the port that it says, and end it in good order."""
    with subprocess.Popen(
        command,
        cwd=cwd,
        env={**ENVIRONMENT, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as program:
        try:
            assert program.stdout is not None
            yield program, int(program.stdout.readline().split(":")[3].split("/")[0])
        finally:
            program.terminate()


def ask(port: int, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, urlencode(form) if form else None)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()
