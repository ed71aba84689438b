"""The scripted agent of the fire drill: actor.py FOLDER NAME. It does what FOLDER/play.json says, fault for fault.

play.json: {"work": PATH, "disk": PATH, "tasks": {KEY: [[STEP, …] of its first run, …]}, "default": [STEP, …],
"spare": NAME}; the last script of a task serves all later runs, the agent named as the spare plays the default only. A
step is a list: the name of a function in STEPS, and its arguments. FOLDER/events.jsonl takes what it notes.

A program of its own, run by path: it imports nothing of this package, so that it starts in milliseconds.
"""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = Path(sys.argv[1])
NAME = sys.argv[2]
TASK = os.environ.get("RALPH_TASK_ID", "")
EVENTS = FOLDER / "events.jsonl"
BLOCK = b"flood " * 170 + b"\n"  # about 1 KiB


def earlier() -> int:
    """Return how often this agent was run for this task before."""
    lines = EVENTS.read_text().splitlines() if EVENTS.exists() else []
    runs = (json.loads(line) for line in lines)
    return sum(1 for run in runs if (run["kind"], run["task"], run["agent"]) == ("start", TASK, NAME))


def note(kind: str) -> None:
    """Append a line to the events, in one write."""
    event = {"kind": kind, "task": TASK, "run": RUN, "agent": NAME, "at": time.time()}
    line = json.dumps(event) + "\n"
    descriptor = os.open(EVENTS, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(descriptor, line.encode())
    os.close(descriptor)


def write(path: str, text: str) -> None:
    """Write a file of the project."""
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def say(text: str) -> None:
    """Print a line."""
    os.write(1, text.encode() + b"\n")


def err(text: str) -> None:
    """Print a line to standard error."""
    os.write(2, text.encode() + b"\n")


def ignore() -> None:
    """Be deaf to every polite signal."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def orphan() -> None:
    """Leave a daemon: a session of its own, its parent gone, deaf to TERM, our output still open."""
    if os.fork() == 0:
        os.setsid()
        ignore()
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)
    os.wait()
    note("orphan")


def crash() -> None:
    """Die of SIGSEGV, without a core file."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGSEGV, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGSEGV)
    time.sleep(60)


def flood(megabytes: int) -> None:
    """Print so many millions of bytes."""
    data = memoryview(BLOCK * 64)
    left = megabytes * 1_000_000
    while left > 0:
        left -= os.write(1, data[:left])


def tick() -> None:
    """Tick every box of the plan, as agents do."""
    for plan in Path(".kiro/specs").glob("*-drill/tasks.md"):
        plan.write_text(plan.read_text().replace("- [ ]", "- [x]").replace("- [-]", "- [x]"))


def delete_git() -> None:
    """Remove the repository's .git: in the folder where this agent works or above it, never outside the scratch."""
    import shutil  # noqa: PLC0415 - one script in a dozen needs it

    here = Path.cwd()
    scratch = FOLDER.resolve()
    for folder in (here, *here.parents):
        if not folder.is_relative_to(scratch):
            return
        if (folder / ".git").is_dir():
            shutil.rmtree(folder / ".git")
            return


def fill() -> None:
    """Take all room of the small disk with one file, which the drill removes again."""
    descriptor = os.open(PLAY["disk"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    size = 1 << 20
    while size:
        try:
            os.write(descriptor, b"\1" * size)
        except OSError:
            size //= 2
    os.close(descriptor)


def leave(code: int) -> None:
    """End with an exit code."""
    os._exit(code)


STEPS: dict[str, Callable[..., None]] = {
    "note": note,
    "write": write,
    "say": say,
    "err": err,
    "sleep": time.sleep,
    "ignore": ignore,
    "orphan": orphan,
    "crash": crash,
    "flood": flood,
    "tick": tick,
    "delete_git": delete_git,
    "fill": fill,
    "leave": leave,
}


def filled(argument: object) -> object:
    """Replace {task}, {work} and {in SECONDS}, the seconds since 1970 at that time from now."""
    if not isinstance(argument, str):
        return argument
    argument = argument.replace("{work}", PLAY["work"]).replace("{task}", TASK)
    return re.sub(r"\{in (\d+)\}", lambda found: str(int(time.time()) + int(found[1])), argument)


RUN = earlier() + 1
PLAY: dict[str, Any] = json.loads((FOLDER / "play.json").read_text())


def main() -> None:
    """Play the script of this run."""
    note("start")
    scripts = None if PLAY["spare"] == NAME else PLAY["tasks"].get(TASK)
    for step, *arguments in scripts[min(RUN, len(scripts)) - 1] if scripts else PLAY["default"]:
        STEPS[step](*map(filled, arguments))
    note("end")


if __name__ == "__main__":
    main()
