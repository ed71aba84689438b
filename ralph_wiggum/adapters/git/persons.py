"""What the person had not committed when the run began: never committed, never lost."""

from __future__ import annotations

import json
import os
from contextlib import suppress

from ralph_wiggum.adapters.git.commands import Git
from ralph_wiggum.adapters.git.place import Place
from ralph_wiggum.adapters.git.snapshot import Snapshots
from ralph_wiggum.ports import Snapshot


class Persons:
    """The person's paths, from the top of the work tree; `untracked` are those that HEAD does not hold."""

    def __init__(self, place: Place, snapshots: Snapshots) -> None:
        self._place = place
        self._snapshots = snapshots
        self._record = place.state / "persons.json"
        self.paths: frozenset[str] = frozenset()
        self.untracked: tuple[str, ...] = ()

    def begin(self, head: str, now: Snapshot, since: Snapshot | None) -> None:
        """Find what differs from `head` ("" before the first commit), staged or not.

        A run that goes on in the middle of a task (`since`) takes over what the broken one had found: what differs
        beyond that is the attempt's, and so is what its agent staged or committed before it was cut off. One that
        goes on between two tasks adds what is changed now.
        """
        earlier = self._load() if since is not None else None
        if earlier is None or (since is not None and since == now):
            self.paths, self.untracked = self._find(head, since or now, staged=earlier is None)
        if earlier is not None:
            self.paths |= earlier[0]
            self.untracked = tuple(dict.fromkeys((*self.untracked, *earlier[1])))
        self._save()

    def recorded(self) -> frozenset[str]:
        """Return the paths that an earlier run found."""
        return (self._load() or (frozenset(), ()))[0]

    def all_gone(self) -> bool:
        """Say whether every untracked file of the person's is missing: the sign of `git clean`."""
        return bool(self.untracked) and not any(os.path.lexists(self._place.top / path) for path in self.untracked)

    def _find(self, head: str, seen: Snapshot, *, staged: bool) -> tuple[frozenset[str], tuple[str, ...]]:
        if self._place.why_private:
            return frozenset(seen.large), ()
        base = head or empty_tree(self._place.git)
        entries = self._snapshots.entries(base, seen.tree)
        options = ("diff-index", "--cached", "--name-only", "--no-renames", "-z")
        index = self._place.git.run(*options, base, "--").items if staged else []
        paths = frozenset((*(entry.path for entry in entries), *index, *seen.large))
        return paths, tuple(entry.path for entry in entries if entry.status == "A")

    def _load(self) -> tuple[frozenset[str], tuple[str, ...]] | None:
        with suppress(OSError, ValueError, KeyError, TypeError):
            record = json.loads(self._record.read_text(encoding="utf-8"))
            return frozenset(record["paths"]), tuple(record["untracked"])
        return None

    def _save(self) -> None:
        record = {"paths": sorted(self.paths), "untracked": self.untracked}
        scratch = self._record.with_suffix(".new")
        scratch.write_text(json.dumps(record), encoding="utf-8")
        scratch.replace(self._record)


def empty_tree(git: Git) -> str:
    """Return the tree that holds nothing, stored so that git can compare with it."""
    return git.run("hash-object", "-t", "tree", "-w", "--stdin").text
