"""agent-browser behind the Browser port: found, run in sessions of its own, and gone afterwards (O25)."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from ralph_wiggum.adapters.browser import leftovers, tool
from ralph_wiggum.adapters.browser.environment import config_of, environment
from ralph_wiggum.adapters.browser.session import MARGIN_SECONDS, Session
from ralph_wiggum.adapters.keeper import Keeper, sweep
from ralph_wiggum.adapters.process import Family
from ralph_wiggum.core.settings import VisualSettings
from ralph_wiggum.ports import Clock, Watcher


class AgentBrowser:
    """Runs agent-browser for one run of the runner; its processes carry the mark `<run_id>/browser`.

    `env` is the runner's own environment, `wakeup` as in Family; `margin` is what a command may take beyond the tool's
    own limit before the runner ends it, in seconds. Each session has a keeper of its own: daemon,
    Chromium and its crash handlers leave every process group and session, but not the keeper, and end with it also
    when the runner is killed.
    """

    def __init__(
        self,
        settings: VisualSettings,
        root: Path,
        run_id: str,
        clock: Clock,
        env: Mapping[str, str],
        wakeup: int | None = None,
        *,
        margin: float = MARGIN_SECONDS,
    ) -> None:
        self._settings = settings
        self._root = root
        self._run_id = run_id
        self._mark = f"{run_id}/browser"
        self._clock = clock
        self._env = env
        self._wakeup = wakeup
        self._margin = margin

    @property
    def missing(self) -> str:
        """Return what is not there, with the command that installs it; looked for anew each time, in a millisecond."""
        return tool.find(self._settings, self._root, self._env).missing

    @contextmanager
    def session(self, watcher: Watcher) -> Iterator[Session]:
        """Open a session with nothing in it; when it is left, its daemon and its Chromium are gone, in every case.

        RalphError where no private folder can be made.
        """
        found = tool.find(self._settings, self._root, self._env)
        with ExitStack() as undo:
            undo.callback(leftovers.remove, self._run_id)
            folder = leftovers.make(self._run_id)
            with suppress(OSError):  # a full disk: the tool then says so itself
                config_of(folder).write_text("{}", encoding="utf-8")
            keeper = Keeper.start()
            undo.callback(keeper.close)
            undo.callback(self._sweep, keeper, keeper.identity)
            family = Family(keeper, self._clock, self._wakeup)
            undo.callback(family.end)
            session = Session(
                found.program or self._settings.tool,
                family,
                watcher,
                root=self._root,
                env=environment(
                    self._env,
                    self._settings,
                    folder,
                    browser=found.browser,
                    session=f"ralph-{secrets.token_hex(3)}",
                    mark=self._mark,
                ),
                folder=folder,
                timeout=self._settings.timeout,
                margin=self._margin,
            )
            yield session
            session.close()  # politely; after an exception, what is left is ended without a word

    def _sweep(self, keeper: Keeper, first: str) -> None:
        """End what a keeper that was killed has left; `first` is the identity that it began with."""
        if not keeper.alive or keeper.identity != first:
            sweep({self._mark})
