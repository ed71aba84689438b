"""A night in which any one effect is the last, or fails, comes to the end of a quiet one (B2, O12).

A share of all effects by default; RALPH_FAULT_NIGHTS=200 takes so many of each kind, RALPH_FAULT_NIGHTS=0 all of them
(an hour; `python -m tests.night.faults` does the same and prints figures).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.night.faults.effects import Share
from tests.night.faults.workers import ROOT, Tally, spend, told

pytestmark = [
    pytest.mark.night,
    pytest.mark.skipif(sys.platform != "linux", reason="what a night leaves behind is told by Linux' subreaper"),
]

GIVEN = os.environ.get("RALPH_FAULT_NIGHTS", "")
CLEAN_UP_SECONDS = 5.0


@pytest.mark.timeout(7200 if GIVEN else 300)
@pytest.mark.parametrize(
    ("kind", "row", "nights"),
    [
        pytest.param("kill", 1, 8, id="kill -9"),
        pytest.param("torn", 1, 4, id="kill -9 in the middle of a write"),
        pytest.param("ENOSPC", 1, 4, id="the disk is full once"),
        pytest.param("ENOSPC", 12, 4, id="the disk is full for a while"),
        pytest.param("EIO", 1, 4, id="an input-output error"),
        pytest.param("EIO", 7, 4, id="seven of them in a row"),
        pytest.param("EACCES", 1, 4, id="permission denied"),
        pytest.param("late", 1, 3, id="git does its work and says that it failed"),
    ],
)
def test_a_night_comes_to_the_same_end_whatever_effect_goes_wrong(kind: str, row: int, nights: int) -> None:
    fault = {"kind": kind, "row": row}
    tally = spend(Share(fault=fault, sample=int(GIVEN or nights)), jobs=2 if GIVEN else 1)
    assert tally.nights >= (int(GIVEN or nights) or 100) // 2, "the effects were not reached"
    came_through(tally)


MET: tuple[tuple[str, dict[str, Any]], ...] = (
    ("the lock of the work tree", {"kind": "EACCES", "like": "create .ralph/run.lock"}),
    ("git cannot say which branches there are", {"kind": "late", "like": "git for-each-ref"}),
    ("the branch cannot be made", {"kind": "EACCES", "like": "git symbolic-ref -m"}),
    ("an entry of the journal is not brought to the disk", {"kind": "ENOSPC", "like": "demo/journal.jsonl", "at": 40}),
    (
        "nor can it be taken out again",
        {"kind": "EIO", "like": "fdatasync .ralph/demo/journal.jsonl", "at": 15, "row": 7},
    ),
    ("a snapshot breaks off", {"kind": "EIO", "like": "git diff-index --cached -z --no-renames", "row": 7}),
    ("a snapshot cannot be written", {"kind": "EACCES", "like": "git write-tree", "at": 3}),
    ("the person's index cannot be brought up to date", {"kind": "ENOSPC", "like": "git update-index -z --index-info"}),
    ("the commit of the last task fails", {"kind": "ENOSPC", "like": "git update-ref -m commit: feat(demo): Finish"}),
    ("and for a while", {"kind": "EIO", "like": "git update-ref -m commit: feat(demo): Finish", "row": 7}),
    ("a commit is made that is said to have failed", {"kind": "late", "like": "git update-ref -m commit: feat"}),
    ("killed before the commit of the log", {"kind": "kill", "like": "git update-ref -m commit: chore"}),
    ("a file of a task that was given up cannot be removed", {"kind": "EACCES", "like": "unlink broken"}),
    ("a copy of the index is left half made", {"kind": "EIO", "like": "chmod .ralph/demo/persons.index.new"}),
    ("so is the record of the repository", {"kind": "ENOSPC", "like": "bytes to .ralph/demo/guard.json.new"}),
    ("so is a piece of the safety copy", {"kind": "EACCES", "like": "replace .ralph/git-copy/current"}),
    ("an entry of the log is cut off", {"kind": "torn", "like": "bytes to .kiro/specs/demo/activity.md", "at": 5}),
    ("killed while a later task is at work", {"kind": "kill", "like": "logs/2-1.log", "at": 2}),
)


@pytest.mark.timeout(300)
def test_what_once_went_wrong_comes_to_the_same_end() -> None:
    """Faults that the exhaustive run has found."""
    faults = [{"at": 1, **fault} for _, fault in MET]
    tally = spend(Share(faults=faults), jobs=2)
    assert not tally.unmet, f"these effects are no more, so nothing is proved: {[MET[n][0] for n in tally.unmet]}"
    came_through(tally)


def came_through(tally: Tally) -> None:
    assert not tally.broken
    assert not tally.failed, "\n".join(line for found in tally.failed for line in told(found))
    assert tally.slowest_clean_up < CLEAN_UP_SECONDS


# --- the harness itself

WRITES = """
import sys
from tests.night.faults import library
from tests.night.faults.effects import Fault, Meter
meter = Meter()
library.install(meter)
import os
from pathlib import Path
meter.arm(Fault(**{fault}))
try:
    Path("one").write_bytes(b"12345678")
    os.replace("one", "two")
except OSError as error:
    print(error.strerror)
meter.disarm()
print(meter.page.seen, meter.page.struck)
"""


@pytest.mark.parametrize(
    ("fault", "code", "said", "left"),
    [
        pytest.param({"kind": "kill"}, 0, "3 \n", {"two": "12345678"}, id="effects are counted"),
        pytest.param({"kind": "kill", "at": 2}, -9, "", {"one": ""}, id="dies before the write"),
        pytest.param({"kind": "kill", "at": 3}, -9, "", {"one": "12345678"}, id="dies before the rename"),
        pytest.param({"kind": "torn", "at": 1}, -9, "", {"one": "1234"}, id="dies in the middle of the write"),
        pytest.param(
            {"kind": "ENOSPC", "at": 2},
            0,
            "No space left on device\n2 write 8 bytes to one\n",
            {"one": "1234"},
            id="half of it had room",
        ),
        pytest.param(
            {"kind": "EACCES", "at": 2},
            0,
            "Permission denied\n2 name replace one two\n",
            {"one": "12345678"},
            id="the rename is refused",
        ),
        pytest.param({"kind": "EIO", "at": 9}, 0, "3 \n", {"two": "12345678"}, id="the ninth effect never comes"),
    ],
)
def test_the_harness_has_the_fault_happen_that_was_asked_for(
    fault: dict[str, Any], code: int, said: str, left: dict[str, str], tmp_path: Path
) -> None:
    argv = [sys.executable, "-c", WRITES.replace("{fault}", repr(fault))]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (code, said), done.stderr
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == left
