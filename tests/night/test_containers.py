"""B2 and design, part 3: the family of processes, where nobody waits for orphans, and where the machine is busy.

A process namespace whose process 1 never waits is what most containers are.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.night.project import Project

pytestmark = [pytest.mark.night, pytest.mark.long]

CONTAINER = Path(__file__).parent / "agents" / "container.py"
PROMISE_SECONDS = 5.0
# An agent that has, when it waits, a child, one in a session of its own, one that forked twice, one deaf to TERM.
FAMILY = [
    ["sh", "sleep 3001 & setsid sleep 3002 & (setsid sh -c 'sleep 3003 & exec sleep 3004' &) ; exit 0"],
    ["sh", "setsid sh -c 'trap \"\" TERM INT HUP; while :; do sleep 1; done' & exit 0"],
    ["log", "waits"],
    ["until", "{folder}/go"],
    ["write", "done/{task}.txt", "{task}\n"],
    ["say", "TASK_COMPLETE"],
]
DONE = [["write", "done/{task}.txt", "{task}\n"], ["say", "TASK_COMPLETE"]]


def has_namespaces() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", *ALONE, "true"], capture_output=True, check=False).returncode == 0


ALONE = ("--pid", "--fork", "--mount-proc")


def in_container(project: Project, what: str, tmp_path: Path) -> dict[str, Any]:
    """Run a night in a namespace of its own, kill, and return what process 1 saw."""
    if not has_namespaces():
        pytest.skip("needs unshare and the right to make a process namespace")
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "ralph_wiggum.cli.overnight", "demo"]
    done = subprocess.run(
        ["unshare", *ALONE, sys.executable, "-S", str(CONTAINER), what, str(report), *command],
        cwd=project.root,
        env=project.env | {"CONTAINER_PLAY": str(project.play)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(report.read_text())
    assert found["family"] >= 5
    return found


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """Keep the machine busy: processes that only count."""
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_count, daemon=True) for _ in range(processes)]
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        for worker in workers:
            worker.kill()
            worker.join()


def _count() -> None:
    while True:
        pass


@pytest.mark.parametrize("what", ["runner", "both"])
def test_in_a_container_without_a_reaper_the_family_is_gone_and_the_next_start_ends_the_night(
    project: Project, tmp_path: Path, what: str
) -> None:
    """With runner and keeper both killed nobody is left to end the family: then the namespace's end does."""
    project.plays({"1": [FAMILY, DONE]}, default=DONE)
    found = in_container(project, what, tmp_path)
    if what == "runner":
        assert found["seconds"] is not None
        assert found["seconds"] < PROMISE_SECONDS
    project.nothing_left()
    assert project.night().code == 0
    assert project.states() == "xxx"
    assert project.task_commits() == ["1", "2", "3"]
    project.sound()


def test_in_a_container_a_killed_keeper_takes_its_family_along_and_the_night_goes_on(
    project: Project, tmp_path: Path
) -> None:
    project.plays({"1": [FAMILY, DONE]}, default=DONE)
    found = in_container(project, "keeper", tmp_path)
    assert found["seconds"] is not None
    assert found["seconds"] < PROMISE_SECONDS
    assert found["code"] == 0
    assert project.states() == "xxx"
    project.sound()


@pytest.mark.parametrize("what", ["runner", "keeper", "both"])
def test_on_a_busy_machine_the_family_is_gone_within_five_seconds(project: Project, what: str) -> None:
    """Where both are killed at once, the next start sweeps what is left, by its mark, before it begins."""
    project.plays({"1": [FAMILY, DONE]}, default=DONE)
    with busy(3 * (os.cpu_count() or 1)):
        process = project.command("overnight", "demo")
        project.wait("waits", "1", timeout=60)
        lock = json.loads((project.root / ".ralph/run.lock").read_text())
        victims = {"runner": [process.pid], "keeper": [lock["keeper"]], "both": [process.pid, lock["keeper"]]}[what]
        family = set(project.alive()) - {process.pid, lock["keeper"]}
        assert len(family) >= 5
        for victim in victims:
            os.kill(victim, 9)
        if what != "both":
            gone_within(project, family, PROMISE_SECONDS)
        if what != "keeper":
            process.communicate(timeout=30)
            project.started.remove(process)
            process = project.command("overnight", "demo")
        result = project.finish(process, timeout=110)
    assert result.code == 0, result.out + result.err
    assert not family & set(project.alive())
    assert project.states() == "xxx"
    assert project.task_commits() == ["1", "2", "3"]
    project.sound()


def gone_within(project: Project, family: set[int], seconds: float) -> None:
    end = time.monotonic() + seconds
    while (left := family & set(project.alive())) and time.monotonic() < end:
        time.sleep(0.02)
    assert not left, left


def test_the_next_start_sweeps_the_leftovers_of_every_earlier_run_of_this_work_tree(make: Any) -> None:
    """One that was killed with its keeper, and then another, of another spec, that was killed before it could sweep."""
    project: Project = make(files={".kiro/specs/other/tasks.md": "- [ ] 1. One\n"})
    project.plays({"1": [FAMILY, DONE]}, default=DONE)
    process = project.command("overnight", "demo")
    project.wait("waits", "1")
    lock = json.loads((project.root / ".ralph/run.lock").read_text())
    family = set(project.alive()) - {process.pid, lock["keeper"]}
    for pid in (process.pid, lock["keeper"]):
        os.kill(pid, 9)
    process.communicate(timeout=30)
    project.started.remove(process)
    forgotten = lock | {"run": "20200101-000000-dead", "pid": 1 << 22, "keeper": 0, "spec": "other"}
    (project.root / ".ralph/run.lock").write_text(json.dumps(forgotten))
    result = project.run("overnight", "other")
    assert result.code == 0, result.out + result.err
    assert not family & set(project.alive())
