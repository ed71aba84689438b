"""A look at an agent before it is asked to work: is its program there, is somebody logged in? Costs seconds at most."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from ralph_wiggum.adapters.agents.launch import arguments, locate, missing, own_environment
from ralph_wiggum.adapters.capped_log import Tail
from ralph_wiggum.adapters.capture import KIB, PipeSource, Stream
from ralph_wiggum.adapters.process import Ended, Family, Start
from ralph_wiggum.core import login
from ralph_wiggum.core.evidence import Ending
from ralph_wiggum.core.login import Login, Readiness
from ralph_wiggum.core.outside_text import plain
from ralph_wiggum.core.settings import AgentSettings, Limits
from ralph_wiggum.ports import Watcher

LOGIN_SECONDS = 10.0  # claude answers in 0.4 s; a first start of a program that unpacks itself takes some
_KEPT = 16 * KIB  # of the output
_SHOWN = 160  # characters


def look(
    agent: AgentSettings,
    family: Family,
    cwd: Path,
    env: Mapping[str, str],
    watcher: Watcher,
    *,
    seconds: float = LOGIN_SECONDS,
) -> Readiness:
    """Look for the agent's program and ask its login command, if it has one, with nothing to read.

    `env` is the environment of an attempt without what the agent's settings add (they are added here). The command
    has that many `seconds`, then its family is ended; nothing of it is alive when this returns. Whatever a program
    does, this never raises; what is not clear is that nobody can tell.
    """
    env = own_environment(agent, env)
    program = arguments(agent, {})[0]
    if locate(program, cwd, env.get("PATH")) is None:
        return Readiness(agent=agent.name, installed=False, words=missing(program, cwd), hint=agent.install_hint)
    if not agent.login:
        return Readiness(agent=agent.name, installed=True)
    asked = locate(agent.login[0], cwd, env.get("PATH"))
    if asked is None:
        return _unknown(agent, f"{agent.login[0]} was not found")
    answer = _Answer()
    ended = _ask((asked, *agent.login[1:]), family, cwd, env, answer, watcher, seconds)
    return _readiness(agent, ended, answer.text(), seconds)


def _readiness(agent: AgentSettings, ended: Ended, output: str, seconds: float) -> Readiness:
    match ended.ending:
        case Ending.EXITED:
            said = login.judge(ended.exit_code, output)
            why = f"it ended with exit code {ended.exit_code}"
        case Ending.TASK_TIMEOUT | Ending.NO_PROGRESS:
            said, why = login.judge(None, output), f"it did not end within {seconds:g} s"
        case _:
            said, why = Login.UNKNOWN, ended.error or f"it was ended: {ended.ending.value}"
    if said is Login.YES:
        return Readiness(agent=agent.name, installed=True, login=said)
    if said is Login.NO:
        words = f"{agent.name} is not logged in"
        return Readiness(agent=agent.name, installed=True, login=said, words=words, hint=_how(agent))
    words = plain(output, _SHOWN)
    return _unknown(agent, f"{why}: {words}" if words else why)


def _how(agent: AgentSettings) -> str:
    return f"run {agent.command[0]} once and log in; {shlex.join(agent.login)} tells whether that worked"


def _unknown(agent: AgentSettings, why: str) -> Readiness:
    words = f"nobody can tell whether {agent.name} is logged in: {shlex.join(agent.login)}: {why}"
    return Readiness(agent=agent.name, installed=True, words=words)


class _Answer:
    """Keeps the end of what a command prints, both streams in their order."""

    def __init__(self) -> None:
        self._end = Tail(_KEPT)

    def add(self, data: bytes, stream: Stream) -> None:  # noqa: ARG002 - both streams are one here
        self._end.add(data)

    def settle(self) -> None:
        """Show nothing."""

    def text(self) -> str:
        return self._end.text()


def _ask(
    argv: tuple[str, ...],
    family: Family,
    cwd: Path,
    env: Mapping[str, str],
    answer: _Answer,
    watcher: Watcher,
    seconds: float,
) -> Ended:
    with ExitStack() as opened:
        try:
            stdin = os.open(os.devnull, os.O_RDONLY)
            opened.callback(os.close, stdin)
            reading, writing = os.pipe()
            opened.callback(os.close, writing)
            opened.callback(os.close, reading)
            source = PipeSource(reading, answer)
        except OSError as error:
            return Ended(ending=Ending.NOT_STARTED, error=str(error))
        opened.pop_all()  # from here on they are the family's
    start = Start(argv=argv, cwd=cwd, env=env, stdin=stdin, stdout=writing, stderr=writing)
    limits = Limits(task_seconds=seconds, no_progress_seconds=seconds)
    return family.run(start, [source], limits, watcher, watch_commands=False)
