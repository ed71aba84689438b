"""Visual tasks in the loop: looked at by the runner, never believed, never in the way of the rest (O23-O26)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ralph_wiggum.adapters.templates import load_templates
from ralph_wiggum.app.briefing import Briefing
from ralph_wiggum.app.endure import Endurance
from ralph_wiggum.app.rehearsal import rehearse
from ralph_wiggum.core.decide import Policy
from ralph_wiggum.core.errors import Exit
from ralph_wiggum.core.evidence import AgentOutcome, Gate, GateStatus
from ralph_wiggum.core.journal import Accepted, Ended, SkipDecided, Started, Ticked
from ralph_wiggum.core.model import Task
from ralph_wiggum.core.servers.standing import Health, Standing
from ralph_wiggum.core.visual.looked import Looked
from ralph_wiggum.ports import AgentRequest
from tests.app.nights import NightOfFakes, writes
from tests.fakes import (
    MemoryJournal,
    ScriptedChecks,
    ScriptedServers,
    ScriptedValidator,
    down,
    green,
    red,
    says,
    seen,
    unseen,
)

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


MISSING = "agent-browser is not installed: npm install -g agent-browser && agent-browser install"


@pytest.mark.parametrize("tasks", [BUILD, LOOK])
def test_without_the_tool_a_visual_task_is_skipped_and_no_agent_is_paid_for_it(tasks: str, tmp_path: Path) -> None:
    it = night(tasks, tmp_path, validator=ScriptedValidator(missing=MISSING))
    assert it.run().code == Exit.SOME_SKIPPED
    assert "1" not in it.agent.keys
    assert it.validator.looks == []
    skip = next(entry for entry in it.journal.entries if isinstance(entry, SkipDecided))
    assert MISSING in skip.reason
    text = "".join(it.log.entries.values())
    assert "AUTO-SKIPPED (no agent was asked)" in text
    assert it.marks == ("Sx" if tasks == BUILD else "S")


def test_what_is_missing_while_an_attempt_goes_on_costs_one_attempt(tmp_path: Path) -> None:
    it = night(BUILD, tmp_path, validator=looks([unseen(MISSING, hopeless=True)]))
    assert it.run().code == Exit.SOME_SKIPPED
    assert it.agent.keys == ["1", "2"]


def test_a_tool_that_was_missing_in_an_earlier_run_may_be_there_now(tmp_path: Path) -> None:
    hopeless = Ended(key="1", id="1", run="r0", result="failed", kind="visual", reason=MISSING, hopeless=True)
    it = night(BUILD, tmp_path, journal=MemoryJournal([hopeless]))
    assert it.run().code == Exit.DONE


@pytest.mark.parametrize("tasks", [BUILD, LOOK, PARENT])
def test_what_cannot_be_looked_at_is_left_open_once_where_nothing_is_to_be_skipped(tasks: str, tmp_path: Path) -> None:
    """skip_on_stagnation: false. The task comes back when all else is done, but not for ever."""
    it = night(tasks, tmp_path, validator=missing_and_hopeless(), policy=Policy(on_give_up="leave"))
    outcome = it.run()
    assert outcome.code == Exit.OPEN_TASKS
    assert MISSING in outcome.reason
    assert it.agent.keys == {BUILD: ["2"], LOOK: [], PARENT: ["1.1", "1.2"]}[tasks]


def missing_and_hopeless() -> ScriptedValidator:
    return ScriptedValidator(lambda _: Looked(gates=(unseen(MISSING, hopeless=True),)), missing=MISSING)


@pytest.mark.parametrize("tasks", [BUILD, LOOK, PARENT])
def test_a_bug_in_a_look_costs_its_task_and_not_the_night(tasks: str, tmp_path: Path) -> None:
    """O12: it strikes five times, then the task makes way."""
    more = f"{tasks}\n- [ ] 9. Something else\n"

    def look(_: Task) -> Looked:
        raise KeyError("a bug")

    it = night(more, tmp_path, validator=ScriptedValidator(look))
    endurance = Endurance(it.ports, lambda _: "", it.night.mending.distrust, it.night.set_aside)
    outcome = None
    for _ in range(60):
        if outcome := endurance.take(it.night.step):
            break
    assert outcome is not None
    assert outcome.code == Exit.OPEN_TASKS
    assert it.spec.plan().task("9").done
    assert not it.spec.plan().task("1").done
    assert sum(it.clock.pauses) < 1800


def test_a_look_that_is_hopeless_costs_no_agent_at_all(tmp_path: Path) -> None:
    it = night(LOOK, tmp_path, validator=looks([unseen("nowhere to look", hopeless=True)]))
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


TWO = """# Plan

- [ ] 1. Build the sidebar, and take a screenshot
- [ ] 2. Build the header, and take a screenshot
- [ ] 3. Write the notes
- [ ] 4. Build the footer, and take a screenshot
"""


def all_down(*, held: bool = False) -> tuple[ScriptedServers, ScriptedValidator]:
    gate = replace(down(), environment=held)
    return ScriptedServers(lambda: [gate]), ScriptedValidator(lambda _: Looked(gates=(gate,)))


@pytest.mark.parametrize("held", [False, True])
def test_a_server_that_stays_down_holds_up_visual_tasks_alone_and_not_for_ever(tmp_path: Path, *, held: bool) -> None:
    """O12, O23, O37: the others are done first; then it is waited for four times; then each is skipped, unpaid."""
    servers, validator = all_down(held=held)
    it = night(TWO, tmp_path, servers=servers, validator=validator)
    assert it.run().code == Exit.SOME_SKIPPED
    assert it.marks == "SSxS"
    order = [key for n, key in enumerate(it.agent.keys) if n == 0 or it.agent.keys[n - 1] != key]
    assert order[:3] == ["1", "2", "3"], "what has nothing to do with pages is not kept waiting"
    assert [pause for pause in it.clock.pauses if pause >= 300] == [300.0, 900.0, 1800.0, 3600.0]
    assert len(it.agent.keys) <= 16, "ten for the first, and then one each at most"


def test_a_server_that_comes_back_meanwhile_costs_nothing_more(tmp_path: Path) -> None:
    made: dict[str, NightOfFakes] = {}

    def gates() -> list[Gate]:
        return [] if made["it"].clock.monotonic() > 1000 else [down()]

    made["it"] = it = night(
        TWO,
        tmp_path,
        servers=ScriptedServers(gates),
        validator=ScriptedValidator(lambda _: Looked(gates=(*gates(), seen()))),
    )
    assert it.run().code == Exit.DONE
    assert it.marks == "xxxx"


def test_a_browser_that_cannot_start_is_probed_by_a_look_and_not_by_an_agent(tmp_path: Path) -> None:
    gate = replace(unseen("agent-browser does not work: no display"), environment=True)
    it = night(TWO, tmp_path, validator=ScriptedValidator(lambda _: Looked(gates=(gate,))))
    assert it.run().code == Exit.SOME_SKIPPED
    assert it.marks == "SSxS"
    assert len(it.agent.keys) <= 16


def test_a_task_whose_own_work_breaks_the_server_is_to_blame_alone(tmp_path: Path) -> None:
    it = night(
        TWO, tmp_path, validator=ScriptedValidator(lambda task: Looked(gates=(down() if task.key == "1" else seen(),)))
    )
    assert it.run().code == Exit.SOME_SKIPPED
    assert it.marks == "Sxxx"
    assert not [pause for pause in it.clock.pauses if pause >= 300]


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


@pytest.mark.parametrize(
    ("tasks", "worked"),
    [
        (BUILD, ["1"]),
        (LOOK, []),
        (PARENT, ["1.1"]),
        (PARENT.replace("[ ] 1.", "[x] 1.").replace("[x] 1. ", "[ ] 1. "), []),
    ],
    ids=["work", "look", "below a visual parent", "visual parent"],
)
def test_ralph_next_does_one_task_and_says_how_it_went(tasks: str, worked: list[str], tmp_path: Path) -> None:
    """O30: a gate that comes after it is the next task, not a part of this one."""
    it = night(f"{tasks}\n- [ ] 9. Something else\n", tmp_path, one_task=True)
    assert it.run().code == Exit.DONE
    assert it.agent.keys == worked


def test_ralph_next_lets_an_agent_mend_a_visual_parent_and_stops(tmp_path: Path) -> None:
    tasks = PARENT.replace("[ ] 1.1", "[x] 1.1").replace("[ ] 1.2", "[x] 1.2") + "- [ ] 9. Something else\n"
    it = night(tasks, tmp_path, validator=looks([unseen()], [seen()]), one_task=True)
    assert it.run().code == Exit.DONE
    assert it.agent.keys == ["1"]


def test_the_servers_are_told_which_tree_they_have_to_show(tmp_path: Path) -> None:
    """A look at old code proves nothing: the tree after the attempt is the one that counts."""
    it = night(BUILD, tmp_path)
    before = it.repo.snapshot().tree
    it.run()
    after = next(entry for entry in it.journal.entries if isinstance(entry, Ended)).after
    assert (it.servers.trees[0], it.validator.trees) == (before, [after])
    assert before != after


def test_the_log_says_of_a_look_what_happened_and_no_more(tmp_path: Path) -> None:
    checks = [[red()], [green()]]
    it = night(LOOK, tmp_path, checks=ScriptedChecks(lambda: checks.pop(0) if len(checks) > 1 else checks[0]))
    it.run()
    text = "".join(it.log.entries.values())
    assert "CHECKS FAILED BEFORE THE LOOK" in text
    assert "VISUAL VALIDATION FAILED" not in text


def test_a_dry_run_names_the_servers_and_what_is_missing(tmp_path: Path) -> None:
    servers = ScriptedServers(standings=[Standing(name="web", wanted="http://localhost:5173")])
    it = night(BUILD, tmp_path, servers=servers, validator=ScriptedValidator(missing=MISSING))
    briefing = Briefing(it.order, it.spec, load_templates())
    lines = list(rehearse(it.ports, it.ledger, it.order, briefing))
    assert "servers that would be up for visual tasks: web (http://localhost:5173)" in lines
    assert f"visual tasks could not be looked at, and would be skipped: {MISSING}" in lines
    assert "  1 Build the sidebar (agent, then looked at, line 3)" in lines
    assert servers.ensured == 0


def test_what_did_not_come_up_with_these_files_is_not_waited_for_again(tmp_path: Path) -> None:
    """30 s before each of ten attempts would be five minutes for nothing."""
    it = night(
        BUILD,
        tmp_path,
        lambda _: says("TASK_COMPLETE\nTASK_SKIPPED: cannot"),
        servers=ScriptedServers(lambda: [down()]),
    )
    it.run()
    assert it.agent.keys.count("1") == 10
    assert it.servers.ensured == 1


def test_servers_get_the_time_to_notice_what_the_agent_wrote(tmp_path: Path) -> None:
    """Reloaders look once a second; without servers nothing is waited for."""
    with_server = night(BUILD, tmp_path, servers=ScriptedServers(standings=[Standing(name="web", health=Health.UP)]))
    with_server.run()
    assert sum(with_server.clock.pauses) == pytest.approx(1.5)
    without = night(BUILD, tmp_path)
    without.run()
    assert without.clock.pauses == []


@pytest.mark.parametrize(
    ("details", "reason"),
    [
        ("", "nothing says which page to look at"),
        ("  - `agent-browser is visible '#a'`\n", "nothing says which page to look at"),
        ("  - `agent-browser open http://localhost:1/ | head`\n", "needs a shell"),
    ],
)
def test_what_can_never_be_looked_at_as_it_is_written_costs_no_agent(tmp_path: Path, details: str, reason: str) -> None:
    """No agent can change its own task's text (O17)."""
    it = night(f"- [ ] 1. Build it, and take a screenshot\n{details}- [ ] 2. Other\n", tmp_path, pages=False)
    assert it.run().code == Exit.SOME_SKIPPED
    assert it.agent.keys == ["2"]
    skip = next(entry for entry in it.journal.entries if isinstance(entry, SkipDecided))
    assert reason in skip.reason


def test_a_look_is_told_the_tasks_before_it_under_the_same_parent(tmp_path: Path) -> None:
    tasks = "- [ ] 1. A\n- [ ] 2. P\n  - [ ] 2.1 B\n  - [ ] 2.2 Validate: C\n    - `agent-browser is visible '#a'`\n"
    it = night(tasks, tmp_path)
    it.run()
    assert it.validator.earlier == [("2.1",)]
