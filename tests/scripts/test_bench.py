"""The measurements, small: that each of them runs and says what it found. Whether numbers are good is no test."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests import browser_tools

PROJECT = Path(__file__).resolve().parents[2]
NAMES = ["gap", "status", "flood", "prompt", "stop", "repository", "parsing"]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, object], float]:
    """Run everything but pages once; return the table, the JSON, and how long it took."""
    found = tmp_path_factory.mktemp("bench") / "bench.json"
    words = [sys.executable, str(PROJECT / "scripts/bench.py"), "--only", *NAMES, "--quick", "--json", str(found)]
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


@pytest.mark.browser
@pytest.mark.timeout(300)
def test_pages_are_measured_beside_what_server_and_browser_take_alone(tmp_path: Path) -> None:
    """Issue 3: servers and one validation with three commands, with that floor measured in the same run."""
    browser_tools.need_browser()
    found = tmp_path / "bench.json"
    words = [sys.executable, str(PROJECT / "scripts/bench.py"), "--only", "pages", "--quick", "--json", str(found)]
    done = subprocess.run(
        words, env=os.environ | {"TMPDIR": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    data = json.loads(found.read_text())
    judged = [row for row in data["rows"] if row["goal"] is not None]
    assert data["left_out"] == {}
    assert len(judged) in {1, 2}  # without vite, with it
    assert all(row["floor"] > 0 for row in judged)
    assert all(row["measured"] >= 0 for row in data["rows"])
    assert "is visible" in done.stdout
    assert str(PROJECT) not in done.stdout + found.read_text()
    assert _working_below(tmp_path) == []


def _working_below(folder: Path) -> list[str]:
    """Return the programs that run in a folder: servers and browsers of the measurement do."""
    found = psutil.process_iter(["name", "cwd"])
    return [seen.info["name"] for seen in found if (seen.info["cwd"] or "").startswith(str(folder))]


def test_pages_are_left_out_with_a_word_why_where_nothing_can_look_at_them(tmp_path: Path) -> None:
    """A copy of the scripts, so that what is installed beside these is not found, and an empty PATH."""
    scripts, found = tmp_path / "scripts", tmp_path / "bench.json"
    shutil.copytree(PROJECT / "scripts", scripts)
    words = [sys.executable, str(scripts / "bench.py"), "--only", "pages", "--quick", "--json", str(found)]
    done = subprocess.run(words, env=os.environ | {"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "pages is left out: agent-browser is not installed" in done.stdout
    data = json.loads(found.read_text())
    assert data["rows"] == []
    assert list(data["left_out"]) == ["pages"]
