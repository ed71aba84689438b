"""From an agent's settings to something that can be run, and whether its program is there at all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ralph_wiggum.adapters.agents.launch import arguments, locate
from ralph_wiggum.adapters.agents.pipe import PipeAgent
from ralph_wiggum.core.agent_choice import asked_for
from ralph_wiggum.core.agents import BUILT_IN, DIALECTS, ORDER, TELLS_COST, TELLS_TOKENS
from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.settings import AgentSettings, Settings
from ralph_wiggum.core.unkept import tells_cost
from ralph_wiggum.ports import Agent

if TYPE_CHECKING:
    from ralph_wiggum.adapters.process import Family

__all__ = ["BUILT_IN", "ORDER", "available", "build"]

PROMPTS = {"pipe": ("stdin", "file"), "pty": ("stdin", "file", "tty"), "acp": ("stdin",)}


def available(agent: AgentSettings, path: str | None = None, folder: Path | None = None) -> bool:
    """Say whether the agent's program can be found in `path` (as in PATH; None: the runner's own).

    One with a slash is looked up from `folder`, None: the current one.
    """
    search = os.environ.get("PATH") if path is None else path
    return locate(arguments(agent, {})[0], folder or Path.cwd(), search) is not None


def build(settings: AgentSettings, family: Family) -> Agent:
    """Return the agent for its driver. RalphError for a driver, a way of the prompt or answers that cannot be."""
    _check(settings)
    if settings.driver == "pipe":
        return PipeAgent(settings, family)
    if settings.driver == "acp":
        from ralph_wiggum.adapters.agents import acp  # noqa: PLC0415 - start-up: only where such an agent is chosen

        acp.require(f"agents.{settings.name}")  # before the night, and not in the first attempt
        return acp.AcpAgent(settings, family)
    from ralph_wiggum.adapters.agents import pty, questions  # noqa: PLC0415 - start-up: pexpect only where needed

    questions.table(settings)  # a bad pattern is told now, not in the first attempt
    return pty.PtyAgent(settings, family)


def _check(settings: AgentSettings) -> None:
    where = f"agents.{settings.name}"
    if not settings.command:
        raise RalphError(f"{where}.command is empty", hint="give the program and its arguments as a list")
    if settings.driver not in PROMPTS:
        raise RalphError(f"{where}.driver: there is no {settings.driver!r}", hint=f"choose from {', '.join(PROMPTS)}")
    if settings.prompt not in PROMPTS[settings.driver]:
        raise RalphError(
            f"{where}.prompt: {settings.prompt!r} cannot be with driver {settings.driver}",
            hint=f"choose from {', '.join(PROMPTS[settings.driver])}",
        )
    if settings.dialect not in DIALECTS:
        hint = f"choose from {', '.join(DIALECTS)}"
        raise RalphError(f"{where}.dialect: there is no {settings.dialect!r}", hint=hint)
    if (settings.dialect == "acp") != (settings.driver == "acp"):
        raise RalphError(
            f"{where}.dialect: {settings.dialect} cannot be with driver {settings.driver}",
            hint="driver: acp speaks dialect: acp alone",
        )
    if settings.dialect != "text" and settings.driver == "pty":
        raise RalphError(
            f"{where}.dialect: {settings.dialect} cannot be with driver {settings.driver}",
            hint="choose driver: pipe, or dialect: text",
        )


def choose_agents(settings: Settings, path: str | None, folder: Path | None = None) -> tuple[AgentSettings, ...]:
    """Return the agents that the settings name, in their order, else the first installed one.

    RalphError with what to do where none of them is there. What of a list is missing is looked at again by the
    preflight. `folder` is as in `available`.
    """
    installed = {name for name, agent in settings.agents.items() if available(agent, path, folder)}
    chosen = tuple(settings.agents[name] for name in asked_for(settings, installed))
    if settings.agent and not installed.intersection(settings.agent):
        missing = (f"agent {each.name!r}: {_program(each)} is not there" for each in chosen)
        raise RalphError("; ".join(missing), hint="; ".join(filter(None, (each.install_hint for each in chosen))))
    if chosen:
        return chosen
    raise RalphError(
        f"no agent is installed (looked for {', '.join(ORDER)})",
        hint="install one, or name any program under agents: in .kiro/settings/ralph.yaml, "
        "or try --agent shell, which runs the code blocks of the tasks themselves",
    )


def _program(agent: AgentSettings) -> str:
    return agent.command[0] if agent.command else agent.name


def refuse_cost_limit(agents: Sequence[AgentSettings]) -> None:
    """Raise RalphError where one of the agents does not tell what it costs, so that --max-cost could not hold."""
    silent = [agent for agent in agents if not tells_cost(agent)]
    if silent:
        names = " and ".join(agent.name for agent in silent)
        tell = "does" if len(silent) == 1 else "do"
        raise RalphError(
            f"--max-cost: {names} {tell} not tell what a run costs (dialect {silent[0].dialect})",
            hint=f"leave --max-cost out, bound the night with --until or MAX, use an agent with "
            f"dialect {' or '.join(sorted(TELLS_COST))}, or set agents.NAME.prices for one with "
            f"{' or '.join(sorted(TELLS_TOKENS - TELLS_COST))}",
        )
