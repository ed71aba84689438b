"""Visual tasks in the loop: looked at by the runner, never believed, never in the way of the rest (O23-O26)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from ralph_wiggum.core.decide import Policy
from ralph_wiggum.core.errors import Exit
from ralph_wiggum.core.evidence import AgentOutcome, Gate, GateStatus
from ralph_wiggum.core.journal import Accepted, Ended, SkipDecided, Started, Ticked
from ralph_wiggum.core.model import Task
from ralph_wiggum.core.servers.standing import Health, Standing
from ralph_wiggum.core.visual.looked import Looked
from ralph_wiggum.ports import AgentRequest
from tests.app.nights import NightOfFakes, writes
from tests.fakes import ScriptedChecks, ScriptedServers, ScriptedValidator, down, green, red, says, seen, unseen

BUILD = """# Plan

- [ ] 1. Build the sidebar
  - Check it by visual validation:
  ```bash
  agent-browser open http://localhost:5173/
  agent-browser is visible "#go"
  ```
- [ ] 2. Write the notes
"""
LOOK = """# Plan

- [ ] 1. **Validate: Sidebar Visual**
  ```bash
  agent-browser open http://localhost:5173/
  agent-browser is visible "#go"
  ```
"""
PARENT = """# Plan

- [ ] 1. Sidebar, with visual validation at the end
  - [ ] 1.1 Write the list
  - [ ] 1.2 Write the styles
"""


def looks(*results: Sequence[Gate]) -> ScriptedValidator:
    """Return a validator that gives these gates one after the other, the last one for ever."""
    left = list(results)
    return ScriptedValidator(lambda _: Looked(gates=tuple(left.pop(0) if len(left) > 1 else left[0])))


def night(
    tasks: str, tmp_path: Path, play: Callable[[AgentRequest], AgentOutcome] | None = None, **parts: object
) -> NightOfFakes:
    made: dict[str, NightOfFakes] = {}
    made["it"] = NightOfFakes(tasks, play or writes(made), tmp_path, **parts)  # type: ignore[arg-type]  # as named there
    return made["it"]


def ends(it: NightOfFakes) -> list[Ended]:
    return [entry for entry in it.journal.entries if isinstance(entry, Ended)]


def test_a_visual_task_is_complete_after_checks_and_a_look(tmp_path: Path) -> None:
    checks = ScriptedChecks(lambda: [green()])
    it = night(BUILD, tmp_path, checks=checks)
    assert it.run().code == Exit.DONE
    assert it.validator.looks == ["1"]  # the other task is not visual
    ticked = next(entry for entry in it.journal.entries if isinstance(entry, Ticked))
    assert ticked.verified
    assert [gate.name for gate in ticked.gates] == ["pytest", "visual"]


def test_red_checks_come_first_and_spare_the_look(tmp_path: Path) -> None:
    results = [[red()], [green()]]
    checks = ScriptedChecks(lambda: results.pop(0) if len(results) > 1 else results[0])
    it = night(BUILD, tmp_path, checks=checks)
    assert it.run().code == Exit.DONE
    assert it.agent.keys == ["1", "1", "2"]
    assert it.validator.looks == ["1"]


def test_a_failed_look_is_a_failed_attempt_and_the_next_prompt_tells_it(tmp_path: Path) -> None:
    it = night(BUILD, tmp_path, validator=looks([unseen()], [seen()]))
    assert it.run().code == Exit.DONE
    first = ends(it)[0]
    assert (first.result, first.kind, first.failing) == ("failed", "visual", 'agent-browser is visible "#go"')
    prompt = it.agent.requests[1].prompt
    assert 'is visible "#go" answered false' in prompt
    assert "screenshots/demo/1.png" in prompt


def test_ten_identical_failed_looks_skip_the_task(tmp_path: Path) -> None:
    it = night(BUILD, tmp_path, validator=looks([unseen()]))
    outcome = it.run()
    assert outcome.code == Exit.SOME_SKIPPED
    assert it.agent.keys == ["1"] * 10 + ["2"]
    assert it.marks == "Sx"


def test_a_task_that_only_asks_to_look_costs_no_agent_when_the_page_is_well(tmp_path: Path) -> None:
    it = night(LOOK, tmp_path)
    assert it.run().code == Exit.DONE
    assert it.agent.requests == []
    ticked = next(entry for entry in it.journal.entries if isinstance(entry, Ticked))
    assert (ticked.how, ticked.verified, ticked.attempts) == ("validation", True, 0)
    assert "no agent was needed" in "".join(it.log.entries.values())
    assert it.ledger.history.iterations == 0


def test_a_look_that_fails_before_any_agent_is_no_attempt_of_one(tmp_path: Path) -> None:
    it = night(LOOK, tmp_path, validator=looks([unseen()], [seen()]))
    assert it.run().code == Exit.DONE
    assert [request.env["RALPH_ATTEMPT"] for request in it.agent.requests] == ["1"]
    assert 'is visible "#go" answered false' in it.agent.requests[0].prompt
    assert "VISUAL VALIDATION FAILED" in "".join(it.log.entries.values())


def test_a_task_that_only_asks_to_look_gets_ten_agents_before_it_is_skipped(tmp_path: Path) -> None:
    it = night(LOOK, tmp_path, validator=looks([unseen()]))
    assert it.run().code == Exit.SOME_SKIPPED
    assert len(it.agent.requests) == 10
    assert len(it.validator.looks) == 11  # one before any of them


def test_a_look_alone_needs_no_changed_file_afterwards(tmp_path: Path) -> None:
    it = night(
        LOOK, tmp_path, lambda _: says("The server was asleep.\n\nTASK_COMPLETE"), validator=looks([unseen()], [seen()])
    )
    assert it.run().code == Exit.DONE
    assert ends(it)[-1].verified


def test_every_run_looks_again_before_it_pays_an_agent(tmp_path: Path) -> None:
    first = night(LOOK, tmp_path, validator=looks([unseen()]), max_iterations=2)
    assert first.run().code == Exit.OPEN_TASKS
    second = NightOfFakes(
        first.spec.text,
        first.agent.play,
        tmp_path,
        spec=first.spec,
        repo=first.repo,
        journal=first.journal,
        run_id="r2",
    )
    assert second.run().code == Exit.DONE
    assert second.agent.requests == []


def test_what_no_attempt_can_change_is_skipped_after_one(tmp_path: Path) -> None:
    missing = "agent-browser is not installed: npm install -g agent-browser && agent-browser install"
    it = night(BUILD, tmp_path, validator=looks([unseen(missing, hopeless=True)]))
    assert it.run().code == Exit.SOME_SKIPPED
    assert it.agent.keys == ["1", "2"]
    skip = next(entry for entry in it.journal.entries if isinstance(entry, SkipDecided))
    assert missing in skip.reason


def test_a_look_that_is_hopeless_costs_no_agent_at_all(tmp_path: Path) -> None:
    it = night(LOOK, tmp_path, validator=looks([unseen("no agent-browser", hopeless=True)]))
    assert it.run().code == Exit.SOME_SKIPPED
    assert it.agent.requests == []


def test_a_visual_parent_is_looked_at_before_it_is_ticked(tmp_path: Path) -> None:
    it = night(PARENT, tmp_path)
    assert it.run().code == Exit.DONE
    assert it.validator.looks == ["1"]
    assert [entry.how for entry in it.journal.entries if isinstance(entry, Ticked)] == ["agent", "agent", "validation"]


def test_a_visual_parent_that_fails_is_given_to_an_agent_to_mend(tmp_path: Path) -> None:
    it = night(PARENT, tmp_path, validator=looks([unseen()], [seen()]))
    assert it.run().code == Exit.DONE
    assert it.agent.keys == ["1.1", "1.2", "1"]
    assert it.marks == "xxx"
    text = "".join(it.log.entries.values())
    assert "VISUAL VALIDATION FAILED: Sidebar" in text
    assert "CHECKPOINT" not in text


def test_a_visual_parent_that_cannot_be_looked_at_costs_no_agent(tmp_path: Path) -> None:
    it = night(PARENT, tmp_path, validator=looks([unseen("no agent-browser", hopeless=True)]))
    assert it.run().code == Exit.SOME_SKIPPED
    assert it.agent.keys == ["1.1", "1.2"]
    assert it.marks == "Sxx"


def test_a_visual_checkpoint_passes_its_checks_and_its_look(tmp_path: Path) -> None:
    checks = ScriptedChecks(lambda: [green()])
    it = night(
        "- [ ] 1. Checkpoint: end-to-end validation of the page\n",
        tmp_path,
        checks=checks,
        validator=looks([unseen()], [seen()]),
    )
    assert it.run().code == Exit.DONE
    ticked = next(entry for entry in it.journal.entries if isinstance(entry, Ticked))
    assert (ticked.how, [gate.name for gate in ticked.gates]) == ("checkpoint", ["pytest", "visual"])
    assert it.agent.keys == ["1"]


def test_switched_off_validation_leaves_the_checks_to_decide_and_says_so(tmp_path: Path) -> None:
    it = night(BUILD, tmp_path, checks=ScriptedChecks(lambda: [green()]), visual=False)
    assert it.run().code == Exit.DONE
    assert it.validator.looks == []
    assert "visual_validation.enabled is false" in "".join(it.log.entries.values())


def test_accepted_console_errors_are_kept_for_the_next_look(tmp_path: Path) -> None:
    known = {"/": ("boom",)}
    it = night(BUILD, tmp_path, validator=ScriptedValidator(lambda _: Looked(gates=(seen(),), console=known)))
    assert it.run().code == Exit.DONE
    assert [entry.key for entry in it.journal.entries if isinstance(entry, Accepted)] == ["1"]
    assert it.ledger.history.console == known


def test_a_failed_look_accepts_nothing(tmp_path: Path) -> None:
    it = night(
        LOOK, tmp_path, validator=ScriptedValidator(lambda _: Looked(gates=(unseen(),), console={"/": ("boom",)}))
    )
    it.run()
    assert it.ledger.history.console == {}


# --- servers


def test_servers_are_brought_up_before_the_agent_of_a_visual_task_and_told_to_it(tmp_path: Path) -> None:
    up = Standing(name="web", health=Health.UP, url="http://localhost:5173")
    servers = ScriptedServers(standings=[up])
    it = night(BUILD, tmp_path, servers=servers)
    assert it.run().code == Exit.DONE
    assert servers.ensured == 1
    assert "http://localhost:5173 (web)" in it.agent.requests[0].prompt


def test_an_agent_hears_which_server_is_not_up_and_why(tmp_path: Path) -> None:
    broken = Standing(
        name="api", health=Health.FAILED, reason="ended with exit code 1", tail="import error\nno module app"
    )
    it = night(BUILD, tmp_path, servers=ScriptedServers(lambda: [down()], standings=[broken]))
    it.run()
    assert "The server api is not up: ended with exit code 1" in it.agent.requests[0].prompt
    assert "no module app" in it.agent.requests[0].prompt


def test_words_of_the_servers_are_noted_once(tmp_path: Path) -> None:
    servers = ScriptedServers(words=["server web died; started again in 1 s"])
    it = night(BUILD, tmp_path, servers=servers)
    it.run()
    assert it.view.words.count("server web died; started again in 1 s") == 1


@pytest.mark.parametrize("still_down", [True, False])
def test_a_server_that_stays_down_without_the_work_of_a_task_is_not_the_tasks_fault(
    tmp_path: Path, *, still_down: bool
) -> None:
    two = BUILD.replace("- [ ] 2. Write the notes", "- [ ] 2. Build the header, and take a screenshot")
    skips = 0

    def validator(_: Task) -> Looked:
        return Looked(gates=(down(),))

    it = night(
        two,
        tmp_path,
        servers=ScriptedServers(lambda: [down()] if still_down else []),
        validator=ScriptedValidator(validator),
        max_iterations=40,
    )
    it.run()
    waited = [pause for pause in it.clock.pauses if pause >= 300]
    skips = it.marks.count("S")
    assert (bool(waited), skips) == ((True, 2) if still_down else (False, 2))


def test_stopping_in_the_middle_of_a_look_counts_as_nothing(tmp_path: Path) -> None:
    stopped = Gate(name="visual", kind="visual", status=GateStatus.NOT_RUN, reason="stopped")
    made: dict[str, NightOfFakes] = {}

    def look(_: Task) -> Looked:
        made["it"].interrupted = "SIGINT"
        return Looked(gates=(stopped,))

    made["it"] = it = night(BUILD, tmp_path, validator=ScriptedValidator(look))
    assert it.run().code == Exit.INTERRUPTED
    assert ends(it)[-1].result == "interrupted"
    assert not [entry for entry in it.journal.entries if isinstance(entry, Ticked)]


def test_ralph_next_looks_too(tmp_path: Path) -> None:
    policy = Policy(threshold=3, max_attempts=3, on_give_up="end")
    it = night(BUILD, tmp_path, validator=looks([unseen()]), one_task=True, policy=policy)
    assert it.run().code == Exit.OPEN_TASKS
    assert len([entry for entry in it.journal.entries if isinstance(entry, Started)]) == 3
