"""One server of the settings, for real: what its life (core) calls for is carried out here, step by step."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from ralph_wiggum.adapters.keeper import NotStartedError
from ralph_wiggum.adapters.process_table import MARK
from ralph_wiggum.adapters.project import STATE
from ralph_wiggum.adapters.servers.addresses import Names, holder
from ralph_wiggum.adapters.servers.kept_process import KeptProcess
from ralph_wiggum.adapters.servers.place import Place
from ralph_wiggum.adapters.servers.probe import Question
from ralph_wiggum.adapters.servers.server_log import ServerLog
from ralph_wiggum.core.check_gate import STOPPED
from ralph_wiggum.core.evidence import Gate
from ralph_wiggum.core.servers import course, words
from ralph_wiggum.core.servers import target as targets
from ralph_wiggum.core.servers.life import Act, Life, Phase, Rules
from ralph_wiggum.core.servers.standing import Standing
from ralph_wiggum.core.settings import ServerSettings
from ralph_wiggum.ports import Clock, Watcher

SetUp = Callable[[ServerSettings, Watcher], Gate | None]

_LOOK_SECONDS = 1.0  # between two looks at what a program left behind that ended well


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all servers of a set share.

    `taken` are ports that were given out; `elsewhere` returns the URLs ("" for none) by name of what another ralph
    command has brought up for this project.
    """

    root: Path
    logs: Path
    run_id: str
    clock: Clock
    env: Mapping[str, str]
    names: Names
    taken: set[int]
    elsewhere: Callable[[], Mapping[str, str]] = field(default=dict)


class Server:
    """One server. `life` is what is known of it; `step` never waits.

    Where a server moved to another port, everything here speaks of that one; `standing` knows both.
    """

    def __init__(self, settings: ServerSettings, around: Surroundings, rules: Rules) -> None:
        self.settings = settings
        self.life = Life()
        self.needs_set_up = bool(settings.setup)
        self._around = around
        self._settled_rules = rules
        self._shell = shutil.which("bash", path=around.env.get("PATH")) or "/bin/sh"
        self._process = KeptProcess(f"{around.run_id}/server-{settings.name}")
        self._log = ServerLog(around.logs / f"{settings.name}.log")
        self._place = Place(settings, around.names, around.taken, around.elsewhere)
        self._question: Question | None = None
        self._started_at = self._wanted_at = self._settled_at = 0.0
        self._up_since = ""
        self._foreign_pid = 0
        self._note = ""
        self._excerpt = ""
        self._left_behind = False  # its program ended well, and what it started runs on
        self._next_look = 0.0

    # --- what others ask

    @property
    def name(self) -> str:
        """Return its name in the settings."""
        return self.settings.name

    @property
    def settled(self) -> bool:
        """Say whether nobody waits for it."""
        return not self.life.wanted

    @property
    def hosts(self) -> tuple[str, ...]:
        """Return the hosts whose addresses are needed."""
        found = (targets.wanted(self.settings), targets.before_start(self.settings))
        return tuple({target.host for target in found if target is not None})

    def standing(self, *, tail: bool) -> Standing:
        """Return how it stands, with the end of its log or without."""
        life = self.life
        own = life.ours and life.phase in {Phase.STARTING, Phase.CHECKING, Phase.UP, Phase.ENDING}
        return Standing(
            name=self.name,
            health=life.health,
            wanted=targets.page(self.settings),
            url=self._place.url,
            ours=life.ours,
            pid=self._process.pid if own else self._foreign_pid if life.up else 0,
            restarts=life.restarts,
            reason=life.reason,
            log=self._shown_log() if life.ours else "",
            tail=self._log.tail() if tail else "",
            since=self._up_since if life.up else "",
        )

    def gate(self, *, stopped: bool) -> Gate:
        """Return the gate of the last wait for it; `stopped`: somebody's wish to stop ended that wait."""
        where = words.place(self._place.url, self._place.port)
        return words.gate(
            self.settings,
            self.life,
            stopped=stopped,
            command=self._command(),
            where=where,
            note=self._note if not self.life.ours else "",
            seconds=max(0.0, self._settled_at - self._wanted_at),
            tail=self._excerpt or self._log.tail(),
        )

    # --- what happens to it

    def want(self, now: float) -> None:
        """Begin to wait for it."""
        self._wanted_at = self._settled_at = now
        self._excerpt = ""
        if self.life.phase is Phase.FAILED:
            self.needs_set_up = bool(self.settings.setup)
        if self.life.phase in {Phase.UNKNOWN, Phase.DOWN, Phase.FAILED}:
            self._place.begin_anew()
            self._forget_question()
        self.life = course.want(self.life, self._rules, now)

    def refuse(self, reason: str, now: float) -> None:
        """Fail a wait without trying anything."""
        self._wanted_at = self._settled_at = now
        self._excerpt = ""
        self.life = course.give_up(self.life, reason, now)

    def release(self, now: float) -> None:
        """Wait no longer, if somebody still does."""
        if self.life.wanted:
            self._settled_at = now
            self.life = course.release(self.life)

    def postpone(self, seconds: float) -> None:
        """Give it more time: nobody looked after it for so long."""
        self.life = course.postpone(self.life, seconds)

    def set_up(self, run: SetUp, watcher: Watcher) -> bool:
        """Run its set-up commands, which may take long; a failed one gives the server up.

        Returns whether somebody's wish to stop ended them.
        """
        gate = run(self.settings, watcher)
        self.needs_set_up = gate is not None
        if gate is None or gate.reason == STOPPED:
            return gate is not None
        now = self._around.clock.monotonic()
        self._excerpt, self._settled_at = gate.excerpt, now
        self.life = course.give_up(self.life, f"set-up failed: {gate.command}: {gate.reason}", now)
        return False

    def step(self, now: float, *, may_start: bool) -> tuple[str, ...]:
        """Do what is due, without waiting; return words for the log.

        `may_start`: what it depends on is up. What was never set up is not started either.
        """
        waited, was_up = self.life.wanted, self.life.up
        told = [self._tell(part, now) for part in (self._hear, self._take_answer)]
        told.append(self._tell(partial(self._do_what_is_due, may_start=may_start and not self.needs_set_up), now))
        if waited and self.settled:
            self._settled_at = now
        if self.life.up and not was_up:
            self._came_up()
        return tuple(each for each in told if each)

    def _tell(self, part: Callable[[float], None], now: float) -> str:
        before = self.life
        part(now)
        return words.news(self.name, before, self.life, now)

    def _do_what_is_due(self, now: float, *, may_start: bool) -> None:
        self.life, act = course.pass_time(self.life, self._rules, now)
        if act is Act.ASK:
            self._ask(now)
        elif act is Act.START and may_start:
            self._start(now)

    @property
    def _rules(self) -> Rules:
        """Return the rules of now: what was adopted and never set up is not started before somebody waits for it."""
        restart = self._settled_rules.restart and not self.needs_set_up
        return replace(self._settled_rules, restart=restart, askable=self._place.askable)

    @property
    def due_to_start(self) -> bool:
        """Say whether somebody waits for it and nothing is left to do but its start."""
        return self.life.wanted and course.to_be_started(self.life, self._rules, self._around.clock.monotonic())

    def keep_log_small(self) -> None:
        """Cut the log where it has grown too long."""
        if self._process.pid:
            self._log.rotate()

    # --- its end

    def end(self, now: float) -> None:
        """Begin to end what was started."""
        self._forget_question()
        if self._process.pid:
            self._process.end(now)

    def ending(self, now: float) -> bool:
        """Go on with it; return whether anything is still being ended."""
        return bool(self._process.pid) and self._process.ending(now)

    def hang_up(self) -> None:
        """Leave the end to the keeper."""
        self._process.hang_up()

    def close(self) -> None:
        """Let go of everything; may be called again."""
        self._forget_question()
        self._process.close()
        if self.life.ours:
            self.life = Life(restarts=self.life.restarts)
        self._log.close()

    # --- carrying out

    def _hear(self, now: float) -> None:
        """Take in what became of its process."""
        life = self.life
        if life.phase is Phase.ENDING:
            if not self._process.ending(now):
                self.life = course.ended(life, now)
            return
        if not life.ours or life.phase not in {Phase.STARTING, Phase.CHECKING, Phase.UP}:
            return
        self._process.look()
        code = self._process.code
        if self._process.orphaned:
            self._die("its keeper was killed, and it is ended with it", now)
        elif code is not None and not (code == 0 and self._lives_on(now)):
            how = words.how_it_ended(code, now - self._started_at)
            if code == 0 and life.phase is Phase.STARTING and targets.wanted(self.settings) is not None:
                self.life = course.left_alone(life, how, now)
            else:
                self._die(how, now, hopeless=words.hopeless(code))

    def _lives_on(self, now: float) -> bool:
        """Say whether a program that ended well left something running, as one that goes into the background does."""
        if not self._left_behind or now >= self._next_look:
            self._left_behind = self._process.anything_left()
            self._next_look = now + _LOOK_SECONDS
        return self._left_behind

    def _die(self, how: str, now: float, *, hopeless: bool = False) -> None:
        self._forget_question()
        self._carry_out(course.died(self.life, how, self._rules, now, hopeless=hopeless), now)

    def _take_answer(self, now: float) -> None:
        if self._question is None:
            return
        answer = self._question.step(now)
        if answer is None:
            return
        self._forget_question()
        if self.life.phase in {Phase.ASKING, Phase.HELD} and not answer.there:
            if self._place.leave_elsewhere():
                self._ask(now)
                return
            answer = self._place.unless_bound(answer)
        self._carry_out(course.answered(self.life, answer, self._rules, now), now)
        if self.life.held:
            holds = holder(self._place.port)
            self.life = replace(self.life, reason=words.held(self.settings, holds, answer.words))

    def _carry_out(self, step: course.Step, now: float) -> None:
        self.life, act = step
        if act is Act.END:
            self._excerpt = self._log.tail()
            self._process.end(now)

    def _ask(self, now: float) -> None:
        self._forget_question()
        theirs = not self.life.ours or self.life.phase in {Phase.ASKING, Phase.HELD}
        self._question = self._place.ask_theirs(now) if theirs else self._place.ask_ours(self._log, now)

    def _forget_question(self) -> None:
        question, self._question = self._question, None
        if question is not None:
            question.close()

    def _start(self, now: float) -> None:
        around = self._around
        try:
            self._place.choose_port()
            folder = around.root / self.settings.cwd
            command = self._command()
            output = self._log.begin(f"\n=== {around.clock.now():%Y-%m-%d %H:%M:%S %z} in {folder}: {command}\n")
            self._process.start((self._shell, "-c", command), folder, self._environment(), output)
        except (NotStartedError, OSError) as error:
            self.life = course.give_up(self.life, f"cannot be started: {error}", now)
            return
        self._left_behind = False
        self._started_at = now
        self.life = course.started(self.life, now, self._rules)

    def _command(self) -> str:
        return targets.fill(self.settings.command, self._place.port)

    def _environment(self) -> dict[str, str]:
        own = {name: targets.fill(value, self._place.port) for name, value in self.settings.env.items()}
        mark = f"{self._around.run_id}/server-{self.name}"
        return {**environment(self._around.env, self._around.root), **own, MARK: mark}

    def _came_up(self) -> None:
        self._up_since = self._around.clock.now().isoformat(timespec="seconds")
        self._note, self._foreign_pid = "", 0
        if self.life.ours:
            return
        found = holder(self._place.port)
        self._foreign_pid = found.pid
        self._note = words.foreign(found, str(self._around.root))

    def _shown_log(self) -> str:
        path = self._log.path
        return str(path.relative_to(self._around.root)) if path.is_relative_to(self._around.root) else str(path)


def environment(env: Mapping[str, str], root: Path) -> dict[str, str]:
    """Return the environment of a server: no colours, no browser that opens, no questions, output at once.

    No CI=1 as checks have it: development servers behave differently with it. Bytecode is kept out of the work tree.
    """
    kept = {name: value for name, value in env.items() if name not in {"FORCE_COLOR", "CLICOLOR_FORCE", MARK}}
    ours = {"NO_COLOR": "1", "BROWSER": "none", "GIT_TERMINAL_PROMPT": "0", "PYTHONUNBUFFERED": "1"}
    return {"PYTHONPYCACHEPREFIX": str(root / STATE / "pycache"), **kept, **ours}
