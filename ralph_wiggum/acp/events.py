"""What the client prints: one JSON object a line, its type first (core/dialects/acp.py says what each holds)."""

from __future__ import annotations

import json
from typing import BinaryIO

NOTES = 200  # lines of an agent that belong to no protocol are passed on so often
TEXT_LIMIT = 2000  # characters of a note or a thought


class Events:
    """Prints events, each at once. `silent`: nothing is printed any more, for what comes now does not count."""

    def __init__(self, out: BinaryIO) -> None:
        self.silent = False
        self._out = out
        self._notes = 0

    def put(self, kind: str, /, **fields: object) -> None:
        """Print one event."""
        if self.silent:
            return
        line = json.dumps(
            {"type": kind, **fields}, ensure_ascii=True, default=str
        )  # as ASCII: half a surrogate is no UTF-8
        try:
            self._out.write(line.encode("ascii") + b"\n")
            self._out.flush()
        except (OSError, ValueError):  # nobody reads any more; who started us is gone, and ends us by that
            self.silent = True

    def note(self, text: str) -> None:
        """Print something that a person should see; after NOTES of them no more."""
        self._notes += 1
        if self._notes <= NOTES:
            self.put("note", text=text[:TEXT_LIMIT])
