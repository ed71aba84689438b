"""One run a work tree, however runs begin and die (O38, B2)."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ralph_wiggum.adapters.project import state_hint
from ralph_wiggum.adapters.run_lock import RunLock, holder, lock_path, process_began
from ralph_wiggum.core.errors import Exit, RalphError
from tests.adapters.plain_user import PLAIN_USER, needs_plain_user

ROOT = Path(__file__).resolve().parents[2]
HOLD = """
import sys, time
from pathlib import Path
from ralph_wiggum.adapters.run_lock import RunLock
lock = RunLock(Path(sys.argv[1]))
lock.acquire(spec="demo", run="run-1", started="2026-11-20T22:00:00+00:00")
lock.note(keeper=4242, state="stopping")
{more}
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def another_run(root: Path, more: str = "") -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD.format(more=more), str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def take(root: Path) -> RunLock:
    lock = RunLock(root)
    lock.acquire(spec="mine", run="run-2", started="2026-11-20T23:00:00+00:00")
    return lock


def test_a_second_run_is_refused_with_who_holds_it_and_what_to_do(tmp_path: Path) -> None:
    with another_run(tmp_path) as child, pytest.raises(RalphError) as caught:
        take(tmp_path)
    assert caught.value.code is Exit.LOCKED
    assert f"pid {child.pid}" in str(caught.value)
    assert "demo" in str(caught.value)
    assert "2026-11-20T22:00:00" in str(caught.value)
    assert "`ralph stop`" in caught.value.hint


def test_the_hint_of_a_refusal_can_be_copied_to_a_shell(tmp_path: Path) -> None:
    with RunLock(tmp_path) as lock:
        lock.acquire(spec="my späc", run="r1", started="now")
        for spec, shown in (("my späc", "`ralph-status 'my späc'`"), ("", "`ralph-status`")):
            lock_path(tmp_path).write_text(json.dumps({**json.loads(lock_path(tmp_path).read_text()), "spec": spec}))
            with pytest.raises(RalphError) as caught:
                take(tmp_path)
            assert shown in caught.value.hint


def test_status_sees_the_holder_and_nothing_is_changed_by_looking(tmp_path: Path) -> None:
    assert holder(tmp_path) is None
    assert not lock_path(tmp_path).exists()
    with another_run(tmp_path) as child:
        held = holder(tmp_path)
        assert held is not None
        assert (held.pid, held.spec, held.run, held.keeper, held.state) == (
            child.pid,
            "demo",
            "run-1",
            4242,
            "stopping",
        )
        assert held.alive


def test_the_lock_dies_with_a_killed_runner_and_the_next_run_learns_of_it(tmp_path: Path) -> None:
    """B2: kill -9 leaves nothing that has to be removed by hand."""
    with another_run(tmp_path) as child:
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert holder(tmp_path) is None
        with take(tmp_path) as lock:
            assert lock.previous is not None
            assert (lock.previous.pid, lock.previous.keeper) == (child.pid, 4242)
            assert not lock.previous.alive


def test_a_run_that_ended_in_good_order_leaves_nobody_behind(tmp_path: Path) -> None:
    with take(tmp_path):
        held = holder(tmp_path)
        assert held is not None
        assert held.pid == os.getpid()
    assert holder(tmp_path) is None
    with take(tmp_path) as lock:
        assert lock.previous is None


def test_programs_that_the_runner_starts_do_not_inherit_the_lock(tmp_path: Path) -> None:
    more = """
import subprocess
child = subprocess.Popen(["sleep", "60"], close_fds=False)
print(child.pid, flush=True)
"""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD.format(more=more), str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    ) as runner:
        assert runner.stdout is not None
        sleeper = int(runner.stdout.readline())
        try:
            runner.stdout.readline()
            runner.kill()
            runner.wait()
            assert process_began(sleeper)
            assert holder(tmp_path) is None
        finally:
            os.kill(sleeper, signal.SIGKILL)


def test_a_fork_without_exec_does_not_keep_the_lock_after_its_parent(tmp_path: Path) -> None:
    """The keeper is forked and lives on for seconds after a killed runner; a start must not meet its copy."""
    more = """
import errno
import json
import os
if (pid := os.fork()) == 0:
    time.sleep(60)
    os._exit(0)
print(pid, flush=True)
"""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD.format(more=more), str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    ) as runner:
        assert runner.stdout is not None
        fork = int(runner.stdout.readline())
        try:
            runner.kill()
            runner.wait()
            assert process_began(fork)
            take(tmp_path).release()
        finally:
            os.kill(fork, signal.SIGKILL)


def test_looking_at_the_lock_all_the_time_makes_no_start_fail(tmp_path: Path) -> None:
    """A look takes the lock, shared, for microseconds; a start that meets one waits instead of giving up."""
    take(tmp_path).release()
    look = """
import sys, time
from pathlib import Path
from ralph_wiggum.adapters.run_lock import holder
print("looking", flush=True)
end = time.monotonic() + 30
while time.monotonic() < end:
    holder(Path(sys.argv[1]))
"""
    with subprocess.Popen(
        [sys.executable, "-c", look, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    ) as looker:
        try:
            assert looker.stdout is not None
            looker.stdout.readline()
            for _ in range(100):
                take(tmp_path).release()
        finally:
            looker.kill()


def test_a_removed_lock_file_is_made_again_and_still_refuses(tmp_path: Path) -> None:
    """An agent's `git clean -fdx` takes .ralph/ with it."""
    with take(tmp_path) as lock:
        assert not lock.renew()
        lock_path(tmp_path).unlink()
        (tmp_path / ".ralph/.gitignore").unlink()
        (tmp_path / ".ralph").rmdir()
        assert lock.renew()
        held = holder(tmp_path)
        assert held is not None
        assert held.pid == os.getpid()
        with pytest.raises(RalphError, match="holds this work tree"):
            take(tmp_path)


@pytest.mark.parametrize("what", ["a pipe", "a link to itself", "a link to nowhere", "a file that is closed"])
@pytest.mark.parametrize("renewed", [False, True], ids=["at a start", "in a run"])
def test_what_is_no_lock_file_makes_way_and_holds_nobody_up(tmp_path: Path, what: str, *, renewed: bool) -> None:
    """O12: a pipe in its place must not stop ralph-status either."""
    path = lock_path(tmp_path)
    lock = RunLock(tmp_path)
    if renewed:
        lock.acquire(spec="demo", run="r1", started="now")
        path.unlink()
    path.parent.mkdir(exist_ok=True)
    match what:
        case "a pipe":
            os.mkfifo(path)
        case "a link to itself":
            path.symlink_to(path.name)
        case "a link to nowhere":
            path.symlink_to("/nowhere/at/all")
        case _:
            path.touch(mode=0)
    assert holder(tmp_path) is None
    if renewed:
        assert lock.renew()
    else:
        lock.acquire(spec="demo", run="r1", started="now")
    held = holder(tmp_path)
    assert held is not None
    assert held.run == "r1"
    lock.release()


@needs_plain_user
def test_a_state_folder_that_was_closed_is_opened(tmp_path: Path) -> None:
    """B10: as another user than root; the lock is held all the time."""
    child = f"""
import subprocess
from pathlib import Path
from ralph_wiggum.adapters.project import state_hint
from ralph_wiggum.adapters.run_lock import RunLock, holder
root = Path({str(tmp_path)!r})
with RunLock(root) as lock:
    lock.acquire(spec="demo", run="r1", started="now")
    subprocess.run(["chmod", "-R", "000", str(root / ".ralph")])
    print(lock.renew())
    print(holder(root).run)
"""
    command = [*PLAIN_USER, sys.executable, "-c", child]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()) == (0, ["False", "r1"]), done.stderr


def test_a_folder_in_the_place_of_the_lock_file_makes_way(tmp_path: Path) -> None:
    """O12, O38: an agent that does so neither ends the run nor lets a second one start."""
    lock = take(tmp_path)
    lock.path.unlink()
    lock.path.mkdir()
    assert lock.renew()
    with pytest.raises(RalphError):
        take(tmp_path)


def test_garbage_in_the_lock_file_stops_nobody(tmp_path: Path) -> None:
    take(tmp_path).release()
    lock_path(tmp_path).write_bytes(b'{"pid": "x", "spec": 3}\xff')
    with take(tmp_path) as lock:
        assert lock.previous is None
        held = holder(tmp_path)
        assert held is not None
        assert held.spec == "mine"


def test_a_shorter_note_leaves_no_end_of_a_longer_one(tmp_path: Path) -> None:
    with take(tmp_path) as lock:
        lock.note(state="x" * 2000)
        lock.note(state="")
        held = holder(tmp_path)
        assert held is not None
        assert held.state == ""


def test_a_pid_that_means_another_process_now_is_not_alive(tmp_path: Path) -> None:
    with take(tmp_path):
        held = holder(tmp_path)
        assert held is not None
        assert held.alive
        assert not held._replace(began="12345").alive
        assert not held._replace(pid=0).alive


def test_a_refusal_is_quick(tmp_path: Path) -> None:
    with another_run(tmp_path):
        began = time.monotonic()
        with pytest.raises(RalphError):
            take(tmp_path)
        assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    ("number", "words"),
    [
        pytest.param(errno.ENOSPC, "free some disk space", id="a full disk"),
        pytest.param(errno.EDQUOT, "free some disk space", id="a quota that is used up"),
        pytest.param(errno.EROFS, "make it writable", id="read-only"),
    ],
)
def test_what_to_do_where_the_state_cannot_be_written(number: int, words: str) -> None:
    assert words in state_hint(OSError(number, "no"))
