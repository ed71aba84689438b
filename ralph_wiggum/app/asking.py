"""Questions to a browser session, and what may come instead of an answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ralph_wiggum.core.outside_text import plain
from ralph_wiggum.core.visual import page, probe, verdict
from ralph_wiggum.core.visual.page import Seen
from ralph_wiggum.core.visual.reply import Reply
from ralph_wiggum.core.visual.verdict import Failure
from ralph_wiggum.ports import BrowserSession

NO_REASON = "it gave no reason"
SETTLE_SECONDS = 5.0  # that a page is given to show something, after it has loaded
ANSWER_SECONDS = 15.0  # that it is given in all while it still waits for answers of its server

_NAMED = 3  # requests
_PAUSES = (50, 150, 150, 250)  # milliseconds before each look at a page that settles; the last one again and again
_TIMED_OUT = re.compile(r"time(?:d |-)?out", re.IGNORECASE)  # of the runner's own questions, that wait for nothing
_EVIDENCE = (
    probe.COMMAND,
    ("console",),
    ("console", "--clear"),
    ("errors",),
    ("errors", "--clear"),
    ("snapshot", "-c"),
)


class StoppedError(Exception):
    """A person asked for the end."""


class TroubleError(Exception):
    """The tool or its browser failed, not the page."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.error)
        self.reply = reply


class FailedError(Exception):
    """A step failed, or (`at_page`) a page is not as it has to be: nothing more is run.

    `hangs`: what is open does not answer, so it is not asked again; `opening`: it was being opened.
    `hopeless`: no attempt of an agent can change it.
    """

    def __init__(
        self,
        command: str,
        failures: Sequence[Failure],
        *,
        at_page: bool = False,
        hangs: bool = False,
        opening: bool = False,
        hopeless: bool = False,
    ) -> None:
        super().__init__(command)
        self.command = command
        self.failures = tuple(failures)
        self.at_page = at_page
        self.hangs = hangs
        self.opening = opening
        self.hopeless = hopeless


class Asking:
    """Asks a session: answers come back, anything else is raised. `seconds` is what all of it took."""

    def __init__(self, session: BrowserSession) -> None:
        self._session = session
        self._errors_kept = 0  # uncaught errors of earlier pages that agent-browser 0.27 does not forget
        self.seconds = 0.0
        self.launched = False
        self.notes: list[str] = []

    def ask(self, argv: Sequence[str]) -> Reply:
        """Run one command; StoppedError, TroubleError."""
        return self._heard((self._session.run(argv),))[0]

    def settle(self, address: str, opening: str) -> None:
        """Look at a page until it shows something, nothing is under way and nothing changed since the last look.

        `opening` is the command that opened it, for FailedError: a page that does not answer. One that does not come
        to rest is judged as it is then, and a note says so.
        """
        before: Seen | None = None
        spent = 0.0
        pauses = [*_PAUSES]
        while spent < (ANSWER_SECONDS if before is not None and before.requests else SETTLE_SECONDS):
            pause = pauses.pop(0) if len(pauses) > 1 else pauses[0]
            replies = self._ask_all((("wait", str(pause)), probe.COMMAND, ("network", "requests")), opening)
            spent += max(pause / 1000, sum(reply.seconds for reply in replies))
            answered = probe.read(address, replies[1])
            if answered is None:
                before = None
                continue
            now = replace(answered.seen, requests=probe.waiting(replies[2], answered.ended))
            if answered.complete and before is not None and page.settled(before, now):
                return
            before = now
        waits = ", ".join(plain(request.url, 100) for request in (before.requests if before else ())[:_NAMED])
        why_not = f"still waiting for {waits}" if waits else "it went on changing, or showed nothing"
        self.notes.append(f"{plain(address, 100)} did not come to rest in {spent:.0f} s: {why_not}")

    def take(self, address: str, opening: str) -> Seen:
        """Return what is to be known of a page, and begin anew for the next one."""
        told, console, _, uncaught, cleared, snapshot = self._ask_all(_EVIDENCE, opening)
        errors = self._new_errors(uncaught, cleared)
        requests = self._session.requests()
        if requests is None:
            self.notes.append("nobody could tell what the page requested: failed requests were not looked for")
            requests = ()
        return probe.evidence(probe.read(address, told), address, console, errors, snapshot, requests)

    def _new_errors(self, uncaught: Reply, cleared: Reply) -> Reply:
        """Return the uncaught errors of this page alone: not every version of the tool forgets the earlier ones."""
        errors = uncaught.data.get("errors")
        listed = errors if isinstance(errors, list) else []
        kept, self._errors_kept = self._errors_kept, 0 if cleared.data.get("cleared") else len(listed)
        return Reply(ok=uncaught.ok, data={"errors": listed[kept:]})

    def ask_page(self, argv: Sequence[str], opening: str) -> Reply:
        """Ask a page one thing; FailedError where it does not answer, for then it hangs."""
        return self._ask_all((argv,), opening)[0]

    def _ask_all(self, commands: Sequence[Sequence[str]], opening: str) -> tuple[Reply, ...]:
        replies = self._heard(self._session.run_all(commands))
        if hanging := next(filter(_hangs, replies), None):
            words = f"the page does not answer: {why(hanging)}"
            raise FailedError(opening, [Failure(words=words, key="not answered in time")], hangs=True)
        return replies

    def _heard(self, replies: tuple[Reply, ...]) -> tuple[Reply, ...]:
        for reply in replies:
            self.seconds += reply.seconds
            if reply.stopped:
                raise StoppedError
            if reply.broken:
                raise TroubleError(reply)
        self.launched = True
        return replies


def why(reply: Reply) -> str:
    """Return why a command failed, on one line that is never empty."""
    return plain(reply.error) or NO_REASON


def _hangs(reply: Reply) -> bool:
    """Say whether a page left one of the runner's own questions unanswered."""
    return verdict.hangs(reply) or (not reply.ok and bool(_TIMED_OUT.search(reply.error)))
