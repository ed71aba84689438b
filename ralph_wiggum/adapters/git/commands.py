"""The one door to git: how a git process is started, bounded, and its failure told."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ralph_wiggum.adapters.git.locks import LockWait
from ralph_wiggum.core.errors import RalphError

TIMEOUT_SECONDS = 120.0

# What a caller's environment may hold of another repository (git rev-parse --local-env-vars).
_FOREIGN = (
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"),
    *("GIT_COMMON_DIR", "GIT_PREFIX", "GIT_NAMESPACE", "GIT_INTERNAL_SUPER_PREFIX", "GIT_LITERAL_PATHSPECS"),
    *("GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS", "GIT_EXTERNAL_DIFF", "GIT_TRACE"),
)
_QUIET = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_EDITOR": "true",
    "GIT_SEQUENCE_EDITOR": "true",
    "GIT_PAGER": "cat",
}
# No daemon, no clean-up in the background, no question about line ends, no split index (a copy could not stand alone).
_CONFIG = (
    *("-c", "core.fsmonitor=false", "-c", "gc.auto=0", "-c", "maintenance.auto=false"),
    *("-c", "core.safecrlf=false", "-c", "core.splitIndex=false", "-c", "i18n.commitEncoding=UTF-8"),
)
# What the system says (strerror(3)) where it is the machine that fails; LC_ALL=C holds.
_MACHINE = (
    *("No space left on device", "Disk quota exceeded", "Input/output error", "Read-only file system"),
    *("Cannot allocate memory", "Resource temporarily unavailable", "Too many open files"),
)
_NO_HOOKS = ("-c", "core.hooksPath=/dev/null")


class NoAnswerError(RalphError):
    """git could not work, because of the machine: nothing follows for the repository."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a git process printed, and its exit code."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """Return the output as one stripped text."""
        return os.fsdecode(self.out).strip()

    @property
    def items(self) -> list[str]:
        """Return the NUL-terminated items of the output."""
        return [os.fsdecode(item) for item in self.out.split(b"\0") if item]


def nul_joined(items: Iterable[str]) -> bytes:
    """Return paths or index lines as git's `-z --stdin` reads them."""
    return b"".join(os.fsencode(item) + b"\0" for item in items)


class Git:
    """git in one work tree. `env` is the whole environment to start from; `git_dir` None lets git look for itself."""

    def __init__(
        self,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        git_dir: Path | None = None,
        hook_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self.cwd = cwd
        self.hook_seconds = hook_seconds
        self.git_dir = git_dir
        self.notes: list[str] = []
        self._plain = {key: value for key, value in (os.environ if env is None else env).items() if key not in _FOREIGN}
        self._plain |= _QUIET
        self._program = shutil.which("git", path=self._plain.get("PATH")) or "git"  # spares a search at each start
        self._env = self._plain | {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
        if git_dir is not None:
            self._env |= {"GIT_DIR": str(git_dir), "GIT_WORK_TREE": str(cwd)}

    @property
    def env(self) -> Mapping[str, str]:
        """Return the environment without what points at a repository: for a second `Git`."""
        return self._plain

    def run(
        self,
        *args: str,
        stdin: bytes | Iterable[str] = b"",
        index: Path | None = None,
        env: Mapping[str, str] | None = None,
        check: bool = True,
        hooks: bool = False,
        seconds: float = TIMEOUT_SECONDS,
    ) -> Result:
        """Run one git command, without hooks unless asked; items given as `stdin` are NUL-terminated.

        A lock left by a dead git is removed, a live one waited for. Raises RalphError with git's own words when the
        command fails and `check` holds, and, whatever `check` says, where the machine failed it (a full disk): that is
        no answer. Also when git is missing, cannot be started or takes longer than 120 s.
        """
        data = stdin if isinstance(stdin, bytes) else nul_joined(stdin)
        full = self._env | dict(env or {}) | ({"GIT_INDEX_FILE": str(index)} if index else {})
        argv = [self._program, *_CONFIG, *(() if hooks else _NO_HOOKS), *args]
        locks: LockWait | None = None
        while True:
            result = _finish(_popen(argv, self.cwd, full, subprocess.PIPE), data, seconds)
            if result.code == 0 or ".lock'" not in result.err:
                break
            locks = locks or LockWait(self.cwd)
            if not locks.passed(result.err):
                break
        if locks is not None:
            self.notes += locks.notes
        if result.code != 0 and (check or _no_answer(result.err)):
            raise git_error(args, result)
        return result

    def beside(self, *args: str, index: Path) -> Callable[[], Result]:
        """Start a command that only reads, to run while other work is done; the answer waits for its end.

        The answer has to be called, does not look at the exit code, and raises RalphError after 120 s.
        """
        argv = [self._program, *_CONFIG, *_NO_HOOKS, *args]
        process = _popen(argv, self.cwd, self._env | {"GIT_INDEX_FILE": str(index)}, subprocess.PIPE)
        return lambda: _finish(process, b"", TIMEOUT_SECONDS)

    def run_with_hooks(self, *args: str, stdin: bytes, index: Path, env: Mapping[str, str], output: Path) -> Result:
        """Run a git command as a person would, hooks and all, bounded by `hook_seconds`.

        Both streams go to the file `output` and not to a pipe: what a hook leaves running may hold its output open.
        """
        full = self._plain | dict(env) | {"GIT_INDEX_FILE": str(index)}
        with output.open("w+b") as sink:
            process = _popen([self._program, *_CONFIG, *args], self.cwd, full, sink.fileno())
            code = _feed(process, stdin, self.hook_seconds)
            _end_group(process.pid)  # what the hook started in the background
            sink.seek(0)
            said = sink.read(65536).decode("utf-8", "replace")
        if code is None:
            return Result(code=124, out=b"", err=said + f"\n(ended after {self.hook_seconds:.0f} s)")
        return Result(code=code, out=b"", err=said)

    def taken_notes(self) -> tuple[str, ...]:
        """Return the notes since the last call, each once, and forget them."""
        notes, self.notes = tuple(dict.fromkeys(self.notes)), []
        return notes


def git_error(args: Iterable[str], result: Result) -> RalphError:
    """Return the error for a failed command, in git's own words."""
    verb = next((arg for arg in args if not arg.startswith("-")), "")
    said = [line for line in result.err.strip().splitlines() if not line.startswith("hint:")]
    said = [line for line in said if line.startswith("fatal:")] or said[-3:]  # all of `fatal:`, else the last words
    kind = NoAnswerError if _no_answer(result.err) else RalphError
    return kind(f"git {verb} failed: {' '.join(said) or f'exit code {result.code}'}", hint=_hint(result.err))


def _no_answer(said: str) -> bool:
    """Say whether git broke off because of the machine: its exit code then says nothing about the question."""
    return any(words in said for words in _MACHINE)


def _hint(said: str) -> str:
    if "dubious ownership" in said:
        return "git config --global --add safe.directory with that folder, if you trust it"
    if "No space left" in said:
        return "free some disk space and start again"
    return "run git status there and mend what it says, then start again"


class _Process(subprocess.Popen[bytes]):
    """A process whose end is noticed at once where the wait for it has a limit (`communicate` waits so, too)."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait; Popen alone looks in steps of 0.5 to 50 ms, which costs every git process more than a millisecond."""
        if timeout is not None and self.returncode is None and hasattr(os, "pidfd_open"):  # Linux
            _until_end(self.pid, timeout)
        return super().wait(timeout)


def _until_end(pid: int, seconds: float) -> None:
    """Return when a child of ours has ended, or `seconds` are over."""
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:  # an old kernel, a sandbox: the steps have to do
        return
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.poll(1000 * max(0.0, seconds))
    finally:
        os.close(descriptor)


def _finish(process: subprocess.Popen[bytes], stdin: bytes, seconds: float) -> Result:
    try:
        out, err = process.communicate(stdin or None, timeout=seconds)
    except subprocess.TimeoutExpired as late:
        _end_group(process.pid)
        process.communicate()
        message = f"git took longer than {seconds:.0f} s: git {' '.join(late.cmd[-4:])}"
        raise RalphError(message, hint="is the disk, or a network file system, very slow?") from None
    return Result(code=process.returncode, out=out, err=err.decode("utf-8", "replace"))


def _popen(argv: list[str], cwd: Path, env: Mapping[str, str], sink: int) -> subprocess.Popen[bytes]:
    """Start git in a session of its own: Ctrl-C at the terminal must not leave its locks behind."""
    error = subprocess.PIPE if sink == subprocess.PIPE else subprocess.STDOUT
    try:
        return _Process(
            argv, cwd=cwd, env=env, stdin=subprocess.PIPE, stdout=sink, stderr=error, start_new_session=True
        )
    except FileNotFoundError as problem:
        if not cwd.is_dir():
            raise RalphError(f"the folder {cwd} is gone", hint="put it back, then start again") from problem
        raise RalphError("git is not installed, or not on the PATH", hint="install git (2.25 or later)") from problem
    except OSError as problem:
        hint = "too many processes, or a git that may not be run?"
        raise NoAnswerError(f"git cannot be started: {problem.strerror}", hint=hint) from problem


def _feed(process: subprocess.Popen[bytes], stdin: bytes, seconds: float) -> int | None:
    """Write stdin, wait for the process itself and not for its output; None if it had to be ended."""
    deadline = time.monotonic() + seconds
    with suppress(BrokenPipeError):
        assert process.stdin is not None  # noqa: S101 - it was asked for as a pipe
        process.stdin.write(stdin)
        process.stdin.close()
    try:
        return process.wait(timeout=max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        _end_group(process.pid)
        process.wait()
        return None


def _end_group(leader: int) -> None:
    """End what is left of the session that we started for one command; its leader is our own child."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
