"""What ralph-status says: the contract's JSON and the lines for a person (O1, O30)."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ralph_wiggum.core.history import History
from ralph_wiggum.core.journal import (
    Ended,
    Entry,
    RunEnded,
    RunStarted,
    Skipped,
    Started,
    StopAsked,
    Ticked,
    Waiting,
    WentOn,
)
from ralph_wiggum.core.model import Plan
from ralph_wiggum.core.parse import parse
from ralph_wiggum.core.status import RunState, Status, as_json, count, run_state, summarise
from ralph_wiggum.core.status_text import as_lines, bar, cells, fit, overview

DEMO = parse(
    """# Plan

- [ ] 1. Guestbook
  - [x] 1.1 Set up
  - [x] 1.2 Store entries
  - [S] 1.3 Captcha
- [ ] 2. Pages
  - [-] 2.1 List page
  - [ ] 2.2 Validate the page renders correctly
  - [~] 2.3 Later
  - [ ]* 2.4 Optional tests
- [ ]* 3. Optional part
  - [ ] 3.1 Its only task
- [x] 4. Done by itself
- [ ] 5. Checkpoint - all tests pass
- [x  ] 6. near miss
"""
)
JOURNAL: tuple[Entry, ...] = (
    RunStarted(run="r1", pid=77),
    Started(key="1.1", id="1.1", name="Set up"),
    Ended(at="2026-11-20T22:01:00+00:00", key="1.1", id="1.1", name="Set up", result="passed", verified=True),
    Ticked(at="2026-11-20T22:02:00+00:00", key="1.1", id="1.1", name="Set up", verified=True),
    Ended(at="2026-11-20T22:03:00+00:00", key="1.2", id="1.2", name="Store entries", result="failed"),
    Ticked(at="2026-11-20T22:05:00+00:00", key="1.2", id="1.2", name="Store entries", verified=False),
    Skipped(at="2026-11-20T22:06:00+00:00", key="1.3", id="1.3", name="Captcha", reason="10 identical failures: x"),
)


def status(
    plan: Plan = DEMO, entries: tuple[Entry, ...] = JOURNAL, run: RunState | None = None, spec: str = "demo"
) -> Status:
    history = History(entries)
    return summarise(plan, history, run or run_state(history, None), ("2.*",), spec=spec, tasks_path="p/tasks.md")


def test_the_json_of_the_contract() -> None:
    """Design, part 2: other tools rely on every key."""
    assert as_json(status()) == {
        "spec": "demo",
        "total": 8,
        "completed": 3,
        "skipped": 1,
        "in_progress": 1,
        "queued": 1,
        "open": 2,
        "optional_open": 2,
        "unverified": 1,
        "top_level": {"total": 4, "completed": 1},
        "percent": 37.5,
        "next": {"id": "2.1", "name": "List page", "line": 8},
        "current": {"id": "2.1", "name": "List page", "line": 8},
        "last_completed": {"id": "1.2", "name": "Store entries", "line": 5},
        "next_checkpoint": {"id": "5", "name": "Checkpoint - all tests pass", "tasks_away": 2},
        "skipped_tasks": [{"id": "1.3", "name": "Captcha", "reason": "10 identical failures: x"}],
        "recent": [
            {"time": "2026-11-20T22:06:00+00:00", "id": "1.3", "name": "Captcha", "status": "skipped"},
            {"time": "2026-11-20T22:05:00+00:00", "id": "1.2", "name": "Store entries", "status": "complete"},
            {"time": "2026-11-20T22:03:00+00:00", "id": "1.2", "name": "Store entries", "status": "failed"},
            {"time": "2026-11-20T22:02:00+00:00", "id": "1.1", "name": "Set up", "status": "complete"},
        ],
        "run": {"state": "idle", "pid": None, "iteration": 0},
        "warnings": [{"line": warned.line, "message": warned.message} for warned in DEMO.warnings],
    }
    assert [warned.line for warned in DEMO.warnings] == [16]


def test_the_states_add_up_to_the_total() -> None:
    counts = count(DEMO)
    assert counts.total == counts.completed + counts.skipped + counts.in_progress + counts.queued + counts.open
    assert counts.sub_tasks == (6, 2)


def test_every_task_on_demand() -> None:
    tasks: list[dict[str, Any]] = as_json(status(), tasks=True)["tasks"]
    assert [task["line"] for task in tasks] == sorted(task["line"] for task in tasks)
    by_key = {task["key"]: task for task in tasks}
    assert by_key["1.3"] == {
        "id": "1.3",
        "key": "1.3",
        "name": "Captcha",
        "state": "S",
        "line": 6,
        "level": 2,
        "parent": 3,
        "optional": False,
        "checkpoint": False,
        "visual": False,
    }
    assert by_key["1"]["parent"] is None
    assert by_key["2.2"]["visual"], "by its words"
    assert by_key["2.1"]["visual"], "by the pattern of the settings"
    assert by_key["5"]["checkpoint"]
    assert by_key["3"]["optional"]
    assert not by_key["3.1"]["optional"], "only the task's own star"
    json.dumps(tasks)


@pytest.mark.parametrize(
    ("text", "percent"),
    [
        pytest.param("", 0.0, id="no tasks"),
        pytest.param("- [x] 1. a\n", 100.0, id="all"),
        pytest.param("- [x] 1. a\n- [ ] 2. b\n- [ ] 3. c\n", 33.3, id="rounded to one decimal"),
        pytest.param("- [x] 1. a\n" * 2999 + "- [ ] 2. b\n", 99.9, id="never 100 while something is missing"),
        pytest.param("- [X] 1. a\n- [ ]* 2. b\n", 100.0, id="optional tasks do not count"),
    ],
)
def test_per_cent(text: str, percent: float) -> None:
    assert count(parse(text)).percent == percent


@pytest.mark.parametrize(
    ("entries", "pid", "noted", "expected"),
    [
        pytest.param((), None, "", RunState("idle"), id="never run"),
        pytest.param((RunStarted(),), 7, "", RunState("running", 7), id="a live runner"),
        pytest.param((RunStarted(), Started(key="1")), 7, "", RunState("running", 7, 1), id="its first agent run"),
        pytest.param((RunStarted(), Waiting(reason="offline")), 7, "", RunState("waiting", 7), id="waiting"),
        pytest.param((RunStarted(), Waiting(), WentOn()), 7, "", RunState("running", 7), id="going on after a wait"),
        pytest.param((RunStarted(),), 7, "stopping", RunState("stopping", 7), id="told to stop"),
        pytest.param((RunStarted(), Waiting()), None, "", RunState("idle"), id="killed while it waited"),
        pytest.param((RunStarted(), RunEnded(state="paused at checkpoint")), None, "", RunState("paused"), id="paused"),
        pytest.param((RunStarted(), RunEnded(state="complete")), None, "", RunState("idle"), id="ended"),
        pytest.param(
            (RunStarted(run="r1"), Waiting(reason="offline"), StopAsked(target="r1")),
            7,
            "",
            RunState("stopping", 7, 0),
            id="asked to stop while it waits",
        ),
        pytest.param(
            (RunStarted(run="r0"), StopAsked(target="r0"), RunStarted(run="r1")),
            7,
            "",
            RunState("running", 7, 0),
            id="the run before was asked to stop",
        ),
        pytest.param(
            (RunStarted(run="r1"), StopAsked(target="r1")), None, "", RunState("idle"), id="asked to stop, and killed"
        ),
    ],
)
def test_the_state_of_the_run(entries: tuple[Entry, ...], pid: int | None, noted: str, expected: RunState) -> None:
    assert run_state(History(entries), pid, noted) == expected


def test_the_task_that_a_run_works_on_is_current() -> None:
    """A checkpoint's fix round leaves no [-] on a parent, so the journal is asked first."""
    entries = (*JOURNAL, Started(key="5", id="5", name="Checkpoint"))
    assert as_json(status(entries=entries, run=RunState("running", 7, 2)))["current"]["id"] == "5"
    assert as_json(status(entries=entries))["current"]["id"] == "2.1", "that run is dead"


def test_how_the_run_stands_is_told_to_a_person_alone() -> None:
    """The JSON is a contract; in text it stands above all else."""
    standing = (("Waiting", "until 03:30: claude: usage limit"), ("Left alone", "claude until 03:30: usage limit"))
    waiting = status(run=RunState("waiting", 7, 2))._replace(standing=standing)
    assert as_json(waiting) == as_json(waiting._replace(standing=()))
    lines = as_lines(waiting, 80, colour=False)
    place = lines.index("Waiting     until 03:30: claude: usage limit")
    assert lines[place + 1] == "Left alone  claude until 03:30: usage limit"
    assert lines[place + 2].startswith("Tasks ")
    assert all(cells(line) <= 40 for line in as_lines(waiting, 40, colour=False))


def test_what_the_file_knows_without_a_journal() -> None:
    data = as_json(status(entries=()))
    assert data["last_completed"]["id"] == "4"
    assert data["skipped_tasks"] == [{"id": "1.3", "name": "Captcha", "reason": ""}]
    assert data["recent"] == []
    assert data["unverified"] == 0


def test_a_tick_that_a_person_undid_is_neither_last_nor_unverified() -> None:
    plan = DEMO.with_mark("1.2", " ")
    data = as_json(status(plan))
    assert data["last_completed"]["id"] == "1.1"
    assert data["unverified"] == 0


def test_when_everything_is_done_nothing_is_next() -> None:
    data = as_json(status(parse("- [x] 1. a\n- [ ]* 2. b\n"), ()))
    assert (data["next"], data["current"], data["next_checkpoint"]) == (None, None, None)
    assert "nothing is left to select" in "\n".join(as_lines(status(parse("- [x] 1. a\n"), ()), 80, colour=False))


# --- the lines for a person


def test_the_lines() -> None:
    assert as_lines(status(), 72, colour=False) == [
        "demo  ███████████░░░░░░░░░░░░░░░░░░░  37.5 %  3/8 tasks",
        "idle",
        "",
        "Tasks       3/8 complete, 1 skipped, 1 in progress, 1 queued, 2 open, 2…",
        "Top level   1/4 complete",
        "Sub-tasks   2/6 complete",
        "Unverified  1 completed without a check that proves it",
        "Current     2.1 List page (line 8)",
        "Last done   1.2 Store entries (line 5)",
        "Checkpoint  5 Checkpoint - all tests pass, 2 tasks away",
        "",
        "Skipped",
        "  1.3 Captcha: 10 identical failures: x",
        "",
        "Recent",
        "  11-20 22:06  skipped     1.3 Captcha",
        "  11-20 22:05  complete    1.2 Store entries",
        "  11-20 22:03  failed      1.2 Store entries",
        "  11-20 22:02  complete    1.1 Set up",
        "",
        "Warnings",
        f"  {fit(f'p/tasks.md:16: {DEMO.warnings[0].message}', 70)}",
    ]


def test_a_run_is_shown_with_its_pid() -> None:
    lines = as_lines(status(run=RunState("running", 77, 4)), 80, colour=False)
    assert lines[1] == "running (pid 77, agent run 4)"


SGR = re.compile(r"\x1b\[\d+m")


@given(st.integers(-5, 200), st.text(max_size=80), st.text(max_size=200), st.booleans())
def test_no_line_is_wider_than_the_terminal(width: int, spec: str, reason: str, colour: bool) -> None:  # noqa: FBT001 - a column
    entries = (*JOURNAL, Skipped(at="2026", key="1.3", id="1.3", name="Captcha", reason=reason))
    found = status(entries=entries, spec=spec)
    for line in (*as_lines(found, width, colour=colour), *overview([found], max(width, 45), colour=colour)):
        bare = SGR.sub("", line)
        assert "\n" not in bare
        assert "\x1b" not in bare
        assert cells(bare) <= max(width, 45)


def test_colours_only_where_wanted() -> None:
    assert "\x1b" not in "".join(as_lines(status(), 80, colour=False))
    coloured = as_lines(status(), 80, colour=True)
    assert "\x1b[32m" in coloured[0]
    assert [SGR.sub("", line) for line in coloured] == as_lines(status(), 80, colour=False)


def test_one_line_for_each_spec() -> None:
    done = status(parse("- [x] 1. a\n"), (), spec="a-longer-name")
    assert overview([status(), done], 100, colour=False) == [
        "demo           ███░░░░░░░  37.5 %  3/8  1 skipped, 1 warnings, next: 2.1 List page",
        "a-longer-name  ██████████ 100.0 %  1/1",
    ]


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        pytest.param("short", 10, "short", id="fits"),
        pytest.param("exactly ten", 11, "exactly ten", id="just fits"),
        pytest.param("far too long", 8, "far too…", id="cut"),
        pytest.param("修复登录页面", 7, "修复登…", id="wide characters count twice"),
        pytest.param("e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301", id="combining characters count nothing"),
        pytest.param("a\nb\x1b[31mc", 9, "a bc", id="one clean line"),
    ],
)
def test_fitting(text: str, width: int, expected: str) -> None:
    assert fit(text, width) == expected


def test_a_bar_is_full_only_at_the_end() -> None:
    assert bar(99.9, 10) == "█████████░"
    assert bar(100.0, 10) == "█" * 10
    assert bar(0.0, 3) == "░░░"
