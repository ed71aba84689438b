"""What a repository points at: HEAD, branches, tags, stashes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ralph_wiggum.adapters.git.commands import Git

_OPERATIONS = {
    "MERGE_HEAD": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "BISECT_LOG": "bisect",
}


@dataclass(frozen=True, slots=True)
class Head:
    """Where HEAD is: `ref` is "" when detached, `commit` "" before the first commit."""

    ref: str
    commit: str

    @property
    def branch(self) -> str:
        """Return the short name of the branch."""
        return self.ref.removeprefix("refs/heads/")


@dataclass(frozen=True, slots=True)
class Ref:
    """A branch or tag; `worktree` is the folder where it is checked out, or ""."""

    commit: str
    worktree: str


def read_head(git: Git) -> Head:
    """Return HEAD as it is."""
    ref = git.run("symbolic-ref", "-q", "HEAD", check=False).text
    return Head(ref, git.run("rev-parse", "-q", "--verify", "HEAD", check=False).text)


def read_refs(git: Git, *patterns: str) -> dict[str, Ref]:
    """Return the refs that match (git-for-each-ref(1)), by full name."""
    listed = git.run("for-each-ref", "--format=%(refname) %(objectname) %(worktreepath)", *patterns).text
    parts = (line.split(" ", 2) for line in listed.split("\n") if line)
    return {name: Ref(commit, *(rest or [""])) for name, commit, *rest in parts}


def read_stashes(git: Git) -> dict[str, str]:
    """Return the stashes, the newest first: commit -> what it says of itself."""
    listed = git.run("reflog", "show", "--format=%H %gs", "refs/stash", "--", check=False)
    return dict(line.split(" ", 1) for line in listed.text.split("\n") if " " in line) if listed.code == 0 else {}


def operations(git_dir: Path) -> frozenset[str]:
    """Return what is under way: merge, rebase, cherry-pick, revert, bisect."""
    return frozenset(word for name, word in _OPERATIONS.items() if (git_dir / name).exists())


def operation_file(git_dir: Path, operation: str) -> Path:
    """Return the file or folder that says so: its time is when that began, or went on."""
    names = [name for name, word in _OPERATIONS.items() if word == operation]
    return next((git_dir / name for name in names if (git_dir / name).exists()), git_dir / names[0])


def write_refs(git: Git, lines: Sequence[str]) -> None:
    """Run lines of `git update-ref --stdin` as one transaction."""
    if lines:
        git.run("update-ref", "--stdin", stdin="".join(f"{line}\n" for line in lines).encode())


def write_own_ref(git: Git, common_dir: Path, name: str, target: str) -> None:
    """Point a ref of the runner's own at an object, without a process where the repository keeps refs as files.

    Written as git does it, the lock first (gitrepository-layout(5), refs). RalphError if git refuses it.
    """
    if (common_dir / "refs/heads").is_dir():  # with reftable it is a file
        with suppress(OSError):
            _write_loose(common_dir / name, target)
            return
    git.run("update-ref", name, target)


def _write_loose(path: Path, target: str) -> None:
    # git writes no ref of ours, so nobody waits for a lock
    if overwrite(path, f"{target}\n".encode()):
        return
    lock = Path(f"{path}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("x") as file:
        file.write(f"{target}\n")
    try:
        lock.replace(path)
    except OSError:
        lock.unlink()
        raise


def overwrite(path: str | Path, content: bytes) -> bool:
    """Write a small file of the runner's own in its place, in one go; False where it is not there in that length.

    The end of this process does not tear it; only a power cut may.
    """
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.fstat(fd).st_size == len(content) and os.pwrite(fd, content, 0) == len(content)
    finally:
        os.close(fd)


def different(before: Mapping[str, Ref], after: Mapping[str, Ref]) -> list[str]:
    """Return the names of refs that do not point where they did, sorted."""
    return sorted(name for name in before.keys() | after.keys() if _commit(before, name) != _commit(after, name))


def _commit(refs: Mapping[str, Ref], name: str) -> str:
    return refs[name].commit if name in refs else ""
