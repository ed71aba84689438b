"""What is said of a server: gates, words for the log, reasons. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ralph_wiggum.core.check_gate import STOPPED
from ralph_wiggum.core.evidence import Gate, GateStatus
from ralph_wiggum.core.fingerprint import normalise
from ralph_wiggum.core.servers.life import Life, Phase
from ralph_wiggum.core.servers.target import PORT, port_of
from ralph_wiggum.core.settings import ServerSettings

KIND = "server"

_REASON = 400  # characters
_NOT_EXECUTABLE, _NOT_FOUND = 126, 127  # exit codes of a shell (POSIX, 2.8.2)


@dataclass(frozen=True, slots=True)
class Holder:
    """Who listens on a port: `pid` 0 where it cannot be found out. `folder` is where it runs, "" if not known.

    `of_another_run`: it carries the mark of another run of ralph than those that were asked for.
    """

    pid: int = 0
    program: str = ""
    folder: str = ""
    of_another_run: bool = False

    @property
    def words(self) -> str:
        """Return it as part of a sentence."""
        if not self.pid:
            return "something else"
        return f"pid {self.pid} ({self.program})" if self.program else f"pid {self.pid}"


def gate(
    server: ServerSettings,
    life: Life,
    *,
    stopped: bool,
    command: str,
    where: str,
    note: str,
    seconds: float,
    tail: str,
) -> Gate:
    """Return the gate of a server that was waited for.

    `stopped`: somebody's wish to stop ended the wait. `where` is its URL or port, `note` goes behind the good news,
    `tail` is the end of its log.
    """
    if stopped:
        return _gate(server, GateStatus.NOT_RUN, command, STOPPED, seconds)
    if life.well:
        how = f" (started{' anew' if life.renewed else ''}, {seconds:.1f} s)" if life.tries else ""
        if not life.ours:
            how = f" ({'its command has ended, and what it started is left alone' if life.tries else 'adopted'}{note})"
        return _gate(server, GateStatus.PASSED, command, f"up {where}{how}", seconds)
    reason = life.reason or "is not up"
    return Gate(
        name=f"server {server.name}",
        kind=KIND,
        status=GateStatus.FAILED,
        command=command,
        reason=reason[:_REASON],
        excerpt=tail,
        seconds=seconds,
        failures=(f"server {server.name}: {normalise(reason)}"[:_REASON],),
        environment=life.held,  # no change of the code frees a port that somebody else holds (O37)
    )


def _gate(server: ServerSettings, status: GateStatus, command: str, reason: str, seconds: float) -> Gate:
    name = f"server {server.name}"
    return Gate(name=name, kind=KIND, status=status, command=command, reason=reason, seconds=seconds)


def place(url: str, port: int) -> str:
    """Return where a server is up, as part of a sentence.

    >>> place("http://localhost:5173", 5173), place("", 5432), place("", 0)
    ('at http://localhost:5173', 'on port 5432', 'by its log')
    """
    if url:
        return f"at {url}"
    return f"on port {port}" if port else "by its log"


def held(server: ServerSettings, holder: Holder, answer: str) -> str:
    """Return why a server was not started: somebody else has its port. `answer` is what that one does."""
    key = f"servers.{server.name}"
    advice = f"stop it, or put {PORT} into {key}.command"
    return f"port {port_of(server)} is held by {holder.words} that {answer}; {advice}"


def stranger(holder: Holder, root: str) -> str:
    """Say, as a clause, why somebody who has a port seems to belong to another project; "" where nothing tells so."""
    if not holder.pid:
        return ""
    if holder.of_another_run:
        return f"{holder.words} belongs to another run of ralph"
    folder = holder.folder
    if folder in {"", "/"} or folder == root or folder.startswith(f"{root}/"):  # services of the system run in /
        return ""
    return f"{holder.words} runs in {folder}, outside of this project"


def doubt(clause: str) -> str:
    """Return the warning behind "adopted" for what seems to be a stranger."""
    return f"; {clause}: is it the right one?" if clause else ""


def adopted(name: str, where: str, clause: str) -> str:
    """Return what the log is told of a stranger that was adopted, since there is no other port to go to."""
    return f"server {name} was there before, {where}, but {clause}: is it the right one?"


def passed_by(name: str, port: int, clause: str) -> str:
    """Return what the log is told of a stranger who has the wanted port."""
    return f"server {name}: port {port} is left to somebody else: {clause}"


def how_it_ended(code: int, seconds: float) -> str:
    """Return how a process ended, as a clause; `code` is negative for a signal, as `os.waitstatus_to_exitcode` has it.

    >>> how_it_ended(1, 0.42), how_it_ended(-9, 75)
    ('its process ended with exit code 1 after 0.4 s', 'its process was killed by signal 9 after 75.0 s')
    """
    after = f"after {seconds:.1f} s"
    if code == _NOT_FOUND:
        return f"its command was not found (exit code {code}, {after})"
    if code == _NOT_EXECUTABLE:
        return f"its command cannot be executed (exit code {code}, {after})"
    if code < 0:
        return f"its process was killed by signal {-code} {after}"
    return f"its process ended with exit code {code} {after}"


def hopeless(code: int) -> bool:
    """Say whether another start would end the same way."""
    return code in {_NOT_EXECUTABLE, _NOT_FOUND}


def news(name: str, before: Life, after: Life, now: float) -> str:
    """Return what the log is told of a change, "" where it is nothing new."""
    told = f"server {name}"
    if before.phase is after.phase:
        return ""
    if after.phase is Phase.ENDING:
        what = "it is given up until a task needs it" if after.then is Phase.FAILED else _again(after, now)
        return f"{told}: {after.reason}; {what}"
    if after.phase is Phase.DOWN and before.up:  # what is ours comes to be DOWN by ENDING
        return f"{told}, which was there before, {after.reason}; {_again(after, now)}"
    if after.phase is Phase.FAILED and before.phase is not Phase.ENDING:
        return f"{told}: {after.reason}"
    if after.phase is not Phase.UP or before.up or not after.deaths:
        return ""
    return f"{told} is up again{'' if after.ours else ': somebody else has started it'}"


def _again(life: Life, now: float) -> str:
    if life.again_at == float("inf"):
        return "it is started again when a task needs it"
    wait = life.again_at - now
    return f"started again in {wait:.0f} s" if wait >= 1 else "started again"
