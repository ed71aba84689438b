"""The table of processes: /proc and psutil give the same answers about real processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ralph_wiggum.adapters.process_table import (
    MARK,
    LinuxTable,
    ProcessTable,
    PsutilTable,
    Seen,
    ancestors,
    system_table,
)
from tests.adapters.process_harness import wait_until

MINE = f"table-test-{os.getpid()}."  # tests run beside each other
TABLES = [
    pytest.param(
        LinuxTable, id="by /proc", marks=pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
    ),
    pytest.param(PsutilTable, id="by psutil"),
]


@pytest.fixture(params=TABLES)
def table(request: pytest.FixtureRequest) -> ProcessTable:
    made: ProcessTable = request.param()
    return made


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """Start a shell with a child of its own."""
    shell = subprocess.Popen(
        ["sh", "-c", "sleep 1000 & wait"], env={**os.environ, MARK: MINE}, start_new_session=True, cwd="/usr"
    )
    wait_until(lambda: len(system_table().below(shell.pid)) == 1)
    yield shell
    for pid in (*system_table().below(shell.pid), shell.pid):
        os.kill(pid, 9)
    shell.wait()


def test_a_process_as_it_is(table: ProcessTable, child: subprocess.Popen[bytes]) -> None:
    seen = table.look(child.pid)
    assert seen is not None
    assert (seen.pid, seen.ppid, seen.session, seen.zombie) == (child.pid, os.getpid(), child.pid, False)
    assert 0 <= table.now() - seen.started < 30
    assert seen == table.look(child.pid)


def test_a_process_that_is_not_there(table: ProcessTable) -> None:
    assert table.look(4_194_305) is None  # beyond the largest pid
    assert table.below(4_194_305) == {}
    assert table.program(4_194_305).argv == ()
    assert not table.listening([4_194_305])


def test_all_processes(table: ProcessTable, child: subprocess.Popen[bytes]) -> None:
    assert {os.getpid(), child.pid, 1} <= set(table.everything())


def test_descendants(table: ProcessTable, child: subprocess.Popen[bytes]) -> None:
    (below,) = table.below(child.pid).values()
    assert below.ppid == child.pid
    assert {child.pid, below.pid} <= set(table.below(os.getpid()))
    assert os.getpid() not in table.below(os.getpid())


def test_what_a_process_runs(table: ProcessTable, child: subprocess.Popen[bytes]) -> None:
    program = table.program(child.pid)
    assert program.argv == ("sh", "-c", "sleep 1000 & wait")
    assert Path(program.exe).samefile("/bin/sh")
    assert program.cwd == "/usr"


def test_a_zombie_is_one(table: ProcessTable) -> None:
    dead = subprocess.Popen(["true"])
    wait_until(lambda: (seen := table.look(dead.pid)) is not None and seen.zombie)
    dead.wait()
    assert table.look(dead.pid) is None


def test_use_of_cpu(table: ProcessTable) -> None:
    def cpu() -> Seen:
        seen = table.look(os.getpid())
        assert seen is not None
        return seen

    before = cpu()
    end = time.process_time() + 0.2
    while time.process_time() < end:
        pass
    subprocess.run([sys.executable, "-S", "-c", "for i in range(3_000_000): pass"], check=True)
    assert cpu().own_cpu - before.own_cpu >= 0.15
    assert cpu().ended_cpu > before.ended_cpu


def test_marks(table: ProcessTable, child: subprocess.Popen[bytes]) -> None:
    expected = {child.pid, *table.below(child.pid)}
    assert set(table.marked({MINE})) == expected
    assert set(table.marked({"other", MINE})) == expected
    assert set(table.marked({MINE[:-1]})) == set()
    assert set(table.marked([])) == set()
    assert expected <= set(table.marked(None))


def test_marks_below_a_mark(table: ProcessTable) -> None:
    """A run's servers carry a mark below that of the run: seen only by whoever asks for them."""
    server = subprocess.Popen(["sleep", "1000"], env={**os.environ, MARK: f"{MINE}/server-web"})
    wait_until(lambda: server.pid in table.marked({f"{MINE}/server-web"}))
    assert server.pid not in table.marked({MINE})
    assert server.pid in table.marked({"other", MINE}, below=True)
    assert server.pid in table.marked({f"{MINE}/server-web"}, below=True)
    assert server.pid not in table.marked({MINE[:-1], f"{MINE}/server"}, below=True)
    assert server.pid not in table.marked([], below=True)
    assert server.pid in table.marked(None)
    server.kill()
    server.wait()


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_listening(table: ProcessTable, address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    assert not table.listening([os.getpid()])
    try:
        server = socket.create_server((address, 0), family=family)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with server:
        assert table.listening([1, os.getpid()])
        with socket.create_connection(server.getsockname()[:2]) as client:
            assert client.getsockname()
    assert not table.listening([os.getpid()])


def test_the_line_of_ancestors(table: ProcessTable) -> None:
    line = ancestors(table, os.getpid())
    assert {os.getpid(), os.getppid()} <= line


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
def test_a_name_with_blanks_and_brackets(tmp_path: Path) -> None:
    odd = tmp_path / "a) S 1 (b"
    odd.symlink_to("/bin/sleep")
    child = subprocess.Popen([odd, "1000"])
    wait_until(lambda: LinuxTable().program(child.pid).argv[1:] == ("1000",))
    seen = LinuxTable().look(child.pid)
    assert seen is not None
    assert seen.ppid == os.getpid()
    child.kill()
    child.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
def test_a_kernel_without_lists_of_children(child: subprocess.Popen[bytes], tmp_path: Path) -> None:
    """CONFIG_PROC_CHILDREN may be off: then the whole table is read."""
    for pid in Path("/proc").glob("[0-9]*"):
        (tmp_path / pid.name).symlink_to(pid)
    table = LinuxTable(str(tmp_path))  # it has no `self`
    assert list(table.below(child.pid)) == list(LinuxTable().below(child.pid))
