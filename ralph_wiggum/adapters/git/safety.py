"""The repository survives the agent (B10): a safety copy, kept current, and what is broken put back from it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ralph_wiggum.adapters.git.aside import Aside
from ralph_wiggum.adapters.git.commands import Git
from ralph_wiggum.adapters.git.late import written_after
from ralph_wiggum.adapters.git.lost_folder import LostFolder
from ralph_wiggum.adapters.git.lost_objects import LostObjects
from ralph_wiggum.adapters.git.mirror import TEMPORARY, Allowance, NoRoomError, place_all
from ralph_wiggum.adapters.git.origin import Origin
from ralph_wiggum.adapters.git.permissions import give_permissions, permissions_taken
from ralph_wiggum.adapters.git.pieces import Pieces
from ralph_wiggum.adapters.git.place import Place, copy_home
from ralph_wiggum.adapters.git.safe_copy import SafeCopy
from ralph_wiggum.adapters.git.salvage import Salvage, any_empty
from ralph_wiggum.adapters.git.scan import Scan, Stores, scan, scan_stores, stamp
from ralph_wiggum.adapters.open_folder import OpenFolder
from ralph_wiggum.core.errors import RalphError

_PROOF_SECONDS = 30.0
_PASSING = (".lock", TEMPORARY)
_NONE = "there is no safety copy of the repository, so that what an agent breaks in it stays broken"
_SETTINGS = ("config", "config.worktree")
_LASTING = ("HEAD", "packed-refs", "shallow", *_SETTINGS)  # git does not remove these


@dataclass(slots=True)
class _Guarded:
    """The repository that is looked after in this run; `seen` is how it looked when the copy was brought up to date."""

    place: Place
    origin: Origin
    held: OpenFolder
    seen: Scan


class Safety:
    """Looks after one repository. `root` is the project root, `state` the spec's folder for machine state."""

    def __init__(self, root: Path, state: Path, env: Mapping[str, str] | None) -> None:
        self._root = root.resolve()
        self._state = state
        self._env = env
        self._copy = SafeCopy(copy_home(state), self._root)
        self._now: _Guarded | None = None
        self.salvaged = False  # `recover` found objects damaged: what the work tree holds is to be stored again
        self._wanted: Place | None = None  # where a copy could not be made, and may be the next time

    def recover(self, until: datetime | None) -> list[str]:
        """Put back what an earlier run's agent broke, by the copy of that run; return words. Comes before all else.

        `until`: that run was killed in the middle of an attempt, which can have lasted until then. None: it was not;
        then a repository that is gone or another one is the person's wish, and only what git cannot read is put back.
        """
        origin = self._copy.load()
        if origin is None:
            return []
        aside = Aside(self._state, self._root)
        folder = LostFolder(self._copy, origin, aside, self._env, late=lambda path: written_after(until, path))
        strict = until is not None
        try:
            words = folder.put_back() if strict else []
            if not folder.there:
                return words or self._farewell(origin)
            git = Git(origin.top, self._env, origin.git_dir)
            works = self._leads_home(origin, anywhere=not strict)
            words += self._mend_inside(folder.origin, git, aside, None, works, strict=strict)
            if any_empty(folder.origin.common_dir / "objects"):  # after a power cut
                self.salvaged = True
                words += Salvage(self._copy, folder.origin, git, aside).objects()
        except (OSError, RalphError) as problem:
            words = [f"the repository could not be put back: {problem}"]
        return words

    def begin(self, place: Place) -> list[str]:
        """Make the copy of a repository in order, or bring it up to date; return words where there can be none."""
        self._now = self._wanted = None
        if place.why_private:
            return []
        try:
            origin = Origin.of(place)
            found = scan(origin)
            if broken := _first_unsound(place, origin, found):
                return [f"no safety copy of the repository is made, because {broken} cannot be read"]
            self._copy.renew(origin, lambda: _proved(place.git))
            self._now = _Guarded(place, origin, OpenFolder(origin.common_dir), found)
        except NoRoomError as problem:
            return [f"{_NONE}: {problem}"]
        except (OSError, RalphError) as problem:
            self._wanted = place
            return [f"{_NONE}, for now: {problem}"]
        return []

    @property
    def in_place(self) -> bool:
        """Say whether the folder of the repository is the one that it was; asked before everything, in microseconds."""
        return self._now is None or self._now.held.is_at(self._now.origin.common_dir)

    def mend(self, *, deep: bool = False) -> list[str]:
        """Put back what is gone or broken; return words, none where all is well, which costs under a millisecond.

        `deep` reads every object as well. `refresh` is to follow when all else is mended.
        """
        guarded = self._now
        if guarded is None or (not deep and self._copy.there and scan(guarded.origin) == guarded.seen):
            return []
        aside = Aside(self._state, self._root)
        folder = LostFolder(self._copy, guarded.origin, aside, self._env, guarded.held)
        git = guarded.place.git
        try:
            words = folder.put_back()
            self._take_hold(guarded, folder.origin)
            if not self._copy.there:  # the agent removed the runner's folder
                return words + self.begin(guarded.place)
            words += self._mend_inside(guarded.origin, git, aside, guarded.seen, lambda: _answers(git), strict=True)
            if deep:
                words += Salvage(self._copy, guarded.origin, git, aside).objects()
        except (OSError, RalphError) as problem:
            words = [f"the repository could not be put back: {problem}"]
        return words

    def mend_tip(self, place: Place) -> list[str]:
        """Let the branch go back where its last commit is lost for good; comes after a deep `mend`. Returns words."""
        try:
            return Salvage(self._copy, Origin.of(place), place.git, Aside(self._state, self._root)).tip()
        except (OSError, RalphError) as problem:
            return [f"the branch could not be put back: {problem}"]

    def store(self) -> None:
        """Take new objects into the copy, and nothing else: those of a snapshot."""
        guarded = self._now
        if guarded is None or not self._copy.there:
            return
        with suppress(OSError, KeyError):
            stores, was = scan_stores(guarded.origin), guarded.seen.stores
            guarded.seen = guarded.seen._replace(stores=self._link_objects(stores, was, settled=False))

    def take(self, path: Path) -> None:
        """Take one file into the copy that the runner itself has just written; cheaper than to look at everything."""
        guarded = self._now
        if guarded is None or not self._copy.there:
            return
        with suppress(OSError, KeyError):
            if self._take(guarded.origin, path, settled=False):
                guarded.seen.files[str(path)] = stamp(path)

    def refresh(self, *, settled: bool = False) -> None:
        """Bring the copy up to date; what git could not read is not taken over.

        `settled`: what others did was looked at and mended before. Else only what the runner itself writes is taken:
        a file that is gone, or other settings, are left for the next `mend` to see.
        """
        guarded = self._now
        if guarded is None and self._wanted is not None and settled:
            self.begin(self._wanted)
        if guarded is None or not self._copy.there:
            return
        now, was = scan(guarded.origin), guarded.seen
        if now == was or now.common != was.common:
            return
        with suppress(OSError, KeyError):  # the next time tries again
            stores = self._link_objects(now.stores, was.stores, settled=settled)
            changed = {path for path, found in now.files.items() if was.files.get(path) != found}
            taken = {path for path in changed if self._take(guarded.origin, Path(path), settled=settled)}
            gone = self._forget(was.files.keys() - now.files.keys()) if settled else set()
            files = {path: found for path, found in was.files.items() if path not in gone}
            guarded.seen = now._replace(stores=stores, files=files | {path: now.files[path] for path in taken})

    # --- putting back

    def _mend_inside(
        self,
        origin: Origin,
        git: Git,
        aside: Aside,
        seen: Scan | None,
        settings_work: Callable[[], bool],
        *,
        strict: bool,
    ) -> list[str]:
        """Put back what is broken inside of a repository that is where it belongs; return words."""
        words = []
        if permissions_taken(scan(origin)):
            count = sum(give_permissions(folder, self._copy) for folder in origin.folders)
            words.append(f"permissions were taken from {count} of git's files and folders: given back")
        pieces = Pieces(self._copy, origin, git, aside, strict=strict, settings_work=settings_work)
        words += pieces.mend(seen)
        if strict:
            words += LostObjects(self._copy, origin, git, aside).mend(seen, scan(origin))
            words += pieces.mend_astray(seen)
        return words

    def _take_hold(self, guarded: _Guarded, origin: Origin) -> None:
        """Hold the folder that is the repository by now."""
        guarded.origin = origin
        if not guarded.held.is_at(origin.common_dir):
            guarded.held.close()
            guarded.held = OpenFolder(origin.common_dir)
        now = scan(origin)
        guarded.seen = guarded.seen._replace(dot_git=now.dot_git, common=now.common)

    def _leads_home(self, origin: Origin, *, anywhere: bool) -> Callable[[], bool]:
        """Return what says whether git finds the work tree by itself, or `anywhere` one that it can work in."""
        finder = Git(origin.top, self._env)

        def leads() -> bool:
            found = finder.run("rev-parse", "--show-toplevel", check=False)
            top = Path(os.fsdecode(found.out).rstrip("\n"))
            return found.code == 0 and (anywhere or top == origin.top)

        return leads

    def _farewell(self, origin: Origin) -> list[str]:
        """Return words about a repository that is gone, but was not taken by an agent that was cut off."""
        if os.path.lexists(origin.dot_git_path) and origin.common_dir.exists():
            return []
        copied = os.path.relpath(self._copy.at(origin.common_dir), self._root)
        return [f"the repository {origin.common_dir} is gone since the last run; a copy of it is in {copied}"]

    # --- keeping current

    def _link_objects(self, now: Stores, was: Stores, *, settled: bool) -> Stores:
        """Link new objects; return how the folders looked in order: what is gone is for `mend` to see."""
        stores = now if settled else was | now
        for folder, found in now.items():
            if not found[0] or was.get(folder) != found:
                same = place_all(folder, str(self._copy.at(folder)), Allowance())
                if not same and not settled:
                    stores[folder] = was.get(folder, (0, 0))
        return stores

    def _take(self, origin: Origin, path: Path, *, settled: bool) -> bool:
        """Copy a file that changed; say whether it is dealt with."""
        name = origin.name(path)
        if path.name.endswith(_PASSING) or name == "index":  # `StagedIndex` keeps that, and puts it back
            return True
        if name in _SETTINGS and not settled:
            return False
        with suppress(FileNotFoundError):
            if not origin.sound(path):
                return False
            self._copy.take(path)
        return True

    def _forget(self, gone: set[str]) -> set[str]:
        """Remove from the copy what git removed; return what is dealt with."""
        done = {path for path in gone if Path(path).name not in _LASTING}
        for path in done:
            self._copy.forget(Path(path))
        return done


def _first_unsound(place: Place, origin: Origin, found: Scan) -> str:
    """Return the name of a file that git could not read, or HEAD where its commit is not whole; "" if all is well."""
    paths = (Path(path) for path in found.files if not path.endswith(_PASSING))
    broken = next((path for path in paths if not origin.sound(path)), None)
    if broken is not None:
        return origin.name(broken)
    born, whole = (place.git.run("rev-parse", "-q", "--verify", at, check=False) for at in ("HEAD", "HEAD^{tree}"))
    return "" if whole.code == 0 or born.code != 0 else "HEAD"


def _answers(git: Git) -> bool:
    return git.run("rev-parse", "--git-dir", check=False).code == 0


def _proved(git: Git) -> bool:
    """Say whether every commit that a ref leads to is there with all its files, and what is staged."""
    options = ("--objects", "--all", "--indexed-objects", "--quiet")
    try:
        return git.run("rev-list", *options, check=False, seconds=_PROOF_SECONDS).code == 0
    except RalphError:  # it takes too long to know
        return False
