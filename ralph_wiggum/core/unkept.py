"""What a person set that an agent cannot keep: said in the evening, for a limit that does not hold is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ralph_wiggum.core.agent_choice import ON_DEMAND
from ralph_wiggum.core.agents import TELLS_COST, TELLS_TOKENS
from ralph_wiggum.core.settings import AgentSettings, Settings


def tells_cost(agent: AgentSettings) -> bool:
    """Say whether it is known what a run of the agent costs: it tells, or tells tokens and the person set prices."""
    return agent.dialect in TELLS_COST or (agent.prices is not None and agent.dialect in TELLS_TOKENS)


def unkept(settings: Settings, agents: Sequence[AgentSettings]) -> tuple[str, ...]:
    """Return words on each setting that does not hold for some of the agents of a run.

    The embedded agent is none of these: it asks no model.
    """
    return tuple(_unkept(settings, agents))


def _unkept(settings: Settings, agents: Sequence[AgentSettings]) -> Iterator[str]:
    def lacking(can: Callable[[AgentSettings], bool]) -> str:
        return " and ".join(agent.name for agent in agents if agent.name not in ON_DEMAND and not can(agent))

    if settings.max_task_cost and (names := lacking(tells_cost)):
        yield f"max_task_cost does not hold for {names}: nobody knows what a run costs; agents.NAME.prices may help"
    if settings.max_turns and (names := lacking(_tells_turns)):
        yield f"max_turns does not hold for {names}: its output does not tell when it uses a tool"
    goes_on = settings.retry_session != "fresh" or settings.context_mode != "fresh"
    if goes_on and (names := lacking(lambda agent: agent.resumes)):
        yield f"sessions do not go on with {names}, whatever retry_session and context_mode say: it cannot resume one"


def _tells_turns(agent: AgentSettings) -> bool:
    """Say whether its turns are bounded, by itself or by what is heard of it."""
    return bool(agent.turn_limit) or agent.dialect != "text"
