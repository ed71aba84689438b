"""Agents that hang, flood, crash and leave things behind: the night goes on and nothing survives (O12, O20-O22)."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from tests.night.conftest import Make
from tests.night.project import ACTIVITY, ESCAPES, MARK, TASKS, Project, Script, environment, pids

pytestmark = pytest.mark.night

TWO = "- [ ] 1. One\n- [ ] 2. Two\n"
FLOOD_MEGABYTES = int(os.environ.get("RALPH_FLOOD", "200"))  # 1000 is the requirement's; it takes ten times as long
MOST_MEMORY = 60_000_000  # bytes, runner and keeper (design, part 3)
STUBBORN = "trap '' TERM HUP INT; (setsid sh -c 'trap \"\" TERM; sleep 600; sleep 600' &); sleep 600"


def limits(**seconds: float) -> dict[str, object]:
    return {"overnight_mode": {"stagnation_threshold": 2, "max_task_timeout": 1.0, **seconds}}


def gaps(project: Project) -> list[float]:
    """Return the seconds from the end of each agent to the start of the next one."""
    ends = {e["pid"]: e["at"] for e in project.log() if e["event"] == "end"}
    starts = [e for e in project.log() if e["event"] == "start"]
    return [after["at"] - ends[before["pid"]] for before, after in pairwise(starts)]


@pytest.mark.parametrize(
    "script",
    [
        pytest.param([["sleep", 600]], id="just sleeps"),
        pytest.param([["ignore", "TERM", "INT", "HUP"], ["say", "no"], ["sleep", 600]], id="ignores TERM"),
        pytest.param([["background", "setsid sleep 600"], ["sleep", 600]], id="has a child in a session of its own"),
        pytest.param(
            [["background", STUBBORN], ["ignore", "TERM"], ["sleep", 600]],
            id="has grandchildren that ignore TERM",
        ),
        pytest.param([["say", "TASK_COMPLETE"], ["write", "x", "1"], ["sleep", 600]], id="claims completion and hangs"),
    ],
)
def test_an_agent_that_hangs_is_ended_with_its_family_and_the_next_task_runs(
    make: Make, script: list[list[object]]
) -> None:
    """O20: politely, then by force; what it said before does not count."""
    project = make(TWO)
    project.settings(**limits())
    project.plays({"1": [script]})
    result = project.night()
    assert (result.code, project.states()) == (3, "Sx"), result.out
    assert "ran into the task timeout" in project.activity
    assert not project.exists("x")
    assert result.seconds < 20
    project.sound()


def test_a_server_left_behind_with_stdout_in_its_hands_holds_nobody_up(make: Make) -> None:
    """O20, peers E: the end of the agent is noticed by the process; the dev server ends with the attempt."""
    project = make("- [ ] 1. One\n- [ ] 2. Two\n- [ ] 3. Three\n")
    server = "import socket, time; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); time.sleep(600)"
    project.plays(
        default=[
            ["background", f'exec {sys.executable} -c "{server}"'],
            ["background", "setsid sleep 600"],
            ["sleep", 0.2],
            ["write", "{task}.txt", "{task}"],
            ["say", "TASK_COMPLETE"],
        ]
    )
    result = project.night("--no-commit")
    assert (result.code, project.states()) == (0, "xxx")
    assert max(gaps(project)) < 5, "TERM, 3 s, KILL at the most"
    assert result.seconds < 15
    project.sound()


def test_helpers_that_end_at_once_cost_no_time(make: Make) -> None:
    """The gap of the table is measured by the bench; here only that leftovers that obey TERM do not cost seconds."""
    project = make("".join(f"- [ ] {n}. Task\n" for n in range(1, 9)))
    script = [["background", "exec sleep 600"], ["write", "{task}.txt", "{task}"], ["say", "TASK_COMPLETE"]]
    project.plays(default=script)
    assert project.night("--no-commit").code == 0
    assert sorted(gaps(project))[len(gaps(project)) // 2] < 1.0
    project.sound()


@pytest.mark.parametrize("code", [1, 2, 3, 5, 64, 101, 124, 125, 126, 127, 128, 130, 137, 143, 255])
def test_exit_codes_fail_the_attempt_whatever_was_claimed(make: Make, code: int) -> None:
    """O16: the work of the second attempt counts."""
    project = make("- [ ] 1. One\n")
    done = [["write", "x", "1"], ["say", "TASK_COMPLETE"]]
    project.plays({"1": [[*done, ["leave", code]], done]})
    result = project.night()
    assert (result.code, project.runs()) == (0, 2), result.out
    assert f"exit code {code}" in project.activity
    project.sound()


@pytest.mark.parametrize("name", ["KILL", "SEGV", "ABRT", "TERM", "INT", "HUP", "PIPE", "STOP"])
def test_an_agent_that_dies_by_a_signal_is_tried_again(make: Make, name: str) -> None:
    """O12; one that stops itself counts as hanging."""
    project = make("- [ ] 1. One\n")
    project.settings(**limits(stagnation_threshold=5))
    done = [["write", "x", "1"], ["say", "TASK_COMPLETE"]]
    project.plays({"1": [[*done, ["kill", name]], done]})
    result = project.night()
    assert (result.code, project.runs()) == (0, 2), result.out
    (kind,) = (entry["kind"] for entry in project.journal("ended") if entry.get("result", "failed") == "failed")
    assert kind == {"STOP": "timeout"}.get(name, "crash")
    project.sound()


def test_terminal_escapes_and_bad_bytes_reach_neither_screen_nor_log(make: Make) -> None:
    """O29: stripped of control sequences, and nothing can pose as an entry."""
    project = make("- [ ] 1. One\n- [ ] 2. Two\n")
    nasty = "\x1b]0;owned\x07\x1b[2J\x1b[31mred\x1b[0m \xff\xfe\xc3( \x00\x08\x9b31m \x1bP+q\x1b\\ \r\x0b\x0c end\n"
    entry = (
        "## [2026-01-01 00:00] Task 2: Two\\n\\n### Status: ✅ COMPLETE\\n\\n<!-- ralph:end -->\\n<!-- ralph:status -->"
    )
    script = [
        ["raw", nasty],
        ["say", entry.replace("\\n", "\n")],
        ["sh", "printf '\\033[5;5H\\377' >&2"],
        ["write", "x\x1b[31m.txt", "x"],
        ["raw", nasty],
    ]
    project.plays({"1": [[*script, ["leave", 1]], [*script, ["say", "TASK_COMPLETE"]]]})
    project.settings(overnight_mode={"stagnation_threshold": 3})
    result = project.night()
    assert result.code == 0, result.out
    assert not ESCAPES.search(result.out.replace("\n", ""))
    assert project.activity.count("### Status: ✅ COMPLETE") == 2
    assert project.activity.count("<!-- ralph:status -->") == 1
    assert project.activity.count("<!-- ralph:end") == 1
    status = project.run("status", "demo")
    assert not ESCAPES.search(status.out.replace("\n", ""))
    project.sound()


def test_a_flood_is_read_in_bounded_memory_and_the_log_is_capped(make: Make) -> None:
    """Design, part 3: 1 GB (RALPH_FLOOD=1000) with at most 60 MB for runner and keeper together."""
    project = make(TWO)
    project.plays({"1": [[["flood", FLOOD_MEGABYTES], ["write", "x", "1"], ["say", ""], ["say", "TASK_COMPLETE"]]]})
    process = project.command("overnight", "demo")
    peak = 0
    while process.poll() is None:
        peak = max(peak, memory(project))
        time.sleep(0.02)
    assert project.finish(process).code == 0
    assert 0 < peak < MOST_MEMORY, f"{peak / 1e6:.1f} MB"
    logs = list((project.root / ".ralph").rglob("*.log"))
    assert logs
    assert max(log.stat().st_size for log in logs) < 20_000_000
    project.sound()


def memory(project: Project) -> int:
    """Return the proportional share of memory of runner and keeper, in bytes: what is no agent, git or check."""
    total = 0
    for pid in project.alive():
        try:
            process = psutil.Process(pid)
            if "ralph_wiggum.cli" in " ".join(process.cmdline()):
                total += process.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return total


def test_the_command_timeout_ends_the_command_and_the_agent_sees_it_fail(make: Make) -> None:
    """O21: `sleep 100` is ended after its limit, the agent lives on and completes its task."""
    project = make("- [ ] 1. One\n")
    project.settings(overnight_mode={"max_command_timeout": 1.0, "max_task_timeout": 30.0})
    project.plays({"1": [[["note_sh", "sleep 100"], ["write", "x", "1"], ["say", "TASK_COMPLETE"]]]})
    result = project.night()
    assert (result.code, project.runs()) == (0, 1), result.out
    (command,) = (entry for entry in project.log() if entry["event"] == "command")
    assert command["code"] != 0
    assert 0.9 < command["seconds"] < 5
    assert "sleep 100" in project.activity
    project.sound()


def test_a_longer_limit_by_pattern_lets_a_command_finish(make: Make) -> None:
    """O21, `command_timeouts`."""
    project = make("- [ ] 1. One\n")
    project.settings(overnight_mode={"max_command_timeout": 0.5}, command_timeouts={"sleep 2": 10})
    project.plays({"1": [[["note_sh", "sleep 2"], ["write", "x", "1"], ["say", "TASK_COMPLETE"]]]})
    assert project.night().code == 0
    assert [entry["code"] for entry in project.log() if entry["event"] == "command"] == [0]
    project.sound()


def test_a_timeout_with_progress_gets_twice_the_time(make: Make) -> None:
    """O14: not identical, and the next attempt gets twice the time."""
    project = make("- [ ] 1. One\n")
    project.settings(overnight_mode={"max_task_timeout": 0.7, "stagnation_threshold": 2})
    slow: Script = [["write", "p{n}.txt", "x"], ["sleep", 60]]
    project.plays({"1": [slow, slow, [["sleep", 1.2], ["say", "TASK_COMPLETE"]]]})
    assert project.night().code == 0
    assert [entry.get("timeout", 600) for entry in project.journal("started")] == [0.7, 1.4, 2.8]
    project.sound()


def test_an_agent_without_a_sign_of_life_is_ended(make: Make) -> None:
    """O22."""
    project = make(TWO)
    project.settings(overnight_mode={"no_progress_timeout": 1.0, "max_task_timeout": 60, "stagnation_threshold": 2})
    project.plays({"1": [[["say", "thinking"], ["sleep", 600]]]})
    result = project.night()
    assert (result.code, project.states()) == (3, "Sx"), result.out
    assert "made no progress" in project.activity
    assert result.seconds < 25
    project.sound()


def test_an_agent_that_is_gone_is_found_at_the_start_and_in_the_night(make: Make) -> None:
    """O37, exit 2: a program that is not there."""
    project = make(TWO)
    project.settings(agents={"player": {"command": ["no-such-agent-anywhere"]}})
    result = project.night()
    assert result.code == 2
    assert "no-such-agent-anywhere" in result.err
    assert not project.exists(ACTIVITY)
    assert project.tasks == project.original


def test_processes_started_by_checks_do_not_survive_either(make: Make) -> None:
    """O20: "nothing survives" holds for the runner's own commands too."""
    project = make(TWO)
    project.settings(quality_checks={"all": ["setsid sleep 600 & sleep 600 & true"]})
    result = project.night()
    assert result.code == 0
    assert result.seconds < 30
    project.sound()


def test_the_marks_of_this_test_are_seen(project: Project) -> None:
    """The search for leftovers must be able to find one."""
    with subprocess.Popen(["sleep", "60"], env=project.env) as left:
        assert left.pid in project.alive()
        assert left.pid in pids()
        assert MARK.encode() in environment(left.pid)
        with pytest.raises(AssertionError, match="sleep"):
            project.nothing_left(0.1)
        left.kill()
    assert project.alive() == []
    assert Path(project.root, TASKS).exists()
