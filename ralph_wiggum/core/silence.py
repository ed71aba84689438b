"""No progress (O22): how long an agent may be silent, and what counts as a sign of life while it is.

Pure: the caller brings times (monotonic seconds), CPU figures and file tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

BUSY_SHARE = 0.02  # of the time between two looks: what a waiting runtime's own timers use is less
_MOST_BETWEEN_LOOKS = 10.0


@dataclass(frozen=True, slots=True)
class Cpu:
    """Seconds of CPU of one process: its own, and of the children that it has waited for."""

    own: float
    ended: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """What is known of an agent's silence. All times are monotonic seconds.

    `heard` is the last output, `progress` the last sign of life of any kind; `cpu` and `changes` are what was seen
    since the last output; `reasons` maps each kind that kept the agent alive to its words.
    """

    limit: float
    heard: float
    progress: float
    cpu: float = 0.0
    changes: int = 0
    reasons: Mapping[str, str]

    @classmethod
    def begin(cls, limit: float, now: float) -> Silence:
        """Start to count at `now`."""
        return cls(limit=limit, heard=now, progress=now, reasons={})

    @property
    def between_looks(self) -> float:
        """Return the seconds between two looks at CPU and files: a tenth of the limit, 10 s at most."""
        return min(self.limit / 10, _MOST_BETWEEN_LOOKS)

    @property
    def waited_for(self) -> tuple[str, ...]:
        """Return each reason that kept the agent alive, with figures, one a kind."""
        return tuple(self.reasons.values())

    def output(self, when: float) -> Silence:
        """Note that something was printed."""
        if when <= self.heard:
            return self
        return replace(self, heard=when, progress=max(when, self.progress), cpu=0.0, changes=0)

    def busy(self, now: float, used: float, interval: float) -> Silence:
        """Note that the family used CPU for `used` seconds in the last `interval` seconds."""
        if used < BUSY_SHARE * interval or used <= 0:
            return self
        cpu = self.cpu + used
        words = f"used {cpu:.1f} s of CPU while silent for {now - self.heard:.0f} s"
        return replace(self, progress=now, cpu=cpu, reasons=self._with_reason("cpu", words, now))

    def changed(self, now: float) -> Silence:
        """Note that a file of the work tree changed."""
        changes = self.changes + 1
        times = "" if changes == 1 else f" ({changes} times)"
        words = f"files changed while silent for {now - self.heard:.0f} s{times}"
        return replace(self, progress=now, changes=changes, reasons=self._with_reason("files", words, now))

    def over(self, now: float) -> bool:
        """Say whether there was no sign of life for as long as the limit."""
        return now - self.progress >= self.limit

    def _with_reason(self, kind: str, words: str, now: float) -> Mapping[str, str]:
        """Return the reasons with this one, once silence alone would have ended the wait before the next look."""
        if now - self.heard < self.limit - self.between_looks:
            return self.reasons
        return {**self.reasons, kind: words}


def cpu_used(before: Mapping[object, Cpu], after: Mapping[object, Cpu]) -> float:
    """Return the seconds of CPU that a family used between two looks; never negative.

    A process that ended in between takes its time out of the sum unless its parent waited for it, so the growth of
    those seen both times counts where that is more.
    """
    total = sum(cpu.own + cpu.ended for cpu in after.values()) - sum(cpu.own + cpu.ended for cpu in before.values())
    grown = sum(cpu.own - before[key].own if key in before else cpu.own for key, cpu in after.items())
    return max(0.0, total, grown)
