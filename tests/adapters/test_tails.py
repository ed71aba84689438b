"""Journal, log and plan of a run of another process, read as they grow."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from ralph_wiggum.adapters.append_only import CHUNK
from ralph_wiggum.adapters.journal_file import JournalFile
from ralph_wiggum.adapters.journal_tail import JournalTail
from ralph_wiggum.adapters.log_tail import SHOWN_BYTES, LogTail
from ralph_wiggum.adapters.plan_watch import PlanWatch
from ralph_wiggum.adapters.project import HELD, Project, open_spec
from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.journal import Noted
from ralph_wiggum.core.journal_lines import to_line


def texts(tail: JournalTail) -> list[str]:
    return [entry.text for entry in tail.poll() if isinstance(entry, Noted)]


def lines(*words: str) -> bytes:
    return "".join(to_line(Noted(text=word)) for word in words).encode()


class TestJournal:
    def test_entries_come_once_and_as_they_are_written(self, tmp_path: Path) -> None:
        path = tmp_path / "journal.jsonl"
        tail = JournalTail(path)
        assert texts(tail) == []
        journal = JournalFile(path)
        for word in ("a", "b"):
            journal.append(Noted(text=word))
        assert texts(tail) == ["a", "b"]
        assert texts(tail) == []
        journal.append(Noted(text="c"))
        assert texts(tail) == ["c"]
        journal.close()
        tail.close()

    def test_a_line_that_is_being_written_is_left_for_later(self, tmp_path: Path) -> None:
        path = tmp_path / "journal.jsonl"
        whole = lines("a", "b")
        tail = JournalTail(path)
        seen: list[str] = []
        with path.open("wb", buffering=0) as file:
            for place in range(len(whole)):
                file.write(whole[place : place + 1])
                seen += texts(tail)
        assert seen == ["a", "b"]
        tail.close()

    def test_what_is_no_entry_is_read_over(self, tmp_path: Path) -> None:
        path = tmp_path / "journal.jsonl"
        path.write_bytes(lines("a") + b"\0\0\xff garbage\n" + lines("b"))
        tail = JournalTail(path)
        assert texts(tail) == ["a", "b"]
        tail.close()

    def test_what_somebody_scribbled_into_it_is_not_believed(self, tmp_path: Path) -> None:
        """As the runner itself does not: an agent's "the run ended" ends nothing for those who look on."""
        path = tmp_path / "journal.jsonl"
        journal, tail = JournalFile(path), JournalTail(path)
        journal.append(Noted(text="a"))
        with path.open("ab") as file:
            file.write(lines("scribbled"))
        assert texts(tail) == ["a"]
        journal.close()
        tail.close()

    def test_a_long_journal_is_read_in_pieces(self, tmp_path: Path) -> None:
        path = tmp_path / "journal.jsonl"
        words = [f"{number} " + "x" * 5000 for number in range(3 * CHUNK // 5000)]
        path.write_bytes(lines(*words))
        tail = JournalTail(path)
        assert texts(tail) == words
        tail.close()

    def test_one_that_was_written_anew_after_a_removal_is_read_on(self, tmp_path: Path) -> None:
        """What the runner does where an agent's git clean took it."""
        path = tmp_path / "journal.jsonl"
        path.write_bytes(lines("a", "b"))
        tail = JournalTail(path)
        assert texts(tail) == ["a", "b"]
        path.unlink()
        assert texts(tail) == []
        path.write_bytes(lines("a", "b", "c"))
        assert texts(tail) == ["c"]
        assert tail.anew == 0
        tail.close()

    def test_one_that_was_cut_is_read_from_its_beginning_and_said(self, tmp_path: Path) -> None:
        path = tmp_path / "journal.jsonl"
        path.write_bytes(lines("a", "b"))
        tail = JournalTail(path)
        texts(tail)
        path.write_bytes(lines("z"))
        assert texts(tail) == ["z"]
        assert tail.anew == 1
        tail.close()

    def test_a_pipe_in_its_place_does_not_hold_anybody_up(self, tmp_path: Path) -> None:
        path = tmp_path / "journal.jsonl"
        os.mkfifo(path)
        tail = JournalTail(path)
        assert texts(tail) == []
        tail.close()


class TestLog:
    def test_the_header_is_left_out_and_sequences_are_taken_off(self, tmp_path: Path) -> None:
        path = tmp_path / "1-1.log"
        tail = LogTail(path)
        assert tail.poll() == ""
        path.write_bytes(b"agent: x\ncommand: y\n\n\x1b[1mhello\x1b[0m\n")
        assert tail.poll() == "hello\n"
        with path.open("ab") as file:
            file.write(b"more\xff\n")
        assert tail.poll() == "more\ufffd\n"
        assert tail.poll() == ""
        tail.close()

    def test_of_a_flood_the_end_is_shown(self, tmp_path: Path) -> None:
        path = tmp_path / "1-1.log"
        path.write_bytes(b"x" * 5 * SHOWN_BYTES + b"\nlast\n")
        tail = LogTail(path)
        shown = tail.poll()
        assert shown.endswith("\nlast\n")
        assert len(shown) == SHOWN_BYTES
        tail.close()

    def test_a_log_that_was_begun_anew_is_read_anew(self, tmp_path: Path) -> None:
        path = tmp_path / "1-1.log"
        path.write_bytes(b"head\n\n" + b"x" * 100 + b"\n")
        tail = LogTail(path)
        tail.poll()
        path.write_bytes(b"head\n\nanew\n")
        assert tail.poll() == "anew\n"
        tail.close()

    def test_events_of_an_agent_are_shown_as_words(self, tmp_path: Path) -> None:
        path = tmp_path / "1-1.log"
        said = {"type": "assistant", "message": {"id": "m1", "content": [{"type": "text", "text": "I look around."}]}}
        line = json.dumps(said).encode() + b"\n"
        tail = LogTail(path, "claude")
        path.write_bytes(b"agent: claude\n\n" + line[:20])
        assert tail.poll() == ""
        path.write_bytes(b"agent: claude\n\n" + line)
        assert "I look around." in tail.poll()
        tail.close()

    def test_an_unknown_dialect_is_text(self, tmp_path: Path) -> None:
        path = tmp_path / "1-1.log"
        path.write_bytes(b"\n\nhello\n")
        tail = LogTail(path, "klingon")
        assert tail.poll() == "hello\n"
        tail.close()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    tasks = tmp_path / ".kiro/specs/demo/tasks.md"
    tasks.parent.mkdir(parents=True)
    tasks.write_text("- [ ] 1. One\n- [ ] 2. Two\n")
    (tmp_path / ".ralph/demo").mkdir(parents=True)
    return open_spec(tmp_path, "demo")


def marks(watch: PlanWatch, current: str = "") -> str:
    return "".join(task.mark for task in watch.plan(current).tasks)


class TestPlan:
    def test_a_change_is_seen_and_nothing_is_parsed_twice(self, project: Project) -> None:
        watch = PlanWatch(project)
        assert marks(watch) == "  "
        assert watch.plan() is watch.plan()
        project.tasks_file.write_text("- [x] 1. One\n- [ ] 2. Two\n")
        assert marks(watch) == "x "

    def test_nothing_is_written(self, project: Project) -> None:
        PlanWatch(project).plan()
        assert list(project.state.iterdir()) == []

    def test_what_an_agent_does_to_the_marks_does_not_count(self, project: Project) -> None:
        """O17."""
        (project.state / HELD).write_text("- [-] 1. One\n- [ ] 2. Two\n")
        project.tasks_file.write_text("- [x] 1. One\n- [x] 2. Two\n")
        watch = PlanWatch(project)
        assert marks(watch, "1") == "- "
        assert marks(watch) == "xx"

    def test_a_file_that_cannot_be_read_for_the_moment_leaves_the_last_plan(self, project: Project) -> None:
        watch = PlanWatch(project)
        watch.plan()
        project.tasks_file.write_bytes(b"- [x] 1. \xff\n")
        assert marks(watch) == "  "
        project.tasks_file.unlink()
        assert marks(watch) == "  "
        with pytest.raises(RalphError):
            PlanWatch(project).plan()
