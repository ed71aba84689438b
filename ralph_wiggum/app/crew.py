"""The agents of a run: which one is asked now, and how long the others are left alone (B1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ralph_wiggum.app.ledger import Ledger
from ralph_wiggum.app.order import Order, Ports
from ralph_wiggum.app.pauses import Pauses
from ralph_wiggum.core import sessions
from ralph_wiggum.core.evidence import AgentOutcome, Failed, Said, Unserved
from ralph_wiggum.core.login import Readiness
from ralph_wiggum.core.provider import roster
from ralph_wiggum.core.provider.cause import UNSERVED, Cause, Diagnosis, in_words
from ralph_wiggum.core.provider.classify import diagnose
from ralph_wiggum.core.provider.roster import Hold, Use, WaitUntil
from ralph_wiggum.core.provider.verdict import verdict
from ralph_wiggum.core.run_words import clock_words
from ralph_wiggum.ports import Agent

# What a person mends, so that the start of a run tries it anew; it costs nothing where it is not mended.
_MENDED = frozenset({Cause.NOT_LOGGED_IN, Cause.NO_CREDIT, Cause.UNKNOWN_MODEL, Cause.NOT_STARTED})


# What says nothing of whether the agent's provider serves it again.
_SAYS_NOTHING = frozenset({Cause.KILLED, Cause.CRASHED, Cause.NOT_STARTED, Cause.SESSION_LOST})


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
        self._tried = 0  # attempts at the task at hand
        self._agents = {agent.name: agent for agent in ports.agents}

    def choice(self, tried: int = 0) -> Use | WaitUntil:
        """Return the agent to ask now, or until when all of them are to be left alone.

        `tried`: how many attempts at the task did not do it; a stubborn one goes to the next agent of the list.
        """
        self._tried = tried
        agents = roster.escalated(tuple(self._agents), tried, self._order.escalate_after)
        return roster.choose(agents, self._holds, self._ports.clock.now())

    def agent(self, use: Use) -> Agent:
        """Return the agent that was chosen."""
        return self._agents[use.agent]

    def begin(self, readiness: Sequence[Readiness], *, anew: bool) -> None:
        """Take over what is known of the agents at the start of a run; say which cannot work now (B1).

        `anew`: the run before came to its end in good order, so that a person has started this one and may have done
        something about every limit. After a crash only what a person alone can mend is tried anew.
        """
        for agent, hold in self._holds.items():
            if agent in self._agents and (anew or hold.cause in _MENDED):
                self._ledger.record(roster.to_lifted(agent))
        held = {}
        for each in (each for each in readiness if each.ready and each.words):
            self._ports.view.note(each.words)  # nobody can tell whether somebody is logged in
        for each in (each for each in readiness if not each.ready):
            cause = Cause.NOT_LOGGED_IN if each.installed else Cause.NOT_STARTED
            words = each.words + (f" ({each.hint})" if each.hint else "")
            held[each.agent] = self._next_hold(each.agent, Diagnosis(cause=cause, words=words))
            self._ledger.record(roster.to_held(each.agent, held[each.agent]))
        for agent, hold in held.items():
            self._say(agent, hold)

    def reason(self, choice: WaitUntil) -> str:
        """Return why nobody can be asked now."""
        return _who(choice.agent, in_words(choice.cause, choice.reason))

    def wait(self, choice: WaitUntil, needless: Callable[[], bool] = lambda: False) -> None:
        """Wait until an agent may be asked again; where the network was gone, until it is back.

        `needless`: what is left to do meanwhile needs no agent. When the wait has lasted as long as it was to, the
        agent is asked, although the clock may have been set back in it.
        """
        if choice.cause is not Cause.OFFLINE:
            if self._pauses.wait(self.reason(choice), choice.until, needless) and not needless():
                self._lift(choice)
            return
        network = self._ports.network(choice.agent)
        try:
            over = self._pauses.wait(self.reason(choice), choice.until, lambda: network() or needless())
            if over and not needless():
                self._lift(choice)
        finally:
            network.close()

    def _lift(self, choice: WaitUntil) -> None:
        """Let the agent be asked before its time: the network is back, or the clock was set back."""
        now = self._ports.clock.now()
        if now < choice.until:
            held = self._ledger.history.held[choice.agent]
            self._ledger.record(held._replace(until=now.isoformat()))

    def diagnose(self, agent: str, outcome: AgentOutcome, said: Said, *, resumed: bool = False) -> Diagnosis:
        """Return what ended an attempt of an agent; `resumed`: it was to go on with a session."""
        provider = agent not in self._order.without_provider
        found = diagnose(outcome, said, self._ports.clock.now(), provider=provider)
        return sessions.lost(found, outcome) if resumed else found

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
        elif agent in self._holds and diagnosis.cause not in _SAYS_NOTHING:
            self._ledger.record(roster.to_lifted(agent))

    def hold(self, agent: str, hold: Hold) -> None:
        """Leave an agent alone; say who takes over. Where there is no other, the wait that follows says it all."""
        self._ledger.record(roster.to_held(agent, hold))
        if len(self._agents) > 1:
            self._say(agent, hold)

    def _say(self, agent: str, hold: Hold) -> None:
        words = _who(agent, in_words(hold.cause, hold.reason))
        words = f"{words}; left alone until {clock_words(hold.until, self._ports.clock.now())}"
        choice = self.choice(self._tried)
        words = f"{words}, {choice.agent} takes over" if isinstance(choice, Use) else words
        self._ledger.note(words)
        self._ports.view.note(words)

    def _next_hold(self, agent: str, diagnosis: Diagnosis) -> Hold:
        return roster.after(self._holds, agent, diagnosis, self._ports.clock.now(), self._jitter())

    @property
    def _holds(self) -> roster.Roster:
        return roster.from_journal(self._ledger.history.held, self._ports.clock.now())


def _who(agent: str, words: str) -> str:
    return words if words.startswith(agent) else f"{agent}: {words}"
