"""Bad settings, a full disk, folders that cannot be written: said, survived, never a traceback (O12, O34, B2)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.night import project as projects
from tests.night.project import SETTINGS, Project

pytestmark = pytest.mark.night


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        pytest.param("agent: nobody\n", "", "nobody", id="an agent that is not known"),
        pytest.param("max_iteration: 3\n", ":1", "max_iteration", id="a key that is nearly right"),
        pytest.param("overnight_mode:\n  never_stop: maybe\n", ":2", "overnight_mode.never_stop", id="no truth value"),
        pytest.param("overnight_mode:\n  max_task_timeout: off\n", ":2", "max_task_timeout", id="YAML's off"),
        pytest.param("overnight_mode:\n  max_task_timeout: 07:00\n", ":2", "max_task_timeout", id="a time of day"),
        pytest.param("git: {branch: 'a b'}\n", ":1", "git.branch", id="no name of a branch"),
        pytest.param("quality_checks:\n  - x\n", ":1", "quality_checks", id="a list for a mapping"),
        pytest.param("a: [\n", "", "ralph.yaml", id="no YAML"),
        pytest.param("servers: {web: {command: x}}\n", ":1", "servers", id="not built yet"),
        pytest.param(
            "failure_handling: never_stop\novernight_mode: {never_stop: false}\n", "", "never_stop", id="at odds"
        ),
    ],
)
def test_bad_settings_are_named_with_file_line_and_key(project: Project, text: str, where: str, what: str) -> None:
    """O34: exit 2, what would be right, nothing begun."""
    project.write(SETTINGS, text)
    for command in ("overnight", "next"):
        result = project.run(command, "demo")
        assert result.code == 2, result.out
        assert what in result.err
        assert f"ralph.yaml{where}" in result.err
        assert "hint:" in result.err
    assert project.tasks == project.original
    assert not project.exists(projects.ACTIVITY)


@pytest.mark.parametrize(
    "arguments",
    [
        ("overnight",),
        ("overnight", "no-such-spec"),
        ("overnight", "demo", "0"),
        ("overnight", "demo", "--until", "25:00"),
        ("overnight", "demo", "--agent", "nobody"),
        ("overnight", "demo", "-C", "/no/such/folder"),
        ("skip", "demo", "9", "why"),
        ("skip", "demo", "1"),
        ("next", "demo", "--attempts", "x"),
        ("status", "no-such-spec"),
    ],
    ids=" ".join,
)
def test_wrong_calls_are_told_what_is_right(project: Project, arguments: tuple[str, ...]) -> None:
    result = project.run(*arguments)
    assert (result.code, result.out) == (2, "")
    assert re.search("hint:|usage:", result.err)
    assert not project.exists(projects.ACTIVITY)


@pytest.fixture
def small_disk(project: Project) -> Iterator[Path]:
    """Put `.ralph` on a file system of 2 MB; skip where that is not allowed."""
    folder = project.root / ".ralph"
    folder.mkdir()
    try:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True, check=False
        )
    except FileNotFoundError:
        pytest.skip("no mount here")
    if done.returncode:
        pytest.skip(f"a tmpfs cannot be mounted here: {done.stderr!r}")
    yield folder
    projects.end_all(project)
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_survived_said_and_the_night_goes_on_when_there_is_space(
    project: Project, small_disk: Path
) -> None:
    """B2, O12: the second task fills the disk; a while later somebody makes room."""
    project.settings(machine={"min_disk": 0})  # else it waits for 500 MB
    filler = small_disk / "filler"
    done = [["write", "2.txt", "2"], ["log", "full"], ["say", "TASK_COMPLETE"]]
    project.plays({"2": [[["sh", f"cat /dev/zero >{filler} 2>/dev/null"], *done], done]})
    process = project.command("overnight", "demo")
    project.wait("full", "2")
    time.sleep(0.7)
    assert process.poll() is None, "the run must not end"
    filler.unlink()
    result = project.finish(process, timeout=60)
    assert (result.code, project.states()) == (0, "xxx"), result.out + result.err
    assert re.search("No space left|diskspace", result.out)
    assert project.task_commits() == ["1", "2", "3"]
    project.sound()


@pytest.mark.parametrize("words", [[], ["--detach"]], ids=["on a terminal", "in the background"])
def test_a_disk_that_is_full_in_the_evening_is_told_with_what_to_do(
    project: Project, small_disk: Path, words: list[str]
) -> None:
    """A log that takes nothing cannot tell it, nor can a lock that is there and takes nothing."""
    project.settings(machine={"min_disk": 0})
    (small_disk / "run.lock").touch()
    subprocess.run(["sh", "-c", f"cat /dev/zero >{small_disk}/filler"], capture_output=True, check=False)
    for _ in range(2):
        result = project.night(*words)
        assert (result.code, result.out) == (2, "")
        assert "No space left on device" in result.err
        assert "free some disk space and start again" in result.err
    (small_disk / "filler").unlink()
    assert project.night().code == 0
    assert (small_disk / ".gitignore").read_text() == "*\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_state_folder_that_cannot_be_written_is_a_clear_error(project: Project) -> None:
    folder = project.root / ".ralph"
    folder.mkdir(mode=0o555)
    result = project.night()
    assert result.code == 2
    assert ".ralph" in result.err


def test_a_file_in_the_place_of_the_state_folder_makes_way_and_is_kept(project: Project) -> None:
    """O12: an agent may put one there; it is moved aside, whoever put it there."""
    (project.root / ".ralph").write_text("mine\n")
    result = project.night()
    assert result.code == 0, result.err
    kept = [path for path in project.root.glob(".ralph*") if path.is_file()]
    assert [path.read_text() for path in kept] == ["mine\n"]


def test_no_git_in_the_path_is_a_clear_error(project: Project, tmp_path: Path) -> None:
    python = shutil.which("python3")
    assert python is not None
    result = project.run("overnight", "demo", PATH=str(tmp_path))
    assert result.code == 2, result.err
    assert "git" in result.err
    project.nothing_left()
