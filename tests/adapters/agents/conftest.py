"""Real programs under the real keeper: what the driver tests share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

import psutil
import pytest

from ralph_wiggum.adapters.clock import SystemClock
from ralph_wiggum.adapters.keeper import Keeper
from ralph_wiggum.adapters.process import Family
from ralph_wiggum.ports import AgentRequest, Limits


def memory_in_use() -> int:
    """Return the bytes of memory that this process has now."""
    return int(psutil.Process().memory_info().rss)


@dataclass
class Watching:
    """A watcher that remembers what it was shown and how much memory that took, and may ask for the end."""

    reason: str | None = None
    shown: list[str] = field(default_factory=list)
    memory: list[int] = field(default_factory=lambda: [memory_in_use()])

    def output(self, text: str) -> None:
        self.shown.append(text)
        self.memory.append(memory_in_use())

    def tick(self) -> None:
        self.memory.append(memory_in_use())

    @property
    def grown(self) -> int:
        """Return how many bytes of memory came into use since the beginning, at most."""
        return max(*self.memory, memory_in_use()) - self.memory[0]

    def stop_reason(self) -> str | None:
        return self.reason


Ask = Callable[..., AgentRequest]
Program = Callable[[str], str]


def open_descriptors() -> list[str]:
    """Return the numbers of this process's open descriptors."""
    return sorted(path.name for path in Path("/dev/fd").iterdir())


@pytest.fixture(scope="session")
def keeper() -> Iterator[Keeper]:
    keeper = Keeper.start()
    yield keeper
    keeper.close()


@pytest.fixture
def family(keeper: Keeper) -> Family:
    return Family(keeper, SystemClock())


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Return a function that makes an executable Python program and returns its path."""

    def write(code: str) -> str:
        path = tmp_path / f"program-{len(list(tmp_path.glob('program-*')))}"
        path.write_text(f"#!{sys.executable} -IS\n{dedent(code)}", encoding="utf-8")
        path.chmod(0o755)
        return str(path)

    return write


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """Return a function that makes a request for an attempt in a folder of its own."""
    work = tmp_path / "work"
    work.mkdir()

    def request(
        prompt: str = "do it\n", *, env: Mapping[str, str] | None = None, limits: Limits | None = None, **more: str
    ) -> AgentRequest:
        return AgentRequest(
            prompt=prompt,
            cwd=work,
            env={"RALPH_RUN_ID": f"test-{tmp_path.name}", **(env or {})},
            limits=limits or Limits(task_seconds=30.0),
            log=tmp_path / "logs" / "1-1.log",
            prompt_file=tmp_path / "prompts" / "deep" / "1-1.md",
            substitutions=more,
        )

    return request
