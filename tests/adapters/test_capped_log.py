"""The log of an attempt: head and tail are kept, and the tail also where the writer is killed (O12, B7)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ralph_wiggum.adapters.capped_log import Log
from tests.adapters.process_harness import CHECKOUT, wait_until

GAP = re.compile(rb"\n\[\xe2\x80\xa6 (\d+) bytes cut here \xe2\x80\xa6\]\n")
WRITER = """
import sys, time
from pathlib import Path
from ralph_wiggum.adapters.capped_log import Log
log = Log(Path(sys.argv[1]), head_bytes=100_000, tail_bytes=100_000, header="agent: mine\\n\\n")
number, pieces = 0, int(sys.argv[2])
while True:
    for _ in range(pieces):
        log.write(b"".join(b"line %08d\\n" % n for n in range(number, number + 100)))
        number += 100
    print(number, flush=True)
    time.sleep(float(sys.argv[3]))
"""


@dataclass
class HandClock:
    """Seconds that move on by themselves a little, as often as somebody looks."""

    seconds: float = 0.0
    step: float = 0.0

    def __call__(self) -> float:
        self.seconds += self.step
        return self.seconds


def numbers(data: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"line (\d{8})\n", data)]


def test_what_came_last_is_in_the_file_before_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    log = Log(path, head_bytes=10, tail_bytes=10, header="top\n", monotonic=HandClock())
    for piece in (b"0123456789", b"abcdef", b"ghij"):
        log.write(piece)
    assert path.read_bytes() == b"top\n0123456789abcdefghij"
    log.write(b"klm")
    assert path.read_bytes() == "top\n0123456789\n[… 3 bytes cut here …]\ndefghijklm".encode()
    log.write(b"x" * 1000)
    assert path.read_bytes() == "top\n0123456789\n[… 1003 bytes cut here …]\nxxxxxxxxxx".encode()
    log.close()
    log.close()
    assert path.read_bytes() == "top\n0123456789\n[… 1003 bytes cut here …]\nxxxxxxxxxx".encode()


def test_no_more_than_a_fiftieth_of_the_time_goes_into_it(tmp_path: Path) -> None:
    """Each look at the clock is 10 ms later here, so that a save seems to take 10 ms: half a second to the next."""
    path, clock = tmp_path / "a.log", HandClock(step=0.01)
    log = Log(path, head_bytes=10, tail_bytes=10, monotonic=clock)
    log.write(b"0123456789abcdefghij")
    saves, last = 0, path.read_bytes()
    began = clock.seconds
    for number in range(10_000):
        log.write(b"%09d\n" % number)
        now = path.read_bytes()
        saves, last = saves + (now != last), now
    assert saves == pytest.approx((clock.seconds - began) / 0.52, rel=0.1)
    log.close()
    assert path.read_bytes().endswith(b"\n000009999\n")


@settings(deadline=None)
@given(
    st.lists(st.binary(max_size=60), max_size=30), st.integers(0, 80), st.integers(1, 80), st.sampled_from([0.0, 0.1])
)
def test_at_every_moment_the_file_is_whole(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], head: int, tail: int, step: float
) -> None:
    """What is read at any time is the head, then a part of what was written up to now, with the right count between."""
    path = tmp_path_factory.mktemp("log") / "a.log"
    log = Log(path, head_bytes=head, tail_bytes=tail, monotonic=HandClock(step=step))
    everything = b""
    for piece in pieces:
        log.write(piece)
        everything += piece
        found = path.read_bytes()
        gaps = [
            f"\n[… {cut} bytes cut here …]\n".encode() + everything[head + cut : head + cut + tail]
            for cut in range(1, max(1, len(everything) - head - tail + 1))
        ]
        assert found in (everything, everything[: head + tail], *(everything[:head] + gap for gap in gaps)) or (
            step > 0 and everything.startswith(found)
        )
    log.close()


@pytest.mark.parametrize(
    ("pieces", "pause"), [pytest.param("1", "0.01", id="trickle"), pytest.param("2000", "0", id="flood")]
)
def test_a_killed_writer_leaves_the_end_of_what_it_wrote(tmp_path: Path, pieces: str, pause: str) -> None:
    path, said = tmp_path / "logs" / "a.log", tmp_path / "said"
    with said.open("wb") as out:
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), pieces, pause],
            cwd=CHECKOUT,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            stdout=out,
        )
    try:
        wait_until(lambda: written(said) > 40_000, 30)
    finally:
        writer.kill()
        writer.wait()
    data = path.read_bytes()
    gap = GAP.search(data)
    assert gap is not None
    assert len(data) < 200_200
    assert data.startswith(b"agent: mine\n\nline 00000000\n")
    first, last = numbers(data[: gap.start()]), numbers(data[gap.end() :])
    assert first == list(range(len(first)))
    breaks = [later for earlier, later in pairwise(last) if later != earlier + 1]
    assert len(breaks) <= 1, "one, where the kill came in the middle of a save"
    assert len(last) >= 100_000 // len("line 00000000\n") - 3
    assert written(said) - max(last) < (200 if pieces == "1" else 400_000), "a moment's worth is missing at most"


def written(said: Path) -> int:
    """Return how many lines a writer says that it has written; 0 before it says anything."""
    complete = said.read_bytes().rpartition(b"\n")[0].split()
    return int(complete[-1]) if complete else 0


def test_a_flood_is_not_slowed_down(tmp_path: Path) -> None:
    piece = (b"x" * 79 + b"\n") * 13_000
    log = Log(tmp_path / "a.log", head_bytes=1 << 20, tail_bytes=1 << 20)
    began = time.perf_counter()
    for _ in range(1000):
        log.write(piece)
    log.close()
    assert len(piece) * 1000 / (time.perf_counter() - began) > 1e9  # bytes a second; an agent gives 0.3e9


def test_a_disk_that_fills_up_is_said_once_and_stops_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a small tmpfs cannot be mounted here: {done.stderr.strip()}")
    try:
        log = Log(folder / "a.log", head_bytes=20_000, tail_bytes=100_000)
        for _ in range(100):
            log.write(b"x" * 10_000)
        log.close()
        assert "No space left" in log.problem
        assert (folder / "a.log").read_bytes().startswith(b"x" * 20_000)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
