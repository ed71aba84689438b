"""Agents that want a terminal: prompt in a file on standard input, everything else on a pty (design: driver pty).

The pty is our own (os.openpty); pexpect only reads from it, in large pieces and without searching: pexpect.spawn
would fork in the runner, wait 100 ms in all, and read 0.6 MB/s with its default windows.
"""

from __future__ import annotations

import os
import re
import termios
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pexpect import EOF, TIMEOUT, fdpexpect

from ralph_wiggum.adapters.agents import keyboard, questions
from ralph_wiggum.adapters.agents.launch import CannotStart, Launch, capture_of, not_started, outcome, prepare
from ralph_wiggum.adapters.agents.questions import Question, Rule
from ralph_wiggum.adapters.capture import READ_BYTES, Capture
from ralph_wiggum.core.evidence import AgentOutcome, Ending
from ralph_wiggum.core.settings import AgentSettings
from ralph_wiggum.ports import AgentRequest, Watcher

if TYPE_CHECKING:
    from ralph_wiggum.adapters.process import Family, Start

ROWS, COLUMNS = 50, 200
PIECE_BYTES = 65536
QUIET_SECONDS = 0.3  # a program that asks has stopped printing
GIVE_UP_SECONDS = 5.0  # before a question that nobody can answer ends the attempt: it may have been prose
SAME_ANSWERS = 5
TYPING_SECONDS = 0.1  # of each tick, at most, for a prompt that is typed

# Nobody turns pages or knows a password; a program that finds the size in the environment would believe that.
NOT_ON_OUR_TERMINAL = ("COLUMNS", "LINES")
ON_OUR_TERMINAL = {"PAGER": "cat", "GIT_PAGER": "cat", "GIT_TERMINAL_PROMPT": "0"}
TERMINAL_KIND = "xterm-256color"  # where the runner has none itself, as under cron or nohup


@dataclass(frozen=True, slots=True)
class PtyAgent:
    """Runs a program on a terminal of its own and answers what it asks there from a table."""

    settings: AgentSettings
    family: Family

    @property
    def name(self) -> str:
        """Return the name that a person chose it by."""
        return self.settings.name

    def run(self, request: AgentRequest, watcher: Watcher) -> AgentOutcome:
        """Run one attempt to its end (O11, O12); all that is printed on the terminal counts as its message."""
        try:
            launch = prepare(self.settings, request, environment(os.environ))
        except CannotStart as error:
            return not_started(error)
        with capture_of(launch, self.name, request, watcher) as capture, ExitStack() as ours:
            try:
                start, terminal = self._connect(launch, request, capture, ours)
            except OSError as error:
                return not_started(error)
            ended = self.family.run(start, [terminal], request.limits, watcher, files_token=request.files_token)
        return terminal.judge(outcome(self.settings, ended, capture))

    def _connect(
        self, launch: Launch, request: AgentRequest, capture: Capture, ours: ExitStack
    ) -> tuple[Start, Terminal]:
        from ralph_wiggum.adapters.process import Start  # noqa: PLC0415 - start-up: only a run needs it

        rules = questions.table(self.settings)
        with ExitStack() as childs:
            near, far = open_terminal()
            childs.callback(os.close, far)
            typist = keyboard.Typist(near, request.prompt) if self.settings.prompt == "tty" else None
            terminal = Terminal(near, capture, rules, typist)
            ours.callback(terminal.close)
            stderr = os.dup(far)
            childs.callback(os.close, stderr)
            stdin = os.open(request.prompt_file, os.O_RDONLY) if self.settings.prompt == "stdin" else os.dup(far)
            childs.pop_all()  # from here on the family closes them, once the child has them
        start = Start(
            argv=launch.argv, cwd=launch.cwd, env=launch.env, stdin=stdin, stdout=far, stderr=stderr, terminal=True
        )
        return start, terminal


def environment(base: Mapping[str, str]) -> dict[str, str]:
    """Return the runner's environment as it has to be for a program on our terminal."""
    env = {name: value for name, value in base.items() if name not in NOT_ON_OUR_TERMINAL}
    if env.get("TERM", "dumb") == "dumb":
        env["TERM"] = TERMINAL_KIND
    return {**env, **ON_OUR_TERMINAL}


def open_terminal() -> tuple[int, int]:
    """Return both ends of a new terminal, ours (never blocks) first: no echo, newlines left as they are, line mode."""
    near, far = os.openpty()
    os.set_blocking(near, False)
    termios.tcsetwinsize(far, (ROWS, COLUMNS))
    attributes = termios.tcgetattr(far)
    attributes[1] &= ~termios.OPOST
    attributes[3] &= ~(termios.ECHO | termios.ECHONL)
    termios.tcsetattr(far, termios.TCSANOW, attributes)
    return near, far


@dataclass(slots=True, eq=False)
class Terminal:
    """Our end of the terminal, as the process loop reads it.

    Questions are looked for only when nothing was printed for QUIET_SECONDS, and only in what came since the last
    answer; the same question (numbers aside) after SAME_ANSWERS answers ends the attempt.
    """

    _fd: int
    _capture: Capture
    _rules: Sequence[Rule]
    _typist: keyboard.Typist | None = None
    stuck: Question | None = None
    _reader: fdpexpect.fdspawn[bytes] = field(init=False)
    _looked_at: int = 0
    _answered_at: int = 0
    _answers: Counter[str] = field(default_factory=Counter)
    _same: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._reader = fdpexpect.fdspawn(self._fd, timeout=0, use_poll=True)

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self._fd

    def read(self) -> int:
        """Read what is there, about READ_BYTES at most; return how many, 0 at the end. BlockingIOError: nothing now."""
        total = 0
        data = b""
        while total < READ_BYTES:
            try:
                data = self._reader.read_nonblocking(PIECE_BYTES, timeout=0)
            except TIMEOUT:
                if not total:
                    raise BlockingIOError from None
                break
            except EOF:  # on Linux also when no process has the terminal open any more; told again at the next read
                break
            self._capture.add(data)
            total += len(data)
        if reply := keyboard.replies(data):
            keyboard.send(self._fd, reply)
        if self._typist and self._typist.begun:
            self._typist.go_on(0)
        return total

    def quiet(self, seconds: float) -> bool:
        """Type what is due: the prompt, or the answer to a question. True ends the attempt: nobody can answer."""
        self._capture.settle()
        if seconds < QUIET_SECONDS:
            return False
        if self._typist and not self._typist.done:
            self._type_prompt(self._typist)
            return False
        return self._answer(seconds)

    def close(self) -> None:
        """Close our end; may be called again."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def judge(self, outcome: AgentOutcome) -> AgentOutcome:
        """Add to an outcome what was answered, and the question that ended the attempt.

        A question that the table gives up is the environment's fault, as if the agent could not be started (O37); one
        that came back after every answer counts as a crash of the agent.
        """
        answered = tuple(text if times == 1 else f"{text} ({times} times)" for text, times in self._answers.items())
        if self.stuck is None or outcome.ending is not Ending.STOPPED:
            return replace(outcome, answered=answered)
        if self.stuck.answer is None:
            ending, why = Ending.NOT_STARTED, f"it asked what nobody is there to answer: {self.stuck.text}"
        else:
            ending, why = Ending.CRASHED, f"it asked the same question again after every answer: {self.stuck.text}"
        _, more, survivors = outcome.error.partition("; ")  # the first part says only that a source ended the attempt
        return replace(outcome, ending=ending, error=why + more + survivors, answered=answered)

    def _type_prompt(self, typist: keyboard.Typist) -> None:
        if not typist.begun:
            typist.begin(self._capture.raw_end())
        typist.go_on(TYPING_SECONDS)

    def _answer(self, seconds: float) -> bool:
        total = self._capture.total
        if total == self._looked_at:
            return False
        asked = self._capture.end(min(total - self._answered_at, 2 * questions.WINDOW))
        question = questions.find(asked, self._rules)
        if question is None:
            self._looked_at = total
            return False
        if question.answer is None:
            self.stuck = question if seconds >= GIVE_UP_SECONDS else None
            return self.stuck is not None
        self._looked_at = self._answered_at = total
        return self._give(question, re.sub(r"\d+", "0", asked[-questions.WINDOW :]))

    def _give(self, question: Question, asked: str) -> bool:
        if self._same[asked] == SAME_ANSWERS:
            self.stuck = question
            return True
        self._same[asked] += 1
        self._answers[question.record] += 1
        keyboard.send(self._fd, f"{question.answer}\r".encode())  # a terminal in line mode makes a newline of it
        return False
