"""Text as a program printed it -> text as a person reads it: no sequences, no rewriting, nothing that disguises.

The grammar of the sequences is that of ECMA-48 section 5.4 and of xterm's "Control Sequences".
"""

from __future__ import annotations

import re
from enum import Enum, auto

LINE_LIMIT = 8192  # characters of one line that can still be rewritten; what is older stays as it is

_CONTROLS = r"\x00-\x08\x0b-\x1f\x7f-\x9f"
# Direction overrides and marks, zero-width characters, tags, line separators: they make text look like other text.
# Zero-width joiners (U+200C, U+200D) stay: Persian and emoji are spelled with them.
_DISGUISES = r"\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
_SURROGATES = r"\ud800-\udfff"
_SPECIAL = _CONTROLS + _DISGUISES + _SURROGATES

_ANYTHING_SPECIAL = re.compile(f"[{_SPECIAL}]")
_PLAIN = re.compile(f"[^{_SPECIAL}\n]+")
_BACKSPACES = re.compile("\b+")
_PARAMETERS = re.compile(r"[ -?]+")
_STRING = re.compile(r"[^\x07\n\x18\x1a\x1b\x9c]+")

_STRING_OPENERS = frozenset("P]X^_")  # after ESC: DCS, OSC, SOS, PM, APC
_STRING_OPENERS_8_BIT = frozenset("\x90\x9d\x98\x9e\x9f")
_PARAMETERS_KEPT = 8


class _State(Enum):
    """Where in a sequence the text is; nothing else of a sequence has to be remembered."""

    TEXT = auto()
    ESCAPE = auto()
    CONTROL_SEQUENCE = auto()
    STRING = auto()


def clean(text: str) -> str:
    r"""Return the text without terminal sequences and control characters; only newline and tab are left.

    Lines that were rewritten (carriage return, backspace, erase line) appear as they were last. Idempotent; linear.

    >>> clean("progress 1%\rprogress 2%\r\n\x1b[31mred\x1b[0m")
    'progress 2%\nred'
    """
    if not _ANYTHING_SPECIAL.search(text):
        return text
    cleaner = Cleaner()
    return cleaner.feed(text) + cleaner.rest()


class Cleaner:
    r"""`clean` for text that comes in pieces: how it is cut makes no difference to the sum of what comes out.

    A line comes out when it ends, or when it is longer than LINE_LIMIT; so memory is bounded whatever comes in.

    >>> cleaner = Cleaner()
    >>> cleaner.feed("do\x1b[3"), cleaner.feed("1mne\n"), cleaner.feed("more"), cleaner.rest()
    ('', 'done\n', '', 'more')
    """

    def __init__(self) -> None:
        self._state = _State.TEXT
        self._parameters = ""
        self._line = ""
        self._returned = False  # the cursor stands at the start of the line: what is written next replaces it
        self._out: list[str] = []

    def feed(self, text: str) -> str:
        """Take a piece and return the lines that ended in it."""
        position = 0
        while position < len(text):
            match self._state:
                case _State.TEXT:
                    position = self._text(text, position)
                case _State.ESCAPE:
                    position = self._escape(text, position)
                case _State.CONTROL_SEQUENCE:
                    position = self._control_sequence(text, position)
                case _State.STRING:
                    position = self._string(text, position)
        out = "".join(self._out)
        self._out.clear()
        return out

    def rest(self) -> str:
        """Return the line that has not ended yet and begin another, without forgetting an open sequence."""
        line, self._line, self._returned = self._line, "", False
        return line

    def _text(self, text: str, position: int) -> int:
        if plain := _PLAIN.match(text, position):
            self._write(plain.group())
            return plain.end()
        if backspaces := _BACKSPACES.match(text, position):
            if not self._returned:
                self._line = self._line[: -len(backspaces.group())]
            return backspaces.end()
        self._special(text[position])
        return position + 1

    def _write(self, plain: str) -> None:
        line = plain if self._returned else self._line + plain
        self._returned = False
        settled = len(line) // LINE_LIMIT * LINE_LIMIT
        self._out.append(line[:settled])
        self._line = line[settled:]

    def _special(self, character: str) -> None:
        match character:
            case "\n" | "\v" | "\f":  # terminals go to the next line for all three
                self._out.append(self.rest() + "\n")
            case "\r":
                self._returned = True
            case "\x1b":
                self._state = _State.ESCAPE
            case "\x9b":
                self._begin_control_sequence()
            case "\u2028" | "\u2029":
                self._write(" ")
            case _ if character in _STRING_OPENERS_8_BIT:
                self._state = _State.STRING
            case _ if "\ud800" <= character <= "\udfff":  # half a character: no file could hold it
                self._write("\ufffd")

    def _begin_control_sequence(self) -> None:
        self._state = _State.CONTROL_SEQUENCE
        self._parameters = ""

    def _escape(self, text: str, position: int) -> int:
        character = text[position]
        if character == "[":
            self._begin_control_sequence()
        elif character in _STRING_OPENERS:
            self._state = _State.STRING
        elif not " " <= character <= "/":  # those only announce the final character
            self._state = _State.TEXT
            return position + ("0" <= character <= "~")
        return position + 1

    def _control_sequence(self, text: str, position: int) -> int:
        if parameters := _PARAMETERS.match(text, position):
            self._parameters = (self._parameters + parameters.group()[:_PARAMETERS_KEPT])[:_PARAMETERS_KEPT]
            return parameters.end()
        self._state = _State.TEXT
        if not "@" <= text[position] <= "~":
            return position  # no end of a sequence: it was cut, and this is text again
        self._perform(self._parameters + text[position])
        return position + 1

    def _perform(self, sequence: str) -> None:
        """Follow the few sequences that rewrite a line; progress displays use them for a carriage return."""
        if sequence in {"G", "1G"}:
            self._returned = True
        elif sequence == "2K" or (self._returned and sequence in {"K", "0K", "J", "0J"}):
            self._line = ""

    def _string(self, text: str, position: int) -> int:
        if swallowed := _STRING.match(text, position):
            return swallowed.end()
        # ESC begins the terminator or another sequence; a newline ends what was never terminated.
        self._state = _State.ESCAPE if text[position] == "\x1b" else _State.TEXT
        return position + (text[position] != "\n")
