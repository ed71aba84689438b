"""Which agents a run asks that names none, and in which order they are shown (O11)."""

from __future__ import annotations

from collections.abc import Collection

from ralph_wiggum.core.agents import ORDER
from ralph_wiggum.core.settings import AgentSettings, Settings

ON_DEMAND = ("shell",)  # no run takes it that does not name it


def asked_for(settings: Settings, installed: Collection[str]) -> tuple[str, ...]:
    """Return the agents that a night asks that names none, in their order: those of the setting, else the first there.

    Empty where no agent was chosen and none is installed.
    """
    if settings.agent:
        return settings.agent
    return tuple(name for name in ORDER if name in settings.agents and name in installed)[:1]


def in_order(settings: Settings) -> list[AgentSettings]:
    """Return all agents: those of the setting, those that a night looks for, a person's own, the embedded one."""
    own = [name for name in settings.agents if name not in ON_DEMAND]
    names = dict.fromkeys((*settings.agent, *ORDER, *own, *settings.agents))
    return [settings.agents[name] for name in names if name in settings.agents]
