"""A screen that stalls or goes away costs words, never the night (O12)."""

from __future__ import annotations

import os
import pty
import time
import tty
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from ralph_wiggum.adapters.screen import PENDING_BYTES, STALL_SECONDS, Screen, ScreenLog, screen_log
from tests.fakes import HandClock


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    close(reader, writer)


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Return the master and the slave of a terminal that changes nothing of what is written."""
    main, slave = pty.openpty()
    tty.setraw(slave)
    yield main, slave
    close(main, slave)


def close(*descriptors: int) -> None:
    for descriptor in descriptors:
        with suppress(OSError):  # the test closed it
            os.close(descriptor)


def read(descriptor: int) -> bytes:
    """Read until there is nothing more for now."""
    os.set_blocking(descriptor, False)
    data = b""
    while True:
        try:
            part = os.read(descriptor, 65536)
        except BlockingIOError:
            return data
        if not part:
            return data
        data += part


def until(descriptor: int, words: bytes) -> bytes:
    """Read until these are the last words; a terminal hands on a little later what it took."""
    end = time.monotonic() + 30
    data = b""
    while not data.endswith(words):
        assert time.monotonic() < end
        data += read(descriptor)
    return data


def test_what_is_written_comes_out_of_a_pipe_and_of_a_terminal(
    pipe: tuple[int, int], terminal: tuple[int, int]
) -> None:
    for main, end in (pipe, terminal):
        screen = Screen(end)
        assert screen.write("grüße\n") == 6
        screen.flush()
        assert until(main, b"\n") == "grüße\n".encode()
        assert (screen.gone, screen.stalled, screen.fileno()) == (False, False, end)
        screen.close()
    assert Screen(terminal[1]).isatty()


def test_a_terminal_that_cannot_show_a_letter_shows_another_one(pipe: tuple[int, int]) -> None:
    screen = Screen(pipe[1], "ascii")
    screen.write("ü\n")
    screen.flush()
    assert read(pipe[0]) == b"?\n"
    screen.close()


@pytest.mark.parametrize("kind", ["pipe", "terminal"])
def test_a_screen_that_nobody_reads_never_blocks_and_goes_on_when_it_is_read(
    kind: str, request: pytest.FixtureRequest
) -> None:
    """A pager that nobody scrolls, Ctrl-S, a connection that broke off without a word."""
    main, end = request.getfixturevalue(kind)
    clock = HandClock()
    screen = Screen(end, monotonic=clock.monotonic)
    for number in range(3000):  # more than any of the buffers in between takes
        screen.write(f"{number} " + "x" * 200 + "\n")
        screen.flush()
    stalled = [screen.stalled]
    clock.push(STALL_SECONDS + 1)
    stalled.append(screen.stalled)
    assert stalled == [False, True], "at first it may only be slow"
    assert os.get_blocking(end), "others share that descriptor: it stays as it is"
    shown = b""
    end_of_patience = time.monotonic() + 30
    while screen._pending:
        assert time.monotonic() < end_of_patience
        shown += read(main)
        screen.flush()
    shown += until(main, b"\n")
    assert not screen.stalled
    numbers = [int(line.split(b" ")[0]) for line in shown.splitlines()]
    assert all(len(line) > 200 for line in shown.splitlines()), "lines are dropped whole"
    assert numbers[:1000] == list(range(1000)), "what waited is shown, what came on top of it is dropped"
    assert numbers == sorted(set(numbers))
    assert len(shown) >= PENDING_BYTES * 0.9
    screen.write("and on\n")
    screen.flush()
    assert until(main, b"and on\n").endswith(b"and on\n")
    screen.close()


def test_a_pipe_whose_reader_went_away_is_gone_for_good(pipe: tuple[int, int]) -> None:
    screen = Screen(pipe[1])
    os.close(pipe[0])
    for _ in range(2):
        screen.write("more\n")
        screen.flush()
    assert screen.gone
    assert not screen.stalled
    screen.drain(60)
    screen.close()


def test_a_terminal_that_was_closed_is_gone_for_good(terminal: tuple[int, int]) -> None:
    screen = Screen(terminal[1])
    os.close(terminal[0])
    screen.write("more\n")
    screen.flush()
    assert screen.gone
    assert screen.isatty(), "it was one"
    screen.close()


def test_a_closed_descriptor_is_gone(pipe: tuple[int, int]) -> None:
    os.close(pipe[1])
    screen = Screen(pipe[1])
    screen.write("more\n")
    screen.flush()
    assert screen.gone


def test_the_last_words_are_waited_for_but_not_for_ever(pipe: tuple[int, int]) -> None:
    screen = Screen(pipe[1])
    while not screen._pending:
        screen.write("x" * 4096)
        screen.flush()
    screen.drain(0.1)
    assert screen._pending
    read(pipe[0])
    screen.drain(60)
    assert not screen._pending
    screen.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_takes_words_and_the_next_ones_are_tried_again() -> None:
    descriptor = os.open("/dev/full", os.O_WRONLY)
    screen = Screen(descriptor)
    screen.write("lost\n")
    screen.flush()
    assert not screen.gone
    os.close(descriptor)


def test_a_log_is_made_when_the_first_word_comes_and_is_bounded(tmp_path: Path) -> None:
    path = screen_log(tmp_path / ".ralph/demo", "r1")
    log = ScreenLog(path, most=100)
    assert not path.exists()
    for number in range(30):
        log.write(f"line {number}\n")
        log.flush()
    log.close()
    kept = path.with_name("screen.log.1")
    assert path.read_text().splitlines()[-1] == "line 29"
    assert sorted(path.parent.iterdir()) == [path, kept]
    assert path.stat().st_size + kept.stat().st_size < 250
    assert (tmp_path / ".ralph/.gitignore").read_text() == "*\n"
    assert not log.isatty()


def test_a_log_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    log = ScreenLog(tmp_path / "file/screen.log")
    assert log.write("word") == 4
    (tmp_path / "screen.log").mkdir()
    assert ScreenLog(tmp_path / "screen.log").write("word") == 4
