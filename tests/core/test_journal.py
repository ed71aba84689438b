"""The journal's lines and their fold (B2, O28, contract "Files")."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ralph_wiggum.core.history import History
from ralph_wiggum.core.journal import (
    Ended,
    Entry,
    GateSeen,
    Reopened,
    RunEnded,
    RunStarted,
    SkipAsked,
    SkipDecided,
    Skipped,
    Started,
    Ticked,
    Waiting,
    WentOn,
)
from ralph_wiggum.core.journal_lines import KINDS, from_line, read, to_line

ENTRY = Ended(
    at="2026-11-20T02:00:00+01:00",
    run="r1",
    key="2.1",
    name="Größe\nrechnen \u2028",
    result="passed",
    files=("M a.py",),
    gates=(GateSeen(name="pytest", status="passed", counts="3 passed"),),
    after_large={"big.bin": "1 2"},
)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.__name__)
def test_every_kind_comes_back_as_it_was(kind: type[Entry]) -> None:
    entry = kind(at="2026-11-20T02:00:00+01:00", run="r1")
    assert from_line(to_line(entry)) == entry
    assert type(from_line(to_line(entry))) is kind


def test_a_full_entry_comes_back() -> None:
    line = to_line(ENTRY)
    assert line.count("\n") == 1
    assert json.loads(line)["v"] == 1
    assert from_line(line) == ENTRY


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(to_line(ENTRY)[:-20], id="torn"),
        pytest.param("", id="empty"),
        pytest.param("[]", id="not an object"),
        pytest.param('{"v":2,"event":"ended"}', id="a later version"),
        pytest.param('{"v":1,"event":"party"}', id="an unknown event"),
        pytest.param('{"v":1,"event":"ended","attempt":"three"}', id="a field of the wrong type"),
        pytest.param('{"v":1,"event":"ended","verified":1}', id="a number for a truth"),
    ],
)
def test_a_line_that_cannot_be_read_is_none(line: str) -> None:
    assert from_line(line) is None


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    from_line(text)
    entries, bad = read(text)
    assert len(entries) + bad == sum(bool(line.strip()) for line in text.split("\n"))


@given(st.text(), st.text())
def test_any_text_survives(name: str, reason: str) -> None:
    entry = Skipped(key="1", name=name, reason=reason)
    entries, bad = read(to_line(entry))
    assert (entries, bad) == ((entry,), 0)


def test_bad_lines_are_counted_and_passed_over() -> None:
    entries, bad = read(to_line(ENTRY) + "garbage\n" + to_line(ENTRY))
    assert (len(entries), bad) == (2, 1)


def fold(*entries: Entry) -> History:
    return History(entries)


def test_an_attempt_without_an_end_is_open() -> None:
    record = fold(Started(key="1", attempt=1)).of("1")
    assert record.open is not None
    assert record.counted == ()


def test_interrupted_attempts_do_not_count() -> None:
    record = fold(
        Started(key="1"), Ended(key="1", result="interrupted"), Started(key="1"), Ended(key="1", result="failed")
    ).of("1")
    assert (len(record.attempts), len(record.counted), record.open) == (2, 1, None)


def test_the_first_attempt_holds_the_base() -> None:
    record = fold(Started(key="1", base="t0"), Ended(key="1"), Started(key="1", base="t0")).of("1")
    assert record.first is not None
    assert record.first.base == "t0"


def test_reopened_empties_the_counters() -> None:
    """O15 and design part 1: a person who sets a mark back has made a new task."""
    record = fold(Started(key="1"), Ended(key="1"), Reopened(key="1")).of("1")
    assert record.attempts == ()
    assert record.first is None


def test_an_attempt_at_a_settled_task_begins_anew() -> None:
    record = fold(
        Started(key="1", base="a"), Ended(key="1", result="passed"), Ticked(key="1"), Started(key="1", base="b")
    ).of("1")
    assert (record.settled, record.attempts) == ("", ())
    assert record.first is not None
    assert record.first.base == "b"


def test_iterations_are_those_of_this_run() -> None:
    history = fold(
        RunStarted(run="a"), Started(key="1"), Started(key="1"), RunEnded(), RunStarted(run="b"), Started(key="1")
    )
    assert history.iterations == 1


def test_a_skip_goes_from_asked_over_decided_to_skipped() -> None:
    history = fold(SkipAsked(key="1", reason="later"))
    assert history.asked["1"].reason == "later"
    history.apply(SkipDecided(key="1", reason="later"))
    assert not history.asked
    assert history.of("1").skipping is not None
    history.apply(Skipped(key="1", reason="later"))
    assert history.of("1").settled == "skipped"
    assert history.of("1").skipping is None


def test_a_task_that_was_cut_off_and_skipped_stays_so_when_its_attempt_is_closed() -> None:
    """O28: its reason stays known."""
    skipped = Skipped(key="1", reason="hangs", by="person")
    history = fold(Started(key="1"), SkipDecided(key="1", by="person"), skipped, Ended(key="1", result="interrupted"))
    assert history.of("1").open is None
    assert (history.of("1").settled, history.of("1").skipped) == ("skipped", skipped)


def test_waiting_is_over_when_the_run_goes_on() -> None:
    history = fold(RunStarted(), Waiting(reason="no database"))
    assert history.waiting is not None
    history.apply(WentOn())
    assert history.waiting is None
