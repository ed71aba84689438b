"""Captured output: log capped, memory constant, text whole at its end (design part 3; O16, O28)."""

from __future__ import annotations

import fcntl
import os
import tracemalloc
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ralph_wiggum.adapters.capped_log import Log, Tail
from ralph_wiggum.adapters.capture import KIB, MIB, READ_BYTES, VIEW_BYTES, Capture, PipeSource, Stream


@dataclass
class Watching:
    """A watcher that remembers what it was shown."""

    shown: list[str] = field(default_factory=list)

    def output(self, text: str) -> None:
        self.shown.append(text)

    def tick(self) -> None:
        """Do nothing."""

    def stop_reason(self) -> str | None:
        return None


@dataclass
class HandClock:
    """Seconds that a test moves by hand."""

    seconds: float = 100.0

    def __call__(self) -> float:
        return self.seconds


@settings(deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=30), st.integers(1, 60))
def test_a_tail_is_the_end_of_everything_however_it_comes(pieces: list[bytes], size: int) -> None:
    tail = Tail(size)
    for piece in pieces:
        tail.add(piece)
    everything = b"".join(pieces)
    assert tail.bytes() == everything[-size:]
    assert tail.total == len(everything)
    assert tail.cut == (len(everything) > size)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=30), st.integers(0, 80), st.integers(1, 80))
def test_a_log_keeps_head_and_tail_and_counts_the_rest(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], head: int, tail: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "a.log"
    log = Log(path, head_bytes=head, tail_bytes=tail)
    for piece in pieces:
        log.write(piece)
    log.close()
    everything = b"".join(pieces)
    cut = len(everything) - head - tail
    if cut <= 0:
        assert path.read_bytes() == everything
    else:
        between = f"\n[… {cut} bytes cut here …]\n".encode()
        assert path.read_bytes() == everything[:head] + between + everything[-tail:]


def test_the_log_holds_the_raw_bytes_below_its_header(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "1-1.log"
    with Capture(path, header="agent: mine\n\n") as capture:
        capture.add(b"\x1b[31mred\xff\r\n")
        assert path.read_bytes() == b"agent: mine\n\n\x1b[31mred\xff\r\n", (
            "written at once, for a person who follows it"
        )
        capture.close()
        capture.close()
        assert path.read_bytes() == b"agent: mine\n\n\x1b[31mred\xff\r\n"


def test_standard_error_is_in_log_and_excerpt_and_not_in_the_message(tmp_path: Path) -> None:
    with Capture(tmp_path / "a.log") as capture:
        capture.add(b"working", Stream.STDOUT)
        capture.add(b"oh no\n", Stream.STDERR)
        capture.add(b" done\nTASK_COMPLETE\n", Stream.STDOUT)
        capture.add(b"", Stream.STDERR)
        capture.close()
        assert capture.message() == "working done\nTASK_COMPLETE\n"
        assert capture.excerpt() == "workingoh no\n done\nTASK_COMPLETE\n"
        assert (tmp_path / "a.log").read_bytes() == b"working\n[stderr]\noh no\n[stdout]\n done\nTASK_COMPLETE\n"
        assert capture.total == len(b"workingoh no\n done\nTASK_COMPLETE\n")


def test_characters_cut_between_pieces_are_whole_in_the_texts(tmp_path: Path) -> None:
    with Capture(tmp_path / "a.log") as capture:
        for byte in "né 漢 👍\n".encode():
            capture.add(bytes([byte]))
        assert capture.message() == capture.excerpt() == capture.opening() == "né 漢 👍\n"


def test_bad_utf8_becomes_replacement_characters(tmp_path: Path) -> None:
    with Capture(tmp_path / "a.log") as capture:
        capture.add(b"caf\xe9 \xc3\nTASK_COMPLETE\n")
        assert capture.message() == "caf\ufffd \ufffd\nTASK_COMPLETE\n"


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        pytest.param(
            b"x" * 90 + b"\x1b[31m\nlast line\n", "last line\n", id="a line whose beginning is lost is left out"
        ),
        pytest.param(b"x" * 60 + "é".encode() * 20, "é" * 7, id="half a character at the cut is left out"),
        pytest.param(b"y" * 200 + b"TASK_COMPLETE", "yyTASK_COMPLETE", id="one endless line keeps its end"),
        pytest.param(b"short\n", "short\n", id="what was not cut is all there"),
    ],
)
def test_a_message_that_was_cut_begins_well(tmp_path: Path, printed: bytes, expected: str) -> None:
    with Capture(tmp_path / "a.log", message_bytes=15) as capture:
        capture.add(printed)
        assert capture.message() == expected


def test_an_endless_last_line_with_its_newline_is_kept(tmp_path: Path) -> None:
    with Capture(tmp_path / "a.log") as capture:
        capture.add(b"y" * (200 * KIB) + b"\n")
        assert len(capture.message()) == 64 * KIB


def test_the_opening_is_the_beginning_of_everything(tmp_path: Path) -> None:
    with Capture(tmp_path / "a.log", opening_bytes=10) as capture:
        for piece in (b"first ", b"second", b"third" * 1000):
            capture.add(piece)
        assert capture.opening() == "first seco"
        assert capture.end(6) == "dthird"[-6:]


@pytest.mark.parametrize("blocked", ["file in the way", "full disk"])
def test_a_log_that_cannot_be_written_stops_nothing_and_is_noted(tmp_path: Path, blocked: str) -> None:
    (tmp_path / "file").write_text("in the way")
    path = Path("/dev/full") if blocked == "full disk" else tmp_path / "file" / "a.log"
    if not path.parent.exists():
        pytest.skip(f"{path.parent} is not there on this system")
    with Capture(path, header="agent: mine\n") as capture:
        capture.add(b"x" * (3 * MIB) + b"\nTASK_COMPLETE\n")
        capture.close()
        assert capture.message().endswith("\nTASK_COMPLETE\n")
        assert str(path) in capture.problem
        assert ("No space left" if blocked == "full disk" else "File exists") in capture.problem


def test_a_flood_keeps_memory_and_log_small(tmp_path: Path) -> None:
    with Capture(tmp_path / "a.log", watcher=Watching()) as capture:
        piece = b"x" * 79 + b"\n"
        big, odd = piece * 3000, piece * 3
        tracemalloc.start()
        for _ in range(400):
            capture.add(big)
            for _ in range(20):
                capture.add(odd, Stream.STDERR)
        capture.close()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert capture.total > 90 * MIB
        assert peak < 8 * MIB
        assert (tmp_path / "a.log").stat().st_size < 2 * MIB + 100


def test_a_watcher_is_shown_clean_text_a_few_times_a_second(tmp_path: Path) -> None:
    watching, clock = Watching(), HandClock()
    with Capture(tmp_path / "a.log", watcher=watching, monotonic=clock) as capture:
        capture.add(b"\x1b[32mone\x1b[0m\n")
        capture.add(b"two\n")
        clock.seconds += 0.05
        capture.add("drei ü".encode()[:-1])
        assert watching.shown == ["one\n"]
        clock.seconds += 0.06
        capture.add("ü".encode()[1:])
        assert watching.shown == ["one\n", "two\n"]
        capture.settle()
        assert watching.shown == ["one\n", "two\n", "drei ü"]
        capture.settle()
        capture.close()
        assert len(watching.shown) == 3


def test_a_flood_shows_a_watcher_its_latest_lines_only(tmp_path: Path) -> None:
    watching, clock = Watching(), HandClock()
    with Capture(tmp_path / "a.log", watcher=watching, monotonic=clock) as capture:
        for number in range(100_000):
            capture.add(b"line %d\n" % number)
            clock.seconds += 0.0001
        capture.close()
        assert len(watching.shown) < 110
        assert max(map(len, watching.shown)) <= VIEW_BYTES + 100
        assert watching.shown[-1].endswith("line 99999\n")
        assert all(line.startswith("line ") for text in watching.shown for line in text.splitlines()), "no half lines"


def test_a_pipe_is_read_in_large_pieces_to_its_end_without_blocking(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with Capture(tmp_path / "a.log") as capture:
        source = PipeSource(reading, capture, Stream.STDERR)
        with pytest.raises(BlockingIOError):
            source.read()
        if hasattr(fcntl, "F_GETPIPE_SZ"):
            assert fcntl.fcntl(reading, fcntl.F_GETPIPE_SZ) == READ_BYTES
        os.write(writing, b"x" * 50_000)
        assert source.read() == 50_000
        assert source.quiet(1000.0) is False
        os.close(writing)
        assert source.read() == 0
        source.close()
        source.close()
        assert capture.total == 50_000
        assert capture.message() == ""
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(reading)
