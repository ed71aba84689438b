"""The state of a spec below `.ralph/`, kept within its bounds: old logs make room for new ones (LogSettings).

Removed are, until there is room: the logs of earlier runs, oldest first; of the current run the prompts, the logs of
checks and set-up commands, older parts of server logs, and last the logs of its attempts, oldest first. Never the
last log of a task that is still open, and nothing that is no log: the journal, patches of skipped tasks (a person's
to throw away), accepted screenshots. These count all the same.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from ralph_wiggum.core.keys import file_name
from ralph_wiggum.core.settings import LogSettings
from ralph_wiggum.core.sizes import size

STEP_BYTES = 16_000_000  # what one step of the loop writes at most: an attempt's log, its prompt, logs of checks
PATCHES = "skipped"

_HEAVY = 1_000  # entries: a folder of others with more is not measured at every look
_SELDOM = 20  # looks: how often it is
_MOST_ENTRIES = 200_000  # of one folder; an agent may put there what it likes
_CURRENT = ("prompts", "checks", "setup", "logs")  # of a run, in the order in which they make room
_OLD_PART = re.compile(r".+\.log\.\d+")  # as server_log names them
_ATTEMPT = re.compile(r"(?P<stem>.+)-(?P<number>\d+)\.log")


class _File(NamedTuple):
    """A file that may have to go. `changed` in ns since 1970; `bytes` is 0 where another name shares its content."""

    path: str
    bytes: int
    changed: int


class _Removed(NamedTuple):
    """What went: how many earlier runs, how many files of this one, how many bytes in all."""

    runs: int
    files: int
    bytes: int


class StateRoom:
    """Keeps one spec's state within the bounds of the settings; looks at the disk only when they may be near.

    `current_run` is the id of the run that is on, the name of its folder below `state/runs`.
    """

    def __init__(self, state: Path, settings: LogSettings, current_run: str) -> None:
        self._state = state
        self._settings = settings
        self._current = current_run
        self._step = min(STEP_BYTES, settings.total // 8)
        self._calls_left = 0
        self._looks = 0
        self._earlier: dict[str, list[_File]] | None = None
        self._others: dict[str, tuple[int, int]] = {}  # bytes and entries of what is no log, by its name
        self._told = False

    def keep_within(self, open_keys: Iterable[str] = ()) -> tuple[str, ...]:
        """Remove what has to go, to be called between steps; return words for the log on what that was.

        `open_keys` are the tasks that are not settled. Most calls only count down: the disk is looked at when so many
        steps, each writing as much as it can, could have come near the bound.
        """
        self._calls_left -= 1
        if self._calls_left > 0:
            return ()
        open_stems = {file_name(key) for key in open_keys}
        words: tuple[str, ...] = ()
        if self._earlier is None:
            self._forget_runs(open_stems)
        current = {name: _files(self._state / "runs" / self._current / name) for name in _CURRENT}
        servers = _files(self._state / "logs")
        taken = self._taken(current, servers)
        if taken > self._full:
            removed = self._make_room(taken, current, servers, open_stems)
            taken -= removed.bytes
            words = self._words(removed, taken)
        self._calls_left = max(1, (self._full - taken) // self._step)
        return words

    @property
    def _full(self) -> int:
        """From here on room is made: two more steps still fit."""
        return self._settings.total - 2 * self._step

    def _forget_runs(self, open_stems: Collection[str]) -> None:
        """Take stock of the earlier runs, and remove all but the last ones: as many as are kept (logs.runs)."""
        runs = [name for name in _folders(self._state / "runs") if name != self._current]
        self._earlier = {name: _files(self._state / "runs" / name) for name in sorted(runs)}
        kept = self._last_logs([file for files in self._earlier.values() for file in files], open_stems)
        for name in sorted(runs)[: max(0, len(runs) - self._settings.runs + 1)]:
            self._remove_run(name, kept)

    def _taken(self, current: dict[str, list[_File]], servers: list[_File]) -> int:
        logs = (*(self._earlier or {}).values(), *current.values(), servers)
        return sum(file.bytes for files in logs for file in files) + self._measure_others()

    def _measure_others(self) -> int:
        """Return the bytes of all that is no log; what has very many entries is measured only now and then."""
        seldom = self._looks % _SELDOM == 0
        self._looks += 1
        found: dict[str, tuple[int, int]] = {}
        places = [self._state / name for name in _names(self._state) if name not in ("runs", "logs")]
        run = self._state / "runs" / self._current
        places += [run / name for name in _names(run) if name not in _CURRENT]
        for place in places:
            known = self._others.get(str(place))
            if known is None or seldom or known[1] < _HEAVY:
                files = _files(place)
                known = sum(file.bytes for file in files), len(files)
            found[str(place)] = known
        self._others = found
        return sum(taken for taken, _ in found.values())

    def _make_room(
        self, taken: int, current: dict[str, list[_File]], servers: list[_File], open_stems: Collection[str]
    ) -> _Removed:
        """Remove until there is room for some steps more."""
        wanted = self._full - self._settings.total // 8
        earlier = self._earlier or {}
        newest = max(current["logs"], key=lambda file: file.changed, default=None)
        kept = self._last_logs([*(file for files in earlier.values() for file in files), *current["logs"]], open_stems)
        kept |= {newest.path} if newest else set()
        runs = freed = files = 0
        for name in tuple(earlier):
            if taken - freed <= wanted:
                break
            went = self._remove_run(name, kept)
            freed += went
            runs += went > 0
        parts = [file for file in servers if _OLD_PART.fullmatch(Path(file.path).name)]
        for group in (current["prompts"], [*current["checks"], *current["setup"]], parts, current["logs"]):
            for file in sorted(group, key=lambda file: file.changed):
                if taken - freed <= wanted:
                    return _Removed(runs, files, freed)
                if file.path not in kept and _remove(file.path):
                    freed += file.bytes
                    files += 1
        return _Removed(runs, files, freed)

    def _remove_run(self, name: str, kept: Collection[str]) -> int:
        """Remove the files of an earlier run, and its folder where that is empty then; return how many bytes."""
        files = (self._earlier or {}).pop(name, [])
        gone = [file for file in files if file.path not in kept and _remove(file.path)]
        left = set(files) - set(gone)
        if left and self._earlier is not None:
            self._earlier[name] = sorted(left)
            self._earlier = dict(sorted(self._earlier.items()))
        for folder, _, _ in os.walk(self._state / "runs" / name, topdown=False):
            with suppress(OSError):  # something is left in it
                os.rmdir(folder)  # noqa: PTH106 - a name out of os.walk
        return sum(file.bytes for file in gone)

    @staticmethod
    def _last_logs(files: Iterable[_File], open_stems: Collection[str]) -> set[str]:
        """Return the paths of the last log of each open task."""
        last: dict[str, _File] = {}
        for file in files:
            named = _ATTEMPT.fullmatch(Path(file.path).name)
            if named is None or named["stem"] not in open_stems or Path(file.path).parent.name != "logs":
                continue
            before = last.get(named["stem"])
            if before is None or file.changed >= before.changed:
                last[named["stem"]] = file
        return {file.path for file in last.values()}

    def _words(self, removed: _Removed, taken: int) -> tuple[str, ...]:
        bound = f"{size(self._settings.total)} (logs.total)"
        words: list[str] = []
        if removed.bytes:
            runs, files = _count(removed.runs, "earlier run"), _count(removed.files, "older file")
            what = " and ".join(filter(None, (runs and f"logs of {runs}", files)))
            words.append(f"removed to stay within {bound}: {what}, {size(removed.bytes)}")
        if taken > self._full and not self._told:
            self._told = True
            others = sum(each for each, _ in self._others.values())
            patches, _ = self._others.get(str(self._state / PATCHES), (0, 0))
            shown = f"{size(others)} are no logs, {size(patches)} of that patches of skipped tasks in {PATCHES}/"
            words.append(f"{self._state} holds {size(taken)} that are not removed, the bound is {bound}: {shown}")
        return tuple(words)


def _count(number: int, what: str) -> str:
    return "" if not number else f"1 {what}" if number == 1 else f"{number} {what}s"


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder) if _is_folder(folder) else []  # noqa: PTH208 - called between steps, often
    except OSError:
        return []


def _folders(folder: Path) -> list[str]:
    return [name for name in _names(folder) if _is_folder(folder / name)]


def _is_folder(path: Path) -> bool:
    """Say whether a path is a folder itself: a link that an agent put there may lead anywhere."""
    return path.is_dir() and not path.is_symlink()


def _files(place: Path) -> list[_File]:
    """Return the files at and below a path, links as what they are; what is no file has no bytes."""
    return list(islice(_walk(place), _MOST_ENTRIES))


def _walk(place: Path) -> Iterator[_File]:
    if not _is_folder(place):
        with suppress(OSError):
            yield _file(str(place), os.lstat(place))
        return
    folders = [str(place)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                        continue
                    with suppress(FileNotFoundError):
                        yield _file(entry.path, entry.stat(follow_symlinks=False))
        except OSError:
            continue


def _file(path: str, found: os.stat_result) -> _File:
    """Return a file as it counts: one that has another name takes no room of its own."""
    return _File(path, found.st_size if found.st_nlink == 1 else 0, found.st_mtime_ns)


def _remove(path: str) -> bool:
    try:
        os.unlink(path)  # noqa: PTH108 - as above
    except OSError:
        return False
    return True
