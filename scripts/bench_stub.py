"""The agent of the measurements where there is no C compiler; what it does is told in bench_stub.c."""

import time

START = time.clock_gettime_ns(time.CLOCK_MONOTONIC)

import os  # noqa: E402 - the stamp comes first
import sys  # noqa: E402 - the first stamp comes before any import

LINES = (b"x" * 79 + b"\n") * 819


def append(path: str, text: str) -> None:
    """Append a text to a file."""
    with open(path, "a", encoding="ascii") as file:  # noqa: PTH123 - pathlib would cost the start
        file.write(text)


def flood(count: int) -> None:
    """Print so many bytes."""
    while count > 0:
        count -= os.write(1, LINES)


append("notes.txt", "done\n")
if sys.argv[1] == "flood":
    flood(int(sys.argv[3]))
if sys.argv[1] == "hold" and os.fork() == 0:
    time.sleep(60)
    os._exit(0)
os.write(1, b"Wrote it.\n\nTASK_COMPLETE\n")
END = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
append(sys.argv[2], f"{START / 1e9:.9f} {END / 1e9:.9f}\n")
os._exit(0)
