"""Where a project may lie and in what state its repository may be."""

from __future__ import annotations

import shutil

import pytest

from tests.night import project as projects
from tests.night.conftest import Make
from tests.night.project import TASKS, Project

pytestmark = pytest.mark.night


def test_a_project_below_the_top_of_the_repository(make: Make) -> None:
    """Contract "Project root": paths of other folders are nobody's business."""
    project = make(below="apps/shop")
    (project.top / "other.txt").write_text("mine\n")
    result = project.night()
    assert (result.code, project.states()) == (0, "xxx"), result.out
    assert project.task_commits() == ["1", "2", "3"]
    assert "apps/shop/done/1.txt" in project.tree()
    assert project.dirty() == ["?? other.txt"]
    project.sound()


def test_a_command_in_a_folder_below_the_project_finds_it(project: Project) -> None:
    below = project.root / "src" / "deep"
    below.mkdir(parents=True)
    assert project.run("overnight", "demo", cwd=below).code == 0
    assert project.run("status", "-C", str(project.root), cwd=project.base).code == 0
    assert (project.states(), project.exists("done/1.txt")) == ("xxx", True)
    project.sound()


def test_no_repository_at_all(project: Project) -> None:
    """No commits, said aloud; a skip still puts the tree back."""
    shutil.rmtree(project.top / ".git")
    project.settings(overnight_mode={"stagnation_threshold": 2})
    project.plays({"2": [[["write", "half.txt", "x"], ["append", "a.py", "b"], ["leave", 1]]]})
    result = project.night()
    assert (result.code, project.states()) == (3, "xSx"), result.out + result.err
    assert "in no git repository" in result.out
    assert (project.exists("half.txt"), project.read("a.py")) == (False, "a = 1\n")
    assert not (project.top / ".git").exists()
    project.sound(fsck=False)


def test_a_repository_without_a_commit(project: Project) -> None:
    shutil.rmtree(project.top / ".git")
    project.git("init", "-q", "-b", "main")
    result = project.night()
    assert (result.code, project.states()) == (0, "xxx"), result.out + result.err
    assert project.git("log", "--format=%(trailers:key=Ralph-Task,valueonly)").split() == ["3", "2", "1"]
    assert "done/1.txt" in project.tree()
    assert project.read("a.py") == "a = 1\n"
    project.sound()


def test_a_detached_head(project: Project) -> None:
    """The commits are made, and can be found."""
    project.git("checkout", "-q", "--detach")
    result = project.night()
    assert (result.code, project.states()) == (0, "xxx"), result.out + result.err
    assert project.task_commits() == ["1", "2", "3"]
    project.sound()


def test_a_branch_of_the_persons_own_is_kept(project: Project) -> None:
    """Contract "Commits": a new branch is only made on the default one."""
    project.git("switch", "-qc", "feature")
    assert project.night().code == 0
    assert project.git("symbolic-ref", "--short", "HEAD") == "feature"
    assert project.task_commits() == ["1", "2", "3"]
    project.sound()


def test_a_second_night_uses_the_branch_of_the_first(project: Project) -> None:
    assert project.night("1").code == 4
    project.git("switch", "-q", "main")
    project.write("b.py", "b = 1\n")
    projects.commit_all(project)
    project.git("merge", "-q", "ralph/demo", "-m", "merge")
    assert project.night().code == 0
    branch = project.git("symbolic-ref", "--short", "HEAD")
    assert branch in {"ralph/demo", "ralph/demo-2"}
    assert project.states() == "xxx"
    assert {"b.py", "done/3.txt"} <= project.tree().keys()
    project.sound()


def test_a_hook_that_fails_costs_no_work(project: Project) -> None:
    """O12: the tasks are done; what could not be committed is said."""
    hook = project.top / ".git/hooks/pre-commit"
    hook.write_text("#!/bin/sh\necho 'no commits tonight'\nexit 1\n")
    hook.chmod(0o755)
    result = project.night()
    assert (result.code, project.states()) == (0, "xxx"), result.out + result.err
    assert all(project.exists(f"done/{n}.txt") for n in "123")
    assert "hook" in project.activity
    project.sound()


def test_a_hook_that_changes_files_has_its_changes_committed(project: Project) -> None:
    hook = project.top / ".git/hooks/pre-commit"
    hook.write_text(
        "#!/bin/sh\nfor f in $(git diff --cached --name-only -- done); do echo formatted >>$f; git add $f; done\n"
    )
    hook.chmod(0o755)
    assert project.night().code == 0
    assert project.git("show", "HEAD:done/3.txt") == "3\nformatted"
    assert project.dirty() == []
    project.sound()


def test_without_an_identity_commits_are_the_runners(project: Project) -> None:
    """Contract "Commits", and said."""
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
        del project.env[name]
    result = project.night()
    assert result.code == 0
    assert project.git("log", "-1", "--format=%an <%ae>") == "ralph-wiggum <ralph-wiggum@localhost>"
    assert "ralph-wiggum@localhost" in result.out
    project.sound()


@pytest.mark.parametrize("argument", [".kiro/specs/demo", f"./{TASKS}", "plans/other.md"])
def test_a_spec_given_by_its_path(project: Project, argument: str) -> None:
    """Contract "Project root": a folder or a tasks file anywhere."""
    project.write("plans/other.md", projects.THREE)
    projects.commit_all(project)
    result = project.run("overnight", argument)
    assert result.code == 0, result.err
    text = project.read("plans/other.md") if argument.endswith("other.md") else project.tasks
    assert text == projects.THREE.replace("[ ]", "[x]")
    assert project.task_commits() == ["1", "2", "3"]
    project.nothing_left()


def test_ids_that_repeat_and_tasks_without_one(make: Make) -> None:
    """Design, part 1: ids label, keys identify."""
    project = make("## A\n- [ ] 1. One\n- [ ] No id\n## B\n- [ ] 1. Uno\n- [ ] No id\n")
    assert project.night().code == 0
    assert project.states() == "xxxx"
    keys = project.task_commits()
    assert len(set(keys)) == 4
    assert keys[0] == "1@1"
    project.sound()
