"""A throwaway agent that does what agents do to their families: naughty.py MODE [PIDFILE].

Every process it starts writes its pid into PIDFILE, so that a test can tell that all are gone.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path


def note() -> None:
    """Write this process's pid on a line of its own."""
    if len(sys.argv) > 2:
        with Path(sys.argv[2]).open("a") as file:
            file.write(f"{os.getpid()}\n")


def ignore(*numbers: int) -> None:
    """Ignore signals."""
    for number in numbers:
        signal.signal(number, signal.SIG_IGN)


def child(do: Callable[[], None]) -> int:
    """Do something in a child process and end it."""
    pid = os.fork()
    if pid == 0:
        note()
        do()
        os._exit(0)
    return pid


def sleep() -> None:
    """Hang, without a trace of activity."""
    time.sleep(1000)


def hang() -> None:
    sleep()


def ignore_term() -> None:
    ignore(signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    print("ready", flush=True)
    sleep()


def far_away() -> None:
    """Hang in a session of its own."""
    os.setsid()
    sleep()


def setsid() -> None:
    child(far_away)
    sleep()


def double_fork() -> None:
    def far() -> None:
        os.setsid()
        child(sleep)

    os.waitpid(child(far), 0)


def all_of_it() -> None:
    """Leave behind a session of its own, a double fork and a process that ignores TERM, then hang, ignoring TERM."""

    def far() -> None:
        ignore(signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        os.setsid()
        child(sleep)

    os.waitpid(child(far), 0)
    child(far_away)
    ignore_term()


def hold_output() -> None:
    """End at once and leave a child that holds stdout open and prints on."""

    def chatter() -> None:
        while True:
            print("still here", flush=True)
            time.sleep(0.01)

    child(chatter)
    print("TASK_COMPLETE", flush=True)


def many() -> None:
    """Start 300 children, each in a session of its own, and hang."""
    for _ in range(300):
        child(far_away)
    print("ready", flush=True)
    sleep()


def zombies() -> None:
    """Never wait for twenty children that ended."""
    for _ in range(20):
        child(lambda: None)
    time.sleep(0.2)
    print("ready", flush=True)
    sleep()


def runaway() -> None:
    """Fork and end for ever, so that no pid lives for longer than a moment; for 30 s at most."""
    ignore(signal.SIGTERM)
    end = time.monotonic() + 30
    print("ready", flush=True)
    if os.fork() == 0:
        while time.monotonic() < end:
            if os.fork():
                os._exit(0)


def flood() -> None:
    """Print 200 MB."""
    block = (b"x" * 79 + b"\n") * 12_500
    for _ in range(200):
        os.write(1, block)


def hold_flood() -> None:
    """Ignore TERM and print for ever."""
    ignore(signal.SIGTERM)
    while True:
        os.write(1, b"x" * 65536)


def busy() -> None:
    """Use CPU for 2.5 seconds without a word."""
    end = time.monotonic() + 2.5
    while time.monotonic() < end:
        pass


def busy_children() -> None:
    """Use CPU for 2.5 seconds in short-lived children, without a word."""
    end = time.monotonic() + 2.5
    while time.monotonic() < end:

        def work() -> None:
            stop = time.monotonic() + 0.05
            while time.monotonic() < stop:
                pass

        os.waitpid(child(work), 0)


def stopped() -> None:
    """Stop itself, as a program in the background does that wants to read from a terminal."""
    print("ready", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
    sleep()


def thread_without_main() -> None:
    """End the main thread alone: the process goes on in another, and its state looks like a zombie's."""
    threading.Thread(target=sleep).start()
    print("ready", flush=True)
    ctypes.CDLL(None).pthread_exit(None)


note()
globals()[sys.argv[1]]()
