"""The servers of the settings together: brought up in their order, looked after, ended at the end (O23, O24)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from ralph_wiggum.adapters.servers import record as records
from ralph_wiggum.adapters.servers.addresses import Names
from ralph_wiggum.adapters.servers.server import Server
from ralph_wiggum.adapters.servers.surroundings import SetUp, Surroundings
from ralph_wiggum.core.evidence import Gate
from ralph_wiggum.core.servers import target as targets
from ralph_wiggum.core.servers.life import Phase, Rules
from ralph_wiggum.core.servers.standing import Health, Standing
from ralph_wiggum.core.settings import ServerSettings
from ralph_wiggum.ports import Clock, Watcher

NAP_SECONDS = 0.005
TICK_SECONDS = 0.1  # the contract of Watcher.tick is four times a second
STOPPING_SECONDS = 30.0  # a keeper's ladder takes 13 s at most, that without a keeper as long


class ServerSet:
    """Satisfies ports.Servers.

    `servers` stand in the order of their dependencies. `logs` is the folder of their logs, `env` the environment that
    theirs is made of; their processes carry "`run_id`/server-NAME" in RALPH_RUN_ID. `set_up` runs the set-up commands
    of a server, below a keeper for what they leave behind, and returns the gate that failed (or was stopped), None
    where all went well. The standings are kept in the file `record` below .ralph/ for `ralph servers status` ("": in
    none).

    A server waits for those that it depends on, also when it is started again; servers that do not depend on each
    other come up at the same time. Without `health_check` what is up is asked for by `ensure` only (that its process
    ended is noticed all the same); without `restart` what died is started by the next `ensure`.
    """

    def __init__(
        self,
        servers: Sequence[ServerSettings],
        root: Path,
        logs: Path,
        run_id: str,
        clock: Clock,
        env: Mapping[str, str],
        *,
        set_up: SetUp,
        health_check: bool = True,
        restart: bool = True,
        record: str = records.RUN,
    ) -> None:
        self._clock = clock
        self._set_up = set_up
        self._names = Names()
        self._run_id = run_id
        self._record = records.path_of(root, record) if record else None
        self._recorded: Sequence[Standing] = ()
        around = Surroundings(
            root=root,
            logs=logs,
            run_id=run_id,
            clock=clock,
            env=env,
            names=self._names,
            taken={targets.port_of(each) for each in servers},
            elsewhere=lambda: _started_by_up(root),
            marks={run_id, records.mark(root)},
        )
        self._servers = [
            Server(each, around, _rules(each, health_check=health_check, restart=restart)) for each in servers
        ]
        self._by_name = {server.name: server for server in self._servers}
        self._news: list[str] = []
        self._stopped = True  # nothing is to be started
        self._busy = False  # in `ensure`, which may call a watcher that calls `tend`
        self._tree = ""  # of the present `ensure`
        self._trouble = ""  # that kept `tend` from its work, told once

    @property
    def standings(self) -> Sequence[Standing]:
        """Return how each server stands, as far as is known without asking it."""
        return tuple(server.standing(tail=True) for server in self._servers)

    def ensure(self, watcher: Watcher, *, tree: str = "") -> tuple[Gate, ...]:
        """Bring every server up and wait for it; return a gate for each.

        One of ours that was started with another state of the work tree, and does not reload by itself, is started
        anew before it is asked. One that is up must prove it with the status that is expected: it may take `attempts`
        times `interval` for that, since reloaders answer badly for a moment. One of ours that has not proved it by
        then is started once more; if it then answers badly for as long again it is left alone, and the gate has
        failed.
        """
        self._busy, self._stopped, self._tree = True, False, tree
        unfinished: Sequence[Server] = ()
        try:
            self._look_up_hosts()
            unfinished = self._wait(watcher)
            return tuple(server.gate(stopped=server in unfinished) for server in self._servers)
        finally:
            self._busy = False
            now = self._clock.monotonic()
            for server in self._servers:
                server.release(now)
            self._note_standings()

    def tend(self) -> tuple[str, ...]:
        """Do what is due: notice, ask, start again, cut logs; return words for the log. Never waits, never raises."""
        if self._busy or self._stopped:
            return ()
        try:
            self._step()
            self._note_standings()
        except OSError as error:  # no descriptor, no process is to be had: nothing of that may end a night
            trouble = f"servers cannot be looked after: {error}"
            self._news += [trouble] if trouble != self._trouble else []
            self._trouble = trouble
        else:
            self._trouble = ""
        news, self._news = tuple(self._news), []
        return news

    def stop(self) -> None:
        """End what was started, all at once; leave alone what was adopted. May be called again; raises no OSError.

        A KeyboardInterrupt meanwhile leaves the rest to the keepers, which need a second or two for it.
        """
        self._stopped = True
        try:
            self._end_all()
        except OSError:  # no descriptor to look with: the keepers need none
            self.hang_up()
        except BaseException:
            self.hang_up()
            raise
        for server in self._servers:
            with suppress(OSError):
                server.close()
        if self._record is not None and self._recorded:
            records.remove(self._record)
            self._recorded = ()

    def _end_all(self) -> None:
        now = self._clock.monotonic()
        for server in self._servers:
            server.end(now)
        end = now + STOPPING_SECONDS
        while self._ending(now) and now < end:
            self._clock.pause(NAP_SECONDS, lambda: False)
            now = self._clock.monotonic()

    def hang_up(self) -> None:
        """Leave the end of everything to the keepers, without waiting: they end it within seconds."""
        for server in self._servers:
            server.hang_up()

    def _ending(self, now: float) -> bool:
        still = [server.ending(now) for server in self._servers]  # each of them takes a step
        return any(still)

    def _look_up_hosts(self) -> None:
        for server in self._servers:
            for host in server.hosts:
                self._names.look_up(host)

    def _wait(self, watcher: Watcher) -> Sequence[Server]:
        """Wait until every server is up or given up; return those that somebody's wish to stop left unfinished."""
        waiting = list(self._servers)  # for what they depend on
        next_tick = 0.0
        while watcher.stop_reason() is None:
            now = self._clock.monotonic()
            waiting = [server for server in waiting if not self._want(server, waiting, now)]
            stopped = any(self._run_set_up(server, watcher) for server in self._servers)
            self._step()
            self._refuse_hopeless(now)
            if not waiting and all(server.settled for server in self._servers):
                return ()
            if stopped:
                break
            if now >= next_tick:
                next_tick = now + TICK_SECONDS
                watcher.tick()
            self._clock.pause(NAP_SECONDS, lambda: False)
        return [server for server in self._servers if server in waiting or not server.settled]

    def _want(self, server: Server, waiting: Sequence[Server], now: float) -> bool:
        """Begin to wait for a server whose time has come; return whether it has."""
        needed = self._needed(server)
        if not server.life.up or server.has_old_code(self._tree):
            if any(each in waiting or not each.settled for each in needed):
                return False
            for each in needed:
                if not each.life.well:
                    server.refuse(_missing(each), now)
                    return True
        server.want(now, self._tree)
        return True

    def _refuse_hopeless(self, now: float) -> None:
        """Give up what is to be started again, where meanwhile one was given up that it depends on."""
        for server in self._servers:
            if server.life.wanted and server.life.phase is Phase.DOWN:
                gone = next((each for each in self._needed(server) if each.life.over), None)
                if gone is not None:
                    server.refuse(_missing(gone), now)

    def _needed(self, server: Server) -> Sequence[Server]:
        return [self._by_name[name] for name in server.settings.depends_on]

    def _run_set_up(self, server: Server, watcher: Watcher) -> bool:
        """Run the set-up commands of a server that is due to start; return whether somebody's wish stopped them."""
        if not (server.needs_set_up and server.due_to_start):
            return False
        began = self._clock.monotonic()
        stopped = server.set_up(self._set_up, watcher)
        for other in self._servers:
            other.postpone(self._clock.monotonic() - began)
        return stopped

    def _step(self) -> None:
        for server in self._servers:
            waited = not server.settled
            news = server.step(self._clock.monotonic(), may_start=self._may_start(server))
            if not waited or server.life.up:  # why one is not up that was waited for is told by its gate, once
                self._news += news
            server.keep_log_small()

    def _may_start(self, server: Server) -> bool:
        return all(each.life.up for each in self._needed(server))

    def _note_standings(self) -> None:
        """Write the standings down where they have changed, or where somebody removed the file."""
        if self._record is None:
            return
        now = tuple(server.standing(tail=False) for server in self._servers)
        written = now == self._recorded and records.is_there(self._record)
        if written or all(standing.health is Health.UNKNOWN for standing in now):
            return
        if records.write(self._record, records.of_this_process(self._run_id, now)):
            self._recorded = now


def _missing(needed: Server) -> str:
    return f"{needed.name}, which it depends on, is not up: {needed.life.reason}"


def _rules(server: ServerSettings, *, health_check: bool, restart: bool) -> Rules:
    return Rules(
        attempts=server.attempts,
        interval=server.interval,
        restart=restart,
        health_check=health_check,
        movable=targets.movable(server),
    )


def _started_by_up(root: Path) -> Mapping[str, str]:
    """Return the URLs by name of the servers that `ralph servers up` has brought up here, of another process."""
    record = records.read(records.path_of(root, records.UP))
    if record is None or record.pid == os.getpid() or not record.alive:
        return {}
    return {each.name: each.url for each in record.standings if each.health is Health.UP}
