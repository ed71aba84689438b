"""What is watched while an agent runs: its commands (O21) and its silence (O22). Looked at by the one selector loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ralph_wiggum.adapters.keeper import Keeper
from ralph_wiggum.core.commands import Command, Key, Rules, commands
from ralph_wiggum.core.evidence import EndedCommand, Ending
from ralph_wiggum.core.program import Process
from ralph_wiggum.core.silence import Cpu, Silence, cpu_used

COMMAND_LOOK_SECONDS = 0.5
SERVER_LOOK_SECONDS = 5.0  # how long something that listened is taken for a server without looking again


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a program that runs must end."""

    ending: Ending
    error: str = ""


class CommandWatch:
    """End each command that runs longer than it may, with all below it; the agent lives on.

    `ended` holds what was ended. A command that is started again is a new one.
    """

    def __init__(self, keeper: Keeper, agent: int, rules: Rules, now: float) -> None:
        self._keeper = keeper
        self._agent = agent
        self._rules = rules
        self._next = 0.0
        self._shift = now - keeper.table.now()
        self._births: dict[Key, float] = {}
        self._remembered: dict[Key, float] = {}
        self._ending: set[Key] = set()
        self._servers: dict[Key, float] = {}
        self.ended: list[EndedCommand] = []

    def look(self, now: float) -> None:
        """Look at the family, at most every COMMAND_LOOK_SECONDS, and have ended what is over its limit.

        `now` is the loop's own time (OwnTime).
        """
        if now < self._next:
            return
        self._next = now + COMMAND_LOOK_SECONDS
        running = commands(self._processes(now), self._agent, now, self._rules, self._remembered)
        self._remembered = {command.key: command.matched for command in running if command.matched is not None}
        for command in running:
            if command.overdue and command.key not in self._ending and not self._serves(command, now):
                self._end(command)

    def _end(self, command: Command) -> None:
        self._ending.add(command.key)
        self._keeper.end_tree(command.key[0])
        self.ended.append(EndedCommand(command=command.line, seconds=command.seconds, limit=command.limit))

    def _serves(self, command: Command, now: float) -> bool:
        if self._servers.get(command.key, 0.0) > now:
            return True
        if not self._keeper.table.listening(command.members):
            return False
        self._servers[command.key] = now + SERVER_LOOK_SECONDS
        return True

    def _processes(self, now: float) -> list[Process]:
        """Return the living processes below the keeper, their start times on the runner's clock.

        A start is taken over to that clock when it is first seen: time that the machine is suspended later, or that
        the runner stands still, does not make a command older. What was started since the last look is taken over as
        it would have been then, so that such time between the two looks is taken out as well.
        """
        table = self._keeper.table
        seen = [process for process in table.below(self._keeper.pid).values() if not process.zombie]
        before, self._shift = self._shift, now - table.now()
        shift = max(before, self._shift)
        births = {(process.pid, process.started): min(now, process.started + shift) for process in seen}
        self._births = {key: self._births.get(key, birth) for key, birth in births.items()}
        found: list[Process] = []
        for process in seen:
            program = table.program(process.pid)
            found.append(
                Process(
                    pid=process.pid,
                    ppid=process.ppid,
                    started=self._births[process.pid, process.started],
                    exe=program.exe,
                    argv=program.argv,
                    cwd=program.cwd or "/",
                )
            )
        return found


class SilenceWatch:
    """Say when an agent has shown no sign of life for too long: nothing printed, no file changed, no CPU used.

    CPU and files are looked at only while it is silent, ten times within the limit or every 10 s.
    """

    def __init__(self, keeper: Keeper, limit: float, now: float, files_token: Callable[[], str] | None) -> None:
        self._keeper = keeper
        self._silence = Silence.begin(limit, now)
        self._files_token = files_token
        self._next = now + self._silence.between_looks
        self._looked: float | None = None
        self._cpu: Mapping[object, Cpu] = {}
        self._token: str | None = None

    @property
    def waited_for(self) -> tuple[str, ...]:
        """Return each reason that kept the agent alive."""
        return self._silence.waited_for

    def over(self, now: float, heard: float) -> bool:
        """Say whether the silence is too long at `now`; `heard` is when something was last printed."""
        if heard > self._silence.heard:
            self._silence = self._silence.output(heard)
            self._next = heard + self._silence.between_looks
            self._looked = None
        if now >= self._next:
            self._next = now + self._silence.between_looks
            self._look(now)
        return self._silence.over(now)

    def _look(self, now: float) -> None:
        cpu = self._sample()
        token = self._files_token() if self._files_token is not None else None
        if self._looked is not None:
            self._silence = self._silence.busy(now, cpu_used(self._cpu, cpu), now - self._looked)
            self._silence = self._silence.changed(now) if token != self._token else self._silence
        self._looked, self._cpu, self._token = now, cpu, token

    def _sample(self) -> Mapping[object, Cpu]:
        keeper = self._keeper.table.look(self._keeper.pid)
        family = list(self._keeper.table.below(self._keeper.pid).values())
        cpu: dict[object, Cpu] = {(seen.pid, seen.started): Cpu(seen.own_cpu, seen.ended_cpu) for seen in family}
        if keeper is not None:  # orphans are waited for by the keeper; its own work is no sign of the agent's life
            cpu[keeper.pid, keeper.started] = Cpu(0.0, keeper.ended_cpu)
        return cpu
