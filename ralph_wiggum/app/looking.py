"""One look at a task's pages, in one browser session: commands in order, each page judged before it is left (O25)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from ralph_wiggum.app.asking import Asking, FailedError
from ralph_wiggum.core.outside_text import plain
from ralph_wiggum.core.servers.standing import Standing
from ralph_wiggum.core.visual import page, places, policy, verdict
from ralph_wiggum.core.visual.commands import Command
from ralph_wiggum.core.visual.page import Rules, Seen
from ralph_wiggum.core.visual.reply import Reply
from ralph_wiggum.core.visual.report import Found
from ralph_wiggum.core.visual.verdict import Failure
from ralph_wiggum.ports import BrowserSession

GRACE_SECONDS = 2.0  # that an element is given to appear: pages draw themselves after they have loaded
GRACE_STEP_SECONDS = 0.25
_PROVOKING = frozenset({("network", "route"), ("set", "offline")})

Viewport = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What is to be looked at: `before` first, then `commands` in order, or without any, each of `pages`.

    The first page is also for commands that open none. `picture` returns where the screenshot of a page goes, by its
    number (0 …) and viewport; `root` is the project's; `baseline` what a picture is compared with, None for nothing.
    """

    before: tuple[Command, ...]
    commands: tuple[Command, ...]
    pages: tuple[str, ...]
    viewports: tuple[Viewport, ...]
    rules: Rules
    root: Path
    standings: tuple[Standing, ...]
    picture: Callable[[int, Viewport | None], Path]
    baseline: Callable[[Path], Path | None]


@dataclass
class Record:
    """What a look has found so far."""

    console: dict[str, tuple[str, ...]] = field(default_factory=dict)
    pictures: list[Path] = field(default_factory=list)
    last_picture: Path | None = None  # of ours, not of the task's own commands
    notes: list[str] = field(default_factory=list)
    commands: int = 0
    pages: int = 0
    seen: Seen | None = None


class Look:
    """Looks once; what it found is in `record`, also after it ended early."""

    def __init__(self, session: BrowserSession, visit: Visit, say: Callable[[str], None]) -> None:
        self._asking = Asking(session)
        self._visit = visit
        self._say = say
        self._address = ""  # of the page that is open; "" for none
        self._opening = ""  # the command that opened it
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
        for command in self._visit.before:
            self._run_before(command)
        if self._visit.before:
            self._forget()
        if self._visit.commands and not _opens_by_itself(self._visit.commands) and self._visit.pages:
            self._open(self._visit.pages[0])
            self._asking.settle(self._address, self._opening)

    def _run_before(self, command: Command) -> None:
        try:
            self._run(command)
        except FailedError as failed:
            words = f"{failed.failures[0].words} (a command of visual_validation.before)"
            raise FailedError(failed.command, [replace(failed.failures[0], words=words)], hangs=failed.hangs) from None

    def _step(self, command: Command) -> None:
        self.record.commands += 1
        if command.navigates and self._address:
            self._judge()
        if not command.closes:  # the session is closed at the end in any case
            self._run(command)

    def _run(self, command: Command) -> None:
        """Run one command of a person's; FailedError with its verdict."""
        self._say(f"agent-browser {command.shown}")
        reply, failure = self._tried(command)
        waited = 0.0
        while failure is not None and failure.may_pass and waited < GRACE_SECONDS:
            waited += self._asking.ask(("wait", f"{GRACE_STEP_SECONDS * 1000:.0f}")).seconds or GRACE_STEP_SECONDS
            reply, failure = self._tried(command)
        if failure is not None:
            raise FailedError(_named(command), [failure], hangs=verdict.hangs(reply), opening=command.navigates)
        if command.navigates:
            self._address, self._opening = _address(command, reply, self._visit.standings), _named(command)

    def _tried(self, command: Command) -> tuple[Reply, Failure | None]:
        reply = Reply(ok=False) if command.error else self._asking.ask(self._made_ready(command))
        return reply, verdict.of(command, reply)

    def _made_ready(self, command: Command) -> tuple[str, ...]:
        """Return what runs of a command: addresses as they are now, the folder of what it writes made."""
        root = self._visit.root
        written = policy.written_path(command.argv)
        for path in filter(None, (written, *policy.read_paths(command.argv))):
            if problem := policy.outside(path, str(root)) or _leads_outside(root / path, root):
                raise FailedError(_named(command), [Failure(words=problem, key=problem)])
        if written:
            if problem := policy.wrong_ending(command.argv, written):
                raise FailedError(_named(command), [Failure(words=problem, key=problem)])
            _make_folder(root / written)
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
        problems = page.problems(seen, rules)
        if picture is not None or problems:
            self._picture(picture or self._first_picture())
        if problems:
            raise FailedError(self._opening, problems, at_page=True)

    def _take(self) -> Seen:
        self.record.seen = self._asking.take(self._address, self._opening)
        return self.record.seen

    def _forget(self) -> None:
        """Forget what the commands before the look caused: a login's pages are not what is judged."""
        self._take()
        self.record.seen = None
        self._address = ""

    def _set_viewport(self, viewport: Viewport) -> None:
        width, height = viewport
        reply = self._asking.ask(("set", "viewport", str(width), str(height)))
        if not reply.ok:
            words = f"the viewport {width}x{height} could not be set: {plain(reply.error)}"
            raise FailedError(f"agent-browser set viewport {width} {height}", [Failure(words=words, key=words)])

    def _picture(self, path: Path) -> None:
        """Keep a screenshot, and say how much it differs from the last accepted one; neither decides anything."""
        _make_folder(path)
        reply = self._asking.ask(("screenshot", str(path)))
        if not reply.ok:
            self.record.notes.append(f"no screenshot: {plain(reply.error)}")
            return
        self.record.pictures.append(path)
        self.record.last_picture = path
        if baseline := self._visit.baseline(path):
            output = baseline.with_name(f"{baseline.stem}.diff{baseline.suffix}")
            reply = self._asking.ask(("diff", "screenshot", "--baseline", str(baseline), "--output", str(output)))
            self.record.notes.append(_difference(reply, path))

    def _first_picture(self) -> Path:
        return self._visit.picture(0, self._visit.viewports[0] if self._visit.viewports else None)

    def _failed(self, failed: FailedError, left: tuple[Command, ...]) -> Found:
        """Return what a look came to that ended early: with what can still be seen, unless the page hangs."""
        if not failed.hangs and not failed.at_page and self._asking.launched:
            with suppress(FailedError):
                self._take()
                self._picture(self._first_picture())
        return replace(
            self._found(),
            command=failed.command,
            failures=failed.failures,
            at_page=failed.at_page,
            not_run=left,
            hung=failed.hangs and not failed.opening,
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


def _opens_by_itself(commands: Sequence[Command]) -> bool:
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


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError:
        return  # the tool says it better, with the path


def _leads_outside(path: Path, root: Path) -> str:
    """Say why a path may not be used although it looks as if it may: a link that leads out of the project."""
    inside = path.resolve().is_relative_to(root.resolve())
    return "" if inside else f"{path.name} leads outside of the project"


def _difference(reply: Reply, path: Path) -> str:
    share = reply.data.get("mismatchPercentage")
    if not reply.ok or not isinstance(share, int | float):
        return f"{path.name} could not be compared with the last accepted screenshot: {plain(reply.error)}"
    if reply.data.get("dimensionMismatch"):
        return f"{path.name} has another size than the last accepted screenshot"
    return f"{path.name}: {share:.1f} % of the pixels differ from the last accepted screenshot"
