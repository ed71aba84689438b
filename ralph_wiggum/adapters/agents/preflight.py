"""A look at an agent before it is asked to work: its program, its version, its login. Costs seconds, spends nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from ralph_wiggum.adapters.agents.launch import arguments, locate, missing, own_environment
from ralph_wiggum.adapters.capped_log import Tail
from ralph_wiggum.adapters.capture import KIB, PipeSource, Stream
from ralph_wiggum.adapters.process import Ended, Family, Start
from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.evidence import Ending
from ralph_wiggum.core.login import Readiness, Reply, readiness
from ralph_wiggum.core.settings import AgentSettings, Limits
from ralph_wiggum.ports import Watcher

LOGIN_SECONDS = 10.0  # claude answers in 0.4 s; a first start of a program that unpacks itself takes some
_KEPT = 16 * KIB  # of the output


def look(
    agent: AgentSettings,
    family: Family,
    cwd: Path,
    env: Mapping[str, str],
    watcher: Watcher,
    *,
    seconds: float = LOGIN_SECONDS,
) -> Readiness:
    """Look for the agent's program and ask its commands for login and version, where it has them, with nothing to read.

    `env` is the environment of an attempt without what the agent's settings add (they are added here). Each command
    has that many `seconds`, then its family is ended; nothing of it is alive when this returns. Whatever a program
    does, this never raises; what is not clear is that nobody can tell.
    """
    env = own_environment(agent, env)
    if absent := not_there(agent, cwd, env):
        return absent

    def ask(command: tuple[str, ...]) -> Reply | None:
        if not command:
            return None
        asked = locate(command[0], cwd, env.get("PATH"))
        if asked is None:
            return Reply(trouble=f"{command[0]} was not found")
        answer = _Answer()
        ended = _ask((asked, *command[1:]), family, cwd, env, answer, watcher, seconds)
        return _reply(ended, answer.text(), seconds)

    version = ask(agent.version) if agent.minimum_version else None
    return readiness(agent, login=ask(agent.login), version=version, credential=credential(agent, env))


def not_there(agent: AgentSettings, cwd: Path, env: Mapping[str, str]) -> Readiness | None:
    """Return that the agent's program, or what ralph needs to speak with it, is not there, None where it is.

    `env` holds what the agent's settings add.
    """
    program = arguments(agent, {})[0]
    if locate(program, cwd, env.get("PATH")) is None:
        return Readiness(agent=agent.name, installed=False, words=missing(program, cwd), hint=agent.install_hint)
    if agent.driver != "acp":
        return None
    from ralph_wiggum.adapters.agents import acp  # noqa: PLC0415 - start-up: only for such an agent

    try:
        acp.require(f"agents.{agent.name}")
    except RalphError as error:
        return Readiness(agent=agent.name, installed=False, words=str(error), hint=error.hint)
    return None


def credential(agent: AgentSettings, env: Mapping[str, str]) -> str:
    """Return the first of the agent's credentials that is there, "" if none is; what it holds is not looked at."""
    return next((each for each in agent.credentials if has(each, env)), "")


def has(name: str, env: Mapping[str, str]) -> bool:
    """Say whether a credential is there: a variable that is set, or (with a slash) a file; `~` is the HOME of `env`."""
    if "/" not in name:
        return bool(env.get(name))
    home = env.get("HOME", "")
    path = home + name[1:] if home and name.startswith("~/") else os.path.expanduser(name)  # noqa: PTH111 - ~somebody
    return os.path.isfile(path)  # noqa: PTH113 - Path raises where it may not look


def _reply(ended: Ended, output: str, seconds: float) -> Reply:
    match ended.ending:
        case Ending.EXITED:
            return Reply(ended.exit_code, output)
        case Ending.TASK_TIMEOUT | Ending.NO_PROGRESS:
            return Reply(None, output, f"it did not end within {seconds:g} s")
        case _:
            return Reply(None, output, ended.error or f"it was ended: {ended.ending.value}")


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
