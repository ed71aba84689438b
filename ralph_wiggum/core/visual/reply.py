"""What agent-browser answered to one command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer of `agent-browser --json`: `data` where it succeeded, else `error`.

    `timed_out`: the runner ended it, and with it the session. `stopped`: a person ended it; it proves nothing.
    `broken`: the tool or its browser failed, not the page (it could not be started, it died, its answer is no JSON).
    """

    ok: bool
    data: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    seconds: float = 0.0
    timed_out: bool = False
    stopped: bool = False
    broken: bool = False
