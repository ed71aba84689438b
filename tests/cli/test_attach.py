"""`ralph attach` and `ralph-status --follow`: somebody looks at a run that another process makes."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ralph_wiggum.core.journal import Ended, Held, Noted, RunEnded, RunStarted, Started, Ticked, Waiting
from ralph_wiggum.core.journal_lines import to_line
from tests.cli.consoles import call, environment, make_spec
from tests.cli.stand_in_run import RUN_ID, Reader, stand_in

BEGAN = RunStarted(run=RUN_ID, agent="claude", pid=1, max_iterations=50)
STARTED = Started(run=RUN_ID, key="1.2", id="1.2", name="Store entries", iteration=1, agent="claude", attempt=1)


def soon(hours: float = 1) -> str:
    return (datetime.now().astimezone() + timedelta(hours=hours)).isoformat(timespec="seconds")


def ended(code: int, reason: str) -> RunEnded:
    return RunEnded(at=soon(0), run=RUN_ID, code=code, state="stopped", reason=reason)


@contextmanager
def looking(root: Path, *words: str, terminal: bool = False) -> Iterator[tuple[subprocess.Popen[bytes], Reader]]:
    """Have `ralph attach` look; on a terminal if asked for."""
    main, end = pty.openpty() if terminal else os.pipe()
    command = [sys.executable, "-m", f"ralph_wiggum.cli.{words[0]}", *words[1:]]
    env = environment(root, {"TERM": "xterm" if terminal else "dumb"})
    process = subprocess.Popen(
        command, cwd=root, env=env, stdin=subprocess.DEVNULL, stdout=end, stderr=subprocess.PIPE, start_new_session=True
    )
    os.close(end)
    with process:
        try:
            yield process, Reader(main)
        finally:
            process.kill()
            os.close(main)


def test_lines_in_a_pipe_as_they_happen_and_the_exit_code_of_the_run(tmp_path: Path) -> None:
    path = make_spec(tmp_path)
    with stand_in(tmp_path) as run:
        run.write(BEGAN)
        with looking(tmp_path, "attach") as (look, screen):
            screen.until("the run is preparing")
            run.write(STARTED)
            screen.until("1.2 Store entries: attempt 1, claude, run 1/50\n")
            run.write(
                Ended(run=RUN_ID, key="1.2", result="passed"),
                Ticked(run=RUN_ID, key="1.2", id="1.2", name="Store entries", verified=True, sha="0123456789"),
            )
            path.write_text(path.read_text().replace("[ ] 1.2", "[x] 1.2"))
            screen.until("1.2 Store entries: complete (012345678)\n")
            run.write(ended(3, "nothing is left to do; 1 task skipped"))
            screen.until("The run ended: nothing is left to do; 1 task skipped.\n2/4 tasks complete.\n")
            assert look.poll() is None, "the run still commits its logs"
            run.end()
            assert look.wait(timeout=30) == 3
    assert "\x1b" not in screen.rest()


def test_on_a_terminal_the_screen_of_the_run_with_what_its_agent_prints(tmp_path: Path) -> None:
    make_spec(tmp_path)
    log = tmp_path / ".ralph/demo/runs" / RUN_ID / "logs/1.2-1.log"
    log.parent.mkdir(parents=True)
    log.write_text("agent: claude\ncommand: x\n\nI read the store\n")
    with stand_in(tmp_path) as run:
        run.write(BEGAN, STARTED)
        with looking(tmp_path, "attach", "demo", terminal=True) as (look, screen):
            screen.until("I read the store")
            screen.until("next: 1.3 Show entries")
            with log.open("a") as file:
                file.write("and write the tests\n")
            screen.until("and write the tests")
            wait = Waiting(run=RUN_ID, reason="claude: usage limit", until=soon())
            run.write(
                Ended(run=RUN_ID, key="1.2", result="failed", reason="usage limit"),
                Held(run=RUN_ID, agent="claude", cause="usage limit", until=soon()),
                wait,
            )
            screen.until(f"waiting until {wait.until[11:16]}: claude: usage limit")
            screen.until("left alone: claude until")
            run.write(ended(143, "stopped by SIGTERM"))
            run.end()
            assert "The run ended: stopped by SIGTERM." in screen.rest()
            assert look.wait(timeout=30) == 143


@pytest.mark.parametrize("terminal", [True, False])
def test_ctrl_c_leaves_the_run_alone_and_says_so(tmp_path: Path, *, terminal: bool) -> None:
    make_spec(tmp_path)
    with stand_in(tmp_path) as run:
        run.write(BEGAN, STARTED)
        with looking(tmp_path, "attach", terminal=terminal) as (look, screen):
            screen.until("1.2 Store entries")
            look.send_signal(signal.SIGINT)
            assert f"the run of demo goes on (pid {run.pid}); `ralph stop` ends it" in screen.rest()
            # Python ends by the signal where Ctrl-C met an import that evaluates code; a shell says 130 to both
            assert look.wait(timeout=30) in {130, -signal.SIGINT}
        assert run.process.poll() is None
        assert run.signals() == []


def test_a_run_that_is_killed_is_noticed(tmp_path: Path) -> None:
    make_spec(tmp_path)
    with stand_in(tmp_path) as run:
        run.write(BEGAN, STARTED)
        with looking(tmp_path, "attach") as (look, screen):
            screen.until("1.2 Store entries")
            began = time.monotonic()
            run.process.kill()
            run.process.wait()
            assert "The run ended: it was killed, and wrote no end." in screen.rest()
            assert look.wait(timeout=30) == 4
            assert time.monotonic() - began < 10


def test_a_lock_that_an_agent_removed_is_not_taken_for_the_end(tmp_path: Path) -> None:
    """`git clean -fdx` takes the lock's file; the runner makes it again between two steps."""
    make_spec(tmp_path)
    with stand_in(tmp_path) as run:
        run.write(BEGAN, STARTED)
        with looking(tmp_path, "attach") as (look, screen):
            screen.until("1.2 Store entries")
            (tmp_path / ".ralph/run.lock").unlink()
            time.sleep(2.5)
            run.write(Noted(run=RUN_ID, text="still there"))
            screen.until("still there")
            assert look.poll() is None


def test_nobody_who_reads_any_more_ends_the_look(tmp_path: Path) -> None:
    make_spec(tmp_path)
    with stand_in(tmp_path) as run:
        run.write(BEGAN)
        command = f"{sys.executable} -m ralph_wiggum.cli.attach | head -n 1"
        with subprocess.Popen(
            ["bash", "-o", "pipefail", "-c", command], cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.PIPE
        ) as look:
            assert look.stdout is not None
            assert b"tasks complete" in look.stdout.readline()
            run.write(*(Noted(run=RUN_ID, text=f"note {number}") for number in range(3)))
            assert look.wait(timeout=30) == 0


def test_a_look_writes_nothing_and_takes_no_lock(tmp_path: Path) -> None:
    make_spec(tmp_path)
    with stand_in(tmp_path) as run:
        run.write(BEGAN, STARTED)
        before = contents(tmp_path)
        with looking(tmp_path, "attach") as (_, screen):
            screen.until("1.2 Store entries")
            time.sleep(1)
            assert contents(tmp_path) == before


def contents(root: Path) -> dict[str, tuple[int, bytes]]:
    """Return time and content of everything in a folder, bytecode aside."""
    files = (path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def test_a_long_journal_costs_next_to_nothing_while_nothing_happens(tmp_path: Path) -> None:
    """At 50 MB: it is read once, then only what is new."""
    make_spec(tmp_path)
    journal = tmp_path / ".ralph/demo/journal.jsonl"
    journal.parent.mkdir(parents=True)
    long = to_line(Noted(run="old", text="x" * 4000))
    journal.write_text(long * 12_500)
    assert journal.stat().st_size > 50_000_000
    with stand_in(tmp_path) as run:
        run.write(BEGAN, STARTED)
        with looking(tmp_path, "attach") as (look, screen):
            screen.until("1.2 Store entries: attempt 1", seconds=60)
            time.sleep(1)
            before, began = processor_seconds(look.pid), time.monotonic()
            time.sleep(3)
            used = (processor_seconds(look.pid) - before) / (time.monotonic() - began)
            assert used < 0.1, f"{used:.0%} of a processor"
            run.write(Noted(run=RUN_ID, text="and on"))
            screen.until("and on")


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# --- no run is on


def test_the_end_of_the_last_run_is_told_with_its_exit_code(tmp_path: Path) -> None:
    make_spec(tmp_path)
    with stand_in(tmp_path) as run:
        run.write(BEGAN, ended(3, "nothing is left to do; 1 task skipped"))
        run.end()
    for words in ((), ("demo",)):
        done = call("attach", tmp_path, *words)
        assert done.returncode == 3
        assert done.stdout.startswith("no run of demo is on; the last one ended at ")
        assert "nothing is left to do; 1 task skipped (exit code 3)" in done.stdout
    assert call("status", tmp_path, "demo", "--follow").returncode == 0, "it was shown"


def test_after_a_run_without_a_terminal_its_screen_log_is_named(tmp_path: Path) -> None:
    """In the morning after `--detach` nothing else tells where the last screen is."""
    make_spec(tmp_path)
    with stand_in(tmp_path) as run:
        run.write(BEGAN, ended(3, "nothing is left to do; 1 task skipped"))
        run.end()
    assert "screen.log" not in call("attach", tmp_path).stdout, "it was shown on a terminal"
    log = tmp_path / ".ralph/demo/runs" / BEGAN.run / "screen.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("The run ended\n")
    shown = f".ralph/demo/runs/{BEGAN.run}/screen.log"
    assert call("attach", tmp_path).stdout.endswith(f"what it did, and its last screen: {shown}\n")
    said = call("status", tmp_path, "demo").stdout
    assert "nothing is left to do; 1 task skipped" in said
    assert f"Screen log  {shown}\n" in said


def test_a_last_run_that_was_killed_is_told(tmp_path: Path) -> None:
    make_spec(tmp_path)
    with stand_in(tmp_path) as run:
        run.write(BEGAN, STARTED)
    done = call("attach", tmp_path, "demo")
    assert done.returncode == 4
    assert "the last one was killed, and `ralph-overnight demo` goes on from there" in done.stdout


def test_where_nothing_ever_ran_it_is_told_how_to_start(tmp_path: Path) -> None:
    make_spec(tmp_path)
    for words in ((), ("demo",)):
        done = call("attach", tmp_path, *words)
        assert done.returncode == 2
        assert "none ever was" in done.stderr
        assert "ralph-overnight" in done.stderr
    assert not (tmp_path / ".ralph").exists()


def test_the_run_of_another_spec_is_named(tmp_path: Path) -> None:
    make_spec(tmp_path)
    make_spec(tmp_path, "other")
    with stand_in(tmp_path) as run:
        run.write(BEGAN, ended(0, "done"))
        run.end()
    with stand_in(tmp_path, "other", "r9") as run:
        done = call("attach", tmp_path, "demo")
        assert f"the run that is on is that of other (pid {run.pid})" in done.stdout
        assert done.returncode == 0


def test_a_spec_outside_is_found_by_its_run(tmp_path: Path) -> None:
    (tmp_path / ".kiro").mkdir()
    tasks = tmp_path / "plans/tonight/tasks.md"
    tasks.parent.mkdir(parents=True)
    tasks.write_text("- [ ] 1. One\n")
    state = tmp_path / ".ralph/tonight"
    state.mkdir(parents=True)
    (state / "tasks-path").write_text(str(tasks))
    with stand_in(tmp_path, "tonight") as run, looking(tmp_path, "attach") as (_, screen):
        run.write(BEGAN)
        screen.until("the run began")


# --- ralph-status


def test_status_follows_a_run_too(tmp_path: Path) -> None:
    make_spec(tmp_path)
    with stand_in(tmp_path) as run:
        run.write(BEGAN, STARTED)
        with looking(tmp_path, "status", "demo", "--follow") as (look, screen):
            screen.until("1.2 Store entries")
            run.write(ended(4, "the limit of 1 agent run is reached"))
            run.end()
            assert "The run ended: the limit of 1 agent run is reached." in screen.rest()
            assert look.wait(timeout=30) == 0, "the status was shown"


def test_what_programs_read_is_not_followed(tmp_path: Path) -> None:
    make_spec(tmp_path)
    done = call("status", tmp_path, "demo", "--follow", "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "leave --json and --tasks out" in done.stderr


def test_the_status_says_what_is_waited_for_and_who_is_left_alone(tmp_path: Path) -> None:
    make_spec(tmp_path)
    with stand_in(tmp_path) as run:
        wait = Waiting(run=RUN_ID, reason="claude: usage limit", until=soon())
        run.write(BEGAN, Held(run=RUN_ID, agent="claude", cause="usage limit", until=soon()), wait)
        shown = call("status", tmp_path, "demo").stdout
        assert f"waiting (pid {run.pid}, agent run 0)" in shown
        assert f"Waiting     until {wait.until[11:16]}: claude: usage limit" in shown
        assert f"Left alone  claude until {wait.until[11:16]}: usage limit" in shown
    after = call("status", tmp_path, "demo").stdout
    assert "Last run    was killed" in after
    assert "Waiting" not in after, "no run is on"
    assert f"Left alone  claude until {wait.until[11:16]}: usage limit" in after, "by the next run too"
