"""A runner that is stopped and goes on (Ctrl-Z, a debugger) blames nobody for the time: with real processes (B7)."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.process_harness import CHECKOUT, is_alive, marked, no_survivors, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs a subreaper")

LIMIT_SECONDS = 8.0
RUNNER = """
import json, os, sys
from pathlib import Path
from ralph_wiggum.adapters.clock import SystemClock
from ralph_wiggum.adapters.keeper import Keeper
from ralph_wiggum.adapters.process import Family, Start
from ralph_wiggum.ports import Limits
from tests.adapters.process_harness import Notes, Pipe

folder, limit = Path(sys.argv[1]), float(sys.argv[2])
keeper = Keeper.start()
pipe, null = Pipe(), os.open(os.devnull, os.O_RDONLY)
start = Start(argv=("bash", "agent.sh"), cwd=folder, env=dict(os.environ), stdin=null, stdout=pipe.writer, stderr=pipe.writer)
limits = Limits(task_seconds=limit, command_seconds=limit, no_progress_seconds=limit)
ended = Family(keeper, SystemClock()).run(start, [pipe], limits, Notes())
keeper.close()
commands = [command.command for command in ended.ended_commands]
print(json.dumps([ended.ending, ended.exit_code, commands, ended.seconds, pipe.text, ended.error]))
"""
AGENT = """
cat before &
read -r line < stopped
cat during &
wait
echo TASK_COMPLETE
"""


class Fifo:
    """A pipe with a name, for which a process of the agent waits without using any CPU."""

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path)

    def release(self) -> None:
        wait_until(self._write, 20)

    def _write(self) -> bool:
        try:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:  # nobody reads it yet
                raise
            return False
        os.write(descriptor, b"go\n")
        os.close(descriptor)
        return True


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[str]:
    name = f"still-{os.getpid()}-{tmp_path.name}"
    with no_survivors(name):
        yield name


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def started(mark: str, word: str) -> bool:
    """Say whether a process of the agent has these words in its command line."""
    lines = [Path(f"/proc/{pid}/cmdline") for pid in marked(mark)]
    return any(word.encode() in line.read_bytes() for line in lines if line.exists())


def test_a_stopped_runner_takes_neither_task_nor_silence_nor_commands_for_overdue(tmp_path: Path, mark: str) -> None:
    """O20, O21, O22: with a command from before the stop, and one that was started during it."""
    before, stopped, during = (Fifo(tmp_path / name) for name in ("before", "stopped", "during"))
    (tmp_path / "agent.sh").write_text(AGENT)
    runner = subprocess.Popen(
        [sys.executable, "-c", RUNNER, str(tmp_path), str(LIMIT_SECONDS)],
        cwd=CHECKOUT,
        env={**os.environ, "RALPH_RUN_ID": mark, "PYTHONPATH": str(CHECKOUT)},
        stdout=subprocess.PIPE,
    )
    try:
        wait_until(lambda: started(mark, "cat\0before"), 20)
        runner.send_signal(signal.SIGSTOP)
        wait_until(lambda: state_of(runner.pid) == "T")
        stood = time.monotonic()
        stopped.release()
        wait_until(lambda: started(mark, "cat\0during"), 20)
        wait_until(lambda: time.monotonic() - stood > LIMIT_SECONDS + 1, 30)
        assert runner.poll() is None
        runner.send_signal(signal.SIGCONT)
        resumed = time.monotonic()
        wait_until(lambda: time.monotonic() - resumed > 1, 10)  # some looks at everything
        before.release()
        during.release()
        out, _ = runner.communicate(timeout=30)
    finally:
        runner.kill()
        runner.communicate()
    ending, code, commands, seconds, text, error = json.loads(out)
    assert (ending, code, commands, error) == ("exited", 0, [], "")
    assert text == "go\ngo\nTASK_COMPLETE\n"
    assert seconds < LIMIT_SECONDS
    assert not any(map(is_alive, marked(mark)))
