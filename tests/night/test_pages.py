"""Whole nights over a real page: vite serves it, agent-browser and Chromium look at it (O6, O23-O26).

The agent builds each part of the page badly at first, says TASK_COMPLETE all the same, and mends it when it is told the
selector that failed.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import browser_tools
from tests.night.conftest import Make
from tests.night.project import Project, environment, pids

pytestmark = [pytest.mark.night, pytest.mark.browser]

MENDER = Path(__file__).parent / "agents" / "mender.py"
PNG = b"\x89PNG\r\n\x1a\n"
PAGE = """<!doctype html>
<html lang="en">
  <head><meta charset="utf-8"><title>Parts</title></head>
  <body>
    <h1>Parts</h1>
    <button data-testid="count">0</button>
    <main></main>
    <script type="module" src="/src/main.js"></script>
  </body>
</html>
"""
MAIN = """import { parts } from "./parts.js";

for (const { id, shown } of parts) {
  const section = document.createElement("section");
  section.dataset.testid = id;
  section.textContent = id;
  section.hidden = !shown;
  document.querySelector("main").append(section);
}
const button = document.querySelector("button");
button.addEventListener("click", () => {
  button.textContent = String(Number(button.textContent) + 1);
});
"""
TASKS = """# Plan

- [ ] 1. Add part 1 to the page
  ```bash
  # the runner runs these, and no shell does
  agent-browser open http://localhost:{port}/
  agent-browser wait --load networkidle
  agent-browser is visible "[data-testid='part-1']"
  ```
- [ ] 2. Add part 2 to the page
  - `agent-browser open http://localhost:{port}/`
  - `agent-browser click "[data-testid='count']"` - counts
  - `agent-browser wait --text 1`
  - `agent-browser is visible "[data-testid='part-2']"` - true
- [ ] 3. Add part 3 to the page
  ```bash
  agent-browser open http://localhost:{port}/ && agent-browser snapshot -i
  agent-browser wait {pause}
  agent-browser is visible "[data-testid='part-3']"
  agent-browser screenshot screenshots/demo/of-the-task.png --full
  ```
- [ ] 4. **Validate: all parts are there**
  ```bash
  agent-browser open http://localhost:{port}/
  agent-browser is visible "[data-testid='part-1']"
  agent-browser is visible "[data-testid='part-2']"
  agent-browser is visible "[data-testid='part-3']"
  ```
"""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def project(make: Make) -> Project:
    """Return a vite project with four visual tasks and the agent that mends."""
    agent_browser, chromium = browser_tools.need_browser()
    vite = browser_tools.need_npm_package("vite")
    port = free_port()
    made = make(
        TASKS.format(port=port, pause=50),
        {
            "package.json": '{"name": "parts", "private": true, "type": "module"}\n',
            "index.html": PAGE,
            "src/main.js": MAIN,
            "src/parts.js": "export const parts = [\n];\n",
            ".gitignore": "node_modules\n.vite\n",
            "vite.config.js": 'export default { cacheDir: ".vite", clearScreen: false };\n',
        },
    )
    (made.root / "node_modules").symlink_to(vite.parent)
    made.settings(
        agents={"player": {"command": [sys.executable, "-I", "-S", str(MENDER), str(made.play)]}},
        servers={
            "web": {
                "command": "node node_modules/vite/bin/vite.js --port {port} --strictPort",
                "ready": f"http://localhost:{port}/",
            }
        },
        visual_validation={"tool": agent_browser, "browser": chromium},
    )
    made.git("add", "-A")
    made.git("commit", "-q", "-m", "settings")
    made.git("tag", "-f", "evening")
    return made


def running(project: Project, *words: str) -> list[int]:
    """Return the pids of processes of this test whose command line holds all these words."""
    found = []
    for pid in project.alive():
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if all(word in line for word in words):
            found.append(pid)
    return found


def wait_for(what: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def all_well(project: Project) -> None:
    """Check what the morning has to show: all done, each with its screenshot, nothing left."""
    assert project.states() == "xxxx"
    for task in ("1", "2", "3", "4"):
        assert (project.root / f"screenshots/demo/{task}.png").read_bytes().startswith(PNG)
    assert (project.root / "screenshots/demo/of-the-task.png").read_bytes().startswith(PNG)
    assert project.task_commits() == ["1", "2", "3", "4"]
    assert not [path for path in project.tree() if path.startswith("screenshots")]
    project.sound()
    assert not [
        pid for pid in pids() if b"agent-browser" in environment(pid) and project.mark.encode() in environment(pid)
    ]


def test_four_visual_tasks_end_done_each_after_the_selector_was_told(project: Project) -> None:
    """Issue: the agent breaks the page at first and mends it when told the failing selector."""
    result = project.night(timeout=180)
    assert result.code == 0, result.out + result.err
    all_well(project)
    assert [(e["task"], e["attempt"], e["told"]) for e in project.log() if e["event"] == "start"] == [
        *(("1", 1, False), ("1", 2, True)),
        *(("2", 1, False), ("2", 2, True)),
        *(("3", 1, False), ("3", 2, True)),
    ], "task 4 only asks to look: the page was well, so no agent was paid"
    failed = next(e for e in project.journal("ended") if e["key"] == "1")
    assert (failed["kind"], failed["failing"]) == ("visual", "agent-browser is visible \"[data-testid='part-1']\"")
    prompt = (project.play / "prompt-1-2.md").read_text()
    assert "screenshots/demo/1.png" in prompt
    assert 'heading "Parts"' in prompt, "an excerpt of what was there instead"
    assert "(web)" in (project.play / "prompt-1-1.md").read_text()
    assert "✅ visual" in project.activity
    assert (project.root / ".ralph/demo/logs/web.log").exists()


def test_a_server_that_is_killed_in_the_night_is_started_again(project: Project) -> None:
    (project.play / "hold-2").touch()
    process = project.command("overnight", "demo")
    wait_for(lambda: [e for e in project.log() if e["event"] == "start" and e["task"] == "2"])
    killed = running(project, "vite.js")
    assert killed
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    (project.play / "go-2").touch()
    result = project.finish(process, timeout=180)
    assert result.code == 0, result.out + result.err
    all_well(project)
    assert "server web" in result.out
    assert "server web" in project.activity


def test_a_runner_killed_in_the_middle_of_a_look_leaves_nothing_and_the_next_start_ends_the_night(
    project: Project,
) -> None:
    slow = project.tasks.replace("agent-browser wait 50", "agent-browser wait 4000")
    project.write(".kiro/specs/demo/tasks.md", slow)
    project.original = slow
    process = project.command("overnight", "demo")
    wait_for(lambda: running(project, "wait", "4000"))
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=10)
    project.nothing_left(5.0)
    result = project.night(timeout=180)
    assert result.code == 0, result.out + result.err
    assert project.states() == "xxxx"
    project.sound()


def test_a_signal_in_the_middle_of_a_look_ends_server_and_browser(project: Project) -> None:
    project.write(
        ".kiro/specs/demo/tasks.md", project.tasks.replace("agent-browser wait 50", "agent-browser wait 20000")
    )
    process = project.command("overnight", "demo")
    wait_for(lambda: running(project, "wait", "20000"))
    process.send_signal(signal.SIGINT)
    result = project.finish(process, timeout=30)
    assert result.code == 130, result.out + result.err
    project.nothing_left(1.0)


def test_a_server_that_was_there_already_is_used_and_left_running(project: Project) -> None:
    """O24: what was adopted is left alone."""
    first = project.run("servers", "up", timeout=60)
    assert first.code == 0, first.out + first.err
    try:
        mine = running(project, "vite.js")
        assert mine
        result = project.night(timeout=180)
        assert result.code == 0, result.out + result.err
        assert running(project, "vite.js") == mine
    finally:
        down = project.run("servers", "down", timeout=60)
    assert down.code == 0, down.out + down.err
    all_well(project)
