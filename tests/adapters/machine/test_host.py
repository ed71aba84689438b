"""The machine as the application sees it: what it is short of, what its clocks did, kept awake (ports.Machine)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ralph_wiggum.adapters.machine import disk
from ralph_wiggum.adapters.machine.awake import Awake, System
from ralph_wiggum.adapters.machine.battery import Battery
from ralph_wiggum.adapters.machine.disk import Place, Room
from ralph_wiggum.adapters.machine.host import FRESH_SECONDS, HostMachine, read_clocks_of_this_machine
from ralph_wiggum.core.clock_jumps import Reading
from ralph_wiggum.core.settings import MachineSettings
from ralph_wiggum.core.sizes import parse
from ralph_wiggum.ports import Machine

QUIET = MachineSettings(min_disk=0, min_battery=10.0)
HUGE = 1 << 60


@dataclass
class World:
    """Clocks that are moved by hand, and a battery."""

    wall: float = 1_700_000_000.0
    boot: float = 5_000.0
    running: float = 4_000.0
    battery: Battery | None = None
    asked: list[float] = field(default_factory=list)

    def clocks(self) -> Reading:
        return Reading(wall=self.wall, boot=self.boot, running=self.running)

    def read_battery(self) -> Battery | None:
        self.asked.append(self.running)
        return self.battery

    def run(self, seconds: float) -> None:
        self.wall, self.boot, self.running = self.wall + seconds, self.boot + seconds, self.running + seconds

    def sleep(self, seconds: float) -> None:
        self.wall, self.boot = self.wall + seconds, self.boot + seconds

    def machine(self, settings: MachineSettings = QUIET, places: Sequence[Place] = ()) -> HostMachine:
        return HostMachine(
            settings,
            places,
            None,
            battery=self.read_battery,
            read_clocks=self.clocks,
            monotonic=lambda: self.running,
        )


def test_it_is_what_the_application_asks_for(tmp_path: Path) -> None:
    machine: Machine = HostMachine(MachineSettings(), disk.places(tmp_path, tmp_path, None, {}), None)
    assert machine.begin() == ()
    machine.end()
    assert machine.jumps() == ()
    assert isinstance(machine.shortage(), str)


@pytest.mark.parametrize(
    ("battery", "words"),
    [
        pytest.param(None, "", id="no battery is never short"),
        pytest.param(Battery(9.0, discharging=True), "the battery is at 9 % and is being emptied, 10 % wanted", id="nearly empty"),
        pytest.param(Battery(9.0, discharging=False), "", id="nearly empty, and being fed"),
        pytest.param(Battery(10.0, discharging=True), "", id="at the floor"),
        pytest.param(Battery(100.0, discharging=True), "", id="full"),
    ],
)  # fmt: skip
def test_a_battery_is_watched_while_it_empties(battery: Battery | None, words: str) -> None:
    assert World(battery=battery).machine().shortage() == words


def test_a_floor_of_zero_asks_nobody() -> None:
    world = World(battery=Battery(1.0, discharging=True))
    assert world.machine(MachineSettings(min_disk=0, min_battery=0)).shortage() == ""
    assert world.asked == []


def test_an_answer_is_used_for_some_seconds() -> None:
    world = World(battery=Battery(5.0, discharging=True))
    machine = world.machine()
    short = machine.shortage()
    world.battery = None
    world.run(FRESH_SECONDS - 0.1)
    assert machine.shortage() == short != ""
    world.run(0.2)
    assert machine.shortage() == ""
    assert len(world.asked) == 2


def test_after_a_sleep_it_is_looked_at_anew() -> None:
    world = World()
    machine = world.machine()
    assert machine.shortage() == ""
    world.battery = Battery(2.0, discharging=True)
    world.sleep(3_600)
    machine.jumps()
    assert "2 %" in machine.shortage()


def test_jumps_are_told_once() -> None:
    world = World()
    machine = world.machine()
    world.run(10)
    assert machine.jumps() == ()
    world.sleep(7_800)
    (words,) = machine.jumps()
    assert re.fullmatch(r"the machine slept for 2 h 10 min \(\d\d:\d\d to \d\d:\d\d\)", words)
    assert machine.jumps() == ()
    world.wall += 3_600
    assert machine.jumps() == ("the clock was set 1 h forward",)
    assert machine.jumps() == ()


def test_what_time_did_before_the_run_is_not_told() -> None:
    world = World()
    machine = world.machine()
    world.sleep(7_800)
    machine.begin()
    assert machine.jumps() == ()


def test_this_machines_clocks_run_together() -> None:
    before = read_clocks_of_this_machine()
    time.sleep(0.05)
    after = read_clocks_of_this_machine()
    passed = [later - earlier for earlier, later in zip(before, after, strict=True)]
    assert all(0.04 < seconds < 5 for seconds in passed)
    assert max(passed) - min(passed) < 1


def test_too_little_room_is_said_with_place_and_figures(tmp_path: Path) -> None:
    places = disk.places(tmp_path, tmp_path / ".ralph" / "demo", tmp_path / ".git", {"TMPDIR": str(tmp_path)})
    short = World().machine(MachineSettings(min_disk=HUGE), places).shortage()
    assert short.count("free") == 1, "one file system is named once"
    found = re.fullmatch(r"(.+) free where the project lies \((.+)\), 1152921 TB wanted", short)
    assert found
    assert found[2] == str(tmp_path)
    room = disk.room(tmp_path)
    assert room is not None
    assert parse(found[1]) == pytest.approx(room.free, rel=0.2)


def test_enough_room_is_no_shortage(tmp_path: Path) -> None:
    places = disk.places(tmp_path, tmp_path, None, {})
    assert World().machine(MachineSettings(min_disk=1), places).shortage() == ""


def test_each_file_system_has_its_own_words() -> None:
    """/proc is another one than /dev/shm, and neither has a petabyte to give."""
    if not Path("/dev/shm").is_dir():
        pytest.skip("/dev/shm is not there on this system")
    short = disk.shortage((Place("where the project lies", Path("/")), Place("where git keeps its objects", Path("/dev/shm"))), HUGE)  # fmt: skip
    assert short.count(" free ") == 2
    assert "where git keeps its objects (/dev/shm)" in short


def test_a_file_system_without_figures_is_never_short() -> None:
    assert disk.room(Path("/proc")) is None
    assert disk.shortage((Place("where the project lies", Path("/proc")),), HUGE) == ""


def test_a_small_file_system_for_temporary_files_needs_a_tenth_of_itself() -> None:
    place = Path("/dev/shm")
    room = disk.room(place)
    if room is None or room.free < room.total / 10:
        pytest.skip("/dev/shm has too little room here")
    assert isinstance(room, Room)
    assert disk.shortage((Place("for temporary files", place, scratch=True),), HUGE) == ""
    assert disk.shortage((Place("where the project lies", place),), HUGE) != ""


@pytest.mark.parametrize(
    ("environ", "expected"),
    [({}, "/tmp"), ({"TMPDIR": ""}, "/tmp"), ({"TMPDIR": "/var/tmp"}, "/var/tmp")],
)
def test_temporary_files_lie_where_tmpdir_says(tmp_path: Path, environ: dict[str, str], expected: str) -> None:
    assert disk.places(tmp_path, tmp_path, None, environ)[-1] == Place(
        "for temporary files", Path(expected), scratch=True
    )


def test_a_look_costs_microseconds(tmp_path: Path) -> None:
    machine = HostMachine(MachineSettings(), disk.places(tmp_path, tmp_path, None, {}), None)
    machine.shortage()
    assert per_call(machine.shortage, 1000) < 0.0005
    assert per_call(machine.jumps, 1000) < 0.0005


def per_call(call: Callable[[], object], times: int) -> float:
    """Return the seconds of the quickest of five rounds, by call."""
    rounds = []
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(times):
            call()
        rounds.append((time.perf_counter() - began) / times)
    return min(rounds)


def test_that_nothing_keeps_it_awake_is_said_by_begin_or_later(tmp_path: Path) -> None:
    (tmp_path / "systemd-inhibit").write_text("#!/bin/sh\necho no bus\nexit 1\n")
    (tmp_path / "systemd-inhibit").chmod(0o755)
    late = HostMachine(QUIET, (), Awake("m", {"PATH": str(tmp_path)}, System.LINUX))
    assert late.begin() == ()
    words: tuple[str, ...] = ()
    deadline = time.monotonic() + 15
    while not words and time.monotonic() < deadline:
        words = late.jumps()
    assert words == ("nothing here can keep the machine awake: systemd-inhibit: no bus",)
    late.end()
    (tmp_path / "systemd-inhibit").unlink()
    soon = HostMachine(QUIET, (), Awake("m", {"PATH": str(tmp_path)}, System.LINUX))
    assert soon.begin() == ("nothing here can keep the machine awake: systemd-inhibit is not installed",)
    assert soon.jumps() == ()
    soon.end()
