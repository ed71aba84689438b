"""One validation by the real adapters, in this process: as wiring puts them together, or with a watch on each step."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from bench_ground import Project
from bench_site import Site, Spans, wait_until_gone

from ralph_wiggum import request as requests
from ralph_wiggum import wiring
from ralph_wiggum.adapters import settings_file
from ralph_wiggum.adapters.agents import catalogue
from ralph_wiggum.adapters.browser.agent_browser import AgentBrowser
from ralph_wiggum.adapters.clock import Interrupts, SystemClock
from ralph_wiggum.adapters.keeper import Keeper
from ralph_wiggum.adapters.process_table import system_table
from ralph_wiggum.adapters.project import claim_state, open_spec
from ralph_wiggum.adapters.run_id import new_run_id
from ralph_wiggum.app.order import Validator
from ralph_wiggum.app.validation import Validation
from ralph_wiggum.app.view import PlainView
from ralph_wiggum.core.evidence import Gate
from ralph_wiggum.core.servers.standing import Standing
from ralph_wiggum.core.visual.page import Request
from ralph_wiggum.core.visual.reply import Reply
from ralph_wiggum.ports import Browser, BrowserSession, Servers, Watcher


def by_ralph(site: Site, project: Project) -> float:
    """Bring the server up, look at the page, end everything; return the seconds."""
    with _bench(site, project) as bench:
        began = time.perf_counter()
        bench.look(bench.parts.ports.validator)
        bench.parts.servers.stop()
        bench.wait_until_gone()
        return time.perf_counter() - began


def step_by_step(site: Site, project: Project) -> Spans:
    """Do the same with a watch on each step; return what each took, what is no step of theirs as "else"."""
    with _bench(site, project) as bench:
        spans = Spans()
        validator = bench.watched(spans)
        with spans.of("else"):
            bench.look(validator)
        spans.seconds["else"] -= sum(taken for step, taken in spans.seconds.items() if step != "else")
        with spans.of("server ended"):
            bench.parts.servers.stop()
            bench.wait_until_gone()
        return spans


@contextmanager
def _bench(site: Site, project: Project) -> Iterator[_Bench]:
    """Put the adapters of a run together; nothing of them is left at the end."""
    with ExitStack() as undo:
        keeper = Keeper.start()
        undo.callback(keeper.close)
        interrupts = undo.enter_context(Interrupts())
        bench = _Bench(site, project, keeper, interrupts)
        undo.callback(bench.parts.servers.stop)
        yield bench
        if interrupts.reason:
            raise KeyboardInterrupt


class _Bench:
    """A run's adapters, with its one task and who watches."""

    def __init__(self, site: Site, project: Project, keeper: Keeper, interrupts: Interrupts) -> None:
        environ = site.ground.environment()
        opened = open_spec(project.root, "demo")
        claim_state(opened)
        settings = settings_file.load(project.root, environ=environ)
        self._clock = SystemClock(interrupts.fileno())
        self._run_id = new_run_id(self._clock.now())
        self._interrupts = interrupts
        self._request = requests.Request(
            project=opened,
            settings=settings,
            agents=catalogue.choose_agents(settings, environ.get("PATH")),
            max_iterations=1,
            environ=environ,
        )
        view = PlainView(io.StringIO(), self._clock)
        self.parts = wiring.assemble(self._request, self._run_id, keeper, view, interrupts)

    def look(self, validator: Validator) -> None:
        """Look at the page of the one task; RuntimeError where that does not pass."""
        (task,) = self.parts.ports.spec.plan().tasks
        looked = validator.run(task, {}, _Tending(self.parts.servers, self._interrupts), lambda _: None)
        if looked.failed or not looked.screenshots:
            raise RuntimeError(f"the page was not found good: {[gate.reason for gate in looked.gates]}")

    def watched(self, spans: Spans) -> Validation:
        """Return a validation as wiring makes it, with a watch on what it asks of its servers and its browser."""
        project, settings = self._request.project, self._request.settings
        browser = AgentBrowser(
            settings.visual,
            project.root,
            self._run_id,
            self._clock,
            self._request.environ,
            self._interrupts.fileno(),
        )
        return Validation(
            _WatchedServers(self.parts.servers, spans),
            _WatchedBrowser(browser, spans),
            settings.visual,
            project.root,
            wiring.screenshots(project, settings),
            project.state / "accepted",
        )

    def wait_until_gone(self) -> None:
        """Wait until no process of the run is alive."""
        wait_until_gone(system_table().marked({self._run_id}, below=True).values())


class _Tending:
    """A watcher as runs have it: it looks after the servers, and a signal stops it."""

    def __init__(self, servers: Servers, interrupts: Interrupts) -> None:
        self._servers = servers
        self._interrupts = interrupts

    def output(self, text: str) -> None:
        """Show nothing."""

    def tick(self) -> None:
        """Look after the servers."""
        self._servers.tend()

    def stop_reason(self) -> str | None:
        """Return the signal that came."""
        return self._interrupts.reason or None


class _WatchedServers:
    """Servers, with a watch on how long they take to come up."""

    def __init__(self, servers: Servers, spans: Spans) -> None:
        self._servers = servers
        self._spans = spans

    @property
    def standings(self) -> Sequence[Standing]:
        """Return how they stand."""
        return self._servers.standings

    def ensure(self, watcher: Watcher, *, tree: str = "") -> tuple[Gate, ...]:
        """Bring them up."""
        with self._spans.of("server up"):
            return self._servers.ensure(watcher, tree=tree)

    def tend(self) -> tuple[str, ...]:
        """Look after them."""
        return self._servers.tend()

    def stop(self) -> None:
        """End them."""
        self._servers.stop()


class _WatchedBrowser:
    """A browser, with a watch on the beginning and the end of its sessions."""

    def __init__(self, browser: Browser, spans: Spans) -> None:
        self._browser = browser
        self._spans = spans

    @property
    def missing(self) -> str:
        """Return what is not there."""
        with self._spans.of("search"):
            return self._browser.missing

    @contextmanager
    def session(self, watcher: Watcher) -> Iterator[BrowserSession]:
        """Open a session."""
        with ExitStack() as ending:
            with self._spans.of("session"):
                opened = ExitStack()
                session = opened.enter_context(self._browser.session(watcher))
            ending.enter_context(self._closing(opened))
            yield _WatchedSession(session, self._spans)

    @contextmanager
    def _closing(self, opened: ExitStack) -> Iterator[None]:
        with opened:
            yield
            with self._spans.of("close"):
                opened.close()


class _WatchedSession:
    """A session, with a watch on its commands."""

    def __init__(self, session: BrowserSession, spans: Spans) -> None:
        self._session = session
        self._spans = spans

    def run(self, argv: Sequence[str]) -> Reply:
        """Run one command."""
        with self._spans.of(argv[0]):
            return self._session.run(argv)

    def run_all(self, commands: Sequence[Sequence[str]]) -> tuple[Reply, ...]:
        """Run several commands."""
        first = commands[0][0]
        step = "settle" if first == "wait" else "evidence" if len(commands) > 1 else first
        with self._spans.of(step):
            return self._session.run_all(commands)

    def requests(self) -> tuple[Request, ...] | None:
        """Return what was requested."""
        with self._spans.of("requests"):
            return self._session.requests()
