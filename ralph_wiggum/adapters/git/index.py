"""The index that commits are made from, and the lines that git fills an index with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ralph_wiggum.adapters.git.place import Place
from ralph_wiggum.adapters.git.snapshot import Entry
from ralph_wiggum.adapters.project import make_state

Content = Mapping[str, str]  # path -> "mode id", "0 000…" for a path that is gone


class CommitIndex:
    """HEAD's tree with the paths of one commit put in, and nothing that the person staged."""

    def __init__(self, place: Place) -> None:
        self._git = place.git
        self.path = place.state / "commit.index"
        self._holds = ""  # the tree that it is known to equal
        self._stamp: tuple[int, int, int] | None = None  # of the file that equals it

    def tree(self, base: str, content: Content) -> str:
        """Return the tree of `base` ("" before the first commit) with the content put in.

        What is known of the index holds only as long as the file is the one that was left there: an agent that removed
        the folder must not lead to a commit that drops everything else.
        """
        if self._holds != base or not base or self._stamp != _stamp(self.path):
            Path(f"{self.path}.lock").unlink(missing_ok=True)
            self.path.unlink(missing_ok=True)
            make_state(self.path.parent)
            self._git.run("read-tree", base or "--empty", index=self.path)
        self._holds = ""
        self._git.run("update-index", "-z", "--index-info", stdin=index_lines(content), index=self.path)
        self._holds = self._git.run("write-tree", index=self.path).text
        self._stamp = _stamp(self.path)
        return self._holds

    def forget(self) -> None:
        """Say that somebody else may write to the index file."""
        self._holds = ""


def new_side(entry: Entry) -> str:
    """Return an entry's newer content as "mode id"."""
    return f"{entry.new_mode} {entry.new_id}" if entry.status != "D" else f"0 {entry.new_id}"


def index_lines(content: Content) -> list[str]:
    """Return the content as `git update-index --index-info` reads it, removals first: a file may become a folder."""
    return [f"{what}\t{path}" for path, what in sorted(content.items(), key=lambda item: item[1][:2] != "0 ")]


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
