"""Objects that are damaged in the repository and in its safety copy alike: what can be saved is, what is lost is said.

A copy by links cannot help where something writes into the files themselves (root, a power cut): both names then lead
to the same damage. What the work tree still holds is stored again by `Snapshots.store_again`; commits are not there
a second time, so a branch whose last commit is lost goes back to the last one that is whole.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ralph_wiggum.adapters.git.aside import Aside
from ralph_wiggum.adapters.git.commands import Git
from ralph_wiggum.adapters.git.intact import intact
from ralph_wiggum.adapters.git.mirror import Allowance, place_some, store_folders, stored
from ralph_wiggum.adapters.git.origin import Origin
from ralph_wiggum.adapters.git.refs import read_head
from ralph_wiggum.adapters.git.safe_copy import SafeCopy
from ralph_wiggum.adapters.git.sound import reflog_ids
from ralph_wiggum.core.errors import RalphError

_SECONDS = 60.0  # for reading all objects; after that only empty ones are found
_UNPACKED_BYTES = 500_000_000
_TRIED_COMMITS = 50
_CACHES = ("info/commit-graph", "info/commit-graphs", "pack/multi-pack-index")  # git makes them again


class Salvage:
    """Takes damaged objects out of a repository, whose presence fails commands that could do without them."""

    def __init__(self, copy: SafeCopy, origin: Origin, git: Git, aside: Aside) -> None:
        self._copy = copy
        self._objects = origin.common_dir / "objects"
        self._origin = origin
        self._git = git
        self._aside = aside
        self._deadline = time.monotonic() + _SECONDS

    def objects(self) -> list[str]:
        """Put damaged objects aside, and the copy's in their place where that is whole; return words."""
        self._drop_caches()
        back = lost = 0
        for path in [*self._damaged()]:
            whole = self._of_copy(path)
            for file in self._belonging(path):
                self._aside.take(file, f"objects/{file.parent.name}/{file.name}")
            if whole is not None:
                place_some(str(whole.parent), str(path.parent), [f.name for f in self._belonging(whole)], Allowance())
                back += 1
            else:
                self._unpack(path)
                lost += 1
        words = [f"{back} of git's files of objects were damaged: put back"] if back else []
        if lost:
            words.append(
                f"{lost} of git's files of objects are damaged, and so is the safety copy, which shares them: put "
                f"aside in {self._aside.folder}, and what the work tree holds is stored again"
            )
        return words

    def tip(self) -> list[str]:
        """Let the branch go back to its last whole commit where that at its tip is lost; return words."""
        head = read_head(self._git)
        at = head.commit or self._named(head.ref)
        if not head.ref or not at or self._whole(at):
            return []
        log = self._origin.common_dir / "logs" / head.ref
        ids = dict.fromkeys(reflog_ids(log.read_bytes())) if log.is_file() else {}
        for commit in [*ids][:_TRIED_COMMITS]:
            if self._whole(commit):
                ref = self._origin.common_dir / head.ref
                ref.parent.mkdir(parents=True, exist_ok=True)
                ref.write_bytes(f"{commit}\n".encode())
                back = f"the branch goes on from {commit[:10]}, the last one that is whole"
                return [f"commit {at[:10]} of {head.branch} is lost: {back}; what it held is in the work tree"]
        return [f"commit {at[:10]} of {head.branch} is lost, and no earlier one is whole"]

    def _named(self, ref: str) -> str:
        """Return what a ref says, though there may be no such object."""
        return self._git.run("for-each-ref", "--format=%(objectname)", ref, check=False).text

    def _whole(self, commit: str) -> bool:
        """Say whether a commit is there with all its files."""
        return self._git.run("rev-list", "--objects", "--quiet", "--max-count=1", commit, "--", check=False).code == 0

    def _drop_caches(self) -> None:
        for name in _CACHES:
            if (self._objects / name).exists():
                self._aside.take(self._objects / name, f"objects/{name}")

    def _damaged(self) -> Iterator[Path]:
        """Yield the objects and packs that are not what they should be."""
        for folder in store_folders(str(self._objects)):
            for name in stored(folder):
                path = Path(folder, name)
                late = time.monotonic() > self._deadline
                if path.stat().st_size == 0 if late else not intact(path):
                    yield path

    def _of_copy(self, path: Path) -> Path | None:
        """Return the copy's file where it is a whole one; a damaged one is removed from the copy."""
        copied = self._copy.at(path)
        if intact(copied):
            return copied
        copied.unlink(missing_ok=True)
        return None

    def _belonging(self, path: Path) -> list[Path]:
        """Return a file with those that are of no use without it: a pack has an index and more."""
        return sorted(path.parent.glob(f"{path.stem}.*")) if path.parent.name == "pack" else [path]

    def _unpack(self, path: Path) -> None:
        """Store what can still be read of a damaged pack, object by object (git-unpack-objects(1), -r)."""
        taken = self._aside.at(f"objects/pack/{path.stem}.pack")
        if path.parent.name == "pack" and taken.is_file() and taken.stat().st_size <= _UNPACKED_BYTES:
            try:
                self._git.run("unpack-objects", "-r", "-q", stdin=taken.read_bytes(), check=False)
            except RalphError:  # it took too long: what it stored by then is stored
                return


def any_empty(objects: Path) -> bool:
    """Say whether a loose object is empty: that is what a power cut leaves of those that were just written."""
    for folder in store_folders(str(objects)):
        with suppress(OSError), os.scandir(folder) as entries:
            if any(entry.is_file() and not entry.stat().st_size for entry in entries):
                return True
    return False
