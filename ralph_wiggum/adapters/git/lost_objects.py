"""Objects that are gone from a repository, or that hold something else, are put back from its safety copy."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from ralph_wiggum.adapters.git.aside import Aside
from ralph_wiggum.adapters.git.commands import Git
from ralph_wiggum.adapters.git.intact import intact
from ralph_wiggum.adapters.git.mirror import Allowance, place_some, same_file, stored
from ralph_wiggum.adapters.git.origin import Origin
from ralph_wiggum.adapters.git.pieces import missing_objects
from ralph_wiggum.adapters.git.safe_copy import SafeCopy
from ralph_wiggum.adapters.git.scan import Scan
from ralph_wiggum.core.errors import RalphError

_ASKED_BYTES = 32_000_000  # an index of a pack larger than this (a million objects) is not gone through


class LostObjects:
    """Compares the folders of objects with the copy's. An object that git packed meanwhile is not missed."""

    def __init__(self, copy: SafeCopy, origin: Origin, git: Git, aside: Aside) -> None:
        self._copy = copy
        self._origin = origin
        self._git = git
        self._aside = aside

    def mend(self, seen: Scan | None, now: Scan) -> list[str]:
        """Put objects back; return words. `seen` is how all looked when it was in order."""
        back = replaced = 0
        self._mend_alternates()
        for belongs, copied in self._copy.stores():
            stamp = now.stores.get(str(belongs))
            if seen is not None and stamp is not None and stamp[0] and seen.stores.get(str(belongs)) == stamp:
                continue
            ours, theirs = stored(str(copied)), stored(str(belongs))
            back += self._put_back(belongs, copied, ours.keys() - theirs.keys())
            other = [name for name in ours.keys() & theirs.keys() if ours[name] != theirs[name]]
            replaced += sum(self._put_right(belongs / name, copied / name) for name in other)
        words = [f"{_files(back)} of git's objects were gone: put back"] if back else []
        if replaced:
            at = self._aside.folder
            words.append(f"{_files(replaced)} of git's objects were overwritten: put back, what stood there: {at}")
        return words

    def _mend_alternates(self) -> None:
        """Put back the file that says where a clone borrows objects."""
        name = "info/alternates"
        belongs = self._origin.common_dir / "objects" / name
        copied = self._copy.at(belongs)
        if copied.is_file() and not belongs.exists():
            belongs.parent.mkdir(parents=True, exist_ok=True)
            same_file(str(copied), str(belongs), Allowance())

    def _put_back(self, belongs: Path, copied: Path, gone: Iterable[str]) -> int:
        names = self._missed(copied, set(gone))
        return place_some(str(copied), str(belongs), names, Allowance()) if names else 0

    def _missed(self, copied: Path, gone: set[str]) -> Collection[str]:
        """Return which of the files that are gone hold something that the repository does not have otherwise."""
        if not gone:
            return ()
        try:
            if copied.name != "pack":
                absent = set(missing_objects(self._git, (copied.name + name for name in sorted(gone))))
                return [name for name in gone if copied.name + name in absent]
            packs = {name.partition(".")[0] for name in gone}
            missed = {pack for pack in packs if f"{pack}.pack" not in gone or self._pack_missed(copied, pack)}
            return [name for name in gone if name.partition(".")[0] in missed]
        except RalphError:  # git cannot be asked: what is there twice does no harm
            return gone

    def _pack_missed(self, copied: Path, pack: str) -> bool:
        index = copied / f"{pack}.idx"
        if not index.is_file() or index.stat().st_size > _ASKED_BYTES:
            return True
        listed = self._git.run("show-index", stdin=index.read_bytes()).text
        return bool(missing_objects(self._git, (line.split()[1] for line in listed.splitlines())))

    def _put_right(self, belongs: Path, copied: Path) -> bool:
        """Put an object back that was overwritten; say whether it had been, and could be."""
        if intact(belongs) or not intact(copied):
            return False
        self._aside.take(belongs, f"objects/{belongs.parent.name}/{belongs.name}")
        place_some(str(copied.parent), str(belongs.parent), [copied.name], Allowance())
        return True


def _files(number: int) -> str:
    return "1 file" if number == 1 else f"{number} files"
