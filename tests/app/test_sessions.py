"""Sessions and money in the loop: what a session is told, when it is not gone on with, what is never forgotten."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ralph_wiggum.app.endure import Endurance
from ralph_wiggum.core.evidence import AgentOutcome, Ending, Usage
from ralph_wiggum.core.journal import Started
from ralph_wiggum.core.visual.looked import Looked
from ralph_wiggum.ports import AgentRequest
from tests.app.nights import NightOfFakes, writes
from tests.fakes import MemoryJournal, MemoryRepo, Play, ScriptedValidator, TextSpec, says, seen, unseen

RESUMES: dict[str, Any] = {"resumes": frozenset({"scripted"})}
CONTINUOUS: dict[str, Any] = {**RESUMES, "continuous": True}
REQUIREMENTS = "# Requirements\n\n## Requirement 7: Go\n\nThe page shows the button Go.\n"
BUILD_AND_LOOK = """- [ ] 1. Build the sidebar
- [ ] 2. **Validate: Sidebar Visual**
  - _Requirements: 7_
  ```bash
  agent-browser open http://localhost:5173/
  agent-browser is visible "#go"
  ```
"""


def night_of(tasks: str, tmp_path: Path, *, play: Play | None = None, **wishes: Any) -> NightOfFakes:
    """Return a night whose agent tells a session: that of its request, else one of its own for each run."""
    holder: dict[str, NightOfFakes] = {}
    does = play or writes(holder)

    def with_session(request: AgentRequest) -> AgentOutcome:
        return replace(does(request), session=request.session or f"s-{len(holder['it'].agent.requests)}")

    night = NightOfFakes(tasks, with_session, tmp_path, **wishes)
    holder["it"] = night
    return night


def test_a_session_from_the_task_before_is_told_all_of_a_task_that_was_only_looked_at_so_far(tmp_path: Path) -> None:
    """The runner looked alone: the session knows nothing of the task, its requirements, its rules."""
    looks = [[unseen()], [seen()]]
    validator = ScriptedValidator(lambda _: Looked(gates=tuple(looks.pop(0) if len(looks) > 1 else looks[0])))
    spec = TextSpec(BUILD_AND_LOOK, {"requirements.md": REQUIREMENTS})
    night = night_of("", tmp_path, spec=spec, validator=validator, **CONTINUOUS)
    night.run()
    second = night.agent.requests[1]
    assert (second.env["RALPH_TASK_ID"], second.session) == ("2", "s-1")
    assert "earlier tasks of this spec" in second.prompt
    assert "The page shows the button Go." in second.prompt


@pytest.mark.parametrize(
    ("first", "repeated"),
    [
        pytest.param(says("I am not sure."), False, id="it knows the task from the attempt before"),
        pytest.param(
            says("You've hit your session limit · resets 3pm", exit_code=1), True, id="nobody knows what got into it"
        ),
    ],
)
def test_a_session_is_told_again_what_it_may_not_know(tmp_path: Path, first: AgentOutcome, *, repeated: bool) -> None:
    spec = TextSpec("- [ ] 1. A\n  - _Requirements: 7_\n", {"requirements.md": REQUIREMENTS})
    left = [first]
    night = night_of(
        "",
        tmp_path,
        play=lambda _: left.pop() if left else says("NO_CHANGE_NEEDED: it is there\nTASK_COMPLETE"),
        spec=spec,
        retry_session="resume",
        **RESUMES,
    )
    night.run()
    second = night.agent.requests[1]
    assert second.session == "s-1"
    assert "this very task" in second.prompt
    assert ("The page shows the button Go." in second.prompt) is repeated


def test_no_session_goes_on_after_what_it_wrote_was_put_back_to_make_room(tmp_path: Path) -> None:
    holder: dict[str, NightOfFakes] = {}

    def play(request: AgentRequest) -> AgentOutcome:
        holder["it"].repo.files["src/1.py"] = request.env["RALPH_ATTEMPT"]
        if len(holder["it"].agent.requests) == 1:
            return AgentOutcome(ending=Ending.DISK_FULL, error="12 MB were left", seconds=5)
        return says("TASK_COMPLETE")

    night = night_of("- [ ] 1. A\n", tmp_path, play=play, retry_session="resume", **RESUMES)
    holder["it"] = night
    night.run()
    assert [request.session for request in night.agent.requests] == ["", ""]


def test_what_an_attempt_cost_is_kept_where_a_bug_of_ours_keeps_it_from_being_judged(tmp_path: Path) -> None:
    class Buggy(MemoryRepo):
        def mend(self) -> tuple[str, ...]:
            raise KeyError("a bug")

    def play(_: AgentRequest) -> AgentOutcome:
        return replace(says("TASK_COMPLETE"), usage=Usage(input_tokens=9, output_tokens=1, cost=0.5))

    night = night_of("- [ ] 1. A\n", tmp_path, play=play, repo=Buggy({"README": "hello"}))
    endurance = Endurance(night.ports, lambda _: "", night.night.mending.distrust, night.night.set_aside)
    outcome = None
    while outcome is None:
        outcome = endurance.take(night.night.step)
    assert (night.ledger.history.cost, night.ledger.history.spent["scripted"].input_tokens) == (0.5, 9)


def test_after_the_runner_was_killed_the_next_attempt_is_told_to_look_at_what_is_there(tmp_path: Path) -> None:
    """Nobody looked at the tree when the attempt ended, so nobody knows which files are its own."""
    killed = night_of("- [ ] 1. A\n", tmp_path, play=lambda _: pytest.fail("not asked"))
    killed.ledger.record(Started(key="1", id="1", name="A", base=killed.repo.snapshot().tree))
    night = night_of("- [ ] 1. A\n", tmp_path, journal=MemoryJournal(killed.journal.entries), repo=killed.repo)
    night.run()
    (request,) = night.agent.requests
    assert "An earlier attempt at this task was cut off" in request.prompt
    assert request.env["RALPH_ATTEMPT"] == "1"
