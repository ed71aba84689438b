"""The row of kiro, which cannot be installed from a registry: its stand-in plays the scenarios as its makers tell them."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.agents.cells import QUICK, TWO, Scenario
from tests.night import project as projects
from tests.night.project import Project, Script

STAND_IN = Path(projects.__file__).parent / "agents" / "kiro_cli.py"
WORDS = {"1": "one", "2": "two"}


def _does(task: str, *more: str) -> list[Sequence[object]]:
    return [["uses", " ; ".join([f"printf '{WORDS[task]}\\n' > {WORDS[task]}.txt", *more])]]


def _well(task: str, *more: str) -> Script:
    return [*_does(task, *more), ["says", f"I wrote {WORDS[task]}.txt.\n\nTASK_COMPLETE"], ["ends"]]


def _fails(text: str, code: int = 0) -> Script:
    return [["fails", text, code]]


THROTTLED = "The request was throttled by the service (request_id: 0e0c-1)"
LIMIT = "The monthly usage limit has been reached (request_id: 0e0c-1)"
TROUBLE = "Kiro is having trouble responding right now (request_id: 0e0c-1)"
LOGGED_OUT = "error: You are not logged in, please log in with kiro-cli login"
TOO_LONG = "error: the context window has overflowed"
CUT: Script = [*_does("1"), ["says", "I wro"], ["kill", "PIPE"]]

# What the stand-in does at its first runs of task 1, the last of them again and again; task 2 goes well.
PLAYS: Mapping[str, Sequence[Script]] = {
    "completes": [_well("1")],
    "hang": [[["sleep", 600]], _well("1")],
    "429 reset": [_fails("Too many requests, please wait before trying again.", 1), _well("1")],  # it tells no time
    "429": [_fails(THROTTLED)],
    "limit": [_fails(LIMIT)],
    "529": [_fails(TROUBLE)],
    "401": [_fails(LOGGED_OUT, 1)],
    "context": [_fails(TOO_LONG, 1), _well("1")],
    "cut": [CUT],
    "cut clean": [[*_does("1"), ["says", "I wro"], ["ends"]]],
    "background": [_well("1", "sleep 1000 & true")],
    "setsid": [_well("1", "setsid sleep 1000 & true")],
    "stuck": [_well("1", "sleep 1000")],
    "flood": [_well("1", "head -c 1000000 /dev/zero | tr '\\0' x")],
    "flaky": [_well("1")],  # it tries again by itself
    "no signal": [[*_does("1"), ["says", "I wrote it."], ["ends"]]],
    "lie": [[["says", "All done.\n\nTASK_COMPLETE"], ["ends"]]],
}


def prepare_kiro(base: Path, scenario: Scenario) -> Project:
    """Make the repository, with the stand-in on PATH under its own name."""
    project = projects.make(base, TWO)
    folder = base / "bin"
    folder.mkdir()
    words = [sys.executable, "-I", "-S", str(STAND_IN), str(project.play)]
    program = folder / "kiro-cli"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    program.chmod(0o755)
    project.env["PATH"] = f"{folder}{os.pathsep}{project.env['PATH']}"
    project.settings(
        agent="kiro",
        agents={},
        overnight_mode=QUICK,
        machine={"keep_awake": False},
        quality_checks={"all": ["test -e one.txt"]},
    )
    project.plays({"1": PLAYS[scenario.name], "2": [_well("2")]})
    return project
