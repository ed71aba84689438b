"""Nights in which the agent destroys the repository, or moves the project away: in the morning nothing is lost (B10)."""

from __future__ import annotations

import subprocess

import pytest

from tests.night import project as projects
from tests.night.conftest import Make
from tests.night.project import Project, Script

pytestmark = [pytest.mark.night, pytest.mark.long]

DONE: list[list[object]] = [["say", "Did it."], ["say", "TASK_COMPLETE"]]
WORK: list[list[object]] = [["write", "{task}.txt", "{task}"], *DONE]
LOCKS = "index HEAD config packed-refs shallow refs/heads/main refs/heads/ralph/demo refs/tags/evening"

ACTS = [
    pytest.param("rm -rf .git", "deleted", id="deletes it"),
    pytest.param("mv .git ../gone", "moved back", id="moves it away"),
    pytest.param("rm -rf .git && git init -q", "replaced", id="begins a new one"),
    pytest.param("mv .git .git.bak; git init -q; git add -A; git commit -qm mine", "moved back", id="begins beside it"),
    pytest.param("echo garbage >.git/HEAD", "HEAD", id="writes garbage into HEAD"),
    pytest.param("git pack-refs --all; truncate -s 70 .git/packed-refs", "put back", id="cuts packed-refs short"),
    pytest.param(": >.git/refs/heads/ralph/demo", "refs/heads/ralph/demo", id="empties the branch"),
    pytest.param("rm -rf .git/objects", "objects", id="deletes all objects"),
    pytest.param("echo '[core' >.git/config", "config", id="breaks the settings"),
    pytest.param("git config core.bare true; git config core.worktree /tmp", "config|core.bare", id="sets it bare"),
    pytest.param(f"for f in {LOCKS}; do : >.git/$f.lock; done", "lock", id="leaves every lock"),
    pytest.param("chmod -R 000 .git", "permissions", id="takes the permissions"),
]


def tidy(project: Project) -> None:
    """Fail unless the person finds every commit of the night, each once, and all that they had before."""
    assert project.states() == "xxx"
    assert project.task_commits() == ["1", "2", "3"]
    assert {"1.txt", "2.txt", "3.txt", "a.py"} <= project.tree().keys()
    assert project.git("symbolic-ref", "--short", "HEAD") == "ralph/demo"
    assert project.git("rev-parse", "main") == project.git("rev-parse", "evening")
    assert project.dirty() == []
    project.sound()


@pytest.mark.parametrize(("act", "word"), ACTS)
def test_the_night_goes_on_with_every_commit(project: Project, act: str, word: str) -> None:
    """B10: in the middle of its second task; what the first one committed is there in the morning."""
    project.plays({"2": [[["write", "2.txt", "2"], ["sh", act], *DONE]]}, default=WORK)
    result = project.night()
    assert result.code == 0, result.out
    assert [project.runs(key) for key in "123"] == [1, 1, 1]
    assert any(part in project.activity for part in word.split("|")), project.activity
    tidy(project)


@pytest.mark.parametrize(("act", "word"), ACTS)
def test_a_runner_that_is_killed_right_after_it_loses_nothing(project: Project, act: str, word: str) -> None:
    """B2, B10: the next start finds it and puts it back."""
    second: Script = [["write", "2.txt", "2"], ["note_sh", act], ["sleep", 60]]
    project.plays({"2": [second, WORK]}, default=WORK)
    process = project.command("overnight", "demo")
    project.wait("command", "2")
    process.kill()
    assert project.finish(process).code == -9
    project.nothing_left()
    result = project.night()
    assert result.code == 0, result.out + result.err
    assert any(part in result.out for part in word.split("|")), result.out
    tidy(project)


def test_a_project_below_the_top_of_the_repository(make: Make) -> None:
    project = make(below="sub/project")
    project.plays({"2": [[["write", "2.txt", "2"], ["sh", "rm -rf ../../.git"], *DONE]]}, default=WORK)
    assert project.night().code == 0
    assert project.task_commits() == ["1", "2", "3"]
    assert {"sub/project/1.txt", "sub/project/2.txt"} <= project.tree().keys()
    project.sound()


def test_a_linked_worktree(project: Project) -> None:
    project.git("worktree", "add", "-q", "-b", "night", "../side")
    side = Project(
        project.base, project.base / "side", project.base / "side", project.env, project.play, mark=project.mark
    )
    side.original = side.tasks
    side.started = project.started
    project.plays({"2": [[["write", "2.txt", "2"], ["sh", "rm .git; rm -rf ../repo/.git"], *DONE]]}, default=WORK)
    assert side.night().code == 0
    assert side.task_commits() == ["1", "2", "3"]
    assert side.git("symbolic-ref", "--short", "HEAD") == "night"
    assert project.git("symbolic-ref", "--short", "HEAD") == "main"
    assert "missing" not in side.git("fsck", "--no-dangling")


def test_the_work_that_the_person_had_not_committed_survives_too(project: Project) -> None:
    """O33: dirty, staged and stashed."""
    project.write("a.py", "stashed\n")
    project.git("stash", "-q")
    project.write("a.py", "a = 'mine'\n")
    project.write("staged.txt", "mine\n")
    project.git("add", "staged.txt")
    project.plays({"2": [[["write", "2.txt", "2"], ["sh", "rm -rf .git"], *DONE]]}, default=WORK)
    assert project.night().code == 0
    assert project.dirty() == [" M a.py", "A  staged.txt"]
    assert project.git("stash", "list").count("\n") == 0
    assert project.git("show", "stash@{0}:a.py") == "stashed"
    assert project.task_commits() == ["1", "2", "3"]
    project.sound()


@pytest.mark.parametrize(
    "act",
    [
        pytest.param("mv ../repo ../repo2", id="renames it"),
        pytest.param("mv ../repo ../repo2; mkdir ../repo; echo x >../repo/theirs", id="makes another in its place"),
        pytest.param("rm -rf .git; mv ../repo ../repo2", id="deletes the repository before"),
    ],
)
def test_a_project_folder_that_is_moved_comes_back(project: Project, act: str) -> None:
    project.plays({"2": [[["write", "2.txt", "2"], ["sh", act], *DONE]]}, default=WORK)
    result = project.night()
    assert result.code == 0, result.out
    assert "moved back" in result.out + project.activity
    tidy(project)


def test_a_check_that_destroys_the_repository_is_survived(project: Project) -> None:
    """B10: a test suite that works in the wrong folder does it after the attempt was looked at."""
    project.settings(quality_checks={"all": ["test ! -e 2.txt || test -e .again || { touch .again; rm -rf .git; }"]})
    project.write(".gitignore", ".again\n")
    projects.commit_all(project)
    project.git("tag", "-f", "evening")
    project.plays(default=WORK)
    assert project.night().code == 0
    assert (project.states(), project.task_commits()) == ("xxx", ["1", "2", "3"])
    assert (
        subprocess.run(["git", "fsck"], cwd=project.top, env=project.env, capture_output=True, check=False).returncode
        == 0
    )
