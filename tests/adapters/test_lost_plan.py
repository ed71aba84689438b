"""A tasks.md that went away in the middle of an attempt which was cut off is put back from what was held (B2, O17)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ralph_wiggum.adapters.journal_file import JournalFile
from ralph_wiggum.adapters.lost_plan import is_lost
from ralph_wiggum.adapters.plan_file import PLAN_BYTES, current_plan
from ralph_wiggum.adapters.project import HELD, Project, claim_state, lost_projects, open_spec
from ralph_wiggum.adapters.spec_files import SpecFiles
from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.journal import Ended, Entry, RunEnded, RunStarted, Started

TASKS = "- [-] 1. One\n- [ ] 2. Two\n"
CUT: tuple[Entry, ...] = (RunStarted(), Started(key="1"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path / ".kiro/specs/demo/tasks.md")
    return tmp_path


def write(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(TASKS)
    return path


def cut_off(project: Project, entries: tuple[Entry, ...] = CUT) -> Project:
    """Write what a runner leaves that is killed in the middle of an attempt."""
    claim_state(project)
    SpecFiles(project).hold()
    journal = JournalFile(project.journal_file)
    for entry in entries:
        journal.append(entry)
    journal.close()
    return project


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "x").touch()


def broken_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/nowhere/at/all")


def loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(Path.unlink, id="deleted"),
        pytest.param(folder, id="a folder in its place"),
        pytest.param(broken_link, id="a broken link in its place"),
        pytest.param(loop, id="a link to itself in its place"),
        pytest.param(pipe, id="a pipe in its place"),
        pytest.param(lambda path: shutil.rmtree(path.parent), id="the whole spec deleted"),
    ],
)
def test_the_next_start_finds_the_spec_and_puts_the_plan_back(root: Path, act: Callable[[Path], None]) -> None:
    project = cut_off(open_spec(root, "demo"))
    act(project.tasks_file)
    assert is_lost(project)
    again = open_spec(root, "demo")
    assert again.tasks_file == project.tasks_file
    spec = SpecFiles(again, puts_back=True)
    assert [task.id for task in spec.plan().tasks] == ["1", "2"]
    assert project.tasks_file.read_text() == TASKS
    assert not project.tasks_file.is_symlink()
    assert not is_lost(project)
    said = spec.protect("1")
    assert "tasks.md was gone; it was put back as it was" in said
    assert spec.protect("1") == (), "said once"


@pytest.mark.parametrize(
    ("entries", "lost"),
    [
        pytest.param(CUT, True, id="cut off"),
        pytest.param((), False, id="no journal"),
        pytest.param((RunStarted(),), False, id="before any attempt"),
        pytest.param((*CUT, Ended(key="1")), False, id="between two attempts"),
        pytest.param((*CUT, Ended(key="1"), RunEnded()), False, id="ended in good order"),
    ],
)
def test_only_an_attempt_that_was_cut_off_can_have_taken_it(
    root: Path, entries: tuple[Entry, ...], *, lost: bool
) -> None:
    """What a person deletes stays deleted; the error names the copy."""
    project = cut_off(open_spec(root, "demo"), entries)
    project.tasks_file.unlink()
    assert is_lost(project) is lost
    assert [each.spec for each in lost_projects(root)] == (["demo"] if lost else [])
    if not lost:
        with pytest.raises(RalphError, match="no tasks file") as caught:
            open_spec(root, "demo")
        assert f".ralph/demo/{HELD} is a copy from before the last attempt" in caught.value.hint
        with pytest.raises(RalphError):
            SpecFiles(project, puts_back=True).plan()
    assert not project.tasks_file.exists()


def test_who_only_looks_puts_nothing_back(root: Path) -> None:
    """`ralph-status`, `ralph-skip` and a dry run say what the next start does."""
    project = cut_off(open_spec(root, "demo"))
    project.tasks_file.unlink()
    for read in (SpecFiles(project).plan, lambda: current_plan(project)):
        with pytest.raises(RalphError, match="is not there") as caught:
            read()
        assert "ralph-overnight demo" in caught.value.hint
        assert f".ralph/demo/{HELD}" in caught.value.hint
    assert not project.tasks_file.exists()


def test_a_file_that_may_not_be_read_is_not_lost(root: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    project = cut_off(open_spec(root, "demo"))
    project.tasks_file.chmod(0)
    assert not is_lost(project)


@pytest.mark.parametrize(
    "argument", ["demo", "demo/", ".kiro/specs/demo", ".kiro/specs/demo/", ".kiro/specs/demo/tasks.md"]
)
def test_a_lost_plan_is_found_however_the_spec_is_named(root: Path, argument: str) -> None:
    project = cut_off(open_spec(root, "demo"))
    project.tasks_file.unlink()
    assert open_spec(root, argument) == project
    assert open_spec(root, argument, start=root) == project


def test_a_lost_plan_outside_the_folder_of_specs(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = write(tmp_path_factory.mktemp("elsewhere") / "plan/tasks.md")
    project = cut_off(open_spec(root, str(outside)))
    outside.unlink()
    assert open_spec(root, str(outside)) == project
    assert open_spec(root, str(outside.parent)) == project
    SpecFiles(project, puts_back=True).plan()
    assert outside.read_text() == TASKS


def test_another_spec_is_not_taken_for_the_lost_one(root: Path) -> None:
    project = cut_off(open_spec(root, "demo"))
    project.tasks_file.unlink()
    with pytest.raises(RalphError, match="no spec 'other'"):
        open_spec(root, "other")


@pytest.mark.parametrize("act", [Path.unlink, broken_link, lambda path: shutil.rmtree(path.parent)])
def test_a_plan_that_was_a_link_is_one_again(root: Path, act: Callable[[Path], None]) -> None:
    """Where the link led is held on disk too, and what it led to is not touched where only the link went."""
    target = root / "plans/night.md"
    path = root / ".kiro/specs/demo/tasks.md"
    target.parent.mkdir()
    path.rename(target)
    path.symlink_to("../../../plans/night.md")
    project = cut_off(open_spec(root, "demo"))
    act(path)
    SpecFiles(project, puts_back=True).plan()
    assert os.readlink(path) == "../../../plans/night.md"  # noqa: PTH115 - as the text it is
    assert target.read_text() == TASKS


def test_what_a_link_led_to_is_put_back_with_its_folder(root: Path) -> None:
    path = root / ".kiro/specs/demo/tasks.md"
    target = write(root / "plans/night.md")
    path.unlink()
    path.symlink_to(target)
    project = cut_off(open_spec(root, "demo"))
    shutil.rmtree(target.parent)
    SpecFiles(project, puts_back=True).plan()
    assert (path.is_symlink(), target.read_text()) == (True, TASKS)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"no task at all\n", id="without a task"),
        pytest.param(b"\xff\xfe\0\0", id="no text"),
        pytest.param(bytes(PLAN_BYTES + 1), id="too large"),
    ],
)
def test_a_plan_that_was_spoilt_with_its_runner_is_put_back_at_the_next_start(root: Path, data: bytes) -> None:
    """B2, B10: the agent overwrote it, then both were killed; what it wrote is kept."""
    project = cut_off(open_spec(root, "demo"))
    project.tasks_file.write_bytes(data)
    spec = SpecFiles(open_spec(root, "demo"), puts_back=True)
    assert [task.id for task in spec.plan().tasks] == ["1", "2"]
    assert project.tasks_file.read_text() == TASKS
    assert (project.state / "tasks.1.md").read_bytes() == data
    said = spec.protect("1")
    assert "put back as it was" in said[0]
    assert spec.protect("1") == (), "said once"


@pytest.mark.parametrize("data", [b"", b"no task\n"])
def test_a_plan_that_a_person_emptied_after_a_run_stays_empty(root: Path, data: bytes) -> None:
    project = cut_off(open_spec(root, "demo"), (*CUT, Ended(key="1"), RunEnded()))
    project.tasks_file.write_bytes(data)
    assert SpecFiles(project, puts_back=True).plan().tasks == ()
    assert project.tasks_file.read_bytes() == data


def test_a_plan_that_cannot_be_put_back_is_a_clear_error(root: Path) -> None:
    project = cut_off(open_spec(root, "demo"))
    shutil.rmtree(project.state / "documents")  # else the folder would be put back first
    shutil.rmtree(root / ".kiro/specs")
    (root / ".kiro/specs").touch()
    with pytest.raises(RalphError, match=r"cannot put .*tasks\.md back") as caught:
        SpecFiles(open_spec(root, "demo"), puts_back=True).plan()
    assert str(project.state / HELD) in caught.value.hint


def test_a_plan_that_is_no_link_any_more_is_held_as_none(root: Path) -> None:
    path = root / ".kiro/specs/demo/tasks.md"
    target = path.rename(root / "night.md")
    path.symlink_to(target)
    cut_off(open_spec(root, "demo"))
    path.unlink()
    write(path)
    project = cut_off(open_spec(root, "demo"))
    path.unlink()
    SpecFiles(project, puts_back=True).plan()
    assert not path.is_symlink()
