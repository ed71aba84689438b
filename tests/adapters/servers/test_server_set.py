"""The servers of the settings, with real children: adopted, started, waited for, ended (O23, O24)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ralph_wiggum.adapters.clock import SystemClock
from ralph_wiggum.adapters.servers.kept_process import KeptProcess
from ralph_wiggum.core.check_gate import STOPPED
from ralph_wiggum.core.evidence import Gate, GateStatus
from ralph_wiggum.core.servers.standing import Health
from ralph_wiggum.core.settings import Ready, ServerSettings
from ralph_wiggum.ports import Watcher
from tests.adapters.servers.lab import (
    Lab,
    Waiting,
    answers,
    dummy,
    health,
    is_alive,
    new_port,
    noted,
    only,
    somebody,
    wait_until,
)


def test_without_servers_there_is_nothing_to_do(lab: Lab) -> None:
    servers = lab.set()
    assert (servers.ensure(Waiting()), servers.tend(), servers.standings) == ((), (), ())
    servers.stop()
    assert not list(lab.root.iterdir())


def test_a_real_server_is_started_waited_for_and_ended(lab: Lab) -> None:
    port = new_port()
    command = f"{sys.executable} -m http.server {{port}} --bind 127.0.0.1"
    servers = lab.set(lab.server(command, port))
    gate = lab.ensure(servers)
    assert gate.status is GateStatus.PASSED
    assert gate.reason.startswith(f"up at http://localhost:{port}/ (started, ")
    assert gate.command == command.replace("{port}", str(port))
    standing = only(servers)
    assert (standing.health, standing.ours, standing.url) == (Health.UP, True, f"http://localhost:{port}/")
    assert (standing.wanted, standing.log) == (standing.url, ".ralph/demo/logs/web.log")
    assert is_alive(standing.pid)
    assert standing.since
    assert "Serving HTTP" in standing.tail
    assert " in " + str(lab.root) + ": " + gate.command in lab.log()
    servers.stop()
    assert not lab.alive()
    wait_until(lambda: not answers(port))
    servers.stop()


def test_what_answers_already_is_adopted_and_left_alone(lab: Lab) -> None:
    port = new_port()
    with somebody(dummy(port), port, cwd=lab.root) as pid:
        servers = lab.set(lab.server("touch started; sleep 100", port))
        gate = lab.ensure(servers)
        assert (gate.status, gate.reason) == (GateStatus.PASSED, f"up at http://localhost:{port}/ (adopted)")
        assert (only(servers).ours, only(servers).pid) == (False, pid)
        servers.tend()
        servers.stop()
        assert answers(port)
    assert not (lab.root / "started").exists()


def test_a_server_that_is_up_is_not_started_again(lab: Lab) -> None:
    port = new_port()
    servers = lab.set(lab.server(dummy(port), port))
    lab.ensure(servers)
    pid = only(servers).pid
    assert lab.ensure(servers).reason == f"up at http://localhost:{port}/"
    assert only(servers).pid == pid


@pytest.mark.parametrize(
    ("command", "reason", "tail"),
    [
        pytest.param("echo no; exit 3", "its process ended with exit code 3 after ", "no", id="ends at once"),
        pytest.param(
            "no-such-program --port 1",
            "its command was not found (exit code 127, after ",
            "no-such-program",
            id="absent",
        ),
        pytest.param("kill -9 $$", "its process was killed by signal 9 after ", "", id="killed"),
    ],
)
def test_one_that_ends_at_once_fails_without_the_whole_wait(lab: Lab, command: str, reason: str, tail: str) -> None:
    servers = lab.set(lab.server(command, new_port(), attempts=1000))
    gate = lab.ensure(servers)
    assert gate.failed
    assert gate.reason.startswith(reason)
    assert tail in gate.excerpt
    assert gate.seconds < 60
    assert only(servers).health is Health.FAILED
    assert only(servers).tail == gate.excerpt
    assert not lab.alive()


def test_one_that_never_answers_fails_in_time(lab: Lab) -> None:
    port = new_port()
    servers = lab.set(lab.server(dummy(port, "silent"), port, attempts=3, interval=0.2, request_timeout=0.3))
    gate = lab.ensure(servers)
    assert gate.reason == "was not ready within 0.6 s: does not answer within 0.3 s"
    assert gate.failures == ("server web: was not ready within <duration>: does not answer within <duration>",)
    assert not lab.alive()


def test_one_that_answers_badly_fails_with_what_it_answers(lab: Lab) -> None:
    port = new_port()
    gate = lab.ensure(lab.set(lab.server(dummy(port, "status=500"), port, attempts=10)))
    assert gate.reason == "was not ready within 1 s: answers 500, expected 200-399"
    assert not gate.environment


def test_a_status_that_was_asked_for_is_good(lab: Lab) -> None:
    port = new_port()
    ready = Ready(url=f"http://localhost:{port}/", statuses=((500, 500),))
    assert lab.ensure(lab.set(lab.server(dummy(port, "status=500"), ready=ready))).status is GateStatus.PASSED


def test_a_server_that_needs_a_moment_is_waited_for(lab: Lab) -> None:
    port = new_port()
    gate = lab.ensure(lab.set(lab.server(dummy(port, "late=0.7"), port, interval=1.0)))
    assert gate.status is GateStatus.PASSED
    assert 0.7 <= gate.seconds < 30


def test_a_port_is_enough(lab: Lab) -> None:
    port = new_port()
    gate = lab.ensure(lab.set(lab.server(dummy(port, "silent"), ready=Ready(port=port))))
    assert gate.reason.startswith(f"up on port {port} (started, ")


def test_a_line_of_the_log_is_enough(lab: Lab) -> None:
    port = new_port()
    servers = lab.set(
        lab.server(dummy(port, "late=0.3", "say=\x1b[32mReady\x1b[0m in 0.3 s"), ready=Ready(log="^Ready in"))
    )
    gate = lab.ensure(servers)
    assert gate.reason.startswith("up by its log (started, ")
    assert lab.ensure(servers).reason == "up by its log"


def test_a_line_that_never_comes(lab: Lab) -> None:
    gate = lab.ensure(lab.set(lab.server("sleep 100", ready=Ready(log="Ready"), attempts=5)))
    assert gate.reason == "was not ready within 0.5 s: printed no line like 'Ready'"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_localhost_is_both_of_the_machines_addresses(lab: Lab, host: str) -> None:
    port = new_port()
    gate = lab.ensure(lab.set(lab.server(dummy(port, f"host={host}"), port)))
    if gate.failed and "Cannot assign requested address" in gate.excerpt:
        pytest.skip("this machine has no IPv6")
    assert gate.status is GateStatus.PASSED


class TestAPortThatIsHeld:
    """By another program, which is not ready."""

    @pytest.mark.parametrize("words", [("status=500",), ("silent",)])
    def test_a_server_that_can_take_another_port_takes_one(self, lab: Lab, words: tuple[str, ...]) -> None:
        port = new_port()
        with somebody(dummy(port, *words), port):
            settings = lab.server(
                dummy("{port}"),
                port,
                env={"SELF": "at {port}"},
                url=f"http://localhost:{port}/app",
                request_timeout=1.0,
            )
            servers = lab.set(settings)
            assert only(servers).url == f"http://localhost:{port}/app"
            gate = lab.ensure(servers)
            assert gate.status is GateStatus.PASSED
            standing = only(servers)
            assert standing.wanted == f"http://localhost:{port}/app"
            assert standing.url != standing.wanted
            other = int(standing.url.split(":")[2].split("/")[0])
            assert standing.url == f"http://localhost:{other}/app"
            assert gate.command == dummy(other)
            assert answers(other)
            environ = Path(f"/proc/{standing.pid}/environ").read_bytes() if sys.platform == "linux" else b""
            assert not environ or f"SELF=at {other}".encode() in environ
            assert lab.ensure(servers).reason == f"up at {standing.url}"
            servers.stop()
            assert answers(port)

    def test_a_server_that_cannot_says_who_holds_it(self, lab: Lab) -> None:
        port = new_port()
        with somebody(dummy(port, "status=500"), port) as pid:
            servers = lab.set(lab.server(f"echo ${{VAR:-x}}; {dummy(port)}", port, attempts=5))
            gate = lab.ensure(servers)
            assert gate.reason.startswith(f"port {port} is held by pid {pid} (python")
            assert gate.reason.endswith(
                ") that answers 500, expected 200-399; stop it, or put {port} into servers.web.command"
            )
            assert gate.environment
            assert not (lab.root / ".ralph/demo").exists()  # it was not started

    def test_the_server_is_started_once_the_holder_goes(self, lab: Lab) -> None:
        port = new_port()
        with somebody(dummy(port, "status=500", "die=2"), port):
            gate = lab.ensure(lab.set(lab.server(dummy(port), port, attempts=300)))
        assert gate.reason.startswith(f"up at http://localhost:{port}/ (started, ")

    def test_two_servers_do_not_get_the_same_port(self, lab: Lab) -> None:
        first, second = new_port(), new_port()
        with somebody(dummy(first, "status=500"), first), somebody(dummy(second, "status=500"), second):
            servers = lab.set(
                lab.server(dummy("{port}"), first, name="a"), lab.server(dummy("{port}"), second, name="b")
            )
            assert [gate.status for gate in servers.ensure(Waiting())] == [GateStatus.PASSED] * 2
            assert len({standing.url for standing in servers.standings}) == 2


class TestDependencies:
    """`depends_on`: started only when those are up."""

    def test_one_waits_for_the_other(self, lab: Lab) -> None:
        database, web = new_port(), new_port()
        order = lab.root / "order"
        servers = lab.set(
            lab.server(f"(sleep 0.5; echo database >> {order}) && {dummy(database)}", database, name="database"),
            lab.server(f"echo web >> {order}; {dummy(web)}", web, depends_on=("database",)),
        )
        assert [gate.status for gate in servers.ensure(Waiting())] == [GateStatus.PASSED] * 2
        assert order.read_text().split() == ["database", "web"]

    def test_one_whose_dependency_failed_is_not_started(self, lab: Lab) -> None:
        servers = lab.set(
            lab.server("exit 1", new_port(), name="database"),
            lab.server("touch started", new_port(), depends_on=("database",)),
        )
        gates = servers.ensure(Waiting())
        assert gates[1].reason.startswith(
            "database, which it depends on, is not up: its process ended with exit code 1"
        )
        assert not (lab.root / "started").exists()
        assert health(servers, 1) is Health.FAILED

    def test_servers_that_do_not_depend_on_each_other_come_up_together(self, lab: Lab) -> None:
        ports = [new_port() for _ in range(4)]
        servers = lab.set(*(lab.server(dummy(port, "late=1"), port, name=f"s{port}") for port in ports))
        began = time.monotonic()
        assert all(gate.status is GateStatus.PASSED for gate in servers.ensure(Waiting()))
        assert time.monotonic() - began < 3.9

    def test_one_whose_dependency_is_given_up_while_it_is_started_again_is_not_waited_for_for_ever(
        self, lab: Lab
    ) -> None:
        database, web = new_port(), new_port()
        broken = lab.root / "broken"
        servers = lab.set(
            lab.server(f"[ ! -e {broken} ] || exit 1; {dummy(database)}", database, name="database"),
            lab.server(dummy(web), web, depends_on=("database",)),
        )
        assert [gate.status for gate in servers.ensure(Waiting())] == [GateStatus.PASSED] * 2
        broken.touch()
        pids = [each.pid for each in servers.standings]
        os.kill(pids[0], signal.SIGKILL)
        watcher = Waiting()
        watcher.on_tick = lambda: os.kill(pids[1], signal.SIGKILL) if len(watcher.ticks) == 1 else None
        gates = servers.ensure(watcher)
        assert gates[0].failed
        assert gates[1].failed or gates[1].seconds < 1  # it was quicker to answer than to be killed
        servers.stop()


class TestSetUp:
    """Commands that run before a server is started, in `ensure` only."""

    def test_they_run_once_and_before_the_start(self, lab: Lab) -> None:
        port, done = new_port(), list[str]()

        def set_up(server: ServerSettings, _kept: KeptProcess, _watcher: Watcher) -> Gate | None:
            wait_until(lambda: not answers(port))
            done.append(server.name)
            return None

        servers = lab.set(lab.server(dummy(port), port, setup=("migrate",)), set_up=set_up)
        lab.ensure(servers)
        os.kill(only(servers).pid, 9)
        wait_until(servers.tend)
        assert lab.ensure(servers).status is GateStatus.PASSED
        assert done == ["web"]

    def test_one_that_fails_fails_the_server_and_is_tried_again_the_next_time(self, lab: Lab) -> None:
        port = new_port()
        results: list[Gate | None] = [
            Gate(
                name="migrate",
                kind="setup",
                status=GateStatus.FAILED,
                command="migrate",
                reason="exit 1: no table",
                excerpt="no table users",
            ),
            None,
        ]
        servers = lab.set(
            lab.server(dummy(port), port, setup=("migrate",)), set_up=lambda _server, _kept, _watcher: results.pop(0)
        )
        gate = lab.ensure(servers)
        assert (gate.reason, gate.excerpt) == ("set-up failed: migrate: exit 1: no table", "no table users")
        wait_until(lambda: not answers(port))
        assert lab.ensure(servers).status is GateStatus.PASSED

    def test_they_do_not_run_for_what_is_adopted(self, lab: Lab) -> None:
        port = new_port()

        def set_up(_server: ServerSettings, _kept: KeptProcess, _watcher: Watcher) -> Gate | None:
            raise AssertionError("nothing is to be set up")

        with somebody(dummy(port), port, cwd=lab.root):
            assert (
                lab.ensure(lab.set(lab.server("true", port, setup=("x",)), set_up=set_up)).status is GateStatus.PASSED
            )

    def test_a_stop_in_the_middle(self, lab: Lab) -> None:
        stopped = Gate(name="x", kind="setup", status=GateStatus.NOT_RUN, reason=STOPPED)
        servers = lab.set(lab.server("true", new_port(), setup=("x",)), set_up=lambda _server, _kept, _watcher: stopped)
        assert lab.ensure(servers).reason == STOPPED
        assert health(servers) is Health.UNKNOWN


def test_a_stop_ends_the_wait_soon(lab: Lab) -> None:
    port = new_port()
    servers = lab.set(
        lab.server(dummy(port), port, name="quick"), lab.server("sleep 100", new_port(), name="slow", attempts=1000)
    )
    began = time.monotonic()
    watcher = Waiting(stop=lambda: "SIGTERM" if health(servers) is Health.UP else None)
    quick, slow = servers.ensure(watcher)
    assert time.monotonic() - began < 30
    assert quick.status is GateStatus.PASSED
    assert (slow.status, slow.reason, slow.failures) == (GateStatus.NOT_RUN, STOPPED, ())
    servers.stop()
    assert not lab.alive()


def test_a_stop_before_anything_starts_nothing(lab: Lab) -> None:
    servers = lab.set(lab.server("touch started", new_port()))
    (gate,) = servers.ensure(Waiting(stop=lambda: "SIGINT"))
    assert (gate.status, gate.reason) == (GateStatus.NOT_RUN, STOPPED)
    assert not (lab.root / "started").exists()


def test_a_watcher_is_ticked_and_may_look_after_the_servers_meanwhile(lab: Lab) -> None:
    port = new_port()
    servers = lab.set(lab.server(dummy(port, "late=1"), port))
    told: list[str] = []
    watcher = Waiting(on_tick=lambda: told.extend(servers.tend()))
    assert servers.ensure(watcher)[0].status is GateStatus.PASSED
    assert len(watcher.ticks) >= 4
    assert told == []


def test_the_environment_of_a_server(lab: Lab) -> None:
    port = new_port()
    settings = lab.server(f"env > seen; {dummy(port)}", port, cwd="frontend", env={"OWN": "1", "NO_COLOR": "2"})
    (lab.root / "frontend").mkdir()
    given = {"PYTHONDONTWRITEBYTECODE": "", "FORCE_COLOR": "1", "GIVEN": "1", "RALPH_RUN_ID": "of-the-runner"}
    lab.ensure(lab.set(settings, env=given))
    seen = dict(line.split("=", 1) for line in (lab.root / "frontend/seen").read_text().splitlines() if "=" in line)
    wanted = {
        "BROWSER": "none",
        "GIT_TERMINAL_PROMPT": "0",
        "PYTHONUNBUFFERED": "1",
        "GIVEN": "1",
        "OWN": "1",
        "NO_COLOR": "2",
        "PYTHONPYCACHEPREFIX": str(lab.root / ".ralph/pycache"),
        "RALPH_RUN_ID": f"{lab.run_id}/server-web",
    }
    assert {name: seen.get(name) for name in wanted} == wanted
    assert "FORCE_COLOR" not in seen
    assert seen.get("CI") == os.environ.get("CI")


def test_a_server_has_nothing_to_read(lab: Lab) -> None:
    port = new_port()
    assert lab.ensure(lab.set(lab.server(f"cat && {dummy(port)}", port))).status is GateStatus.PASSED


def test_a_folder_that_is_not_there(lab: Lab) -> None:
    gate = lab.ensure(lab.set(lab.server("true", new_port(), cwd="absent")))
    assert gate.reason == f"cannot be started: cannot enter the folder {lab.root}/absent: no such file or directory"


def test_a_log_that_cannot_be_written_keeps_no_server_from_starting(lab: Lab) -> None:
    port = new_port()
    (lab.root / ".ralph/demo/logs/web.log").mkdir(parents=True)
    (lab.root / ".ralph/demo/logs/web.log/x").write_text("")
    assert lab.ensure(lab.set(lab.server(dummy(port), port))).status is GateStatus.PASSED


def test_a_command_that_goes_into_the_background_is_a_server(lab: Lab) -> None:
    """Its program ends well; what it left behind serves, and is ended with the rest."""
    port = new_port()
    servers = lab.set(lab.server(f"({dummy(port)}) & sleep 0.5; exit 0", port))
    assert lab.ensure(servers).status is GateStatus.PASSED
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        assert servers.tend() == ()
        time.sleep(0.05)
    assert health(servers) is Health.UP
    servers.stop()
    wait_until(lambda: not answers(port))


@pytest.mark.skipif(sys.platform != "linux", reason="hides from the keeper as a service of the system would")
def test_a_command_that_has_something_else_serve_is_a_server_that_is_left_alone(lab: Lab) -> None:
    """As `docker compose up -d` does: nothing of it is below its command, and nothing is ended with the run."""
    port, wanted = new_port(), lab.root / "wanted"
    waits = f"while [ ! -e {wanted} ]; do sleep 0.05; done; {dummy(port)}"
    service = subprocess.Popen(["sh", "-c", waits], cwd=lab.root, env={"PATH": os.environ["PATH"]})
    try:
        servers = lab.set(lab.server(f"touch {wanted}", port))
        gate = lab.ensure(servers)
        assert gate.status is GateStatus.PASSED
        assert gate.reason.endswith(" (its command has ended, and what it started is left alone)")
        servers.stop()
        assert answers(port)
    finally:
        service.kill()
        service.wait()


def test_a_command_that_ends_well_and_serves_nothing_fails_soon(lab: Lab) -> None:
    gate = lab.ensure(lab.set(lab.server("true", new_port(), attempts=20)))
    assert gate.reason.startswith("its process ended with exit code 0 after ")
    assert gate.reason.endswith(" s, and nothing is ready: connection refused")


@pytest.mark.parametrize(
    "command",
    [
        pytest.param("{server} & wait", id="a wrapper"),
        pytest.param("sh -c '{server} & wait' & wait", id="wrappers in a row, as npm has them"),
    ],
)
def test_everything_below_a_server_ends_with_it(lab: Lab, command: str) -> None:
    """O24: also what is in a session of its own and ignores TERM."""
    port, pids = new_port(), lab.root / "pids"
    inner = dummy(port, "away", "stubborn", f"pids={pids}").removeprefix("exec ")
    servers = lab.set(lab.server(command.format(server=inner), port))
    assert lab.ensure(servers).status is GateStatus.PASSED
    assert len(lab.alive()) >= 2
    began = time.monotonic()
    servers.stop()
    assert time.monotonic() - began < 10
    assert not [pid for pid in noted(pids) if is_alive(pid)]
    assert not lab.alive()


def test_all_servers_end_at_once_and_not_one_after_the_other(lab: Lab) -> None:
    ports = [new_port() for _ in range(4)]
    servers = lab.set(*(lab.server(dummy(port, "stubborn"), port, name=f"s{port}") for port in ports))
    servers.ensure(Waiting())
    began = time.monotonic()
    servers.stop()
    assert time.monotonic() - began < 10  # 3 s of patience each
    assert not lab.alive()


class Interrupting(SystemClock):
    """A clock in whose pauses a Ctrl-C arrives, once that is wanted."""

    wanted = False

    def pause(self, seconds: float, wake: Callable[[], bool]) -> None:
        if self.wanted:
            raise KeyboardInterrupt
        super().pause(seconds, wake)


def test_a_second_ctrl_c_leaves_the_end_to_the_keepers(lab: Lab) -> None:
    port, clock = new_port(), Interrupting()
    servers = lab.set(lab.server(dummy(port, "stubborn"), port), clock=clock)
    lab.ensure(servers)
    clock.wanted = True
    with pytest.raises(KeyboardInterrupt):
        servers.stop()
    clock.wanted = False
    assert wait_until(lambda: not lab.alive()) < 5


def test_after_the_end_nothing_is_started_any_more(lab: Lab) -> None:
    port = new_port()
    servers = lab.set(lab.server(dummy(port), port))
    lab.ensure(servers)
    servers.stop()
    deadline = time.monotonic() + 1.5
    while time.monotonic() < deadline:
        assert servers.tend() == ()
        time.sleep(0.05)
    assert not lab.alive()
    assert lab.ensure(servers).status is GateStatus.PASSED  # but when somebody wants them once more
