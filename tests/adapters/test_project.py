"""Where specs, state and the project root are found (design, part 2: project root; O30: unknown specs)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ralph_wiggum.adapters.project import claim_state, find_root, make_state, open_spec, specs
from ralph_wiggum.core.errors import Exit, RalphError
from tests.adapters.plain_user import PLAIN_USER, needs_plain_user

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("guestbook", "payments", "search"):
        write(tmp_path / ".kiro/specs" / name / "tasks.md")
    (tmp_path / ".kiro/specs/half").mkdir()
    return tmp_path


def write(path: Path, text: str = "- [ ] 1. a\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_the_root_is_the_nearest_folder_with_kiro_at_or_above(root: Path) -> None:
    inner = root / "packages/app"
    (inner / ".kiro").mkdir(parents=True)
    (inner / "src/deep").mkdir(parents=True)
    (root / "docs").mkdir()
    assert find_root(root) == root
    assert find_root(root / "docs") == root
    assert find_root(inner / "src/deep") == inner


def test_without_a_root_the_error_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RalphError, match=r"no \.kiro folder") as caught:
        find_root(tmp_path)
    assert "-C DIR" in caught.value.hint
    assert caught.value.code is Exit.BAD_INPUT


def test_a_folder_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(RalphError, match="no folder"):
        find_root(tmp_path / "nowhere")


def test_a_file_named_kiro_is_no_root(tmp_path: Path) -> None:
    write(tmp_path / ".kiro")
    with pytest.raises(RalphError):
        find_root(tmp_path)


def test_specs_are_those_with_a_tasks_file(root: Path) -> None:
    assert specs(root) == ("guestbook", "payments", "search")


def test_specs_follow_the_setting_for_the_tasks_file(root: Path) -> None:
    write(root / "plans/night.md")
    write(root / "plans/day.md")
    assert specs(root, "plans/{feature}.md") == ("day", "night")


@pytest.mark.parametrize(
    "argument",
    [
        pytest.param("guestbook", id="a name"),
        pytest.param("guestbook/", id="a name with the slash of completion"),
        pytest.param(".kiro/specs/guestbook", id="a path to the folder"),
        pytest.param(".kiro/specs/guestbook/tasks.md", id="a path to the file"),
        pytest.param("./.kiro/specs/../specs/guestbook", id="a path with detours"),
    ],
)
def test_a_spec_can_be_named_in_several_ways(root: Path, argument: str) -> None:
    project = open_spec(root, argument)
    assert project.spec == "guestbook"
    assert project.tasks_file == root / ".kiro/specs/guestbook/tasks.md"
    assert project.activity_file == root / ".kiro/specs/guestbook/activity.md"
    assert project.spec_dir == root / ".kiro/specs/guestbook"
    assert project.state == root / ".ralph/guestbook"
    assert project.journal_file == root / ".ralph/guestbook/journal.jsonl"
    assert project.tasks_path == ".kiro/specs/guestbook/tasks.md"


def test_a_path_is_meant_from_where_the_person_is(root: Path) -> None:
    write(root / "docs/login/tasks.md")
    project = open_spec(root, "login", start=root / "docs")
    assert (project.spec, project.tasks_file) == ("login", root / "docs/login/tasks.md")
    assert project.activity_file == root / "docs/login/activity.md"


def test_a_tasks_file_anywhere_is_a_spec(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = write(tmp_path_factory.mktemp("elsewhere") / "login/tasks.md")
    project = open_spec(root, str(outside))
    assert (project.spec, project.state) == ("login", root / ".ralph/login")
    assert project.tasks_path == str(outside)


def test_an_outside_spec_does_not_share_the_journal_of_a_spec_with_its_name(root: Path) -> None:
    write(root / "old/guestbook/tasks.md")
    inside, outside = open_spec(root, "guestbook"), open_spec(root, "old/guestbook")
    assert inside.spec == outside.spec == "guestbook"
    assert inside.state != outside.state


def test_two_outside_specs_with_one_name_keep_apart_and_keep_their_places(root: Path) -> None:
    write(root / "a/login/tasks.md")
    write(root / "b/login/tasks.md")
    first = open_spec(root, "a/login")
    claim_state(first)
    first.journal_file.write_text("", encoding="utf-8")
    assert open_spec(root, "a/login").state == first.state
    assert open_spec(root, "b/login").state != first.state


def test_a_link_to_a_tasks_file_keeps_its_own_place(root: Path) -> None:
    target = write(root / "shared/plan.md")
    link = root / ".kiro/specs/linked/tasks.md"
    link.parent.mkdir()
    link.symlink_to(target)
    assert open_spec(root, "linked").tasks_file == link


def test_an_unknown_spec_lists_near_names_and_all(root: Path) -> None:
    with pytest.raises(RalphError, match="no spec 'guestbok'") as caught:
        open_spec(root, "guestbok")
    assert "did you mean guestbook?" in caught.value.hint
    assert "payments" in caught.value.hint


def test_a_spec_folder_without_tasks_is_said(root: Path) -> None:
    with pytest.raises(RalphError, match="no tasks file in spec 'half'"):
        open_spec(root, "half")


def test_a_project_without_specs_is_said(tmp_path: Path) -> None:
    (tmp_path / ".kiro").mkdir()
    with pytest.raises(RalphError, match="there are none") as caught:
        open_spec(tmp_path, "x")
    assert ".kiro/specs/<spec>/tasks.md" in caught.value.hint


@pytest.mark.parametrize("argument", ["", ".", "..", "/", "../..", "~no-such-user"])
def test_what_is_no_spec_is_an_error_and_no_traceback(root: Path, argument: str) -> None:
    with pytest.raises(RalphError):
        open_spec(root, argument)


def test_other_places_for_the_two_files(root: Path) -> None:
    write(root / "plans/night.md")
    project = open_spec(root, "night", tasks_file="plans/{feature}.md", activity_file="logs/{feature}.md")
    assert project.tasks_file == root / "plans/night.md"
    assert project.activity_file == root / "logs/night.md"
    assert open_spec(root, "plans/night.md", tasks_file="plans/{feature}.md").spec == "night"


@pytest.mark.parametrize("where", [".ralph", ".ralph/demo", ".ralph/demo/runs"])
@pytest.mark.parametrize("what", ["a file", "a link to nowhere"])
def test_what_is_no_folder_makes_way_for_the_state(where: str, what: str, root: Path) -> None:
    """O12: `rm -rf .ralph; touch .ralph` by an agent ends no run."""
    blocked = root / where
    blocked.parent.mkdir(parents=True, exist_ok=True)
    blocked.write_text("kept") if what == "a file" else blocked.symlink_to("nowhere")
    folder = root / ".ralph/demo/runs"
    assert make_state(folder).is_dir()
    assert (root / ".ralph/.gitignore").exists()
    assert os.path.lexists(blocked.with_name(f"{blocked.name}.1"))


def test_machine_state_ignores_itself_in_git(root: Path) -> None:
    folder = make_state(root / ".ralph/guestbook/runs")
    assert folder.is_dir()
    assert (root / ".ralph/.gitignore").read_text() == "*\n"
    (root / ".ralph/.gitignore").write_text("mine\n")
    make_state(folder)
    assert (root / ".ralph/.gitignore").read_text() == "mine\n"


def test_nothing_outside_of_the_runners_own_folder_is_moved_aside(tmp_path: Path) -> None:
    """A log that was sent to /dev/null once took /dev/null away."""
    device = tmp_path / "device"
    device.write_text("in the way")
    with pytest.raises(OSError, match=r"exists|directory"):
        make_state(device / "logs")
    assert device.read_text() == "in the way"


@needs_plain_user
def test_a_folder_that_may_not_be_entered_is_a_clear_error(root: Path) -> None:
    """As another user than root: no traceback, and what to do."""
    child = f"""
import os
from pathlib import Path
from ralph_wiggum.adapters.project import find_root, open_spec
from ralph_wiggum.core.errors import RalphError
root = Path({str(root)!r})
os.chmod(root / ".kiro", 0)
try:
    open_spec(find_root(root), "demo")
except RalphError as error:
    print(error, "|", error.hint)
"""
    command = [*PLAIN_USER, sys.executable, "-c", child]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    (root / ".kiro").chmod(0o755)
    assert done.returncode == 0, done.stderr
    assert "cannot look at" in done.stdout
    assert "chmod -R u+rwX .kiro" in done.stdout


@needs_plain_user
@pytest.mark.parametrize("modes", ["000", "a-w"])
def test_a_state_folder_that_was_closed_is_opened_with_all_in_it(tmp_path: Path, modes: str) -> None:
    """B10: an agent's chmod of `.ralph/` must not end the night."""
    child = f"""
import subprocess
from pathlib import Path
from ralph_wiggum.adapters.project import make_state
top = Path({str(tmp_path)!r}) / ".ralph"
logs = make_state(top / "demo/runs/r1/logs")
(logs / "1-1.log").write_text("x")
subprocess.run(["chmod", "-R", "{modes}", str(top)])
make_state(top / "demo/runs/r1/logs")
(logs / "1-1.log").write_text("y")
(logs / "1-2.log").write_text("z")
make_state(top / "demo/new")
"""
    subprocess.run([*PLAIN_USER, sys.executable, "-c", child], cwd=ROOT, check=True)
    assert (tmp_path / ".ralph/demo/new").is_dir()
