"""The loop with scripted ports: never stop, never believe (O2, O3, O10-O19, O30, O34, O37, O38)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ralph_wiggum.app.endure import Endurance
from ralph_wiggum.core.decide import Policy
from ralph_wiggum.core.errors import Exit, RalphError
from ralph_wiggum.core.evidence import AgentOutcome, Ending
from ralph_wiggum.core.journal import Ended, Entry, Noted, SkipAsked, SkipDecided, Skipped, Started, Ticked, Waiting
from ralph_wiggum.core.model import Plan
from ralph_wiggum.ports import AgentRequest, Committed, Snapshot
from tests.app.nights import NightOfFakes, writes
from tests.fakes import MemoryJournal, MemoryRepo, Play, ScriptedChecks, TextSpec, green, red, says

PLAN = """# Plan

- [ ] 1. Storage
  - [ ] 1.1 Schema
  - [ ] 1.2 Store
- [ ]* 2. Nice to have
- [ ] 3. Web
"""


def night_of(tasks: str, tmp_path: Path, play: Play | None = None, **wishes: Any) -> NightOfFakes:
    holder: dict[str, NightOfFakes] = {}
    night = NightOfFakes(tasks, play or writes(holder), tmp_path, **wishes)
    holder["it"] = night
    return night


def test_a_spec_is_worked_from_its_first_to_its_last_task(tmp_path: Path) -> None:
    """O2, O3, O4, O10, O11: order, parents without an agent, optional ones left alone, one commit a task."""
    night = night_of(PLAN, tmp_path)
    outcome = night.run()
    assert outcome.code is Exit.DONE
    assert night.agent.keys == ["1.1", "1.2", "3"]
    assert night.spec.text == PLAN.replace("[ ] ", "[x] ")
    assert [subject for subject, _, _ in night.repo.commits] == [
        "feat(demo): Schema",
        "feat(demo): Store",
        "feat(demo): Web",
    ]
    assert night.repo.commits[0][1] == ("src/1.1.py",)


def test_optional_tasks_are_worked_when_asked_for(tmp_path: Path) -> None:
    night = night_of(PLAN, tmp_path, optional=True)
    assert night.run().code is Exit.DONE
    assert "2" in night.agent.keys


def test_an_identical_failure_is_skipped_after_exactly_ten_runs(tmp_path: Path) -> None:
    """O14: and its leftovers are kept and taken out, and all others are done."""
    holder: dict[str, NightOfFakes] = {}
    good = writes(holder)

    def play(request: AgentRequest) -> AgentOutcome:
        if request.env["RALPH_TASK_ID"] != "1.2":
            return good(request)
        holder["it"].repo.files["mess.txt"] = request.env["RALPH_ATTEMPT"]
        return says("no luck", exit_code=7)

    night = holder["it"] = NightOfFakes(PLAN, play, tmp_path)
    outcome = night.run()
    assert outcome.code is Exit.OPEN_TASKS or outcome.code is Exit.SOME_SKIPPED
    assert outcome.code is Exit.SOME_SKIPPED
    assert night.agent.keys.count("1.2") == 10
    assert night.agent.keys[-1] == "3"
    assert "mess.txt" not in night.repo.files
    assert (tmp_path / ".ralph/demo/skipped/1.2.patch").read_text() == "A mess.txt\n"
    assert night.marks == " xS x"  # the parent of a skipped task stays open (O3)


def test_a_failure_that_changes_is_capped_at_thirty(tmp_path: Path) -> None:
    def play(request: AgentRequest) -> AgentOutcome:
        return says("", exit_code=1 + int(request.env["RALPH_ATTEMPT"]) % 3)

    night = night_of("- [ ] 1. A\n", tmp_path, play)
    assert night.run().code is Exit.SOME_SKIPPED
    assert len(night.agent.keys) == 30


def test_success_after_failure_ticks(tmp_path: Path) -> None:
    holder: dict[str, NightOfFakes] = {}
    good = writes(holder)

    def play(request: AgentRequest) -> AgentOutcome:
        return good(request) if request.env["RALPH_ATTEMPT"] == "4" else says("", exit_code=1)

    night = holder["it"] = NightOfFakes("- [ ] 1. A\n- [ ] 2. B\n", play, tmp_path)
    night.run()
    ticked = [entry for entry in night.journal.entries if isinstance(entry, Ticked)]
    assert [t.attempts for t in ticked] == [4, 4]


LIES = {
    "says it is done": lambda _: says("All done.\nTASK_COMPLETE"),
    "says all is done": lambda _: says("ALL_TASKS_COMPLETE"),
    "quotes the signals": lambda _: says("I will print TASK_COMPLETE when done"),
    "claims a checkpoint": lambda _: says("CHECKPOINT_PASSED: all"),
    "says nothing": lambda _: says(""),
    "gives up": lambda _: says("TASK_SKIPPED: too hard"),
}


@pytest.mark.parametrize("name", LIES)
def test_an_agent_that_lies_changes_nothing_but_its_own_verdict(name: str, tmp_path: Path) -> None:
    """O16, O17."""
    night = night_of("- [ ] 1. A\n- [ ] 2. B\n", tmp_path, LIES[name])
    assert night.run().code is Exit.SOME_SKIPPED
    assert night.agent.keys == ["1"] * 10 + ["2"] * 10
    assert not night.repo.commits


def test_marks_that_an_agent_sets_are_put_back(tmp_path: Path) -> None:
    """O17: it ticks everything, then deletes the file; neither counts."""
    text = "- [ ] 1. A\n- [ ] 2. B\n"
    holder: dict[str, NightOfFakes] = {}

    def play(request: AgentRequest) -> AgentOutcome:
        spec = holder["it"].spec
        spec.text = spec.text.replace("[ ]", "[x]").replace("[-]", "[x]") if len(holder["it"].agent.keys) % 2 else ""
        return says("TASK_COMPLETE")

    night = holder["it"] = NightOfFakes(text, play, tmp_path)
    assert night.run().code is Exit.SOME_SKIPPED
    assert night.spec.text == text.replace("[ ]", "[S]")


def test_a_foreign_edit_stays_and_is_noted(tmp_path: Path) -> None:
    """O17: a person adds a task while an attempt runs; it is worked on too."""
    holder: dict[str, NightOfFakes] = {}
    good = writes(holder)

    def play(request: AgentRequest) -> AgentOutcome:
        spec = holder["it"].spec
        if "2. B" not in spec.text:
            spec.text += "- [ ] 2. B\n"
        return good(request)

    night = holder["it"] = NightOfFakes("- [ ] 1. A\n", play, tmp_path)
    assert night.run().code is Exit.DONE
    assert night.spec.text == "- [x] 1. A\n- [x] 2. B\n"
    noted = [entry for entry in night.journal.entries if isinstance(entry, Noted)]
    assert any("+- [ ] 2. B" in entry.detail for entry in noted)


def test_nothing_had_to_be_done(tmp_path: Path) -> None:
    """O16: NO_CHANGE_NEEDED is enough where the checks pass, and unverified where none ran."""
    play: Play = lambda _: says("It was there.\nNO_CHANGE_NEEDED: exists already\nTASK_COMPLETE")  # noqa: E731 - a script
    for checks, verified in ((ScriptedChecks(lambda: [green()]), True), (ScriptedChecks(), False)):
        night = night_of("- [ ] 1. A\n", tmp_path, play, checks=checks)
        assert night.run().code is Exit.DONE
        assert [e.verified for e in night.journal.entries if isinstance(e, Ticked)] == [verified]


def test_red_checks_beat_the_claim(tmp_path: Path) -> None:
    """O18: the same failing test ten times skips; the checks ran after every claim."""
    checks = ScriptedChecks(lambda: [red("1 failed", "t.py::test_a")])
    night = night_of("- [ ] 1. A\n", tmp_path, checks=checks)
    assert night.run().code is Exit.SOME_SKIPPED
    assert night.agent.keys == ["1"] * 10
    assert checks.calls[0] == ["src/1.py"]


def test_the_prompt_of_a_retry_tells_what_failed(tmp_path: Path) -> None:
    """O13."""
    checks = ScriptedChecks(lambda: [red("1 failed", "t.py::test_a")])
    night = night_of("- [ ] 1. A\n", tmp_path, checks=checks)
    night.run()
    prompts = [request.prompt for request in night.agent.requests]
    assert "1 failed" not in prompts[0]
    assert all("1 failed" in prompt for prompt in prompts[1:])
    assert len({request.prompt for request in night.agent.requests[:4]}) == 4


def test_a_pure_checkpoint_costs_no_agent(tmp_path: Path) -> None:
    """O19."""
    checks = ScriptedChecks(lambda: [green()])
    night = night_of("- [ ] 1. A\n- [ ] 2. Checkpoint - all tests pass\n", tmp_path, checks=checks)
    assert night.run().code is Exit.DONE
    assert night.agent.keys == ["1"]
    assert checks.calls == [["src/1.py"], None]


def test_a_blocked_checkpoint_is_mended_by_the_agent(tmp_path: Path) -> None:
    """O19: blocked, asked to fix, passed, committed."""
    holder: dict[str, NightOfFakes] = {}

    def play(request: AgentRequest) -> AgentOutcome:
        holder["it"].repo.files[f"fix-{request.env['RALPH_ATTEMPT']}"] = "x"
        return says("fixed")

    checks = ScriptedChecks(lambda: [green() if "fix-3" in holder["it"].repo.files else red()])
    night = holder["it"] = NightOfFakes("- [ ] 1. Final checkpoint\n", play, tmp_path, checks=checks)
    assert night.run().code is Exit.DONE
    assert len(night.agent.keys) == 3
    assert len(checks.calls) == 4  # once before the first round and once after each
    assert night.repo.commits[0][1] == ("fix-1", "fix-2", "fix-3")
    assert any("CHECKPOINT BLOCKED" in text for text in night.log.entries.values())
    assert any("CHECKPOINT PASSED" in text for text in night.log.entries.values())


def test_a_checkpoint_that_cannot_be_mended_is_skipped_after_ten_rounds(tmp_path: Path) -> None:
    checks = ScriptedChecks(lambda: [red()])
    night = night_of("- [ ] 1. Checkpoint\n- [ ] 2. Checkpoint two\n", tmp_path, lambda _: says("?"), checks=checks)
    assert night.run().code is Exit.SOME_SKIPPED
    assert night.agent.keys.count("1") == 10
    assert any("CHECKPOINT SKIPPED" in text for text in night.log.entries.values())


def test_a_checkpoint_that_fails_ends_the_run_where_the_settings_say_so(tmp_path: Path) -> None:
    """O34: checkpoint_skip_on_failure false."""
    checks = ScriptedChecks(lambda: [red()])
    night = night_of(
        "- [ ] 1. Checkpoint\n", tmp_path, lambda _: says("?"), checks=checks, end_at_failed_checkpoint=True
    )
    assert night.run().code is Exit.OPEN_TASKS


def test_a_pause_at_a_checkpoint_ends_in_good_order(tmp_path: Path) -> None:
    """O34: checkpoint_pause."""
    night = night_of("- [ ] 1. Checkpoint\n- [ ] 2. B\n", tmp_path, pause_at_checkpoint=True)
    outcome = night.run()
    assert (outcome.code, outcome.state) == (Exit.OPEN_TASKS, "Paused at Checkpoint")
    assert night.marks == "x "


def test_checkpoints_are_ordinary_tasks_where_detection_is_off(tmp_path: Path) -> None:
    night = night_of("- [ ] 1. Checkpoint\n", tmp_path, checkpoints=False)
    assert night.run().code is Exit.DONE
    assert night.agent.keys == ["1"]


def test_a_parent_that_is_a_checkpoint_passes_its_gate_first(tmp_path: Path) -> None:
    """O3."""
    checks = ScriptedChecks(lambda: [green()])
    night = night_of("- [ ] 1. Checkpoint\n  - [ ] 1.1 A\n", tmp_path, checks=checks)
    assert night.run().code is Exit.DONE
    assert checks.calls == [["src/1.1.py"], None]


def test_the_iterations_end_the_run(tmp_path: Path) -> None:
    """O10."""
    night = night_of("- [ ] 1. A\n- [ ] 2. B\n- [ ] 3. C\n", tmp_path, max_iterations=2)
    outcome = night.run()
    assert outcome.code is Exit.OPEN_TASKS
    assert night.marks == "xx "


def test_exactly_enough_iterations_complete(tmp_path: Path) -> None:
    night = night_of("- [ ] 1. A\n  - [ ] 1.1 B\n", tmp_path, max_iterations=1)
    assert night.run().code is Exit.DONE


def test_queued_tasks_are_left_and_said(tmp_path: Path) -> None:
    """Contract: 4 where only queued tasks are left."""
    night = night_of("- [ ] 1. A\n- [~] 2. B\n", tmp_path)
    assert night.run().code is Exit.OPEN_TASKS
    assert night.marks == "x~"


def test_stop_on_failure_ends_the_run(tmp_path: Path) -> None:
    night = night_of("- [ ] 1. A\n- [ ] 2. B\n", tmp_path, lambda _: says(""), policy=Policy(on_give_up="end"))
    assert night.run().code is Exit.OPEN_TASKS
    assert night.agent.keys == ["1"] * 10


def test_a_task_left_open_comes_back_last(tmp_path: Path) -> None:
    """O34: skip_on_stagnation false."""
    holder: dict[str, NightOfFakes] = {}
    good = writes(holder)

    def play(request: AgentRequest) -> AgentOutcome:
        late = holder["it"].spec.plan().task("2").done
        return good(request) if request.env["RALPH_TASK_ID"] == "2" or late else says("", exit_code=1)

    night = holder["it"] = NightOfFakes("- [ ] 1. A\n- [ ] 2. B\n", play, tmp_path, policy=Policy(on_give_up="leave"))
    assert night.run().code is Exit.DONE
    assert night.agent.keys == ["1"] * 10 + ["2", "1"]


def test_ralph_next_does_one_task_and_tries_three_times(tmp_path: Path) -> None:
    """O30."""
    policy = Policy(threshold=3, max_attempts=3, on_give_up="end")
    night = night_of(PLAN, tmp_path, one_task=True, policy=policy)
    assert night.run().code is Exit.DONE
    assert night.agent.keys == ["1.1"]
    failing = night_of(PLAN, tmp_path, lambda _: says("", exit_code=1), one_task=True, policy=policy)
    assert failing.run().code is Exit.OPEN_TASKS
    assert failing.agent.keys == ["1.1"] * 3
    assert failing.marks == " -   "


def test_ralph_next_closes_the_parent_with_its_last_sub_task(tmp_path: Path) -> None:
    night = night_of("- [ ] 1. A\n  - [ ] 1.1 B\n- [ ] 2. C\n", tmp_path, one_task=True)
    assert night.run().code is Exit.DONE
    assert night.marks == "xx "


def test_a_commit_that_fails_costs_nothing_but_itself(tmp_path: Path) -> None:
    """O12: the task is complete, the log says that it is not committed, the night goes on."""

    class NoCommits(MemoryRepo):
        def commit(self, *_: object, **__: object) -> Committed:
            raise RalphError("git: object store is read-only")

    night = night_of("- [ ] 1. A\n- [ ] 2. B\n", tmp_path, repo=NoCommits())
    assert night.run().code is Exit.DONE
    ticked = [entry for entry in night.journal.entries if isinstance(entry, Ticked)]
    assert all("read-only" in entry.notes[0] for entry in ticked)


def test_a_step_that_failed_half_way_is_finished_at_the_next(tmp_path: Path) -> None:
    """B2: the journal could not be written after the tick; the task is told as complete all the same."""

    class FullOnce(MemoryJournal):
        full = True

        def append(self, entry: Entry) -> None:
            if isinstance(entry, Ticked) and self.full:
                self.full = False
                raise OSError(28, "No space left on device")
            super().append(entry)

    night = night_of("- [ ] 1. A\n- [ ] 2. B\n", tmp_path, journal=FullOnce())
    endurance = Endurance(night.ports, lambda _: "", night.night.mending.distrust)
    outcome = None
    while outcome is None:
        outcome = endurance.take(night.night.step)
    assert outcome.code is Exit.DONE
    assert [e.key for e in night.journal.entries if isinstance(e, Ticked)] == ["1", "2"]
    assert any("No space left" in word for word in night.view.words)


def test_an_agents_work_is_not_paid_for_twice_when_something_of_ours_fails(tmp_path: Path) -> None:
    """O12: git fails after the agent's end; the same outcome is judged once git is back."""

    class Shaky(MemoryRepo):
        left = 3

        def mend(self) -> tuple[str, ...]:
            self.left -= 1
            if self.left >= 0:
                raise RalphError("git: cannot allocate memory")
            return ()

    night = night_of("- [ ] 1. A\n", tmp_path, repo=Shaky())
    endurance = Endurance(night.ports, lambda _: "", night.night.mending.distrust)
    outcome = None
    while outcome is None:
        outcome = endurance.take(night.night.step)
    assert outcome.code is Exit.DONE
    assert night.agent.keys == ["1"]
    assert len([entry for entry in night.journal.entries if isinstance(entry, Ended)]) == 1


@pytest.mark.parametrize(
    ("fails", "commits"),
    [
        pytest.param(1, [("src/1.py",), ("src/2.py",), ("src/3.py",)], id="it is tried again"),
        pytest.param(2, [("src/1.py",), ("src/2.py",), ("src/3.py",)], id="and once more"),
        pytest.param(3, [("src/1.py", "src/2.py"), ("src/3.py",)], id="then the next commit makes up for it"),
    ],
)
def test_a_commit_that_fails_is_made_up_for(fails: int, commits: list[tuple[str, ...]], tmp_path: Path) -> None:
    """Contract "Commits": nothing of the night stays uncommitted because of a moment's trouble."""

    class Shaky(MemoryRepo):
        left = fails

        def commit(self, before: Snapshot, after: Snapshot, **words: Any) -> Committed:
            self.left -= 1
            if self.left >= 0:
                return Committed(failed=True, notes=("no commit was made: disk full",))
            return super().commit(before, after, **words)

    night = night_of("- [ ] 1. A\n- [ ] 2. B\n- [ ] 3. C\n", tmp_path, repo=Shaky())
    assert night.run().code is Exit.DONE
    assert [paths for _, paths, _ in night.repo.commits] == commits


def test_a_log_that_cannot_be_written_is_written_later(tmp_path: Path) -> None:
    """O12, O27: activity.md is a view; the night does not depend on it."""
    night = night_of("- [ ] 1. A\n- [ ] 2. B\n", tmp_path)
    whole, broken = night.log.append, [True]

    def append(entry_id: str, text: str) -> None:
        if broken and len(night.journal.entries) < 6:
            raise OSError(28, "No space left on device")
        whole(entry_id, text)

    night.log.append = append  # type: ignore[method-assign]  # a disk that is full for a while
    assert night.run().code is Exit.DONE
    assert [text.split("\n")[0][-4:] for text in night.log.entries.values()] == ["1: A", "2: B"]


def test_a_bug_of_ours_that_strikes_on_one_task_does_not_hold_the_others(tmp_path: Path) -> None:
    """O12: after five times in a row the task is left open for this run, said, and the night goes on."""

    class Buggy(TextSpec):
        def write(self, key: str, mark: str) -> Plan:
            if key == "1" and mark == "-":
                raise KeyError("a bug")
            return super().write(key, mark)

    night = night_of("", tmp_path, spec=Buggy("- [ ] 1. A\n- [ ] 2. B\n"))
    endurance = Endurance(night.ports, lambda _: "", night.night.mending.distrust, night.night.set_aside)
    outcome = None
    while outcome is None:
        outcome = endurance.take(night.night.step)
    assert outcome.code is Exit.OPEN_TASKS
    assert "a bug in ralph" in outcome.reason
    assert night.marks == " x"
    assert len(night.clock.pauses) == 5


def test_a_line_that_an_agent_writes_into_the_journal_is_no_news(tmp_path: Path) -> None:
    """O16: only the runner says how an attempt ended; others may only ask for a skip."""
    holder: dict[str, NightOfFakes] = {}

    def play(request: AgentRequest) -> AgentOutcome:
        key = request.env["RALPH_TASK_ID"]
        holder["it"].journal.append(Ended(run="r1", key=key, result="passed"))
        holder["it"].journal.append(Ticked(run="r1", key="2"))
        return says("", exit_code=1)

    night = holder["it"] = NightOfFakes("- [ ] 1. A\n- [ ] 2. B\n", play, tmp_path)
    assert night.run().code is Exit.SOME_SKIPPED
    assert night.agent.keys == ["1"] * 10 + ["2"] * 10
    assert night.marks == "SS"


def test_entries_that_an_agent_took_out_of_the_log_are_shown_again(tmp_path: Path) -> None:
    """O29: a stash or a checkout of the agent's puts activity.md back to an older one."""
    holder: dict[str, NightOfFakes] = {}
    good = writes(holder)

    def play(request: AgentRequest) -> AgentOutcome:
        if request.env["RALPH_TASK_ID"] == "3":
            holder["it"].log.entries.clear()
        return good(request)

    night = holder["it"] = NightOfFakes("- [ ] 1. A\n- [ ] 2. B\n- [ ] 3. C\n", play, tmp_path)
    assert night.run().code is Exit.DONE
    assert [text.split("\n")[0][-4:] for text in night.log.entries.values()] == ["1: A", "2: B", "3: C"]


# --- the environment (O37)


def test_an_agent_that_cannot_start_burns_two_tasks_and_no_third(tmp_path: Path) -> None:
    """O37: both go back to [ ], the run waits, probes and goes on when it is back."""
    holder: dict[str, NightOfFakes] = {}
    good = writes(holder)

    def play(request: AgentRequest) -> AgentOutcome:
        if len(holder["it"].clock.pauses) < 3:
            return AgentOutcome(ending=Ending.NOT_STARTED, error="kiro-cli: not found")
        return good(request)

    night = holder["it"] = NightOfFakes("- [ ] 1. A\n- [ ] 2. B\n- [ ] 3. C\n", play, tmp_path)
    assert night.run().code is Exit.DONE
    assert night.marks == "xxx"
    assert night.clock.pauses == [300.0, 900.0, 1800.0]
    assert "3" not in night.agent.keys[:13]
    assert len([e for e in night.journal.entries if isinstance(e, Waiting)]) == 3


def test_a_restart_does_not_forget_that_the_agent_could_not_start(tmp_path: Path) -> None:
    """O37: one task was given up for it before the restart; the next one is the second, not the first."""
    holder: dict[str, NightOfFakes] = {}
    good = writes(holder)

    def play(request: AgentRequest) -> AgentOutcome:
        if holder["it"].clock.pauses:
            return good(request)
        return AgentOutcome(ending=Ending.NOT_STARTED, error="kiro-cli: not found")

    night = holder["it"] = NightOfFakes("- [ ] 1. A\n- [ ] 2. B\n- [ ] 3. C\n", play, tmp_path)
    while night.marks[0] != "S":
        night.night.step()
    journal = MemoryJournal(night.journal.entries)
    again = holder["it"] = NightOfFakes("", play, tmp_path, journal=journal, repo=night.repo, spec=night.spec)
    again.night.weather.recall()
    assert again.run().code is Exit.DONE
    assert again.agent.keys[0] == "2"
    assert again.clock.pauses == [300.0]
    assert again.marks == "xxx"


def test_a_check_that_stays_red_without_the_task_is_the_environment(tmp_path: Path) -> None:
    """O37: after the skip the checks run once more; still red, so the next task with the same failure waits."""
    holder: dict[str, NightOfFakes] = {}
    checks = ScriptedChecks()
    checks.result = lambda: [red("connection refused") if len(holder["it"].clock.pauses) < 2 else green()]
    night = night_of("- [ ] 1. A\n- [ ] 2. B\n- [ ] 3. C\n", tmp_path, checks=checks)
    holder["it"] = night
    assert night.run().code is Exit.DONE
    assert night.clock.pauses == [300.0, 900.0]
    assert night.agent.keys[:11] == ["1"] * 10 + ["2"]
    assert len(night.agent.keys) == 14


def test_a_tree_that_is_red_for_good_does_not_hold_the_night(tmp_path: Path) -> None:
    """O12, O37: four waits without a sign of the environment, then the tasks are tried and skipped as usual."""
    checks = ScriptedChecks(lambda: [red("1 failed", "t.py::test_old")])
    night = night_of("- [ ] 1. A\n- [ ] 2. B\n- [ ] 3. C\n", tmp_path, checks=checks)
    assert night.run().code is Exit.SOME_SKIPPED
    assert night.clock.pauses == [300.0, 900.0, 1800.0, 3600.0]
    assert night.marks == "SSS"


def test_a_bad_task_is_not_bad_weather(tmp_path: Path) -> None:
    """Two tasks that fail alike for their own reasons are both skipped; nobody waits."""
    night = night_of("- [ ] 1. A\n- [ ] 2. B\n", tmp_path, lambda _: says("", exit_code=1))
    assert night.run().code is Exit.SOME_SKIPPED
    assert night.clock.pauses == []


# --- a person, signals, restarts


def test_a_signal_ends_in_good_order(tmp_path: Path) -> None:
    night = night_of(PLAN, tmp_path, interrupted="SIGTERM")
    assert night.run().code is Exit.TERMINATED


def test_an_attempt_that_a_signal_ended_counts_as_nothing(tmp_path: Path) -> None:
    holder: dict[str, NightOfFakes] = {}

    def play(_: AgentRequest) -> AgentOutcome:
        holder["it"].interrupted = "SIGINT"
        return AgentOutcome(ending=Ending.STOPPED, error="SIGINT")

    night = holder["it"] = NightOfFakes("- [ ] 1. A\n", play, tmp_path)
    assert night.run().code is Exit.INTERRUPTED
    assert night.ledger.history.of("1").counted == ()
    assert night.marks == "-"


def test_ralph_skip_ends_the_running_attempt_of_its_task(tmp_path: Path) -> None:
    """O38."""
    holder: dict[str, NightOfFakes] = {}
    good = writes(holder)

    def play(request: AgentRequest) -> AgentOutcome:
        if request.env["RALPH_TASK_ID"] == "1":
            holder["it"].repo.files["half"] = "done"
            holder["it"].journal.append(SkipAsked(key="1", reason="not tonight"))
            return AgentOutcome(ending=Ending.STOPPED, error="skipped by a person")
        return good(request)

    night = holder["it"] = NightOfFakes("- [ ] 1. A\n- [ ] 2. B\n", play, tmp_path)
    assert night.run().code is Exit.SOME_SKIPPED
    assert night.agent.keys == ["1", "2"]
    assert "half" not in night.repo.files
    skipped = [e for e in night.journal.entries if isinstance(e, Skipped)]
    assert [(e.by, e.reason) for e in skipped] == [("person", "not tonight")]


def test_ralph_skip_of_another_task_takes_effect_at_once(tmp_path: Path) -> None:
    """O17: while an attempt runs, and the end of the attempt does not undo it."""
    holder: dict[str, NightOfFakes] = {}
    good = writes(holder)
    seen: list[str] = []

    def play(request: AgentRequest) -> AgentOutcome:
        seen.append(holder["it"].marks)
        return good(request)

    night = holder["it"] = NightOfFakes("- [ ] 1. A\n- [ ] 2. B\n", play, tmp_path)
    night.journal.append(SkipAsked(key="2", reason="later"))
    assert night.run().code is Exit.SOME_SKIPPED
    assert night.marks == "xS"


def test_a_skip_of_a_task_that_the_agent_ticked_meanwhile_is_carried_out(tmp_path: Path) -> None:
    """O17: a tick of the agent's does not stand between a person and a skip."""
    holder: dict[str, NightOfFakes] = {}
    good = writes(holder)

    def play(request: AgentRequest) -> AgentOutcome:
        spec = holder["it"].spec
        spec.text = spec.text.replace("[ ] 2.", "[x] 2.")
        holder["it"].journal.append(SkipAsked(key="2", reason="later"))
        holder["it"].night.iteration.attendant("1").tick()
        return good(request)

    night = holder["it"] = NightOfFakes("- [ ] 1. A\n- [ ] 2. B\n", play, tmp_path)
    assert night.run().code is Exit.SOME_SKIPPED
    assert night.marks == "xS"


def test_a_task_set_back_by_a_person_begins_anew(tmp_path: Path) -> None:
    """Design part 1: after Ticked the file wins."""
    repo = MemoryRepo({"README": "hello"})
    began = Started(key="2", base=repo.snapshot().tree)
    nine = [Ended(key="2", fingerprint="exit 1")] * 9
    journal = MemoryJournal([Started(key="1"), Ended(key="1", result="passed"), Ticked(key="1"), began, *nine])
    night = night_of("- [ ] 1. A\n- [-] 2. B\n", tmp_path, journal=journal, repo=repo)
    assert night.run().code is Exit.DONE
    assert night.agent.requests[0].env["RALPH_ATTEMPT"] == "10"  # the nine before the restart count
    assert night.agent.requests[1].env["RALPH_ATTEMPT"] == "1"


@pytest.mark.parametrize("cut", range(60))
def test_cut_off_after_any_entry_the_next_start_ends_the_same(cut: int, tmp_path: Path) -> None:
    """B2: the runner dies right after the n-th journal entry; nothing is lost or done twice."""

    class CutError(Exception):
        pass

    class Cutting(MemoryJournal):
        left = cut

        def append(self, entry: object) -> None:
            super().append(entry)  # type: ignore[arg-type]  # whatever came
            if self.left == 0:
                raise CutError
            self.left -= 1

    text = "- [ ] 1. A\n  - [ ] 1.1 B\n  - [ ] 1.2 C\n- [ ] 2. Checkpoint\n- [ ] 3. D\n"
    repo, spec = MemoryRepo({"README": "hello"}), TextSpec(text)
    journal: MemoryJournal = Cutting()
    holder: dict[str, NightOfFakes] = {}
    good = writes(holder)

    def play(request: AgentRequest) -> AgentOutcome:
        if request.env["RALPH_TASK_ID"] == "1.2":
            holder["it"].repo.files["mess"] = "mess"
            return says("", exit_code=1)
        return good(request)

    wishes: dict[str, Any] = {"policy": Policy(threshold=3), "checks": ScriptedChecks(lambda: [green()])}
    try:
        night = holder["it"] = NightOfFakes(text, play, tmp_path, journal=journal, repo=repo, spec=spec, **wishes)
        outcome = night.run()
    except CutError:
        journal = MemoryJournal(journal.entries)
        night = holder["it"] = NightOfFakes(text, play, tmp_path, journal=journal, repo=repo, spec=spec, **wishes)
        outcome = night.run()
    assert outcome.code is Exit.SOME_SKIPPED
    assert night.marks == " xSxx"
    assert sorted(repo.files) == ["README", "src/1.1.py", "src/3.py"]
    ticked = [entry.key for entry in journal.entries if isinstance(entry, Ticked)]
    assert sorted(ticked) == ["1.1", "2", "3"]
    assert len([e for e in journal.entries if isinstance(e, Skipped)]) == 1
    decided = [e for e in journal.entries if isinstance(e, SkipDecided)]
    assert len(decided) == 1


def test_what_was_put_back_after_an_attempt_is_said_in_the_night_and_in_the_morning(tmp_path: Path) -> None:
    """B10: a deleted repository is no mere note on one attempt."""
    holder: dict[str, NightOfFakes] = {}
    work = writes(holder)

    def play(request: AgentRequest) -> AgentOutcome:
        holder["it"].repo.acts = ["it made a commit of its own", ".git was deleted: put back"]
        holder["it"].repo.rescued = (".git was deleted: put back",)
        return work(request)

    holder["it"] = night = NightOfFakes("- [ ] 1. One\n", play, tmp_path)
    assert night.run().code is Exit.DONE
    noted = [entry.text for entry in night.journal.entries if isinstance(entry, Noted)]
    assert noted == [".git was deleted: put back"]
    assert ".git was deleted: put back" in night.view.words
    (ended,) = [entry for entry in night.journal.entries if isinstance(entry, Ended)]
    assert ended.notes == ("it made a commit of its own",)
