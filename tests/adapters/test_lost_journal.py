"""Whether a start can say that there was a journal once (B2)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ralph_wiggum.adapters.activity_file import ActivityFile
from ralph_wiggum.adapters.journal_file import JournalFile
from ralph_wiggum.adapters.lost_journal import lost_journal
from ralph_wiggum.adapters.project import Project, open_spec
from ralph_wiggum.core.journal import Noted


@pytest.fixture
def project(tmp_path: Path) -> Project:
    tasks = tmp_path / ".kiro/specs/demo/tasks.md"
    tasks.parent.mkdir(parents=True)
    tasks.write_text("- [ ] 1. One\n")
    return open_spec(tmp_path, "demo")


def log(project: Project) -> None:
    ActivityFile(project.activity_file).append("0123456789abcdef", "## entry")


def journal(project: Project) -> None:
    JournalFile(project.journal_file).append(Noted(text="x" * 100))


def zeros(project: Project) -> None:
    project.journal_file.write_bytes(bytes(project.journal_file.stat().st_size))


def folder(project: Project) -> None:
    project.journal_file.unlink()
    project.journal_file.mkdir()


def persons_log(project: Project) -> None:
    project.activity_file.write_text("# Log\n\n<!-- ralph: a remark -->\n")


def spoilt_log(project: Project) -> None:
    project.activity_file.unlink(missing_ok=True)
    project.activity_file.mkdir()


@pytest.mark.parametrize(
    ("acts", "lost"),
    [
        pytest.param([], False, id="a first run"),
        pytest.param([log, journal], False, id="all is well"),
        pytest.param([log], True, id="deleted"),
        pytest.param([log, journal, lambda each: each.journal_file.write_bytes(b"")], True, id="emptied"),
        pytest.param([log, journal, zeros], True, id="zeros"),
        pytest.param([log, journal, folder], True, id="a folder"),
        pytest.param([persons_log], False, id="a log that a person wrote"),
        pytest.param([spoilt_log], False, id="no log either"),
    ],
)
def test_a_journal_is_missed_where_the_log_tells_of_attempts(
    project: Project, acts: list[Callable[[Project], object]], *, lost: bool
) -> None:
    for act in acts:
        act(project)
    words = lost_journal(project)
    assert bool(words) is lost
    assert not lost or words.startswith(".ralph/demo/journal.jsonl is gone")
