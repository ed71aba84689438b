"""Questions that programs ask on a terminal, and what to type: a table, because nobody is there to be asked (O12)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.settings import AgentSettings

WINDOW = 2048  # characters at the end of the terminal that are looked at
MENU_LINES = 12
SHOWN = 160  # characters of a question that are kept for the log

_ENDS_LIKE_A_QUESTION = re.compile(
    r"[?:>❯›\])]\s*$|\b(press|hit) (\S+ )?(enter|return|any key)|\benter to (confirm|select|continue)", re.IGNORECASE
)
_MENU_CURSOR = re.compile(r"^[❯›]\s*\S")
# Yes and no in the last line, or in the one above a bare "> ".
_YES_NO = r"[\[(<]?\s*y(es)?\s*/\s*n(o)?(/\w+)*\s*[\])>]?[^\n]{0,3}(\n\W{1,3})?\Z"
_PASTE = r"^\W*(enter|paste|type)\b.{0,30}\b(code|api[ -]?key|access token|auth\w* token)\b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What to type when the last `lines` non-empty lines match `pattern`: `answer` and Enter; None: give up.

    `anything`: the last line may match even where it does not look like a question; a person knows the program.
    """

    pattern: re.Pattern[str]
    answer: str | None
    lines: int = 1
    anything: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question that the table knows: its last line, and the answer (None: nobody can answer it)."""

    text: str
    answer: str | None

    @property
    def record(self) -> str:
        """Return question and answer for the log."""
        return f"{self.text} → {self.answer or 'Enter'}"


def _rule(pattern: str, answer: str | None, lines: int = 1) -> Rule:
    return Rule(pattern=re.compile(pattern, re.IGNORECASE | re.MULTILINE), answer=answer, lines=lines)


# The first that matches holds.
BUILT_IN = (
    # A login: no answer of ours helps, and every later attempt would end the same way. Whole lines only: an agent that
    # builds a login page writes about logging in, too.
    _rule(
        r"^\W*(you are|you're) not (logged|signed) in\b|^\W*(please|you (need|have|must) to) (log|sign) in\b", None, 3
    ),
    _rule(r"^\W*(login|sign-?in|authentication) (is )?required\b|^\W*press enter to (open|log in|sign in)\b", None, 3),
    _rule(r"^\W*(how would you like to|(select|choose|pick)( .{0,20})?) (log|sign)[ -]?in\b.{0,20}$", None, MENU_LINES),
    _rule(_PASTE + r"( here| from .{0,30})?( if prompted)?\s*(\(.{0,30}\))?\s*[:>?]\s*$", None),
    # Asked by a command of the agent (git, ssh, sudo): an empty answer makes that command fail, and the agent goes on.
    _rule(r"\b(password|passphrase|username)\b.{0,120}:\s*$", ""),
    _rule(r"\(yes/no/\[fingerprint\]\)\?\s*$", "no"),
    # Not by itself: what cannot be undone.
    _rule(r"\b(delete|remove|destroy|drop|erase|wipe|reset|force|discard)\b[\s\S]*" + _YES_NO, "n", 3),
    # A menu with the cursor on the answer that lets the work go on.
    _rule(r"[❯›>]\s*(\d+[.)]\s*)?(yes|trust|allow|proceed|continue|accept)\b[\s\S]*\n.*\benter to \w+", "", MENU_LINES),
    _rule(r"\btrust\b.{0,80}\b(folder|director(y|ies)|files?|workspace|project|repository|tool)\b", "y", 3),
    _rule(
        r"\b(allow|permission|permit|approve|grant|proceed|continue|overwrite|replace|install)\b.*" + _YES_NO, "y", 2
    ),
    _rule(r"\boverwrite\b.{0,80}\?\s*$", "y"),
    _rule(r"\b(press|hit)\b.{0,20}\b(enter|return|any key)\b", ""),
    # Any other yes or no: what the program does by itself where it offers that, else yes.
    _rule(r"(?-i:\[Y/n\]|\[y/N\]|\(Y/n\)|\(y/N\))|[\[(](y|yes|n|no)[\])]:?$", ""),
    _rule(_YES_NO, "y", 2),
)


def table(settings: AgentSettings) -> tuple[Rule, ...]:
    """Return the rules for an agent: a person's own first. RalphError if one is no regular expression."""
    return (*(_own(settings.name, pattern, answer) for pattern, answer in settings.answers), *BUILT_IN)


def _own(agent: str, pattern: str, answer: str | None) -> Rule:
    try:
        return replace(_rule(pattern, answer, MENU_LINES), anything=True)
    except re.error as error:
        raise RalphError(
            f"agents.{agent}.answers: {pattern!r} is no regular expression: {error}",
            hint="write it as Python's re module reads it, or quote special characters with a backslash",
        ) from error


def find(text: str, rules: Sequence[Rule]) -> Question | None:
    """Return the question that clean terminal text ends with, or None if it ends with none that the rules know.

    Text is a question only if its last line looks like one, or if it ends with a menu.
    """
    lines = [line.strip() for line in text[-WINDOW:].split("\n") if line.strip()]
    if not lines:
        return None
    asking = _ENDS_LIKE_A_QUESTION.search(lines[-1]) or any(map(_MENU_CURSOR.match, lines[-MENU_LINES:]))
    for rule in rules:
        seen = "\n".join(lines[-rule.lines :]) if asking else lines[-1]
        if (asking or rule.anything) and rule.pattern.search(seen):
            worded = (line for line in reversed(lines) if any(map(str.isalnum, line)))
            return Question(text=next(worded, lines[-1])[:SHOWN], answer=rule.answer)
    return None
