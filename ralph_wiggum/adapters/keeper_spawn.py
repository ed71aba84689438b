"""Start one program from the keeper: own session, exactly three descriptors, signals as a fresh shell has them.

posix_spawn where it can do it: it copies nothing of the keeper and takes 0.2 ms. It knows no controlling terminal and
no other PATH than ours: for those a fork and an exec of our own, 1.5 ms, safe because the keeper has one thread.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import struct
import sys
import termios
from collections.abc import Mapping, Sequence
from typing import NoReturn

_FAILURE = struct.Struct("!ci")
_STAGES = {b"d": "cwd", b"t": "terminal", b"x": "exec"}
_NO_ROOM = (errno.EAGAIN, errno.ENOMEM)  # for another process
_DEFAULTS = (
    signal.SIGCHLD,
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGPIPE,
    signal.SIGXFSZ,  # Python ignores it, as it does SIGPIPE
    signal.SIGTSTP,
    signal.SIGTTIN,
    signal.SIGTTOU,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGALRM,
)


class SpawnError(Exception):
    """A program that could not be started: `stage` is "cwd", "terminal", "exec" or "fork", `errno` says why."""

    def __init__(self, stage: str, errno: int) -> None:
        super().__init__(f"{stage}: {os.strerror(errno)}")
        self.stage = stage
        self.errno = errno


def spawn(argv: Sequence[str], cwd: str, env: Mapping[str, str], descriptors: Sequence[int], *, terminal: bool) -> int:
    """Start a program with `descriptors` as its 0, 1 and 2 and return its pid; SpawnError if that fails.

    The program is looked for in the PATH of `env`; a relative path counts from `cwd`. With `terminal` the terminal
    that is its standard output also controls it.
    """
    if sys.platform == "linux" and "/" in argv[0] and not terminal:
        return _spawn_quickly(argv, cwd, env, descriptors)
    return _fork_and_exec(argv, cwd, env, descriptors, terminal=terminal)


def _spawn_quickly(argv: Sequence[str], cwd: str, env: Mapping[str, str], descriptors: Sequence[int]) -> int:
    """Start a program by posix_spawn, which takes over our folder: the keeper goes there and back."""
    try:
        os.chdir(cwd)
    except OSError as error:
        raise SpawnError("cwd", error.errno or 0) from error
    actions = [(os.POSIX_SPAWN_DUP2, descriptor, number) for number, descriptor in enumerate(descriptors)]
    try:
        return os.posix_spawn(
            argv[0], [*argv], env, file_actions=actions, setsid=True, setsigmask=[], setsigdef=_DEFAULTS
        )
    except OSError as error:
        stage = "fork" if error.errno in _NO_ROOM else "exec"
        raise SpawnError(stage, error.errno or 0) from error
    finally:
        os.chdir("/")


def _fork_and_exec(
    argv: Sequence[str], cwd: str, env: Mapping[str, str], descriptors: Sequence[int], *, terminal: bool
) -> int:
    reader, writer = os.pipe()  # both close on exec: an end of file says that the exec worked
    try:
        pid = os.fork()
        if pid == 0:
            _become(argv, cwd, env, descriptors, writer, terminal=terminal)
    except OSError as error:
        os.close(reader)
        raise SpawnError("fork", error.errno or 0) from error
    finally:
        os.close(writer)
    failure = os.read(reader, _FAILURE.size)
    os.close(reader)
    if failure:
        os.waitpid(pid, 0)
        stage, number = _FAILURE.unpack(failure)
        raise SpawnError(_STAGES[stage], number)
    return pid


def _become(
    argv: Sequence[str],
    cwd: str,
    env: Mapping[str, str],
    descriptors: Sequence[int],
    report: int,
    *,
    terminal: bool,
) -> NoReturn:
    stage = b"t"
    try:
        os.setsid()
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
        if terminal:
            fcntl.ioctl(1, termios.TIOCSCTTY, 0)
        stage = b"d"
        os.chdir(cwd)
        stage = b"x"
        for name in _DEFAULTS:
            signal.signal(name, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        os.execvpe(argv[0], list(argv), env)  # noqa: S606 - no shell is wanted
    except OSError as error:
        os.write(report, _FAILURE.pack(stage, error.errno or 0))
    finally:
        os._exit(127)
