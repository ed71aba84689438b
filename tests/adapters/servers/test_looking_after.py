"""What happens to servers while nobody waits for them: they die, hang, flood their logs; runner and keepers are killed."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ralph_wiggum.adapters.clock import SystemClock
from ralph_wiggum.adapters.keeper import identity, sweep
from ralph_wiggum.adapters.process_table import system_table
from ralph_wiggum.adapters.servers import record as records
from ralph_wiggum.adapters.servers.server_log import KEPT, LOG_BYTES
from ralph_wiggum.core.evidence import GateStatus
from ralph_wiggum.core.servers.standing import Health, Standing
from ralph_wiggum.core.settings import Ready
from tests.adapters.servers.lab import (
    CHECKOUT,
    PROGRAMS,
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
    tend_until,
    wait_until,
)

SPEED = 6.0
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs a subreaper")


class Hurried(SystemClock):
    """A clock for which time flies, so that back-offs and health checks need not be waited out."""

    def monotonic(self) -> float:
        return super().monotonic() * SPEED

    def pause(self, seconds: float, wake: Callable[[], bool]) -> None:
        super().pause(seconds / SPEED, wake)


def test_a_server_that_was_killed_is_started_again_after_a_second(lab: Lab) -> None:
    port = new_port()
    servers = lab.set(lab.server(dummy(port), port))
    lab.ensure(servers)
    first = only(servers).pid
    began = time.monotonic()
    os.kill(first, signal.SIGKILL)
    told = tend_until(servers, lambda: health(servers) is not Health.UP)
    assert len(told) == 1
    assert told[0].startswith("server web: its process was killed by signal 9 after ")
    assert told[0].endswith(" s; started again in 1 s")
    assert only(servers).reason in told[0]
    assert tend_until(servers, lambda: health(servers) is Health.UP) == ["server web is up again"]
    assert time.monotonic() - began >= 1
    again = only(servers)
    assert (again.restarts, again.reason) == (1, "")
    assert again.pid != first
    assert answers(port)


def test_a_look_after_the_servers_takes_no_time(lab: Lab) -> None:
    ports = [new_port() for _ in range(3)]
    servers = lab.set(*(lab.server(dummy(port), port, name=f"s{port}") for port in ports))
    servers.ensure(Waiting())
    times: list[float] = []
    for _ in range(200):
        began = time.perf_counter()
        servers.tend()
        times.append(time.perf_counter() - began)
    assert sorted(times)[100] < 0.005


def test_without_restarts_a_dead_server_stays_dead_until_it_is_wanted(lab: Lab) -> None:
    port = new_port()
    servers = lab.set(lab.server(dummy(port), port), restart=False, clock=Hurried())
    lab.ensure(servers)
    os.kill(only(servers).pid, signal.SIGKILL)
    (told,) = tend_until(servers, lambda: health(servers) is Health.DOWN)
    assert told.endswith("; it is started again when a task needs it")
    end = time.monotonic() + 1
    while time.monotonic() < end:
        assert servers.tend() == ()
        time.sleep(0.05)
    wait_until(lambda: not answers(port))
    assert lab.ensure(servers).status is GateStatus.PASSED


def test_a_crash_loop_is_given_up_and_gets_one_start_from_the_next_task(lab: Lab) -> None:
    """A server that dies again and again: bounded, and the end of its log is there for the next prompt."""
    port = new_port()
    servers = lab.set(lab.server(f"echo oh no; {dummy(port, 'die=0.5')}", port), clock=Hurried())
    assert lab.ensure(servers).status is GateStatus.PASSED
    told = tend_until(servers, lambda: health(servers) is Health.FAILED)
    assert "crash loop, ended 5 times in a row; the last time its process ended with exit code 7" in told[-1]
    assert told[-1].endswith("; it is given up until a task needs it")
    standing = only(servers)
    assert (standing.restarts, standing.reason.startswith("crash loop")) == (4, True)
    assert standing.tail.startswith("oh no")
    assert not lab.alive()
    assert lab.ensure(servers).status is GateStatus.PASSED
    again = tend_until(servers, lambda: health(servers) is Health.FAILED)
    assert again[0] == "server web is up again"
    assert "crash loop" in again[1]


def test_one_that_hangs_is_started_again(lab: Lab) -> None:
    """It takes connections, by its kernel, and never answers."""
    port = new_port()
    servers = lab.set(lab.server(dummy(port), port, request_timeout=1.0), clock=Hurried())
    lab.ensure(servers)
    first = only(servers).pid
    os.kill(first, signal.SIGSTOP)
    told = tend_until(servers, lambda: only(servers).pid not in {0, first} and health(servers) is Health.UP)
    assert told[0] == "server web: stopped answering: does not answer within 1 s; started again in 1 s"
    assert not is_alive(first)


def test_without_health_checks_nobody_notices_that_it_hangs_until_it_is_wanted(lab: Lab) -> None:
    port = new_port()
    settings = lab.server(dummy(port), port, attempts=8, interval=0.5, request_timeout=1.0)
    servers = lab.set(settings, health_check=False, clock=Hurried())
    lab.ensure(servers)
    first = only(servers).pid
    os.kill(first, signal.SIGSTOP)
    end = time.monotonic() + 4
    while time.monotonic() < end:
        assert servers.tend() == ()
        time.sleep(0.05)
    # it is wanted: it does not answer at all, and is started once more
    lab.ensure(servers)
    assert not is_alive(first)


def test_one_whose_page_breaks_is_started_again_once_by_whoever_wants_it(lab: Lab) -> None:
    port, status, pids = new_port(), lab.root / "status", lab.root / "pids"
    status.write_text("200")
    command = dummy(port, f"status=@{status}", f"pids={pids}")
    servers = lab.set(lab.server(command, port, attempts=100), clock=Hurried())
    lab.ensure(servers)
    status.write_text("500")
    assert tend_until(servers, lambda: only(servers).reason) == []
    assert (only(servers).health, only(servers).reason) == (Health.UP, "answers 500, expected 200-399")
    gate = lab.ensure(servers)
    assert (gate.failed, gate.reason) == (True, "answers 500, expected 200-399")
    assert f"listening on {port}" in gate.excerpt
    first, second = noted(pids)
    assert not is_alive(first)
    assert (only(servers).pid, only(servers).health) == (second, Health.UP)  # it stays up, to be looked into
    status.write_text("200")
    assert lab.ensure(servers).status is GateStatus.PASSED
    assert noted(pids) == [first, second]


def test_one_that_is_spoilt_in_its_memory_is_well_after_a_new_start(lab: Lab) -> None:
    port, spoil = new_port(), lab.root / "spoil"
    servers = lab.set(lab.server(dummy(port, f"spoil={spoil}"), port, attempts=30, reloads=True))
    lab.ensure(servers)
    spoil.touch()
    gate = lab.ensure(servers)
    assert gate.status is GateStatus.PASSED
    assert " (started anew, " in gate.reason


def test_a_reloader_may_answer_badly_for_a_moment(lab: Lab) -> None:
    port, status = new_port(), lab.root / "status"
    status.write_text("200")
    servers = lab.set(lab.server(dummy(port, f"status=@{status}"), port))
    lab.ensure(servers)
    status.write_text("503")
    watcher = Waiting()
    watcher.on_tick = lambda: Path(status).write_text("200") if len(watcher.ticks) > 4 else None
    assert servers.ensure(watcher)[0].status is GateStatus.PASSED


def test_what_was_adopted_and_goes_is_replaced(lab: Lab) -> None:
    port = new_port()
    servers = lab.set(lab.server(dummy(port), port), clock=Hurried())
    with somebody(dummy(port), port, cwd=lab.root):
        lab.ensure(servers)
        assert not only(servers).ours
    told = tend_until(servers, lambda: only(servers).ours and health(servers) is Health.UP)
    assert told[0] == ("server web, which was there before, stopped answering: connection refused; started again")
    assert answers(port)
    servers.stop()
    wait_until(lambda: not answers(port))


def test_what_was_adopted_and_goes_is_replaced_for_whoever_wants_it(lab: Lab) -> None:
    port = new_port()
    servers = lab.set(lab.server(dummy(port), port), health_check=False)
    with somebody(dummy(port), port, cwd=lab.root):
        lab.ensure(servers)
    assert lab.ensure(servers).reason.startswith(f"up at http://localhost:{port}/ (started, ")


def test_what_an_agent_has_started_in_its_place_is_adopted(lab: Lab) -> None:
    port = new_port()
    servers = lab.set(lab.server(dummy(port), port))
    lab.ensure(servers)
    os.kill(only(servers).pid, signal.SIGKILL)
    tend_until(servers, lambda: health(servers) is not Health.UP)
    with somebody(dummy(port), port, cwd=lab.root):
        told = tend_until(servers, lambda: health(servers) is Health.UP)
        assert told == ["server web is up again: somebody else has started it"]
        assert not only(servers).ours


def test_a_flood_is_kept_small_and_the_server_lives(lab: Lab) -> None:
    port = new_port()
    servers = lab.set(lab.server(f"yes 'a line of a flood that goes on and on' & {dummy(port)}", port))
    watcher = Waiting(on_tick=lambda: None)
    assert servers.ensure(watcher)[0].status is GateStatus.PASSED
    folder = lab.root / ".ralph/demo/logs"
    tend_until(servers, (folder / f"web.log.{KEPT}").exists)
    assert "goes on and on" in only(servers).tail
    os.kill(next(pid for pid in lab.alive() if system_table().program(pid).argv[0] == "yes"), signal.SIGKILL)
    servers.tend()
    assert {each.name for each in folder.iterdir()} == {"web.log", "web.log.1", "web.log.2"}
    assert all(each.stat().st_size <= LOG_BYTES for each in folder.iterdir())
    assert answers(port)
    assert health(servers) is Health.UP


@linux
def test_a_keeper_that_was_killed_is_replaced_and_nothing_is_orphaned(lab: Lab) -> None:
    port, pids = new_port(), lab.root / "pids"
    inner = dummy(port, "away", "stubborn", f"pids={pids}").removeprefix("exec ")
    servers = lab.set(lab.server(f"{inner} & wait", port), clock=Hurried())
    lab.ensure(servers)
    wrapper = system_table().look(only(servers).pid)
    assert wrapper is not None
    os.kill(wrapper.ppid, signal.SIGKILL)
    (first, *_) = tend_until(servers, lambda: health(servers) is Health.UP and len(noted(pids)) == 2)
    assert first == "server web: its keeper was killed, and it is ended with it; started again in 1 s"
    assert not is_alive(noted(pids)[0])
    assert answers(port)


@contextmanager
def owner(lab: Lab, port: int, command: str) -> Iterator[subprocess.Popen[str]]:
    """Run another runner, with one server that is up."""
    process = subprocess.Popen(
        [sys.executable, PROGRAMS / "owner.py", lab.root, lab.run_id, str(port), command],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        text=True,
    )
    assert process.stdout is not None
    with process.stdout:
        try:
            assert process.stdout.readline().startswith("up at ")
            yield process
        finally:
            process.kill()
            process.wait()


NASTY = ("away", "stubborn")


@linux
def test_kill_9_of_the_runner_ends_its_servers_within_5_s(lab: Lab) -> None:
    """O24: also after its own crash."""
    port, pids = new_port(), lab.root / "pids"
    inner = dummy(port, *NASTY, f"pids={pids}").removeprefix("exec ")
    with owner(lab, port, f"sh -c '{inner} & wait' & wait") as runner:
        assert len(noted(pids)) == 1
        runner.kill()
        runner.wait()
        assert wait_until(lambda: not lab.alive(), 15) < 5
        assert not is_alive(noted(pids)[0])
        wait_until(lambda: not answers(port))


@linux
def test_kill_9_of_the_runner_and_of_the_keeper_is_swept_by_the_mark(lab: Lab) -> None:
    """What the next start does."""
    port, pids = new_port(), lab.root / "pids"
    inner = dummy(port, *NASTY, f"pids={pids}").removeprefix("exec ")
    with owner(lab, port, f"{inner} & wait") as runner:
        record = records.read(records.path_of(lab.root, records.RUN))
        assert record is not None
        assert (record.alive, record.run, record.pid) == (True, lab.run_id, runner.pid)
        wrapper = system_table().look(record.standings[0].pid)
        assert wrapper is not None
        os.kill(wrapper.ppid, signal.SIGSTOP)  # it must not act between the two
        runner.kill()
        runner.wait()
        os.kill(wrapper.ppid, signal.SIGKILL)
        assert not record.alive
    assert sweep({lab.run_id}).found == 0  # the mark alone is that of an agent
    assert sweep({lab.run_id}, below=True, grace=0.3).found == 2
    assert not lab.alive()
    wait_until(lambda: not answers(port))


def test_servers_that_another_command_has_brought_up_are_found_and_adopted(lab: Lab) -> None:
    """`ralph servers up` may have moved one to another port."""
    wanted, other = new_port(), new_port()
    with somebody(dummy(wanted, "status=500"), wanted), somebody(dummy(other), other, cwd=lab.root) as pid:
        there = Standing(name="web", health=Health.UP, url=f"http://localhost:{other}/", ours=True)
        record = records.Record(owner=identity(pid), standings=(there,))
        assert records.write(records.path_of(lab.root, records.UP), record)
        servers = lab.set(lab.server("true", wanted))
        gate = lab.ensure(servers)
        assert (gate.status, gate.reason) == (GateStatus.PASSED, f"up at http://localhost:{other}/ (adopted)")
        assert only(servers).url == f"http://localhost:{other}/"
        servers.stop()
        assert answers(other)


def test_one_that_only_its_log_tells_of_is_adopted_by_the_record_of_whoever_has_it(lab: Lab) -> None:
    path = records.path_of(lab.root, records.UP)
    port = new_port()
    with somebody(dummy(port), port) as pid:
        record = records.Record(owner=identity(pid), standings=(Standing(name="web", health=Health.UP, ours=True),))
        assert records.write(path, record)
        servers = lab.set(lab.server("echo Ready; sleep 100", ready=Ready(log="Ready")))
        assert lab.ensure(servers).reason == "up by its log (adopted)"
    assert not record.alive
    assert lab.ensure(servers).reason.startswith("up by its log (started, ")


@linux
def test_one_that_its_log_tells_of_must_go_on_answering_at_its_url(lab: Lab) -> None:
    """Its line was printed long ago, and says nothing of now."""
    port = new_port()
    settings = lab.server(
        dummy(port, "status=404"),
        ready=Ready(log="^listening"),
        url=f"http://localhost:{port}/",
        request_timeout=1.0,
        attempts=20,
    )
    servers = lab.set(settings, clock=Hurried())
    assert lab.ensure(servers).reason.startswith(f"up at http://localhost:{port}/ (started, ")  # an API without a root
    first = only(servers).pid
    os.kill(first, signal.SIGSTOP)
    told = tend_until(servers, lambda: only(servers).pid not in {0, first} and health(servers) is Health.UP)
    assert told[0] == "server web: stopped answering: does not answer within 1 s; started again in 1 s"
    second = only(servers).pid
    os.kill(second, signal.SIGSTOP)
    assert lab.ensure(servers).status is GateStatus.PASSED
    assert only(servers).pid not in {first, second}


def test_what_stands_in_the_place_of_the_record_makes_way(lab: Lab) -> None:
    port, path = new_port(), records.path_of(lab.root, records.RUN)
    servers = lab.set(lab.server(dummy(port), port))
    lab.ensure(servers)
    path.unlink()
    (path / "mine").mkdir(parents=True)
    assert servers.tend() == ()
    assert records.read(path) is not None
    assert (path.with_name(f"{path.name}.1") / "mine").is_dir()
    path.unlink()
    path.mkdir()
    servers.stop()
    assert not lab.alive()


def test_a_state_folder_that_became_a_file_ends_nothing(lab: Lab) -> None:
    port = new_port()
    servers = lab.set(lab.server(dummy(port), port))
    lab.ensure(servers)
    (lab.root / ".ralph").rename(lab.root / "moved")
    (lab.root / ".ralph").write_text("mine")
    assert servers.tend() == ()
    (lab.root / ".ralph").rename(lab.root / "moved again")
    (lab.root / ".ralph").write_text("mine")
    servers.stop()
    assert not lab.alive()


@contextmanager
def no_descriptors() -> Iterator[None]:
    """Let nothing be opened any more; what is open stays open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@linux
def test_a_runner_without_descriptors_goes_on_and_starts_the_server_when_it_is_wanted(lab: Lab) -> None:
    port = new_port()
    servers = lab.set(lab.server(dummy(port), port))
    lab.ensure(servers)
    os.kill(only(servers).pid, signal.SIGKILL)
    with no_descriptors():
        told = tend_until(servers, lambda: health(servers) is Health.FAILED)
    assert told[0].startswith("server web: its process was killed by signal 9")
    assert told[1].startswith("server web: cannot be started: [Errno 24] ")
    assert lab.ensure(servers).status is GateStatus.PASSED


@linux
def test_a_runner_without_descriptors_takes_no_server_for_dead_and_ends_it(lab: Lab) -> None:
    """Its program has ended well; whether what it left behind runs on cannot be seen now."""
    port = new_port()
    servers = lab.set(lab.server(f"({dummy(port)}) & sleep 0.5; exit 0", port))
    lab.ensure(servers)
    told: list[str] = []
    wait_until(lambda: not is_alive(only(servers).pid))
    with no_descriptors():
        end = time.monotonic() + 2
        while time.monotonic() < end:
            told += servers.tend()
            time.sleep(0.02)
    assert [words.partition(":")[0] for words in told] == ["servers cannot be looked after"]  # once
    assert health(servers) is Health.UP
    assert servers.tend() == ()
    with no_descriptors():
        servers.stop()
    wait_until(lambda: not lab.alive())


def test_a_record_of_another_shape_is_none(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    for text in ("", "[]", '"x"', "{", "[" * 100_000):
        path.write_text(text)
        assert records.read(path) is None
    path.write_text('{"owner": 5, "standings": [1, {"name": 7}, {"name": "web", "pid": true, "health": "odd"}]}')
    record = records.read(path)
    assert record is not None
    assert (record.owner, record.alive, record.pid) == ("", False, 0)
    (standing,) = record.standings
    assert (standing.name, standing.pid, standing.health) == ("web", 0, Health.UNKNOWN)


@linux
def test_a_keeper_that_hangs_keeps_no_server_alive(lab: Lab) -> None:
    port = new_port()
    servers = lab.set(lab.server(f"{dummy(port).removeprefix('exec ')} & wait", port), clock=Hurried())
    lab.ensure(servers)
    wrapper = system_table().look(only(servers).pid)
    assert wrapper is not None
    os.kill(wrapper.ppid, signal.SIGSTOP)
    servers.stop()
    assert not lab.alive()
    assert not is_alive(wrapper.ppid)
    assert lab.ensure(servers).status is GateStatus.PASSED
