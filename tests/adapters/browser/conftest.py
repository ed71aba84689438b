"""The real agent-browser with a real Chromium on a site of our own, and a look at what is left of them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from ralph_wiggum.adapters.browser import leftovers
from ralph_wiggum.adapters.browser.agent_browser import AgentBrowser
from ralph_wiggum.adapters.clock import SystemClock
from ralph_wiggum.app.validation import Validation
from ralph_wiggum.core import parse
from ralph_wiggum.core.evidence import Gate
from ralph_wiggum.core.servers.standing import Health, Standing
from ralph_wiggum.core.settings import VisualSettings
from ralph_wiggum.core.visual.looked import Looked
from tests.adapters.browser.stand_in import Quiet
from tests.adapters.process_harness import marked, no_survivors
from tests.browser_tools import need_browser
from tests.fakes import ScriptedServers

SITE = Path(__file__).with_name("site.py")


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """Serve the site and return its address; requests to the port that pages call "refused" are refused."""
    with socket.socket() as held:  # bound and not listening: nobody else gets it
        held.bind(("127.0.0.1", 0))
        argv = [sys.executable, "-S", str(SITE), str(held.getsockname()[1])]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
            process.kill()


@dataclass
class Room:
    """A project whose server is the site, and all that looks at it."""

    root: Path
    site: str
    settings: VisualSettings
    run_id: str
    margin: float = 10.0
    accepted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    on_say: Callable[[str], None] = lambda _: None

    @property
    def mark(self) -> str:
        return f"{self.run_id}/browser"

    @property
    def browser(self) -> AgentBrowser:
        return AgentBrowser(self.settings, self.root, self.run_id, SystemClock(), os.environ, margin=self.margin)

    def setting(self, **values: object) -> None:
        self.settings = replace(self.settings, **values)  # type: ignore[arg-type]  # as named there

    def look(self, *commands: str) -> Looked:
        """Look at a task that holds these commands; their addresses are at the port that the settings wanted."""
        lines = "".join(f"  {line}\n" for line in ("```", *(f"agent-browser {each}" for each in commands), "```"))
        task = parse.parse(f"- [ ] 1. Look\n{lines if commands else ''}").tasks[0]
        standing = Standing(name="web", health=Health.UP, wanted="http://localhost:5173", url=self.site)
        servers = ScriptedServers(standings=(standing,))
        pictures, accepted = self.root / "screenshots" / "demo", self.root / ".ralph" / "accepted"
        validation = Validation(servers, self.browser, self.settings, self.root, pictures, accepted)
        looked = validation.run(task, self.accepted, Quiet(), self._say)
        assert marked(self.mark) == []
        assert not leftovers.folder_of(self.run_id).exists()
        return looked

    def gate(self, *commands: str) -> Gate:
        return self.look(*commands).gates[-1]

    def page(self, path: str) -> Gate:
        """Look at one page, without commands."""
        self.setting(pages=(path,))
        return self.gate()

    def _say(self, text: str) -> None:
        self.said.append(text)
        self.on_say(text)


@pytest.fixture
def room(site: str, tmp_path: Path) -> Iterator[Room]:
    program, _ = need_browser()
    run_id = f"t{os.getpid()}-{tmp_path.name}"[:36]
    made = Room(tmp_path, site, VisualSettings(tool=program, timeout=10.0), run_id)
    with no_survivors(made.mark):
        yield made
    leftovers.remove(run_id)
