"""What the loop tells a screen: one method an event. The loop knows no screen, the screens know no loop."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from ralph_wiggum.core.evidence import Gate
from ralph_wiggum.core.history import History
from ralph_wiggum.core.journal import Ended, Skipped, Started, Ticked
from ralph_wiggum.core.model import Plan, Task

if TYPE_CHECKING:
    from ralph_wiggum.app.order import Order  # it holds a View itself


class View(Protocol):
    """Who is told what happens, as it happens. No method raises because of a terminal that went away."""

    def progress(self, plan: Plan, history: History) -> None:
        """Take the plan and the history as they are now, before each step."""
        ...

    def started(self, task: Task, started: Started, order: Order) -> None:
        """Take the beginning of an attempt."""
        ...

    def output(self, text: str) -> None:
        """Take a piece of what the agent or a check prints, cleaned of terminal sequences."""
        ...

    def gate(self, gate: Gate) -> None:
        """Take the result of one check."""
        ...

    def looking(self, task: Task) -> None:
        """Take the beginning of a look at a task's pages."""
        ...

    def ended(self, task: Task, ended: Ended) -> None:
        """Take the end of an attempt and how it was judged."""
        ...

    def ticked(self, task: Task, ticked: Ticked) -> None:
        """Take a task that is complete."""
        ...

    def skipped(self, task: Task, skipped: Skipped) -> None:
        """Take a task that was skipped."""
        ...

    def waiting(self, reason: str, until: datetime) -> None:
        """Take the beginning of a wait; the next event of another kind ends it."""
        ...

    def note(self, text: str) -> None:
        """Take words that the person should see."""
        ...

    def refresh(self) -> None:
        """Draw anew if it is time to; called several times a second while a child runs."""
        ...

    def close(self) -> None:
        """Leave the terminal in order."""
        ...
