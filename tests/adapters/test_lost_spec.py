"""`.kiro/` that went away with a runner which was killed: found, and put back before the settings are read (B10)."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ralph_wiggum.adapters.journal_file import JournalFile
from ralph_wiggum.adapters.lost_spec import put_back_lost
from ralph_wiggum.adapters.project import claim_state, find_root, open_spec
from ralph_wiggum.adapters.run_lock import RunLock
from ralph_wiggum.adapters.spec_files import SpecFiles
from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.journal import Ended, Entry, RunEnded, RunStarted, Started

CUT: tuple[Entry, ...] = (RunStarted(run="r"), Started(key="1"))
ENDED: tuple[Entry, ...] = (*CUT, Ended(key="1"), RunEnded())
SETTINGS = ".kiro/settings/ralph.yaml"
TASKS = ".kiro/specs/demo/tasks.md"


def stopped(root: Path, entries: tuple[Entry, ...]) -> Path:
    """Make a project, and what a run leaves in it that wrote these entries last."""
    for name, text in {TASKS: "- [-] 1. One\n", SETTINGS: "agent: shell\n", ".kiro/steering/a.md": "# A\n"}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    project = open_spec(root, "demo")
    claim_state(project)
    SpecFiles(project).hold()
    journal = JournalFile(project.journal_file)
    for entry in entries:
        journal.append(entry)
    journal.close()
    return root


def delete(root: Path) -> None:
    shutil.rmtree(root / ".kiro")


def rename(root: Path) -> None:
    (root / ".kiro").rename(root / "kiro.bak")


def put_a_file_there(root: Path) -> None:
    delete(root)
    (root / ".kiro").touch()


def loop(root: Path) -> None:
    delete(root)
    (root / ".kiro").symlink_to(".kiro")


ACTS = [delete, rename, put_a_file_there, loop]


@pytest.mark.parametrize("act", ACTS)
def test_the_project_is_found_and_the_settings_are_there_before_they_are_read(
    tmp_path: Path, act: Callable[[Path], None]
) -> None:
    root = stopped(tmp_path / "project", CUT)
    (tmp_path / ".kiro").mkdir()  # as Kiro itself makes one in the home folder
    (root / "src").mkdir()
    act(root)
    assert find_root(root / "src") == root
    assert put_back_lost(root)
    assert (root / SETTINGS).read_text() == "agent: shell\n"
    assert put_back_lost(root) == ()
    SpecFiles(open_spec(root, "demo"), puts_back=True).plan()
    assert (root / TASKS).read_text() == "- [-] 1. One\n"


@pytest.mark.parametrize("act", ACTS)
def test_a_person_may_remove_it_when_no_run_is_on(tmp_path: Path, act: Callable[[Path], None]) -> None:
    root = stopped(tmp_path, ENDED)
    act(root)
    assert put_back_lost(root) == ()
    with pytest.raises(RalphError, match=r"no \.kiro folder"):
        find_root(root)


def test_a_run_that_is_on_puts_it_back_itself_and_others_are_told(tmp_path: Path) -> None:
    root = stopped(tmp_path, CUT)
    delete(root)
    with RunLock(root) as lock:
        lock.acquire(spec="demo", run="r", started="now")
        assert put_back_lost(root) == ()
    assert not (root / ".kiro").exists()
    assert find_root(root) == root
    with pytest.raises(RalphError) as caught:
        open_spec(root, "other")
    assert "the folder .kiro" in str(caught.value)
    assert "`ralph-overnight other`" in caught.value.hint


def test_settings_alone_are_put_back_too(tmp_path: Path) -> None:
    root = stopped(tmp_path, CUT)
    (root / SETTINGS).write_text("")
    assert put_back_lost(root) == (f"{SETTINGS} was empty; put back",)
    assert put_back_lost(root) == ()


def test_where_nothing_was_ever_kept_nothing_is_done(tmp_path: Path) -> None:
    (tmp_path / ".kiro").mkdir()
    assert put_back_lost(tmp_path) == ()
    assert not (tmp_path / ".ralph").exists()
