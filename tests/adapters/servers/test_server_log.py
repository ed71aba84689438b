"""The log of a server: appended to by the server, cut by the runner, read for lines and for its end."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ralph_wiggum.adapters.servers.server_log import TAIL_CHARACTERS, ServerLog


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".ralph/demo/logs/web.log"


@pytest.fixture
def log(path: Path) -> Iterator[ServerLog]:
    made = ServerLog(path, limit=10_000)
    yield made
    made.close()


def test_each_start_has_a_header_and_what_was_there_stays(log: ServerLog, path: Path) -> None:
    os.write(log.begin("=== one\n"), b"first\n")
    os.write(log.begin("=== two\n"), b"second\n")
    assert path.read_text() == "=== one\nfirst\n=== two\nsecond\n"
    assert (path.parents[2] / ".gitignore").read_text() == "*\n"


def test_the_tail_is_that_of_the_last_start_in_clean_text(log: ServerLog) -> None:
    os.write(log.begin("=== one\n"), b"first\n")
    fd = log.begin("=== two\n")
    assert log.tail() == ""
    os.write(fd, b"\x1b[31mred\x1b[0m 10%\r20%\ncaf\xe9\n")
    assert log.tail() == "20%\ncaf\ufffd"


def test_the_tail_is_short_and_begins_with_a_line(log: ServerLog) -> None:
    os.write(log.begin(""), b"".join(b"line %05d\n" % number for number in range(900)))
    tail = log.tail()
    assert len(tail) <= TAIL_CHARACTERS
    assert re.fullmatch(r"line \d{5}", tail.split("\n")[0])
    assert tail.endswith("line 00899")


def test_a_flood_is_cut_and_its_end_is_kept(log: ServerLog, path: Path) -> None:
    fd = log.begin("=== start\n")
    for turn in range(20):
        os.write(fd, b"".join(b"turn %02d line %04d\n" % (turn, number) for number in range(1000)))
        log.rotate()
    sizes = {each.name: each.stat().st_size for each in path.parent.iterdir()}
    assert set(sizes) == {"web.log", "web.log.1", "web.log.2"}
    assert max(sizes.values()) <= 10_000
    assert log.tail().endswith("turn 19 line 0999")
    os.write(fd, b"after the cut\n")
    assert path.read_bytes() == b"after the cut\n"
    assert log.tail().endswith("turn 19 line 0999\nafter the cut")
    assert b"turn 19 line 0999" in (path.parent / "web.log.1").read_bytes()
    assert b"turn 18 line 0999" in (path.parent / "web.log.2").read_bytes()


def test_of_a_flood_between_two_looks_only_the_end_is_copied(path: Path) -> None:
    """Hundreds of megabytes may have come: to copy them would hold up the night."""
    log = ServerLog(path, limit=1 << 20)
    fd = log.begin("")
    for _ in range(8):
        os.write(fd, b"a line of a flood\n" * 60_000)
    os.write(fd, b"the end\n")
    log.rotate()
    kept = path.with_name("web.log.1")
    assert kept.stat().st_size == 256 << 10
    assert kept.read_bytes().endswith(b"a line of a flood\nthe end\n")
    assert (path.stat().st_size, log.tail()[-7:]) == (0, "the end")
    log.close()


def test_a_small_log_is_left_alone(log: ServerLog, path: Path) -> None:
    os.write(log.begin(""), b"x" * 10_000)
    log.rotate()
    assert [each.name for each in path.parent.iterdir()] == ["web.log"]


def test_a_line_is_found_whenever_it_comes(log: ServerLog) -> None:
    pattern = re.compile(r"listening on \d+$")
    os.write(log.begin(""), b"listening on 1\n")
    fd = log.begin("=== listening on 2\n")
    assert not log.matches(pattern)
    os.write(fd, b"starting\nlisten")
    assert not log.matches(pattern)
    os.write(fd, b"ing \x1b[32mon 3\x1b[0m\nmore\n")
    assert log.matches(pattern)
    os.write(fd, b"x\n" * 10)
    assert log.matches(pattern)


def test_a_line_without_its_end_counts_too(log: ServerLog) -> None:
    os.write(log.begin(""), b"ready")
    assert log.matches(re.compile("ready"))


def test_a_line_is_found_behind_a_flood(log: ServerLog) -> None:
    fd = log.begin("")
    os.write(fd, b"x" * 600_000 + b"\nready\n")
    pattern = re.compile("^ready")
    assert any(log.matches(pattern) for _ in range(10))


def test_what_is_no_file_makes_way(log: ServerLog, path: Path) -> None:
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    os.write(log.begin("=== start\n"), b"hello\n")
    assert (log.problem, path.read_text()) == ("", "=== start\nhello\n")


def test_a_link_to_elsewhere_is_not_followed(log: ServerLog, path: Path, tmp_path: Path) -> None:
    path.parent.mkdir(parents=True)
    victim = tmp_path / "victim"
    victim.write_text("mine")
    path.symlink_to(victim)
    os.write(log.begin("=== start\n"), b"hello\n")
    assert victim.read_text() == "mine"
    assert path.read_text() == "=== start\nhello\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_stops_nothing(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.parent.chmod(0o500)
    log = ServerLog(path)
    os.write(log.begin("x"), b"lost\n")
    path.parent.chmod(0o700)
    assert "permission denied" in log.problem.lower()
    log.close()


def test_a_log_that_cannot_be_opened_stops_nothing(tmp_path: Path) -> None:
    """Outside of .ralph/ nothing is moved out of the way."""
    in_the_way = tmp_path / "file"
    in_the_way.write_text("mine")
    log = ServerLog(in_the_way / "web.log")
    os.write(log.begin("x"), b"lost\n")
    assert log.problem.startswith(f"cannot write the log {in_the_way}/web.log: ")
    assert (log.tail(), log.matches(re.compile("lost"))) == ("", False)
    log.rotate()
    log.close()
    assert in_the_way.read_text() == "mine"


def test_a_log_that_an_agent_removed_is_still_read_and_cut(log: ServerLog, path: Path) -> None:
    fd = log.begin("")
    path.unlink()
    os.write(fd, b"y" * 20_000 + b"\nthe end\n")
    assert log.tail().endswith("the end")
    log.rotate()
    assert os.fstat(fd).st_size == 0
    assert list(path.parent.iterdir()) == []
    os.write(log.begin("=== again\n"), b"hello\n")
    assert path.read_text() == "=== again\nhello\n"


def test_without_a_start_there_is_nothing(log: ServerLog) -> None:
    assert (log.tail(), log.matches(re.compile(""))) == ("", False)
    log.rotate()
    log.close()
    log.close()
