"""What keeps a machine awake: stand-in programs on a PATH of their own, real processes, a real death of the runner."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from ralph_wiggum.adapters.keeper import sweep
from ralph_wiggum.adapters.machine import awake
from ralph_wiggum.adapters.machine.awake import Awake, System, this_system
from tests.adapters.process_harness import CHECKOUT, is_alive, marked, no_survivors, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

# It does what systemd-inhibit(1) does: its own options first, then the command, run as a child and waited for.
INHIBIT = 'while [ "${1#--}" != "$1" ]; do shift; done\n"$@"\nexit $?'
NEEDED = ("sh", "cat", "sleep", "touch", "dirname")


class Programs:
    """A folder that is all of PATH, with what a stand-in needs and the stand-ins themselves."""

    def __init__(self, folder: Path, run_id: str) -> None:
        self.folder = folder
        self.run_id = run_id
        self.mark = f"{run_id}/awake"
        self.made: list[Awake] = []
        self.ahead = 0.0  # seconds by which the clock of what is tested is ahead
        folder.mkdir()
        for name in NEEDED:
            found = next(place for place in ("/bin", "/usr/bin") if Path(place, name).exists())
            (folder / name).symlink_to(Path(found, name))

    @property
    def environ(self) -> Mapping[str, str]:
        return {"PATH": str(self.folder)}

    def write(self, name: str, body: str) -> None:
        script = f'#!/bin/sh\nprintf "%s\\n" "$@" > {self.folder}/arguments\necho $$ >> {self.folder}/pids\n{body}\n'
        (self.folder / name).write_text(script)
        (self.folder / name).chmod(0o755)

    def arguments(self) -> list[str]:
        wait_until((self.folder / "pids").exists)
        return (self.folder / "arguments").read_text().splitlines()

    def pids(self) -> list[int]:
        return [int(line) for line in (self.folder / "pids").read_text().split()]

    def awake(self, system: System = System.LINUX) -> Awake:
        self.made.append(Awake(self.run_id, self.environ, system, monotonic=lambda: time.monotonic() + self.ahead))
        return self.made[-1]


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    made = Programs(tmp_path / "bin", f"awake-{os.getpid()}-{tmp_path.name}")
    with no_survivors(made.mark), ExitStack() as at_last:
        yield made
        at_last.callback(wait_until, lambda: not marked(made.mark), 5)
        for kept in made.made:
            at_last.callback(kept.end)


def told(kept: Awake) -> str:
    """Wait until there is trouble to tell of; return it."""
    found: list[str] = []

    def look() -> bool:
        found.append(kept.trouble())
        return bool(found[-1])

    wait_until(look, 15)
    return found[-1]


def held(kept: Awake) -> None:
    wait_until(lambda: kept.trouble() or kept.held)
    assert kept.trouble() == ""


def test_a_lock_is_held_until_the_end(programs: Programs) -> None:
    programs.write("systemd-inhibit", INHIBIT)
    kept = programs.awake()
    began = time.monotonic()
    assert kept.begin() == ""
    assert time.monotonic() - began < 1.0, "nobody waits for it"
    held(kept)
    assert programs.arguments()[:5] == [
        "--what=sleep:idle",
        "--who=ralph",
        "--why=an overnight run is on",
        "--mode=block",
        "sh",
    ]
    assert len(marked(programs.mark)) >= 2  # the stand-in and its child: found by a sweep
    kept.end()
    assert marked(programs.mark) == []
    kept.end()
    assert kept.trouble() == ""


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param("echo 'Failed to connect to bus' >&2; exit 1", "systemd-inhibit: Failed to connect to bus", id="no logind"),
        pytest.param("exit 3", "systemd-inhibit ended with exit code 3", id="without a word"),
        pytest.param("kill -9 $$", "systemd-inhibit was killed by signal 9", id="killed"),
        pytest.param("printf '\\033[31mno\\033[0m\\001 bus\\n'; exit 1", "systemd-inhibit: no bus", id="colours"),
    ],
)  # fmt: skip
def test_what_fails_later_is_said_once_with_its_reason(programs: Programs, body: str, words: str) -> None:
    programs.write("systemd-inhibit", body)
    kept = programs.awake()
    assert kept.begin() == ""
    assert told(kept) == f"nothing here can keep the machine awake: {words}"
    assert kept.trouble() == ""
    kept.end()


def test_a_flood_of_words_is_cut(programs: Programs) -> None:
    programs.write("systemd-inhibit", "i=0; while [ $i -lt 3000 ]; do echo nothing but words; i=$((i+1)); done; exit 1")
    kept = programs.awake()
    kept.begin()
    assert len(told(kept)) < 300
    kept.end()


@pytest.mark.parametrize(
    ("system", "program"), [(System.LINUX, "systemd-inhibit"), (System.MACOS, "caffeinate")], ids=str
)  # fmt: skip
def test_a_missing_program_is_said_at_once(programs: Programs, system: System, program: str) -> None:
    kept = programs.awake(system)
    assert kept.begin() == f"nothing here can keep the machine awake: {program} is not installed"
    assert kept.trouble() == ""
    kept.end()


def test_a_program_that_cannot_run_is_said_at_once(programs: Programs) -> None:
    (programs.folder / "systemd-inhibit").write_text("#!/no/such/shell\n")
    (programs.folder / "systemd-inhibit").chmod(0o755)
    assert "systemd-inhibit cannot be run: no such file or directory" in programs.awake().begin()


def test_one_that_hangs_is_said_and_ended(programs: Programs) -> None:
    programs.write("systemd-inhibit", "trap '' TERM; exec sleep 1000")
    kept = programs.awake()
    kept.begin()
    programs.arguments()
    assert kept.trouble() == "", "it may still come"
    programs.ahead = awake.ANSWER_SECONDS
    assert told(kept) == "it is not sure that the machine is kept awake: systemd-inhibit has no answer yet"
    assert kept.trouble() == ""
    began = time.monotonic()
    kept.end()
    assert time.monotonic() - began < 10


def test_what_somebody_ended_is_started_again_a_few_times(programs: Programs) -> None:
    programs.write("systemd-inhibit", INHIBIT)
    kept = programs.awake()
    kept.begin()
    for _ in range(awake.STARTS - 1):
        held(kept)
        os.kill(programs.pids()[-1], signal.SIGKILL)
        assert told(kept) == "what keeps the machine awake was ended, and is started again (systemd-inhibit)"
    held(kept)
    os.kill(programs.pids()[-1], signal.SIGKILL)
    assert told(kept) == "nothing here can keep the machine awake: systemd-inhibit was ended 3 times"
    kept.end()


def test_caffeinate_watches_the_runner(programs: Programs) -> None:
    programs.write("caffeinate", "exec sleep 1000")
    kept = programs.awake(System.MACOS)
    assert kept.begin() == ""
    assert programs.arguments() == ["-i", "-m", "-s", "-w", str(os.getpid())]
    assert kept.trouble() == ""
    assert is_alive(programs.pids()[0])
    kept.end()
    assert not is_alive(programs.pids()[0])


@pytest.mark.parametrize(("system", "who"), [(System.WSL, "Windows"), (System.OTHER, "this system")])
def test_where_the_runner_has_no_say_it_is_said(programs: Programs, system: System, who: str) -> None:
    kept = programs.awake(system)
    assert kept.begin() == (
        f"nothing here can keep the machine awake: {who} decides alone when it sleeps; set its power plan for the night"
    )
    kept.end()


@pytest.mark.parametrize(
    ("release", "system"),
    [
        ("6.18.44-generic\n", System.LINUX),
        ("5.15.90.1-microsoft-standard-WSL2\n", System.WSL),
        ("4.4.0-19041-Microsoft\n", System.WSL),
        (None, System.LINUX),
    ],
)
def test_the_kernel_tells_wsl(tmp_path: Path, release: str | None, system: System) -> None:
    if release is not None:
        (tmp_path / "osrelease").write_text(release)
    assert this_system(tmp_path / "osrelease") is system


RUNNER = """
import sys, time
from ralph_wiggum.adapters.keeper import Keeper
from ralph_wiggum.adapters.machine.awake import Awake, System
keeper = Keeper.start()
kept = Awake(sys.argv[1], {"PATH": sys.argv[2]}, System.LINUX)
assert kept.begin() == ""
keeper.close()
keeper.revive()  # forked later: it must not hold the pipe open
print("begun", flush=True)
time.sleep(1000)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
def test_the_lock_goes_with_the_runner_however_it_dies(programs: Programs, number: signal.Signals) -> None:
    programs.write("systemd-inhibit", INHIBIT)
    runner = subprocess.Popen(
        [sys.executable, "-c", RUNNER, programs.run_id, str(programs.folder)],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        stdout=subprocess.PIPE,
    )
    with runner:
        assert runner.stdout is not None
        assert runner.stdout.readline() == b"begun\n"
        wait_until(lambda: len(marked(programs.mark)) >= 2)
        runner.send_signal(number)
        runner.wait(10)
        wait_until(lambda: not marked(programs.mark), 5)


def test_it_has_no_terminal_and_nothing_of_the_runners(programs: Programs, tmp_path: Path) -> None:
    """Ctrl-C does not reach it, and a lock that the runner holds does not live on in it."""
    programs.write("systemd-inhibit", INHIBIT)
    with (tmp_path / "run.lock").open("w") as lock:
        os.set_inheritable(lock.fileno(), True)
        kept = programs.awake()
        kept.begin()
        held(kept)
        for pid in marked(programs.mark):
            assert os.getsid(pid) != os.getsid(0)
            links = [_target(link) for link in Path(f"/proc/{pid}/fd").iterdir()]
            assert str(tmp_path / "run.lock") not in links
            assert Path(_target(Path(f"/proc/{pid}/cwd"))) == Path("/")
        kept.end()


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except FileNotFoundError:  # the folder's own
        return ""


def test_a_sweep_of_the_run_finds_it(programs: Programs) -> None:
    """After kill -9 of all that could have ended it."""
    programs.write("systemd-inhibit", "trap '' TERM; sleep 1000")
    kept = programs.awake()
    kept.begin()
    programs.arguments()
    sweep({programs.run_id}, grace=0.2)
    assert marked(programs.mark), "not with the agents of the run"
    sweep({programs.run_id}, below=True, grace=0.2)
    assert marked(programs.mark) == []
    kept.end()


def test_beginning_twice_is_not_needed_for_an_end(programs: Programs) -> None:
    programs.awake().end()
