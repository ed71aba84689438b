"""A stand-in for a run: it holds the lock of a work tree and writes the journal lines that a test gives it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ralph_wiggum.core.journal import Entry
from ralph_wiggum.core.journal_lines import to_line
from tests.cli.consoles import environment

RUN_ID = "20261120-220000-ab12"
SOURCE = """
import signal, sys
from pathlib import Path
from ralph_wiggum.adapters.journal_file import JournalFile
from ralph_wiggum.adapters.run_lock import RunLock
from ralph_wiggum.core import journal_lines
lock = RunLock(Path("."))
def stop(number, frame):
    lock.note(state="stopping")
    Path("signals").open("a").write(signal.Signals(number).name + "\\n")
signal.signal(signal.SIGTERM, stop)
lock.acquire(spec=sys.argv[1], run=sys.argv[2], started="2026-11-20T22:00:00+00:00")
file = JournalFile(Path(".ralph") / sys.argv[1] / "journal.jsonl")
print("held", flush=True)
for line in sys.stdin:
    file.append(journal_lines.from_line(line))
    print("written", flush=True)
lock.release()
"""


class StandIn:
    """A process that looks like a run to others."""

    def __init__(self, process: subprocess.Popen[str], root: Path) -> None:
        self.process = process
        self.pid = process.pid
        self._root = root

    def write(self, *entries: Entry) -> None:
        """Have entries appended to the journal."""
        assert self.process.stdin is not None
        for entry in entries:
            self.process.stdin.write(to_line(entry))
            self.process.stdin.flush()
            self.heard()

    def heard(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline()

    def end(self) -> None:
        """Let go of the lock and end."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=30)

    def signals(self) -> list[str]:
        """Return the names of the signals that it got."""
        file = self._root / "signals"
        return file.read_text().split() if file.exists() else []


@contextmanager
def stand_in(root: Path, spec: str = "demo", run: str = RUN_ID) -> Iterator[StandIn]:
    """Have a stand-in hold the lock of a work tree."""
    with subprocess.Popen(
        [sys.executable, "-c", SOURCE, spec, run],
        cwd=root,
        env=environment(root),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        made = StandIn(process, root)
        made.heard()
        try:
            yield made
        finally:
            process.kill()


class Reader:
    """Lines of a process, read as they come."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.text = ""
        os.set_blocking(descriptor, False)

    def until(self, words: str, seconds: float = 30) -> str:
        """Read until words have come; fail if they do not within so many seconds."""
        end = time.monotonic() + seconds
        while words not in self.text:
            assert time.monotonic() < end, f"no {words!r} in {self.text!r}"
            self.more()
            time.sleep(0.01)
        return self.text

    def more(self) -> bool:
        """Read what is there; say whether there will be more."""
        try:
            data = os.read(self._descriptor, 65536)
        except BlockingIOError:
            return True
        except OSError:  # EIO: the other side of the terminal was closed
            return False
        self.text += data.decode("utf-8", "replace")
        return bool(data)

    def rest(self, seconds: float = 30) -> str:
        """Read to the end."""
        end = time.monotonic() + seconds
        while self.more():
            assert time.monotonic() < end, f"no end after {self.text!r}"
            time.sleep(0.01)
        return self.text
