"""The set-up commands of servers (migrations, a database), run before a server is started."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ralph_wiggum.adapters.checks import ShellChecks
from ralph_wiggum.adapters.process import Family
from ralph_wiggum.adapters.process_table import MARK
from ralph_wiggum.adapters.servers.kept_process import KeptProcess
from ralph_wiggum.core.evidence import Gate, GateStatus
from ralph_wiggum.core.settings import CheckPlan, ServerSettings
from ralph_wiggum.ports import Watcher


class ShellSetUp:
    """Runs set-up commands as checks are run: with a limit and a log each.

    What they leave behind when they end (`pg_ctl start`, `redis-server --daemonize yes`) lives on below the keeper that
    is given for that, until the server is ended. It must write to a log of its own: nobody reads its output then.
    """

    def __init__(self, root: Path, family: Family, logs: Path, env: Mapping[str, str]) -> None:
        self._root = root
        self._family = family
        self._logs = logs
        self._env = env

    def __call__(self, server: ServerSettings, kept: KeptProcess, watcher: Watcher) -> Gate | None:
        """Run the commands of a server in their order; return the first gate that did not pass, None if all did.

        What an earlier set-up left behind ends first, since it would be in the way of the same again; so does, where
        one command did not pass, what the others left. OSError where no keeper can be started.
        """
        family = self._family.below(kept.keeper())
        family.end()
        plans = [
            CheckPlan(name=line, kind="setup", command=line, cwd=server.cwd, timeout=server.setup_timeout)
            for line in server.setup
        ]
        env = {**self._env, MARK: kept.mark}
        checks = ShellChecks(plans, self._root, family, self._logs / f"{server.name}.set-up", env)
        gates = checks.run(None, "", watcher)
        missed = next((gate for gate in gates if gate.status is not GateStatus.PASSED), None)
        if missed is not None:
            family.end()
        return missed
