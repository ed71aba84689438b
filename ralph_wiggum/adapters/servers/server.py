"""One server of the settings, for real: what its life (core) calls for is carried out here, step by step."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from ralph_wiggum.adapters.keeper import NotStartedError
from ralph_wiggum.adapters.process_table import MARK
from ralph_wiggum.adapters.servers.kept_process import KeptProcess
from ralph_wiggum.adapters.servers.neighbour import Neighbour
from ralph_wiggum.adapters.servers.place import Place
from ralph_wiggum.adapters.servers.probe import Question
from ralph_wiggum.adapters.servers.server_log import ServerLog
from ralph_wiggum.adapters.servers.surroundings import SetUp, Surroundings, environment
from ralph_wiggum.core.check_gate import STOPPED
from ralph_wiggum.core.evidence import Gate
from ralph_wiggum.core.servers import course, words
from ralph_wiggum.core.servers import target as targets
from ralph_wiggum.core.servers.life import Act, Life, Phase, Rules
from ralph_wiggum.core.servers.reloading import reloads
from ralph_wiggum.core.servers.standing import Standing
from ralph_wiggum.core.settings import ServerSettings
from ralph_wiggum.ports import Watcher


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
        self._left_by_set_up = KeptProcess(f"{around.run_id}/server-{settings.name}/set-up")
        self._log = ServerLog(around.logs / f"{settings.name}.log")
        self._place = Place(settings, around.names, around.taken, around.elsewhere)
        self._question: Question | None = None
        self._started_at = self._wanted_at = self._settled_at = 0.0
        self._up_since = ""
        self._neighbour = Neighbour(settings, self._place, around)
        self._excerpt = ""
        self._reloads = reloads(settings)
        self._wanted_tree = self._tree = ""  # states of the work tree: of this wait, and of its start

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
        own = self._runs or (life.ours and life.phase is Phase.ENDING)
        return Standing(
            name=self.name,
            health=life.health,
            wanted=targets.page(self.settings),
            url=self._place.url,
            ours=life.ours,
            pid=self._process.pid if own else self._neighbour.pid if life.up else 0,
            restarts=life.restarts,
            reason=life.reason,
            log=self._shown_log() if life.ours else "",
            tail=self._log.tail() if tail else "",
            since=self._up_since if life.up else "",
            listens=self._place.listens,
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
            note=words.doubt(self._neighbour.stranger) if not self.life.ours else "",
            seconds=max(0.0, self._settled_at - self._wanted_at),
            tail=self._excerpt or self._log.tail(),
        )

    # --- what happens to it

    def has_old_code(self, tree: str) -> bool:
        """Say whether one of ours runs that was started with another work tree (or nobody knows which) and stays so."""
        return bool(tree) and tree != self._tree and self._runs and not self._reloads

    @property
    def _runs(self) -> bool:
        return self.life.ours and self.life.phase in {Phase.STARTING, Phase.CHECKING, Phase.UP}

    def want(self, now: float, tree: str) -> None:
        """Begin to wait for it, with the code of that state of the work tree ("": whichever)."""
        self._wanted_at = self._settled_at = now
        self._wanted_tree = tree
        self._excerpt = ""
        if self.life.phase is Phase.FAILED:
            self.needs_set_up = bool(self.settings.setup)
        if self.life.phase in {Phase.UNKNOWN, Phase.DOWN, Phase.FAILED}:
            self._place.begin_anew()
            self._forget_question()
        self.life = course.want(self.life, self._rules, now)
        if self.has_old_code(tree):
            self._forget_question()
            self._carry_out(course.start_anew(self.life, now), now)

    def refuse(self, reason: str, now: float) -> None:
        """Fail a wait without trying anything; what runs with old code is ended."""
        self._wanted_at = self._settled_at = now
        self._forget_question()
        self._excerpt = ""
        self._carry_out(course.fail(self.life, reason, now), now)

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
        self.needs_set_up = True
        try:
            gate = self._run_set_up(run, watcher)
        except OSError as error:  # no other process can be started
            self.life = course.give_up(self.life, f"set-up failed: {error}", self._around.clock.monotonic())
            return False
        self.needs_set_up = gate is not None
        if gate is None or gate.reason == STOPPED:
            return gate is not None
        now = self._around.clock.monotonic()
        self._excerpt, self._settled_at = gate.excerpt, now
        self.life = course.give_up(self.life, f"set-up failed: {gate.command}: {gate.reason}", now)
        return False

    def _run_set_up(self, run: SetUp, watcher: Watcher) -> Gate | None:
        """Run the commands; what they leave behind stays, below a keeper that ends it with the server."""
        kept = self._left_by_set_up
        kept.look()
        gate = run(self.settings, kept, watcher)
        if kept.kept and not kept.anything_left():
            kept.close()
        return gate

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
            told += self._came_up()
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
        for kept in self._everything:
            kept.end(now)

    def ending(self, now: float) -> bool:
        """Go on with it; return whether anything is still being ended."""
        still = [kept.ending(now) for kept in self._everything]
        return any(still)

    @property
    def _everything(self) -> Sequence[KeptProcess]:
        return [kept for kept in (self._process, self._left_by_set_up) if kept.pid or kept.kept]

    def hang_up(self) -> None:
        """Leave the end to the keepers."""
        for kept in self._everything:
            kept.hang_up()

    def close(self) -> None:
        """Let go of everything; may be called again."""
        self._forget_question()
        if self._left_by_set_up.kept:
            self.needs_set_up = True  # what it left behind ends here
        for kept in self._everything:
            kept.close()
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
        if not self._runs:
            return
        self._process.look()
        code = self._process.code
        if self._process.orphaned:
            self._die("its keeper was killed, and it is ended with it", now)
        elif code is not None and not (code == 0 and self._process.lives_on(now)):
            how = words.how_it_ended(code, now - self._started_at)
            if code == 0 and life.phase is Phase.STARTING and targets.wanted(self.settings) is not None:
                self.life = course.left_alone(life, how, now)
            else:
                self._die(how, now, hopeless=words.hopeless(code))

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
        if self.life.phase in {Phase.ASKING, Phase.HELD} and answer.good and self._neighbour.is_passed_by():
            self.life = course.turn_away(self.life, now)
            return
        self._carry_out(course.answered(self.life, answer, self._rules, now), now)
        if self.life.held:
            self.life = replace(self.life, reason=self._neighbour.holds(answer.words))

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
        self._excerpt = ""
        self._tree = self._wanted_tree if self.life.wanted else ""
        self._started_at = now
        self.life = course.started(self.life, now, self._rules)

    def _command(self) -> str:
        return targets.fill(self.settings.command, self._place.port)

    def _environment(self) -> dict[str, str]:
        own = {name: targets.fill(value, self._place.port) for name, value in self.settings.env.items()}
        mark = f"{self._around.run_id}/server-{self.name}"
        return {**environment(self._around.env, self._around.root), **own, MARK: mark}

    def _came_up(self) -> tuple[str, ...]:
        """Note that it is up; return what the log is told of strangers who were met on the way."""
        self._up_since = self._around.clock.now().isoformat(timespec="seconds")
        if self.life.ours:
            return (self._neighbour.forget(),)
        if self.life.tries:  # its command has ended, and had something else serve
            self._neighbour.look()
        return (self._neighbour.warning(),)

    def _shown_log(self) -> str:
        path = self._log.path
        return str(path.relative_to(self._around.root)) if path.is_relative_to(self._around.root) else str(path)
