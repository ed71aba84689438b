"""Set-up commands as the shell runs them, and what they leave behind: it lives and ends with the server."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ralph_wiggum.adapters.clock import SystemClock
from ralph_wiggum.adapters.keeper import Keeper
from ralph_wiggum.adapters.process import Family
from ralph_wiggum.adapters.process_table import MARK
from ralph_wiggum.adapters.servers.set_up import ShellSetUp
from ralph_wiggum.core.evidence import GateStatus
from ralph_wiggum.core.servers.standing import Health
from tests.adapters.servers.lab import (
    Lab,
    answers,
    dummy,
    health,
    is_alive,
    new_port,
    noted,
    only,
    tend_until,
    wait_until,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs a subreaper")


@pytest.fixture
def set_up(lab: Lab) -> Iterator[ShellSetUp]:
    keeper = Keeper.start()
    env = {**os.environ, MARK: lab.run_id}
    yield ShellSetUp(lab.root, Family(keeper, SystemClock()), lab.root / ".ralph/demo/setup", env)
    keeper.close()


def daemon(port: int, pids: Path) -> str:
    """Return a command that leaves a daemon behind, and ends when that is ready."""
    leave = f"(exec >/dev/null 2>&1; {dummy(port, 'away', f'pids={pids}')}) &"
    waits = f"while ! {sys.executable} -S -c 'import socket; socket.create_connection((\"127.0.0.1\", {port}))'"
    return f"{leave} {waits} 2>/dev/null; do sleep 0.05; done"


def test_what_it_leaves_behind_lives_as_long_as_the_server(lab: Lab, set_up: ShellSetUp) -> None:
    port, database, pids = new_port(), new_port(), lab.root / "pids"
    servers = lab.set(lab.server(dummy(port), port, setup=(daemon(database, pids), "true")), set_up=set_up)
    gate = lab.ensure(servers)
    assert gate.status is GateStatus.PASSED, gate
    assert answers(database)
    (pid,) = noted(pids)
    assert f"{MARK}={lab.run_id}/server-web/set-up".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")

    first = only(servers).pid
    os.kill(first, signal.SIGKILL)
    tend_until(servers, lambda: only(servers).pid not in {0, first} and health(servers) is Health.UP)
    lab.ensure(servers, "another tree")
    assert noted(pids) == [pid]
    assert is_alive(pid)

    servers.stop()
    assert not lab.alive()
    assert lab.ensure(servers).status is GateStatus.PASSED  # and is set up again
    assert len(noted(pids)) == 2


def test_kill_9_of_its_keeper_leaves_nothing_behind_after_the_end(lab: Lab, set_up: ShellSetUp) -> None:
    port, database, pids = new_port(), new_port(), lab.root / "pids"
    servers = lab.set(lab.server(dummy(port), port, setup=(daemon(database, pids),)), set_up=set_up)
    lab.ensure(servers)
    (pid,) = noted(pids)
    keeper = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(keeper, signal.SIGKILL)
    servers.stop()
    assert not lab.alive()


def test_where_a_command_fails_what_the_others_left_is_ended(lab: Lab, set_up: ShellSetUp) -> None:
    port, database, pids = new_port(), new_port(), lab.root / "pids"
    (lab.root / "broken").touch()
    commands = (daemon(database, pids), "[ ! -e broken ] || { echo no table; exit 3; }")
    servers = lab.set(lab.server(dummy(port), port, setup=commands), set_up=set_up)
    gate = lab.ensure(servers)
    assert gate.reason.startswith("set-up failed: [ ! -e broken ]")
    assert "no table" in gate.excerpt
    assert not lab.alive()
    wait_until(lambda: not answers(database))
    (lab.root / "broken").unlink()
    assert lab.ensure(servers).status is GateStatus.PASSED
    assert len(noted(pids)) == 2


def test_a_set_up_that_is_repeated_does_not_meet_what_it_left(lab: Lab, set_up: ShellSetUp) -> None:
    """After a server was given up, all of it is tried once more."""
    port, database, pids = new_port(), new_port(), lab.root / "pids"
    command = f"[ ! -e broken ] || exit 1; {dummy(port)}"
    (lab.root / "broken").touch()
    servers = lab.set(lab.server(command, port, setup=(daemon(database, pids),)), set_up=set_up)
    assert lab.ensure(servers).failed
    (lab.root / "broken").unlink()
    assert lab.ensure(servers).status is GateStatus.PASSED
    first, second = noted(pids)
    assert (is_alive(first), is_alive(second)) == (False, True)


def own_keepers() -> set[str]:
    """Return the pids of the keepers that this process has forked and that live."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return {pid for pid in children if Path(f"/proc/{pid}/comm").read_text() == "ralph-keeper\n"}


def test_a_set_up_that_leaves_nothing_needs_no_keeper(lab: Lab, set_up: ShellSetUp) -> None:
    port = new_port()
    before = own_keepers()
    servers = lab.set(lab.server(dummy(port), port, setup=("echo done > done",)), set_up=set_up)
    assert lab.ensure(servers).status is GateStatus.PASSED
    assert (lab.root / "done").read_text() == "done\n"
    assert len(own_keepers() - before) == 2, "that of the family here, and that of the server"
