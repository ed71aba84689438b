"""A scripted agent: player.py FOLDER. FOLDER/play.json says what it does, FOLDER/runs.jsonl counts its runs.

play.json: {"tasks": {KEY: [[STEP, …] of its first run, …]}, "default": [STEP, …], "by_attempt": false}; the last script
of a task is used for all later runs. `by_attempt` goes by RALPH_ATTEMPT, which an interruption does not raise. A step is a list, the name of a function below and its arguments, in which {task}, {n} (the run of
this task, from 1), {pid}, {now}, {folder} and {changing} (a text that no two runs share) are replaced.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(sys.argv[1])
TASK = os.environ["RALPH_TASK_ID"]
DEFAULT = [["write", "done/{task}.txt", "{task}\n"], ["say", "Did {task}."], ["say", "TASK_COMPLETE"]]


def log(event: str, **more: object) -> None:
    """Append a line to the list of runs, in one write."""
    entry = {"event": event, "task": TASK, "pid": os.getpid(), "at": time.time(), **more}
    with (FOLDER / "runs.jsonl").open("a") as file:
        file.write(json.dumps(entry) + "\n")


def earlier() -> int:
    """Return how often this task was run before."""
    runs = FOLDER / "runs.jsonl"
    lines = runs.read_text().splitlines() if runs.exists() else []
    return sum(1 for line in lines if (entry := json.loads(line))["event"] == "start" and entry["task"] == TASK)


def write(path: str, text: str) -> None:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode())


def append(path: str, text: str) -> None:
    with Path(path).open("a") as file:
        file.write(text)


def replace(path: str, old: str, new: str) -> None:
    file = Path(path)
    file.write_bytes(file.read_bytes().replace(old.encode(), new.encode()))


def remove(path: str) -> None:
    file = Path(path)
    if file.is_dir() and not file.is_symlink():
        shutil.rmtree(file)
    else:
        file.unlink(missing_ok=True)


def say(text: str) -> None:
    print(text, flush=True)


def err(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def raw(latin1: str) -> None:
    """Print bytes, one for each character."""
    os.write(1, latin1.encode("latin-1"))


def sh(command: str) -> None:
    """Run a command, and let a failure be."""
    subprocess.run(["sh", "-c", command], check=False, stdin=subprocess.DEVNULL)


def note_sh(command: str) -> None:
    """Run a command, and note how it ended and how long it took."""
    began = time.monotonic()
    done = subprocess.run(["sh", "-c", command], check=False, stdin=subprocess.DEVNULL)
    log("command", code=done.returncode, seconds=time.monotonic() - began)


def background(command: str) -> None:
    """Start a command that outlives this program and holds its stdout open."""
    child = subprocess.Popen(["sh", "-c", command], stdin=subprocess.DEVNULL)
    child.returncode = 0  # not ours to wait for


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def until(path: str) -> None:
    """Wait until a file exists, for a minute at most."""
    end = time.monotonic() + 60
    while not Path(path).exists() and time.monotonic() < end:
        time.sleep(0.01)


def ignore(*names: str) -> None:
    for name in names:
        signal.signal(signal.Signals[f"SIG{name}"], signal.SIG_IGN)


def leaves_on_term(code: int) -> None:
    """Answer TERM with an exit code, as most programs do that run on Node.js (143)."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(code))


def kill(name: str) -> None:
    """Die by a signal."""
    number = signal.Signals[f"SIG{name}"]
    if number not in {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)  # Python ignores SIGPIPE
    os.kill(os.getpid(), number)
    time.sleep(60)


def kill_keepers() -> None:
    """Kill the runner's keepers: those of this test alone, by the mark in their environment."""
    mark = f"NIGHT_TEST_MARK={os.environ['NIGHT_TEST_MARK']}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (folder / "comm").read_text() == "ralph-keeper\n" and mark in (folder / "environ").read_bytes().split(
                b"\0"
            ):
                os.kill(int(folder.name), signal.SIGKILL)


def leave(code: int) -> None:
    log("end")
    sys.stdout.flush()
    os._exit(code)


def flood(megabytes: int) -> None:
    block = (b"x" * 79 + b"\n") * 12_500
    for _ in range(megabytes):
        os.write(1, block)


def prompt() -> None:
    """Keep the prompt beside the list of runs."""
    (FOLDER / f"prompt-{TASK}-{earlier()}.md").write_text(sys.stdin.read())


def filled(argument: object, n: int) -> object:
    if not isinstance(argument, str):
        return argument
    changing = (
        f"at {time.time():.6f} in /tmp/tmp{os.getpid():x}abc after {os.getpid() % 977 / 100:.2f}s pid {os.getpid()}"
    )
    known = {"task": TASK, "n": n, "pid": os.getpid(), "now": time.time(), "folder": FOLDER, "changing": changing}
    for name, value in known.items():
        argument = argument.replace(f"{{{name}}}", str(value))
    return argument


def alone() -> bool:
    """Say whether no other agent of this project is at work; the lock is held until the end of this process."""
    lock = os.open(FOLDER / "lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def main() -> None:
    n = earlier() + 1
    if not alone():
        log("overlap", n=n)
    log("start", n=n, attempt=int(os.environ["RALPH_ATTEMPT"]), run=os.environ["RALPH_RUN_ID"], argv=sys.argv[2:])
    play = json.loads((FOLDER / "play.json").read_text())
    scripts = play["tasks"].get(TASK)
    turn = int(os.environ["RALPH_ATTEMPT"]) if play["by_attempt"] else n
    steps = scripts[min(turn, len(scripts)) - 1] if scripts else play.get("default", DEFAULT)
    for name, *arguments in steps:
        globals()[name](*(filled(argument, n) for argument in arguments))
    log("end", n=n)


if __name__ == "__main__":
    main()
