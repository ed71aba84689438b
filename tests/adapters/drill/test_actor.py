"""The scripted agent can do all that the scenarios ask of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ralph_wiggum.adapters.drill.scratch import ACTOR
from ralph_wiggum.core.drill.catalogue import SCENARIOS
from ralph_wiggum.core.drill.scenario import AGENT, SPARE, WORK


def act(
    folder: Path, steps: list[list[object]], task: str = "1", name: str = AGENT, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Let it play a script in a folder."""
    play = {"work": "out/{task}.txt", "disk": "", "tasks": {"1": [steps, WORK]}, "default": WORK, "spare": SPARE}
    (folder / "play.json").write_text(json.dumps(play))
    return subprocess.run(
        [sys.executable, "-I", "-S", str(ACTOR), str(folder), name],
        cwd=cwd or folder,
        env={"RALPH_TASK_ID": task, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def events(folder: Path) -> list[tuple[str, int, str]]:
    lines = (folder / "events.jsonl").read_text().splitlines()
    return [(each["kind"], each["run"], each["agent"]) for each in map(json.loads, lines)]


def test_every_step_of_every_scenario_is_known(tmp_path: Path) -> None:
    names = {
        str(step[0]) for each in SCENARIOS for scripts in each.play.values() for script in scripts for step in script
    }
    code = f"import sys; sys.argv = ['', {str(tmp_path)!r}, 'x']; import runpy; print(*runpy.run_path({str(ACTOR)!r})['STEPS'])"
    (tmp_path / "play.json").write_text("{}")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert names <= set(done.stdout.split())


def test_the_second_run_plays_the_second_script_and_the_spare_the_default(tmp_path: Path) -> None:
    first = act(tmp_path, [["say", "at {in 60}"], ["leave", 3]])
    assert first.returncode == 3
    assert int(first.stdout.split()[1]) > 1_700_000_000
    assert act(tmp_path, [["leave", 3]]).returncode == 0
    assert act(tmp_path, [["leave", 3]], name=SPARE).returncode == 0
    assert (tmp_path / "out/1.txt").read_text() == "1\n"
    assert events(tmp_path) == [
        ("start", 1, AGENT),
        ("start", 2, AGENT),
        ("end", 2, AGENT),
        ("start", 1, SPARE),
        ("end", 1, SPARE),
    ]


@pytest.mark.parametrize(
    ("below", "gone"),
    [pytest.param(True, True, id="in the scratch copy"), pytest.param(False, False, id="anywhere else")],
)
def test_it_deletes_no_repository_outside_the_scratch_copy(tmp_path: Path, *, below: bool, gone: bool) -> None:
    folder = tmp_path / "scratch"
    place = (folder if below else tmp_path / "persons") / "repo/sub"
    (place.parent / ".git").mkdir(parents=True)
    place.mkdir()
    folder.mkdir(exist_ok=True)
    act(folder, [["delete_git"]], cwd=place)
    assert (place.parent / ".git").exists() is not gone
