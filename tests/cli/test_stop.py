"""`ralph stop`: the wish in the journal, the signal to the right process, what is said (O10)."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from ralph_wiggum.adapters.journal_file import JournalFile, read_journal
from ralph_wiggum.adapters.run_lock import RunLock
from ralph_wiggum.core.journal import RunEnded, RunStarted, Started, StopAsked
from tests.cli.consoles import call, environment, make_spec, status
from tests.cli.stand_in_run import RUN_ID, StandIn, stand_in

BEGAN = RunStarted(run=RUN_ID, agent="claude", pid=1)
STARTED = Started(run=RUN_ID, key="1.2", id="1.2", name="Store entries", attempt=2)
END = RunEnded(run=RUN_ID, code=4, state="stopped", reason="stopped by `ralph stop`")


def wishes(root: Path) -> list[StopAsked]:
    entries = read_journal(root / ".ralph/demo/journal.jsonl")[0]
    return [entry for entry in entries if isinstance(entry, StopAsked)]


def begin(root: Path, *words: str) -> subprocess.Popen[str]:
    """Start `ralph stop` and leave it waiting."""
    return subprocess.Popen(
        [sys.executable, "-m", "ralph_wiggum.cli.stop", *words],
        cwd=root,
        env=environment(root),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until_signalled(run: StandIn) -> None:
    end = time.monotonic() + 30
    while not run.signals():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_the_run_is_asked_to_end_after_the_attempt_at_hand(tmp_path: Path) -> None:
    make_spec(tmp_path)
    with stand_in(tmp_path) as run:
        run.write(BEGAN, STARTED)
        done = call("stop", tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        said = f"the run of demo (pid {run.pid}) ends after this attempt: 1.2 Store entries, attempt 2\n"
        assert done.stdout.startswith(said)
        assert run.signals() == []
        assert status(tmp_path)["run"]["state"] == "stopping"
        assert "Stopping    after the attempt at hand" in call("status", tmp_path, "demo").stdout
        assert call("stop", tmp_path, "demo").returncode == 0
    (asked,) = wishes(tmp_path)
    assert (asked.target, asked.now, asked.run) == (RUN_ID, False, "")
    assert asked.at


def test_between_two_attempts_the_end_is_waited_for(tmp_path: Path) -> None:
    make_spec(tmp_path)
    with stand_in(tmp_path) as run:
        run.write(BEGAN)
        with begin(tmp_path) as stopping:
            while not wishes(tmp_path):
                time.sleep(0.01)
            run.write(END)
            run.end()
            out, err = stopping.communicate(timeout=30)
        assert (stopping.returncode, err) == (0, "")
        assert out == f"the run of demo (pid {run.pid}) has ended: stopped by `ralph stop`\n"


def test_now_is_a_wish_and_a_signal_and_its_end_is_told(tmp_path: Path) -> None:
    make_spec(tmp_path)
    with stand_in(tmp_path) as run:
        run.write(BEGAN, STARTED)
        with begin(tmp_path, "demo", "--now") as stopping:
            until_signalled(run)
            run.write(END._replace(code=143, reason="stopped by SIGTERM"))
            run.end()
            out, err = stopping.communicate(timeout=30)
        assert (stopping.returncode, err) == (0, "")
        assert "has ended: stopped by SIGTERM" in out
        assert run.signals() == ["SIGTERM"]
    assert [asked.now for asked in wishes(tmp_path)] == [True]


def test_a_second_now_sends_no_second_signal(tmp_path: Path) -> None:
    """It would end the run at once, and not in good order."""
    make_spec(tmp_path)
    with stand_in(tmp_path) as run:
        run.write(BEGAN, STARTED)
        with begin(tmp_path) as first, begin(tmp_path, "--now") as second:
            until_signalled(run)
            with begin(tmp_path, "--now") as third:
                time.sleep(1)
                run.write(END)
                run.end()
                assert [process.wait(timeout=30) for process in (first, second, third)] == [0, 0, 0]
        assert run.signals() == ["SIGTERM"]


def test_after_ctrl_c_no_second_signal_is_sent_either(tmp_path: Path) -> None:
    make_spec(tmp_path)
    with stand_in(tmp_path) as run:
        run.write(BEGAN, STARTED)
        run.process.send_signal(signal.SIGTERM)
        until_signalled(run)
        with begin(tmp_path, "--now") as stopping:
            while not wishes(tmp_path):
                time.sleep(0.01)
            time.sleep(0.5)
            run.end()
            assert stopping.wait(timeout=30) == 0
        assert run.signals() == ["SIGTERM"]


def test_one_that_takes_its_time_is_told_with_what_it_does(tmp_path: Path) -> None:
    make_spec(tmp_path)
    with stand_in(tmp_path) as run:
        run.write(BEGAN, STARTED)
        done = call("stop", tmp_path, "--now")
        assert done.returncode == 4
        assert "has not done so yet; it works on 1.2 Store entries" in done.stdout


def test_a_process_that_has_the_number_of_a_run_is_left_alone(tmp_path: Path) -> None:
    """The lock names a pid; only its start time tells whether it is the same process."""
    make_spec(tmp_path)
    with subprocess.Popen(["sleep", "600"]) as bystander, RunLock(tmp_path) as lock:
        lock.acquire(spec="demo", run=RUN_ID, started="")
        path = tmp_path / ".ralph/run.lock"
        data = json.loads(path.read_text()) | {"pid": bystander.pid, "began": "1"}
        path.write_text(json.dumps(data))
        journal = JournalFile(tmp_path / ".ralph/demo/journal.jsonl")
        journal.append(BEGAN)
        journal.close()
        with begin(tmp_path, "--now") as stopping:
            while not wishes(tmp_path):
                time.sleep(0.01)
            time.sleep(1)
            assert bystander.poll() is None
            lock.release()
            assert stopping.wait(timeout=30) == 0
        assert bystander.poll() is None
        bystander.kill()


def test_without_a_run_nothing_is_done(tmp_path: Path) -> None:
    make_spec(tmp_path)
    done = call("stop", tmp_path, "demo")
    assert (done.returncode, done.stdout, done.stderr) == (0, "no run of demo is on\n", "")
    assert not (tmp_path / ".ralph").exists()
    assert call("stop", tmp_path).returncode == 2, "nothing ever ran: no spec is meant"


def test_a_run_of_another_spec_is_left_alone_and_named(tmp_path: Path) -> None:
    make_spec(tmp_path)
    make_spec(tmp_path, "other")
    with stand_in(tmp_path, "other", "r9") as run:
        done = call("stop", tmp_path, "demo", "--now")
        assert done.returncode == 0
        assert done.stdout == f"no run of demo is on; the one that is on is that of other (pid {run.pid})\n"
        assert run.signals() == []


def test_a_run_that_has_just_begun_is_asked_once_it_hears(tmp_path: Path) -> None:
    """A wish that stands in the journal before the run does is none of that run."""
    make_spec(tmp_path)
    with stand_in(tmp_path) as run:
        with begin(tmp_path) as stopping:
            time.sleep(1)
            assert not (tmp_path / ".ralph/demo/journal.jsonl").exists()
            run.write(BEGAN, STARTED)
            assert stopping.wait(timeout=30) == 0
        assert [asked.target for asked in wishes(tmp_path)] == [RUN_ID]


def test_an_agent_may_not_stop_its_run(tmp_path: Path) -> None:
    make_spec(tmp_path)
    with stand_in(tmp_path) as run:
        run.write(BEGAN)
        done = call("stop", tmp_path, "--now", env={"RALPH_RUN_ID": RUN_ID})
        assert done.returncode == 2
        assert RUN_ID in done.stderr
        assert run.signals() == []
    assert wishes(tmp_path) == []


def test_settings_that_cannot_be_read_do_not_stand_in_the_way(tmp_path: Path) -> None:
    make_spec(tmp_path)
    with stand_in(tmp_path) as run:
        run.write(BEGAN, STARTED)
        (tmp_path / ".kiro/settings").mkdir()
        (tmp_path / ".kiro/settings/ralph.yaml").write_text("agent: [\n")
        assert call("stop", tmp_path).returncode == 0
    assert len(wishes(tmp_path)) == 1


def test_help_teaches(tmp_path: Path) -> None:
    for command in ("stop", "attach"):
        done = call(command, tmp_path, "--help")
        assert done.returncode == 0
        for wanted in ("examples:", "exit codes:", f"ralph {command} guestbook"):
            assert wanted in done.stdout
