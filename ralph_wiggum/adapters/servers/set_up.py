"""The set-up commands of servers (migrations, a database), run before a server is started."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ralph_wiggum.adapters.checks import ShellChecks
from ralph_wiggum.adapters.process import Family
from ralph_wiggum.core.evidence import Gate, GateStatus
from ralph_wiggum.core.settings import CheckPlan, ServerSettings
from ralph_wiggum.ports import Watcher


class ShellSetUp:
    """Runs set-up commands as checks are run: in a family of their own, with a limit and a log each."""

    def __init__(self, root: Path, family: Family, logs: Path, env: Mapping[str, str]) -> None:
        self._root = root
        self._family = family
        self._logs = logs
        self._env = env

    def __call__(self, server: ServerSettings, watcher: Watcher) -> Gate | None:
        """Run the commands of a server in their order; return the first gate that did not pass, None if all did."""
        plans = [
            CheckPlan(name=line, kind="setup", command=line, cwd=server.cwd, timeout=server.setup_timeout)
            for line in server.setup
        ]
        checks = ShellChecks(plans, self._root, self._family, self._logs / f"{server.name}.set-up", self._env)
        gates = checks.run(None, "", watcher)
        return next((gate for gate in gates if gate.status is not GateStatus.PASSED), None)
