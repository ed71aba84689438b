"""The person's own agents, as far as they can be looked at without spending anything: there, and logged in (B1, B8)."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path

from ralph_wiggum.adapters.agents.launch import arguments, locate, missing, own_environment
from ralph_wiggum.adapters.agents.preflight import credential
from ralph_wiggum.adapters.drill.lane import Lane, said
from ralph_wiggum.core.drill.verdict import Result, Verdict
from ralph_wiggum.core.login import Login, Reply, readiness
from ralph_wiggum.core.settings import AgentSettings
from ralph_wiggum.ports import Clock

LOGIN_SECONDS = 10.0


def look_at_agents(
    agents: Sequence[AgentSettings], lane: Lane, root: Path, folder: Path, clock: Clock
) -> Generator[None, None, Verdict]:
    """Return the verdict on the agents of the settings: good where one of them can be asked.

    Each one's login command (which spends nothing) has ten seconds. Programs are looked up from `root`; the command
    runs in `folder`, which also takes what it prints.
    """
    words: list[str] = []
    ready = False
    for place, agent in enumerate(agents):
        can, told = yield from _look(agent, lane, root, folder / f"login-{place}.log", clock)
        ready = ready or can
        words.append(told)
    return Verdict(result=Result.SURVIVED if ready else Result.FAILED, words="; ".join(words))


def _look(
    agent: AgentSettings, lane: Lane, root: Path, screen: Path, clock: Clock
) -> Generator[None, None, tuple[bool, str]]:
    """Return whether an agent can be asked, and words."""
    env = own_environment(agent, lane.env)
    program = arguments(agent, {})[0]
    if locate(program, root, env.get("PATH")) is None:
        return False, f"{agent.name}: {missing(program, root)}"
    asked = locate(agent.login[0], root, env.get("PATH")) if agent.login else None
    if asked is None:
        return True, f"{agent.name} is installed; whether somebody is logged in, nothing here can tell"
    pid = lane.launch((asked, *agent.login[1:]), screen.parent, screen, env)
    end = clock.monotonic() + LOGIN_SECONDS
    while (code := lane.code(pid)) is None and clock.monotonic() < end:
        yield
    yield from lane.clear()
    answer = Reply(code, said(screen))
    standing = readiness(agent, login=answer, version=None, credential=credential(agent, env)).login
    if standing is Login.UNKNOWN:
        return True, f"{agent.name} is installed; whether somebody is logged in, it does not tell"
    return standing is Login.YES, f"{agent.name} is installed and {standing.value}"
