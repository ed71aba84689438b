"""A line as a person would type it into a shell -> the simple commands in it, by a parser that never runs a shell.

Quoting is that of POSIX (Shell Command Language, 2.2). What only a shell can do (pipes, redirections, variables,
substitutions) is found and named, not done.
"""

from __future__ import annotations

from dataclasses import dataclass

UNCLOSED = "a quote is not closed"

_ESCAPED_IN_DOUBLE = frozenset('$`"\\')
_EXPANDS = frozenset("{(_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")  # after a dollar sign; `$5` is money
_ENDS = {"&&": "", ";": "", "&": "&", "||": "||", "|": "|"}  # of a command -> what a shell would be needed for


@dataclass(frozen=True, slots=True, kw_only=True)
class Simple:
    """One command of a line: its words, its text as written, what of it only a shell can do, the comment behind it."""

    words: tuple[str, ...]
    text: str
    needs: str = ""
    comment: str = ""


def unclosed(line: str) -> bool:
    """Say whether a quote is open at the end of a line."""
    return any(simple.needs == UNCLOSED for simple in split(line))


def split(line: str) -> tuple[Simple, ...]:
    """Return the commands of a line, cut at `&&` and `;`.

    A `#` begins a comment where blanks stand around it: `click #save` is a selector that somebody did not quote.

    >>> [simple.words for simple in split("open /a && click '#b > i'  # then look")]
    [('open', '/a'), ('click', '#b > i')]
    >>> split("snapshot | head")[0].needs
    '|'
    """
    return _Splitter(line).run()


class _Splitter:
    """Goes through one line once, character by character."""

    def __init__(self, line: str) -> None:
        self._line = line
        self._at = 0
        self._begin = 0
        self._word: str | None = None
        self._words: list[str] = []
        self._needs = ""
        self._found: list[Simple] = []

    def run(self) -> tuple[Simple, ...]:
        while self._at < len(self._line):
            if self._comment():
                self._end(self._line[self._at :])
                return tuple(self._found)
            self._step()
        self._end()
        return tuple(self._found)

    def _comment(self) -> bool:
        if self._word is not None or self._line[self._at] != "#":
            return False
        after = self._line[self._at + 1 : self._at + 2]
        return not after or after.isspace() or after == "#"

    def _step(self) -> None:
        letter = self._line[self._at]
        operator = next((sign for sign in ("&&", "||", ";", "|", "&") if self._line.startswith(sign, self._at)), "")
        if operator:
            self._need(_ENDS[operator])
            if operator == "|":  # what stands behind it belongs to it
                self._close_word()
                self._at += 1
            else:
                self._end(skip=len(operator))
        elif letter.isspace():
            self._close_word()
            self._at += 1
        elif letter == "'":
            self._single()
        elif letter == '"':
            self._double()
        elif letter == "\\":
            self._add(self._line[self._at + 1 : self._at + 2], 2)
        else:
            if letter in "<>":
                self._need(letter)
            self._expansion()
            self._add(letter, 1)

    def _single(self) -> None:
        end = self._line.find("'", self._at + 1)
        if end < 0:
            self._unclosed()
        else:
            self._add(self._line[self._at + 1 : end], end + 1 - self._at)

    def _double(self) -> None:
        self._add("", 1)
        while self._at < len(self._line):
            letter = self._line[self._at]
            if letter == '"':
                self._at += 1
                return
            if letter == "\\" and self._line[self._at + 1 : self._at + 2] in _ESCAPED_IN_DOUBLE:
                self._add(self._line[self._at + 1 : self._at + 2], 2)
            else:
                self._expansion()
                self._add(letter, 1)
        self._unclosed()

    def _expansion(self) -> None:
        letter, after = self._line[self._at], self._line[self._at + 1 : self._at + 2]
        if letter == "`":
            self._need("`")
        elif letter == "$" and after in _EXPANDS:
            self._need(f"${after}" if after in "{(" else "$NAME")

    def _need(self, what: str) -> None:
        self._needs = self._needs or what

    def _unclosed(self) -> None:
        self._needs = UNCLOSED
        self._at = len(self._line)

    def _add(self, piece: str, length: int) -> None:
        self._word = (self._word or "") + piece
        self._at += length

    def _close_word(self) -> None:
        if self._word is not None:
            self._words.append(self._word)
            self._word = None

    def _end(self, comment: str = "", *, skip: int = 0) -> None:
        self._close_word()
        text = self._line[self._begin : self._at].strip()
        self._at += skip
        self._begin = self._at
        if text:
            words, needs = tuple(self._words), self._needs
            self._found.append(Simple(words=words, text=text, needs=needs, comment=comment.lstrip("# ").strip()))
        self._words.clear()
        self._needs = ""
