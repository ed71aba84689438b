"""The process behind `ralph servers up`: it owns the servers, looks after them, and ends them when it is told to.

It is forked from the command and lives on without it, in a session of its own. TERM and INT end it in good order;
USR1 has it bring up what is not up. Were it killed, the keepers of the servers would end them.
"""

from __future__ import annotations

import fcntl
import gc
import hashlib
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ralph_wiggum.adapters import keeper as keepers
from ralph_wiggum.adapters.clock import Interrupts, SystemClock
from ralph_wiggum.adapters.keeper import Keeper
from ralph_wiggum.adapters.keeper_loop import close_others
from ralph_wiggum.adapters.process import Family
from ralph_wiggum.adapters.process_table import MARK
from ralph_wiggum.adapters.project import STATE, make_state
from ralph_wiggum.adapters.servers import record as records
from ralph_wiggum.adapters.servers.server_set import ServerSet
from ralph_wiggum.adapters.servers.set_up import ShellSetUp
from ralph_wiggum.core.servers.standing import Health, Standing
from ralph_wiggum.core.settings import Settings

TURN_SECONDS = 0.25
LOG_BYTES = 1 << 20

_LOGS = "logs"  # below .ralph/, beside the folders of the specs
_LOG = ".host.log"  # the host's own words; no server's name begins with a dot
_LOCK = "servers.lock"
_DIGITS = 8


def fingerprint(settings: Settings) -> str:
    """Return a text that differs where the settings of servers do."""
    kept = (settings.servers, settings.server_health_check, settings.auto_restart_servers)
    return hashlib.sha256(repr(kept).encode("utf-8", "replace")).hexdigest()[:_DIGITS]


def log_path(root: Path) -> Path:
    """Return where the host writes what it does."""
    return root / STATE / _LOGS / _LOG


def begin(root: Path, settings: Settings, environ: Mapping[str, str]) -> int:
    """Fork the host and return its pid; it is a child of the caller until that ends. Only with one thread."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        _detach(root)
        with suppress(KeyboardInterrupt):  # a second signal: the keepers end what is left
            Host(root, settings, environ).serve()
        code = 0
    except BaseException as error:  # noqa: BLE001 - nobody is above: it goes into the log
        _say_bug(error)
    finally:
        os._exit(code)


class Host:
    """Brings the servers up, looks after them until a signal comes, ends them."""

    def __init__(self, root: Path, settings: Settings, environ: Mapping[str, str]) -> None:
        self._root = root
        self._settings = settings
        self._env = {name: value for name, value in environ.items() if name != MARK}
        self._record = records.path_of(root, records.UP)
        self._written: records.Record | None = None
        self._round = 0
        self._asked = True

    def serve(self) -> None:
        """Serve until a signal comes, or until nothing came up at all. Returns at once where another host serves."""
        if not self._take_lock():
            return
        keeper = Keeper.start()  # of set-up commands
        try:
            with Interrupts() as interrupts:
                signal.signal(signal.SIGUSR1, lambda _number, _frame: self._ask())
                # What a host that was killed has left is being ended, and must not be taken for a server that is up.
                keepers.sweep({records.mark(self._root)}, below=True)
                self._serve(SystemClock(interrupts.fileno()), Family(keeper, SystemClock()), interrupts)
        finally:
            keeper.close()

    def _serve(self, clock: SystemClock, family: Family, interrupts: Interrupts) -> None:
        logs = self._root / STATE / _LOGS
        own = records.mark(self._root)
        env = {**self._env, MARK: own}
        servers = ServerSet(
            self._settings.servers,
            self._root,
            logs,
            own,
            clock,
            self._env,
            set_up=ShellSetUp(self._root, family, logs, env),
            health_check=self._settings.server_health_check,
            restart=self._settings.auto_restart_servers,
            record="",
        )
        watcher = _Watcher(lambda: interrupts.reason, lambda: self._note(servers, settled=False))
        try:
            while not interrupts.reason:
                if self._asked:
                    self._bring_up(servers, watcher)
                    if not any(standing.health is Health.UP for standing in servers.standings):
                        break
                for words in servers.tend():
                    _say(words, clock)
                self._note(servers, settled=True)
                clock.pause(TURN_SECONDS, lambda: self._asked)
        finally:
            servers.stop()
            self._forget(interrupts.reason)

    def _ask(self) -> None:
        self._asked = True

    def _bring_up(self, servers: ServerSet, watcher: _Watcher) -> None:
        self._asked = False
        self._round += 1
        for gate in servers.ensure(watcher):
            _say(f"{gate.name}: {gate.reason}", SystemClock())
        self._note(servers, settled=True)

    def _note(self, servers: ServerSet, *, settled: bool) -> None:
        """Write down how the servers stand, where that has changed or somebody removed the file."""
        standings = tuple(_without_tail(each) for each in servers.standings)
        record = records.of_this_process(
            records.mark(self._root),
            standings,
            round_=self._round,
            settled=settled,
            settings=fingerprint(self._settings),
        )
        if (record != self._written or not records.is_there(self._record)) and records.write(self._record, record):
            self._written = record

    def _forget(self, reason: str) -> None:
        """Remove the record after a signal; where nothing came up, the command still reads it."""
        if reason:
            records.remove(self._record)

    def _take_lock(self) -> bool:
        """Take the lock of the one host of a project, for as long as this process lives."""
        folder = make_state(self._root / STATE)
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class _Watcher:
    """Nobody watches: only a signal stops the wait."""

    def __init__(self, reason: Callable[[], str], tick: Callable[[], None]) -> None:
        self._reason = reason
        self._tick = tick

    def output(self, text: str) -> None:
        """Nobody reads it; it is in a log."""

    def tick(self) -> None:
        """Write down how far it is."""
        self._tick()

    def stop_reason(self) -> str | None:
        """Return the signal that came."""
        return self._reason() or None


def _without_tail(standing: Standing) -> Standing:
    """Return a standing as it is written down: the end of the log only where something is wrong."""
    return standing if standing.health is not Health.UP or standing.reason else replace(standing, tail="")


def _detach(root: Path) -> None:
    """Become a process of its own: session, descriptors, signals as a fresh program has them."""
    gc.freeze()  # what the command left unfinished must not close descriptors of ours that bear its old numbers
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    log = _open_log(root, null)
    os.dup2(null, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    close_others(0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    os.chdir("/")


def _open_log(root: Path, null: int) -> int:
    """Open the host's own log, the last one's part kept beside it; where it cannot be written, nobody hears."""
    path = log_path(root)
    try:
        make_state(path.parent)
        if path.exists() and path.stat().st_size > LOG_BYTES:
            path.replace(path.with_name(f"{path.name}.1"))
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK, 0o644)
    except OSError:
        return null


def _say(words: str, clock: SystemClock) -> None:
    print(f"{clock.now():%Y-%m-%d %H:%M:%S} {words}", flush=True)


def _say_bug(error: BaseException) -> None:
    import traceback  # noqa: PLC0415 - never needed, we hope

    print("a bug in ralph:", "".join(traceback.format_exception(error)), flush=True)
