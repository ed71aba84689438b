"""Whole nights with visual tasks: no tool, stops at every moment, skips, ralph-next (O6, O25, O26, O38), real browsers.

The first part has a stand-in for agent-browser; the last one agent-browser and Chromium.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import browser_tools
from tests.night import visual_kills
from tests.night.conftest import Make
from tests.night.project import Project, Script
from tests.night.visual import (
    ADDS,
    LOOK_THEN_NOTE,
    TOOL,
    answers,
    looked,
    looks,
    new_port,
    page_server,
    prompt,
    visual_project,
    wait_for,
    web,
)

pytestmark = pytest.mark.night

PURE = """\
- [ ] 1. **Validate: the heading is there**
  - `agent-browser open http://localhost:{port}/`
  - `agent-browser is visible "#one"`
- [ ] 2. Write a note
"""
LONG_LOOK = """\
- [ ] 1. Add one to the page
  - `agent-browser open http://localhost:{port}/`
  - `agent-browser wait 20000`
  - `agent-browser is visible "#one"`
- [ ] 2. Write a note
"""
INSTALL = "npm install -g agent-browser && agent-browser install"
NO_TOOL = f"agent-browser is not installed: {INSTALL}"


# --- no tool, no wish to look


@pytest.mark.parametrize("tasks", [LOOK_THEN_NOTE, PURE], ids=["a task with work", "a pure validation"])
def test_without_agent_browser_visual_tasks_are_skipped_at_once_and_the_others_done(make: Make, tasks: str) -> None:
    """O25: never complete without a look; it is said in the evening, and at most one agent run is spent on it."""
    project = visual_project(make, tasks)
    (project.root / TOOL).unlink()
    result = project.run("overnight", "demo", PATH=path_without_agent_browser())
    assert result.code == 3, result.out + result.err
    assert f"visual tasks cannot be looked at, and will be skipped: {NO_TOOL}" in result.out
    assert (project.states(), project.runs("2")) == ("Sx", 1)
    assert project.runs("1") <= (0 if tasks == PURE else 1)
    assert NO_TOOL in project.journal("skipped")[0]["reason"]
    assert NO_TOOL in project.activity
    assert not project.journal("waiting")
    project.sound()


def test_two_visual_tasks_without_agent_browser_wait_for_nothing(make: Make) -> None:
    """O37 is for what may come back by itself."""
    project = visual_project(make, f"{LOOK_THEN_NOTE}- [ ] 3. Check the screenshot\n")
    (project.root / TOOL).unlink()
    result = project.run("overnight", "demo", PATH=path_without_agent_browser())
    assert (result.code, project.states()) == (3, "SxS"), result.out + result.err
    assert not project.journal("waiting")
    project.sound()


def path_without_agent_browser() -> str:
    folders = os.environ["PATH"].split(os.pathsep)
    return os.pathsep.join(folder for folder in folders if not (Path(folder) / "agent-browser").exists())


def test_with_visual_validation_off_no_server_is_started_and_no_page_looked_at(make: Make) -> None:
    project = visual_project(make, visual_validation={"enabled": False}, servers={"web": web(new_port(), "touch up")})
    result = project.night()
    assert (result.code, project.states()) == (0, "xx"), result.out + result.err
    assert looks(project) == []
    assert not project.exists("up")
    assert "server web" not in result.out
    project.sound()


def test_a_tool_that_does_not_work_fails_the_task_in_the_tools_words(make: Make) -> None:
    project = visual_project(make, overnight_mode={"stagnation_threshold": 2})
    (project.play / "no-look").touch()
    result = project.night()
    assert (result.code, project.states(), project.runs("1")) == (3, "Sx", 2), result.out + result.err
    assert "agent-browser does not work: Chrome exited early (exit code: 1)" in project.activity
    project.sound()


def test_a_dry_run_starts_no_server_and_looks_at_nothing(make: Make) -> None:
    port = new_port()
    project = visual_project(make, PURE, port=port, servers={"web": web(port, "touch up", setup=["touch set-up"])})
    result = project.night("--dry-run")
    assert result.code == 0, result.err
    assert "1 Validate: the heading is there (looked at first, then agent" in result.out
    assert not project.exists("up")
    assert not project.exists("set-up")
    assert looks(project) == []
    project.nothing_left()


# --- what a look finds


def test_a_look_that_fails_goes_back_to_the_agent_with_all_that_it_needs(make: Make) -> None:
    """O26: the command that failed, what was there instead, the screenshot; and the agent's word counts for nothing."""
    hidden: Script = [["prompt"], ["append", "page.html", '<p id="one" hidden>One</p>\n'], ["say", "TASK_COMPLETE"]]
    shown: Script = [["prompt"], ["replace", "page.html", " hidden", ""], ["say", "TASK_COMPLETE"]]
    project = visual_project(make)
    project.plays({"1": [hidden, shown]})
    result = project.night()
    assert (result.code, project.states(), project.runs("1")) == (0, "xx", 2), result.out + result.err
    told = prompt(project, "1", 2)
    assert 'is visible "#one"' in told
    assert "answered false" in told
    assert '<p id="one" hidden>' in told
    assert "screenshots/demo/1.png" in told
    assert project.exists("screenshots/demo/1.png")
    project.sound()


def test_a_pure_validation_that_passes_at_once_costs_no_agent(make: Make) -> None:
    project = visual_project(make, PURE, files={"page.html": '<h1 id="one">One</h1>\n'})
    result = project.night()
    assert (result.code, project.states(), project.runs("1")) == (0, "xx", 0), result.out + result.err
    project.sound()


def test_looks_that_fail_alike_skip_the_task(make: Make) -> None:
    """O14."""
    project = visual_project(make, overnight_mode={"stagnation_threshold": 3})
    breaks = ["append", "page.html", '<p id="one">{n}</p><script>console.error("boom")</script>\n']
    project.plays({"1": [[breaks, ["say", "TASK_COMPLETE"]]]})
    result = project.night()
    assert (result.code, project.states(), project.runs("1")) == (3, "Sx", 3), result.out + result.err
    assert "3 identical failures: visual: console error: boom at /" in project.activity
    assert project.read("page.html") == "<h1>Parts</h1>\n", "a skip leaves the tree as it was"
    project.sound()


# --- stops at every moment


def while_a_server_starts(make: Make) -> tuple[Project, subprocess.Popen[str]]:
    port = new_port()
    project = visual_project(make, port=port, servers={"web": web(port, "touch ../starts; sleep 60")})
    process = project.command("overnight", "demo")
    wait_for((project.base / "starts").exists)
    return project, process


def during_set_up(make: Make) -> tuple[Project, subprocess.Popen[str]]:
    port = new_port()
    project = visual_project(make, port=port, servers={"web": web(port, setup=["touch ../starts; sleep 60"])})
    process = project.command("overnight", "demo")
    wait_for((project.base / "starts").exists)
    return project, process


def during_a_look(make: Make) -> tuple[Project, subprocess.Popen[str]]:
    project = visual_project(make, LONG_LOOK)
    process = project.command("overnight", "demo")
    wait_for(looked(project, "wait", "20000"))
    return project, process


def while_an_agent_works(make: Make) -> tuple[Project, subprocess.Popen[str]]:
    project = visual_project(make)
    project.plays({"1": [[["log", "here"], ["sleep", 60]]]})
    process = project.command("overnight", "demo")
    project.wait("here", "1")
    return project, process


Moment = Callable[[Make], tuple[Project, subprocess.Popen[str]]]
MOMENTS: list[Moment] = [while_a_server_starts, during_set_up, during_a_look, while_an_agent_works]


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_ends_servers_and_browser_in_good_order(make: Make, moment: Moment, name: str, code: int) -> None:
    """O38: at any moment, within seconds, with nothing left when the command has ended."""
    project, process = moment(make)
    process.send_signal(getattr(signal, name))
    result = project.finish(process, timeout=15)
    assert result.code == code, result.out + result.err
    project.nothing_left(0.5)
    assert f"stopped by {name}" in result.out
    assert project.journal("run_ended")[-1]["code"] == code
    assert project.states() in ("  ", "- ")
    assert not [each for each in project.journal("ended") if each["result"] == "failed"]
    project.sound()


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_kill_leaves_nothing_and_the_next_start_goes_on(make: Make, moment: Moment) -> None:
    """O24, B2."""
    project, process = moment(make)
    process.kill()
    process.communicate(timeout=10)
    project.nothing_left(5.0)
    (project.play / "no-wait").touch()
    project.settings(servers={"web": web(port_of(project))}, visual_validation={"browser": TOOL})
    project.plays({"1": [ADDS]})
    result = project.night()
    assert (result.code, project.states()) == (0, "xx"), result.out + result.err
    project.sound()


def port_of(project: Project) -> int:
    return int(project.tasks.split("localhost:")[1].split("/")[0])


def test_a_second_ctrl_c_leaves_the_end_to_the_keepers(make: Make) -> None:
    """A server that ignores TERM would take its three seconds; the person is not kept waiting."""
    port = new_port()
    project = visual_project(make, port=port, servers={"web": web(port, page_server(port, "reload"))})
    project.plays({"1": [[["log", "here"], ["sleep", 60]]]})
    process = project.command("overnight", "demo")
    project.wait("here", "1")
    process.send_signal(signal.SIGINT)
    wait_for(lambda: project.journal("run_ended"))
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert project.finish(process, timeout=10).code == 130
    assert time.monotonic() - began < 2.0
    project.nothing_left(5.0)
    assert not answers(port)


# --- ralph-skip, ralph-next


def test_a_skip_of_a_visual_task_ends_its_look_at_once(make: Make) -> None:
    """O38."""
    project = visual_project(make, LONG_LOOK)
    process = project.command("overnight", "demo")
    wait_for(looked(project, "wait", "20000"))
    began = time.monotonic()
    skipped = project.run("skip", "demo", "1", "not", "today")
    assert skipped.code == 0, skipped.err
    assert time.monotonic() - began < 6
    result = project.finish(process, timeout=30)
    assert time.monotonic() - began < 15, "the look went on to its end"
    assert (result.code, project.states()) == (3, "Sx"), result.out + result.err
    assert "not today" in project.activity
    assert project.read("page.html") == "<h1>Parts</h1>\n"
    project.sound()


def test_next_starts_the_servers_for_a_visual_task_and_ends_them(make: Make) -> None:
    """O30, O24."""
    project = visual_project(make)
    result = project.run("next", "demo")
    assert (result.code, project.states()) == (0, "x "), result.out + result.err
    assert "server web: passed" in result.out
    project.nothing_left(0.5)
    result = project.run("next", "demo")
    assert (result.code, project.states()) == (0, "xx")
    assert "server web" not in result.out, "a task without pages needs no server"
    project.sound()


KILLS = int(os.environ.get("RALPH_VISUAL_KILLS", "3"))
SEED = int(os.environ.get("RALPH_SEED", "1"))


@pytest.mark.timeout(90 + 10 * KILLS)
def test_a_visual_night_that_is_killed_again_and_again_comes_to_the_same_end(tmp_path: Path) -> None:
    """B2, O24: nothing lost or done twice, and servers and daemons gone within five seconds each time."""
    figures = visual_kills.spend(KILLS, SEED, tmp_path)
    assert figures.kills >= KILLS
    assert figures.slowest_cleanup < visual_kills.MOST_LEFT_SECONDS


# --- with agent-browser and Chromium


APP = """\
from pathlib import Path

from greeting import GREETING


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{message['type']}.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    body = f"<!doctype html><title>Greeting</title><p data-testid={GREETING!r}>{GREETING}</p>".encode()
    headers = [(b"content-type", b"text/html; charset=utf-8")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
"""
GREETINGS = """\
- [ ] 1. Greet with hello
  - `agent-browser open http://localhost:{port}/`
  - `agent-browser is visible "[data-testid='hello']"`
- [ ] 2. Greet with good-bye
  - `agent-browser open http://localhost:{port}/`
  - `agent-browser is visible "[data-testid='good-bye']"`
"""


@pytest.mark.browser
def test_uvicorn_with_reload_serves_what_the_agent_has_just_written(make: Make) -> None:
    """A reloader, its worker, Chromium: the look sees the new page, a broken app is told, nothing is left."""
    tool, chromium = browser_tools.need_browser()
    port = new_port()
    uvicorn = f"{sys.executable} -m uvicorn app:app --reload --host 127.0.0.1 --port {{port}}"
    project = visual_project(
        make,
        GREETINGS,
        port=port,
        files={"app.py": APP, "greeting.py": 'GREETING = "nothing"\n'},
        servers={"web": web(port, uvicorn, attempts=150, request_timeout=2)},
        visual_validation={"tool": tool, "browser": chromium},
    )
    project.plays(
        {
            "1": [[["write", "greeting.py", 'GREETING = "hello"\n'], ["say", "TASK_COMPLETE"]]],
            "2": [
                [["write", "greeting.py", "GREETING = \n"], ["say", "TASK_COMPLETE"]],
                [["prompt"], ["write", "greeting.py", 'GREETING = "good-bye"\n'], ["say", "TASK_COMPLETE"]],
            ],
        }
    )
    result = project.night(timeout=150)
    assert result.code == 0, result.out + result.err
    assert (project.states(), project.runs("2")) == ("xx", 2)
    assert "SyntaxError" in prompt(project, "2", 2)
    project.sound()


@pytest.mark.browser
@pytest.mark.timeout(90 + 20 * KILLS)
def test_the_plain_server_of_python_and_kills_of_the_runner(tmp_path: Path) -> None:
    """O24, B2: `python -m http.server`, Chromium, kill -9 at random moments."""
    figures = visual_kills.spend(KILLS, SEED, tmp_path, browser_tools.need_browser())
    assert figures.kills >= KILLS
    assert figures.slowest_cleanup < visual_kills.MOST_LEFT_SECONDS


def test_a_task_that_installs_agent_browser_gets_its_agent(make: Make) -> None:
    """Its text names agent-browser, so it is visual (O6): skipped unseen, it could never be done."""
    project = visual_project(make, "- [ ] 1. Install agent-browser into node_modules\n- [ ] 2. Write a note\n")
    shutil.move(project.root / TOOL, project.base / "agent-browser")
    project.settings(servers={"web": web(new_port())}, visual_validation={"browser": "../agent-browser"})
    project.plays({"1": [[["sh", "cp ../agent-browser node_modules/.bin/"], *ADDS]]})
    result = project.run("overnight", "demo", PATH=path_without_agent_browser())
    assert (result.code, project.states()) == (0, "xx"), result.out + result.err
    project.sound()
