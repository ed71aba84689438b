"""Process 1 of a container that waits for nobody.

usage: container.py WHAT REPORT COMMAND [ARGUMENT …]

It starts COMMAND (a run), and once the agent of task 1 waits it kills WHAT ("runner", "keeper" or "both") by SIGKILL.
REPORT gets, as JSON, the seconds until nothing of the agent's family lived any more (null: something does), the
zombies that were left lying, and the exit code of the run where that lived on. As process 1 ends, all in here ends.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

WHAT, REPORT, *COMMAND = sys.argv[1:]
PLAY = Path(os.environ["CONTAINER_PLAY"])
PATIENCE_SECONDS = 60.0


def processes() -> dict[int, str]:
    """Return the state of every process in here but this one."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                found[int(folder.name)] = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
    return found


def living(but: set[int]) -> list[int]:
    return [pid for pid, state in processes().items() if state not in "ZX" and pid not in but]


def noted(event: str) -> bool:
    runs = PLAY / "runs.jsonl"
    return runs.exists() and any(json.loads(line)["event"] == event for line in runs.read_text().splitlines())


def keeper_of(runner: int) -> int:
    """Return the runner's first child that is no agent: the lock file names it."""
    lock = json.loads(Path(".ralph/run.lock").read_text())
    assert lock["pid"] == runner, lock
    return int(lock["keeper"])


run = subprocess.Popen(COMMAND, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
deadline = time.monotonic() + PATIENCE_SECONDS
while not noted("waits"):
    assert time.monotonic() < deadline, "the agent did not start"
    time.sleep(0.01)
keeper = keeper_of(run.pid)
family = set(living({run.pid, keeper}))
assert family, "no agent to be seen"
for victim in {"runner": [run.pid], "keeper": [keeper], "both": [run.pid, keeper]}[WHAT]:
    os.kill(victim, signal.SIGKILL)
began = time.monotonic()
while (left := family & set(living(set()))) and time.monotonic() - began < 10:
    time.sleep(0.01)
took = None if left else time.monotonic() - began
code = None
if WHAT == "keeper":
    (PLAY / "go").touch()
    code = run.wait(timeout=PATIENCE_SECONDS)
zombies = [pid for pid, state in processes().items() if state == "Z"]
Path(REPORT).write_text(json.dumps({"seconds": took, "zombies": len(zombies), "code": code, "family": len(family)}))
