"""What happens to the journal's keys when a person edits tasks.md while no run is on: a table (O8, B2)."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from ralph_wiggum.core.history import EMPTY, History, TaskRecord
from ralph_wiggum.core.journal import (
    Deferred,
    Ended,
    Renumbered,
    Reopened,
    SkipAsked,
    SkipDecided,
    Skipped,
    Started,
    Ticked,
)
from ralph_wiggum.core.parse import parse
from ralph_wiggum.core.reconcile import Mend, mends
from ralph_wiggum.core.renumbered import name_of, renumbered

BEFORE = """- [x] 1. Storage
- [-] 2. Login page
- [ ] 3. Search
- [S] 4. Mail
"""
# what a run did that was stopped: one ticked, one failed twice, one skipped
JOURNAL = (
    Started(key="1", name="Storage"),
    Ended(key="1", name="Storage", result="passed"),
    Ticked(key="1", name="Storage"),
    SkipDecided(key="4", name="Mail"),
    Skipped(key="4", name="Mail"),
    Started(key="2", name="Login page"),
    Ended(key="2", name="Login page"),
    Started(key="2", name="Login page"),
    Ended(key="2", name="Login page"),
)
STAYS: dict[str, str] = {}


@pytest.mark.parametrize("known", [True, False], ids=["with the plan of before", "by names alone"])
@pytest.mark.parametrize(
    ("after", "keys"),
    [
        pytest.param(BEFORE, STAYS, id="nothing changed"),
        pytest.param(BEFORE.replace("[-] 2", "[x] 2"), STAYS, id="ticked by hand"),
        pytest.param(BEFORE.replace("[S] 4", "[ ] 4"), STAYS, id="a skip taken back"),
        pytest.param(BEFORE.replace("Login page", "Login form with a password"), STAYS, id="reworded"),
        pytest.param(
            "- [ ] 1. Set up\n- [x] 2. Storage\n- [-] 3. Login page\n- [ ] 4. Search\n- [S] 5. Mail\n",
            {"1": "2", "2": "3", "4": "5"},
            id="a task put in front, all renumbered",
        ),
        pytest.param(
            "- [x] 1. Storage\n- [ ] 2. Search\n- [-] 3. Login page\n- [S] 4. Mail\n",
            {"2": "3"},
            id="two that changed places",
        ),
        pytest.param(
            "- [-] 2. Login page\n- [S] 4. Mail\n- [ ] 3. Search\n- [x] 1. Storage\n", STAYS, id="reordered with ids"
        ),
        pytest.param("- [x] 1. Storage\n- [ ] 3. Search\n- [S] 4. Mail\n", STAYS, id="the task in progress deleted"),
        pytest.param(BEFORE + "- [ ] 5. Pay\n  - [ ] 5.1 Card\n", STAYS, id="a longer plan (git pull)"),
        pytest.param("- [ ] 7. Another\n- [ ] 8. Plan\n", STAYS, id="another plan with other ids"),
        pytest.param(
            "- [x] 10. Storage\n- [-] 20. Login page\n- [ ] 30. Search\n- [S] 40. Mail\n",
            {"1": "10", "2": "20", "4": "40"},
            id="all renumbered by ten",
        ),
        pytest.param(
            "- [x] 1. Storage\n- [ ] 2. Web\n  - [-] 2.1 Login page\n  - [ ] 2.2 Search\n- [S] 4. Mail\n",
            {"2": "2.1"},
            id="put below a new parent that took its id",
        ),
        pytest.param("", STAYS, id="everything deleted"),
    ],
)
def test_where_the_tasks_of_the_journal_are_now(after: str, keys: Mapping[str, str], *, known: bool) -> None:
    before = parse(BEFORE) if known else None
    assert renumbered(History(JOURNAL), parse(after), before) == keys


@pytest.mark.parametrize(
    ("after", "with_plan", "by_names"),
    [
        pytest.param(
            "- [x] 1. Storage\n- [ ] 2. Search\n- [S] 3. Mail\n",
            {"2": "", "4": "3"},
            {"4": "3"},
            id="the task in progress deleted, those below moved up: names alone take it for reworded",
        ),
        pytest.param(
            "- [x] 1. Storage\n- [ ] 2. Mail\n",
            {"2": "", "4": "2"},
            {"2": "", "4": "2"},
            id="deleted, and one that the journal knows took its id",
        ),
        pytest.param(
            "- [ ] 1. Storage\n- [ ] 2. Storage\n- [ ] 3. Login page\n",
            {"2": "3"},
            {"2": "3"},
            id="a name that is there twice",
        ),
    ],
)
def test_the_plan_of_before_knows_more_than_names(
    after: str, with_plan: Mapping[str, str], by_names: Mapping[str, str]
) -> None:
    history = History(JOURNAL)
    assert renumbered(history, parse(after), parse(BEFORE)) == with_plan
    assert renumbered(history, parse(after)) == by_names


def test_a_plan_of_before_that_is_not_that_of_the_journal_is_not_asked() -> None:
    other = parse("- [ ] 1. X\n- [ ] 2. Y\n- [ ] 4. Z\n")
    after = parse("- [ ] 1. Set up\n- [x] 2. Storage\n- [-] 3. Login page\n")
    assert renumbered(History(JOURNAL), after, other) == {"1": "2", "2": "3"}


def test_a_journal_of_another_spec_is_about_none_of_these_tasks() -> None:
    """Somebody copied it over: the keys are the same, the tasks are not."""
    own = parse("- [ ] 1. Storage\n- [ ] 2. Login page\n- [ ] 4. Mail\n")
    copied = History([Ended(key="1", name="Cart"), Ended(key="2", name="Pay by card"), Skipped(key="3", name="Stock")])
    assert renumbered(copied, own) == {"1": "", "2": ""}


def test_one_task_that_only_got_other_words_is_no_other_plan() -> None:
    own = parse("- [ ] 1. Storage\n- [ ] 2. Login form with a password\n")
    assert renumbered(History([Ended(key="2", name="Login page")]), own) == {}


def test_what_is_known_moves_with_the_task_all_at_once() -> None:
    history = History([*JOURNAL, SkipAsked(key="2", reason="why"), Started(key="2", name="Login page")])
    history.apply(Renumbered(keys={"1": "2", "2": "1", "4": ""}))
    assert [len(history.of(key).attempts) for key in ("1", "2", "4")] == [2, 1, 0]
    assert history.of("2").settled == "ticked"
    assert history.of("4") == EMPTY
    assert {key: asked.key for key, asked in history.asked.items()} == {"1": "1"}
    record = history.of("1")
    assert record.open is not None
    assert {record.open.key, *(ended.key for ended in record.attempts)} == {"1"}


def test_after_that_nothing_is_left_to_be_mended() -> None:
    """What was passed and not ticked yet is ticked under its new number, and no other task is."""
    history = History([Started(key="2", name="Login page"), Ended(key="2", name="Login page", result="passed")])
    after = parse("- [ ] 1. Set up\n- [ ] 2. Storage\n- [-] 3. Login page\n")
    history.apply(Renumbered(keys=renumbered(history, after, parse(BEFORE))))
    assert {key: mends(history.of(key), after.task(key).mark) for key in ("1", "2", "3")} == {
        "1": (),
        "2": (),
        "3": (Mend.FINISH_TICK,),
    }
    assert renumbered(history, after, parse(BEFORE)) == {}


@pytest.mark.parametrize(
    ("record", "name"),
    [
        pytest.param(EMPTY, "", id="nothing"),
        pytest.param(History([Started(key="1", name="a")]).of("1"), "a", id="begun"),
        pytest.param(History([Started(key="1", name="a"), Ended(key="1", name="b")]).of("1"), "b", id="reworded since"),
        pytest.param(History([Skipped(key="1", name="s")]).of("1"), "s", id="skipped by a person"),
        pytest.param(History([Deferred(key="1")]).of("1"), "", id="deferred, no name"),
        pytest.param(History([Started(key="1", name="a"), Reopened(key="1")]).of("1"), "", id="begun anew"),
    ],
)
def test_the_name_of_a_record(record: TaskRecord, name: str) -> None:
    assert name_of(record) == name
