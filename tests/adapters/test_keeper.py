"""The keeper with real processes: how it starts them, how it ends them, and what it does when somebody dies."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ralph_wiggum.adapters.keeper import (
    Exited,
    FamilyEnded,
    Keeper,
    NotStartedError,
    Report,
    TreeEnded,
    identity,
    sweep,
    wait_for,
)
from ralph_wiggum.adapters.process_table import MARK, PsutilTable, system_table
from ralph_wiggum.adapters.run_lock import process_began
from tests.adapters.process_harness import (
    CHECKOUT,
    PROGRAMS,
    is_alive,
    marked,
    naughty,
    no_survivors,
    noted,
    wait_until,
)

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, or needs a subreaper")


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[str]:
    name = f"test-{os.getpid()}-{tmp_path.name}"
    with no_survivors(name):
        yield name


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    started = Keeper.start()
    yield started
    started.close()
    assert not is_alive(started.pid)


def launch(keeper: Keeper, mark: str, *argv: str, cwd: Path = Path("/"), env: dict[str, str] | None = None) -> int:
    null = os.open(os.devnull, os.O_RDWR)
    try:
        return keeper.launch(argv, cwd, {**os.environ, MARK: mark, **(env or {})}, (null, null, null))
    finally:
        os.close(null)


def output_of(keeper: Keeper, mark: str, *argv: str, env: dict[str, str] | None = None) -> str:
    """Run a program to its end and return what it printed."""
    reader, writer = os.pipe()
    null = os.open(os.devnull, os.O_RDONLY)
    keeper.launch(argv, Path("/"), {**os.environ, MARK: mark, **(env or {})}, (null, writer, writer))
    os.close(null)
    os.close(writer)
    with os.fdopen(reader, errors="surrogateescape") as file:
        text = file.read()
    next_report(keeper)
    return text


_backlog: dict[int, list[Report]] = {}


def next_report(keeper: Keeper, seconds: float = 15.0) -> Report:
    waiting = _backlog.setdefault(keeper.pid, [])
    end = time.monotonic() + seconds
    while not waiting and time.monotonic() < end:
        select.select([keeper], [], [], 0.05)
        waiting += keeper.reports()
    assert waiting, f"no word from the keeper within {seconds} s"
    return waiting.pop(0)


def family_ended(keeper: Keeper, grace: float = 3.0) -> FamilyEnded:
    request = keeper.end_family(grace)
    while True:
        report = next_report(keeper)
        if isinstance(report, FamilyEnded):
            assert report.request == request
            return report


@pytest.mark.parametrize("code", [0, 1, 2, 77, 126, 127, 128, 255])
def test_an_exit_code_arrives(keeper: Keeper, mark: str, code: int) -> None:
    pid = launch(keeper, mark, "sh", "-c", f"exit {code}")
    report = next_report(keeper)
    assert isinstance(report, Exited)
    assert (report.pid, os.waitstatus_to_exitcode(report.status)) == (pid, code)


@pytest.mark.parametrize("name", ["TERM", "KILL", "INT", "SEGV", "PIPE", "HUP"])
def test_a_signal_that_killed_arrives(keeper: Keeper, mark: str, name: str) -> None:
    launch(keeper, mark, "sh", "-c", f"kill -{name} $$")
    report = next_report(keeper)
    assert isinstance(report, Exited)
    assert os.waitstatus_to_exitcode(report.status) == -signal.Signals[f"SIG{name}"]


def test_the_end_of_a_program_is_noticed_within_50_ms(keeper: Keeper, mark: str) -> None:
    """O20: by the process, not by its output."""
    pid = launch(keeper, mark, "sleep", "1000")
    began = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    assert next_report(keeper) == Exited(pid, signal.SIGKILL)
    assert time.monotonic() - began < 0.05


def _not_executable(folder: Path) -> str:
    path = folder / "plain"
    path.write_text("#!/bin/sh\n")
    return str(path)


def _no_program(folder: Path) -> str:
    path = folder / "text"
    path.write_text("neither a script nor a binary\n")
    path.chmod(0o755)
    return str(path)


def _bad_interpreter(folder: Path) -> str:
    path = folder / "script"
    path.write_text("#!/no/such/interpreter\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("make", "stage", "words"),
    [
        pytest.param(lambda _: "no-such-program-anywhere", "exec", "no such file or directory", id="not in PATH"),
        pytest.param(lambda folder: str(folder / "absent"), "exec", "no such file or directory", id="no such path"),
        pytest.param(_not_executable, "exec", "permission denied", id="not executable"),
        pytest.param(_no_program, "exec", "exec format error", id="no program at all"),
        pytest.param(_bad_interpreter, "exec", "no such file or directory", id="interpreter missing"),
        pytest.param(str, "exec", "permission denied", id="a folder"),
    ],
)
def test_a_program_that_cannot_be_run_is_an_error_with_its_reason(
    keeper: Keeper, mark: str, tmp_path: Path, make: object, stage: str, words: str
) -> None:
    assert callable(make)
    program = make(tmp_path)
    with pytest.raises(NotStartedError) as caught:
        launch(keeper, mark, program)
    assert caught.value.stage == stage
    assert str(caught.value) == f"cannot run {program}: {words}"
    assert keeper.reports() == []  # and its end is nobody's business


@pytest.mark.parametrize(
    ("name", "words"),
    [
        pytest.param("absent", "no such file or directory", id="missing"),
        pytest.param("file", "not a directory", id="a file"),
    ],
)
def test_a_bad_folder_is_told_from_a_bad_program(
    keeper: Keeper, mark: str, tmp_path: Path, name: str, words: str
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotStartedError) as caught:
        launch(keeper, mark, "true", cwd=tmp_path / name)
    assert caught.value.stage == "cwd"
    assert str(caught.value) == f"cannot enter the folder {tmp_path / name}: {words}"


def test_arguments_too_long_for_the_system_are_an_error(keeper: Keeper, mark: str) -> None:
    with pytest.raises(NotStartedError, match="argument list too long"):
        launch(keeper, mark, "true", "x" * 3_000_000)
    assert launch(keeper, mark, "true") > 0


def test_a_relative_program_counts_from_the_folder_and_path_from_the_environment(
    keeper: Keeper, mark: str, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    tool = tmp_path / "bin" / "my-tool"
    tool.write_text("#!/bin/sh\nexit 42\n")
    tool.chmod(0o755)
    for argv, env in (("bin/my-tool", {}), ("my-tool", {"PATH": f"{tmp_path}/bin:/usr/bin:/bin"})):
        launch(keeper, mark, argv, cwd=tmp_path, env=env)
        report = next_report(keeper)
        assert isinstance(report, Exited)
        assert os.waitstatus_to_exitcode(report.status) == 42


@linux
def test_a_program_gets_exactly_three_descriptors(keeper: Keeper, mark: str) -> None:
    """The run's lock and other people's pipes stay out of it, even where somebody made them inheritable."""
    with socket.socket() as leaking:
        leaking.set_inheritable(True)
        assert output_of(keeper, mark, "ls", "/proc/self/fd").split() == ["0", "1", "2", "3"]  # 3: the listing's own


@linux
def test_a_program_gets_default_signals(keeper: Keeper, mark: str) -> None:
    lines = output_of(keeper, mark, "grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status").split()
    assert lines == ["SigBlk:", "0" * 16, "SigIgn:", "0" * 16]


def test_a_broken_pipe_ends_a_program_silently(keeper: Keeper, mark: str) -> None:
    """With SIGPIPE ignored, as Python has it, `yes` would complain."""
    assert output_of(keeper, mark, "bash", "-c", "yes | head -1; echo ${PIPESTATUS[0]}") == "y\n141\n"


def test_a_program_leads_a_session_of_its_own(keeper: Keeper, mark: str) -> None:
    pid, session = output_of(keeper, mark, sys.executable, "-c", "import os; print(os.getpid(), os.getsid(0))").split()
    assert pid == session


def test_a_terminal_becomes_the_controlling_one(keeper: Keeper, mark: str) -> None:
    ours, theirs = os.openpty()
    keeper.launch(
        ("sh", "-c", "echo hello > /dev/tty; test -t 0 && echo yes"),
        Path("/"),
        {**os.environ, MARK: mark},
        (theirs, theirs, theirs),
        terminal=True,
    )
    next_report(keeper)
    assert os.read(ours, 1000).split() == [b"hello", b"yes"]
    os.close(ours)
    os.close(theirs)


def test_bytes_that_are_no_text_pass_through(keeper: Keeper, mark: str) -> None:
    odd = os.fsdecode(b"caf\xe9 \xff")
    shown = output_of(keeper, mark, "sh", "-c", 'printf "%s %s" "$ODD" "$1"', "sh", odd, env={"ODD": odd})
    assert os.fsencode(shown) == b"caf\xe9 \xff caf\xe9 \xff"


def test_an_environment_larger_than_a_datagram_passes_through(keeper: Keeper, mark: str) -> None:
    env = {f"LARGE_{number}": "x" * 100_000 for number in range(12)}
    assert output_of(keeper, mark, "sh", "-c", 'printf "%s" ${#LARGE_11}', env=env) == "100000"


@linux
@pytest.mark.parametrize(
    ("mode", "forced"),
    [
        pytest.param("hang", 0, id="an agent that hangs"),
        pytest.param("setsid", 0, id="a child in a session of its own"),
        pytest.param("double_fork", 0, id="a double fork"),
        pytest.param("stopped", 0, id="a stopped process"),
        pytest.param("zombies", 0, id="children that nobody waited for"),
        pytest.param("thread_without_main", 0, id="a process whose main thread ended"),
        pytest.param("ignore_term", 1, id="an agent that ignores TERM, INT and HUP"),
        pytest.param("all_of_it", 2, id="all of it at once"),
    ],
)
def test_everything_below_the_keeper_ends(keeper: Keeper, mark: str, tmp_path: Path, mode: str, forced: int) -> None:
    """O20: politely, then by force; nothing survives."""
    pids = tmp_path / "pids"
    launch(keeper, mark, *naughty(mode, pids))
    expected = {"setsid": 2, "double_fork": 3, "zombies": 21, "all_of_it": 4}.get(mode, 1)
    wait_until(lambda: len(noted(pids)) == expected)
    time.sleep(0.3)  # for what they do after that
    ended = family_ended(keeper, grace=0.4)
    assert not [pid for pid in noted(pids) if is_alive(pid)]
    assert marked(mark) == []
    assert (ended.forced, ended.left) == (forced, ())


@linux
def test_three_hundred_children_end(keeper: Keeper, mark: str, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    launch(keeper, mark, *naughty("many", pids))
    wait_until(lambda: len(noted(pids)) == 301, seconds=30)
    began = time.monotonic()
    ended = family_ended(keeper)
    assert (ended.found, ended.left) == (301, ())
    assert time.monotonic() - began < 4
    assert marked(mark) == []


@linux
def test_a_process_that_forks_itself_away_is_caught(keeper: Keeper, mark: str, tmp_path: Path) -> None:
    launch(keeper, mark, *naughty("runaway"))
    assert isinstance(next_report(keeper), Exited)
    ended = family_ended(keeper, grace=0.2)
    assert ended.left == ()
    assert ended.forced >= 1
    time.sleep(0.1)
    assert marked(mark) == []


def test_nothing_to_end_is_answered_at_once(keeper: Keeper) -> None:
    began = time.monotonic()
    assert family_ended(keeper) == FamilyEnded(1, 0, 0)
    assert time.monotonic() - began < 0.05


@linux
def test_one_command_ends_with_all_below_it_and_the_agent_lives(keeper: Keeper, mark: str, tmp_path: Path) -> None:
    """O21."""
    pids = tmp_path / "pids"
    agent = launch(keeper, mark, "bash", "-c", f"{' '.join(naughty('all_of_it', pids))}; sleep 1000")
    wait_until(lambda: len(noted(pids)) == 4)
    command = noted(pids)[0]
    keeper.end_tree(command)
    assert next_report(keeper) == TreeEnded(command)
    # What had lost its parent before is no longer below the command: it is a command of its own.
    orphans = [pid for pid in noted(pids) if is_alive(pid)]
    assert command not in orphans
    assert len(orphans) == 1
    assert is_alive(agent)


@linux
def test_other_requests_are_answered_while_a_command_is_ended(keeper: Keeper, mark: str, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    stubborn = launch(keeper, mark, *naughty("ignore_term", pids))
    wait_until(lambda: noted(pids))
    time.sleep(0.1)
    keeper.end_tree(stubborn)
    began = time.monotonic()
    quick = launch(keeper, mark, "true")
    assert next_report(keeper) == Exited(quick, 0)
    assert time.monotonic() - began < 0.5
    last = {next_report(keeper), next_report(keeper)}
    assert last == {Exited(stubborn, signal.SIGKILL), TreeEnded(stubborn)}
    assert time.monotonic() - began >= 1.9


def test_a_signal_is_passed_on(keeper: Keeper, mark: str) -> None:
    pid = launch(keeper, mark, "sleep", "1000")
    keeper.signal(pid, signal.SIGUSR1)
    assert next_report(keeper) == Exited(pid, signal.SIGUSR1)


@linux
def test_the_keeper_is_small_named_and_deaf(keeper: Keeper, mark: str) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE, signal.SIGUSR1):
        os.kill(keeper.pid, number)
    launch(keeper, mark, "true")
    assert isinstance(next_report(keeper), Exited)
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{keeper.pid}/status").read_text().splitlines())
    assert status["Name"] == "ralph-keeper"
    assert os.getsid(keeper.pid) == keeper.pid
    links = {str(Path(f"/proc/{keeper.pid}/fd/{number}").readlink()) for number in (0, 1, 2)}
    assert links == {os.devnull}


@linux
def test_many_agents_leave_no_descriptor_and_no_zombie_in_the_keeper(keeper: Keeper, mark: str) -> None:
    def state() -> tuple[int, int]:
        return len(list(Path(f"/proc/{keeper.pid}/fd").iterdir())), len(system_table().below(keeper.pid))

    launch(keeper, mark, "true")
    next_report(keeper)
    before = state()
    for _ in range(50):
        launch(keeper, mark, "true")
        next_report(keeper)
        with pytest.raises(NotStartedError):
            launch(keeper, mark, "no-such-program")
    assert state() == before


@linux
def test_kill_9_of_the_runner_ends_its_family_within_5_s(mark: str, tmp_path: Path) -> None:
    """B2: the agent's family is gone, the keeper too; and the run's lock is free at once."""
    pids, lock = tmp_path / "pids", tmp_path / "lock"
    runner = subprocess.Popen(
        [sys.executable, PROGRAMS / "runner.py", lock, mark, *naughty("all_of_it", pids)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        text=True,
    )
    assert runner.stdout is not None
    keeper = runner.stdout.readline().strip()
    wait_until(lambda: len(noted(pids)) == 4)
    time.sleep(0.2)
    runner.kill()
    runner.wait()
    runner.stdout.close()
    began = time.monotonic()
    with lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert is_alive(int(keeper.partition("@")[0]))
    assert wait_for(keeper, 5)
    assert not [pid for pid in noted(pids) if is_alive(pid)]
    assert marked(mark) == []
    assert time.monotonic() - began < 5


@linux
def test_a_dead_keeper_shows_and_can_be_replaced(keeper: Keeper, mark: str) -> None:
    first = keeper.identity
    os.kill(keeper.pid, signal.SIGKILL)
    assert wait_until(lambda: not keeper.alive) < 0.1
    with pytest.raises(NotStartedError, match="does not answer"):
        launch(keeper, mark, "true")
    keeper.revive()
    assert keeper.alive
    assert keeper.identity != first
    pid = launch(keeper, mark, "true")
    assert next_report(keeper) == Exited(pid, 0)


@linux
def test_a_keeper_that_hangs_is_taken_for_dead(mark: str) -> None:
    keeper = Keeper.start(answer_seconds=0.3)
    os.kill(keeper.pid, signal.SIGSTOP)
    with pytest.raises(NotStartedError, match="does not answer"):
        launch(keeper, mark, "true")
    assert not keeper.alive
    keeper.revive()
    launch(keeper, mark, "true")
    assert isinstance(next_report(keeper), Exited)
    keeper.close()


@linux
def test_an_open_handle_of_another_keeper_is_not_kept(mark: str) -> None:
    """A second keeper must not hold the line of the first, or the first would never hear that the runner died."""
    first, second = Keeper.start(), Keeper.start()
    launch(first, mark, "sleep", "1000")
    first.close(seconds=3)
    assert marked(mark) == []
    second.close()


@linux
@pytest.mark.parametrize("table", [None, PsutilTable()], ids=["by /proc", "by psutil"])
@pytest.mark.parametrize("mode", ["hang", "setsid", "double_fork", "all_of_it"])
def test_without_a_subreaper_the_mark_finds_what_ran_away(
    mark: str, tmp_path: Path, mode: str, table: PsutilTable | None
) -> None:
    """The way of systems that have no subreaper, such as macOS."""
    keeper = Keeper.start(subreaper=False, table=table)
    pids = tmp_path / "pids"
    launch(keeper, mark, *naughty(mode, pids))
    wait_until(lambda: len(noted(pids)) == {"setsid": 2, "double_fork": 3, "all_of_it": 4}.get(mode, 1))
    time.sleep(0.3)
    ended = family_ended(keeper, grace=0.4)
    assert ended.left == ()
    assert not [pid for pid in noted(pids) if is_alive(pid)]
    keeper.close()


def started(*argv: str, env: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(argv, env={**os.environ, **env})


def test_a_sweep_ends_what_carries_the_mark_and_nothing_else(mark: str) -> None:
    """B2: both runner and keeper were killed; the next start finds what they left."""
    marked_one = started("sleep", "1000", env={MARK: mark})
    other = started("sleep", "1000", env={MARK: f"{mark}-other"})
    longer = started("sleep", "1000", env={"NOT_" + MARK: mark})
    swept = sweep({mark})
    assert (swept.found, swept.forced, swept.left) == (1, 0, ())
    assert marked_one.wait(5) == -signal.SIGTERM
    assert (other.poll(), longer.poll()) == (None, None)
    assert sweep({f"{mark}-other"}).found == 1
    assert other.wait(5) == -signal.SIGTERM
    longer.kill()
    longer.wait()


def test_a_sweep_takes_what_lies_below_the_mark_where_that_is_asked_for(mark: str) -> None:
    agent = started("sleep", "1000", env={MARK: mark})
    server = started("sleep", "1000", env={MARK: f"{mark}/server-web"})
    wait_until(lambda: agent.pid in system_table().marked({mark}))
    assert sweep({mark}).found == 1
    assert agent.wait(5) == -signal.SIGTERM
    assert server.poll() is None
    wait_until(lambda: server.pid in system_table().marked({mark}, below=True))
    assert sweep({mark}, below=True).found == 1
    assert server.wait(5) == -signal.SIGTERM


def test_a_sweep_uses_force_where_it_must(mark: str, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    stubborn = started(*naughty("ignore_term", pids), env={MARK: mark})
    wait_until(lambda: noted(pids))
    time.sleep(0.1)
    assert sweep({mark}, grace=0.2).forced == 1
    assert stubborn.wait(5) == -signal.SIGKILL


def test_a_sweep_ends_the_trees_below_its_roots(mark: str, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    tree = started(*naughty("setsid", pids), env={})
    wait_until(lambda: len(noted(pids)) == 2)
    assert sweep([], [tree.pid]).found == 2
    tree.wait(5)
    assert not [pid for pid in noted(pids) if is_alive(pid)]


def test_a_sweep_spares_the_caller_and_those_above_it(mark: str) -> None:
    """A runner that an agent of the dead run started carries the mark itself."""
    code = "import os; from ralph_wiggum.adapters.keeper import sweep; print(sweep({os.environ['RALPH_RUN_ID']}).found)"
    done = subprocess.run(
        ["sh", "-c", f'sleep 1000 & {sys.executable} -c "{code}"; echo lives'],
        env={**os.environ, MARK: mark, "PYTHONPATH": str(CHECKOUT)},
        stdout=subprocess.PIPE,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stdout.split() == ["1", "lives"]


def test_a_sweep_for_any_mark_finds_every_run(mark: str) -> None:
    found = set(system_table().marked(None))
    one = started("sleep", "1000", env={MARK: mark})
    assert wait_until(lambda: one.pid in system_table().marked(None)) < 5
    assert one.pid not in found
    one.kill()
    one.wait()


def test_waiting_for_a_keeper_knows_it_by_its_start(keeper: Keeper) -> None:
    assert keeper.identity == identity(keeper.pid)
    assert not wait_for(keeper.identity, 0.1)
    assert not wait_for(f"{keeper.pid}@{process_began(keeper.pid)}", 0.1)  # as the lock file has it
    assert wait_for(f"{keeper.pid}@1", 0)  # another process with the same pid
    assert wait_for("4194305@1", 0)  # beyond the largest pid
    gone = keeper.identity
    keeper.close()
    assert wait_for(gone, 0)
