"""The journal on disk: nothing lost, torn or mixed, whoever else writes or removes it (B2, O17)."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ralph_wiggum.adapters.journal_file import JournalFile, read_journal
from ralph_wiggum.core.journal import Ended, GateSeen, Noted, SkipAsked, Started, to_line

ROOT = Path(__file__).resolve().parents[2]
ENTRY = Started(key="1.1", name="Überschrift", large={"big.bin": "1"})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".ralph/demo/journal.jsonl"


def test_nothing_is_made_before_the_first_entry(path: Path) -> None:
    journal = JournalFile(path)
    assert journal.poll() == ()
    assert journal.read_all() == ()
    assert read_journal(path) == ((), 0)
    assert not path.parent.exists()


def test_entries_come_back_as_they_were_and_the_folder_ignores_itself(path: Path) -> None:
    ended = Ended(key="1.1", gates=(GateSeen(name="pytest", counts="3 passed"),), files=("M a.py",), seconds=1.5)
    journal = JournalFile(path)
    journal.append(ENTRY)
    journal.append(ended)
    assert journal.poll() == (ENTRY, ended)
    assert journal.poll() == ()
    assert read_journal(path) == ((ENTRY, ended), 0)
    assert (path.parent.parent / ".gitignore").read_text() == "*\n"


def test_poll_sees_what_others_appended_in_the_order_of_the_file(path: Path) -> None:
    """O17: ralph-skip speaks to a run through the journal."""
    mine, other = JournalFile(path), JournalFile(path)
    mine.append(ENTRY)
    assert mine.poll() == (ENTRY,)
    asked = SkipAsked(key="2", reason="no")
    other.append(asked)
    mine.append(Noted(text="after"))
    assert mine.poll() == (asked, Noted(text="after"))
    assert other.read_all() == (ENTRY, asked, Noted(text="after"))


def test_a_line_without_its_end_waits_for_it(path: Path) -> None:
    journal = JournalFile(path)
    journal.append(ENTRY)
    journal.poll()
    line = to_line(Noted(text="late")).encode()
    with path.open("ab") as file:
        file.write(line[:10])
        file.flush()
        assert journal.poll() == ()
        file.write(line[10:])
    assert journal.poll() == (Noted(text="late"),)
    assert journal.bad_lines == 0


def test_a_line_torn_by_a_crash_stays_alone(path: Path) -> None:
    """B2: power failed in the middle of a write; the next entry must not be glued to the half line."""
    JournalFile(path).append(ENTRY)
    with path.open("ab") as file:
        file.write(to_line(Noted(text="torn")).encode()[:15])
    journal = JournalFile(path)
    journal.append(Noted(text="next"))
    assert journal.poll() == (ENTRY, Noted(text="next"))
    assert journal.bad_lines == 1
    assert read_journal(path)[1] == 1


def test_bytes_that_are_no_text_spoil_only_their_line(path: Path) -> None:
    journal = JournalFile(path)
    journal.append(ENTRY)
    with path.open("ab") as file:
        file.write(b"\xff\xfe\x00garbage\n")
    journal.append(Noted(text="x"))
    assert journal.poll() == (ENTRY, Noted(text="x"))
    assert journal.bad_lines == 1


def test_many_processes_appending_at_once_tear_and_lose_nothing(path: Path) -> None:
    write = """
import sys
from pathlib import Path
from ralph_wiggum.adapters.journal_file import JournalFile
from ralph_wiggum.core.journal import Noted
journal = JournalFile(Path(sys.argv[1]))
for number in range(150):
    journal.append(Noted(key=sys.argv[2], text=str(number), detail="x" * (number * 40)))
"""
    children = [subprocess.Popen([sys.executable, "-c", write, str(path), str(which)], cwd=ROOT) for which in range(3)]
    assert [child.wait() for child in children] == [0, 0, 0]
    entries, bad = read_journal(path)
    assert bad == 0
    for which in range(3):
        mine = [entry.text for entry in entries if isinstance(entry, Noted) and entry.key == str(which)]
        assert mine == [str(number) for number in range(150)]


def test_kill_9_while_appending_leaves_whole_lines(path: Path) -> None:
    """B2: whatever moment the runner is killed at, the journal can be read and written on."""
    write = """
import sys
from pathlib import Path
from ralph_wiggum.adapters.journal_file import JournalFile
from ralph_wiggum.core.journal import Noted
journal = JournalFile(Path(sys.argv[1]))
print("go", flush=True)
while True:
    journal.append(Noted(text="x" * 3000))
"""
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", write, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            child.stdout.readline()
            child.send_signal(signal.SIGKILL)
        JournalFile(path).append(Noted(text="after"))
    entries, bad = read_journal(path)
    assert bad == 0
    assert [entry.text for entry in entries if isinstance(entry, Noted)].count("after") == 3


@pytest.mark.parametrize("how", ["removed", "removed with its folder", "renamed", "replaced", "a pipe", "a folder"])
def test_a_journal_taken_away_under_us_is_written_anew(path: Path, how: str) -> None:
    """B2, O17: an agent's `git clean -fdx` or `git stash -a` must not cost the state of the run."""
    journal = JournalFile(path)
    journal.append(ENTRY)
    journal.poll()
    match how:
        case "removed":
            path.unlink()
        case "removed with its folder":
            shutil.rmtree(path.parent.parent)
        case "renamed":
            path.rename(path.with_name("old"))
        case "a folder":
            path.unlink()
            (path / "inside").mkdir(parents=True)
        case "a pipe":
            path.unlink()
            os.mkfifo(path)
        case _:
            path.unlink()
            path.write_text('{"v":1,"event":"ticked","key":"1.1"}\n')
    journal.append(Noted(text="on"))
    assert journal.poll() == (Noted(text="on"),)
    assert read_journal(path) == ((ENTRY, Noted(text="on")), 0)
    assert (path.parent.parent / ".gitignore").exists()


def test_a_wish_left_in_the_replacement_is_not_lost(path: Path) -> None:
    """O17: ralph-skip came between the removal and our next write."""
    journal = JournalFile(path)
    journal.append(ENTRY)
    journal.poll()
    path.unlink()
    JournalFile(path).append(SkipAsked(key="2", reason="no"))
    assert journal.poll() == (SkipAsked(key="2", reason="no"),)
    assert read_journal(path)[0] == (ENTRY, SkipAsked(key="2", reason="no"))


def test_a_journal_that_was_cut_is_read_from_its_start(path: Path) -> None:
    journal = JournalFile(path)
    journal.append(ENTRY)
    journal.append(ENTRY)
    journal.poll()
    path.write_text(to_line(Noted(text="new")))
    assert journal.poll() == (Noted(text="new"),)


def test_a_full_disk_is_told_and_leaves_no_half_line(path: Path) -> None:
    """B2: ENOSPC goes up, for the night to wait out; a file size limit stands in for the full disk."""
    child = f"""
import resource, signal, sys
from pathlib import Path
from ralph_wiggum.adapters.journal_file import JournalFile
from ralph_wiggum.core.journal import Noted
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
journal = JournalFile(Path({str(path)!r}))
journal.append(Noted(text="first"))
resource.setrlimit(resource.RLIMIT_FSIZE, (500, resource.RLIM_INFINITY))
try:
    journal.append(Noted(text="x" * 2000))
except OSError as error:
    print("told", error.errno)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
journal.append(Noted(text="last"))
"""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    done = subprocess.run([sys.executable, "-c", child], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("told")
    assert read_journal(path) == ((Noted(text="first"), Noted(text="last")), 0)
    assert b"xxx" not in path.read_bytes()


def test_looking_costs_little_when_there_is_nothing_new(path: Path) -> None:
    """The loop polls at least four times a second while an agent runs."""
    import timeit  # noqa: PLC0415 - here only

    journal = JournalFile(path)
    for _ in range(200):
        journal.append(ENTRY)
    journal.poll()
    assert min(timeit.repeat(journal.poll, number=100, repeat=5)) / 100 < 200e-6


def test_closing_and_going_on(path: Path) -> None:
    journal = JournalFile(path)
    journal.append(ENTRY)
    journal.close()
    journal.append(Noted(text="x"))
    assert journal.poll() == (ENTRY, Noted(text="x"))
    assert not os.get_inheritable(journal._fd)
