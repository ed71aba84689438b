"""No progress: what counts as a sign of life of a silent agent, and what is told of it (O22)."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ralph_wiggum.core.silence import Cpu, Silence, cpu_used

LIMIT = 300.0


def begun() -> Silence:
    return Silence.begin(LIMIT, 0.0)


def test_silence_is_over_after_the_limit() -> None:
    assert not begun().over(299.9)
    assert begun().over(300.0)


def test_output_begins_it_anew() -> None:
    silence = begun().output(200.0)
    assert not silence.over(499.9)
    assert silence.over(500.0)


def test_older_output_changes_nothing() -> None:
    silence = begun().output(200.0)
    assert silence.output(100.0) == silence


@pytest.mark.parametrize(
    ("limit", "between"),
    [
        pytest.param(300.0, 10.0, id="ten seconds at most"),
        pytest.param(50.0, 5.0, id="a tenth of the limit"),
        pytest.param(1.0, 0.1, id="a tenth of a short one"),
    ],
)
def test_how_often_cpu_and_files_are_looked_at(limit: float, between: float) -> None:
    assert Silence.begin(limit, 0.0).between_looks == between


@pytest.mark.parametrize(
    ("used", "alive"),
    [
        pytest.param(0.0, False, id="none"),
        pytest.param(0.19, False, id="what timers use"),
        pytest.param(0.2, True, id="two per cent"),
        pytest.param(20.0, True, id="two cores"),
    ],
)
def test_cpu_counts_from_two_per_cent_of_the_time(used: float, alive: bool) -> None:  # noqa: FBT001 - a table's column
    assert begun().busy(250.0, used, 10.0).over(300.0) is not alive


def test_nothing_is_told_of_a_wait_that_was_short() -> None:
    silence = begun().busy(100.0, 5.0, 10.0).changed(120.0)
    assert silence.waited_for == ()


def test_each_reason_is_told_once_with_its_figures() -> None:
    silence = begun()
    for now in (100.0, 200.0, 295.0, 400.0):
        silence = silence.busy(now, 4.1, 10.0)
    silence = silence.changed(450.0).changed(600.0)
    assert silence.waited_for == (
        "used 16.4 s of CPU while silent for 400 s",
        "files changed while silent for 600 s (2 times)",
    )
    assert not silence.over(899.0)
    assert silence.over(900.0)


def test_reasons_survive_output_and_figures_begin_anew() -> None:
    silence = begun().changed(299.0).output(310.0)
    assert silence.waited_for == ("files changed while silent for 299 s",)
    assert silence.changed(609.0).waited_for == ("files changed while silent for 299 s",)
    assert silence.changes == 0


@pytest.mark.parametrize(
    ("before", "after", "used"),
    [
        pytest.param({}, {}, 0.0, id="nobody"),
        pytest.param({1: Cpu(1.0, 0.0)}, {1: Cpu(3.5, 0.0)}, 2.5, id="one that worked"),
        pytest.param({1: Cpu(1.0, 0.0)}, {1: Cpu(1.0, 0.0), 2: Cpu(0.5, 0.0)}, 0.5, id="a new one"),
        pytest.param(
            {1: Cpu(1.0, 0.0), 2: Cpu(4.0, 0.0)}, {1: Cpu(1.0, 4.5)}, 0.5, id="one that ended and was waited for"
        ),
        pytest.param({1: Cpu(1.0, 0.0), 2: Cpu(4.0, 0.0)}, {1: Cpu(1.0, 0.0)}, 0.0, id="one that ended unseen"),
        pytest.param(
            {1: Cpu(1.0, 0.0), 2: Cpu(4.0, 0.0)},
            {1: Cpu(2.0, 0.0)},
            1.0,
            id="one that ended unseen beside one that worked",
        ),
        pytest.param({1: Cpu(0.0, 5.0)}, {1: Cpu(0.0, 8.0)}, 3.0, id="children that came and went"),
    ],
)
def test_the_cpu_of_a_family(before: Mapping[object, Cpu], after: Mapping[object, Cpu], used: float) -> None:
    assert cpu_used(before, after) == pytest.approx(used)


FAMILIES = st.dictionaries(st.integers(1, 5), st.builds(Cpu, st.floats(0, 100), st.floats(0, 100)), max_size=5)


@given(FAMILIES, FAMILIES)
def test_the_cpu_of_a_family_is_never_negative(before: dict[object, Cpu], after: dict[object, Cpu]) -> None:
    assert cpu_used(before, after) >= 0.0
