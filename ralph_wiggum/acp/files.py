"""The files that the agent reads and writes through its client: read anywhere, written in the workspace only."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ralph_wiggum.acp.permissions import refusal
from ralph_wiggum.adapters.whole_file import read_file, replace_file

READ_BYTES = 16 << 20
RUNNERS_OWN = ".ralph"  # machine state (design: part 2)


class Workspace:
    """The folder of the project. `kept` are files and folders that only the runner writes, with RUNNERS_OWN."""

    def __init__(self, root: Path, kept: Sequence[str] = ()) -> None:
        self.root = os.path.realpath(root)
        self._kept = tuple(self.resolved(path) for path in (*kept, RUNNERS_OWN))

    def resolved(self, path: str) -> str:
        """Return the absolute path with `..` and links followed, also of a file that is not there yet."""
        return os.path.realpath(os.path.join(self.root, path.replace("\0", "")))  # noqa: PTH118 - realpath follows on

    def refusal(self, path: str) -> str:
        """Say why a path may not be written, "" if it may."""
        return refusal(self.resolved(path), self.root, self._kept)

    def holds(self, folder: str) -> bool:
        """Say whether a folder lies in the workspace, or is it."""
        resolved = self.resolved(folder)
        return resolved == self.root or not refusal(resolved, self.root, ())

    def read(self, path: str, line: int = 0, limit: int | None = None) -> str:
        """Return the text of a file, or `limit` lines of it from a line on (1: the first). OSError if it has none.

        A file outside the workspace is read too: the agent's own tools can do that as well. At most 16 MiB.
        """
        text = read_file(Path(self.resolved(path)), READ_BYTES).decode("utf-8", errors="replace")
        if line <= 1 and limit is None:
            return text
        lines = text.split("\n")
        begin = max(line, 1) - 1
        return "\n".join(lines[begin : None if limit is None else begin + limit])

    def write(self, path: str, text: str) -> None:
        """Give a file this text, whole or not at all. OSError if that cannot be; ask `refusal` first."""
        target = Path(self.resolved(path))
        target.parent.mkdir(parents=True, exist_ok=True)
        replace_file(target, [text.encode("utf-8", errors="replace")], durable=False)
