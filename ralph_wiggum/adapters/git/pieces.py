"""The small files of a git folder (HEAD, refs, packed-refs, config …): what is broken or gone is put back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from ralph_wiggum.adapters.git.aside import Aside
from ralph_wiggum.adapters.git.commands import Git
from ralph_wiggum.adapters.git.mirror import TEMPORARY, Allowance, same_file
from ralph_wiggum.adapters.git.origin import Origin
from ralph_wiggum.adapters.git.safe_copy import SafeCopy
from ralph_wiggum.adapters.git.scan import Scan, scan
from ralph_wiggum.adapters.git.sound import (
    packed_refs,
    ref_id,
    reflog_ids,
    sound_packed,
)
from ralph_wiggum.adapters.whole_file import read_file

_SETTINGS = ("config", "config.worktree")
_LEADS = ("commondir", "gitdir")  # of a linked worktree
_OWN_REFS = "refs/ralph/"
_STASH = "refs/stash"
_READ_BYTES = 64_000_000  # of packed-refs; all others are short
_NAMED = 5


class Pieces:
    """Compares the files with their copies. `strict`: what is gone is put back too, not only what is broken.

    `settings_work` says whether git can be used with its settings as they are. Files that are put aside are named in
    the words.
    """

    def __init__(
        self,
        copy: SafeCopy,
        origin: Origin,
        git: Git,
        aside: Aside,
        *,
        strict: bool,
        settings_work: Callable[[], bool],
    ) -> None:
        self._copy = copy
        self._origin = origin
        self._git = git
        self._aside = aside
        self._strict = strict
        self._settings_work = settings_work
        self._common = origin.common_dir
        self._as_files = origin.keeps_refs_as_files

    def mend(self, seen: Scan | None) -> list[str]:
        """Put back what git cannot read; return words. `seen` is how all looked when it was in order."""
        words, gone = self._give_back_own(), {*self._lay_ground()}
        now = scan(self._origin)
        changed = [Path(path) for path, found in now.files.items() if seen is None or seen.files.get(path) != found]
        broken = [path for path in changed if self._broken(path, seen)]
        words += self._put_back(broken, "could not be read")
        gone |= {path.name for path in broken if path.name == "packed-refs"}
        missing = [path for path in self._copied() if str(path) not in now.files and self._needed(path, gone)]
        return words + self._put_back(missing, "was gone", "were gone") + self._mend_settings(changed)

    def mend_astray(self, seen: Scan | None) -> list[str]:
        """Put back the refs that lead nowhere; comes when the objects are back."""
        now = scan(self._origin)
        changed = [Path(path) for path, found in now.files.items() if seen is None or seen.files.get(path) != found]
        return self._put_back(self._astray(changed), "led to commits that are not there")

    # --- the ground: without these folders git sees no repository

    def _lay_ground(self) -> Iterator[str]:
        """Make the folders that have to be there; yield the names of those that were gone."""
        heads = ("refs", "refs/heads") if self._as_files else ("refs",)
        for name in (*heads, "objects", *(("logs",) if self._copy.at(self._common / "logs").is_dir() else ())):
            folder = self._common / name
            if not folder.is_dir():
                if os.path.lexists(folder):
                    self._aside.take(folder, name)
                folder.mkdir(parents=True)
                yield name

    def _give_back_own(self) -> list[str]:
        """Put back the folder of a linked work tree's own; return words."""
        own = self._origin.git_dir
        if own.is_dir() or not self._copy.at(own).is_dir():
            return []
        if os.path.lexists(own):
            self._aside.take(own)
        self._copy.give_back(own)
        return [f"{self._shown(own)} was gone: put back"]

    # --- what is wrong

    def _broken(self, path: Path, seen: Scan | None) -> bool:
        """Say whether a file that changed holds what git cannot read."""
        name = self._origin.name(path)
        if name.endswith((".lock", TEMPORARY)):
            return False
        if name == "packed-refs":
            content = _content(path)
            return content is None or not sound_packed(content) or self._cut_short(path, content, seen)
        if name.startswith("logs/"):
            return self._cut_short(path, _content(path) or b"", seen)
        if name in _LEADS and path.parent == self._origin.git_dir:
            return _content(path) != _content(self._copy.at(path))
        return not self._sound(path, name)

    def _sound(self, path: Path, name: str) -> bool:
        """Say whether a file, or the copy of it, is there and can be what its name says."""
        with suppress(OSError):
            return self._origin.sound(path, name)
        return False

    def _cut_short(self, path: Path, content: bytes, seen: Scan | None) -> bool:
        """Say whether packed-refs or a reflog lost its end: git makes a new file to take something out."""
        copied = _content(self._copy.at(path)) or b""
        if len(content) >= len(copied) or not copied.startswith(content):
            return False
        was = seen.files.get(str(path)) if seen is not None else None
        return not content or (path.stat().st_ino == was[2] if was is not None else path.name == "packed-refs")

    def _needed(self, path: Path, gone: set[str]) -> bool:
        """Say whether a file that only the copy has is missed: by git, or by the runner."""
        name = self._origin.name(path)
        if name in ("HEAD", "config", *_LEADS):
            return True
        if name.startswith("refs/"):
            lost = bool({"refs", "refs/heads", "packed-refs"} & gone)
            lost = lost or (self._strict and (name.startswith(_OWN_REFS) or self._only_logged(name)))
            return lost and self._as_files and name not in self._packed()
        if name.startswith("logs/"):
            return "logs" in gone
        if name == "packed-refs":
            return self._strict and bool(packed_refs(_content(self._copy.at(path)) or b""))
        return name == "shallow" and self._strict and not self._deeper(path)

    def _only_logged(self, name: str) -> bool:
        """Say whether the stash is gone but not its list, which git removes along with it."""
        return name == _STASH and bool(_content(self._common / "logs" / name))

    def _deeper(self, shallow: Path) -> bool:
        """Say whether the history that a shallow clone lacked is there by now, so that it is none any more."""
        ids = os.fsdecode(_content(self._copy.at(shallow)) or b"").split()
        return self._git.run("rev-list", "--quiet", "--max-count=2", *ids, "--", check=False).code == 0

    def _astray(self, changed: Iterable[Path]) -> list[Path]:
        """Return the refs that changed and name no object that is there, while their copies name another."""
        ids: dict[str, list[Path]] = {}
        for path in changed:
            name = self._origin.name(path)
            content = _content(path) if name in ("HEAD", "packed-refs") or name.startswith("refs/") else None
            if content is None or content == _content(self._copy.at(path)):
                continue
            at = packed_refs(content).values() if name == "packed-refs" else filter(None, [ref_id(content)])
            for found in at:
                ids.setdefault(found, []).append(path)
        absent = missing_objects(self._git, ids)
        return list(dict.fromkeys(path for found in absent for path in ids[found]))

    # --- putting back

    def _put_back(self, paths: Iterable[Path], why: str, why_many: str = "") -> list[str]:
        """Put files back, each by its copy, a ref else by its reflog; return words, one for all of a kind."""
        back: list[str] = []
        lost: list[str] = []
        moved = False
        for path in paths:
            if os.path.lexists(path):
                self._aside.take(path, self._origin.name(path))
                moved = True
            (back if self._restored(path) else lost).append(self._shown(path))
        theirs = f"; what stood there: {self._aside.folder}" if moved else ""
        words = [f"{_list(back)} {why if len(back) == 1 else why_many or why}: put back{theirs}"] if back else []
        return words + ([f"{_list(lost)} {why}, and nothing else is known of it{theirs}"] if lost else [])

    def _restored(self, path: Path) -> bool:
        name, copied = self._origin.name(path), self._copy.at(path)
        if self._sound(copied, name):
            path.parent.mkdir(parents=True, exist_ok=True)
            same_file(str(copied), str(path), Allowance())
            return True
        if name == "index":  # git makes it again
            return True
        if not name.startswith("refs/"):
            return False
        if name in packed_refs(_content(self._copy.at(self._common / "packed-refs")) or b""):
            return True
        return self._by_reflog(path)

    def _by_reflog(self, path: Path) -> bool:
        """Point a ref to where its reflog says that it was last, as far as that is still there."""
        ids = reflog_ids(_content(self._common / "logs" / self._origin.name(path)) or b"")
        absent = set(missing_objects(self._git, ids))
        for known in (known for known in ids if known not in absent):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(f"{known}\n".encode())
            return True
        return False

    def _mend_settings(self, changed: list[Path]) -> list[str]:
        """Put the settings back as they were where git cannot be used with them."""
        if not any(self._origin.name(path) in _SETTINGS for path in changed) or self._settings_work():
            return []
        files = {self._common / "config", *(path for path in changed if self._origin.name(path) in _SETTINGS)}
        files = {path for path in files if _content(path) != _content(self._copy.at(path))}
        return self._put_back(sorted(files), "could not be used by git")

    # --- names

    def _copied(self) -> Iterator[Path]:
        for folder in dict.fromkeys((self._common, self._origin.git_dir)):
            with suppress(OSError):
                yield from self._copy.files(folder)

    def _packed(self) -> dict[str, str]:
        return packed_refs(_content(self._common / "packed-refs") or b"")

    def _shown(self, path: Path) -> str:
        return os.path.relpath(path, self._origin.top) if path.is_relative_to(self._origin.top) else str(path)


def missing_objects(git: Git, ids: Iterable[str]) -> list[str]:
    """Return those of the ids that name no object in the repository; git is asked once, and for none not at all."""
    asked = list(ids)
    if not asked:
        return []
    said = git.run("cat-file", "--batch-check=%(objectname)", stdin="".join(f"{i}\n" for i in asked).encode()).text
    return [line.split()[0] for line in said.splitlines() if line.endswith(" missing")]


def _content(path: Path) -> bytes | None:
    """Return what a file holds; None where there is none, or it cannot be read."""
    try:
        return read_file(path, _READ_BYTES)
    except OSError:
        return None


def _list(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
