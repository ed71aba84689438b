"""The standard library with a meter below it: to be installed before anything of ours is imported.

Files opened for writing, the calls of `os` that change something, flock, forks, git, what is sent through sockets. And
pauses of a second and more take no time.
"""

from __future__ import annotations

import _io
import builtins
import fcntl
import functools
import io
import os
import select
import shlex
import shutil  # noqa: F401 - it looks at the functions of os when it is imported
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.night.faults.effects import Act, Kind, Meter

PAUSE_SECONDS = 1.0  # a pause that is asked to last that long is one that takes no time here
_NEW_NAMES = {"rename": 2, "replace": 2, "link": 2, "symlink": 2, "mkdir": 1}
_GONE_NAMES = {"unlink": 1, "remove": 1, "rmdir": 1}
_META = ("chmod", "fchmod", "utime", "truncate", "ftruncate")
_SYNC = ("fsync", "fdatasync")
_MAKES = os.O_CREAT | os.O_TRUNC
_WRITES = os.O_WRONLY | os.O_RDWR
_SAYS_IT_FAILED = {
    "ENOSPC": "No space left on device",
    "EIO": "Input/output error",
    "late": "unable to close the file: Input/output error",
}


def install(meter: Meter) -> None:
    """Put the meter below the standard library of this process, for ever."""
    _wrap_names(meter)
    _wrap_descriptors(meter)
    _wrap_files(meter)
    _wrap_processes(meter)
    _wrap_sockets(meter)
    _hurry()


def printing(meter: Meter, fd: int) -> io.TextIOWrapper:
    """Return a text stream that counts what is printed to a descriptor."""
    raw = _CountedFile(meter, fd, "wb", kind=Kind.PRINT)
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8", line_buffering=False)


def shown(path: object) -> str:
    """Return a path, or what a descriptor leads to, from the project's folder."""
    if isinstance(path, int):
        try:
            path = Path(f"/proc/self/fd/{path}").readlink()
        except OSError:
            return f"descriptor {path}"
    text = os.fsdecode(path) if isinstance(path, (str, bytes, os.PathLike)) else str(path)
    return os.path.relpath(text) if text.startswith("/") else text


# --- names


def _wrap_names(meter: Meter) -> None:
    for name, paths in (_NEW_NAMES | _GONE_NAMES).items():
        kind = Kind.NAME if name in _NEW_NAMES else Kind.UNNAME
        setattr(os, name, _counted_name(meter, getattr(os, name), kind, paths))


def _counted_name(meter: Meter, original: Callable[..., Any], kind: Kind, paths: int) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(*args: Any, **named: Any) -> Any:
        if _does_something(original.__name__, args, named.get("dir_fd")):
            meter.meet(kind, lambda: " ".join((original.__name__, *map(shown, args[:paths]))))
        return original(*args, **named)

    return call


def _does_something(name: str, args: Sequence[Any], dir_fd: int | None) -> bool:
    """Say whether a call will change something: making what is there, or removing what is not, fails by itself."""
    try:
        os.lstat(args[0], dir_fd=dir_fd)
    except OSError:
        return name in {"mkdir", "symlink"}
    return name != "mkdir"


# --- descriptors


def _wrap_descriptors(meter: Meter) -> None:
    for name in ("write", "pwrite"):
        setattr(os, name, _counted_write(meter, getattr(os, name)))
    os.writev = _counted_writev(meter, os.writev)
    os.sendfile = _counted_sendfile(meter, os.sendfile)
    os.open = _counted_open(meter, os.open)
    for name in _META:
        setattr(os, name, _counted(meter, getattr(os, name), Kind.META))
    for name in _SYNC:
        setattr(os, name, _counted(meter, getattr(os, name), Kind.SYNC))
    fcntl.flock = _counted_flock(meter, fcntl.flock)


def _counted(meter: Meter, original: Callable[..., Any], kind: Kind) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(target: Any, *args: Any, **named: Any) -> Any:
        meter.meet(kind, lambda: f"{original.__name__} {shown(target)}")
        return original(target, *args, **named)

    return call


def _counted_flock(meter: Meter, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(fd: Any, operation: int) -> Any:
        if not operation & fcntl.LOCK_UN:
            meter.meet(Kind.LOCK, lambda: shown(fd if isinstance(fd, int) else fd.fileno()))
        return original(fd, operation)

    return call


def _counted_write(meter: Meter, original: Callable[..., int]) -> Callable[..., int]:
    @functools.wraps(original)
    def call(fd: int, data: Any, *rest: Any) -> int:
        act = meter.meet(_kind(fd), lambda: f"{len(data)} bytes to {shown(fd)}", size=len(data), fd=fd)
        if act is Act.HALF:
            done = original(fd, bytes(data)[: len(data) // 2], *rest)
            meter.torn()
            return done
        return original(fd, data, *rest)

    return call


def _counted_writev(meter: Meter, original: Callable[..., int]) -> Callable[..., int]:
    @functools.wraps(original)
    def call(fd: int, parts: Sequence[bytes]) -> int:
        data = b"".join(parts)
        act = meter.meet(_kind(fd), lambda: f"{len(data)} bytes to {shown(fd)}", size=len(data), fd=fd)
        if act is Act.HALF:
            done = original(fd, [data[: len(data) // 2]])
            meter.torn()
            return done
        return original(fd, parts)

    return call


def _counted_sendfile(meter: Meter, original: Callable[..., int]) -> Callable[..., int]:
    @functools.wraps(original)
    def call(out: int, source: int, offset: int, count: int) -> int:
        size = min(count, max(0, os.fstat(source).st_size - offset))
        if not size:
            return original(out, source, offset, count)
        act = meter.meet(Kind.WRITE, lambda: f"{size} bytes copied to {shown(out)}", size=size, fd=out)
        if act is Act.HALF:
            done = original(out, source, offset, size // 2)
            meter.torn()
            return done
        return original(out, source, offset, count)

    return call


def _counted_open(meter: Meter, original: Callable[..., int]) -> Callable[..., int]:
    @functools.wraps(original)
    def call(path: Any, flags: int, *args: Any, **named: Any) -> int:
        if flags & (_MAKES | _WRITES):
            _meet_open(meter, path, cuts=bool(flags & os.O_TRUNC), makes=bool(flags & os.O_CREAT))
        return original(path, flags, *args, **named)

    return call


def _meet_open(meter: Meter, path: Any, *, cuts: bool, makes: bool) -> None:
    """Count the opening of a file for writing; devices are none of the disk's business."""
    try:
        found = os.stat(path)  # noqa: PTH116 - it may be bytes
    except OSError:
        if makes:
            meter.meet(Kind.CREATE, lambda: shown(path))
        return
    if stat.S_ISREG(found.st_mode):
        meter.meet(Kind.CREATE if cuts and found.st_size else Kind.OPEN, lambda: shown(path))


def _kind(fd: int) -> Kind:
    return Kind.WRITE if stat.S_ISREG(os.fstat(fd).st_mode) else Kind.PIPE


# --- files of Python's own


class _CountedFile(io.FileIO):
    def __init__(self, meter: Meter, *args: Any, kind: Kind | None = None, **named: Any) -> None:
        super().__init__(*args, **named)
        self._meter = meter
        self._kind = kind or _kind(self.fileno())

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        fd = self.fileno()
        act = self._meter.meet(self._kind, lambda: f"{len(view)} bytes to {shown(fd)}", size=len(view), fd=fd)
        if act is Act.HALF:
            done = super().write(view[: len(view) // 2])
            self._meter.torn()
            return done
        return super().write(view)


def _wrap_files(meter: Meter) -> None:
    original = io.open

    @functools.wraps(original)
    def call(
        file: Any,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        closefd: bool = True,  # noqa: FBT001, FBT002 - as the original
        opener: Any = None,
    ) -> Any:
        if not set(mode) & set("wax+"):
            return original(file, mode, buffering, encoding, errors, newline, closefd, opener)
        if not isinstance(file, int):
            _meet_open(meter, file, cuts="w" in mode, makes=bool(set(mode) & set("wax")))
        plain = "".join(sorted(set(mode) - set("bt")))
        raw = _CountedFile(meter, file, plain, closefd, opener)
        if buffering == 0:
            return raw
        buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return buffered if "b" in mode else io.TextIOWrapper(buffered, encoding, errors, newline)

    for module in (io, _io, builtins):
        module.open = call  # type: ignore[attr-defined]


# --- processes


def _wrap_processes(meter: Meter) -> None:
    begin = subprocess.Popen.__init__

    @functools.wraps(begin)
    def call(self: Any, args: Any, *rest: Any, **named: Any) -> None:
        words = [os.fsdecode(word) for word in args] if not isinstance(args, (str, bytes)) else [os.fsdecode(args)]
        said = _told(words)
        if Path(words[0]).name != "git":
            meter.meet(Kind.FORK, lambda: said)
            begin(self, args, *rest, **named)
            return
        try:
            act = meter.meet(Kind.GIT, lambda: said)
        except PermissionError:
            raise  # the program may not be run
        except OSError as error:  # git meets the fault
            begin(self, _failing(error.strerror or "", "cat >/dev/null"), *rest, **named)
            return
        begin(self, _failing(_SAYS_IT_FAILED["late"], shlex.join(words)) if act is Act.LATE else args, *rest, **named)
        meter.meet(Kind.RUNNING, lambda: said)

    subprocess.Popen.__init__ = call  # type: ignore[method-assign]
    for name in ("fork", "posix_spawn"):
        setattr(os, name, _counted_fork(meter, getattr(os, name)))


def _counted_fork(meter: Meter, original: Callable[..., int]) -> Callable[..., int]:
    @functools.wraps(original)
    def call(*args: Any, **named: Any) -> int:
        meter.meet(Kind.FORK, lambda: original.__name__)
        return original(*args, **named)

    return call


def _failing(reason: str, command: str) -> list[str]:
    """Return a program in the place of git's that fails with git's words."""
    return ["/bin/sh", "-c", f"{command}; echo 'fatal: {reason}' >&2; exit 128"]


def _told(words: Sequence[str]) -> str:
    """Return a command without git's options and with nothing that changes from night to night."""
    rest = list(words[1:])
    while rest and rest[0].startswith("-"):
        del rest[: 2 if rest[0] in {"-c", "-C"} else 1]
    return " ".join((Path(words[0]).name, *(word for word in rest[:4] if "/" not in word)))[:80]


# --- the line to the keeper


def _wrap_sockets(meter: Meter) -> None:
    for name in ("send", "sendall", "sendmsg"):
        original = getattr(socket.socket, name)
        setattr(socket.socket, name, _counted_send(meter, original))


def _counted_send(meter: Meter, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(self: socket.socket, data: Any, *rest: Any) -> Any:
        if len(data):
            meter.meet(Kind.TELL, lambda: "the keeper")
        return original(self, data, *rest)

    return call


# --- time


def _hurry() -> None:
    """Have long pauses take no time. Nobody but the pause sees its clock run ahead: processes have ages, too."""
    ahead = 0.0
    wait, monotonic = select.select, time.monotonic

    def clock() -> float:
        return monotonic() + (ahead if _long_pause() else 0.0)

    def select_or_go_on(readers: Any, writers: Any, others: Any, seconds: float | None = None) -> Any:
        nonlocal ahead
        if not seconds or not _long_pause():
            return wait(readers, writers, others, seconds)
        found = wait(readers, writers, others, 0)
        ahead += 0.0 if any(found) else seconds
        return found

    time.monotonic, select.select = clock, select_or_go_on


def _long_pause() -> bool:
    """Say whether the caller's caller is a pause that was asked to be long (ports.Clock.pause)."""
    caller = sys._getframe(2)
    return caller.f_code.co_name == "pause" and caller.f_locals.get("seconds", 0.0) >= PAUSE_SECONDS
