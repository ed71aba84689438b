"""Agents that meddle with git, the plan, the log and the runner's own files; persons who edit meanwhile (O17, O33)."""

from __future__ import annotations

import pytest

from tests.night import project as projects
from tests.night.conftest import Make
from tests.night.project import ACTIVITY, TASKS, Project

pytestmark = pytest.mark.night

DONE = [["say", "Did it."], ["say", "TASK_COMPLETE"]]
WORK = [["write", "{task}.txt", "{task}"], *DONE]


@pytest.mark.parametrize(
    "command",
    [
        pytest.param("git add -A && git commit -qm mine", id="commits"),
        pytest.param(
            "git add -A && git commit -qm one && echo 2 >two && git add two && git commit -qm two", id="twice"
        ),
        pytest.param("git switch -qc theirs && git add -A && git commit -qm mine", id="commits on a branch of its own"),
        pytest.param("git checkout -q --detach && git add -A && git commit -qm mine", id="commits on a detached HEAD"),
        pytest.param("git add -A", id="stages"),
        pytest.param("git reset -q --soft HEAD~1", id="resets to the commit before"),
        pytest.param("git commit -q --amend -m changed --allow-empty", id="amends the commit before"),
        pytest.param("git branch -D main", id="deletes another branch"),
        pytest.param("git tag -f start && git config user.email evil@example.org", id="tags and sets a name"),
        pytest.param("git merge -q --no-commit --no-ff nothing 2>/dev/null; git rebase -q HEAD~1", id="rebases"),
    ],
)
def test_what_an_agent_does_with_git_is_folded_in_or_put_back(project: Project, command: str) -> None:
    """O38: one commit a task on the run's branch, main where it was, the work itself kept."""
    project.plays({"2": [[["write", "2.txt", "2"], ["sh", command], *DONE]]}, default=WORK)
    main = project.git("rev-parse", "main")
    result = project.night()
    assert (result.code, project.states()) == (0, "xxx"), result.out
    assert project.task_commits() == ["1", "2", "3"]
    assert {"1.txt", "2.txt", "3.txt"} <= project.tree().keys()
    assert project.git("symbolic-ref", "--short", "HEAD") == "ralph/demo"
    assert project.git("rev-parse", "main") == main
    assert "evil@example.org" not in project.git("log", "--format=%ae %ce", "HEAD")
    assert project.dirty() == []
    project.sound()


@pytest.mark.parametrize(
    "command",
    [
        pytest.param("git stash -q -u", id="stashes"),
        pytest.param("git reset -q --hard", id="resets hard"),
        pytest.param("git checkout -q -- . && git clean -qfd", id="cleans"),
        pytest.param("git clean -qfdx", id="cleans with all that is ignored"),
        pytest.param("git add -A && git commit -qm theirs", id="commits the person's files"),
    ],
)
def test_the_persons_uncommitted_work_survives_the_agents_git(project: Project, command: str) -> None:
    """O33: dirty files of the person are neither lost nor committed."""
    project.write("a.py", "a = 'mine'\n")
    project.write("notes.txt", "mine\n")
    project.plays({"2": [[["sh", command], ["write", "2.txt", "2"], *DONE]]}, default=WORK)
    result = project.night()
    assert (result.code, project.states()) == (0, "xxx"), result.out
    assert (project.read("a.py"), project.read("notes.txt")) == ("a = 'mine'\n", "mine\n")
    assert project.task_commits() == ["1", "2", "3"]
    assert "notes.txt" not in project.tree()
    assert project.git("show", "HEAD:a.py") == "a = 1"
    assert project.git("stash", "list") == ""
    project.sound()


def test_dirty_files_of_the_person_stay_as_they_are_through_a_skip_too(project: Project) -> None:
    """O33: left out of commits, put back by a restore to what the person had, named in the morning."""
    project.settings(overnight_mode={"stagnation_threshold": 2})
    projects.commit_all(project)
    project.write("a.py", "a = 'mine'\n")
    project.write("new.txt", "mine\n")
    project.git("add", "new.txt")
    project.plays(
        {
            "1": [[["append", "a.py", "b = 2\n"], ["write", "1.txt", "1"], *DONE]],
            "2": [[["write", "a.py", "spoilt"], ["remove", "new.txt"], ["leave", 1]]],
        },
        default=WORK,
    )
    result = project.night()
    assert (result.code, project.states()) == (3, "xSx")
    assert project.read("a.py") == "a = 'mine'\nb = 2\n"
    assert project.read("new.txt") == "mine\n"
    assert project.git("show", "HEAD:a.py") == "a = 1"
    assert not {"new.txt"} & project.tree().keys()
    assert sorted(project.dirty()) == [" M a.py", "A  new.txt"]
    assert "a.py" in result.out, "named as left out of the commits"
    project.sound()


@pytest.mark.parametrize("name", [".env", ".env.local", "id_rsa", "secret.pem"])
def test_secrets_are_never_committed(make: Make, name: str) -> None:
    project = make("- [ ] 1. One\n")
    project.plays({"1": [[["write", name, "KEY=1"], ["write", ".env.example", "KEY="], ["write", "x", "x"], *DONE]]})
    assert project.night().code == 0
    assert name not in project.tree()
    assert ".env.example" in project.tree()
    assert project.read(name) == "KEY=1"
    assert "KEY=1" not in project.git("log", "-p", "--all")
    project.sound()


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([["replace", TASKS, "[ ]", "[x]"]], id="ticks all boxes"),
        pytest.param([["replace", TASKS, "[ ]", "[S]"]], id="skips all tasks"),
        pytest.param([["replace", TASKS, "2. Two", "2. Done [x]"]], id="rewrites its task"),
        pytest.param([["remove", TASKS]], id="deletes tasks.md"),
        pytest.param([["write", TASKS, ""]], id="empties tasks.md"),
        pytest.param([["write", TASKS, "- [x] 9. Nine\n"]], id="writes another plan"),
        pytest.param([["sh", f"printf '\\377\\376' >{TASKS}"]], id="writes bytes that are no text"),
        pytest.param([["remove", TASKS], ["sh", f"mkdir {TASKS}; echo x >{TASKS}/x"]], id="makes a folder of it"),
        pytest.param([["sh", f"ln -sf /dev/null {TASKS}"]], id="makes a link of it"),
        pytest.param([["sh", f"chmod 000 {TASKS}"]], id="takes its permissions away"),
        pytest.param([["remove", ".kiro/specs/demo"]], id="deletes the whole spec"),
        pytest.param([["remove", ".ralph"]], id="deletes .ralph"),
        pytest.param(
            [["sh", "echo '{}' >>.ralph/demo/journal.jsonl; echo torn >>.ralph/demo/journal.jsonl"]], id="scribbles"
        ),
        pytest.param([["sh", ": >.ralph/demo/journal.jsonl"]], id="empties the journal"),
    ],
)
def test_what_an_agent_does_to_plan_and_state_is_undone(project: Project, steps: list[list[object]]) -> None:
    """O17, B10: the night ends as if it had not been."""
    project.plays({"2": [[["write", "2.txt", "2"], *steps, *DONE]]}, default=WORK)
    result = project.night()
    assert (result.code, project.states()) == (0, "xxx"), result.out
    assert [project.runs(key) for key in "123"] == [1, 1, 1]
    assert project.task_commits() == ["1", "2", "3"]
    assert project.dirty() == []
    project.sound()


@pytest.mark.parametrize(
    "steps", [[["write", ACTIVITY, "mine\n"]], [["remove", ACTIVITY]], [["append", ACTIVITY, "PS\n"]]]
)
def test_an_agent_that_edits_the_log_stops_nothing(project: Project, steps: list[list[object]]) -> None:
    """O29: what it wrote stays, the status block is rebuilt, the entries go on."""
    project.plays({"2": [[["write", "2.txt", "2"], *steps, *DONE]]}, default=WORK)
    result = project.night()
    assert (result.code, project.states()) == (0, "xxx"), result.out
    assert project.activity.startswith("# Activity Log: demo\n")
    assert "**Tasks Completed:** 3/3" in project.activity
    assert "Task 3: Three" in project.activity
    project.sound()


def test_edits_of_a_person_meanwhile_stay_and_are_obeyed(project: Project) -> None:
    """O17: a task that is added while an attempt runs is done; the edit is named as needing a look."""
    project.plays({"1": [[["append", TASKS, "- [ ] 4. Four\n"], ["write", "1.txt", "1"], *DONE]]}, default=WORK)
    result = project.night()
    assert (result.code, project.states()) == (0, "xxxx"), result.out
    assert "was edited while 1 One was worked on" in result.out
    assert "+- [ ] 4. Four" in project.activity
    project.original += "- [ ] 4. Four\n"
    project.sound()


def test_a_task_that_a_person_sets_back_is_done_again(project: Project) -> None:
    """Design, part 1: after Ticked the file wins."""
    assert project.night().code == 0
    project.write(TASKS, project.tasks.replace("[x] 2", "[ ] 2"))
    project.plays(default=[["write", "again.txt", "{task}"], *DONE])
    assert project.night().code == 0
    assert [project.runs(key) for key in "123"] == [1, 2, 1]
    assert "again.txt" in project.tree()
    project.sound()


def test_without_its_repository_a_run_waits_says_so_and_can_be_stopped(project: Project) -> None:
    """O12, B10: an agent deleted `.git` and the safety copy of it; nothing more may be lost."""
    gone = [["remove", ".git"], ["remove", ".ralph/git-copy"]]
    project.plays({"2": [[["write", "2.txt", "2"], *gone, *DONE]]}, default=WORK)
    process = project.command("overnight", "demo")
    assert process.stdout is not None
    said = next(line for line in process.stdout if "not a git repository" in line)
    assert "trying again" in said
    process.terminate()
    assert project.finish(process, timeout=10).code == 143
    assert "**Loop Status:** Stopped" in project.activity
    assert (project.states(), project.read("2.txt")) == ("x- ", "2")
    project.sound(fsck=False)
