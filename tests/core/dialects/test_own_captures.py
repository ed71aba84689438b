"""What the real CLIs printed against the model server (`python -m tests.agents.capture`): every run is understood.

The server's answers stand in tests/modelserver: 1,000 tokens in and 50 out for each, a reset in an hour for `limit`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ralph_wiggum.adapters.agents.hearing import Lines
from ralph_wiggum.core import signals
from ralph_wiggum.core.dialects.heard import Heard
from ralph_wiggum.core.dialects.table import reader
from ralph_wiggum.core.dialects.text_reader import TextReader
from ralph_wiggum.core.evidence import AgentOutcome, Claim, Ending, Notice, Usage
from ralph_wiggum.core.provider.cause import Cause, Diagnosis
from ralph_wiggum.core.provider.classify import diagnose
from ralph_wiggum.core.terminal import clean
from tests.agents.scrubbing import MOMENT

CAPTURES = Path(__file__).parents[2] / "data" / "captures"
ENDS = json.loads((CAPTURES / "ends.json").read_text())
ERRORS_END = 4096  # characters of standard error that a driver keeps


@dataclass(frozen=True, slots=True)
class Run:
    """One capture, heard as the driver hears it."""

    heard: Heard
    shown: str
    outcome: AgentOutcome

    @property
    def diagnosis(self) -> Diagnosis:
        return diagnose(self.outcome, signals.read(self.outcome.message), MOMENT)


def names() -> list[str]:
    return sorted(path.stem for path in CAPTURES.glob("*.out"))


def cell(name: str) -> str:
    """Return agent and mode of a capture, without the version."""
    agent, *_, mode = name.split("-")
    return f"{agent}-{mode}"


def replay(name: str) -> Run:
    listening = reader(name.split("-", maxsplit=1)[0])
    data = part(name, "out")
    shown = "".join(map(listening.hear, data.split(b"\n")))
    if isinstance(listening, TextReader):
        listening.reads(part(name, "report"))
    heard = listening.heard()
    errors = clean(part(name, "err").decode())[-ERRORS_END:]
    end = ENDS[name]
    outcome = AgentOutcome(
        ending=Ending(end["ending"]),
        exit_code=end["exit_code"],
        message=heard.message,
        excerpt=shown + errors,
        errors=errors,
        notices=heard.notices,
        completed=heard.completed,
        flagged=heard.flagged,
        denied=heard.denied,
        usage=heard.usage,
        session=heard.session,
    )
    return Run(heard, shown, outcome)


def part(name: str, kind: str) -> bytes:
    path = CAPTURES / f"{name}.{kind}"
    return path.read_bytes() if path.exists() else b""
