"""Agents that speak the Agent Client Protocol, by a client of ours that runs as a program of its own (driver acp).

To the runner that client is an agent like any other: the prompt on standard input, events on standard output. What is
asked of it stands in ralph_wiggum.acp. The agent's own program is the client's only child that is no command
(core.commands).
"""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ralph_wiggum.adapters.agents.launch import arguments, locate, missing, native, not_started, own_environment
from ralph_wiggum.adapters.agents.pipe import PipeAgent
from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.evidence import AgentOutcome
from ralph_wiggum.core.settings import AgentSettings
from ralph_wiggum.ports import AgentRequest, Watcher

if TYPE_CHECKING:
    from ralph_wiggum.adapters.process import Family

CLIENT = ("{python}", "-P", "{package}/acp/client.py")  # by its path and with -P, as the embedded shell agent


def require(where: str) -> None:
    """Raise RalphError unless the protocol's library is there, which comes with an extra."""
    found = importlib.util.find_spec("acp")
    folders = (found.submodule_search_locations or []) if found else []
    if not any(Path(folder, "connection.py").is_file() for folder in folders):
        raise RalphError(
            f"{where}.driver: acp needs the Python package agent-client-protocol",
            hint="install it with: pip install 'ralph-wiggum[acp]'",
        )


@dataclass(frozen=True, slots=True)
class AcpAgent:
    """Runs an agent behind the client, once for each attempt.

    `start_seconds` is the time for each of its answers until it has the prompt; opencode takes 2 s, a first start more.
    """

    settings: AgentSettings
    family: Family
    start_seconds: float = 60.0

    @property
    def name(self) -> str:
        """Return the name that a person chose it by."""
        return self.settings.name

    def run(self, request: AgentRequest, watcher: Watcher) -> AgentOutcome:
        """Run one attempt to its end (O11)."""
        env = own_environment(self.settings, os.environ)
        word = arguments(self.settings, request.substitutions)[0]
        program = locate(word, request.cwd, env.get("PATH"))
        if program is None and request.cwd.is_dir():
            words = (missing(word, request.cwd), self.settings.install_hint)
            return not_started(RalphError("; ".join(filter(None, words))))
        return PipeAgent(self._behind_client(program or word, request), self.family).run(request, watcher)

    def _behind_client(self, program: str, request: AgentRequest) -> AgentSettings:
        """Return settings of the client in the agent's place: a command that holds the agent's."""
        options = ("--permissions", self.settings.permissions, "--start-seconds", f"{self.start_seconds:g}")
        client = (*CLIENT, *options, *_kept(request))
        agent = ("--", native(self.settings, program), *self.settings.command[1:])
        return replace(
            self.settings,
            command=(*client, *agent),
            resume=(*client, "--session", "{session}", *agent),
            native=(),
            driver="pipe",
            dialect="acp",
        )


def _kept(request: AgentRequest) -> list[str]:
    """Return the options that name the files which only the runner writes."""
    tasks_file = request.substitutions.get("tasks_file")
    if not tasks_file:
        return []
    beside = str(Path(tasks_file).with_name("activity.md"))  # where it is unless the settings say otherwise
    files = (tasks_file, request.substitutions.get("activity_file", beside))
    return [word for file in files for word in ("--keep", file)]
