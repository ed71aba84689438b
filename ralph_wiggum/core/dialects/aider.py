"""aider with `--no-pretty` (0.86): what the model writes as it comes, and between that lines of its own.

https://aider.chat/docs/scripting.html. No line ends a run, and the exit code is 0 for nearly everything. A line
"Tokens: …" ends each answer; after it aider says what it made of the edits, and asks the model again ("reflects") up to
three times where they do not fit or a file is missing. Lines of its own are wrapped at 80 columns.
"""

from __future__ import annotations

import re
from dataclasses import replace

from ralph_wiggum.core.dialects import litellm
from ralph_wiggum.core.dialects.heard import MESSAGE_LIMIT, End, Heard, Transcript
from ralph_wiggum.core.evidence import Notice, Usage
from ralph_wiggum.core.terminal import clean

_FIGURE = r"(\d{1,9}(?:\.\d{1,9})?)([kM]?)"
_TOKENS = re.compile(
    rf"Tokens: {_FIGURE} sent(?:, {_FIGURE} cache write)?(?:, {_FIGURE} cache hit)?, {_FIGURE} received\."
)
_COST = re.compile(rf" Cost: \${_FIGURE} message, \${_FIGURE} session\.")
_TIMES = {"": 1, "k": 1000, "M": 1_000_000}
_ROWS = 16  # of one statement that is wrapped

_RETRIES = re.compile(r"Retrying in (\d{1,6}(?:\.\d{1,3})?) seconds\.\.\.")
_FULL = re.compile(r"Model \S{1,200} has hit a token limit!")
_REJECTS = re.compile(
    r"The LLM did not conform to the edit format\.|Exception while updating files:|\S.{0,300}: file not found error"
    r"|# Fix any (?:linting )?errors below, if possible\."
)
_GAVE_UP = re.compile(r"Only \d+ reflections allowed, stopping\.")
_OWN = re.compile(
    r"Aider v[\d.]+.*|(?:Main m|Weak m|M)odel: .*|Git repo: .*|Repo-map.*|Has it been deleted from .*"
    r"|Analytics have been .*|Added .{1,300} to the chat\.?|Dropping .{1,300} from the chat\.|Applied edit to .*"
    r"|Commit [0-9a-f]{7,} .*|Skipping edits to .*|Unable to create .*|Warning: Input is not a terminal.*"
    r"|The API provider(?:'s servers)? .*|►\s\*\*(?:THINKING|ANSWER)\*\*|https://aider\.chat/\S*"
)


class Aider:
    """One run of aider: what the model is saying, and the statement of aider's that may go on in the next line."""

    settled = False  # after any line it may ask again, and the model may think about that for minutes

    def __init__(self) -> None:
        self._answer = End(MESSAGE_LIMIT)  # all since a line that is certainly not of the model
        self._answered = self._gave_up = False
        self._statement: list[str] = []  # rows of a count or an error
        self._error = ""
        self._used = Usage()

    def hear(self, line: str, transcript: Transcript) -> None:
        """Take one line."""
        transcript.shows(line)
        if self._continues(line):
            self._statement.append(line)
        else:
            self._state(transcript)
            self._begin(line, transcript)
        if _OWN.fullmatch(line):
            self._answer.set("")
        elif not line.startswith("Tokens: "):
            self._answer.add(f"{line}\n")

    def finish(self, report: bytes, transcript: Transcript) -> Heard:
        """Return what was heard; there is no report.

        An error over which it gave up is an end. Where there was none, only the exit code tells that it ended.
        """
        del report
        self._state(transcript)
        self._errs(transcript, final=True)
        last = transcript.standing()
        flagged = self._gave_up or (last is not None and last.final)
        heard = transcript.heard()
        message = heard.message if self._answered else clean(self._answer.text())
        return replace(heard, message=message, completed=True if flagged else None, flagged=flagged)

    def _begin(self, line: str, transcript: Transcript) -> None:
        if error := litellm.error_in(line):
            self._errs(transcript, final=True)
            self._statement = [error]
        elif line.startswith("Tokens: "):
            self._statement = [line]
        elif found := _RETRIES.fullmatch(line):
            self._errs(transcript, final=False, wait=float(found[1]))
        elif not line.startswith("The API provider"):  # that explains the error above it
            self._errs(transcript, final=True)
        self._own(line, transcript)

    def _own(self, line: str, transcript: Transcript) -> None:
        """Take a line that only aider prints, and that means something."""
        if _FULL.fullmatch(line):
            transcript.notes(Notice(kind="ContextWindowExceededError", text=line, final=True))
        elif _GAVE_UP.fullmatch(line):
            self._gave_up = True
        elif self._answered and _REJECTS.fullmatch(line):
            turns = transcript.turns
            transcript.uses("aider", line)  # what the model said was not its last word
            transcript.turns = turns

    def _continues(self, line: str) -> bool:
        """Say whether a line goes on with the statement above it, which met the edge."""
        if not self._statement or not line.strip() or len(self._statement) >= _ROWS:
            return False
        if self._statement[0].startswith("Tokens: "):
            return line.startswith("Cost: ") or not self._statement[-1].rstrip().endswith(("received.", "session."))
        others = ("Tokens: ", "The API provider", "Retrying in ")
        return not (line.startswith(others) or litellm.error_in(line))

    def _state(self, transcript: Transcript) -> None:
        """Take a statement as a whole, if there is one."""
        whole, self._statement = " ".join(row.strip() for row in self._statement), []
        if litellm.error_in(whole):
            self._error = whole
        elif whole:
            self._counts(whole, transcript)

    def _counts(self, whole: str, transcript: Transcript) -> None:
        """Take the line that ends an answer: the figures of this one, the cost of all so far."""
        found = _TOKENS.match(whole)
        if found is None:
            return
        figures = [_figure(found[index], found[index + 1]) for index in (1, 5, 7)]
        sent, cached, received = map(int, figures)
        cost = _COST.fullmatch(whole, found.end())
        self._used = Usage(
            input_tokens=self._used.input_tokens + sent,
            output_tokens=self._used.output_tokens + received,
            cached_tokens=self._used.cached_tokens + min(cached, sent),
            cost=_figure(cost[3], cost[4]) if cost else self._used.cost,
        )
        transcript.usage = self._used
        transcript.turns += 1
        if received:
            self._gave_up = False
            self._answered = True
            transcript.answers()
            transcript.concludes(self._answer.text())
        self._answer.set("")

    def _errs(self, transcript: Transcript, *, final: bool, wait: float = 0.0) -> None:
        """Take an error that was read before, now that it is known whether aider tries again."""
        if self._error:
            transcript.notes(litellm.notice(self._error, final=final, wait=wait))
        self._error = ""


def _figure(digits: str | None, unit: str | None) -> float:
    return float(digits or 0) * _TIMES[unit or ""]
