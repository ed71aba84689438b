"""Memory, disk and the time of day end an attempt, not the machine (B7): with processes that hold real memory."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ralph_wiggum.adapters import family_memory
from ralph_wiggum.adapters.clock import SystemClock
from ralph_wiggum.adapters.keeper import Keeper
from ralph_wiggum.adapters.machine import disk
from ralph_wiggum.adapters.process import Family
from ralph_wiggum.core.evidence import Ending
from ralph_wiggum.core.sizes import parse
from ralph_wiggum.ports import Limits
from tests.adapters.process_harness import PROGRAMS, Lab, Notes, no_survivors

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs a subreaper and /proc")

MB = 1_000_000
HOG = (sys.executable, "-S", str(PROGRAMS / "hog.py"))


@pytest.fixture(scope="module")
def family() -> Iterator[Family]:
    keeper = Keeper.start()
    yield Family(keeper, SystemClock())
    keeper.close()


@pytest.fixture
def lab(family: Family, tmp_path: Path) -> Iterator[Lab]:
    made = Lab(family, tmp_path, f"bounds-{os.getpid()}-{tmp_path.name}")
    with no_survivors(made.mark):
        yield made
        assert made.alive() == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a file system of 8 MB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a small tmpfs cannot be mounted here: {done.stderr.strip()}")
    with ExitStack() as at_last:
        at_last.callback(subprocess.run, ["umount", "-l", str(folder)], check=True)
        yield folder


def figures(words: str) -> list[int]:
    return [parse(found) or 0 for found in re.findall(r"[\d.]+ [kMG]B", words)]


@pytest.mark.parametrize("mode", ["alone", "pair", "shared", "growing"])
def test_a_family_that_holds_too_much_ends(lab: Lab, mode: str) -> None:
    ended = lab.run(*HOG, mode, "400", limits=Limits(memory_bytes=250 * MB, task_seconds=60))
    assert ended.ending is Ending.OUT_OF_MEMORY
    assert "(machine.max_memory)" in ended.error
    assert f"hog.py {mode} 400" in ended.error
    held, limit, biggest = figures(ended.error)
    assert limit == 250 * MB
    assert limit < held < 500 * MB
    assert biggest <= held
    if mode == "pair":
        assert biggest < 250 * MB, "neither of the two alone"
    assert ended.seconds < 20


def test_memory_that_forks_share_is_counted_once(lab: Lab) -> None:
    """Four processes with the same 150 MB: 600 MB by their resident sizes, and 150 MB of the machine's."""
    ready: list[float] = []

    def look() -> None:
        if lab.pipe.text.count("ready") == 4 and not ready:
            ready.append(time.monotonic())

    notes = Notes(stop=lambda: "long enough" if ready and time.monotonic() > ready[0] + 5 else None, on_tick=look)
    ended = lab.run(*HOG, "forked", "150", limits=Limits(memory_bytes=300 * MB, task_seconds=60), notes=notes)
    assert (ended.ending, ended.error) == (Ending.STOPPED, "long enough")


def test_a_family_below_its_limit_goes_on(lab: Lab) -> None:
    script = f"{' '.join(HOG)} alone 100 & sleep 3; kill $!; echo well"
    ended = lab.run("bash", "-c", script, limits=Limits(memory_bytes=250 * MB))
    assert (ended.ending, ended.exit_code) == (Ending.EXITED, 0)
    assert lab.pipe.text.endswith("well\n")


def test_no_limit_is_none(lab: Lab) -> None:
    notes = Notes(stop=lambda: "seen" if "ready" in lab.pipe.text else None)
    ended = lab.run(*HOG, "alone", "300", limits=Limits(memory_bytes=0), notes=notes)
    assert ended.error == "seen"


def test_both_measures_agree_where_nothing_is_shared() -> None:
    own = os.getpid()
    before = family_memory.rough([own])[own], family_memory.exact([own])[own]
    kept = bytearray(b"x" * (60 * MB))
    after = family_memory.rough([own])[own], family_memory.exact([own])[own]
    assert len(kept) == 60 * MB
    for earlier, later in zip(before, after, strict=True):
        assert later - earlier == pytest.approx(60 * MB, rel=0.1)


def test_what_is_gone_holds_nothing() -> None:
    child = subprocess.Popen(["true"])
    child.wait()
    assert family_memory.rough([child.pid]) == {}
    assert family_memory.exact([child.pid]) == {}


def test_a_disk_that_fills_up_ends_the_attempt_at_half_the_floor(lab: Lab, small_disk: Path) -> None:
    """8 MB, a floor of 4: it began with more, and ends below 2, with room left for the runner to write."""
    script = "for i in 1 2 3 4 5 6 7 8 9; do head -c 900000 /dev/zero > file$i; sleep 0.5; done; sleep 1000"
    ended = lab.run("bash", "-c", script, limits=Limits(disk_bytes=4 * MB), cwd=small_disk)
    assert ended.ending is Ending.DISK_FULL
    assert "where the project lies" in ended.error
    assert "machine.min_disk" in ended.error
    left, floor = figures(ended.error)
    assert 0 < left < 2 * MB
    assert floor == 4 * MB
    assert not (small_disk / "file9").exists()


def test_a_disk_with_room_ends_nothing(lab: Lab) -> None:
    assert lab.run("true", limits=Limits(disk_bytes=1)).ending is Ending.EXITED
    assert lab.run("sleep", "0.5", limits=Limits(disk_bytes=1000)).ending is Ending.EXITED


def test_room_is_that_of_the_nearest_folder_that_is_there(small_disk: Path) -> None:
    found, same = disk.room(small_disk), disk.room(small_disk / "not" / "there" / "yet")
    assert found == same
    assert found is not None
    assert found.total == pytest.approx(8 << 20, rel=0.01)


def test_the_time_of_day_ends_it(lab: Lab) -> None:
    """--until, in the middle of an attempt."""
    ended = lab.run("sleep", "1000", limits=Limits(end_at=time.time() + 1.0))
    assert (ended.ending, ended.error) == (Ending.OUT_OF_TIME, "the time of --until was reached")
    assert 0.9 < ended.seconds < 5


def test_a_time_of_day_that_has_not_come_ends_nothing(lab: Lab) -> None:
    assert lab.run("sleep", "0.5", limits=Limits(end_at=time.time() + 3600)).ending is Ending.EXITED
