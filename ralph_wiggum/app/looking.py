"""One look at a task's pages, in one browser session: commands in order, each page judged before it is left (O25)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ralph_wiggum.app.asking import Asking, FailedError, why
from ralph_wiggum.app.project_paths import is_file, leads_outside, make_folder
from ralph_wiggum.app.visit import Record, Viewport, Visit
from ralph_wiggum.core.outside_text import plain
from ralph_wiggum.core.servers.standing import Standing
from ralph_wiggum.core.visual import masking, page, places, policy, verdict
from ralph_wiggum.core.visual.commands import PROGRAM, Command
from ralph_wiggum.core.visual.masking import Mask
from ralph_wiggum.core.visual.page import Seen
from ralph_wiggum.core.visual.reply import Reply
from ralph_wiggum.core.visual.report import Found
from ralph_wiggum.core.visual.verdict import Failure
from ralph_wiggum.ports import BrowserSession

GRACE_SECONDS = 5.0  # that an element is given to appear: pages draw themselves after they have loaded
GRACE_STEP_SECONDS = 0.25
NO_PICTURE = "no screenshot could be made"
_QUESTIONS = frozenset({"is", "get"})  # a page that is still drawing itself answers them wrongly
# What may lead to another page by intent, so that it is no redirection.
_ACTS = frozenset(
    {
        *("click", "dblclick", "tap", "fill", "press", "key", "type", "keyboard", "mouse", "find", "check", "uncheck"),
        *("select", "eval", "pushstate", "back", "forward", "tab", "window", "drag", "upload", "dialog"),
    }
)
_PROVOKING = frozenset({("network", "route"), ("set", "offline")})


class Look:
    """Looks once; what it found is in `record`, also after it ended early."""

    def __init__(self, session: BrowserSession, visit: Visit, say: Callable[[str], None]) -> None:
        self._asking = Asking(session)
        self._visit = visit
        self._say = say
        self._address = ""  # of the page that is open; "" for none
        self._opening = ""  # the command that opened it
        self._unsettled = False  # it was opened, and not waited for yet
        self._acted = False  # something was done on it since
        self._mask = Mask.of(visit.before)
        self.record = Record()

    @property
    def seconds(self) -> float:
        """Return what all commands took."""
        return self._asking.seconds

    @property
    def launched(self) -> bool:
        """Say whether the browser answered at least once."""
        return self._asking.launched

    def go(self) -> Found:
        """Run everything and return what it came to. StoppedError, TroubleError: there is no result."""
        left: tuple[Command, ...] = self._visit.commands
        try:
            self._prepare()
            if self._visit.commands:
                for place, command in enumerate(self._visit.commands):
                    left = self._visit.commands[place + 1 :]
                    self._step(command)
                self._end_of_commands()
            else:
                self._pages()
        except FailedError as failed:
            return self._failed(failed, left)
        return self._found()

    def _prepare(self) -> None:
        first = self._visit.viewports[:1]
        for viewport in first:
            self._set_viewport(viewport)
        for number, command in enumerate(self._visit.before, 1):
            self._run_for(masking.named(command, number), "a command of visual_validation.before")
        if self._visit.before:
            self._forget()
        if not self._visit.commands or opens_by_itself(self._visit.commands):
            return
        if self._visit.lead:
            self._follow(self._visit.lead)
        elif self._visit.pages:
            self._open(self._visit.pages[0])
        self._settle()

    def _follow(self, lead: Sequence[Command]) -> None:
        """Go to where the tasks before this one left the browser; what their pages did wrong is not this one's."""
        opened = ", ".join(f"`{command.shown}`" for command in lead if command.navigates)
        self.record.notes.append(f"began with the commands of the task(s) before it: {opened}")
        for command in lead:
            if command.closes:
                continue
            if command.navigates and self._address:
                self._forget()
            self._run_for(command, "a command of an earlier task, from which this one goes on")

    def _run_for(self, command: Command, whose: str) -> None:
        """Run a command that is not the task's own; FailedError says whose it is."""
        try:
            self._run(command)
        except FailedError as failed:
            first = failed.failures[0]
            raise FailedError(
                failed.command,
                [replace(first, words=f"{first.words} ({whose})")],
                hangs=failed.hangs,
                opening=failed.opening,
                hopeless=failed.hopeless,
            ) from None

    def _settle(self) -> None:
        """Let a page come to rest that was opened just now."""
        if self._address and self._unsettled:
            self._unsettled = False
            self._asking.settle(self._address, self._opening)

    def _step(self, command: Command) -> None:
        self.record.commands += 1
        if command.navigates and self._address:
            self._judge()
        if not command.closes:  # the session is closed at the end in any case
            self._run(command)

    def _run(self, command: Command) -> None:
        """Run one command of a person's; FailedError with its verdict."""
        if command.argv[:1] and command.argv[0] in _QUESTIONS:
            self._settle()
        self._say(f"{PROGRAM} {command.shown}" if command.text.startswith(PROGRAM) else command.shown)
        reply, failure = self._tried(command)
        waited = 0.0
        while failure is not None and failure.may_pass and waited < GRACE_SECONDS:
            waited += self._asking.ask(("wait", f"{GRACE_STEP_SECONDS * 1000:.0f}")).seconds or GRACE_STEP_SECONDS
            reply, failure = self._tried(command)
        if failure is not None:
            raise FailedError(
                _named(command),
                [failure],
                hangs=verdict.hangs(reply),
                opening=command.navigates,
                hopeless=bool(command.error),  # an agent changes neither the task's text nor the settings
            )
        self._acted = (self._acted or command.argv[0] in _ACTS) and not command.navigates
        if command.navigates:
            self._unsettled = True
            self._address, self._opening = _address(command, reply, self._visit.standings), _named(command)

    def _tried(self, command: Command) -> tuple[Reply, Failure | None]:
        reply = Reply(ok=False) if command.error else self._asking.ask(self._made_ready(command))
        return reply, verdict.of(command, reply)

    def _made_ready(self, command: Command) -> tuple[str, ...]:
        """Return what runs of a command: addresses as they are now, the folder of what it writes made."""
        root = self._visit.root
        written = policy.written_path(command.argv)
        for path in filter(None, (written, *policy.read_paths(command.argv))):
            if problem := policy.outside(path, str(root)) or leads_outside(root / path, root):
                raise FailedError(_named(command), [Failure(words=problem, key=problem)])
        if written:
            if problem := policy.wrong_ending(command.argv, written):
                raise FailedError(_named(command), [Failure(words=problem, key=problem)])
            if problem := make_folder(root / written):
                raise FailedError(_named(command), [Failure(words=problem, key=problem)])
            if command.argv[0] == "screenshot":
                self.record.pictures.append(root / written)
        return places.translated(command.argv, self._visit.standings)

    def _open(self, url: str) -> None:
        self._run(Command(argv=("open", url), text=f"agent-browser open {url}", line=0))

    def _pages(self) -> None:
        """Open every page in every viewport, judge it, keep a picture of it."""
        for viewport in self._visit.viewports or (None,):
            if viewport and viewport != self._visit.viewports[0]:
                self._set_viewport(viewport)
            for number, url in enumerate(self._visit.pages):
                self._open(url)
                self._judge(picture=self._visit.picture(number, viewport))
                self._address = ""

    def _end_of_commands(self) -> None:
        """Judge the page that the commands ended at, in the further viewports too."""
        first = self._visit.viewports[0] if self._visit.viewports else None
        self._judge(picture=self._visit.picture(0, first))
        for viewport in self._visit.viewports[1:]:
            self._set_viewport(viewport)
            self._judge(picture=self._visit.picture(0, viewport))

    def _judge(self, picture: Path | None = None) -> None:
        """Wait for the page to come to rest, take what it shows, and hold it against the rules; FailedError."""
        self._asking.settle(self._address, self._opening)
        seen = self._take()
        self.record.pages += 1
        rules = self._visit.rules
        known = self.record.console.get(seen.path, ())
        self.record.console[seen.path] = tuple(sorted({*known, *page.console_errors(seen, rules)}))
        problems = (*page.problems(seen, rules), *self._sent_on(seen))
        if problems:
            self._picture_if_possible(picture or self._first_picture())
            raise FailedError(self._opening, problems, at_page=True)
        if picture is not None:
            self._picture(picture)

    def _sent_on(self, seen: Seen) -> tuple[Failure, ...]:
        """Judge that a page came that nobody opened: a login in its place is a failure, any other one worth a note."""
        if self._acted or not self._address or not (words := page.sent_on(seen)):
            return ()
        login = page.wants_login(seen)
        if login is not None and not self._expects(page.login_words(seen.url)):
            return (login,)
        if words not in self.record.notes:
            self.record.notes.append(words)
        return ()

    def _expects(self, words: Sequence[str]) -> bool:
        """Say whether the task's commands ask for what came: "wait --url **/login" looks at the redirection itself."""
        asked = [command for command in self._visit.commands if not command.navigates]
        return any(word in " ".join(command.argv).lower() for command in asked for word in words)

    def _take(self) -> Seen:
        self.record.seen = self._mask.seen(self._asking.take(self._address, self._opening))
        self.record.notes.extend(note for note in self._asking.notes if note not in self.record.notes)
        return self.record.seen

    def _forget(self) -> None:
        """Forget what the commands before the look caused: a login's pages are not what is judged."""
        self._take()
        self.record.seen = None
        self._address = ""
        self._acted = False

    def _set_viewport(self, viewport: Viewport) -> None:
        width, height = viewport
        reply = self._asking.ask(("set", "viewport", str(width), str(height)))
        if not reply.ok:
            words = f"the viewport {width}x{height} could not be set: {why(reply)}"
            raise FailedError(
                f"agent-browser set viewport {width} {height}",
                [Failure(words=words, key=words)],
                hangs=verdict.hangs(reply),
            )

    def _picture(self, path: Path) -> None:
        """Keep a screenshot, for without one nobody saw the page; FailedError, also where the page hangs."""
        self._writable(path)
        reply = self._asking.ask_page(("screenshot", str(path)), self._opening)
        if not reply.ok or not is_file(path):
            raise self._no_picture(why(reply))
        self.record.pictures.append(path)
        self.record.last_picture = path
        if baseline := self._visit.baseline(path):
            self._compare(path, baseline)

    def _compare(self, path: Path, baseline: Path) -> None:
        """Say how much a page differs from its last accepted screenshot, which decides nothing."""
        output = baseline.with_name(f"{baseline.stem}.diff{baseline.suffix}")
        self._writable(output)
        argv = ("diff", "screenshot", "--baseline", str(baseline), "--output", str(output))
        self.record.notes.append(_difference(self._asking.ask_page(argv, self._opening), path))

    def _writable(self, path: Path) -> None:
        """Make the folder of a picture of ours; FailedError where it leads out of the project or cannot be made."""
        if problem := leads_outside(path, self._visit.root) or make_folder(path):
            raise self._no_picture(problem)

    def _no_picture(self, problem: str) -> FailedError:
        words = f"{NO_PICTURE}: {problem}"
        return FailedError(self._opening, [Failure(words=words, key=NO_PICTURE)])

    def _picture_if_possible(self, path: Path) -> None:
        """Keep a screenshot of a page that has failed already: that it cannot be had is only worth a note."""
        try:
            self._picture(path)
        except FailedError as failed:
            self.record.notes.append(self._mask.text(failed.failures[0].words))

    def _first_picture(self) -> Path:
        return self._visit.picture(0, self._visit.viewports[0] if self._visit.viewports else None)

    def _failed(self, failed: FailedError, left: tuple[Command, ...]) -> Found:
        """Return what a look came to that ended early: with what can still be seen, unless the page hangs."""
        if not failed.hangs and not failed.at_page and self._asking.launched:
            with suppress(FailedError):
                self._take()
                if failed.failures[0].key != NO_PICTURE:
                    self._picture_if_possible(self._first_picture())
        return replace(
            self._found(),
            command=failed.command,
            failures=tuple(map(self._mask.failure, failed.failures)),
            at_page=failed.at_page,
            not_run=left,
            hung=failed.hangs and not failed.opening,
            hopeless=failed.hopeless,
        )

    def _found(self) -> Found:
        record = self.record
        return Found(
            command=self._opening,
            seen=record.seen,
            commands=record.commands,
            pages=record.pages,
            screenshot=self._shown(record.last_picture) if record.last_picture else "",
            seconds=self._asking.seconds,
            launched=self._asking.launched,
        )

    def _shown(self, path: Path) -> str:
        root = self._visit.root
        return str(path.relative_to(root) if path.is_relative_to(root) else path)


def provokes(commands: Sequence[Command]) -> bool:
    """Say whether commands make requests fail on purpose."""
    return any(command.argv[:2] in _PROVOKING for command in commands)


def opens_by_itself(commands: Sequence[Command]) -> bool:
    """Say whether a page is opened before anything is asked of one; what only sets the browser up may come first."""
    ahead = {"set", "cookies", "network", "state", "auth"}
    for command in commands:
        if command.navigates or command.error or command.argv[:2] == ("tab", "new"):
            return True
        if command.argv[0] not in ahead and not command.closes:
            return False
    return False


def _named(command: Command) -> str:
    return plain(command.text, 300)


def _address(command: Command, reply: Reply, standings: Sequence[Standing]) -> str:
    """Return where a command opened a page: what it asked for, for the browser may have been sent on."""
    asked = policy.positional(places.translated(command.argv, standings)[1:])[0]
    return asked if "://" in asked else str(reply.data.get("url") or asked)


def _difference(reply: Reply, path: Path) -> str:
    share = reply.data.get("mismatchPercentage")
    if not reply.ok or not isinstance(share, int | float):
        return f"{path.name} could not be compared with the last accepted screenshot: {why(reply)}"
    if reply.data.get("dimensionMismatch"):
        return f"{path.name} has another size than the last accepted screenshot"
    return f"{path.name}: {share:.1f} % of the pixels differ from the last accepted screenshot"
