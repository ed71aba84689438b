"""What a validation found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ralph_wiggum.core.evidence import Gate


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """The result of one validation of a task.

    `gates`: one a server, then one for what was looked at; NOT_RUN with the reason "stopped" where a person ended it.
    `screenshots` are paths relative to the project root. `console` maps each page that was looked at (its URL without
    scheme, host and port) to the console errors seen there, as they are compared: a validation that passed makes them
    the accepted ones. `notes` are words for the log.
    """

    gates: tuple[Gate, ...] = ()
    screenshots: tuple[str, ...] = ()
    console: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Say whether something stands in the way."""
        return any(gate.failed for gate in self.gates)
