"""Whatever happens to the browser or the runner: the look ends in good order, and nothing is left."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

import pytest

from ralph_wiggum.adapters.browser import leftovers
from ralph_wiggum.adapters.process_table import system_table
from tests.adapters.browser.conftest import Room
from tests.adapters.process_harness import CHECKOUT, marked, wait_until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform != "linux", reason="needs a subreaper"),
]

OPEN = "open http://localhost:5173/"
VISIBLE = "is visible \"[data-testid='go']\""

RUNNER = """
import os, sys
from pathlib import Path
from ralph_wiggum.adapters.browser.agent_browser import AgentBrowser
from ralph_wiggum.adapters.clock import SystemClock
from ralph_wiggum.core.settings import VisualSettings
from tests.adapters.browser.stand_in import Quiet
tool, run_id, url = sys.argv[1:]
browser = AgentBrowser(VisualSettings(tool=tool), Path.cwd(), run_id, SystemClock(), os.environ)
with browser.session(Quiet()) as session:
    print(session.run(("open", url)).ok, flush=True)
    session.run(("wait", "60000"))
"""


def browsers(mark: str) -> Sequence[int]:
    """Return the pids of our Chromium: the main process, not its children."""
    table = system_table()
    programs = {pid: table.program(pid).argv for pid in marked(mark)}
    return [
        pid for pid, argv in programs.items() if any("--user-data-dir" in word for word in argv) and not _child(argv)
    ]


def daemons(mark: str) -> Sequence[int]:
    table = system_table()
    return [
        pid
        for pid in marked(mark)
        if len(table.program(pid).argv) == 1 and "agent-browser" in table.program(pid).argv[0]
    ]


def _child(argv: Sequence[str]) -> bool:
    return any(word.startswith("--type=") for word in argv) or "crashpad" in argv[0]


@pytest.mark.parametrize("find", [browsers, daemons], ids=["Chromium", "the daemon"])
def test_what_is_killed_in_the_middle_is_started_again(room: Room, find: object) -> None:
    killed: list[int] = []

    def kill(text: str) -> None:
        if "is visible" in text and not killed:
            killed.extend(find(room.mark))  # type: ignore[operator]  # one of the two above
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    room.on_say = kill
    looked = room.look(OPEN, VISIBLE)
    assert killed
    assert not looked.failed, looked.gates[-1].excerpt
    assert any("once more, in a fresh session" in text for text in room.said)


def test_a_browser_that_dies_every_time_is_a_failure_with_that_reason(room: Room) -> None:
    def kill(text: str) -> None:
        for pid in browsers(room.mark) if "is visible" in text else ():
            os.kill(pid, signal.SIGKILL)

    room.on_say = kill
    gate = room.gate(OPEN, VISIBLE)
    assert gate.failed
    assert gate.reason == "agent-browser does not work: the browser died: what was open is gone"
    assert not gate.environment


def test_a_browser_that_cannot_start(room: Room) -> None:
    room.setting(browser="/bin/true")
    gate = room.gate(OPEN)
    assert (gate.failed, gate.environment) == (True, True)
    assert gate.reason.startswith("agent-browser does not work: Chrome exited early")


def test_a_page_that_hangs_ends_in_time(room: Room) -> None:
    room.setting(timeout=1.0)
    room.margin = 2.0
    began = time.monotonic()
    gate = room.gate("open http://localhost:5173/loop", "wait 600", VISIBLE)
    assert re.search("the page or its server hangs|the page does not answer", gate.reason)
    assert time.monotonic() - began < 40


def test_a_server_that_never_answers_ends_in_time(room: Room) -> None:
    room.setting(timeout=1.0)
    room.margin = 2.0
    gate = room.gate("open http://localhost:5173/never")
    assert "not answered within 3 s" in gate.reason


def test_a_runner_that_is_killed_leaves_nothing(room: Room) -> None:
    """By SIGKILL, in the middle of a command: all is gone within 5 s (B2)."""
    argv = [sys.executable, "-c", RUNNER, room.settings.tool, room.run_id, room.site]
    with subprocess.Popen(argv, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as runner:
        assert runner.stdout is not None
        assert runner.stdout.readline() == "True\n"
        wait_until(lambda: len(marked(room.mark)) > 3)
        runner.kill()
    wait_until(lambda: not marked(room.mark), seconds=5.0)
    assert leftovers.folder_of(room.run_id).exists()  # nobody was there to remove it: the next start does
    leftovers.remove(room.run_id)
    assert not leftovers.folder_of(room.run_id).exists()
