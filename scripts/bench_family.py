"""An agent that does what makes agents hard to stop.

usage: bench_family.py PIDS

It ignores TERM, INT and HUP, leaves behind a session of its own and a double fork, all holding its output open, and
hangs. Every process writes its pid into the file PIDS; the last line is "ready" and when the agent began
(CLOCK_MONOTONIC, seconds).
"""

import os
import signal
import sys
import time

BEGAN = time.monotonic()


def note(word: str) -> None:
    """Append a line to the file."""
    with open(sys.argv[1], "a", encoding="ascii") as file:  # noqa: PTH123 - as small as can be
        file.write(f"{word}\n")


def hang() -> None:
    """Say who this is, and sleep."""
    note(str(os.getpid()))
    time.sleep(1000)


for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    hang()
if (middle := os.fork()) == 0:
    os.setsid()
    if os.fork() == 0:
        hang()
    os._exit(0)
os.waitpid(middle, 0)
note(str(os.getpid()))
time.sleep(0.2)
note(f"ready {BEGAN}")
time.sleep(1000)
