"""The journal on disk: nothing lost, torn or mixed, whoever else writes or removes it (B2, O17)."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ralph_wiggum.adapters.journal_file import JournalFile, read_journal
from ralph_wiggum.core.journal import Ended, Entry, GateSeen, Noted, SkipAsked, Started, StopAsked, Ticked
from ralph_wiggum.core.journal_lines import to_line

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
    line = to_line(SkipAsked(key="late")).encode()
    with path.open("ab") as file:
        file.write(line[:10])
        file.flush()
        assert journal.poll() == ()
        file.write(line[10:])
    assert journal.poll() == (SkipAsked(key="late"),)
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
    JournalFile(path).append(ENTRY)
    with path.open("ab") as file:
        file.write(b"\xff\xfe\x00garbage\n")
    journal = JournalFile(path)
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


def test_who_only_reads_a_journal_that_was_cut_reads_it_from_its_start(path: Path) -> None:
    writer, journal = JournalFile(path), JournalFile(path)
    writer.append(ENTRY)
    writer.append(ENTRY)
    journal.poll()
    path.write_text(to_line(Noted(text="new")))
    assert journal.poll() == (Noted(text="new"),)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def zeros(path: Path) -> None:
    """Overwrite it in its place, as a power cut may; the size stays."""
    path.write_bytes(bytes(path.stat().st_size))


def change(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"key":"1.1"', b'"key":"9.9"'))


def forge(path: Path) -> None:
    with path.open("a") as file:
        file.write(to_line(Ticked(key="3")))


def scribble(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\xff\xfe\0 garbage\n{}\n")


def write_down_again(path: Path) -> None:
    """Rewrite it the way that json.tool does."""
    path.write_text("".join(json.dumps(json.loads(line)) + "\n" for line in path.read_text().splitlines()))


@pytest.mark.parametrize("act", [cut, empty, zeros, change, forge, scribble, write_down_again])
@pytest.mark.parametrize("then", ["append", "poll"])
def test_whatever_is_done_to_it_in_a_run_the_journal_holds_what_the_runner_knows(
    path: Path, act: Callable[[Path], None], then: str
) -> None:
    """B2, O17: in its place too; the time of the file is no help, for it is coarse."""
    journal = JournalFile(path)
    journal.append(ENTRY)
    journal.append(Noted(text="second"))
    assert journal.poll() == (ENTRY, Noted(text="second"))
    os.utime(path, (1, 1))
    journal.poll()
    act(path)
    expected: tuple[Entry, ...] = (ENTRY, Noted(text="second"))
    if then == "append":
        journal.append(Noted(text="on"))
        assert journal.poll() == (Noted(text="on"),)
        expected = (*expected, Noted(text="on"))
    else:
        assert journal.poll() == ()
    assert read_journal(path) == (expected, 0)
    assert len(journal.mended) == 1
    assert "holds again what the runner knows" in journal.mended[0]
    assert [each.name for each in path.parent.iterdir()] == [path.name], "nothing else is left there"


@pytest.mark.parametrize("act", [cut, empty, zeros, forge, Path.unlink])
def test_a_wish_that_came_with_the_damage_is_carried_over(path: Path, act: Callable[[Path], None]) -> None:
    """O17: ralph-skip and ralph stop wrote into the file while an agent was at it."""
    journal = JournalFile(path)
    journal.append(ENTRY)
    journal.poll()
    act(path)
    asked = SkipAsked(key="2", reason="no"), StopAsked(target="r")
    for wish in asked:
        JournalFile(path).append(wish)
    assert journal.poll() == asked
    assert read_journal(path) == ((ENTRY, *asked), 0)
    journal.append(Noted(text="on"))
    assert journal.poll() == (Noted(text="on"),)
    assert journal.poll() == ()


@pytest.mark.parametrize("size", [200 << 20, 3 << 30], ids=["200 MB", "3 GB of a hole"])
def test_a_flood_into_the_journal_costs_neither_time_nor_memory(path: Path, size: int) -> None:
    child = f"""
import os, resource, time
from pathlib import Path
from ralph_wiggum.adapters.journal_file import JournalFile, read_journal
from ralph_wiggum.core.journal import Noted
path = Path({str(path)!r})
journal = JournalFile(path)
journal.append(Noted(text="one"))
journal.poll()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
os.truncate(path, {size})
began = time.monotonic()
journal.append(Noted(text="two"))
took = time.monotonic() - began
print([entry.text for entry in read_journal(path)[0]], took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run([sys.executable, "-c", child], cwd=ROOT, capture_output=True, text=True, check=True)
    texts, took, grown = done.stdout.rsplit(maxsplit=2)
    assert texts == "['one', 'two']"
    assert float(took) < 10
    assert int(grown) < 60_000, "kilobytes"


def test_a_journal_whose_flood_met_no_runner_can_be_read_and_written_on(path: Path) -> None:
    """A run was killed, its agent filled the journal with bytes that hold no newline."""
    JournalFile(path).append(ENTRY)
    os.truncate(path, 40 << 20)
    journal = JournalFile(path)
    assert journal.poll() == (ENTRY,)
    journal.append(Noted(text="on"))
    assert journal.poll() == (Noted(text="on"),)
    assert read_journal(path)[0] == (ENTRY, Noted(text="on"))


def test_who_only_asks_never_writes_the_journal_anew(path: Path) -> None:
    """A ralph-skip that still has the old file open must not put it in the place of the runner's new one."""
    runner, asking = JournalFile(path), JournalFile(path)
    runner.append(ENTRY)
    asking.poll()
    path.unlink()
    runner.append(Noted(text="on"))
    assert asking.poll() == (Noted(text="on"),)
    asking.append(SkipAsked(key="2"))
    assert read_journal(path)[0] == (ENTRY, Noted(text="on"), SkipAsked(key="2"))
    assert runner.poll() == (ENTRY, Noted(text="on"), SkipAsked(key="2"))
    assert runner.mended == ["the journal was removed or replaced; it holds again what the runner knows"]


@pytest.mark.parametrize("what", ["a folder", "a pipe", "a link to itself", "a link to nowhere"])
def test_what_is_no_journal_is_none_and_makes_way_at_a_start(path: Path, what: str) -> None:
    path.parent.mkdir(parents=True)
    match what:
        case "a folder":
            path.mkdir()
            (path / "x").touch()
        case "a pipe":
            os.mkfifo(path)
        case "a link to itself":
            path.symlink_to(path.name)
        case _:
            path.symlink_to("/nowhere/at/all")
    assert read_journal(path) == ((), 0)
    journal = JournalFile(path)
    assert journal.poll() == ()
    journal.append(ENTRY)
    assert read_journal(path) == ((ENTRY,), 0)


def test_a_journal_of_an_earlier_version_is_believed_and_goes_on(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(to_line(ENTRY) + to_line(Noted(text="old")))
    journal = JournalFile(path)
    assert journal.poll() == (ENTRY, Noted(text="old"))
    journal.append(Noted(text="new"))
    forge(path)
    assert read_journal(path) == ((ENTRY, Noted(text="old"), Noted(text="new")), 0)


def test_a_line_that_an_agent_wrote_before_both_were_killed_is_not_believed_at_the_next_start(path: Path) -> None:
    """O17: it claims that a task is done."""
    JournalFile(path).append(ENTRY)
    forge(path)
    assert JournalFile(path).poll() == (ENTRY,)
    assert read_journal(path) == ((ENTRY,), 0)


def test_without_room_for_a_copy_the_journal_is_written_all_the_same(path: Path) -> None:
    """B2: the copy needs as much room as the journal; without it a cut cannot be undone, and nothing else is lost."""
    path.parent.mkdir(parents=True)
    path.write_text(to_line(Noted(text="x" * 4000)) * 20)
    child = f"""
import resource, signal
from pathlib import Path
from ralph_wiggum.adapters.journal_file import JournalFile
from ralph_wiggum.core.journal import Noted
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path = Path({str(path)!r})
journal = JournalFile(path)
journal.poll()
soft = path.stat().st_size // 2
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, resource.RLIM_INFINITY))
try:
    journal.append(Noted(text="no room"))
except OSError:
    print("told")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
journal.append(Noted(text="room"))
path.unlink()
journal.append(Noted(text="on"))
"""
    done = subprocess.run([sys.executable, "-c", child], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "told\n"
    entries, bad = read_journal(path)
    assert (len(entries), bad) == (22, 0)
    assert entries[20:] == (Noted(text="room"), Noted(text="on"))


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
