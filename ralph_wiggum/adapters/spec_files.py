"""The files of a Kiro spec (ports.Spec): tasks.md read, marked, held and protected; the documents beside it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import NamedTuple

from ralph_wiggum.adapters.aside import kind_of, link_of
from ralph_wiggum.adapters.lost_plan import was_cut_off
from ralph_wiggum.adapters.plan_file import PLAN_BYTES, decode_tasks, keep_plan, read_plan_file
from ralph_wiggum.adapters.project import HELD, Project, make_state
from ralph_wiggum.adapters.spec_guard import SpecGuard
from ralph_wiggum.adapters.whole_file import change_in_place, make_way, read_file, remove_left_over, replace_file
from ralph_wiggum.core import edit, parse, protect
from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.model import IN_PROGRESS, Plan

DOCUMENT_BYTES = 1 << 20
STEERING_BYTES = 64 << 10
HELD_LINK = "tasks.held.link"  # where tasks.md pointed, if it was a symbolic link
MARKS_IN_PLACE = 8
TRIES = 5  # how often a write is begun anew because somebody else changed the file meanwhile


class _Known(NamedTuple):
    """tasks.md as it was last read or written."""

    data: bytes
    text: str
    plan: Plan


class _Held(NamedTuple):
    """tasks.md as it was before an attempt; `link` is where it pointed if it was a symbolic link."""

    data: bytes
    link: str


class SpecFiles:
    """The plan in tasks.md. `foreign_diff` holds, after `protect`, the edits of others that stay, as a diff.

    `puts_back`: a tasks.md that went away, or was spoilt, in the middle of an attempt which was cut off is put back
    when it is read first; the next `protect` says so. The folders and documents around it are held and protected with
    it (`spec_guard`).
    """

    def __init__(self, project: Project, *, puts_back: bool = False) -> None:
        self.foreign_diff = ""
        self.rescued: tuple[str, ...] = ()
        self._puts_back = puts_back
        self._back: tuple[str, ...] = ()  # words about it
        self._project = project
        self._path = project.tasks_file
        self._known: _Known | None = None
        self._held: _Held | None = None
        self._guard = SpecGuard(project)
        remove_left_over(self._path)

    def plan(self) -> Plan:
        """Return the plan as it is now; the same object as long as the bytes are the same.

        RalphError if the file is missing, unreadable or not UTF-8.
        """
        return self._read().plan

    def write(self, key: str, mark: str) -> Plan:
        """Change one task's mark in the file and return the new plan; every other byte stays (O8).

        `key` is that of the last plan given out. Where the file changed since, the task is found again in it;
        RalphError if that cannot be done without doubt, or if the file cannot be written.
        """
        before = self._known or self._read()
        wanted = before.plan.task(key)
        for _ in range(TRIES):
            now = self._read()
            task = wanted if now.plan is before.plan else edit.relocate(wanted, now.plan, before.plan)
            text = edit.set_mark(now.text, task, mark)
            new = _Known(text.encode(), text, now.plan.with_mark(task.key, mark))
            if new.data == now.data or self._replace(new.data, now.data, settled=mark != IN_PROGRESS):
                self._known = new
                return new.plan
        raise RalphError(
            f"{self._path} is being written by another program, again and again",
            hint="close the editor or the tool that does it",
        )

    def hold(self) -> None:
        """Remember the file as it is before an attempt, on disk too, so that `protect` works after a crash."""
        data = read_file(self._path)
        if self._held is None or self._held.data != data or not self._held_file.exists():
            self._write_held(data)
        link = link_of(self._path)
        if self._held is None or self._held.link != link:
            self._hold_link(link)
        self._held = _Held(data, link)
        self._guard.hold()

    def held_from_disk(self) -> bool:
        """Take up what an earlier process held; say whether there is anything.

        What a power cut left of it, nothing or zeros, is not what was held.
        """
        with suppress(OSError):
            data = read_file(self._held_file)
            if data and b"\0" not in data:
                self._held = _Held(data, os.fsdecode(_bytes(self._held_link) or b""))
        return self._held is not None

    def held_plan(self) -> Plan | None:
        """Return the plan as it was before the last attempt, also of an earlier process; None if nobody knows."""
        with suppress(OSError, UnicodeDecodeError):
            data = self._held.data if self._held is not None else read_file(self._held_file, PLAN_BYTES)
            return parse.parse(data.decode()) if data and b"\0" not in data else None
        return None

    def mark_held(self, key: str, mark: str) -> None:
        """Make a mark in what is held as well, so that a later `protect` does not take it for the agent's."""
        if self._held is None and not self.held_from_disk():
            return
        held = self._held
        if held is None or (text := _decoded(held.data)) is None:
            return
        plan = parse.parse(text)
        if key in plan.by_key:
            data = edit.set_mark(text, plan.task(key), mark).encode()
            replace_file(self._held_file, (data,))
            self._held = held._replace(data=data)

    def protect(self, key: str) -> tuple[str, ...]:
        """Undo what an attempt did to marks and to the text of its task (O17); return words for the log.

        A file that is gone, is no file any more, is no text or lost a task is put back whole; the other version is
        kept beside the journal. Edits that stay are in `foreign_diff`. Folders and documents come first.
        """
        self.foreign_diff = ""
        self.rescued = ()
        if self._held is None and not self.held_from_disk():
            return ()
        held = self._held
        if held is None:
            return ()
        words = [*self._back, *self._guard.put_back(), *self._unblock(held)]
        self._back = ()
        now = _bytes(self._path)
        after = None if now is None else _decoded(now)
        if after is None:
            words += self._put_back(held.data)
        self.rescued = tuple(words)
        if now is None or after is None or now == held.data:
            return self.rescued
        done = protect.protect(held.data.decode(), after, key)
        self.foreign_diff = done.diff
        if done.replaced:
            words.append(self._keep_aside(now))
        if done.text != after:
            replace_file(self._path, (done.text.encode(),))
        return (*words, *done.notes)

    def document(self, name: str) -> str:
        """Return the text of another file of the spec (requirements.md, design.md …), or "" if there is none."""
        return _text_of(self._project.spec_dir / name, DOCUMENT_BYTES)

    def steering(self) -> tuple[tuple[str, str], ...]:
        """Return name and text of the workspace's steering files, sorted, and of AGENTS.md; each of bounded size."""
        files = sorted((self._project.root / ".kiro" / "steering").glob("*.md"))
        files.append(self._project.root / "AGENTS.md")
        texts = ((path.name, _text_of(path, STEERING_BYTES)) for path in files)
        return tuple((name, text) for name, text in texts if text)

    def _write_held(self, data: bytes) -> None:
        """Write the copy; a few marks in place: whatever a crash leaves of it, no attempt has begun that needs it."""
        with suppress(OSError):
            old = self._held.data if self._held is not None else b""
            if change_in_place(self._held_file, old, data, most=MARKS_IN_PLACE, durable=False):
                return
        make_state(self._project.state)
        replace_file(self._held_file, (data,), durable=False)  # once an attempt: no waiting for the disk

    @property
    def _held_file(self) -> Path:
        return self._project.state / HELD

    @property
    def _held_link(self) -> Path:
        return self._project.state / HELD_LINK

    def _hold_link(self, link: str) -> None:
        if link:
            replace_file(self._held_link, (os.fsencode(link),), durable=False)
        else:
            self._held_link.unlink(missing_ok=True)

    def _read(self) -> _Known:
        """Read the file; what an attempt that was cut off has spoilt is put back, the first time."""
        first, self._puts_back = self._puts_back, False
        try:
            known = self._parsed()
            first = first and not known.plan.tasks
        except RalphError:
            if not first or not was_cut_off(self._project):
                raise
            known = None
        if first and was_cut_off(self._project):
            self._back = self._put_back_lost()
            known = None
        return known or self._parsed()

    def _parsed(self) -> _Known:
        """Parse the file only if its bytes changed (a stamp of size and time may miss a change)."""
        data = read_plan_file(self._project)
        if self._known is None or data != self._known.data:
            text = decode_tasks(data, self._path)
            self._known = _Known(data, text, parse.parse(text))
            keep_plan(self._project.plan_file, data, self._known.plan)
        return self._known

    def _replace(self, data: bytes, expected: bytes, *, settled: bool) -> bool:
        """Write the file unless it changed meanwhile; what goes on is in the journal too, and need not be settled.

        A mark is one byte, and is changed in its place where that can be done.
        """
        try:
            with suppress(PermissionError):  # a file that may not be written can still be replaced
                if change_in_place(self._path, expected, data, durable=settled):
                    return True
            return replace_file(
                self._path, (data,), settled=settled, still_wanted=lambda: _bytes(self._path) == expected
            )
        except OSError as error:
            raise RalphError(
                f"cannot write {self._path}: {error.strerror}",
                hint="make the file and its folder writable, and see that the disk is not full",
            ) from error

    def _unblock(self, held: _Held) -> Iterator[str]:
        """Make the path what it was, a file or a link, keeping what an attempt put there."""
        link = link_of(self._path)
        if _in_the_way(self._path):
            what, aside = kind_of(self._path), self._free_name()
            self._path.rename(aside)
            yield f"{self._path.name} had become {what}; what stood there is kept in {aside}"
        elif link != held.link:
            now = _bytes(self._path)
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.unlink(missing_ok=True)
            if held.link:
                self._path.symlink_to(held.link)
            if now is not None:
                replace_file(self._path, (now,))
            yield f"{self._path.name} {'was no link any more' if held.link else 'had become a link'}; put back"

    def _put_back_lost(self) -> tuple[str, ...]:
        try:
            return self.protect("")  # the file is put back whole, whatever task it was
        except OSError as error:
            raise RalphError(
                f"cannot put {self._path} back: {error.strerror}", hint=f"copy it yourself: {self._held_file}"
            ) from error

    def _put_back(self, data: bytes) -> Iterator[str]:
        """Write the file as it was; one that is too large to be read, or no text, is moved away, however large."""
        target = Path(os.path.realpath(self._path))
        if target.is_file():
            aside = self._free_name()
            try:
                target.rename(aside)
            except OSError:  # another file system: beside it, for a copy may take for ever
                aside = make_way(target)
            yield f"{self._path.name} was no plan any more and was put back as it was; what stood there is in {aside}"
        else:
            yield f"{self._path.name} was gone; it was put back as it was"
        target.parent.mkdir(parents=True, exist_ok=True)
        replace_file(self._path, (data,))

    def _keep_aside(self, data: bytes) -> str:
        aside = self._free_name()
        replace_file(aside, (data,))
        return f"{self._path.name} was put back as it was; the other version is kept in {aside}"

    def _free_name(self) -> Path:
        folder = make_state(self._project.state)
        return next(path for n in count(1) if not (path := folder / f"tasks.{n}.md").exists())


def _in_the_way(path: Path) -> bool:
    """Say whether something that is neither a file nor a link stands there: a folder, a pipe, a socket."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and (not stat.S_ISLNK(mode) or path.is_dir())


def _bytes(path: Path) -> bytes | None:
    """Return what a file holds; None where there is none to read, and where it is too large for a plan."""
    try:
        data = read_file(path, PLAN_BYTES + 1)
    except OSError:
        return None
    return data if len(data) <= PLAN_BYTES else None


def _decoded(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _text_of(path: Path, limit: int) -> str:
    try:
        return read_file(path, limit).decode("utf-8-sig", "replace")
    except OSError:
        return ""
