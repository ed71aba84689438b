"""The work tree and its history in git: snapshots, restores, commits, the branch, and the agent's own git acts.

Order of a round: `snapshot` (before), the attempt, `mend`, `snapshot` (after), then `commit` or `restore`.
`git reset --hard`, `git clean` and `git stash push` are never run. Paths that come out of here are relative to the
project root; snapshots and patches cover the whole work tree of git (apply a patch at `top`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from ralph_wiggum.adapters.git.branch import home_branch, take_branch
from ralph_wiggum.adapters.git.care import Care
from ralph_wiggum.adapters.git.commands import TIMEOUT_SECONDS
from ralph_wiggum.adapters.git.commit import FALLBACK_EMAIL, FALLBACK_NAME, Committer, Identity
from ralph_wiggum.adapters.git.guard import Guard
from ralph_wiggum.adapters.git.late import Late
from ralph_wiggum.adapters.git.parts import Parts
from ralph_wiggum.adapters.git.persons import empty_tree
from ralph_wiggum.adapters.git.place import Place, init_again, locate
from ralph_wiggum.adapters.git.recover import recover
from ralph_wiggum.adapters.git.refs import Head, operations, read_head, write_own_ref, write_refs
from ralph_wiggum.adapters.git.safety import Safety
from ralph_wiggum.core.commits import describe_for_morning, ref_part
from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.evidence import Change
from ralph_wiggum.ports import Committed, RepoState, Restored, Snapshot

# What somebody changes within so short a time after one attempt counts as the next one's, as it would a moment later.
RECENT_SECONDS = 0.25


class GitRepo:
    """Satisfies ports.Repo. `state` is the runner's folder for this spec, `owned` the runner's own files.

    `env` is the whole environment of git (None: this process's); `hook_seconds` bounds the person's commit hooks.
    """

    def __init__(
        self,
        root: Path,
        *,
        state: Path,
        spec: str,
        owned: Sequence[Path] = (),
        commit: bool = True,
        branch_pattern: str = "ralph/{spec}",
        env: Mapping[str, str] | None = None,
        hook_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._root = root
        self._state = state
        self._spec = spec
        self._owned_paths = tuple(owned)
        self._commit = commit
        self._pattern = branch_pattern
        self._env = env
        self._hook_seconds = hook_seconds
        self._safety = Safety(root, state, env)
        self._care = Care(root, self._safety, self._parts)
        self.rescued: tuple[str, ...] = ()
        self._opened: Parts | None = None
        self._last: Snapshot | None = None
        self._recent_until = 0.0  # until when the last snapshot passes for the tree as it is

    @property
    def top(self) -> Path:
        """Return the top of git's work tree, which may lie above the project root."""
        return self._parts().place.top

    def begin(self, run_id: str, *, since: Snapshot | None = None, agent_until: datetime | None = None) -> RepoState:
        """Look at the repository, choose or make the branch, record where the evening stood.

        `since` is for a run that goes on after one that broke off: the snapshot with which the task in progress (or
        the run) began. What changed since then counts as the task's and not as the person's. `agent_until` is for a
        run after one that was killed in the middle of an attempt: until when that attempt can have lasted. What its
        agent did with git itself is put back first, and said in the notes. Raises RalphError where git is missing or
        refuses the repository.
        """
        self._opened = None
        self._care.hold()
        notes = []
        if agent_until is not None:
            notes += [f"from the attempt that was cut off: {word}" for word in self._safety.recover(agent_until)]
        parts = self._parts()
        place = parts.place
        if agent_until is not None:
            late = Late(place, agent_until)
            notes += recover(place, parts.snapshots, parts.restorer, parts.persons, parts.kept, late)
        notes += _warnings(place)
        head = started = Head("", "") if place.why_private else read_head(place.git)
        if self._commits(place):
            head, words = take_branch(place, started, self._pattern, self._spec)
            notes += words
        parts.snapshots.begin()
        parts.kept.begin(resumed=since is not None)
        self._last = parts.snapshots.take()
        parts.owned.begin(resumed=since is not None)
        parts.persons.begin(head.commit, self._last, since)
        identity = Identity(place)
        if self._commits(place):
            if identity.missing:
                notes.append(
                    f"git knows no name and address of yours: commits are by {FALLBACK_NAME} <{FALLBACK_EMAIL}>"
                )
            parts.committer = Committer(place, parts.snapshots, parts.restorer, parts.owned, identity)
            parts.committer.persons = parts.persons.paths
        self._record_evening(place, head, run_id, resumed=since is not None)
        if not place.why_private:
            parts.guard = Guard.begin(place, head, self._last)
        notes += self._safety.begin(place)
        dirty = sorted(place.shown(path) for path in parts.persons.paths | parts.owned.dirty)
        return RepoState(
            head=head.commit,
            branch=head.branch,
            started_on=home_branch(place, started, self._pattern, self._spec),
            evening=head.commit,
            dirty=tuple(dirty),
            notes=(*notes, *place.git.taken_notes()),
        )

    def snapshot(self, *, recent: bool = False) -> Snapshot:
        """Record the work tree as it is; the person's index is not touched. `recent`: the last one may do."""
        if recent and self._last is not None and time.monotonic() <= self._recent_until:
            return self._last
        before = self._last
        taken = self._see(self._care.careful(self._parts().snapshots.take))
        if taken != before:
            self._safety.store()
        self._recent_until = time.monotonic() + RECENT_SECONDS
        return taken

    def keep(self, name: str, snapshot: Snapshot) -> None:
        """Hold a snapshot by the ref `refs/ralph/<spec>/keep/<name>`."""
        place = self._parts().place
        ref = f"refs/ralph/{ref_part(self._spec)}/keep/{ref_part(name)}"
        self._care.careful(lambda: write_own_ref(place.git, place.common_dir, ref, snapshot.tree))
        self._safety.take(place.common_dir / ref)

    def changes(self, before: Snapshot, after: Snapshot) -> tuple[Change, ...]:
        """Return the paths that differ, from the project root, sorted."""
        parts = self._parts()
        found = self._care.careful(lambda: parts.snapshots.changes(self._care.base(before), after), before)
        if not parts.place.prefix:
            return tuple(Change(path=parts.place.shown(change.path), status=change.status) for change in found)
        shown = (Change(path=parts.place.shown(change.path), status=change.status) for change in found)
        return tuple(sorted(shown, key=lambda change: change.path))

    def patch(self, before: Snapshot, after: Snapshot) -> bytes:
        """Return the difference as a binary patch for `git apply` at `top`; b"" if there is none."""
        return self._care.careful(lambda: self._parts().snapshots.patch(self._care.base(before), after), before)

    def restore(self, before: Snapshot, after: Snapshot) -> Restored:
        """Put back what changed between the two, only where files are still as in `after`."""
        parts = self._parts()
        found = self._care.careful(lambda: self._care.restore(before, after), before)
        self._see(before)
        self._recent_until = 0.0
        shown = parts.place.shown
        return Restored(restored=tuple(map(shown, found.restored)), left=tuple(map(shown, found.left)))

    def commit(
        self,
        before: Snapshot,
        after: Snapshot,
        *,
        subject: str,
        trailers: Mapping[str, str],
        extra: Sequence[Path] = (),
    ) -> Committed:
        """Commit exactly the paths that changed between the two, and what is due of `extra`.

        A commit that cannot be made (no space, a lock that stays) is no error but a note: the night goes on.
        """
        parts = self._parts()
        parts.kept.refresh()
        committer = parts.committer
        if committer is None:
            return Committed()
        if committer.hooked:
            self._recent_until = 0.0
        try:
            made = self._care.careful(
                lambda: committer.commit(self._care.base(before), after, subject, trailers, extra), before
            )
        except RalphError as problem:
            return Committed(notes=(f"no commit was made: {problem}", *parts.place.git.taken_notes()), failed=True)
        if made.sha and parts.guard is not None:
            parts.guard.committed(made.sha)
            self._safety.refresh()
        return made

    def mend(self) -> tuple[str, ...]:
        """Put back what an agent did with git itself since the last call; return words for the log, one an act."""
        parts = self._parts()
        self._recent_until = 0.0
        words = self._care.home()
        self.rescued = tuple(words)
        if not self._care.at_home:
            return self.rescued
        words += self._safety.mend() + init_again(parts.place)
        self.rescued = tuple(words)
        if not parts.place.git_dir.is_dir():
            return (*words, f"git's folder {parts.place.git_dir} is gone")
        try:
            if words:
                parts.begin_again()
            words += self._care.careful(lambda: self._mend(parts))
            self._safety.refresh(settled=True)
        except RalphError as problem:  # the night goes on
            words.append(f"what the agent did with git could not be put back: {problem}")
        back = parts.kept.put_back(only_secrets=not parts.kept.all_missing())
        words += [f"{parts.place.shown(path)} was removed or changed: put back" for path in back]
        return (*words, *parts.place.git.taken_notes())

    def files_token(self) -> str:
        """Return a text that changes when any file of the work tree changes; "" if git cannot say."""
        try:
            return self._parts().snapshots.token()
        except RalphError:
            return ""

    def morning(self, state: RepoState) -> tuple[str, ...]:
        """Return the lines of the last screen about the commits of this run."""
        place = self._parts().place
        if place.why_private:
            return ()
        head = read_head(place.git)
        top = "" if place.top == self._root.resolve() else str(place.top)
        return describe_for_morning(
            branch=head.branch, started_on=state.started_on, evening=state.evening, head=head.commit, top=top
        )

    def _parts(self) -> Parts:
        if self._opened is None:
            words = self._safety.recover(None)
            place = locate(self._root, self._state, self._owned_paths, self._env, self._hook_seconds)
            self._opened = Parts.of(place)
            place.git.notes += words
            if self._safety.salvaged:
                self._care.store_again()
        return self._opened

    def _see(self, snapshot: Snapshot) -> Snapshot:
        self._last = snapshot
        if (guard := self._parts().guard) is not None:
            guard.seen(snapshot)
        return snapshot

    def _commits(self, place: Place) -> bool:
        return self._commit and not place.why_private and not operations(place.git_dir)

    def _record_evening(self, place: Place, head: Head, run_id: str, *, resumed: bool) -> None:
        if head.commit and not place.why_private:
            base = f"refs/ralph/{ref_part(self._spec)}/evening"
            names = [f"{base}-{ref_part(run_id)}", *(() if resumed else (base,))]
            write_refs(place.git, [f"update {name} {head.commit}" for name in names])

    def _mend(self, parts: Parts) -> list[str]:
        guard = parts.guard
        if guard is None:
            return []
        words = guard.unlock()
        if not guard.quiet():
            words += guard.mend()
        elif not parts.persons.all_gone():  # git clean leaves no other trace
            return words
        return words + self._unrevert(parts, guard)

    def _unrevert(self, parts: Parts, guard: Guard) -> list[str]:
        """Put back what was taken of the person's uncommitted changes since the last snapshot."""
        if self._last is None:
            return []
        heads = [guard.head.commit or empty_tree(parts.place.git), *guard.visited]
        back = parts.restorer.unrevert(parts.persons.paths, heads, self._last)
        names = ", ".join(parts.place.shown(path) for path in back)
        return [f"your uncommitted changes were taken out of the work tree: put back {names}"] if back else []


def _warnings(place: Place) -> list[str]:
    """Return words about what is unusual in this repository."""
    if place.why_private:
        return [f"{place.why_private}: snapshots and restores work, but no commits are made"]
    notes = []
    under_way = sorted(operations(place.git_dir))
    if under_way:
        notes.append(f"a {' and a '.join(under_way)} is under way: no commits are made until it is finished")
    if (place.top / ".gitmodules").exists():
        notes.append("submodules: what changes inside them is neither snapshotted nor committed")
    return notes
