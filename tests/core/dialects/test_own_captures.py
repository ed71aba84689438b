"""What the real CLIs printed against the model server (`python -m tests.agents.capture`): every run is understood.

The server's answers stand in tests/modelserver: 1,000 tokens in and 50 out for each, a reset in an hour for `limit`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ralph_wiggum.adapters.agents.hearing import Lines
from ralph_wiggum.core import signals
from ralph_wiggum.core.dialects.heard import Heard
from ralph_wiggum.core.dialects.table import reader
from ralph_wiggum.core.dialects.text_reader import TextReader
from ralph_wiggum.core.evidence import AgentOutcome, Claim, Ending
from ralph_wiggum.core.provider.cause import Diagnosis
from ralph_wiggum.core.provider.classify import diagnose
from ralph_wiggum.core.terminal import clean
from tests.agents.scrubbing import MOMENT
from tests.core.dialects.capture_table import WANTED

CAPTURES = Path(__file__).parents[2] / "data" / "captures"
ENDS = json.loads((CAPTURES / "ends.json").read_text())
COMMAND = "echo hello > hello.txt"  # what the task has the model do
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


def agent_of(name: str) -> str:
    return name.split("-", maxsplit=1)[0]


def hear(name: str, lines: list[bytes]) -> Heard:
    listening = reader(agent_of(name))
    for line in lines:
        listening.hear(line)
    return listening.heard()


def replay(name: str) -> Run:
    listening = reader(agent_of(name))
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


def test_every_capture_is_of_a_run_whose_end_is_known() -> None:
    assert sorted(ENDS) == names()
    assert {cell(name) for name in names()} == set(WANTED)


def test_no_capture_names_a_machine_or_a_key_and_all_are_small() -> None:
    files = sorted(CAPTURES.iterdir())
    named = re.compile(r"/root\b|(?<!/home/person)/tmp/|127\.0\.0\.1:(?!8765\b)|sk-mock-\w|sk-ant|\bBearer ")
    assert [file.name for file in files if named.search(file.read_text())] == []
    assert max(file.stat().st_size for file in files) < 26_000
    assert sum(file.stat().st_size for file in files) < 400_000


@pytest.mark.parametrize("name", names())
def test_a_capture_is_understood(name: str) -> None:
    run, wanted = replay(name), WANTED[cell(name)]
    heard = run.heard
    last = heard.notices[-1] if heard.notices else None
    assert (heard.completed, heard.flagged) == (wanted.completed, wanted.flagged)
    assert heard.message.strip().split("\n")[-1] == wanted.last
    assert (last and (last.kind, last.status, last.final)) == wanted.notice
    assert all(not notice.stale for notice in heard.notices[-1:])
    assert (heard.usage and (heard.usage.input_tokens, heard.usage.output_tokens, heard.usage.cost)) == wanted.used
    assert bool(heard.session) == wanted.session
    assert (COMMAND in run.shown) == wanted.worked


@pytest.mark.parametrize("name", names())
def test_b1_a_capture_is_diagnosed(name: str) -> None:
    found, wanted = replay(name).diagnosis, WANTED[cell(name)]
    assert found.cause is wanted.cause, found
    assert found.until == (MOMENT + wanted.until if wanted.until else None)
    assert wanted.words in found.words


@pytest.mark.parametrize("name", names())
def test_a_capture_that_is_torn_anywhere_is_no_success(name: str) -> None:
    data = part(name, "out")
    lines = data.rstrip(b"\n").split(b"\n")
    events = not isinstance(reader(agent_of(name)), TextReader)
    for number, line in enumerate(lines):
        found = hear(name, [*lines[:number], line[: len(line) // 2]])
        if events:  # text has no event that ends every run: there the exit code tells
            assert not (found.completed and signals.read(found.message).claim is Claim.TASK_COMPLETE)


GARBAGE = st.lists(
    st.binary(max_size=80).map(lambda data: b"~" + data.replace(b"\n", b" ").replace(b"{", b"(")), max_size=3
)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_foreign_lines_between_events_change_nothing(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(names()))
    lines = part(name, "out").rstrip(b"\n").split(b"\n")
    mixed = []
    for line in lines:
        mixed += [*data.draw(GARBAGE), line]
    found = hear(name, mixed)
    if not isinstance(reader(agent_of(name)), TextReader) and part(name, "out"):
        assert found == hear(name, lines)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_it_does_not_matter_how_the_bytes_come(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(names()))
    output, lines = part(name, "out"), Lines()
    size = data.draw(st.integers(1, 5000))
    came: list[bytes] = []
    for at in range(0, len(output), size):
        came += lines.feed(output[at : at + size])
    assert hear(name, [*came, lines.rest()]) == hear(name, output.split(b"\n"))
