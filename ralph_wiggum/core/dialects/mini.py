"""mini-swe-agent (2.4): sections of text with a header line each, and a trajectory at its end that tells all of it.

https://mini-swe-agent.com/latest/usage/mini/. The text is for the live view, and for the end where there is no
trajectory. Sections: the model's steps, `System:`, `User:` (the prompt, then what it has to say to the model), `Tool:`
(the output of a command), `Exit:` (the submission, or the error that ended it).
"""

from __future__ import annotations

import re

from ralph_wiggum.core.dialects import litellm, trajectory
from ralph_wiggum.core.dialects.heard import MESSAGE_LIMIT, End, Heard, Transcript
from ralph_wiggum.core.evidence import Notice, Usage

_STEP = re.compile(r"mini-swe-agent \(step (\d{1,6}), \$(\d{1,6}\.\d\d)\):")
_HEADER = re.compile(r"(System|User|Tool|Exit|Assistant|Unknown):")
_RULE = re.compile("─{10,}")
_FENCE = re.compile("`{3,}")
_SAVED = "Saved trajectory to"
_HIDDEN = frozenset({"System", "User", "Tool"})
_STATUS = re.compile(r"[A-Z]\w{1,60}(?:Exceeded|Error)")  # LimitsExceeded, RepeatedFormatError


class Mini:
    """One run: the section that the last line belongs to, and how many steps there were."""

    def __init__(self) -> None:
        self.settled = False
        self._section = ""
        self._said = End(MESSAGE_LIMIT)  # the words of the last step
        self._exit = End(MESSAGE_LIMIT)
        self._fenced = False
        self._blank = True  # the line before was: headers follow one

    def hear(self, line: str, transcript: Transcript) -> None:
        """Take one line."""
        header, step = _HEADER.fullmatch(line), _STEP.fullmatch(line)
        if self._blank and step and int(step[1]) > transcript.turns:
            self._steps(int(step[1]), float(step[2]), transcript)
        elif self._blank and header:
            self._opens(header[1])
        elif _RULE.fullmatch(line):
            self._section = "Rule"
        elif self._section == "Exit" and line.startswith(_SAVED):
            self.settled = True
        else:
            self._takes(line)
        self._blank = not line.strip()
        if self._section not in _HIDDEN and not _RULE.fullmatch(line):
            transcript.shows(line)

    def finish(self, report: bytes, transcript: Transcript) -> Heard:
        """Return what the trajectory tells, else what the text does."""
        found = trajectory.read(report) if report else {}
        if trajectory.is_one(found):
            return trajectory.replay(found, self._said.text()).heard()
        self._text_ends(transcript)
        return transcript.heard()

    def _steps(self, step: int, cost: float, transcript: Transcript) -> None:
        transcript.turns = step
        transcript.usage = Usage(cost=cost) if cost else transcript.usage
        transcript.answers()
        self._section, self._fenced = "Step", False
        self._said.set("")
        self.settled = False

    def _opens(self, section: str) -> None:
        self._section = section
        self.settled = False
        if section == "Exit":
            self._exit.set("")

    def _takes(self, line: str) -> None:
        if self._section == "Exit":
            self._exit.add(f"{line}\n")
        elif self._section == "Step":
            if _FENCE.fullmatch(line):
                self._fenced = not self._fenced
            elif not self._fenced:
                self._said.add(f"{line}\n")

    def _text_ends(self, transcript: Transcript) -> None:
        """Take the end as the text tells it: an error, a status, a submission."""
        said, last = self._said.text(), self._exit.text().strip()
        if self._section != "Exit":
            transcript.concludes(said)
            return
        if last.startswith("litellm.") and litellm.error_in(last):
            transcript.notes(litellm.notice(last, final=True))
        elif _STATUS.fullmatch(last):
            transcript.notes(Notice(kind=last, text=last, final=last in trajectory.CAPS))
        else:
            transcript.concludes(trajectory.final_message(said, last))
            transcript.ends(flagged=False)
            return
        transcript.ends(flagged=True)
