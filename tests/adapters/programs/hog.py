"""A throwaway program that holds memory: hog.py MODE MEGABYTES. Prints "ready" once it does, and waits."""

from __future__ import annotations

import mmap
import os
import sys
import time

MB = 1_000_000
PAGE = 4096


def fill(megabytes: int) -> bytearray:
    """Return so much memory, every page of it written."""
    held = bytearray(megabytes * MB)
    for page in range(0, len(held), PAGE):
        held[page] = 1
    return held


def share(megabytes: int) -> mmap.mmap:
    """Return so much memory that is shared with all children, every page of it written."""
    held = mmap.mmap(-1, megabytes * MB)
    for page in range(0, len(held), PAGE):
        held[page] = 1
    return held


def wait() -> None:
    """Say that it holds what it should, and hang."""
    print("ready", flush=True)
    time.sleep(1000)


MODE, MEGABYTES = sys.argv[1], int(sys.argv[2])
if MODE == "alone":
    kept: list[object] = [fill(MEGABYTES)]
elif MODE == "pair":  # half each, in two processes
    os.fork()
    kept = [fill(MEGABYTES // 2)]
elif MODE == "forked":  # the same pages in four processes
    kept = [fill(MEGABYTES)]
    os.fork()
    os.fork()
elif MODE == "shared":
    kept = [share(MEGABYTES)]
    os.fork()
elif MODE == "growing":
    kept = []
    for _ in range(MEGABYTES // 20):
        kept.append(fill(20))
        time.sleep(0.1)
wait()
