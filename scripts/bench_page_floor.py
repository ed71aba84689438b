"""What server and agent-browser take by themselves: started by hand, asked by hand, closed by hand."""

from __future__ import annotations

import http.client
import os
import secrets
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench_site import HOST, PATIENCE, Site, Spans, wait_until_gone

from ralph_wiggum.adapters.browser import leftovers
from ralph_wiggum.adapters.browser.environment import config_of, environment
from ralph_wiggum.adapters.keeper import sweep
from ralph_wiggum.adapters.process_table import MARK, Seen, system_table
from ralph_wiggum.core.settings import VisualSettings

POLL_SECONDS = 0.02
FLOOR = "by hand: Popen, a poll each 20 ms, the three commands, screenshot, close"


def by_hand(site: Site, root: Path) -> Spans:
    """Do it once and return what each step took; looking for processes is no step. Nothing is left running."""
    mark, spans = f"bench-{secrets.token_hex(4)}", Spans()
    with ExitStack() as undo:
        undo.callback(leftovers.remove, mark)
        folder = leftovers.make(mark)
        undo.callback(sweep, {mark}, below=True)
        server = undo.enter_context(_server(site, root, mark, spans))
        browser = _Browser(site, root, folder, mark)
        for words in site.commands:
            with spans.of(words[0]):
                browser.ask(*words)
        with spans.of("screenshot"):
            browser.ask("screenshot", str(folder / "page.png"))
        family = browser.family()
        with spans.of("close"):
            browser.ask("close")
            wait_until_gone(family.values())
        with spans.of("server ended"):
            server.terminate()
            server.wait(PATIENCE)
    return spans


@contextmanager
def _server(site: Site, root: Path, mark: str, spans: Spans) -> Iterator[subprocess.Popen[bytes]]:
    """Start the server and wait for its first good answer; it is killed at the end if it still runs."""
    env = {**site.ground.environment(), MARK: f"{mark}/server"}
    with spans.of("server up"):
        server = subprocess.Popen(
            site.command,
            cwd=root,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_for_answer(site, server)
        except BaseException:
            server.kill()
            server.wait()
            raise
    try:
        yield server
    finally:
        server.kill()
        server.wait()


def _wait_for_answer(site: Site, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE
    while not _answers(site):
        if server.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"{site.name} does not come up (exit code {server.returncode})")
        time.sleep(POLL_SECONDS)


def _answers(site: Site) -> bool:
    connection = http.client.HTTPConnection(HOST, site.port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


class _Browser:
    """agent-browser as a script would call it, with the Chromium flags of ours, in a session of its own."""

    def __init__(self, site: Site, root: Path, folder: Path, mark: str) -> None:
        config_of(folder).write_text("{}", encoding="utf-8")
        self._program = site.found.program
        self._root = root
        self._said = folder / "said"
        self._mark = mark
        self._env = environment(
            site.ground.environment(),
            VisualSettings(),
            folder,
            browser=site.found.browser,
            session=mark,
            mark=mark,
        )

    def ask(self, *words: str) -> None:
        """Run one command; RuntimeError where it fails, or answers that something is not visible."""
        with self._said.open("wb") as said:  # no pipe: the daemon would hold it open
            done = subprocess.run(
                (self._program, "--json", *words),
                cwd=self._root,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                timeout=PATIENCE,
                check=False,
            )
        text = self._said.read_text(errors="replace")
        if done.returncode or '"visible":false' in text:
            raise RuntimeError(f"agent-browser {' '.join(words)}: {text[-500:]}")

    def family(self) -> Mapping[int, Seen]:
        """Return the daemon with all its Chromium: what has to be gone at the end."""
        table = system_table()
        found = {pid: seen for pid, seen in table.marked({self._mark}).items() if pid != os.getpid()}
        return found | {below: seen for pid in found for below, seen in table.below(pid).items()}
