"""The spec folder and `.kiro/` survive an agent: what it moved, replaced, closed or deleted is put back (B10).

tasks.md itself is held by `spec_files`. A copy of the rest is made when a night begins, small files only; documents
that change later, by whomever, are copied again before each attempt, as long as they can be used (O17).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ralph_wiggum.adapters.aside import kind_of, link_of, move_aside
from ralph_wiggum.adapters.guarded_folders import GuardedFolders
from ralph_wiggum.adapters.kept_files import FILE_BYTES, LOG_BYTES, MOST_FILES, KeptFiles
from ralph_wiggum.adapters.project import Project
from ralph_wiggum.adapters.rights import give_back, give_back_way
from ralph_wiggum.adapters.whole_file import read_file, replace_file

KEPT = "documents"  # `kept` is the folder of git/kept.py
DOCUMENTS = ("requirements.md", "design.md", "bugfix.md")
SETTINGS = ("ralph.yaml", "ralph.yml")


class SpecGuard:
    """Keeps the folders and documents of one spec, and puts them back.

    A folder is held open from the first attempt on, so that one that was moved is found and moved back with all that
    is in it; one that is gone gets back what was copied of it. Documents (requirements.md, design.md, bugfix.md,
    steering files, the settings) are put back when they are gone, empty or no text any more; the log when it is gone
    or empty. Everything else is left as it is: an agent may change what it likes as long as the spec can be used.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._kiro = project.root / ".kiro"
        self._kept = KeptFiles(project.state / KEPT, project.root)
        self._guarded = GuardedFolders(self._kept, project.state, self._shown)
        self._begun = False

    def hold(self) -> None:
        """Keep what is there now: all of it the first time, later what changed of the documents. OSError: disk full."""
        folders, documents = self._folders(), self._documents()
        if not self._begun:
            self._kept.load()
        self._guarded.hold(folders)
        for path in documents:
            self._kept.keep(path)
        if not self._begun:
            log = self._project.activity_file
            others = [path for path in _small_files(self._kiro) if path not in (self._project.tasks_file, log)]
            for path in others:
                self._kept.keep(path)
            self._kept.keep(log, LOG_BYTES)
            self._kept.forget_others(filter(os.path.lexists, (*documents, *others, log)), folders)
            self._begun = True
        self._kept.save()

    def put_back(self) -> tuple[str, ...]:
        """Put back what is gone or of no use any more; return words, one a thing. Nothing where nothing was kept.

        What cannot be put back is said as well. Costs some 100 microseconds where all is well.
        """
        if not self._project.root.is_dir() or not (self._kept.folders or self._kept.load()):
            return ()
        words = [*self._rights_given_back(), *self._guarded.put_back()]
        returned = dict.fromkeys(self._guarded.gone, 0)
        for path in self._kept.files:
            above = next((folder for folder in returned if path.is_relative_to(folder)), None)
            if above is not None and not os.path.lexists(path):
                with suppress(OSError):  # the number tells
                    returned[above] += self._written(path)
            elif self._is_watched(path) and (trouble := self._trouble(path)):
                words.append(self._document_put_back(path, trouble))
        words.extend(f"{self._shown(path)} was gone; put back with {_files(n)}" for path, n in returned.items())
        return tuple(words)

    def is_whole(self) -> bool:
        """Say whether what an earlier process kept is there and of use, as far as the spec needs it."""
        if not self._kept.load():
            return True
        folders = all(path.is_dir() for path in self._kept.folders)
        return folders and not any(self._trouble(path) for path in self._kept.files if self._is_watched(path))

    # --- what is kept

    def _folders(self) -> list[Path]:
        """Return the folders that are watched, from the top down; those above the project are nobody's business."""
        root, spec_dir = self._project.root, self._project.spec_dir
        below = [self._kiro, self._kiro / "steering", self._kiro / "settings"]
        if spec_dir.is_relative_to(root):
            way = spec_dir.relative_to(root).parts
            below += [root.joinpath(*way[: depth + 1]) for depth in range(len(way))]
        elif not root.is_relative_to(spec_dir) and self._project.tasks_file.name == "tasks.md":
            below.append(spec_dir)
        return [path for path in dict.fromkeys(below) if path.is_dir()]

    def _documents(self) -> list[Path]:
        spec = [self._project.spec_dir / name for name in DOCUMENTS]
        settings = [self._kiro / "settings" / name for name in SETTINGS]
        steering: list[Path] = []
        with suppress(OSError), os.scandir(self._kiro / "steering") as entries:
            steering = [Path(entry.path) for entry in entries if entry.name.endswith(".md")]
        return [*spec, *settings, *sorted(steering)]

    def _is_watched(self, path: Path) -> bool:
        """Say whether a file has to be there, whatever an agent thinks of it."""
        return (
            path == self._project.activity_file
            or (path.parent == self._project.spec_dir and path.name in DOCUMENTS)
            or (path.parent == self._kiro / "settings" and path.name in SETTINGS)
            or (path.parent == self._kiro / "steering" and path.suffix == ".md")
        )

    # --- what is put back

    def _rights_given_back(self) -> Iterator[str]:
        closed = [path for folder in self._kept.folders for path in give_back_way(self._project.root, folder)]
        closed += filter(give_back, (self._project.tasks_file, *filter(self._is_watched, self._kept.files)))
        for path in dict.fromkeys(closed):
            yield f"the rights of {self._shown(path)} had been taken away; given back"

    def _trouble(self, path: Path) -> str:
        """Return why a file is of no use any more, "" if it is of some."""
        kept = self._kept.files[path]
        try:
            found = os.stat(path)  # noqa: PTH116 - the one call tells all
        except OSError:
            return "led nowhere" if os.path.lexists(path) else "was gone"
        if not stat.S_ISREG(found.st_mode):
            return f"had become {kind_of(path)}"
        if not kept.size or (found.st_size, found.st_mtime_ns, found.st_ino) == (kept.size, kept.time, kept.inode):
            return ""
        return ("" if found.st_size else "was empty") if path == self._project.activity_file else self._spoilt(path)

    def _spoilt(self, path: Path) -> str:
        try:
            data = read_file(path, FILE_BYTES)
        except OSError as error:
            return f"could not be read ({error.strerror})"
        if not data.strip():
            return "was empty"
        return "was no text any more" if _is_garbage(data) and not _is_garbage(self._kept.content(path) or b"") else ""

    def _document_put_back(self, path: Path, trouble: str) -> str:
        aside: Path | None = None
        shown = self._shown(path)
        try:
            own_link = link_of(path) != "" and link_of(path) == self._kept.files[path].link
            if os.path.lexists(path) and not own_link and trouble != "was empty":
                aside = move_aside(path, self._project.state)
            done = self._written(path)
        except OSError as error:
            return f"{shown} {trouble}, and could not be put back: {error.strerror}"
        kept = f", what stood there is kept in {self._shown(aside)}" if aside else ""
        return f"{shown} {trouble}; put back{kept}" if done else f"{shown} {trouble}, and there is no copy of it{kept}"

    def _written(self, path: Path) -> bool:
        """Write a file as it was, or the link that it was; False where there is no copy."""
        kept, data = self._kept.files[path], self._kept.content(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        if kept.link and not os.path.lexists(path):
            path.symlink_to(kept.link)
            if path.is_file():
                return True
        if data is None:
            return False
        Path(os.path.realpath(path)).parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, (data,))
        path.chmod(kept.mode)
        return True

    def _shown(self, path: Path) -> str:
        for root in (self._project.root, Path(os.path.realpath(self._project.root))):
            if path.is_relative_to(root):
                return str(path.relative_to(root))
        return str(path)


def _small_files(folder: Path) -> list[Path]:
    """Return the files below a folder, at most as many as are kept; links to folders are not followed."""
    found: list[Path] = []
    waiting = [folder]
    while waiting and len(found) < MOST_FILES:
        with suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in sorted(entries, key=lambda each: each.name):
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                elif entry.is_file():
                    found.append(Path(entry.path))
    return found[:MOST_FILES]


def _is_garbage(data: bytes) -> bool:
    """Say whether bytes are no text; a character may be cut at the end of what was read."""
    if b"\0" in data:
        return True
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return len(data) - error.start >= len("\U0010ffff".encode())
    return False


def _files(number: int) -> str:
    return "1 file" if number == 1 else f"{number} files"
