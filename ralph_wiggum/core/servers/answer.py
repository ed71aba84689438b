"""What came back when a server was asked: a good answer, a bad one, silence, or nobody there. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

MOST_BYTES = 64 * 1024  # of an answer that holds no final status line: it is none

_STATUS_LINE = re.compile(rb"HTTP/\d(?:\.\d)? (\d{3})(?: |\r?$)")
_INTERIM = 200  # below: more is to come (RFC 9110, 15.2); 101 is never asked for
_SHOWN = 40  # characters of what is no HTTP


class Kind(StrEnum):
    """How a server took the question."""

    GOOD = "good"
    BAD = "bad"  # it answered, and not as expected
    SILENT = "silent"  # somebody is there, who does not answer
    ABSENT = "absent"  # nobody is there


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; `words` say how it was, in the place of "it …": "answers 500, expected 200-399"."""

    kind: Kind
    words: str = ""

    @property
    def good(self) -> bool:
        """Say whether the server is ready."""
        return self.kind is Kind.GOOD

    @property
    def there(self) -> bool:
        """Say whether somebody holds the port."""
        return self.kind is not Kind.ABSENT

    @property
    def alive(self) -> bool:
        """Say whether a server that was up before can be taken for alive: a page may break, and it still answers."""
        return self.kind in {Kind.GOOD, Kind.BAD}


def of_status(status: int, expected: tuple[tuple[int, int], ...]) -> Answer:
    """Return the answer for a status code of HTTP.

    >>> of_status(500, ((200, 399), (401, 401))).words
    'answers 500, expected 200-399 or 401'
    """
    if any(low <= status <= high for low, high in expected):
        return Answer(Kind.GOOD, f"answers {status}")
    wanted = " or ".join(str(low) if low == high else f"{low}-{high}" for low, high in expected)
    return Answer(Kind.BAD, f"answers {status}, expected {wanted}")


def no_http(data: bytes) -> Answer:
    """Return the answer for bytes that are no HTTP."""
    if data[:1] == b"\x15":  # a TLS alert (RFC 8446, 5.1)
        return Answer(Kind.BAD, "speaks TLS: its URL begins with https")
    shown = re.sub(r"[^ -~]+", "?", data[:_SHOWN].decode("latin-1")).strip()
    return Answer(Kind.BAD, f"does not speak HTTP ({shown!r})")


def status_of(data: bytes) -> int | None:
    r"""Return the final status code at the beginning of an answer, None if it has not come yet.

    Interim answers (103 Early Hints) are passed over. ValueError for what is no HTTP.

    >>> status_of(b"HTTP/1.1 200 OK\r\n"), status_of(b"HTTP/1.")
    (200, None)
    """
    while True:
        line, newline, _ = data.partition(b"\n")
        if not newline:
            if len(data) > MOST_BYTES or not _may_begin(data):
                raise ValueError(data[:_SHOWN])
            return None
        found = _STATUS_LINE.match(line)
        if found is None:
            raise ValueError(data[:_SHOWN])
        if int(found[1]) >= _INTERIM:
            return int(found[1])
        end = re.search(rb"\r?\n\r?\n", data)
        if end is None:
            return None
        data = data[end.end() :]


def _may_begin(data: bytes) -> bool:
    return data[:5] == b"HTTP/"[: len(data)]
