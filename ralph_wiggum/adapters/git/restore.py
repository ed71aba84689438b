"""Putting the work tree back: only what changed between two snapshots, only where nobody wrote since."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

from ralph_wiggum.adapters.git.kept import Kept
from ralph_wiggum.adapters.git.place import Place
from ralph_wiggum.adapters.git.snapshot import GITLINK, Entry, Snapshots, unstored_changes
from ralph_wiggum.ports import Restored, Snapshot

_NOTHING = "000000"
_AGAIN_SECONDS = (0.1, 1.0)  # before the second and the third try


class Restorer:
    """Writes the content of snapshots into the work tree. Paths are from its top."""

    def __init__(self, place: Place, snapshots: Snapshots, kept: Kept) -> None:
        self._place = place
        self._snapshots = snapshots
        self._kept = kept

    def restore(self, before: Snapshot, after: Snapshot) -> Restored:
        """Put back what changed between the two; `left` are paths that somebody changed since, or that cannot be."""
        wanted = self._snapshots.entries(before.tree, after.tree)
        now = self._snapshots.take()
        touched = {entry.path for entry in self._snapshots.entries(after.tree, now.tree)}
        touched |= unstored_changes(after.large, now.large)
        # a large file that the attempt cut short: its content is lost, and taking away the rest helps nobody
        todo = [entry for entry in wanted if entry.path not in touched and entry.path not in before.large]
        unstored = unstored_changes(before.large, after.large)
        moved = [path for path in unstored if path not in touched and self._set_aside(path, before)]
        self._write_surely(todo, before)
        back = self._kept.put_back()
        left = self._differing(before) & ({entry.path for entry in wanted} | unstored)
        done = ({entry.path for entry in todo} | set(moved) | set(back)) - left
        return Restored(restored=tuple(sorted(done)), left=tuple(sorted(left)))

    def _write_surely(self, entries: Sequence[Entry], wanted: Snapshot) -> None:
        """Write, and write again what is not as wanted: one file that stays may fail the checks of every later task."""
        for pause in (*_AGAIN_SECONDS, None):
            self.write(entries)
            left = self._differing(wanted) if entries else set()
            entries = [entry for entry in entries if entry.path in left]
            if not entries or pause is None:
                return
            time.sleep(pause)

    def unrevert(self, paths: Collection[str], heads: Sequence[str], snapshot: Snapshot) -> tuple[str, ...]:
        """Put back those of the paths that differed from the first commit in the snapshot and now equal one of them.

        That is what `git stash`, `reset --hard`, `checkout .` and `clean` do to a person's changes. An edit is left.
        """
        now = self._snapshots.take()
        if now.tree == snapshot.tree or not paths:
            return ()
        changed = self._snapshots.entries(snapshot.tree, now.tree)
        lost = {path for head in heads for path in self._equal(head, now, paths)}
        was = {entry.path for entry in self._snapshots.entries(heads[0], snapshot.tree)}
        todo = [entry for entry in changed if entry.path in was & lost]
        self.write(todo)
        left = self._differing(snapshot) if todo else set()
        return tuple(entry.path for entry in todo if entry.path not in left)

    def _equal(self, head: str, now: Snapshot, paths: Collection[str]) -> set[str]:
        """Return those of the paths that are now as in a commit."""
        return set(paths) - {entry.path for entry in self._snapshots.entries(head, now.tree)}

    def write(self, entries: Sequence[Entry]) -> None:
        """Bring each path to its entry's old side. The current content of these paths is given up."""
        entries = [entry for entry in entries if GITLINK not in (entry.old_mode, entry.new_mode)]
        # .gitattributes and .gitignore first: they decide how, and whether, the others are written
        rules = [entry for entry in entries if PurePosixPath(entry.path).name in (".gitattributes", ".gitignore")]
        for batch in (rules, [entry for entry in entries if entry not in rules] if rules else entries):
            if batch:
                self._write(batch)

    def _write(self, entries: Sequence[Entry]) -> None:
        made = self._not_ignored([entry.path for entry in entries if entry.old_mode == _NOTHING])
        for path in made:
            _unlink(self._place.top / path)
        self._prune(made)
        back = [entry for entry in entries if entry.old_mode != _NOTHING and _free(self._place.top, entry.path)]
        lines = [f"0 {entry.new_id}\t{entry.path}" for entry in entries if entry.old_mode == _NOTHING]
        lines += [f"{entry.old_mode} {entry.old_id}\t{entry.path}" for entry in back]
        git, index = self._place.git, self._snapshots.index
        self._snapshots.forget_tree()
        git.run("update-index", "-z", "--index-info", stdin=lines, index=index)
        if back:  # what cannot be written shows as different afterwards, so the exit code adds nothing
            paths = [entry.path for entry in back]
            git.run("checkout-index", "-f", "-q", "-u", "-z", "--stdin", stdin=paths, index=index, check=False)

    def _not_ignored(self, paths: Sequence[str]) -> list[str]:
        """Leave out what is ignored (again): an attempt that un-ignores a file must not lead to its removal."""
        if not paths:
            return []
        ignored = set(self._place.git.run("check-ignore", "-z", "--stdin", stdin=paths, check=False).items)
        return [path for path in paths if path not in ignored]

    def _prune(self, removed: Iterable[str]) -> None:
        """Remove folders that became empty, from the inside out, but none that was empty when the run began."""
        folders = {str(parent) for path in removed for parent in PurePosixPath(path).parents} - {"."}
        for folder in sorted(folders - self._kept.empty_folders, key=len, reverse=True):
            with suppress(OSError):
                (self._place.top / folder).rmdir()

    def _set_aside(self, path: str, before: Snapshot) -> bool:
        """Move away a large or secret file that the attempt made; what was there before cannot be put back."""
        if path in before.large or path.endswith("/"):
            return False
        with suppress(OSError):
            self._kept.set_aside(path)
            self._prune([path])
            return True
        return False

    def _differing(self, wanted: Snapshot) -> set[str]:
        now = self._snapshots.take()
        differing = {entry.path for entry in self._snapshots.entries(wanted.tree, now.tree)}
        return differing | unstored_changes(wanted.large, now.large)


def _unlink(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _free(top: Path, path: str) -> bool:
    """Say whether a file can be written there without destroying a folder, or following or replacing a link above.

    `git checkout-index -f` removes whole folders that stand in the way, ignored files and all.
    """
    if (top / path).is_dir() and not (top / path).is_symlink() and not _hollow(top / path):
        return False
    return all(_passable(top / above) for above in list(PurePosixPath(path).parents)[:-1])


def _hollow(folder: Path) -> bool:
    """Remove a folder that holds nothing but empty folders, where a file has to stand; say whether it did."""
    found = list(os.walk(folder, topdown=False))
    if any(files or any((Path(at) / name).is_symlink() for name in names) for at, names, files in found):
        return False
    with suppress(OSError):
        for at, _, _ in found:
            Path(at).rmdir()
    return not folder.exists()


def _passable(above: Path) -> bool:
    """Say whether a folder is there or can be made; a pipe or socket, which no snapshot holds, makes way."""
    try:
        mode = above.lstat().st_mode
    except OSError:
        return True
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
        _unlink(above)
        return True
    return stat.S_ISDIR(mode)
