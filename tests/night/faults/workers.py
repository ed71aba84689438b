"""The nights of one fault shared out to several processes, and what they found put together."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.night.faults.effects import Share

SHOWN = 1200  # characters of one problem
ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Tally:
    """What all nights with one fault came to."""

    nights: int = 0
    failed: list[Mapping[str, Any]] = field(default_factory=list)
    unmet: list[int] = field(
        default_factory=list
    )  # places of faults, in the list that was given, whose effect never came
    slowest_clean_up: float = 0.0
    slowest_night: float = 0.0
    seconds: float = 0.0
    broken: list[str] = field(default_factory=list)

    def add(self, found: Mapping[str, Any]) -> None:
        """Count one night; one with `unmet` is none."""
        if "unmet" in found:
            self.unmet += [found["unmet"]] if found["unmet"] >= 0 else []
            return
        self.nights += 1
        self.slowest_clean_up = max(self.slowest_clean_up, found["clean_up"])
        self.slowest_night = max(self.slowest_night, found["seconds"])
        if found["problems"]:
            self.failed.append(found)


def spend(share: Share, jobs: int = 2, on_found: Callable[[Mapping[str, Any]], None] = lambda _: None) -> Tally:
    """Spend the nights of a share in so many processes."""
    tally = Tally()
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="ralph-faults-"))
    workers = [_Worker(folder / str(job), replace(share, job=job, jobs=jobs)) for job in range(jobs)]
    try:
        while not all(worker.ended for worker in workers):
            for found in (found for worker in workers for found in worker.lines()):
                tally.add(found)
                on_found(found)
            time.sleep(0.05)
        tally.broken += [worker.error for worker in workers if worker.error]
    finally:
        for worker in workers:
            worker.close()
        shutil.rmtree(folder, ignore_errors=True)
    tally.seconds = time.monotonic() - began
    return tally


class _Worker:
    """A process that spends nights in a folder of its own and prints what it found."""

    def __init__(self, folder: Path, share: Share) -> None:
        folder.mkdir()
        argv = [sys.executable, "-m", "tests.night.faults.rounds", str(folder), json.dumps(asdict(share))]
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

    def lines(self) -> Iterator[Mapping[str, Any]]:
        """Yield what it found since the last time."""
        while (line := self._file.readline()).endswith(b"\n"):
            yield json.loads(line)
        self._file.seek(-len(line), os.SEEK_CUR)

    def close(self) -> None:
        """End it, and with it the night that it is at."""
        self._process.terminate()
        self._process.wait()
        self._file.close()


def told(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield lines on what went wrong in one night, if anything did."""
    if found.get("problems"):
        yield f"  {found['at']:>5}  {found['effect']}"
        yield from (f"         {problem[:SHOWN]}" for problem in found["problems"])
