"""Limits, outages and logins in the loop: who is asked, who is left alone, what counts (B1, B7)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from ralph_wiggum.core.errors import Exit
from ralph_wiggum.core.evidence import AgentOutcome, Ending, Gate, GateStatus, Notice, Usage
from ralph_wiggum.core.journal import (
    CheckpointBlocked,
    Ended,
    Held,
    Noted,
    SkipAsked,
    Skipped,
    Started,
    StopAsked,
    Waiting,
)
from ralph_wiggum.core.login import Login, Readiness
from ralph_wiggum.core.provider.roster import Use
from ralph_wiggum.ports import AgentRequest
from tests.app.nights import NightOfFakes, writes
from tests.fakes import EVENING, HandClock, MemoryJournal, Play, ScriptedAgent, says

T = TypeVar("T")
TWO = "- [ ] 1. One\n- [ ] 2. Two\n"
FIVE = "".join(f"- [ ] {n}. Task {n}\n" for n in range(1, 6))


def refused(kind: str = "", status: int = 0, text: str = "", resets_at: float = 0.0, cost: float = -1) -> AgentOutcome:
    notice = Notice(kind=kind, status=status, text=text or kind, resets_at=resets_at, final=True)
    usage = Usage(cost=cost) if cost >= 0 else None
    return AgentOutcome(
        ending=Ending.EXITED, exit_code=1, notices=(notice,), completed=True, flagged=True, seconds=1.0, usage=usage
    )


def limited_until(hours: float) -> AgentOutcome:
    resets = (EVENING + timedelta(hours=hours)).timestamp()
    return refused("rate_limit", 429, "You've hit your limit", resets)


OVERLOADED = refused("overloaded", 529, "API Error: 529 Overloaded")
LOGGED_OUT = refused("authentication_failed", 401, "Invalid API key · Please run /login")
OFFLINE = refused("", 0, "Connection error: getaddrinfo ENOTFOUND api.example.com")


def night_with(path: Path, tasks: str, first: list[AgentOutcome], others: int = 0, **wishes: object) -> NightOfFakes:
    """Return a night whose first agent answers so, and then works; the others work. A run takes a minute."""
    holder: dict[str, NightOfFakes] = {}
    work = writes(holder)
    answers = iter(first)

    def timed(play: Play) -> Play:
        def run(request: AgentRequest) -> AgentOutcome:
            holder["it"].clock.push(60)
            return play(request)

        return run

    def play(request: AgentRequest) -> AgentOutcome:
        answer = next(answers, None)
        return answer if answer is not None else work(request)

    more = [ScriptedAgent(timed(work), name=f"other{n}") for n in range(1, others + 1)]
    clock = HandClock(step=5.0)
    holder["it"] = NightOfFakes(tasks, timed(play), path, others=more, clock=clock, **wishes)  # type: ignore[arg-type]  # the wishes are fields of Order
    return holder["it"]


def of_kind(night: NightOfFakes, kind: type[T]) -> list[T]:
    return [entry for entry in night.journal.entries if isinstance(entry, kind)]


def test_a_limit_is_waited_out_a_minute_longer_than_reported_and_costs_nothing(tmp_path: Path) -> None:
    night = night_with(tmp_path, TWO, [limited_until(2)])
    assert night.run().code is Exit.DONE
    (wait,) = of_kind(night, Waiting)
    assert datetime.fromisoformat(wait.until) == EVENING + timedelta(hours=2, minutes=1)
    assert "limit" in wait.reason
    assert [started.attempt for started in of_kind(night, Started)] == [1, 1, 1]
    assert night.ledger.history.iterations == 2
    ticked = night.ledger.history.of("1").ticked
    assert ticked is not None
    assert ticked.attempts == 1


def test_with_a_list_the_next_takes_over_at_once_and_the_first_is_taken_back(tmp_path: Path) -> None:
    night = night_with(tmp_path, FIVE, [limited_until(0.05)], others=1)
    assert night.run().code is Exit.DONE
    agents = [started.agent for started in of_kind(night, Started)]
    assert agents[:2] == ["scripted", "other1"]
    assert agents[-1] == "scripted"
    assert not of_kind(night, Waiting)
    assert any("other1 takes over" in noted.text for noted in of_kind(night, Noted))


def test_where_all_are_limited_the_first_to_come_back_is_waited_for(tmp_path: Path) -> None:
    night = night_with(tmp_path, "- [ ] 1. One\n", [limited_until(3)], others=1)
    other = night.ports.agents[1]
    assert isinstance(other, ScriptedAgent)
    answers = iter([limited_until(1)])
    work = other.play
    other.play = lambda request: next(answers, None) or work(request)
    assert night.run().code is Exit.DONE
    (wait,) = of_kind(night, Waiting)
    assert datetime.fromisoformat(wait.until) == EVENING + timedelta(hours=1, minutes=1)
    assert [started.agent for started in of_kind(night, Started)] == ["scripted", "other1", "other1"]


def test_a_start_in_the_middle_of_a_limit_asks_nobody_before_its_end(tmp_path: Path) -> None:
    until = EVENING + timedelta(hours=1)
    journal = MemoryJournal([Held(agent="scripted", cause="usage limit", until=until.isoformat(), strikes=1)])
    night = night_with(tmp_path, TWO, [], journal=journal)
    assert night.run().code is Exit.DONE
    (first, *_) = of_kind(night, Started)
    assert datetime.fromisoformat(first.at) >= until


def test_an_unknown_reset_is_asked_for_after_5_15_30_and_60_minutes(tmp_path: Path) -> None:
    night = night_with(tmp_path, TWO, [refused("rate_limit", 429, "The monthly usage limit has been reached")] * 5)
    assert night.run().code is Exit.DONE
    assert [wait.seconds / 60 for wait in of_kind(night, Waiting)] == [5, 15, 30, 60, 60]
    assert night.ledger.history.iterations == 2


def test_no_network_is_waited_for_and_its_return_ends_the_wait(tmp_path: Path) -> None:
    night = night_with(tmp_path, TWO, [OFFLINE] * 6)
    back = EVENING + timedelta(minutes=20)
    night.network.back = lambda: night.clock.now() >= back
    assert night.run().code is Exit.DONE
    assert night.network.looks
    assert night.ledger.history.iterations == 2
    assert of_kind(night, Ended)[-1].result == "passed"
    assert not night.ledger.history.of("1").counted[:-1]


def test_a_network_that_comes_back_is_noticed_before_the_wait_is_over(tmp_path: Path) -> None:
    night = night_with(tmp_path, TWO, [OFFLINE] * 5)
    night.network.back = lambda: len(of_kind(night, Waiting)) == 5
    assert night.run().code is Exit.DONE
    last = of_kind(night, Waiting)[-1]
    begun = [started for started in of_kind(night, Started) if started.at >= last.at]
    assert (datetime.fromisoformat(begun[0].at) - datetime.fromisoformat(last.at)).total_seconds() < last.seconds


def test_an_agent_that_is_not_logged_in_burns_no_attempts(tmp_path: Path) -> None:
    night = night_with(tmp_path, FIVE, [LOGGED_OUT] * 3)
    assert night.run().code is Exit.DONE
    assert [wait.seconds / 60 for wait in of_kind(night, Waiting)] == [5, 15, 30]
    assert "not logged in" in {held.cause for held in of_kind(night, Held)}
    assert night.marks == "xxxxx"


def test_an_overloaded_provider_costs_no_attempt_up_to_a_bound_and_then_does(tmp_path: Path) -> None:
    night = night_with(tmp_path, "- [ ] 1. One\n", [OVERLOADED] * 10)
    assert night.run().code is Exit.DONE
    ended = of_kind(night, Ended)
    assert [each.cause for each in ended[:7]] == ["overloaded"] * 7
    assert [each.kind for each in ended[7:10]] == ["provider"] * 3
    waits = [wait.seconds for wait in of_kind(night, Waiting)]
    assert waits == sorted(waits), "longer each time"
    assert waits[0] == 10
    assert max(waits) <= 600


def test_a_task_that_breaks_its_provider_every_time_does_not_hold_the_night(tmp_path: Path) -> None:
    holder: dict[str, NightOfFakes] = {}
    work = writes(holder)

    def play(request: AgentRequest) -> AgentOutcome:
        return OVERLOADED if request.env["RALPH_TASK_ID"] == "1" else work(request)

    holder["it"] = NightOfFakes(TWO, play, tmp_path, clock=HandClock(step=60.0))
    assert holder["it"].run().code is Exit.SOME_SKIPPED
    assert holder["it"].marks == "Sx"


def test_what_was_counted_before_a_limit_counts_after_it(tmp_path: Path) -> None:
    wrong = says("TASK_COMPLETE")  # nothing changed
    night = night_with(tmp_path, "- [ ] 1. One\n", [wrong, wrong, limited_until(1), wrong])
    assert night.run().code is Exit.DONE
    assert [started.attempt for started in of_kind(night, Started)] == [1, 2, 3, 3, 4]


def test_a_context_overflow_is_a_failure_of_the_attempt(tmp_path: Path) -> None:
    overflow = refused("invalid_request_error", 400, "Prompt is too long")
    night = night_with(tmp_path, "- [ ] 1. One\n", [overflow])
    assert night.run().code is Exit.DONE
    assert of_kind(night, Ended)[0].kind == "context overflow"
    assert not of_kind(night, Waiting)


def test_a_clock_that_is_set_back_makes_no_wait_longer(tmp_path: Path) -> None:
    night = night_with(tmp_path, TWO, [refused("rate_limit", 429, "The monthly usage limit has been reached")])
    held = night.clock.pause

    def pause(seconds: float, wake: Callable[[], bool]) -> None:
        if seconds > 60:
            night.clock.set_forward(-7200)
        held(seconds, wake)

    night.clock.pause = pause  # type: ignore[method-assign]  # the clock of the fakes has no such moment of its own
    assert night.run().code is Exit.DONE
    assert [wait.seconds for wait in of_kind(night, Waiting)] == [300]


def during_waits(night: NightOfFakes, act: Callable[[], None], after: float = 600) -> None:
    """Have something done in the middle of the first wait."""
    acts = [act]
    pause = night.clock.pause

    def paused(seconds: float, wake: Callable[[], bool]) -> None:
        def woken() -> bool:
            if acts and night.clock.monotonic() > after:
                acts.pop()()
            return wake()

        pause(seconds, woken)

    night.clock.pause = paused  # type: ignore[method-assign]  # as above


def test_a_skip_in_a_wait_takes_effect_at_once_and_the_wait_goes_on(tmp_path: Path) -> None:
    """O17."""
    night = night_with(tmp_path, TWO, [limited_until(5)])
    during_waits(night, lambda: night.journal.append(SkipAsked(key="1", reason="not tonight")))
    assert night.run().code is Exit.SOME_SKIPPED
    assert night.marks == "Sx"
    (skipped,) = of_kind(night, Skipped)
    assert datetime.fromisoformat(skipped.at) < EVENING + timedelta(minutes=15)
    assert len(of_kind(night, Waiting)) == 1
    assert [started.key for started in of_kind(night, Started)] == ["1", "2"]


@pytest.mark.parametrize("mark", ["x", "S", "~"])
def test_nobody_is_waited_for_once_nothing_is_left_to_do(mark: str, tmp_path: Path) -> None:
    night = night_with(tmp_path, "- [ ] 1. One\n", [limited_until(5)])

    def settle() -> None:
        night.spec.text = night.spec.text.replace("[-]", f"[{mark}]")

    during_waits(night, settle)
    night.run()
    assert night.clock.now() < EVENING + timedelta(minutes=15)


def test_no_wait_of_any_kind_goes_on_when_nothing_is_left(tmp_path: Path) -> None:
    night = night_with(tmp_path, TWO, [])
    night.machine.short = lambda: "too little disk space"

    def settle() -> None:
        night.spec.text = night.spec.text.replace("[ ]", "[x]")

    during_waits(night, settle, after=100)
    assert night.run().code is Exit.DONE
    assert night.clock.monotonic() < 200


def test_what_needs_no_agent_is_done_in_a_wait(tmp_path: Path) -> None:
    night = night_with(tmp_path, "- [ ] 1. One\n- [ ] 2. Checkpoint\n- [ ] 3. Three\n", [limited_until(5)])
    during_waits(night, lambda: night.journal.append(SkipAsked(key="1", reason="not tonight")))
    assert night.run().code is Exit.SOME_SKIPPED
    passed = next(ended for ended in of_kind(night, Ended) if ended.how == "checkpoint")
    assert datetime.fromisoformat(passed.at) < EVENING + timedelta(minutes=15)
    assert [started.key for started in of_kind(night, Started)] == ["1", "3"]


def test_a_checkpoint_is_said_to_be_blocked_once_however_long_the_agent_is_waited_for(tmp_path: Path) -> None:
    """O19."""
    journal = MemoryJournal([held_until("usage limit")])
    night = night_with(tmp_path, "- [ ] 1. Checkpoint\n", [limited_until(5)], journal=journal)
    failed = Gate(name="pytest", kind="check", status=GateStatus.FAILED, reason="exit 1")
    night.checks.result = lambda: () if "src/1.py" in night.repo.files else [failed]
    assert night.run().code is Exit.DONE
    assert len(of_kind(night, Waiting)) == 2
    assert len(of_kind(night, CheckpointBlocked)) == 1


def test_ralph_next_does_not_wait_for_hours(tmp_path: Path) -> None:
    night = night_with(tmp_path, TWO, [limited_until(2)], one_task=True)
    outcome = night.run()
    assert outcome.code is Exit.OPEN_TASKS
    assert "scripted: usage limit (You've hit your limit), until" in outcome.reason
    assert not of_kind(night, Waiting)
    assert night.marks == "- "


def test_ralph_next_waits_for_minutes(tmp_path: Path) -> None:
    night = night_with(tmp_path, TWO, [OVERLOADED] * 3, one_task=True)
    assert night.run().code is Exit.DONE
    assert len(of_kind(night, Waiting)) == 3


def readiness(agent: str, *, login: Login = Login.YES, installed: bool = True) -> Readiness:
    ready = installed and login is not Login.NO
    return Readiness(agent=agent, installed=installed, login=login, words="" if ready else f"{agent} is not ready")


def held_until(cause: str, hours: float = 3) -> Held:
    return Held(agent="scripted", cause=cause, until=(EVENING + timedelta(hours=hours)).isoformat(), strikes=3)


@pytest.mark.parametrize(
    ("cause", "anew", "lifted"),
    [
        pytest.param("not logged in", False, True, id="somebody may have logged in"),
        pytest.param("no credit", False, True, id="somebody may have paid"),
        pytest.param("not started", False, True, id="it may have been installed"),
        pytest.param("unknown model", False, True, id="the settings may have changed"),
        pytest.param("usage limit", False, False, id="a limit outlasts a crash"),
        pytest.param("overloaded", False, False, id="so does an overload"),
        pytest.param("usage limit", True, True, id="a person who starts a run anew is taken at their word"),
    ],
)
def test_a_start_asks_anew_whom_a_person_may_have_helped(
    *, cause: str, anew: bool, lifted: bool, tmp_path: Path
) -> None:
    night = night_with(tmp_path, TWO, [], journal=MemoryJournal([held_until(cause)]))
    night.night.crew.begin([readiness("scripted")], anew=anew)
    assert isinstance(night.night.crew.choice(), Use) is lifted


def test_who_is_not_ready_in_the_evening_is_left_alone_and_said(tmp_path: Path) -> None:
    night = night_with(tmp_path, TWO, [], others=2)
    night.night.crew.begin(
        [readiness("scripted", login=Login.NO), readiness("other1", installed=False), readiness("other2")], anew=True
    )
    assert night.night.crew.choice() == Use(agent="other2")
    notes = [noted.text for noted in of_kind(night, Noted)]
    assert len(notes) == 2
    assert all("other2 takes over" in note for note in notes), "not one that cannot work either"


def test_the_next_agent_is_told_what_lies_in_the_tree(tmp_path: Path) -> None:
    """B1: what an agent had done when its limit came is not lost on the one that takes over."""
    holder: dict[str, NightOfFakes] = {}

    def limited(_: AgentRequest) -> AgentOutcome:
        holder["it"].repo.files["src/half.py"] = "half"
        return limited_until(3)

    other = ScriptedAgent(writes(holder), name="other1")
    holder["it"] = night = NightOfFakes("- [ ] 1. One\n", limited, tmp_path, others=[other])
    assert night.run().code is Exit.DONE
    assert "src/half.py" in other.requests[0].prompt
    assert "cut off" in other.requests[0].prompt


# --- money, wishes, the machine


def test_max_cost_ends_the_run_before_the_attempt_that_would_go_beyond(tmp_path: Path) -> None:
    holder: dict[str, NightOfFakes] = {}

    def play(request: AgentRequest) -> AgentOutcome:
        holder["it"].repo.files[request.env["RALPH_TASK_ID"]] = "x"
        usage = Usage(input_tokens=1000, output_tokens=50, cost=0.40)
        return AgentOutcome(ending=Ending.EXITED, exit_code=0, message="TASK_COMPLETE", usage=usage)

    holder["it"] = night = NightOfFakes(FIVE, play, tmp_path, max_cost=1.5)
    outcome = night.run()
    assert outcome.code is Exit.OPEN_TASKS
    assert "--max-cost" in outcome.reason
    assert night.marks == "xxx  "
    assert night.ledger.history.cost == pytest.approx(1.20)


def test_attempts_that_were_ended_before_they_told_their_cost_are_no_gift(tmp_path: Path) -> None:
    """An agent that is ended at its timeout tells no cost: --max-cost must not take it for nothing."""
    silent = AgentOutcome(ending=Ending.TASK_TIMEOUT, seconds=600.0)
    night = night_with(tmp_path, FIVE, [silent] * 30, max_cost=5.0)
    outcome = night.run()
    assert outcome.code is Exit.OPEN_TASKS
    assert "nobody knows what 3 attempts cost" in outcome.reason
    assert len(of_kind(night, Ended)) == 3


def test_ralph_stop_lets_the_attempt_at_hand_come_to_its_end(tmp_path: Path) -> None:
    holder: dict[str, NightOfFakes] = {}
    work = writes(holder)

    def play(request: AgentRequest) -> AgentOutcome:
        holder["it"].journal.append(StopAsked(target="r1"))
        return work(request)

    holder["it"] = night = NightOfFakes(FIVE, play, tmp_path)
    outcome = night.run()
    assert (outcome.code, night.marks) == (Exit.OPEN_TASKS, "x    ")
    assert "ralph stop" in outcome.reason
    assert len(night.repo.commits) == 1


def test_ralph_stop_now_ends_the_attempt_at_hand_which_counts_as_nothing(tmp_path: Path) -> None:
    night = night_with(tmp_path, FIVE, [])
    night.journal.append(StopAsked(target="r1", now=True))
    outcome = night.run()
    assert outcome.code is Exit.OPEN_TASKS
    assert not [ended for ended in of_kind(night, Ended) if ended.result == "failed"]


def test_a_wish_to_stop_an_earlier_run_stops_nothing(tmp_path: Path) -> None:
    night = night_with(tmp_path, TWO, [], journal=MemoryJournal([StopAsked(target="r1")]))
    night.journal.append(StopAsked(target="r0"))
    assert night.run().code is Exit.DONE


def test_ralph_stop_ends_a_wait(tmp_path: Path) -> None:
    night = night_with(tmp_path, TWO, [limited_until(5)])
    clock = night.clock
    pushed = clock.push

    def push(seconds: float) -> None:
        pushed(seconds)
        if clock.now() > EVENING + timedelta(minutes=30) and not of_kind(night, StopAsked):
            night.journal.append(StopAsked(target="r1"))

    clock.push = push  # type: ignore[method-assign]  # a clock at whose ticks something happens
    assert night.run().code is Exit.OPEN_TASKS
    assert clock.now() < EVENING + timedelta(hours=1)


def test_a_machine_that_is_short_of_something_is_waited_for(tmp_path: Path) -> None:
    night = night_with(tmp_path, TWO, [])
    back = EVENING + timedelta(minutes=40)
    night.machine.short = lambda: "" if night.clock.now() >= back else "12 MB are free, 500 MB are wanted"
    assert night.run().code is Exit.DONE
    waits = of_kind(night, Waiting)
    assert {wait.reason for wait in waits} == {"12 MB are free, 500 MB are wanted"}
    assert [wait.seconds / 60 for wait in waits] == [5, 15, 30]
    (first, *_) = of_kind(night, Started)
    assert datetime.fromisoformat(first.at) - back < timedelta(seconds=10), "noticed when it is back"
    assert night.ledger.history.iterations == 2


def test_work_that_filled_the_disk_is_taken_out(tmp_path: Path) -> None:
    holder: dict[str, NightOfFakes] = {}
    work = writes(holder)

    def play(request: AgentRequest) -> AgentOutcome:
        if request.env["RALPH_ATTEMPT"] == "1":
            holder["it"].repo.files["huge.bin"] = "x" * 100
            return AgentOutcome(ending=Ending.DISK_FULL, error="12 MB were left", seconds=5)
        return work(request)

    holder["it"] = night = NightOfFakes("- [ ] 1. One\n", play, tmp_path)
    assert night.run().code is Exit.DONE
    assert "huge.bin" not in night.repo.files
    assert of_kind(night, Ended)[0].kind == "disk"


def test_the_moment_of_until_is_a_limit_of_the_attempt(tmp_path: Path) -> None:
    until = EVENING + timedelta(hours=1)
    night = night_with(tmp_path, TWO, [], until=until)
    night.run()
    assert {request.limits.end_at for request in night.agent.requests} == {until.timestamp()}
    assert until.tzinfo is UTC
