"""From an agent's settings to something that can be run, and whether its program is there at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ralph_wiggum.adapters.agents.launch import arguments, locate
from ralph_wiggum.adapters.agents.pipe import PipeAgent
from ralph_wiggum.core.agents import BUILT_IN, NOT_BUILT_YET, ORDER
from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.settings import AgentSettings
from ralph_wiggum.ports import Agent

if TYPE_CHECKING:
    from ralph_wiggum.adapters.process import Family

__all__ = ["BUILT_IN", "NOT_BUILT_YET", "ORDER", "available", "build"]

PROMPTS = {"pipe": ("stdin", "file"), "pty": ("stdin", "file", "tty")}


def available(agent: AgentSettings, path: str | None = None) -> bool:
    """Say whether the agent's program can be found in `path` (as in PATH; None: the runner's own)."""
    search = os.environ.get("PATH") if path is None else path
    return locate(arguments(agent, {})[0], Path.cwd(), search) is not None


def build(settings: AgentSettings, family: Family) -> Agent:
    """Return the agent for its driver. RalphError for a driver, a way of the prompt or answers that cannot be."""
    _check(settings)
    if settings.driver == "pipe":
        return PipeAgent(settings, family)
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
    if settings.dialect != "text":
        raise RalphError(f"{where}.dialect: {settings.dialect!r} is not built yet", hint="use text")
