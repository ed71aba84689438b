"""The agents of a run: which one is asked now, and how long the others are left alone (B1)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from ralph_wiggum.app.ledger import Ledger
from ralph_wiggum.app.order import Order, Ports
from ralph_wiggum.app.pauses import Pauses
from ralph_wiggum.core.evidence import AgentOutcome, Failed, Said, Unserved
from ralph_wiggum.core.provider import roster
from ralph_wiggum.core.provider.cause import UNSERVED, Cause, Diagnosis
from ralph_wiggum.core.provider.classify import diagnose
from ralph_wiggum.core.provider.roster import Hold, Use, WaitUntil
from ralph_wiggum.core.provider.verdict import verdict
from ralph_wiggum.ports import Agent


class Crew:
    """Chooses among the agents of the order. What it knows of them stands in the journal, so that a restart knows it.

    `jitter` returns a number from 0 to 1: where many runs meet one overloaded provider, they come back apart.
    """

    def __init__(
        self, ports: Ports, ledger: Ledger, order: Order, pauses: Pauses, jitter: Callable[[], float] = lambda: 0.5
    ) -> None:
        self._ports = ports
        self._ledger = ledger
        self._order = order
        self._pauses = pauses
        self._jitter = jitter
        self._agents = {agent.name: agent for agent in ports.agents}

    @property
    def choice(self) -> Use | WaitUntil:
        """Return the agent to ask now, or until when all of them are to be left alone."""
        return roster.choose(tuple(self._agents), self._holds, self._ports.clock.now())

    def agent(self, use: Use) -> Agent:
        """Return the agent that was chosen."""
        return self._agents[use.agent]

    def wait(self, choice: WaitUntil) -> None:
        """Wait until an agent may be asked again; where the network was gone, until it is back."""
        reason = f"{choice.agent}: {choice.reason}"
        if choice.cause is not Cause.OFFLINE:
            self._pauses.wait(reason, choice.until)
            return
        network = self._ports.network(choice.agent)
        try:
            if self._pauses.wait(reason, choice.until, network):
                self._lift(choice)
        finally:
            network.close()

    def _lift(self, choice: WaitUntil) -> None:
        """Let the agent be asked before its time: the network is back."""
        now = self._ports.clock.now()
        if now < choice.until:
            held = self._ledger.history.held[choice.agent]
            self._ledger.record(held._replace(until=now.isoformat()))

    def diagnose(self, agent: str, outcome: AgentOutcome, said: Said) -> Diagnosis:
        """Return what ended an attempt of an agent."""
        provider = agent not in self._order.without_provider
        return diagnose(outcome, said, self._ports.clock.now(), provider=provider)

    def verdict(self, agent: str, diagnosis: Diagnosis) -> Failed | Unserved | None:
        """Return the verdict on an attempt that the agent or its provider decides; None: the work decides."""
        hold = self._next_hold(agent, diagnosis) if diagnosis.cause in UNSERVED else None
        counts = hold is not None and roster.counts(hold)
        return verdict(diagnosis, counts=counts, alone=len(self._agents) == 1)

    def heard(self, agent: str, diagnosis: Diagnosis) -> None:
        """Take notice of how an agent's attempt ended: it is left alone for a while, or has served again."""
        alone = len(self._agents) == 1
        if diagnosis.cause in UNSERVED and not (diagnosis.cause is Cause.NOT_STARTED and alone):
            self.hold(agent, self._next_hold(agent, diagnosis))
        elif agent in self._holds and diagnosis.cause not in (Cause.KILLED, Cause.CRASHED, Cause.NOT_STARTED):
            self._ledger.record(roster.to_lifted(agent))

    def hold(self, agent: str, hold: Hold) -> None:
        """Leave an agent alone; say which one takes over, if there is one."""
        self._ledger.record(roster.to_held(agent, hold))
        words = f"{agent}: {hold.reason}; left alone until {_clock(hold.until, self._ports.clock.now())}"
        choice = self.choice
        words = f"{words}, {choice.agent} takes over" if isinstance(choice, Use) else words
        self._ledger.note(words)
        self._ports.view.note(words)

    def _next_hold(self, agent: str, diagnosis: Diagnosis) -> Hold:
        return roster.after(self._holds, agent, diagnosis, self._ports.clock.now(), self._jitter())

    @property
    def _holds(self) -> roster.Roster:
        return roster.from_journal(self._ledger.history.held, self._ports.clock.now())


def _clock(until: datetime, now: datetime) -> str:
    """Return a time of day, with its date where it is another day."""
    here = until.astimezone(now.tzinfo)
    return f"{here:%H:%M}" if here.date() == now.date() else f"{here:%Y-%m-%d %H:%M}"
