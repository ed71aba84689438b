"""What works on one repository, once it was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from ralph_wiggum.adapters.git.commit import Committer
from ralph_wiggum.adapters.git.guard import Guard
from ralph_wiggum.adapters.git.kept import Kept
from ralph_wiggum.adapters.git.owned import Owned
from ralph_wiggum.adapters.git.persons import Persons
from ralph_wiggum.adapters.git.place import Place
from ralph_wiggum.adapters.git.restore import Restorer
from ralph_wiggum.adapters.git.snapshot import Snapshots


@dataclass(slots=True)
class Parts:
    """The parts; `guard` and `committer` are there from when a run begins, where there is something for them to do."""

    place: Place
    snapshots: Snapshots
    kept: Kept
    restorer: Restorer
    owned: Owned
    persons: Persons
    guard: Guard | None = None
    committer: Committer | None = None

    @classmethod
    def of(cls, place: Place) -> Self:
        """Put the parts together."""
        snapshots, kept = Snapshots(place), Kept(place)
        restorer, persons = Restorer(place, snapshots, kept), Persons(place, snapshots)
        return cls(place, snapshots, kept, restorer, Owned(place), persons)

    def begin_again(self) -> None:
        """Take nothing for known of a repository that was put back: what was stored last may not be in it."""
        self.snapshots.begin()
        if self.committer is not None:
            self.committer.forget()
