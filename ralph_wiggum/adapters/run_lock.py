"""One run a work tree (O38): a lock that the kernel lets go when its process dies, however it dies."""

from __future__ import annotations

import fcntl
import json
import os
import time
import weakref
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from ralph_wiggum.adapters.project import STATE, make_state, state_hint
from ralph_wiggum.adapters.whole_file import make_way, read_file
from ralph_wiggum.core.errors import Exit, RalphError

PROBE_SECONDS = 2.0  # a look at the lock by `holder` lasts microseconds; a start must not fail because of one
NAP_SECONDS = 0.02
MOST_BYTES = 1 << 16  # of what may stand in the lock file


class Holder(NamedTuple):
    """Who holds the lock, or held it last. `began` is the process's start time, which tells a reused pid apart."""

    pid: int = 0
    spec: str = ""
    started: str = ""
    run: str = ""
    began: str = ""
    keeper: int = 0
    keeper_began: str = ""
    state: str = ""

    @property
    def alive(self) -> bool:
        """Say whether the very process that took the lock is still there."""
        return self.pid > 0 and process_began(self.pid) == self.began


class RunLock:
    """The lock of a work tree, held from `acquire` until `release` or the death of the process.

    `previous` is who held it before, if that run did not end in good order. Neither programs that this process starts
    (close-on-exec) nor its forks inherit the lock.
    """

    def __init__(self, root: Path) -> None:
        self.path = lock_path(root)
        self.previous: Holder | None = None
        self._fd = -1
        self._holder = Holder()

    def acquire(self, *, spec: str, run: str, started: str) -> None:
        """Take the lock; RalphError with code LOCKED if another process holds it. `started` is ISO."""
        try:
            make_state(self.path.parent)
            taken = self._try()
        except OSError as error:
            words = f"cannot use {error.filename or self.path}: {error.strerror}"
            raise RalphError(words, hint=state_hint(error)) from error
        deadline = time.monotonic() + PROBE_SECONDS
        while not taken:
            held = _read(self.path)
            if (held is not None and held.alive) or time.monotonic() > deadline:
                raise _refused(self.path, held)
            time.sleep(NAP_SECONDS)
            taken = self._try()
        last = _read(self.path)
        self.previous = last if last is not None and not last.alive else None
        _close_in_forks(self)
        pid = os.getpid()
        self._holder = Holder(pid=pid, spec=spec, started=started, run=run, began=process_began(pid))
        try:
            self._write()
        except OSError as error:  # an empty file can be made on a full disk too
            self.close()
            raise RalphError(f"cannot write {self.path}: {error.strerror}", hint=state_hint(error)) from error

    def note(self, *, keeper: int | None = None, state: str | None = None) -> None:
        """Add what others should see: the keeper's pid, or a word such as "stopping"."""
        if keeper is not None:
            self._holder = self._holder._replace(keeper=keeper, keeper_began=process_began(keeper))
        if state is not None:
            self._holder = self._holder._replace(state=state)
        self._write()

    def renew(self) -> bool:
        """Make the lock file again if somebody removed or replaced it; say whether that was so.

        An agent's `git clean -fdx` takes `.ralph/` with it; without this a second run could start beside this one.
        """
        if self._fd < 0 or _same_file(self._fd, self.path):
            return False
        old = self._fd
        make_state(self.path.parent)
        if _same_file(old, self.path) or not self._try():  # the folder had only been closed
            return False
        os.close(old)
        self._write()
        return True

    def release(self) -> None:
        """Let go; the file stays (removing it would let two starts lock two files), but says nobody."""
        if self._fd >= 0:
            with suppress(OSError):
                os.ftruncate(self._fd, 0)
            self.close()

    def close(self) -> None:
        """Let go of the descriptor and leave the file as it is."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()

    def _try(self) -> bool:
        """Take the lock if nobody has it. What is no file makes way: an agent may have put it there."""
        if os.path.lexists(self.path) and not self.path.is_file():
            make_way(self.path)
        if not os.access(self.path, os.R_OK | os.W_OK):
            _give_back(self.path)
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _same_file(fd, self.path):
                self._fd = fd
                return True
        except BlockingIOError:
            pass
        os.close(fd)
        return False

    def _write(self) -> None:
        """Write the holder in one go, padded over what stood there, so that a reader never meets a half of it."""
        data = json.dumps(self._holder._asdict()).encode()
        size = os.fstat(self._fd).st_size
        os.pwrite(self._fd, data.ljust(max(size, 512) - 1) + b"\n", 0)


def holder(root: Path) -> Holder | None:
    """Return who holds the lock of a work tree now, or None. Takes nothing over and writes nothing."""
    path = lock_path(root)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(path) or Holder()
    finally:
        os.close(fd)
    return None


def lock_path(root: Path) -> Path:
    """Return where the lock of a work tree lies."""
    return root / STATE / "run.lock"


def process_began(pid: int) -> str:
    """Return a text that is the same as long as a pid means the same process; "" if it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - Path costs more than the read
            return file.read().rpartition(b")")[2].split()[19].decode()
    except (OSError, IndexError):
        pass
    if os.path.isdir("/proc/self"):  # noqa: PTH112 - as above
        return ""
    return _began_without_proc(pid)


def _began_without_proc(pid: int) -> str:
    import psutil  # noqa: PLC0415 - heavy, and needed only where there is no /proc

    try:
        return str(psutil.Process(pid).create_time())
    except psutil.Error:
        return ""


def _give_back(path: Path) -> None:
    from ralph_wiggum.adapters.rights import give_back  # noqa: PLC0415 - only where something is amiss

    give_back(path, write=True)


def _same_file(fd: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), os.stat(path))  # noqa: PTH116 - the pair of fstat
    except OSError:
        return False


def _read(path: Path) -> Holder | None:
    try:
        data = json.loads(read_file(path, MOST_BYTES))
    except (OSError, ValueError):
        return None
    if not isinstance(data, dict):
        return None
    known = {name: data[name] for name in Holder._fields if isinstance(data.get(name), type(getattr(Holder(), name)))}
    return Holder(**known)


def _refused(path: Path, held: Holder | None) -> RalphError:
    if held is None or not held.pid:
        return RalphError(
            f"another ralph run holds this work tree ({path} is locked)",
            hint="wait until it ends; `ralph-status` shows what it does",
            code=Exit.LOCKED,
        )
    from shlex import quote  # noqa: PLC0415 - ralph-status imports this module

    status = f"ralph-status {quote(held.spec)}" if held.spec else "ralph-status"
    return RalphError(
        f"another ralph run holds this work tree: pid {held.pid}, spec {held.spec or '?'}, since {held.started or '?'}",
        hint=f"`{status}` shows what it does; `ralph stop` ends it in good order",
        code=Exit.LOCKED,
    )


def _close_in_forks(lock: RunLock) -> None:
    """Have forks close their copy: they share the lock, and would keep it after their parent's death."""
    reference = weakref.ref(lock)

    def close() -> None:
        kept = reference()
        if kept is not None:
            kept.close()

    os.register_at_fork(after_in_child=close)
