"""What is known of the life of one server, and the rules of it. How it goes on is in `course`. Pure.

Times are seconds of one monotonic clock, given by the caller.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from math import inf

from ralph_wiggum.core.servers.standing import Health


class Phase(Enum):
    """Where in its life a server is."""

    UNKNOWN = auto()
    ASKING = auto()  # whether somebody answers already
    HELD = auto()  # the port is held by something that is not ready, and there is no other port to go to
    STARTING = auto()
    CHECKING = auto()  # believed to be up, asked to prove it
    UP = auto()
    ENDING = auto()  # its processes are being ended
    DOWN = auto()  # to be started at `again_at`
    FAILED = auto()  # until somebody wants it again


class Act(Enum):
    """What is to be done now."""

    NOTHING = auto()
    ASK = auto()
    START = auto()
    END = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the settings say of one server's life. `movable`: it can be started on another port than it wants.

    `askable`: one can ask for it before it was started. Without `health_check` an answer is asked for by `ensure`
    only; without `restart` what died stays dead until then.
    """

    attempts: int = 30
    interval: float = 1.0
    restart: bool = True
    health_check: bool = True
    movable: bool = False
    askable: bool = True

    @property
    def patience(self) -> float:
        """Return for how long a server is waited for: `attempts` times `interval`."""
        return self.attempts * self.interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What is known of one server.

    `wanted`: somebody waits for it; it is settled when nobody does any more. `since` is when the phase began, `ask_at`
    when to ask next (never, while an answer is awaited), `deadline` when waiting for a good answer is over, `again_at`
    when to start it. `then` is the phase that follows ENDING. `deaths` and `unanswered` count in a row, `tries` the
    starts of this wait, `restarts` all automatic starts. `clear`: it was asked for before its start, and nobody is in
    the way. `crashing`: given up for a crash loop; `held`: because somebody else has its port; `renewed`: it was
    ended and started once more within this wait.
    """

    phase: Phase = Phase.UNKNOWN
    ours: bool = False
    wanted: bool = False
    since: float = 0.0
    ask_at: float = inf
    deadline: float = inf
    again_at: float = inf
    then: Phase = Phase.DOWN
    looks: int = 0
    tries: int = 0
    deaths: int = 0
    unanswered: int = 0
    restarts: int = 0
    clear: bool = False
    crashing: bool = False
    held: bool = False
    renewed: bool = False
    reason: str = ""

    @property
    def up(self) -> bool:
        """Say whether it is up, as far as is known."""
        return self.phase in {Phase.UP, Phase.CHECKING}

    @property
    def well(self) -> bool:
        """Say whether the last answer was as it must be."""
        return self.phase is Phase.UP and not self.reason

    @property
    def over(self) -> bool:
        """Say whether it does not come up any more, as long as nobody wants it again."""
        return not self.wanted and (self.phase is Phase.FAILED or (self.phase is Phase.DOWN and self.again_at == inf))

    @property
    def health(self) -> Health:
        """Return what others are told."""
        if self.phase is Phase.ENDING:
            return _HEALTH[self.then]
        if self.phase is Phase.ASKING and self.ours:  # it died, and is asked for before its next start
            return Health.DOWN
        return _HEALTH[self.phase]


_HEALTH = {
    Phase.UNKNOWN: Health.UNKNOWN,
    Phase.ASKING: Health.UNKNOWN,
    Phase.HELD: Health.STARTING,
    Phase.STARTING: Health.STARTING,
    Phase.CHECKING: Health.UP,
    Phase.UP: Health.UP,
    Phase.ENDING: Health.DOWN,
    Phase.DOWN: Health.DOWN,
    Phase.FAILED: Health.FAILED,
}
