"""Snapshots of the work tree: git trees, made through an index of our own."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ralph_wiggum.adapters.git.commands import Result
from ralph_wiggum.adapters.git.place import TOOL_FOLDERS, Place
from ralph_wiggum.adapters.project import make_state
from ralph_wiggum.core.commits import is_secret
from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.evidence import Change
from ralph_wiggum.ports import Snapshot

LARGE_BYTES = 10_000_000
GITLINK = "160000"
_TRIES = 3  # a file may vanish or change while git reads it
_MANY_FILES = 200_000  # of a folder in no repository: somebody's whole home, not a project


class TooManyFilesError(RalphError):
    """A folder in no repository that is no project: trying again would not help."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One path that differs between two trees; modes are octal, "000000" where there is nothing."""

    path: str
    status: str
    old_mode: str
    new_mode: str
    old_id: str
    new_id: str


@dataclass(slots=True)
class _Listing:
    """What git said of the work tree, sorted: to hash, to forget, not to be stored."""

    add: list[str] = field(default_factory=list)
    drop: list[str] = field(default_factory=list)
    unstored: dict[str, str] = field(default_factory=dict)
    grown: dict[str, str] = field(default_factory=dict)


class Snapshots:
    """Takes snapshots and compares them. Paths are from the top of the work tree, with slashes.

    What is untracked and large, secret, unreadable or a repository of its own is recorded by size and time only
    (`Snapshot.large`): nothing secret enters git's object store.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._git = place.git
        self.index = place.state / "snapshot.index"
        self._tree = ""  # of our index, "" when it has to be asked for
        self._compared: tuple[str, str, tuple[Entry, ...]] = ("", "", ())

    def begin(self) -> None:
        """Start with a copy of the person's index: its record of sizes and times spares reading every file."""
        make_state(self._place.state)  # an agent may have removed it
        for leftover in (self.index, Path(f"{self.index}.lock")):
            leftover.unlink(missing_ok=True)
        self._tree = ""
        with suppress(FileNotFoundError):
            copy_index(self._place.git_dir / "index", self.index)
        if self._git.run("ls-files", "-u", "-z", index=self.index, check=False).out:  # a merge: no tree can be written
            head = self._git.run("rev-parse", "-q", "--verify", "HEAD^{tree}", check=False).text
            self._git.run("read-tree", head or "--empty", index=self.index)

    def take(self) -> Snapshot:
        """Record the work tree; one git process when nothing changed since the last time."""
        for left in reversed(range(_TRIES)):
            try:
                return self._take()
            except TooManyFilesError:
                raise
            except RalphError:
                if not left:
                    raise
                self.begin()
        raise AssertionError  # the last try returns or raises

    def store_again(self) -> None:
        """Store all that the work tree and the person's index hold anew: objects of the repository were lost."""
        make_state(self._place.state)
        self.index.unlink(missing_ok=True)
        self._git.run("read-tree", "--empty", index=self.index)
        self._tree, self._compared = "", ("", "", ())
        self.take()
        staged = Path(f"{self.index}.staged")
        with suppress(FileNotFoundError):
            copy_index(self._place.git_dir / "index", staged)
            self._git.run("write-tree", "--missing-ok", index=staged, check=False)  # of the commit: its trees
            staged.unlink()
        self.begin()

    def _take(self) -> Snapshot:
        if not self.index.exists():
            self.begin()
        listing = self._listing()
        before = self._tree
        if listing.add or listing.drop:
            self._tree = ""  # until all is done: where git fails in between, the tree of before is no more our index's
        if listing.drop:
            self._git.run("update-index", "--force-remove", "-z", "--stdin", stdin=listing.drop, index=self.index)
        if listing.add:
            options = ("update-index", "--add", "--remove", "--replace", "-z", "--stdin")
            self._git.run(*options, stdin=listing.add, index=self.index)
        if any(path.endswith(".gitignore") for path in listing.add):
            self._forget_ignored()
        if not self._tree:
            self._write_tree(before)
        return Snapshot(tree=self._tree, large=listing.unstored)

    def _write_tree(self, before: str) -> None:
        """Write our index as a tree and, at the same time, compare it with the last one: that is asked next."""
        if not before:
            self._tree = self._git.run("write-tree", index=self.index).text
            return
        options = ("--cached", "-z", "--no-renames", "--ignore-submodules=none")
        compared = self._git.beside("diff-index", *options, before, "--", index=self.index)
        try:
            self._tree = self._git.run("write-tree", index=self.index).text
        finally:
            found = compared()
        if found.code == 0:
            self._compared = (before, self._tree, _entries(found.items))

    def forget_tree(self) -> None:
        """Say that our index was written to from outside this class."""
        self._tree = ""

    def token(self) -> str:
        """Return a text that changes when a file does, by names, sizes and times; nothing is hashed or stored."""
        digest = hashlib.sha1(usedforsecurity=False)
        for item in self._listed().items:
            digest.update(os.fsencode(item))
            with suppress(OSError):
                found = (self._place.top / item[2:]).lstat()
                digest.update(f"{found.st_size}:{found.st_mtime_ns}".encode())
        return digest.hexdigest()

    def _listed(self) -> Result:
        excluded = [f"--exclude={folder}/" for folder in TOOL_FOLDERS]
        options = ("ls-files", "-t", "-m", "-o", "-d", "-z", "--exclude-standard", *excluded, "--")
        return self._git.run(*options, *self._place.excludes, index=self.index)

    def _listing(self) -> _Listing:
        items = self._listed().items
        if self._place.why_private and len(items) > _MANY_FILES:
            message = f"{self._place.top} is in no git repository and holds {len(items)} files"
            raise TooManyFilesError(message, hint="run git init in the project, with a .gitignore")
        found = {item[2:]: item[0] == "?" for item in items}  # a deleted file is listed twice
        listing = _Listing()
        links = _links(self._place.top, [path for path, untracked in found.items() if untracked])
        for path, untracked in found.items():
            if links and not untracked and _below(path, links):
                continue  # a folder became a link: adding the link replaces what was under it
            _sort(self._place.top, path, untracked=untracked, into=listing)
        if listing.grown:
            self._sort_grown(listing)
        return listing

    def _sort_grown(self, listing: _Listing) -> None:
        """Files in our index that are large now: the person's tracked ones are hashed, others only recorded."""
        tracked = set(self._git.run("ls-files", "-z", "--", *map(_literal, listing.grown)).items)
        for path, mark in listing.grown.items():
            if path in tracked:
                listing.add.append(path)
            else:
                listing.drop.append(path)
                listing.unstored[path] = mark

    def _forget_ignored(self) -> None:
        """Drop from our index what the person's does not hold and a changed .gitignore names now."""
        options = ("ls-files", "-i", "-c", "-z", "--exclude-standard", "--")
        ours = self._git.run(*options, *self._place.excludes, index=self.index).items
        theirs = set(self._git.run(*options, *self._place.excludes).items) if ours else set()
        drop = [path for path in ours if path not in theirs]
        if drop:
            self._git.run("update-index", "--force-remove", "-z", "--stdin", stdin=drop, index=self.index)

    def entries(self, before: str, after: str) -> tuple[Entry, ...]:
        """Return what differs between two trees (or commits), sorted by path; the last answer is remembered.

        The runner's own files stand in a tree as the person's index had them when the run began: they are left out.
        """
        if before == after:
            return ()
        if self._compared[:2] != (before, after):
            result = self._git.run("diff-tree", "-r", "-z", "--no-renames", before, after, "--", *self._place.excludes)
            self._compared = (before, after, _entries(result.items))
        return self._compared[2]

    def all_entries(self, before: str, after: str) -> tuple[Entry, ...]:
        """Return what differs between two commits, the runner's own files included."""
        return _entries(self._git.run("diff-tree", "-r", "-z", "--no-renames", before, after).items)

    def changes(self, before: Snapshot, after: Snapshot) -> tuple[Change, ...]:
        """Return all that differs, stored or not, sorted by path."""
        found = {entry.path: entry.status for entry in self.entries(before.tree, after.tree)}
        for path in before.large.keys() | after.large.keys():
            status = _unstored_status(found.get(path), before.large.get(path), after.large.get(path))
            if status:
                found[path] = status
        return tuple(Change(path=path, status=found[path]) for path in sorted(found))

    def patch(self, before: Snapshot, after: Snapshot) -> bytes:
        """Return the stored difference as a binary patch; paths are from the top."""
        options = ("--binary", "--full-index", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color")
        return self._git.run(
            "diff-tree", "-r", "-p", *options, before.tree, after.tree, "--", *self._place.excludes
        ).out


def copy_index(source: Path, target: Path) -> None:
    """Copy an index file with its time: git takes entries younger than the index for unproved (racy git)."""
    scratch = Path(f"{target}.new")
    try:
        shutil.copyfile(source, scratch)
        shutil.copystat(source, scratch)
        scratch.replace(target)
    except OSError:
        with suppress(OSError):
            scratch.unlink()
        raise


def size_and_time(found: os.stat_result) -> str:
    """Return what stands for the content of a file that is not stored."""
    return f"{found.st_size}:{found.st_mtime_ns}"


def _literal(path: str) -> str:
    return f":(top,literal){path}"


def _links(top: Path, paths: Sequence[str]) -> set[str]:
    return {path for path in paths if not path.endswith("/") and (top / path).is_symlink()}


def _below(path: str, folders: set[str]) -> bool:
    return any(path[:at] in folders for at, char in enumerate(path) if char == "/")


def _sort(top: Path, path: str, *, untracked: bool, into: _Listing) -> None:
    """Decide what becomes of one listed path; `untracked` means unknown to our index."""
    if path.endswith("/"):
        into.unstored[path] = "repository"
        return
    try:
        found = (top / path).lstat()
    except OSError:
        if not untracked:
            into.add.append(path)  # gone: --remove takes it out
        return
    if stat.S_ISLNK(found.st_mode) or (stat.S_ISDIR(found.st_mode) and (top / path / ".git").exists()):
        into.add.append(path)
    elif not stat.S_ISREG(found.st_mode):
        into.drop.append(path)
    elif (untracked and is_secret(path)) or not os.access(top / path, os.R_OK):
        into.unstored[path] = size_and_time(found)
    elif found.st_size > LARGE_BYTES:
        (into.unstored if untracked else into.grown)[path] = size_and_time(found)
    else:
        into.add.append(path)


def _entries(items: list[str]) -> tuple[Entry, ...]:
    """Parse `diff-tree --raw -z`: ":old new old-id new-id status" and the path by turns."""
    found = []
    for meta, path in zip(items[::2], items[1::2], strict=True):
        old_mode, new_mode, old_id, new_id, status = meta[1:].split(" ")
        found.append(Entry(path, status, old_mode, new_mode, old_id, new_id))
    return tuple(found)


def _unstored_status(stored: str | None, before: str | None, after: str | None) -> str | None:
    """Return git's letter for a path that was unstored at one of two moments; None if it did not change."""
    if before == after:
        return stored
    if before is None:
        return "A" if stored is None else "M"  # a stored file that is gone from the tree has grown
    if after is None:
        return "D" if stored is None else "M"
    return "M"


def unstored_changes(before: Mapping[str, str], after: Mapping[str, str]) -> frozenset[str]:
    """Return the paths that differ between two records of what is not stored."""
    return frozenset(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
