"""Text from outside, made fit to stand in a prompt or a log: printable, and no longer than its place allows.

Limits are in bytes of UTF-8: a Chinese spec takes three times the bytes of its characters, and as many tokens.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# C0 and C1 controls without tab and newline; zero-width space, byte-order mark; direction overrides and isolates, which
# let a line read otherwise than it is (CVE-2021-42574); tag characters, which no person sees and every model reads.
# The zero-width joiners stay: Persian, Hindi and emoji need them.
_UNWANTED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]",
)
_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")  # cannot be written as UTF-8


def printable(text: str) -> str:
    """Return the text without control characters and invisible ones; every kind of line end becomes a newline."""
    text = _LINE_ENDS.sub("\n", text)
    return _SURROGATE.sub("\ufffd", _UNWANTED.sub("", text))


def size(text: str) -> int:
    """Return the length in bytes of UTF-8."""
    return len(text.encode("utf-8", "replace"))


def head(text: str, limit: int, note: str = "[… cut here]") -> str:
    """Return the beginning of a text within `limit` bytes; where it was cut, `note` stands on a line of its own."""
    if size(text) <= limit:
        return text
    return _at_most(f"{_first(text, limit - size(note) - 1).rstrip()}\n{note}", limit)


def tail(text: str, limit: int, note: str = "[… cut here]") -> str:
    """Return the end of a text within `limit` bytes, beginning with `note` if something was cut."""
    if size(text) <= limit:
        return text
    return _at_most(f"{note}\n{_last(text, limit - size(note) - 1)}", limit)


def ends(text: str, limit: int, note: str = "[… cut here]", *, first: float = 0.5) -> str:
    """Return both ends of a text within `limit` bytes; the share `first` (0 to 1) of it goes to the beginning."""
    if size(text) <= limit:
        return text
    room = limit - size(note) - 2
    front = _first(text, int(room * first)).rstrip()
    return _at_most(f"{front}\n{note}\n{_last(text, room - size(front))}", limit)


def shares(sizes: Sequence[int], budget: int) -> tuple[int, ...]:
    """Divide a budget: what is small gets all it needs, the rest is shared equally among what is large.

    >>> shares((100, 5000, 9000), 6000)
    (100, 2950, 2950)
    """
    granted = [0] * len(sizes)
    left, waiting = budget, sorted(range(len(sizes)), key=lambda index: (sizes[index], index))
    for position, index in enumerate(waiting):
        granted[index] = min(sizes[index], left // (len(waiting) - position))
        left -= granted[index]
    return tuple(granted)


def _at_most(text: str, limit: int) -> str:
    """Return the text within `limit` bytes, whatever it looks like then: for limits that hold not even the note."""
    return text.encode("utf-8", "replace")[: max(limit, 0)].decode("utf-8", "ignore")


def _first(text: str, limit: int) -> str:
    """Return at most `limit` bytes of the beginning, up to a line end if one lies in the second half."""
    piece = _at_most(text, limit)
    cut = piece.rfind("\n")
    return piece[:cut] if cut > len(piece) // 2 else piece


def _last(text: str, limit: int) -> str:
    """Return at most `limit` bytes of the end, from a line start if one lies in the first half."""
    whole = text.encode("utf-8", "replace")
    piece = whole[max(len(whole) - max(limit, 0), 0) :].decode("utf-8", "ignore")
    cut = piece.find("\n")
    return piece[cut + 1 :] if 0 <= cut < len(piece) // 2 else piece
