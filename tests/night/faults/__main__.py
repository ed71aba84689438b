"""python -m tests.night.faults [--fault NAME …] [--jobs N] [--row K] [--every K] [--at N]: the whole of it, as a table."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.night.faults.effects import STRIKES

SHOWN = 1200  # characters of one problem
ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Tally:
    """What all nights with one fault came to."""

    fault: str
    nights: int = 0
    failed: list[dict[str, object]] = field(default_factory=list)
    slowest_clean_up: float = 0.0
    slowest_night: float = 0.0
    seconds: float = 0.0
    broken: list[str] = field(default_factory=list)

    def add(self, found: dict[str, object]) -> None:
        """Count one night."""
        self.nights += 1
        self.slowest_clean_up = max(self.slowest_clean_up, float(str(found["clean_up"])))
        self.slowest_night = max(self.slowest_night, float(str(found["seconds"])))
        if found["problems"]:
            self.failed.append(found)


def spend(
    fault: str,
    *,
    jobs: int = 2,
    row: int = 1,
    every: int = 1,
    first: int = 1,
    most: int = 0,
    like: str = "",
    on_found: Callable[[Mapping[str, object]], None] = lambda _: None,
) -> Tally:
    """Spend the nights with one fault, in `jobs` processes; every `every`-th effect from `first` to before `most`."""
    tally = Tally(fault if row == 1 else f"{fault}*{row}")
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="ralph-faults-"))
    words = json.dumps({"kind": fault, "row": row, "like": like})
    workers = [
        _Worker(folder / str(job), (words, str(first + job * every), str(every * jobs), str(most)))
        for job in range(jobs)
    ]
    try:
        while not all(worker.ended for worker in workers):
            for found in (found for worker in workers for found in worker.lines()):
                tally.add(found)
                on_found(found)
            time.sleep(0.1)
        tally.broken += [worker.error for worker in workers if worker.error]
    finally:
        for worker in workers:
            worker.close()
        shutil.rmtree(folder, ignore_errors=True)
    tally.seconds = time.monotonic() - began
    return tally


class _Worker:
    """A process that spends nights in a folder of its own and prints what it found."""

    def __init__(self, folder: Path, nights: Sequence[str]) -> None:
        folder.mkdir()
        argv = [sys.executable, "-m", "tests.night.faults.rounds", str(folder), *nights]
        out = folder / "found.jsonl"
        with out.open("wb") as file:
            self._process = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=file)
        self._file = out.open("rb")
        self._ended = False

    @property
    def ended(self) -> bool:
        """Say whether it had ended when it was asked last time: then all its lines were read since."""
        before, self._ended = self._ended, self._process.poll() is not None
        return before

    @property
    def error(self) -> str:
        code = self._process.wait()
        return f"a worker ended with {code}" if code else ""

    def lines(self) -> Iterator[dict[str, object]]:
        """Yield what it found since the last time; the last line of a worker is {}."""
        while (line := self._file.readline()).endswith(b"\n"):
            if found := json.loads(line):
                yield found
        self._file.seek(-len(line), os.SEEK_CUR)

    def close(self) -> None:
        """End it: it ends its nights by itself."""
        self._process.terminate()
        self._process.wait()
        self._file.close()


def report(tally: Tally) -> Iterator[str]:
    """Yield the lines of a table: one for the fault, those that went wrong below it."""
    yield (
        f"{tally.fault:10} {tally.nights:5} nights  {len(tally.failed):4} wrong  "
        f"slowest {tally.slowest_night:.1f} s, clean-up {tally.slowest_clean_up:.2f} s  in {tally.seconds:.0f} s"
    )
    yield from tally.broken
    for found in tally.failed:
        yield from told(found)


def told(found: Mapping[str, object]) -> Iterator[str]:
    """Yield lines on what went wrong in one night, if anything did."""
    problems = found["problems"]
    assert isinstance(problems, list)
    if problems:
        yield f"  {found['at']:>5}  {found['effect']}"
        yield from (f"         {problem[:SHOWN]}" for problem in problems)


def main(arguments: Sequence[str]) -> int:
    """Print the table; exit 1 where anything went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.night.faults", description=__doc__)
    parser.add_argument("--fault", action="append", choices=sorted(STRIKES), help="default: all")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--row", type=int, default=1, help="so many effects in a row fail")
    parser.add_argument("--every", type=int, default=1, help="only each so-manieth effect")
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--at", type=int, default=0, help="only this effect")
    parser.add_argument("--like", default="", help="only effects whose name holds this")
    given = parser.parse_args(arguments)
    wrong = False
    for fault in given.fault or STRIKES:
        only = {"jobs": 1, "first": given.at, "most": given.at + 1} if given.at else {"jobs": given.jobs}
        share = {"first": given.first} | only
        tally = spend(fault, row=given.row, every=given.every, like=given.like, on_found=_say, **share)
        print(next(report(tally)), *tally.broken, sep="\n", flush=True)
        wrong = wrong or bool(tally.failed or tally.broken)
    return int(wrong)


def _say(found: Mapping[str, object]) -> None:
    for line in told(found):
        print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
