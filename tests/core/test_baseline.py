"""O18, B5: what was red before the first task blocks only by failures that are new."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ralph_wiggum.core import baseline
from ralph_wiggum.core.failures import Failures


def _red(*keys: str) -> Failures:
    return Failures(keys=tuple(sorted(keys)), exit_code=1)


@pytest.mark.parametrize(
    ("now", "before", "counting"),
    [
        pytest.param(Failures(), None, (), id="a green check never blocks"),
        pytest.param(Failures(), _red("a"), (), id="mended failures do not block"),
        pytest.param(_red("a"), None, ("a",), id="without a baseline all failures count"),
        pytest.param(_red("a"), Failures(), ("a",), id="a green baseline excuses nothing"),
        pytest.param(_red("a"), _red("a", "b"), (), id="a part of the baseline does not block"),
        pytest.param(_red("a", "b"), _red("a"), ("b",), id="only what is new counts"),
        pytest.param(_red("x: F401", "x: F401"), _red("x: F401"), ("x: F401",), id="one more of a kind is new"),
        pytest.param(_red("x: F401"), _red("x: F401", "x: F401"), (), id="one fewer of a kind is not"),
    ],
)
def test_blocking(now: Failures, before: Failures | None, counting: tuple[str, ...]) -> None:
    """O18."""
    assert baseline.blocking(now, before) == counting


_keys = st.lists(st.sampled_from(["a", "b", "c: F401", "d"]), max_size=8)


@given(now=_keys, before=_keys)
def test_blocking_is_the_difference_of_multisets(now: list[str], before: list[str]) -> None:
    counting = baseline.blocking(_red(*now), _red(*before))
    for key in set(now) | set(before):
        assert counting.count(key) == max(0, now.count(key) - before.count(key))
    assert list(counting) == sorted(counting)


def test_a_baseline_survives_json() -> None:
    """O18: a restart takes no new baseline over a half-done task."""
    taken = {baseline.command_key("pytest", "web"): _red("t", "t"), baseline.command_key("ruff", ""): Failures()}
    crashed = {baseline.command_key("x", ""): Failures(keys=("ended by signal 9",), exit_code=None)}
    data = json.loads(json.dumps(baseline.to_data(taken | crashed)))
    assert baseline.from_data(data) == taken | crashed


@pytest.mark.parametrize("entry", [None, 3, {}, {"keys": "a", "exit_code": 1}, {"keys": [], "exit_code": "1"}, []])
def test_an_entry_of_another_shape_is_left_out(entry: object) -> None:
    assert baseline.from_data({"$ a": entry, "$ b": {"keys": [], "exit_code": 0, "obstacle": ""}}) == {
        "$ b": Failures()
    }


def test_the_same_command_elsewhere_is_another_check() -> None:
    assert baseline.command_key("npm run lint", "web") != baseline.command_key("npm run lint", "app")
