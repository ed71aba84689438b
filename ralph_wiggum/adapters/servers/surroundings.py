"""What all servers of a set share: the project, the clock, the environment, who belongs to them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ralph_wiggum.adapters.process_table import MARK
from ralph_wiggum.adapters.project import bytecode_apart
from ralph_wiggum.adapters.servers.addresses import Names
from ralph_wiggum.adapters.servers.kept_process import KeptProcess
from ralph_wiggum.core.evidence import Gate
from ralph_wiggum.core.settings import ServerSettings
from ralph_wiggum.ports import Clock, Watcher

SetUp = Callable[[ServerSettings, KeptProcess, Watcher], Gate | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all servers of a set share.

    `taken` are ports that were given out; `elsewhere` returns the URLs ("" for none) by name of what another ralph
    command has brought up for this project. `marks` are the values of RALPH_RUN_ID of everything that belongs here.
    """

    root: Path
    logs: Path
    run_id: str
    clock: Clock
    env: Mapping[str, str]
    names: Names
    taken: set[int]
    elsewhere: Callable[[], Mapping[str, str]] = field(default=dict)
    marks: Collection[str] = ()


def environment(env: Mapping[str, str], root: Path) -> dict[str, str]:
    """Return the environment of a server: no colours, no browser that opens, no questions, output at once.

    No CI=1 as checks have it: development servers behave differently with it. Bytecode is kept out of the work tree.
    """
    kept = {name: value for name, value in env.items() if name not in {"FORCE_COLOR", "CLICOLOR_FORCE", MARK}}
    ours = {"NO_COLOR": "1", "BROWSER": "none", "GIT_TERMINAL_PROMPT": "0", "PYTHONUNBUFFERED": "1"}
    return {**bytecode_apart(env, root), **kept, **ours}
