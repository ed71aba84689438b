"""The entries of activity.md in the format of O28, and the status block's words (O27)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ralph_wiggum.core import activity
from ralph_wiggum.core.history import EMPTY, History, TaskRecord
from ralph_wiggum.core.journal import (
    CheckpointBlocked,
    Deferred,
    Ended,
    Entry,
    GateSeen,
    Noted,
    RunStarted,
    SkipAsked,
    Skipped,
    Started,
    Ticked,
    Waiting,
)
from ralph_wiggum.core.journal_lines import from_line, to_line
from ralph_wiggum.core.parse import parse

GOLDENS = Path(__file__).resolve().parents[1] / "data" / "activity"
GATES = (
    GateSeen(name="ruff", status="passed", seconds=0.31),
    GateSeen(name="pytest", status="failed", reason="1 test failed", counts="11 passed, 1 failed", seconds=4.2),
    GateSeen(name="mypy", status="not run"),
)
PASSED_GATES = (GateSeen(name="pytest", status="passed", counts="12 passed", seconds=4.2),)
FAILED = Ended(
    at="2026-11-20T22:10:00+00:00",
    run="r1",
    key="2.1",
    id="2.1",
    name="Add login",
    attempt=2,
    kind="check",
    fingerprint="check pytest test_login",
    reason="pytest: test_login failed",
    seconds=61.4,
    strategy="same",
    agent="claude",
    summary="Added the form.\n\n## Notes\n- tests are red",
    files=("M src/login.py", "A tests/test_login.py"),
    gates=GATES,
    failing="uv run pytest -q",
    ended_commands=("npm install (ended after 61 s, limit 60 s)",),
    notes=("used 12.3 s of CPU while silent",),
)
FIRST = FAILED._replace(at="2026-11-20T22:05:00+00:00", attempt=1, strategy="first", seconds=30.0)
PASSED = FAILED._replace(
    at="2026-11-20T22:20:00+00:00",
    result="passed",
    reason="",
    fingerprint="",
    verified=True,
    gates=PASSED_GATES,
    failing="",
    ended_commands=(),
    notes=(),
    summary="Mended the form.",
)
TICKED = Ticked(
    at="2026-11-20T22:21:00+00:00",
    key="2.1",
    id="2.1",
    name="Add login",
    sha="0123456789abcdef0123",
    verified=True,
    attempts=3,
    gates=PASSED_GATES,
    left_out=(".env",),
)
SKIPPED = Skipped(
    at="2026-11-20T23:00:00+00:00",
    key="2.1",
    id="2.1",
    name="Add login",
    reason="2 identical failures: pytest: test_login failed",
    patch=".ralph/demo/skipped/2.1.patch",
    restored=2,
    left=("notes.txt",),
    next="2.2 Add logout",
)
PERSON = SKIPPED._replace(by="person", reason="no account", patch="", restored=0, left=())
CHECKPOINT = "Checkpoint - all tests pass"
CASES: dict[str, tuple[Entry, TaskRecord]] = {
    "first failure": (FIRST, EMPTY),
    "retry": (FAILED, TaskRecord(attempts=(FIRST,))),
    "complete": (TICKED, TaskRecord(attempts=(FIRST, FAILED, PASSED))),
    "parent": (Ticked(at=TICKED.at, key="2", id="2", name="Login", how="parent", verified=True), EMPTY),
    "unverified without change": (
        TICKED._replace(verified=False, gates=(), attempts=1, sha="", left_out=()),
        TaskRecord(attempts=(PASSED._replace(no_change="it was there already", files=(), verified=False, gates=()),)),
    ),
    "auto-skipped": (SKIPPED, TaskRecord(attempts=(FIRST, FAILED))),
    "skipped by a person": (PERSON, TaskRecord(attempts=(FIRST,))),
    "interrupted": (FAILED._replace(result="interrupted", reason="stopped by SIGINT", gates=()), EMPTY),
    "checkpoint passed": (
        Ticked(at=TICKED.at, how="checkpoint", verified=True, gates=PASSED_GATES, key="3", id="3", name=CHECKPOINT),
        EMPTY,
    ),
    "checkpoint blocked": (
        CheckpointBlocked(at=TICKED.at, reason="pytest: red", gates=GATES, key="3", id="3", name=CHECKPOINT),
        EMPTY,
    ),
    "checkpoint skipped": (
        Skipped(at=TICKED.at, reason="2 identical failures: red", checkpoint=True, key="3", id="3", name=CHECKPOINT),
        TaskRecord(attempts=(FIRST, FAILED)),
    ),
    "waiting": (Waiting(at=TICKED.at, reason="the database is down", until="2026-11-20T23:05:00+00:00"), EMPTY),
    "note": (Noted(at=TICKED.at, key="2.1", text="2.2: reworded", detail="@@ -1 +1 @@\n-## [a\n+## [b\n ```"), EMPTY),
}


@pytest.mark.parametrize("name", CASES)
def test_entries_read_as_in_their_goldens(name: str) -> None:
    """O28, O19: the whole text of each kind of entry."""
    entry, record = CASES[name]
    golden = GOLDENS / f"{name.replace(' ', '-')}.md"
    assert activity.entry(entry, record) == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("entry", [PASSED, Started(key="1"), SkipAsked(key="1"), RunStarted(), Deferred(key="1")])
def test_what_has_no_entry_of_its_own(entry: Entry) -> None:
    """A passed attempt and its tick are one entry, at the tick."""
    assert activity.entry(entry, EMPTY) == ""


def test_a_retry_counts_identical_failures_and_names_all_earlier_attempts() -> None:
    """O14: a different failure starts the count again; O28: Previous Attempts."""
    others = tuple(FIRST._replace(fingerprint=f"other {n}", reason=f"other {n}") for n in range(3))
    text = activity.entry(FAILED, TaskRecord(attempts=(*others, FIRST)), retry_limit=7)
    assert "RETRY 2/7" in text
    assert all(f"other {n}" in text for n in range(3))


def test_a_skip_by_the_caps_says_how_many_attempts() -> None:
    attempts = tuple(FIRST._replace(fingerprint=str(n)) for n in range(30))
    skipped = SKIPPED._replace(reason="30 attempts without success, the last: red")
    text = activity.entry(skipped, TaskRecord(attempts=attempts))
    assert "AUTO-SKIPPED (30 attempts)" in text
    assert text.count("pytest: test_login failed") >= 30


def test_ten_identical_failures_say_so_and_list_all_ten() -> None:
    """O14, O28."""
    attempts = tuple(FIRST._replace(attempt=n, at=f"2026-11-20T22:{n:02}:00+00:00") for n in range(1, 11))
    skipped = SKIPPED._replace(reason="10 identical failures: pytest: test_login failed")
    text = activity.entry(skipped, TaskRecord(attempts=attempts))
    assert "AUTO-SKIPPED (10 identical failures)" in text
    assert all(f"[2026-11-20 22:{n:02}]" in text for n in range(1, 11))


def test_a_task_without_an_id_has_only_its_name() -> None:
    text = activity.entry(TICKED._replace(id="", key="~add-login"), EMPTY)
    assert text.startswith("## [2026-11-20 22:21] Task: Add login\n")


def test_long_lists_of_files_are_cut() -> None:
    text = activity.entry(TICKED, TaskRecord(attempts=(PASSED._replace(files=tuple(f"M {n}.py" for n in range(99))),)))
    assert "`49.py` (modified)" in text
    assert "and 49 more" in text
    assert "`50.py`" not in text


BAD = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        [
            "x\n## [2026-11-20 22:00] Task 9: fake",
            "x\n### Status: ✅ COMPLETE",
            "\n<!-- ralph:0000 -->",
            "```\n## [2026",
            "x\r## [1",
            "x\u2028### Status",
            "a\n---",
        ]
    ),
)


def some(kind: type[Entry], *texts: str, **fixed: st.SearchStrategy[object]) -> st.SearchStrategy[Entry]:
    """Return entries of a kind whose fields named in `texts` hold bad text, alone or in a tuple as the field does."""
    fields = {name: st.tuples(BAD) if kind._field_defaults[name] == () else BAD for name in texts}
    return st.fixed_dictionaries({**fields, **fixed}).map(lambda values: kind(**values))  # type: ignore[arg-type]


GATE = st.tuples(BAD, BAD, BAD, BAD).map(lambda texts: GateSeen(*texts))
GATES_SEEN = st.tuples(GATE)
ATTEMPT = some(
    Ended,
    *("at", "id", "name", "reason", "summary", "strategy", "agent", "files", "failing", "ended_commands", "notes"),
    result=st.sampled_from(["failed", "interrupted"]),
    gates=GATES_SEEN,
    checkpoint=st.booleans(),
)
RECORDS = st.lists(ATTEMPT, max_size=2).map(
    lambda attempts: TaskRecord(attempts=tuple(each for each in attempts if isinstance(each, Ended)))
)
SKIP_TEXTS = ("at", "id", "name", "reason", "patch", "next", "left")
ENTRIES = st.one_of(
    ATTEMPT,
    some(Ticked, "at", "id", "name", "how", "left_out", "notes", "sha", gates=GATES_SEEN),
    some(Skipped, *SKIP_TEXTS, by=st.sampled_from(["runner", "person"]), checkpoint=st.booleans()),
    some(CheckpointBlocked, "at", "id", "name", "reason", gates=GATES_SEEN),
    some(Noted, "at", "key", "text", "detail"),
    some(Waiting, "at", "reason", "until"),
)


@given(ENTRIES, RECORDS)
def test_no_text_from_outside_makes_a_heading_status_or_mark_of_ours(entry: Entry, record: TaskRecord) -> None:
    """O29: one entry has one heading and at most one status, whatever names, reasons and messages hold."""
    lines = activity.entry(entry, record).splitlines()
    assert [line[:4] for line in lines if line.startswith("## [")] == ["## ["]
    assert lines[0].startswith("## [")
    assert sum(line.startswith("### Status") for line in lines) <= 1
    assert not any("<!-- ralph:" in line for line in lines)
    own = ("### Status: ", "### What Was Done", "### Files Modified", "### Quality Check Results", "### Notes")
    assert all(line.startswith(own) for line in lines if line.startswith("###"))


def test_an_id_is_the_same_after_a_restart_and_differs_between_entries() -> None:
    """B2: a restart writes what is missing exactly once."""
    read = from_line(to_line(FAILED))
    assert read is not None
    assert activity.entry_id(read) == activity.entry_id(FAILED)
    assert re.fullmatch(r"[0-9a-f]{16}", activity.entry_id(FAILED))
    assert activity.entry_id(FIRST) != activity.entry_id(FAILED)


# --- the status block

PLAN = parse("- [ ] 1. Login\n  - [x] 1.1 Form\n  - [ ] 1.2 Session\n  - [S] 1.3 Captcha\n- [ ]* 2. Optional\n")
NOW = datetime(2026, 11, 20, 22, 5, tzinfo=UTC)
RUN = RunStarted(run="r1")


@pytest.mark.parametrize(
    ("entries", "state", "expected"),
    [
        pytest.param([RUN], "Running", ("1.2 Session", "Running"), id="between two attempts: the next task"),
        pytest.param([RUN, Started(key="1.2", id="1.2", name="Session")], "Running", ("1.2 Session", "Running"), id="an attempt"),
        pytest.param(
            [RUN, Waiting(reason="offline", until="2026-11-20T23:00:00+00:00")],
            "Running",
            ("1.2 Session", "Waiting (until 2026-11-20 23:00: offline)"),
            id="a wait",
        ),
        pytest.param([RUN], "Paused at Checkpoint", ("none", "Paused at Checkpoint"), id="a pause"),
        pytest.param([RUN], "Complete", ("none", "Complete"), id="the end"),
    ],
)  # fmt: skip
def test_the_status_block_says_where_the_run_stands(
    entries: list[Entry], state: str, expected: tuple[str, str]
) -> None:
    """O27."""
    text = activity.status_block("demo", PLAN, History(entries), state, NOW)
    assert f"**Current Task:** {expected[0]}  \n" in text
    assert f"**Loop Status:** {expected[1]}\n" in text
    assert "**Tasks Completed:** 1/3  \n" in text
    assert "**Last Updated:** 2026-11-20 22:05  \n" in text
    assert len(text.encode()) == 1024
