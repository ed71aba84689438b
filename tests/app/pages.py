"""A browser in memory: pages with what is on them, and a session that plays agent-browser on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ralph_wiggum.core.visual.page import Request
from ralph_wiggum.core.visual.reply import Reply
from ralph_wiggum.ports import Watcher

MISSING = "Element not found. Verify the selector is correct and the element exists in the DOM."


@dataclass(frozen=True)
class Page:
    """One page. `elements` maps a selector to whether it is visible; `late` appear after so many looks."""

    status: int = 200
    title: str = "Page"
    text: int = 10
    elements: Mapping[str, bool] = field(default_factory=dict)
    late: int = 0
    console: tuple[str, ...] = ()
    uncaught: tuple[str, ...] = ()
    requests: tuple[Request, ...] = ()
    busy: int = 0  # looks during which a request is under way
    hangs: bool = False
    lands: str = ""  # the address that it sends the browser on to
    snapshot: str = ""


@dataclass
class PageBrowser:
    """Satisfies ports.Browser; `trouble` are replies that the sessions give at first, one a session."""

    pages: Mapping[str, Page]
    root: Path = Path()
    missing: str = ""
    records: bool = True  # can tell what pages requested
    forgets: bool = True  # clears uncaught errors when told to, as 0.41 does
    trouble: list[Reply] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    sessions: int = 0
    open: int = 0
    answer: Callable[[Sequence[str]], Reply | None] = lambda _: None

    @contextmanager
    def session(self, watcher: Watcher) -> Iterator[PageSession]:
        self.sessions += 1
        self.open += 1
        try:
            yield PageSession(self, watcher, self.trouble.pop(0) if self.trouble else None)
        finally:
            self.open -= 1


class PageSession:
    """Plays the commands that the runner gives by itself, and those of the tests' tasks."""

    def __init__(self, browser: PageBrowser, watcher: Watcher, trouble: Reply | None) -> None:
        self._browser = browser
        self._watcher = watcher
        self._trouble = trouble
        self._url = "about:blank"
        self._page = Page(text=0)
        self._looks = 0
        self._console: list[str] = []
        self._uncaught: list[str] = []
        self._requests: list[Request] = []

    def run(self, argv: Sequence[str]) -> Reply:
        self._browser.calls.append(" ".join(argv))
        if self._watcher.stop_reason():
            return Reply(ok=False, stopped=True)
        if self._trouble is not None:
            return self._trouble
        return self._browser.answer(argv) or self._played(list(argv))

    def run_all(self, commands: Sequence[Sequence[str]]) -> tuple[Reply, ...]:
        return tuple(map(self.run, commands))

    def requests(self) -> tuple[Request, ...] | None:
        if not self._browser.records:
            return None
        requests, self._requests = tuple(self._requests), []
        return requests

    def _played(self, argv: list[str]) -> Reply:  # noqa: PLR0911, PLR0912 - a table of commands
        if self._page.hangs and argv[0] != "open":
            return Reply(ok=False, error="CDP command timed out: Runtime.evaluate", seconds=0.5)
        match argv:
            case ["open", url]:
                return self._opened(url)
            case ["eval", *_]:
                self._looks += 1
                return self._yes(result=self._told())
            case ["console"]:
                return self._yes(messages=[{"type": "error", "text": text} for text in self._console])
            case ["console", "--clear"]:
                self._console.clear()
            case ["errors"]:
                return self._yes(errors=[{"text": text} for text in self._uncaught])
            case ["errors", "--clear"]:
                if not self._browser.forgets:
                    return self._yes(errors=[{"text": text} for text in self._uncaught])
                self._uncaught.clear()
                return self._yes(cleared=True)
            case ["network", "requests"]:
                waiting = [{"url": "http://x/slow", "resourceType": "Fetch"}] if self._looks < self._page.busy else []
                return self._yes(requests=waiting)
            case ["snapshot", *_]:
                return self._yes(snapshot=self._page.snapshot or f'- heading "{self._page.title}"')
            case ["screenshot", *path]:
                if path:
                    (self._browser.root / path[-1]).write_bytes(b"png")
            case ["wait", *_]:
                return Reply(ok=True, seconds=0.1)
            case ["diff", "screenshot", *_]:
                return self._yes(mismatchPercentage=1.25)
            case ["is", "visible" as what, selector]:
                self._looks += 1
                shown = self._page.elements.get(selector)
                return (
                    self._no(MISSING) if shown is None else self._yes(**{what: shown and self._looks > self._page.late})
                )
            case ["click", selector] if selector not in self._page.elements:
                return self._no(MISSING)
        return self._yes()

    def _opened(self, url: str) -> Reply:
        page = self._browser.pages.get(url)
        if page is None:
            return self._no("Navigation failed: net::ERR_CONNECTION_REFUSED")
        self._url, self._page, self._looks = page.lands or url, page, 0
        self._console.extend(page.console)
        self._uncaught.extend(page.uncaught)
        self._requests.extend((Request(url=url, kind="document", status=page.status), *page.requests))
        return self._yes(url=url, title=page.title)

    def _told(self) -> dict[str, Any]:
        return {"url": self._url, "title": self._page.title, "state": "complete", "text": self._page.text, "things": 0}

    def _yes(self, **data: Any) -> Reply:
        return Reply(ok=True, data=data, seconds=0.01)

    def _no(self, error: str) -> Reply:
        return Reply(ok=False, error=error, seconds=0.01)
