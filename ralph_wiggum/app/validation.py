"""Visual validation of a task (O23, O25, O26): servers up, a browser, the task's commands or its pages, a gate."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ralph_wiggum.app.asking import NO_REASON, FailedError, StoppedError, TroubleError
from ralph_wiggum.app.looking import Look, opens_by_itself, provokes
from ralph_wiggum.app.project_paths import is_file, leads_outside
from ralph_wiggum.app.visit import Record, Viewport, Visit
from ralph_wiggum.core import check_gate, keys
from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.evidence import Gate, GateStatus
from ralph_wiggum.core.model import Task
from ralph_wiggum.core.outside_text import plain
from ralph_wiggum.core.settings import VisualSettings
from ralph_wiggum.core.visual import commands, places, report, wanted
from ralph_wiggum.core.visual.commands import Command, Script
from ralph_wiggum.core.visual.looked import Looked
from ralph_wiggum.core.visual.masking import Mask
from ralph_wiggum.core.visual.page import Rules
from ralph_wiggum.core.visual.report import Found
from ralph_wiggum.core.visual.verdict import Failure
from ralph_wiggum.ports import Browser, Servers, Watcher

TRIES = 2  # where the tool itself fails, in a fresh session each


class Validation:
    """Looks at the pages of visual tasks.

    Pictures go to `screenshots`, those of the last accepted look to `accepted`; both are absolute, below `root`.
    """

    def __init__(
        self,
        servers: Servers,
        browser: Browser,
        settings: VisualSettings,
        root: Path,
        screenshots: Path,
        accepted: Path,
    ) -> None:
        self._servers = servers
        self._browser = browser
        self._settings = settings
        self._root = root
        self._screenshots = screenshots
        self._accepted = accepted

    @property
    def missing(self) -> str:
        """Return what pages cannot be looked at without, and how to install it; "" if all is there."""
        return self._browser.missing

    def run(
        self,
        task: Task,
        accepted: Mapping[str, tuple[str, ...]],
        watcher: Watcher,
        say: Callable[[str], None],
        *,
        tree: str = "",
        earlier: Sequence[Task] = (),
    ) -> Looked:
        """Look at a task's pages; `accepted` are the console errors that do not count, by page.

        `tree` is the state of the work tree that the servers have to show. `earlier` are the tasks before it, in order:
        where its own commands open no page, they go on from where those left the browser.

        Where a server went down or was started again meanwhile, a page that failed is looked at once more: then either
        the page is to blame, or the server's own gate.
        """
        gone_on_from = _lead_in(task, earlier)
        looked, shaken = self._attempt(task, gone_on_from, accepted, watcher, say, tree)
        if looked.failed and shaken:
            say("a server went down meanwhile; once more")
            looked, _ = self._attempt(task, gone_on_from, accepted, watcher, say, tree)
        return looked

    def _attempt(
        self,
        task: Task,
        lead: tuple[Command, ...],
        accepted: Mapping[str, tuple[str, ...]],
        watcher: Watcher,
        say: Callable[[str], None],
        tree: str,
    ) -> tuple[Looked, bool]:
        """Bring the servers up and look; return what was found, and whether a server did not stay as it was."""
        gates = self._servers.ensure(watcher, tree=tree)
        before = self._servers_now()
        looked = self._with_servers(gates, task, lead, accepted, watcher, say)
        return looked, before != self._servers_now()

    def _servers_now(self) -> tuple[tuple[str, int, int, str], ...]:
        return tuple((each.name, each.pid, each.restarts, each.health.value) for each in self._servers.standings)

    def _with_servers(
        self,
        gates: tuple[Gate, ...],
        task: Task,
        lead: tuple[Command, ...],
        accepted: Mapping[str, tuple[str, ...]],
        watcher: Watcher,
        say: Callable[[str], None],
    ) -> Looked:
        if any(gate.failed for gate in gates):
            return Looked(gates=(*gates, report.not_run(report.SERVERS_DOWN)))
        if watcher.stop_reason() or any(gate.status is GateStatus.NOT_RUN for gate in gates):
            return Looked(gates=(*gates, report.not_run(check_gate.STOPPED)))
        if missing := self._browser.missing:
            return Looked(gates=(*gates, report.failed(missing, hopeless=True)))
        script = wanted.commands_of(task)
        visit = self._visit(task, lead, script, accepted)
        if not visit.pages and not any(command.navigates for command in (*lead, *script.commands)):
            return Looked(gates=(*gates, report.failed(report.NOWHERE, hopeless=True)))
        return self._looked(gates, visit, script, watcher, say)

    def _visit(
        self, task: Task, lead: tuple[Command, ...], script: Script, accepted: Mapping[str, tuple[str, ...]]
    ) -> Visit:
        settings, standings = self._settings, tuple(self._servers.standings)
        name = keys.file_name(task.key)
        return Visit(
            before=commands.of_lines(settings.before).commands,
            lead=lead,
            commands=script.commands,
            pages=places.pages(settings.pages, standings),
            viewports=settings.viewports,
            rules=Rules(
                accepted=accepted,
                ignore_console=settings.ignore_console,
                ignore_requests=settings.ignore_requests,
                strict=not script.commands,
                provoked=provokes(script.commands),
            ),
            root=self._root,
            standings=standings,
            picture=lambda number, viewport: self._screenshots / self._picture_name(name, number, viewport),
            baseline=self._baseline,
        )

    def _picture_name(self, name: str, number: int, viewport: Viewport | None) -> str:
        """Return the name of a screenshot: the task's, with the page's number and viewport where there are several."""
        further = viewport is not None and viewport != self._settings.viewports[0]
        size = f"@{viewport[0]}x{viewport[1]}" if viewport and further else ""
        return f"{name}{f'-{number + 1}' if number else ''}{size}.png"

    def _baseline(self, picture: Path) -> Path | None:
        """Return the last accepted screenshot that this one is compared with, where there is one and it is wanted."""
        path = self._accepted / picture.name
        return path if self._settings.compare and is_file(path) else None

    def _looked(
        self, gates: tuple[Gate, ...], visit: Visit, script: Script, watcher: Watcher, say: Callable[[str], None]
    ) -> Looked:
        record, found = Record(), Found()
        for tried in range(1, TRIES + 1):
            try:
                record, found = self._look(visit, watcher, say)
            except StoppedError:
                return Looked(gates=(*gates, report.not_run(check_gate.STOPPED)))
            if not (found.broken or found.hung) or tried == TRIES:
                break
            say(f"{found.failures[0].words}; once more, in a fresh session")
        gate = report.gate(found, self._servers.standings)
        mask = Mask.of(visit.before)  # a server may log what it was sent
        gate = replace(gate, reason=mask.text(gate.reason), excerpt=mask.text(gate.excerpt))
        pictures = tuple(dict.fromkeys(path for path in record.pictures if is_file(path)))
        if not gate.failed:
            self._accept(pictures)
        return Looked(
            gates=(*gates, gate),
            screenshots=tuple(
                str(path.relative_to(self._root)) for path in pictures if path.is_relative_to(self._root)
            ),
            console=record.console,
            notes=(*script.notes, *record.notes),
        )

    def _look(self, visit: Visit, watcher: Watcher, say: Callable[[str], None]) -> tuple[Record, Found]:
        """Look once, in a session of its own; trouble of the tool is a result too: `broken`."""
        look: Look | None = None
        try:
            with self._browser.session(watcher) as session:
                look = Look(session, visit, say)
                found = look.go()
        except (TroubleError, FailedError) as error:
            mask = Mask.of(visit.before)
            return self._trouble(look, mask.text(plain(str(error), 400)) or NO_REASON)
        except RalphError as error:  # no private folder could be made
            return self._trouble(look, f"{error}: {error.hint}")
        return look.record, found

    def _trouble(self, look: Look | None, error: str) -> tuple[Record, Found]:
        record = look.record if look else Record()
        words = f"agent-browser does not work: {error}"
        found = Found(
            command="agent-browser",
            failures=(Failure(words=words, key=words),),
            at_page=True,
            commands=record.commands,
            pages=record.pages,
            seconds=look.seconds if look else 0.0,
            broken=True,
            launched=look is not None and look.launched,
        )
        return record, found

    def _accept(self, pictures: tuple[Path, ...]) -> None:
        """Keep the pictures of a look that passed, for the next one to be compared with; a full disk spoils nothing."""
        with suppress(OSError, ValueError):
            self._accepted.mkdir(parents=True, exist_ok=True)
            for picture in pictures:
                kept = self._accepted / picture.name
                if picture.is_relative_to(self._screenshots) and not leads_outside(kept, self._root):
                    shutil.copyfile(picture, kept)


def _lead_in(task: Task, earlier: Sequence[Task]) -> tuple[Command, ...]:
    """Return the commands of earlier tasks that this one's go on from; () where they open a page by themselves."""
    own = wanted.commands_of(task).commands
    return () if not own or opens_by_itself(own) else wanted.lead_in(task, earlier)
