"""What is looked at when pages are measured: servers, the page that they serve, the task about it; where time goes."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench_ground import Ground, LeftOutError, Project, git, make_project, write

from ralph_wiggum.adapters.browser import tool
from ralph_wiggum.adapters.browser.tool import Tool
from ralph_wiggum.adapters.process_table import Seen, system_table
from ralph_wiggum.core.settings import VisualSettings

HOST = "127.0.0.1"
PATIENCE = 30.0
STEP = 0.005
INSTALLED = Path(__file__).resolve().parents[1] / ".venv/browser/node_modules"  # where scripts/test.sh puts packages
FOLDER = "site"  # of the page, in the project
PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Pieces</title></head>
<body>
<h1>Pieces</h1>
<button id="more" onclick="document.getElementById('piece').hidden = false">More</button>
<p id="piece" hidden>A piece</p>
</body>
</html>
"""
COMMANDS = (("open", "{url}"), ("click", "#more"), ("is", "visible", "#piece"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A server and its page.

    `command` serves the folder `site` of the project at `port`. `named` is what the settings call agent-browser,
    `found` where it and its Chromium are.
    """

    name: str
    ground: Ground
    command: tuple[str, ...]
    port: int
    named: str
    found: Tool

    @property
    def url(self) -> str:
        """Return the address of the page."""
        return f"http://{HOST}:{self.port}/"

    @property
    def commands(self) -> tuple[tuple[str, ...], ...]:
        """Return the three commands of the task, without the name of the program."""
        return tuple(tuple(word.format(url=self.url) for word in command) for command in COMMANDS)

    def make(self, name: str) -> Project:
        """Make a project anew: the page, the settings, one task that asks for nothing but a look."""
        lines = "".join(f"  - `agent-browser {' '.join(command)}`\n" for command in self.commands)
        browser = f', browser: "{self.found.browser}"' if self.found.browser else ""
        project = make_project(
            self.ground,
            f"pages-{self.name}-{name}",
            f"# Implementation Plan\n\n- [ ] 1. Validate the page renders correctly\n{lines}",
            settings=f'servers:\n  web: {{command: "{" ".join(self.command)}", ready: "{self.url}"}}\n'
            f'visual_validation: {{tool: "{self.named}"{browser}}}\n',
        )
        write(project.root, {f"{FOLDER}/index.html": PAGE})
        git(self.ground, project.root, "add", "-A")
        git(self.ground, project.root, "commit", "-q", "-m", "page")
        return project


def sites(ground: Ground) -> Iterator[Site]:
    """Yield what there is to measure; LeftOutError where nothing can look at pages."""
    local = INSTALLED / ".bin/agent-browser"
    named = str(local) if local.exists() else "agent-browser"
    found = tool.find(VisualSettings(tool=named), ground.folder, os.environ)
    if found.missing:
        raise LeftOutError(found.missing)
    if not found.browser:  # agent-browser has one of its own, below the person's home folder
        ground = replace(ground, home=Path.home())
    for name, command in _servers().items():
        port = _free_port()
        words = tuple(word.format(port=port) for word in command)
        yield Site(name=name, ground=ground, command=words, port=port, named=named, found=found)


def _servers() -> Mapping[str, tuple[str, ...]]:
    """Return the commands of the servers that are there."""
    python = (sys.executable, "-m", "http.server", "{port}", "--bind", HOST, "--directory", FOLDER)
    vite, node = INSTALLED / "vite/bin/vite.js", shutil.which("node")
    if node is None or not vite.is_file():
        return {"http.server": python}
    return {
        "http.server": python,
        "vite": (node, str(vite), FOLDER, "--host", HOST, "--port", "{port}", "--strictPort", "--clearScreen", "false"),
    }


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as server:
        return int(server.getsockname()[1])


class Spans:
    """How long each step took, in seconds, in the order of their beginning; the same step twice is added up."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def of(self, step: str) -> Iterator[None]:
        """Measure a step."""
        self.seconds.setdefault(step, 0.0)
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[step] += time.perf_counter() - began


def wait_until_gone(processes: Iterable[Seen]) -> None:
    """Wait until none of some processes is alive; RuntimeError where one stays."""
    table = system_table()
    left = {seen.pid: seen.started for seen in processes}
    end = time.monotonic() + PATIENCE
    while left:
        for pid, started in tuple(left.items()):
            seen = table.look(pid)
            if seen is None or seen.zombie or seen.started != started:
                del left[pid]
        if left and time.monotonic() > end:
            raise RuntimeError(f"processes that do not end: {sorted(left)}")
        if left:
            time.sleep(STEP)
