"""What the application needs of the outside world. Adapters satisfy these; tests hand in scripted fakes.

Nothing here is a base class: whatever has the methods will do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from ralph_wiggum.core.evidence import AgentOutcome, Change, Gate
from ralph_wiggum.core.model import Plan
from ralph_wiggum.core.servers.standing import Standing

# Both are made of settings, in core, and handed to the ports: adapters find them here.
from ralph_wiggum.core.settings import CheckPlan as CheckPlan  # noqa: PLC0414 - exported again
from ralph_wiggum.core.settings import Limits as Limits  # noqa: PLC0414 - exported again
from ralph_wiggum.core.visual.page import Request
from ralph_wiggum.core.visual.reply import Reply


class Clock(Protocol):
    """Time as a collaborator: deadlines use `monotonic`, stamps use `now`."""

    def now(self) -> datetime:
        """Return the time of day, aware of its zone."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        ...

    def pause(self, seconds: float, wake: Callable[[], bool]) -> None:
        """Sleep up to `seconds`, returning early soon after `wake()` becomes true."""
        ...


class Watcher(Protocol):
    """Who is told what a child process does, and who may ask for its end. Called from the one selector loop."""

    def output(self, text: str) -> None:
        """Take a piece of cleaned output (no terminal sequences); may be cut where output floods."""
        ...

    def tick(self) -> None:
        """Be called at least four times a second while a process runs: draw, look at the journal."""
        ...

    def stop_reason(self) -> str | None:
        """Return why the running process must end now (a person asked), or None."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRequest:
    """One attempt, as an agent adapter needs it. `env` is added to the runner's own environment.

    `prompt_file` is where the prompt is kept (the adapter writes it), `log` where the output goes. `files_token`
    returns a text that changes when any file of the work tree does; it is asked only when an agent is silent.
    `session` is the id of the agent's session to go on with, "": a fresh one (O11).
    """

    prompt: str
    cwd: Path
    env: Mapping[str, str]
    limits: Limits
    log: Path
    prompt_file: Path
    substitutions: Mapping[str, str] = field(default_factory=dict)
    files_token: Callable[[], str] | None = None
    session: str = ""


class Agent(Protocol):
    """A coding agent that can be run once for an attempt."""

    @property
    def name(self) -> str:
        """Return the name that a person chose it by."""
        ...

    def run(self, request: AgentRequest, watcher: Watcher) -> AgentOutcome:
        """Run one attempt to its end; when this returns, nothing of the agent's family is alive."""
        ...


class Checks(Protocol):
    """Quality checks that the runner runs itself (O18)."""

    @property
    def plans(self) -> Sequence[CheckPlan]:
        """Return every check that may run, cheapest first."""
        ...

    def baseline(self, tree: str, watcher: Watcher) -> Sequence[Gate]:
        """Run all checks on the tree as it is before the first task and remember how they failed."""
        ...

    def run(self, changed: Sequence[str] | None, tree: str, watcher: Watcher) -> Sequence[Gate]:
        """Run the checks of the kinds that `changed` paths touch (None or no match: all), cheapest first.

        Stops at the first failure. A result for the same tree and command is used again. `tree` names the state of
        the work tree; "" switches reuse off.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The work tree at one moment: a git tree, and what was too large to store (path -> size and time)."""

    tree: str
    large: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What putting the tree back did: `left` were changed by somebody since and stay as they are."""

    restored: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """A commit the runner made: `sha` is "" when there was nothing to commit or commits are off.

    `failed`: there was something, and it could not be committed. `left_out` are paths that changed but were not
    committed (the person's own, secrets, too large); `notes` are words for the log (a hook that failed, a lock that
    was removed).
    """

    sha: str = ""
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RepoState:
    """The repository at the start of a run: `head` is "" before the first commit, `branch` "" when detached.

    `dirty` are the paths that the person had changed or not committed; `notes` are words for the person about what is
    unusual here (no repository, no identity, a merge under way) and what the runner does about it. `started_on` is
    the branch that the person was on before the runner chose `branch`, "" if they were on none or it is not known.
    """

    head: str
    branch: str
    evening: str
    dirty: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    started_on: str = ""


class Repo(Protocol):
    """The work tree and its history."""

    def begin(self, run_id: str, *, since: Snapshot | None = None, agent_until: datetime | None = None) -> RepoState:
        """Look at the repository, choose or make the branch, record where the evening stood (a ref).

        `since` is the snapshot that a task in progress began with: what changed since is not the person's.
        `agent_until`: the last run was killed in the middle of an attempt that can have lasted until then; what its
        agent did with git itself is put back first. None: what somebody did with git is theirs.
        """
        ...

    def snapshot(self, *, recent: bool = False) -> Snapshot:
        """Record the work tree as it is, without touching the person's index.

        `recent`: the last one will do if it was taken a moment ago and this port changed nothing since.
        """
        ...

    def keep(self, name: str, snapshot: Snapshot) -> None:
        """Hold a snapshot by a ref of that name, so that no clean-up of git's removes it."""
        ...

    def changes(self, before: Snapshot, after: Snapshot) -> tuple[Change, ...]:
        """Return the paths that differ, sorted."""
        ...

    def patch(self, before: Snapshot, after: Snapshot) -> bytes:
        """Return the difference as a binary-safe patch for `git apply`."""
        ...

    def restore(self, before: Snapshot, after: Snapshot) -> Restored:
        """Put back what changed between the two, only where files are still as in `after`."""
        ...

    def commit(
        self,
        before: Snapshot,
        after: Snapshot,
        *,
        subject: str,
        trailers: Mapping[str, str],
        extra: Sequence[Path] = (),
    ) -> Committed:
        """Commit exactly the paths that changed between the two (and `extra` runner-owned files that are due)."""
        ...

    def mend(self) -> tuple[str, ...]:
        """Put back what an agent did with git itself since the last call; return words for the log, one an act."""
        ...

    @property
    def rescued(self) -> tuple[str, ...]:
        """Return words on what the last `mend` put back because it was gone or broken (B10)."""
        ...

    def files_token(self) -> str:
        """Return a text that changes when any file of the work tree changes; cheap enough for every 30 s."""
        ...


class Spec(Protocol):
    """Where the plan lives. The loop knows no markdown: it sees plans and writes marks."""

    def plan(self) -> Plan:
        """Return the plan as it is now; parsed again only if the bytes changed."""
        ...

    def write(self, key: str, mark: str) -> Plan:
        """Write one task's mark and return the new plan; RalphError if the task cannot be found without doubt."""
        ...

    def hold(self) -> None:
        """Remember the file as it is before an attempt, also on disk, for `protect` after a crash."""
        ...

    def protect(self, key: str) -> tuple[str, ...]:
        """Undo what an attempt did to marks and to the text of its task (O17); return words for the log."""
        ...

    def held_plan(self) -> Plan | None:
        """Return the plan as it was at the last `hold`, also that of an earlier run; None if nobody knows."""
        ...

    @property
    def foreign_diff(self) -> str:
        """Return the edits of others that the last `protect` let stay, as a diff; "" if there were none."""
        ...

    @property
    def rescued(self) -> tuple[str, ...]:
        """Return words on what the last `protect` put back because it was gone or could not be used any more (B10)."""
        ...

    def mark_held(self, key: str, mark: str) -> None:
        """Make a mark in what is held too, so that a later `protect` does not undo it."""
        ...

    def steering(self) -> tuple[tuple[str, str], ...]:
        """Return name and text of the steering files that hold for the workspace."""
        ...

    def document(self, name: str) -> str:
        """Return the text of another file of the spec (requirements.md, design.md …), or "" if there is none."""
        ...


class ActivityLog(Protocol):
    """activity.md: a status block at the top, entries appended (O27-O29)."""

    def status(self, block: str) -> None:
        """Rewrite the status block in place; `block` is text of any length up to the block's size."""
        ...

    def has(self, entry_id: str) -> bool:
        """Say whether an entry stands near the end of the log."""
        ...

    def missing(self, entry_ids: Iterable[str]) -> frozenset[str]:
        """Return those of the ids that stand nowhere in the log; reads all of it."""
        ...

    def append(self, entry_id: str, text: str) -> None:
        """Append an entry once; the id marks it, so that a restart does not write it twice."""
        ...


class Servers(Protocol):
    """The servers of the settings (O23, O24): looked at, adopted or started, watched, ended with the run."""

    @property
    def standings(self) -> Sequence[Standing]:
        """Return how each server stands, in the order of the settings, as far as is known without asking it."""
        ...

    def ensure(self, watcher: Watcher, *, tree: str = "") -> tuple[Gate, ...]:
        """Bring every server up and wait for it; return a gate (kind "server") for each, () where none is declared.

        What answers already is adopted; what had been given up gets another start. `tree` tells one state of the work
        tree from another ("": unknown): what was started here with another one, and does not reload by itself, is
        started anew. A gate that failed has the end of the server's log as its excerpt. Where the watcher's
        stop_reason() speaks, the rest is NOT_RUN, "stopped".
        """
        ...

    def tend(self) -> tuple[str, ...]:
        """Notice servers that died or hang and start them again, without ever waiting; return words for the log.

        To be called several times a second while something runs, and between steps.
        """
        ...

    def stop(self) -> None:
        """End what was started, with all its children; leave alone what was adopted. May be called again."""
        ...


class BrowserSession(Protocol):
    """A browser of its own for one validation."""

    def run(self, argv: Sequence[str]) -> Reply:
        """Run one agent-browser command (without the program's name) and return what it answered. Never raises."""
        ...

    def run_all(self, commands: Sequence[Sequence[str]]) -> tuple[Reply, ...]:
        """Run several commands in one go, each whatever came of those before it; a reply each. Never raises."""
        ...

    def requests(self) -> tuple[Request, ...] | None:
        """Return what pages requested since the last call, or since the first command; None where nobody can tell."""
        ...


class Browser(Protocol):
    """The program that looks at pages, agent-browser."""

    @property
    def missing(self) -> str:
        """Return what is not there, with the command that installs it; "" when pages can be looked at."""
        ...

    def session(self, watcher: Watcher) -> AbstractContextManager[BrowserSession]:
        """Open a session with nothing in it; when it is left, its daemon and its Chromium are gone, in every case."""
        ...


class Machine(Protocol):
    """The machine that a run is on (B7): kept awake, and looked at before anything is started."""

    def begin(self) -> tuple[str, ...]:
        """Keep the machine from sleeping until `end`; return words for the person, such as that nothing here can."""
        ...

    def end(self) -> None:
        """Let it sleep again. May be called again; the death of the runner does the same."""
        ...

    def shortage(self) -> str:
        """Return what the machine is short of, with figures ("120 MB free, 500 MB wanted"), "" if of nothing.

        Costs microseconds; called before each attempt and every few seconds in a wait.
        """
        ...

    def jumps(self) -> tuple[str, ...]:
        """Return words on what time did since the last call: the machine slept, its clock was set."""
        ...
