"""How a server stands, for prompts, the screen and `ralph servers status`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """What is known of a server."""

    UNKNOWN = "unknown"  # nobody has asked yet
    STARTING = "starting"
    UP = "up"
    DOWN = "down"  # it died or hangs, and is to be started again
    FAILED = "failed"  # given up until the next `ensure`


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One server as it stands.

    `wanted` is its URL as the settings have it, `url` where it is now: another port, where the wanted one was held.
    `listens` is "host:port", for one that is known only by its port.
    `ours`: started by the runner, and so ended by it. `reason` says why it is not up, `tail` the end of its log (at
    most 4,000 characters), `log` the path of that log relative to the project root. `since` is when it came up (ISO),
    "" while it is not up.
    """

    name: str
    health: Health = Health.UNKNOWN
    wanted: str = ""
    url: str = ""
    ours: bool = False
    pid: int = 0
    restarts: int = 0
    reason: str = ""
    log: str = ""
    tail: str = ""
    since: str = ""
    listens: str = ""

    @property
    def address(self) -> str:
        """Return where it is reached, for people and agents: its URL, else "localhost:5432", else ""."""
        return self.url or self.listens
