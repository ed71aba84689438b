"""All agents looked at together: what the preflight of a night learns of its own, of every one that is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ralph_wiggum.adapters.agents.launch import locate, own_environment
from ralph_wiggum.adapters.agents.preflight import LOGIN_SECONDS, credential, not_there
from ralph_wiggum.adapters.agents.questioning import Question, Questioning
from ralph_wiggum.adapters.keeper import Keeper
from ralph_wiggum.core.login import Readiness, Reply, readiness
from ralph_wiggum.core.settings import AgentSettings
from ralph_wiggum.ports import Clock


class _Key(NamedTuple):
    """Which question of which agent."""

    agent: str
    command: tuple[str, ...]


def survey(
    agents: Iterable[AgentSettings],
    keeper: Keeper,
    clock: Clock,
    folder: Path,
    environ: Mapping[str, str],
    *,
    login: bool = True,
    seconds: float = LOGIN_SECONDS,
) -> dict[str, Readiness]:
    """Return by their names what can be learnt of agents without spending; each of their commands has `seconds`.

    `login=False`: the commands for that are not asked. `environ` is the environment without what the agents' settings
    add. Never raises; what is not clear is that nobody can tell.
    """
    agents = tuple(agents)
    environs = {agent.name: own_environment(agent, environ) for agent in agents}
    absent = {agent.name: found for agent in agents if (found := not_there(agent, folder, environs[agent.name]))}
    there = [agent for agent in agents if agent.name not in absent]
    wanted = [_Key(agent.name, agent.version) for agent in there if agent.version]
    wanted += [_Key(agent.name, agent.login) for agent in there if agent.login and login]
    replies = _ask(wanted, environs, Questioning(keeper, clock, folder, seconds), folder)
    return absent | {
        agent.name: readiness(
            agent,
            login=replies.get(_Key(agent.name, agent.login)) if login else None,
            version=replies.get(_Key(agent.name, agent.version)),
            credential=credential(agent, environs[agent.name]),
        )
        for agent in there
    }


def _ask(
    wanted: Sequence[_Key], environs: Mapping[str, Mapping[str, str]], questioning: Questioning, folder: Path
) -> dict[_Key, Reply]:
    replies: dict[_Key, Reply] = {}
    questions: dict[_Key, Question] = {}
    for key in wanted:
        env = environs[key.agent]
        program = locate(key.command[0], folder, env.get("PATH"))
        if program is None:
            replies[key] = Reply(trouble=f"{key.command[0]} was not found")
        else:
            questions[key] = Question(argv=(program, *key.command[1:]), env=env)
    return replies | dict(zip(questions, questioning.ask([*questions.values()]), strict=True))
