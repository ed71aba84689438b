"""Projects with servers and visual tasks, looked at by a stand-in for agent-browser: whole nights in seconds."""

from __future__ import annotations

import json
import shlex
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ralph_wiggum.adapters.servers.addresses import free_port
from tests.night import project as projects
from tests.night.conftest import Make
from tests.night.project import Project, Script

AGENTS = Path(__file__).parent / "agents"
TOOL = "node_modules/.bin/agent-browser"
PAGE = "<h1>Parts</h1>\n"
GIVEN: set[int] = set()
LOOK_THEN_NOTE = """\
- [ ] 1. Add one to the page
  - `agent-browser open http://localhost:{port}/`
  - `agent-browser is visible "#one"`
- [ ] 2. Write a note
"""
ADDS: Script = [
    ["prompt"],
    ["append", "page.html", '<p id="one">One</p>\n'],
    ["say", "Added it."],
    ["say", "TASK_COMPLETE"],
]


def new_port() -> int:
    """Return a free port that no other test of this process was given."""
    port = free_port(GIVEN)
    GIVEN.add(port)
    return port


def page_server(port: int | str, *words: str) -> str:
    """Return a shell command that serves the project's folder."""
    program = shlex.join([sys.executable, "-I", "-S", str(AGENTS / "page_server.py")])
    return f"exec {program} {port} {shlex.join(words)}"


def web(port: int, command: str = "", **more: object) -> dict[str, object]:
    """Return a server of the settings that a loaded machine is patient enough for; it reads its files anew each time."""
    command = command or page_server(port)
    kept = {"ready": f"http://localhost:{port}/", "attempts": 100, "interval": 0.1, "reloads": True}
    return {"command": command, **kept, **more}


def visual_project(
    make: Make, tasks: str = LOOK_THEN_NOTE, *, port: int = 0, files: Mapping[str, str] | None = None, **settings: Any
) -> Project:
    """Make a project with a page, a server for it and the stand-in; `{port}` in the tasks is the server's.

    The agent adds the element #one to the page at task 1.
    """
    port = port or new_port()
    project = make(
        tasks.replace("{port}", str(port)), {"page.html": PAGE, ".gitignore": "node_modules\n", **(files or {})}
    )
    install_tool(project)
    project.settings(**{"servers": {"web": web(port)}, "visual_validation": {"browser": TOOL}} | settings)
    project.plays({"1": [ADDS]})
    projects.commit_all(project)
    project.git("tag", "-f", "evening")
    return project


def install_tool(project: Project, path: str = TOOL) -> None:
    """Put the stand-in for agent-browser into the project's packages."""
    words = [sys.executable, "-I", "-S", str(AGENTS / "page_reader.py"), str(project.play)]
    project.write(path, f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n').chmod(0o755)


def looks(project: Project) -> list[list[str]]:
    """Return the commands that the stand-in was called with."""
    file = project.play / "looks.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def prompt(project: Project, task: str, run: int) -> str:
    """Return what the agent was told in its n-th run of a task (1 …), if its script keeps prompts."""
    return (project.play / f"prompt-{task}-{run}.md").read_text()


def running(project: Project, *words: str) -> list[int]:
    """Return the pids of this test's processes whose command line holds all these words."""
    found = {pid: command_line(pid) for pid in project.alive()}
    return [pid for pid, line in found.items() if all(word in line for word in words)]


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def keepers(project: Project) -> list[int]:
    """Return the pids of this test's keepers."""
    return [pid for pid in project.alive() if process_name(pid) == "ralph-keeper"]


def process_name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def answers(port: int) -> bool:
    """Say whether something listens there."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as line:
            return bool(line.getsockname() != line.getpeername())  # a connection to itself is nobody
    except OSError:
        return False


def wait_for(what: Callable[[], object], seconds: float = 30.0, *, why: Callable[[], object] = lambda: "") -> None:
    """Wait until something holds; the test fails if that takes too long."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, f"it did not come to that: {why()}"
        time.sleep(0.01)


def looked(project: Project, *argv: str) -> Callable[[], bool]:
    """Return whether the stand-in was called like that."""
    wanted: Sequence[str] = list(argv)
    return lambda: wanted in looks(project)
