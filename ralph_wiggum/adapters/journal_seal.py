"""How a journal's own lines are told from what somebody scribbled into it: a check value at the end of each.

A line that ralph writes ends with `,"c":"<8 hex><8 hex>"}`: the check value of the sealed line before it (zeros where
there was none), and the CRC-32 of the line's text that goes on from that. So a line that an agent appends, copies,
changes or writes again is not believed, at the next start either. This is honest protection against accidents only:
an agent runs as the same user, could read any secret that the runner kept, and can compute a CRC as well.

Lines above the first sealed one are of an earlier version and are believed. Wishes of a person (ralph-skip, ralph
stop) are believed however they were written.
"""

from __future__ import annotations

import zlib

from ralph_wiggum.adapters.append_only import LONGEST
from ralph_wiggum.core import journal_lines
from ralph_wiggum.core.journal import Entry, SkipAsked, StopAsked

WISHES = (SkipAsked, StopAsked)
_BEGIN = b',"c":"'
_END = b'"}'
_DIGITS = 8
SUFFIX_BYTES = len(_BEGIN) + 2 * _DIGITS + len(_END)
_FIRST = b"0" * _DIGITS


def seal(line: bytes, before: bytes) -> bytes:
    """Return a line (a JSON object and its newline) with its check; `before` is what stands ahead of it in the file.

    Of that the last SUFFIX_BYTES + 1 bytes are enough.
    """
    body = line.rstrip(b"\n").removesuffix(b"}")
    chained = _values(before.removesuffix(b"\n"))[_DIGITS:] if before.endswith(b"\n") else b""
    chained = chained or _FIRST
    return b"%s%s%s%s%s\n" % (body, _BEGIN, chained, _sum(body, chained), _END)


class JournalReader:
    """Turns the lines of one journal, piece by piece, into entries that are believed.

    `bad` counts lines that could not be read, `foreign` those that could but are none of ralph's.
    """

    def __init__(self) -> None:
        self.bad = 0
        self.foreign = 0
        self._seen: set[bytes] = set()

    def read(self, data: bytes) -> tuple[Entry, ...]:
        """Return the entries of some whole lines, in their order."""
        entries = []
        for whole in data.split(b"\n"):
            line = whole.rstrip()  # an editor may have changed the line endings
            if not line:
                continue
            entry = journal_lines.from_line(line.decode("utf-8", "replace")) if len(line) <= LONGEST else None
            if entry is None:
                self.bad += 1
            elif not self.believes(line, entry):
                self.foreign += 1
            else:
                entries.append(entry)
        return tuple(entries)

    def believes(self, line: bytes, entry: Entry) -> bool:
        """Say whether a line, without its newline, is one of ralph's or a wish. To be asked once for each line."""
        check = _check(line)
        if check and check not in self._seen:
            self._seen.add(check)
            return True
        return isinstance(entry, WISHES) or not (check or self._seen)


def is_welcome(line: bytes) -> bool:
    """Say whether a line, without its newline, may stand in a journal while a run goes on: a sealed one or a wish."""
    return bool(_check(line)) or isinstance(journal_lines.from_line(line.decode("utf-8", "replace")), WISHES)


def _check(line: bytes) -> bytes:
    """Return the check of a sealed line, both values; nothing where it has none or is not what was sealed."""
    values = _values(line)
    return values if values and _sum(line[:-SUFFIX_BYTES], values[:_DIGITS]) == values[_DIGITS:] else b""


def _values(line: bytes) -> bytes:
    """Return both values that stand at the end of a line, right or not."""
    suffix = line[-SUFFIX_BYTES:]
    values = suffix[len(_BEGIN) : -len(_END)]
    whole = suffix.startswith(_BEGIN) and suffix.endswith(_END) and not values.strip(b"0123456789abcdef")
    return values if whole else b""


def _sum(body: bytes, chained: bytes) -> bytes:
    return b"%08x" % zlib.crc32(body, int(chained, 16))
