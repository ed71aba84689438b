"""The agent's own git acts: noticed without a git process, put back from what was recorded, theirs kept.

Kept under `refs/ralph/agent/<n>/…`, one number for each time. Nothing here writes to the work tree, but what a stash,
a reset, a checkout or a clean took of the person's uncommitted changes is put back by `GitRepo.mend`.

The record is on disk as well: where an attempt is cut off with its runner, the next start puts back what its agent did
(`recover`). A person may have used git in between, so there one more rule holds: what was changed later than the
attempt can have lasted is not the agent's. HEAD stays where the person switched to, a branch, a stash, a merge, what is
staged and git's settings stay as they are, each by its own time, and that is said. What is earlier counts as the
agent's. Nothing is lost if that is wrong: every commit that is moved away from is kept by a ref and named, and what is
gone (branches, tags, stashes) is only ever put back.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Self

from ralph_wiggum.adapters.git.late import LEFT, Late
from ralph_wiggum.adapters.git.locks import LockWait, lock_files
from ralph_wiggum.adapters.git.place import Place
from ralph_wiggum.adapters.git.record import Record, RecordFile, look, stamp
from ralph_wiggum.adapters.git.refs import (
    Head,
    Ref,
    different,
    operation_file,
    operations,
    read_head,
    read_refs,
    read_stashes,
    write_refs,
)
from ralph_wiggum.adapters.git.settings import GitSettings
from ralph_wiggum.adapters.git.staged import StagedIndex
from ralph_wiggum.adapters.project import make_state
from ralph_wiggum.ports import Snapshot

_KEPT = "refs/ralph/agent"
_NAMED_COMMITS = 5
_LOCK_SECONDS = 3.0
_QUIT = {"merge": "merge", "cherry-pick": "cherry-pick", "revert": "revert", "rebase": "rebase"}


class Guard:
    """Compares the repository with the record made after the runner's own last act."""

    def __init__(self, place: Place, record: Record, file: RecordFile, settings: GitSettings) -> None:
        """Take up a record; `begin` and `resume` make one, or find it."""
        self._place = place
        self._git = place.git
        self._staged = StagedIndex(place)
        # with other worktrees around, other branches and the stash may be somebody else's work
        self._shared = place.git_dir != place.common_dir or _has_entries(place.common_dir / "worktrees")
        self._settings = settings
        self._file = file
        self._record = record
        self._signs = look(place, settings.files)
        self.visited: tuple[str, ...] = ()  # commits that HEAD and the branch were at when the last mend began

    @classmethod
    def begin(cls, place: Place, head: Head, seen: Snapshot) -> Self:
        """Record the repository as it is when a run begins; what earlier runs recorded ends here."""
        settings = GitSettings(place)
        settings.record()
        file = RecordFile(place.state)
        file.claim()
        guard = cls(place, Record(head, {}, {}, frozenset(), seen), file, settings)
        guard.record()
        return guard

    @classmethod
    def resume(cls, place: Place) -> Self | None:
        """Take up the record that a killed runner left; None if there is none. Nothing is written."""
        file = RecordFile(place.state)
        record = file.load()
        return cls(place, record, file, GitSettings(place)) if record is not None else None

    @property
    def head(self) -> Head:
        """Return HEAD as the runner left it."""
        return self._record.head

    @property
    def last_seen(self) -> Snapshot:
        """Return the work tree as it was seen last."""
        return self._record.seen

    def committed(self, sha: str) -> None:
        """Take the runner's own commit into the record, without asking git."""
        self._record = replace(self._record, head=Head(self._record.head.ref, sha))
        self._signs = look(self._place, self._settings.files)
        self._staged.save()
        self._file.save(self._record)

    def goes_on(self, head: Head) -> None:
        """Take HEAD and all else as they are by now for right: what stood there before is lost."""
        self._record = replace(self._record, head=head)
        self.record()

    def seen(self, snapshot: Snapshot) -> None:
        """Take a new snapshot into the record."""
        if snapshot != self._record.seen:
            self._record = replace(self._record, seen=snapshot)
            self._file.save(self._record)

    def record(self) -> None:
        """Take the repository as it is for right, but for HEAD, which is known."""
        make_state(self._place.state)  # an agent may have removed it
        refs = read_refs(self._git, "refs/heads", "refs/tags")
        under_way = operations(self._place.git_dir)
        self._record = replace(self._record, refs=refs, stashes=self._stashes(), operations=under_way)
        self._signs = look(self._place, self._settings.files)
        self._staged.save()
        self._file.save(self._record)

    def unlock(self) -> list[str]:
        """Remove lock files that a killed git of the agent's left behind; return words."""
        patience = LockWait(self._place.top, wait_seconds=_LOCK_SECONDS)
        for lock in lock_files(self._place.git_dir, self._place.common_dir):
            patience.free(lock)
        return patience.notes

    def quiet(self) -> bool:
        """Say whether nothing of the repository's files changed; no process is started."""
        if not self._file.there:  # an agent removed it
            self._file.save(self._record)
        return look(self._place, self._settings.files) == self._signs

    def mend(self) -> list[str]:
        """Put HEAD, branches, tags, stashes and index back; settings too; return words, one an act."""
        words = self._put_back(Late(self._place))
        self.record()
        return words

    def recover(self, late: Late) -> list[str]:
        """Do what `mend` does for an attempt that was cut off with its runner, by the rule above; return words.

        Nothing is recorded: should this be cut off as well, the next start does it again.
        """
        return [*self.unlock(), *self._put_back(late)]

    def _put_back(self, late: Late) -> list[str]:
        words = self._end_operations(late)
        head, refs = read_head(self._git), read_refs(self._git, "refs/heads", "refs/tags")
        was = self._record.head
        branch = refs.get(was.ref)
        self.visited = tuple(dict.fromkeys(commit for commit in (head.commit, branch and branch.commit) if commit))
        moved = head.ref != was.ref or (not head.ref and head.commit != was.commit)
        stays = moved and late.head(head)  # the person stands there by now
        number = self._next_number()
        if stays:
            words.append(f"HEAD, now at {_name(head)}, {LEFT}")
        elif moved:
            words += self._mend_head(head, number)
        words += self._mend_branch(refs, number, late)
        words += self._mend_others(refs, number, late, but=head.ref if stays else "")
        words += self._mend_stashes(number, late)
        words += self._mend_staged(head, late)
        return words + self._settings.mend(late)

    def _stashes(self) -> dict[str, str]:
        """Return the stashes; no process is started where there can be none."""
        common = self._place.common_dir
        there = any((common / name).exists() for name in ("logs/refs/stash", "reftable", "refs/stash"))
        return read_stashes(self._git) if there else {}

    def _next_number(self) -> int:
        names = read_refs(self._git, _KEPT)
        return 1 + max((int(part) for name in names if (part := name.split("/")[3]).isdigit()), default=0)

    def _keep(self, number: int, name: str, commit: str) -> str:
        """Hold what the agent made by a ref of ours; return the ref."""
        ref = f"{_KEPT}/{number}/{name.removeprefix('refs/')}"
        write_refs(self._git, [f"update {ref} {commit}"])
        return ref

    def _end_operations(self, late: Late) -> list[str]:
        """Leave a merge, rebase … that the agent began, without touching files."""
        words = []
        for operation in sorted(operations(self._place.git_dir) - self._record.operations):
            if late.file(operation_file(self._place.git_dir, operation)):
                words.append(f"the {operation} that is under way {LEFT}")
                continue
            if operation in _QUIT:
                self._git.run(operation, "--quit", check=False)
            else:
                for file in self._place.git_dir.glob("BISECT_*"):
                    file.unlink(missing_ok=True)
            words.append(f"the agent left a {operation} under way: ended, files left as they were")
        return words

    def _mend_head(self, head: Head, number: int) -> list[str]:
        """Put HEAD back on its branch (or its commit, where it was detached)."""
        was = self._record.head
        if was.ref:
            self._git.run("symbolic-ref", "-m", "ralph: back from the agent's switch", "HEAD", was.ref)
        else:
            self._git.run("update-ref", "--no-deref", "-m", "ralph: back", "HEAD", was.commit)
        if head.ref:
            return [f"the agent switched to the branch {head.branch}: switched back to {_name(was)}"]
        kept = self._keep(number, "head", head.commit)
        ahead = self._ahead(was.commit, head.commit)
        act = f"committed {self._subjects(was.commit, head.commit)}" if ahead else f"went to {head.commit[:10]}"
        return [f"the agent {act} on a detached HEAD: back on {_name(was)}, theirs kept as {kept}"]

    def _mend_branch(self, refs: dict[str, Ref], number: int, late: Late) -> list[str]:
        """Move the run's branch back; the files stay, so that the agent's commits become part of ours."""
        was = self._record.head
        now = refs[was.ref].commit if was.ref in refs else ""
        if not was.ref or now == was.commit:
            return []
        if not now:
            write_refs(self._git, [f"update {was.ref} {was.commit}"])
            return [f"the agent deleted the branch {was.branch}: put back"]
        if late.ref(was.ref):
            return [f"{was.branch} {LEFT}"]
        kept = self._keep(number, was.ref, now)
        write_refs(self._git, [f"update {was.ref} {was.commit}" if was.commit else f"delete {was.ref}"])
        if self._ahead(was.commit, now):
            subjects = self._subjects(was.commit, now)
            return [f"the agent committed {subjects}: folded into the task's own commit, theirs kept as {kept}"]
        return [f"the agent moved {was.branch} to {now[:10]} (reset, amend or rebase): put back, theirs kept as {kept}"]

    def _mend_others(self, refs: dict[str, Ref], number: int, late: Late, *, but: str) -> list[str]:
        """Put other branches and tags back, all but one; what is checked out in another worktree is left alone."""
        words, back = [], []
        for name in different(self._record.refs, refs):
            short, was, now = name.split("/", 2)[2], self._record.refs.get(name), refs.get(name)
            if name in (self._record.head.ref, but):
                continue
            if self._shared or (now and now.worktree not in ("", str(self._place.top))):
                words.append(f"{short} changed meanwhile, perhaps in another worktree: left as it is")
                continue
            if now and late.ref(name):
                words.append(f"{short} {LEFT}")
                continue
            kept = f", theirs kept as {self._keep(number, name, now.commit)}" if now else ""
            back.append(f"update {name} {was.commit}" if was else f"delete {name}")
            act = ("moved" if now else "deleted") if was else "made"
            words.append(f"the agent {act} {short}: {'put back' if was else 'taken away'}{kept}")
        write_refs(self._git, sorted(back))  # deletions first: a/b may stand in the way of a
        return words

    def _mend_stashes(self, number: int, late: Late) -> list[str]:
        """Take the agent's stashes off the person's list, and put back those it dropped."""
        was, now = self._record.stashes, self._stashes()
        if was == now or self._shared:
            return []
        words = []
        for place, commit in reversed([*enumerate(now)]):
            if commit not in was and not late.commit(commit):
                kept = self._keep(number, f"stash-{place}", commit)
                self._git.run("stash", "drop", "-q", f"stash@{{{place}}}")
                words.append(f"the agent stashed changes: taken off your stashes, kept as {kept}")
        for commit in reversed([commit for commit in was if commit not in now]):
            self._git.run("stash", "store", "-q", "-m", was[commit], commit)
            words.append(f"the agent dropped your stash “{was[commit]}”: put back")
        return words

    def _mend_staged(self, head: Head, late: Late) -> list[str]:
        """Put what is staged back; where HEAD is not back, it goes with what the person has done there."""
        if late.possible:
            return self._staged.mend(head, late) if read_head(self._git) == self._record.head else []
        return self._staged.mend(head, late) if stamp(self._staged.path) != self._signs.index else []

    def _ahead(self, old: str, new: str) -> bool:
        return not old or self._git.run("merge-base", "--is-ancestor", old, new, check=False).code == 0

    def _subjects(self, old: str, new: str) -> str:
        """Name the commits between two: short id and subject."""
        span = f"{old}..{new}" if old else new
        log = self._git.run("log", "--format=%h %s", f"--max-count={_NAMED_COMMITS + 1}", span, "--", check=False)
        lines = log.text.split("\n")
        return ", ".join(f"“{line}”" for line in lines[:_NAMED_COMMITS]) + (" …" if len(lines) > _NAMED_COMMITS else "")


def _name(head: Head) -> str:
    return head.branch or head.commit[:10]


def _has_entries(folder: Path) -> bool:
    with suppress(OSError):
        return any(folder.iterdir())
    return False
