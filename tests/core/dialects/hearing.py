"""What the tests of dialects share: events written by hand, and a reader that hears them."""

from __future__ import annotations

import json

from ralph_wiggum.core.dialects.heard import Heard
from ralph_wiggum.core.dialects.reader import Reader
from ralph_wiggum.core.dialects.table import DIALECTS


def line(event: object) -> bytes:
    return json.dumps(event, ensure_ascii=False).encode() + b"\n"


def listen(dialect: str, *events: object) -> tuple[Heard, str]:
    """Return what was heard of events (bytes: a line as it stands), and all that was shown."""
    reader = Reader(DIALECTS[dialect])
    shown = [reader.hear(event if isinstance(event, bytes) else line(event)) for event in events]
    return reader.heard(), "".join(shown)


def heard(dialect: str, *events: object) -> Heard:
    return listen(dialect, *events)[0]
