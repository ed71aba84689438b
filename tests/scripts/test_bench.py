"""The measurements, small: that each of them runs and says what it found. Whether numbers are good is no test."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
NAMES = ["gap", "status", "flood", "prompt", "stop", "repository", "parsing"]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, object], float]:
    """Run everything once; return the table, the JSON, and how long it took."""
    found = tmp_path_factory.mktemp("bench") / "bench.json"
    words = [sys.executable, str(PROJECT / "scripts/bench.py"), "--quick", "--json", str(found)]
    began = time.monotonic()
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads(found.read_text()), time.monotonic() - began


def test_every_measurement_yields_rows_of_numbers(measured: tuple[str, dict[str, object], float]) -> None:
    """Design part 3: every number beside its floor, in a table and as JSON."""
    table, data, _ = measured
    rows = data["rows"]
    assert isinstance(rows, list)
    assert list(dict.fromkeys(row["name"] for row in rows)) == NAMES
    assert all(row["measured"] > 0 for row in rows)
    assert len(table.splitlines()) == len(rows) + 1
    assert all(row["what"] in line for row, line in zip(rows, table.splitlines()[1:], strict=True))


def test_goals_are_judged_and_floors_are_measured(measured: tuple[str, dict[str, object], float]) -> None:
    rows = measured[1]["rows"]
    assert isinstance(rows, list)
    assert {row["met"] for row in rows if row["goal"] is None} == {None}
    for row in rows:
        if row["goal"] is not None:
            better = row["measured"] >= row["goal"] if row["more"] else row["measured"] <= row["goal"]
            assert row["met"] is better
    for name in ("gap", "status"):
        assert all(row["floor"] > 0 for row in rows if row["name"] == name and row["goal"] is not None)
    assert all(row["floor"] > 0 for row in rows if row["name"] == "repository")


def test_nothing_of_this_machine_is_printed(measured: tuple[str, dict[str, object], float]) -> None:
    table, data, _ = measured
    assert str(PROJECT) not in table + json.dumps(data)


def test_a_name_that_is_no_measurement_is_refused() -> None:
    words = [sys.executable, str(PROJECT / "scripts/bench.py"), "--only", "everything"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "gap" in done.stderr
