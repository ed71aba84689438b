"""`ralph-overnight SPEC --detach`: a run without a terminal; the command returns once the run is under way.

The run is a grandchild of the command, in a session of its own that it does not lead: no signal of the shell's reaches
it, it can never come by a terminal, and nobody is left with a zombie. It tells of its beginning through a pipe.
"""

from __future__ import annotations

import gc
import json
import os
import select
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from shlex import quote
from typing import Any, NoReturn

from ralph_wiggum.adapters.keeper_loop import close_others
from ralph_wiggum.adapters.project import Project, make_state, state_hint
from ralph_wiggum.adapters.run_id import new_run_id
from ralph_wiggum.adapters.screen import screen_log
from ralph_wiggum.cli import common
from ralph_wiggum.core.errors import Exit, RalphError

PATIENCE_SECONDS = 10.0  # for the evening; a baseline of checks may take minutes
MOMENT_SECONDS = 0.5  # a run that has nothing to do ends within it
SHOWN_BYTES = 64 * 1024  # of the screen of a run that ended at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """What a run without a terminal is given: its id, and whom to call when its evening is over."""

    run_id: str
    going: Callable[[], None]


def begin(project: Project, spec: str, start: Callable[[Background], int]) -> int:
    """Have `start` run in the background; return when it is going, was refused, or has ended already.

    Returns 0 for a run that goes on, else its exit code. `spec` is the word that the person named the spec by.
    RalphError is that of the run, where it was refused.
    """
    run_id = new_run_id(datetime.now().astimezone())
    path = screen_log(project.state, run_id)
    log = _open_log(path)
    reader, writer = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        _become(log, writer, lambda wire: _live(wire, path, run_id, start))
    os.close(log)
    os.close(writer)
    try:
        os.waitpid(child, 0)  # it ends as soon as its own child is there
        return _follow(_Beginning(project, spec, path), _news(reader))
    finally:
        os.close(reader)


class _Wire:
    """The run's end of the pipe; once nobody listens any more, nothing is told."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def tell(self, word: str, **more: object) -> None:
        """Tell of one step."""
        with suppress(OSError):
            os.write(self._descriptor, (json.dumps({"is": word, **more}) + "\n").encode())


def _open_log(path: Path) -> int:
    try:
        make_state(path.parent)
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise RalphError(f"cannot write {path}: {error.strerror}", hint=state_hint(error)) from error


def _become(log: int, writer: int, live: Callable[[_Wire], int]) -> NoReturn:
    """Become the run: a new session, led by nobody; the log in the place of the terminal; nothing else open."""
    code = int(Exit.BUG)
    try:
        gc.freeze()  # what the command left unfinished must not close descriptors of ours that bear its old numbers
        os.setsid()
        if os.fork():
            os._exit(0)
        null = os.open(os.devnull, os.O_RDONLY)
        for ours, number in ((null, 0), (log, 1), (log, 2)):
            os.dup2(ours, number)
        close_others(writer)
        code = live(_Wire(writer))
        sys.stdout.flush()
    finally:
        os._exit(code)


def _live(wire: _Wire, log: Path, run_id: str, start: Callable[[Background], int]) -> int:
    """Run to the end; errors are told to the command and stand in the log."""
    wire.tell("begun", pid=os.getpid())
    going = False

    def is_going() -> None:
        nonlocal going
        going = True
        wire.tell("going")

    def refuse(message: str, hint: str, code: Exit) -> None:
        if not going:
            _forget(log)
            wire.tell("refused", message=message, hint=hint, code=int(code))

    def command() -> int:
        try:
            return start(Background(run_id=run_id, going=is_going))
        except RalphError as error:
            refuse(str(error), error.hint, error.code)
            raise
        except OSError as error:
            if error.errno in common.TROUBLE:  # on a full disk the log takes no word of it
                refuse(str(error), common.TROUBLE_HINT, Exit.BAD_INPUT)
            raise

    code = common.run_command(command)
    wire.tell("ended", code=code)
    return code


def _forget(log: Path) -> None:
    """Leave nothing of a run that never began."""
    with suppress(OSError):
        if not log.stat().st_size:
            log.unlink()
            log.parent.rmdir()


def _news(reader: int) -> Iterator[Mapping[str, Any] | None]:
    """Yield what the run tells, None where it told nothing for a moment; ends when it ended."""
    kept = b""
    while True:
        if not select.select([reader], [], [], MOMENT_SECONDS / 4)[0]:
            yield None
            continue
        data = os.read(reader, 65536)
        if not data:
            return
        *lines, kept = (kept + data).split(b"\n")
        yield from map(json.loads, lines)


class _Beginning:
    """What the command knows of the run that it started, and says of it."""

    def __init__(self, project: Project, spec: str, log: Path) -> None:
        self.pid = 0
        self._project = project
        self._spec = spec
        self._log = log

    def goes_on(self, how: str) -> int:
        """Say that the run goes on in the background, how to look at it and how to end it."""
        print(f"the run of {self._project.spec} {how} (pid {self.pid})")
        print(f"  look:   ralph attach {quote(self._spec)}")
        print(f"  stop:   ralph stop {quote(self._spec)}")
        print(f"  screen: {str(self._log).removeprefix(f'{self._project.root}/')}")
        return int(Exit.DONE)

    def ended(self, code: int) -> int:
        """Show what a run printed that has ended already, where it would have printed it."""
        stream = sys.stderr if code in (Exit.BUG, Exit.BAD_INPUT) else sys.stdout
        with suppress(OSError):
            stream.write(self._log.read_bytes()[-SHOWN_BYTES:].decode("utf-8", "replace"))
        return code


def _follow(run: _Beginning, news: Iterator[Mapping[str, Any] | None]) -> int:
    """Wait until the run is going, has ended or takes its time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    going = False
    try:
        for told in news:
            match told:
                case {"is": "begun", "pid": pid}:
                    run.pid = pid
                case {"is": "going"}:
                    going, deadline = True, time.monotonic() + MOMENT_SECONDS
                case {"is": "refused", "message": message, "hint": hint, "code": code}:
                    raise RalphError(message, hint=hint, code=Exit(code))
                case {"is": "ended", "code": code}:
                    return run.ended(code)
            if time.monotonic() >= deadline:
                if going:
                    return run.goes_on("goes on in the background")
                return run.goes_on("is still preparing in the background: set-up, servers, the baseline of the checks")
    except KeyboardInterrupt:
        run.goes_on("goes on in the background")
        raise
    run.ended(0)
    raise RalphError(f"the run (pid {run.pid}) was killed before it began", hint="start it again", code=Exit.OPEN_TASKS)
