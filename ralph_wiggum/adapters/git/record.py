"""How the runner left a repository: in memory for the next look, on disk for the start after a kill -9."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ralph_wiggum.adapters.git.place import Place
from ralph_wiggum.adapters.git.refs import Head, Ref, operations, overwrite
from ralph_wiggum.adapters.project import STATE, make_state
from ralph_wiggum.ports import Snapshot

RECORD = "guard.json"
_VERSION = 1
_STAMPED = ("packed-refs", "reftable/tables.list", "logs/refs/stash")


@dataclass(frozen=True, slots=True)
class Signs:
    """What the files of a repository look like; equal signs mean that nothing happened."""

    head: bytes
    refs: tuple[object, ...]
    index: object
    operations: frozenset[str]


@dataclass(frozen=True, slots=True)
class Record:
    """How the repository was left by the runner.

    Of `refs` the one that `head` names is out of date once the runner committed: `head` holds for it. `seen` is the
    last snapshot of the work tree.
    """

    head: Head
    refs: Mapping[str, Ref]
    stashes: Mapping[str, str]
    operations: frozenset[str]
    seen: Snapshot


class RecordFile:
    """The record on disk, `guard.json` beside the journal; it holds until another run begins in this work tree.

    Written by a rename and not brought to the disk: a power cut may leave none or a torn one, which is as good as
    none. Whatever cannot be written must not stay as it was: an old record would take the runner's own acts back.
    """

    def __init__(self, state: Path) -> None:
        self._path = state / RECORD
        self._refs: Mapping[str, Ref] | None = None  # those whose text is known: they hardly ever change, and are many
        self._refs_text = b""

    @property
    def there(self) -> bool:
        """Say whether there is a file."""
        return os.path.exists(self._path)  # noqa: PTH110 - asked before every attempt

    def claim(self) -> None:
        """Forget the records of the other specs: what they say of this work tree's repository ends here."""
        folder = self._path.parent.parent
        if folder.name == STATE:
            for other in folder.glob(f"*/{RECORD}"):
                if other != self._path:
                    other.unlink(missing_ok=True)

    def save(self, record: Record) -> None:
        """Write the record; where that cannot be done, there is none."""
        parts = self._parts(record)
        try:
            try:
                _replace(self._path, parts)
            except (FileNotFoundError, NotADirectoryError):  # an agent removed the folder
                make_state(self._path.parent)
                _replace(self._path, parts)
        except OSError:
            with suppress(OSError):
                self._path.unlink()

    def load(self) -> Record | None:
        """Return the record that an earlier process left; None where there is none that can be read."""
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            return _record(json.loads(self._path.read_bytes()))
        return None

    def _parts(self, record: Record) -> tuple[bytes, ...]:
        if record.refs is not self._refs:
            refs = {name: [ref.commit, ref.worktree] for name, ref in record.refs.items()}
            self._refs, self._refs_text = record.refs, json.dumps(refs).encode()
        rest = {
            "v": _VERSION,
            "head": [record.head.ref, record.head.commit],
            "stashes": dict(record.stashes),
            "operations": sorted(record.operations),
            "tree": record.seen.tree,
            "large": dict(record.seen.large),
        }
        return json.dumps(rest)[:-1].encode(), b', "refs": ', self._refs_text, b"}"


def look(place: Place, settings: tuple[Path, ...]) -> Signs:
    """Return the signs of a repository as it is now; no process is started."""
    git_dir, common = place.git_dir, place.common_dir
    found = [stamp(common / name) for name in _STAMPED] + [stamp(file) for file in settings]
    loose = [*_loose(str(common / "refs" / "heads")), *_loose(str(common / "refs" / "tags"))]
    head = b""
    with suppress(OSError):
        head = (git_dir / "HEAD").read_bytes()
    return Signs(head, (*found, *sorted(loose)), stamp(git_dir / "index"), operations(git_dir))


def stamp(path: Path) -> tuple[int, int, int] | None:
    """Return what changes when a file is written; None where there is none."""
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


def _replace(path: Path, parts: Sequence[bytes]) -> None:
    """Write the parts in one go, to a file beside it that is renamed where the length is another.

    Twice an attempt, so nothing waits for the disk; a record that a power cut tore is none.
    """
    if overwrite(path, b"".join(parts)):
        return
    scratch = f"{path}.new"
    try:
        with open(scratch, "wb", buffering=0) as file:  # noqa: PTH123 - cheaper than Path
            if os.writev(file.fileno(), parts) != sum(map(len, parts)):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), scratch)  # noqa: TRY301 - undone as the others
        os.replace(scratch, path)  # noqa: PTH105 - as above
    except OSError:
        with suppress(OSError):
            os.unlink(scratch)  # noqa: PTH108 - as above
        raise


def _record(data: Mapping[str, Any]) -> Record:
    """Return the record that was written; ValueError, KeyError, TypeError or AttributeError for anything else."""
    if data["v"] != _VERSION:
        raise ValueError(data["v"])
    ref, commit = data["head"]
    return Record(
        head=Head(str(ref), str(commit)),
        refs={name: Ref(str(at), str(worktree)) for name, (at, worktree) in data["refs"].items()},
        stashes={commit: str(words) for commit, words in data["stashes"].items()},
        operations=frozenset(map(str, data["operations"])),
        seen=Snapshot(tree=str(data["tree"]), large={path: str(mark) for path, mark in data["large"].items()}),
    )
