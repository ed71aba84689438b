"""One session of agent-browser: commands one by one, each with a limit, and what its pages requested."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from ralph_wiggum.adapters.browser import answer
from ralph_wiggum.adapters.browser.answer import HAR_LARGEST, Heard, broken
from ralph_wiggum.adapters.process import Ended, Family, Start
from ralph_wiggum.core.evidence import Ending
from ralph_wiggum.core.settings import Limits
from ralph_wiggum.core.visual.page import Request
from ralph_wiggum.core.visual.policy import NAVIGATES, positional
from ralph_wiggum.core.visual.reply import Reply
from ralph_wiggum.ports import Watcher

MARGIN_SECONDS = 10.0  # of the runner's limit beyond the tool's own, which takes 3 s longer than it says (0.41)
CLOSE_SECONDS = 5.0
WAIT_SECONDS = 300.0  # the longest `wait MILLISECONDS`

_BLANK = "about:blank"
_MOVES = NAVIGATES | {"tab", "window", "close"}  # after which a blank page is what was asked for
_SAFE = re.compile(r"[\w@%+=:,./-]+")  # words that a batch reads as they are
_EVAL_WORDS = 2
_LIST = ("network", "requests")
_FORGET = (*_LIST, "--clear")  # what the recording has, the tool's own list need not keep
_RECORD = ("network", "har", "start", "--content", "none")


class Session:
    """A browser of its own, until `close`; the session ends with the first command that had to be stopped.

    `timeout` is that of the tool for one command, `margin` what the runner adds before it ends it, in seconds;
    `folder` is private, for files between the two.
    """

    def __init__(
        self,
        program: str,
        family: Family,
        watcher: Watcher,
        *,
        root: Path,
        env: Mapping[str, str],
        folder: Path,
        timeout: float,
        margin: float = MARGIN_SECONDS,
    ) -> None:
        self._program = program
        self._family = family
        self._watcher = watcher
        self._root = root
        self._env = env
        self._har = folder / "requests.har"
        self._limit = timeout + margin
        self._over: Reply | None = None  # why no further command is run
        self._said = ""  # the end of what the last command printed
        self._began = self._records = self._opened = False

    def run(self, argv: Sequence[str]) -> Reply:
        """Run one command and return what it answered; after one that had to be stopped, that is the answer to all."""
        if (failed := self._begin()) is not None:
            return failed
        moves = bool(argv) and argv[0] in _MOVES
        if moves:
            self._opened = False  # whatever is there now may be empty
        reply = self._ask(argv)
        if moves and reply.ok:
            self._opened = argv[0] in NAVIGATES and positional(argv[1:])[:1] not in {(), (_BLANK,)}
        return reply

    def run_all(self, commands: Sequence[Sequence[str]]) -> tuple[Reply, ...]:
        """Run several commands by one call of the tool; where a word of theirs would need quotes, by one each."""
        commands = tuple(map(_encoded, commands))
        if not all(_SAFE.fullmatch(word) for command in commands for word in command):
            return tuple(self.run(command) for command in commands)
        if (failed := self._begin()) is not None:
            return (failed,) * len(commands)
        limit = self._limit + sum(map(_asked_to_wait, commands))
        output, seconds = self._call(("batch", *(" ".join(command) for command in commands)), limit)
        if isinstance(output, Reply):
            return (output,) * len(commands)
        replies = answer.read_batch(output, seconds)
        if replies is None or len(replies) != len(commands):
            return (answer.read_one(output, seconds) or self._no_answer(seconds),) * len(commands)
        return tuple(map(self._looked_at, replies))

    def requests(self) -> tuple[Request, ...] | None:
        """Return what pages requested since the last call, or since the first command; None where nobody can tell.

        From a recording (HAR), for the tool's list of requests does not tell a refused one from one that waits.
        """
        if self._over is not None or not self._began:
            return ()
        if not self._records:
            listed, _ = self.run_all((_LIST, _FORGET))
            return answer.read_listed(listed.data) if listed.ok else None
        stopped, started, _ = self.run_all((("network", "har", "stop", str(self._har)), _RECORD, _FORGET))
        self._records = started.ok
        if not stopped.ok or (recorded := _content(self._har)) is None:
            return None
        return answer.read_requests(recorded)

    def close(self) -> None:
        """Ask the daemon to end with its browser, where it can still be asked; the family is ended by others."""
        if self._over is None and self._began:
            self._call(("close",), CLOSE_SECONDS)
        self._over = self._over or broken("the session is closed")

    def _begin(self) -> Reply | None:
        """Start the browser, recording from the first request on; return a reply only if that did not work."""
        if self._over is None and not self._began:
            self._began = True
            started = self._ask(_RECORD)
            self._records = started.ok
            if started.broken or started.stopped or started.timed_out:
                self._over = started
        return self._over

    def _ask(self, argv: Sequence[str]) -> Reply:
        output, seconds = self._call(argv, self._limit + _asked_to_wait(argv))
        if isinstance(output, Reply):
            return output
        return self._looked_at(answer.read_one(output, seconds) or self._no_answer(seconds))

    def _no_answer(self, seconds: float) -> Reply:
        return broken(f"agent-browser gave no answer: {self._said or 'it printed nothing'}", seconds)

    def _looked_at(self, reply: Reply) -> Reply:
        """Return the reply, broken where a page that had been opened is gone: a browser that was killed.

        agent-browser then starts another one without a word, which shows an empty page.
        """
        if self._opened and _BLANK in (reply.data.get("origin"), reply.data.get("url")):
            return broken("the browser died: what was open is gone", reply.seconds)
        return reply

    def _call(self, argv: Sequence[str], limit: float) -> tuple[Reply | str, float]:
        """Run the tool to its end and return what it printed on standard output, or the reply if it could not end."""
        if self._over is not None:
            return self._over, 0.0
        if self._watcher.stop_reason():
            self._over = Reply(ok=False, error="stopped", stopped=True)
            return self._over, 0.0
        start, heard, errors = self._connect((self._program, "--json", *argv))
        limits = Limits(task_seconds=limit, no_progress_seconds=limit)
        ended = self._family.run(start, [heard, errors], limits, self._watcher, watch_commands=False, lasting=True)
        self._said = heard.end or errors.end
        self._over = _stopped(ended, heard)
        return self._over or heard.text, ended.seconds

    def _connect(self, argv: tuple[str, ...]) -> tuple[Start, Heard, Heard]:
        with ExitStack() as opened:
            stdin = os.open(os.devnull, os.O_RDONLY)
            opened.callback(os.close, stdin)
            pipes = [os.pipe(), os.pipe()]
            for descriptor in (*pipes[0], *pipes[1]):
                opened.callback(os.close, descriptor)
            heard, errors = (Heard(reading) for reading, _ in pipes)
            opened.pop_all()  # from here on they are the family's
        start = Start(argv=argv, cwd=self._root, env=self._env, stdin=stdin, stdout=pipes[0][1], stderr=pipes[1][1])
        return start, heard, errors


def _encoded(argv: Sequence[str]) -> Sequence[str]:
    """Return a command whose script needs no quotes: `eval -b` takes it in base64."""
    if argv[0] != "eval" or len(argv) != _EVAL_WORDS or _SAFE.fullmatch(argv[1]):
        return argv
    return ("eval", "-b", base64.b64encode(argv[1].encode()).decode())


def _asked_to_wait(argv: Sequence[str]) -> float:
    """Return the seconds that `wait 500` takes by itself."""
    asked = positional(argv[1:])
    waits = tuple(argv[:1]) == ("wait",) and len(asked) == 1 and asked[0].isdecimal()
    return min(int(asked[0]) / 1000, WAIT_SECONDS) if waits else 0.0


def _stopped(ended: Ended, heard: Heard) -> Reply | None:
    """Return the reply of a command that did not end by itself, or not well; None where there may be an answer."""
    match ended.ending:
        case Ending.EXITED:
            words = f"agent-browser answered more than {answer.LARGEST >> 20} MB"
            return broken(words, ended.seconds) if heard.flooded else None
        case Ending.STOPPED:
            return Reply(ok=False, error=ended.error, seconds=ended.seconds, stopped=True)
        case Ending.TASK_TIMEOUT | Ending.NO_PROGRESS:
            words = f"not answered within {ended.seconds:.0f} s"
            return Reply(ok=False, error=words, seconds=ended.seconds, timed_out=True)
        case Ending.NOT_STARTED:
            return broken(ended.error)
        case Ending.CRASHED:
            return broken(ended.error or f"agent-browser was killed by signal {ended.signal}", ended.seconds)
        case _:  # no such limit is set here
            return broken(f"agent-browser was ended: {ended.ending.value}", ended.seconds)


def _content(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return file.read(HAR_LARGEST).decode("utf-8", errors="replace")
    except OSError:
        return None
