"""The agent's own git acts: noticed without a git process, put back from what was recorded, theirs kept.

Kept under `refs/ralph/agent/<n>/…`, one number for each time. Nothing here writes to the work tree, but what a stash,
a reset, a checkout or a clean took of the person's uncommitted changes is put back by `GitRepo.mend`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ralph_wiggum.adapters.git_locks import LockWait
from ralph_wiggum.adapters.git_place import Place
from ralph_wiggum.adapters.git_refs import (
    Head,
    Ref,
    different,
    operations,
    read_head,
    read_refs,
    read_stashes,
    write_refs,
)
from ralph_wiggum.adapters.git_settings import GitSettings
from ralph_wiggum.adapters.git_snapshot import copy_index

_KEPT = "refs/ralph/agent"
_NAMED_COMMITS = 5
_LOCK_SECONDS = 3.0
_QUIT = {"merge": "merge", "cherry-pick": "cherry-pick", "revert": "revert", "rebase": "rebase"}


@dataclass(frozen=True, slots=True)
class Signs:
    """What the files of a repository look like; equal signs mean that nothing happened."""

    head: bytes
    refs: tuple[object, ...]
    index: object
    operations: frozenset[str]


@dataclass(frozen=True, slots=True)
class Record:
    """How the repository was left by the runner."""

    head: Head
    refs: dict[str, Ref]
    stashes: dict[str, str]
    signs: Signs


class Guard:
    """Compares the repository with the record made after the runner's own last act."""

    def __init__(self, place: Place, head: Head) -> None:
        self._place = place
        self._git = place.git
        self._saved_index = place.state / "persons.index"
        # with other worktrees around, other branches and the stash may be somebody else's work
        self._shared = place.git_dir != place.common_dir or _has_entries(place.common_dir / "worktrees")
        self._settings = GitSettings(place)
        self._record = self._read(head)
        self.visited: tuple[str, ...] = ()  # commits that HEAD and the branch were at when the last mend began

    @property
    def head(self) -> Head:
        """Return HEAD as the runner left it."""
        return self._record.head

    def committed(self, sha: str) -> None:
        """Take the runner's own commit into the record, without asking git."""
        head = Head(self._record.head.ref, sha)
        refs = self._record.refs | ({head.ref: Ref(sha, str(self._place.top))} if head.ref else {})
        self._record = replace(self._record, head=head, refs=refs, signs=self._look())
        self._save_index()

    def unlock(self) -> list[str]:
        """Remove lock files that a killed git of the agent's left behind; return words."""
        patience = LockWait(self._place.top, wait_seconds=_LOCK_SECONDS)
        for name in ("index.lock", "HEAD.lock", "packed-refs.lock", "config.lock"):
            lock = self._place.git_dir / name
            if lock.exists():
                patience.free(lock)
        return patience.notes

    def quiet(self) -> bool:
        """Say whether nothing of the repository's files changed; no process is started."""
        return self._look() == self._record.signs

    def mend(self) -> list[str]:
        """Put HEAD, branches, tags, stashes and index back; settings too; return words, one an act."""
        signs = self._look()
        words = self._end_operations(signs.operations)
        head, refs = read_head(self._git), read_refs(self._git, "refs/heads", "refs/tags")
        branch = refs.get(self._record.head.ref)
        self.visited = tuple(dict.fromkeys(commit for commit in (head.commit, branch and branch.commit) if commit))
        number = self._next_number()
        words += self._mend_head(head, number)
        words += self._mend_branch(refs, number)
        words += self._mend_others(refs, number)
        words += self._mend_stashes(number)
        words += self._mend_index()
        words += self._settings.mend()
        self._record = self._read(self._record.head)
        return words

    def _look(self) -> Signs:
        git_dir, common = self._place.git_dir, self._place.common_dir
        found = [_stamp(common / name) for name in ("packed-refs", "reftable/tables.list", "logs/refs/stash")]
        found += [_stamp(file) for file in self._settings.files]
        loose = [*_loose(str(common / "refs" / "heads")), *_loose(str(common / "refs" / "tags"))]
        head = b""
        with suppress(OSError):
            head = (git_dir / "HEAD").read_bytes()
        return Signs(head, (*found, *sorted(loose)), _stamp(git_dir / "index"), operations(git_dir))

    def _read(self, head: Head) -> Record:
        refs = read_refs(self._git, "refs/heads", "refs/tags")
        record = Record(head, refs, self._stashes(), self._look())
        self._save_index()
        return record

    def _stashes(self) -> dict[str, str]:
        """Return the stashes; no process is started where there can be none."""
        common = self._place.common_dir
        there = any((common / name).exists() for name in ("logs/refs/stash", "reftable", "refs/stash"))
        return read_stashes(self._git) if there else {}

    def _save_index(self) -> None:
        self._saved_index.unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            copy_index(self._place.git_dir / "index", self._saved_index)

    def _next_number(self) -> int:
        names = read_refs(self._git, _KEPT)
        return 1 + max((int(part) for name in names if (part := name.split("/")[3]).isdigit()), default=0)

    def _keep(self, number: int, name: str, commit: str) -> str:
        """Hold what the agent made by a ref of ours; return the ref."""
        ref = f"{_KEPT}/{number}/{name.removeprefix('refs/')}"
        write_refs(self._git, [f"update {ref} {commit}"])
        return ref

    def _end_operations(self, now: frozenset[str]) -> list[str]:
        """Leave a merge, rebase … that the agent began, without touching files."""
        words = []
        for operation in sorted(now - self._record.signs.operations):
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
        if head.ref == was.ref and (head.ref or head.commit == was.commit):
            return []
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

    def _mend_branch(self, refs: dict[str, Ref], number: int) -> list[str]:
        """Move the run's branch back; the files stay, so that the agent's commits become part of ours."""
        was = self._record.head
        now = refs[was.ref].commit if was.ref in refs else ""
        if not was.ref or now == was.commit:
            return []
        if not now:
            write_refs(self._git, [f"update {was.ref} {was.commit}"])
            return [f"the agent deleted the branch {was.branch}: put back"]
        kept = self._keep(number, was.ref, now)
        write_refs(self._git, [f"update {was.ref} {was.commit}" if was.commit else f"delete {was.ref}"])
        if self._ahead(was.commit, now):
            subjects = self._subjects(was.commit, now)
            return [f"the agent committed {subjects}: folded into the task's own commit, theirs kept as {kept}"]
        return [f"the agent moved {was.branch} to {now[:10]} (reset, amend or rebase): put back, theirs kept as {kept}"]

    def _mend_others(self, refs: dict[str, Ref], number: int) -> list[str]:
        """Put other branches and tags back; what is checked out in another worktree is left alone."""
        words, back = [], []
        for name in different(self._record.refs, refs):
            short, was, now = name.split("/", 2)[2], self._record.refs.get(name), refs.get(name)
            if name == self._record.head.ref:
                continue
            if self._shared or (now and now.worktree not in ("", str(self._place.top))):
                words.append(f"{short} changed meanwhile, perhaps in another worktree: left as it is")
                continue
            kept = f", theirs kept as {self._keep(number, name, now.commit)}" if now else ""
            back.append(f"update {name} {was.commit}" if was else f"delete {name}")
            act = ("moved" if now else "deleted") if was else "made"
            words.append(f"the agent {act} {short}: {'put back' if was else 'taken away'}{kept}")
        write_refs(self._git, sorted(back))  # deletions first: a/b may stand in the way of a
        return words

    def _mend_stashes(self, number: int) -> list[str]:
        """Take the agent's stashes off the person's list, and put back those it dropped."""
        was, now = self._record.stashes, self._stashes()
        if was == now or self._shared:
            return []
        words = []
        for place, commit in reversed([*enumerate(now)]):
            if commit not in was:
                kept = self._keep(number, f"stash-{place}", commit)
                self._git.run("stash", "drop", "-q", f"stash@{{{place}}}")
                words.append(f"the agent stashed changes: taken off your stashes, kept as {kept}")
        for commit in reversed([commit for commit in was if commit not in now]):
            self._git.run("stash", "store", "-q", "-m", was[commit], commit)
            words.append(f"the agent dropped your stash “{was[commit]}”: put back")
        return words

    def _mend_index(self) -> list[str]:
        """Put the person's index back if its content changed; a mere refresh is none of our business."""
        index = self._place.git_dir / "index"
        if _stamp(index) == self._record.signs.index or self._staged(index) == self._staged(self._saved_index):
            return []
        if not self._saved_index.exists():
            index.unlink(missing_ok=True)
        else:
            lock = Path(f"{index}.lock")
            with suppress(FileExistsError):  # a living git is at it: leave it, what is staged does no harm
                os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
                copy_index(self._saved_index, lock)
                lock.replace(index)
        return ["the agent staged or unstaged files: what is staged was put back as it was"]

    def _staged(self, index: Path) -> bytes:
        return self._git.run("ls-files", "-s", "-v", "-z", index=index, check=False).out if index.exists() else b""

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


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _loose(folder: str) -> Iterator[tuple[str, int, int]]:
    """Yield the loose refs below a folder with what changes when they are written."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _loose(entry.path)
            elif not entry.name.endswith(".lock"):
                found = entry.stat()
                yield entry.path, found.st_mtime_ns, found.st_ino


def _has_entries(folder: Path) -> bool:
    with suppress(OSError):
        return any(folder.iterdir())
    return False
