"""Snapshot, commit and restore, in repositories of different sizes, beside what `git status` takes there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

from bench_ground import Ground, Row, git, in_turn, make_repository, write

from ralph_wiggum.adapters.git.repo import GitRepo
from ralph_wiggum.ports import Snapshot

FLOOR = "git status"


def repository(ground: Ground) -> Iterator[Row]:
    """Measure in a small repository, a middling one and a large one."""
    for files in (10, 300, ground.size(20_000, 600)):
        yield from _repository(ground, files)


def _repository(ground: Ground, files: int) -> Iterator[Row]:
    root = ground.folder / f"repository-{files}"
    write(root, {f"src/part{n // 100}/module{n}.py": f"NUMBER = {n}\n" * 20 for n in range(files)})
    write(root, {".gitignore": ".ralph/\n"})
    make_repository(ground, root)
    work = _Work(ground, root)
    taken = in_turn(work.actions(), ground.size(9, 2))
    floor = taken.pop(FLOOR)
    for what, measured in taken.items():
        yield Row(
            name="repository",
            what=f"{what}, {files:,} files",
            unit="ms",
            measured=measured,
            floor=floor,
            floor_is=FLOOR,
        )


class _Work:
    """What a run does with its repository, one act at a time."""

    def __init__(self, ground: Ground, root: Path) -> None:
        self._ground = ground
        self._root = root
        self._numbers = count()
        self._repo = GitRepo(root, state=root / ".ralph/demo", spec="demo", env=ground.environment())
        self._repo.begin("bench")
        self._before = self._after = self._repo.snapshot()

    def actions(self) -> dict[str, Callable[[], object]]:
        """Return the acts in the order of a round: each finds what the one before it left."""
        return {
            FLOOR: self._status,
            "snapshot, nothing changed": self._repo.snapshot,
            "snapshot, a file changed": self._snapshot,
            "commit of a file": self._commit,
            "put a changed file back": self._restore,
        }

    def _status(self) -> None:
        git(self._ground, self._root, "status", "--porcelain")

    def _change(self) -> Snapshot:
        (self._root / "src/part0/module1.py").write_text(f"NUMBER = {next(self._numbers)}\n")
        return self._repo.snapshot()

    def _snapshot(self) -> None:
        self._before, self._after = self._after, self._change()

    def _commit(self) -> None:
        made = self._repo.commit(self._before, self._after, subject="Change a file", trailers={"Ralph-Spec": "demo"})
        if not made.sha:
            raise RuntimeError(f"no commit was made: {made.notes}")

    def _restore(self) -> None:
        """Put a change back; the change and its snapshot are measured along."""
        self._repo.restore(self._after, self._change())
