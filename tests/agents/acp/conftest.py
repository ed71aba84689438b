"""The real client behind the real keeper, with an agent that does what a test writes."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from ralph_wiggum.adapters.agents import catalogue
from ralph_wiggum.adapters.agents.acp import AcpAgent
from ralph_wiggum.adapters.process import Family
from ralph_wiggum.core.evidence import AgentOutcome
from ralph_wiggum.core.settings import AgentSettings, Limits
from tests.adapters.agents.conftest import Ask, Watching, ask, family, keeper

__all__ = ["Talk", "ask", "family", "keeper"]

AGENT = Path(__file__).with_name("agent.py")


@dataclass
class Talk:
    """Runs scripts as agents; `shown` is what a person saw of the last."""

    family: Family
    ask: Ask
    folder: Path
    watching: Watching = field(default_factory=Watching)

    @property
    def work(self) -> Path:
        return self.folder / "work"

    @property
    def shown(self) -> str:
        return "".join(self.watching.shown)

    @property
    def log(self) -> str:
        return next((self.folder / "logs").iterdir()).read_text(encoding="utf-8")

    def settings(self, script: str, before: tuple[str, ...] = (), **more: Any) -> AgentSettings:
        path = self.folder / "script.py"
        path.write_text(dedent(script), encoding="utf-8")
        return AgentSettings(
            name="mine", command=(*before, sys.executable, str(AGENT), str(path)), driver="acp", dialect="acp", **more
        )

    def __call__(
        self,
        script: str,
        *,
        limits: Limits | None = None,
        session: str = "",
        env: dict[str, str] | None = None,
        watching: Watching | None = None,
        start_seconds: float = 0.0,
        **more: Any,
    ) -> AgentOutcome:
        """Run a script as the agent of one attempt, the tasks.md of which lies in specs/demo."""
        agent = catalogue.build(self.settings(script, **more), self.family)
        if start_seconds:
            assert isinstance(agent, AcpAgent)
            agent = replace(agent, start_seconds=start_seconds)
        tasks = str(self.work / "specs" / "demo" / "tasks.md")
        request = self.ask("- [ ] 1. größer", limits=limits or Limits(task_seconds=60.0), env=env, tasks_file=tasks)
        self.watching = watching or Watching()
        return agent.run(replace(request, session=session), self.watching)


@pytest.fixture
def talk(family: Family, ask: Ask, tmp_path: Path) -> Talk:
    return Talk(family, ask, tmp_path)
