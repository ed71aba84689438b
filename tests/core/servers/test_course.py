"""The course of one server's life (O23), as tables: what is known, what happens, what is known then and what is to be done."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ralph_wiggum.core.servers import course
from ralph_wiggum.core.servers.answer import Answer, Kind
from ralph_wiggum.core.servers.course import Step
from ralph_wiggum.core.servers.life import Act, Life, Phase, Rules
from ralph_wiggum.core.servers.standing import Health

GOOD = Answer(Kind.GOOD, "answers 200")
BAD = Answer(Kind.BAD, "answers 500, expected 200-399")
SILENT = Answer(Kind.SILENT, "does not answer within 5 s")
ABSENT = Answer(Kind.ABSENT, "connection refused")
RULES = Rules(attempts=30, interval=1.0)
MOVABLE = Rules(attempts=30, interval=1.0, movable=True)
QUIET = Rules(health_check=False)
NO_RESTART = Rules(restart=False)

Event = Callable[[Life, Rules], Step]


def want(at: float) -> Event:
    return lambda life, rules: (course.want(life, rules, at), Act.NOTHING)


def tick(at: float) -> Event:
    return lambda life, rules: course.pass_time(life, rules, at)


def hear(at: float, answer: Answer) -> Event:
    return lambda life, rules: course.answered(life, answer, rules, at)


def start(at: float) -> Event:
    return lambda life, rules: (course.started(life, at, rules), Act.NOTHING)


def die(at: float, how: str = "its process ended", *, hopeless: bool = False) -> Event:
    return lambda life, rules: course.died(life, how, rules, at, hopeless=hopeless)


def end(at: float) -> Event:
    return lambda life, _: (course.ended(life, at), Act.NOTHING)


def release() -> Event:
    return lambda life, _: (course.release(life), Act.NOTHING)


def play(rules: Rules, *events: Event, life: Life | None = None) -> Step:
    now, act = life or Life(), Act.NOTHING
    for event in events:
        now, act = event(now, rules)
    return now, act


def due(at: float) -> tuple[Event, ...]:
    """Let the time of a start come, with nobody in the way."""
    return (tick(at), hear(at, ABSENT), tick(at))


STARTED = (want(0), tick(0), hear(0, ABSENT), tick(0), start(0))
UP = (*STARTED, tick(0), hear(1, GOOD))
ADOPTED = (want(0), tick(0), hear(0, GOOD))


@pytest.mark.parametrize(
    ("events", "phase", "act", "settled"),
    [
        pytest.param((), Phase.UNKNOWN, Act.NOTHING, True, id="nobody wants it: nothing happens"),
        pytest.param((tick(9),), Phase.UNKNOWN, Act.NOTHING, True, id="time alone starts nothing"),
        pytest.param((want(0), tick(0)), Phase.ASKING, Act.ASK, False, id="it is asked first"),
        pytest.param((want(0), tick(0), tick(1)), Phase.ASKING, Act.NOTHING, False, id="and not asked twice at once"),
        pytest.param(ADOPTED, Phase.UP, Act.NOTHING, True, id="what answers already is adopted"),
        pytest.param((want(0), tick(0), hear(0, ABSENT), tick(0)), Phase.DOWN, Act.START, False, id="else started"),
        pytest.param((*STARTED, tick(0)), Phase.STARTING, Act.ASK, False, id="what was started is asked at once"),
        pytest.param(UP, Phase.UP, Act.NOTHING, True, id="until it answers well"),
        pytest.param((*STARTED, hear(29, BAD)), Phase.STARTING, Act.NOTHING, False, id="bad answers are waited out"),
        pytest.param((*STARTED, hear(30, BAD)), Phase.ENDING, Act.END, False, id="for attempts times interval"),
        pytest.param((*STARTED, hear(30, BAD), end(31)), Phase.FAILED, Act.NOTHING, True, id="and then it is given up"),
    ],
)
def test_bringing_up(events: tuple[Event, ...], phase: Phase, act: Act, *, settled: bool) -> None:
    life, done = play(RULES, *events)
    assert (life.phase, done, not life.wanted) == (phase, act, settled)


def test_whose_a_server_is() -> None:
    assert not play(RULES, *ADOPTED)[0].ours
    assert play(RULES, *UP)[0].ours


@pytest.mark.parametrize(
    ("answer", "pause"),
    [
        pytest.param(ABSENT, 0.05, id="nobody there: soon, it costs nobody anything"),
        pytest.param(BAD, 1.0, id="a bad answer: after the interval"),
        pytest.param(SILENT, 1.0, id="no answer: after the interval"),
    ],
)
def test_when_a_starting_server_is_asked_again(answer: Answer, pause: float) -> None:
    life, _ = play(RULES, *STARTED, tick(0), hear(3, answer))
    assert life.ask_at == pytest.approx(3 + pause)


@pytest.mark.parametrize("answer", [BAD, SILENT])
class TestAHeldPort:
    """Somebody has the wanted port and is not ready."""

    def test_is_looked_at_twice(self, answer: Answer) -> None:
        life, _ = play(MOVABLE, want(0), tick(0), hear(0, answer))
        assert (life.phase, life.ask_at) == (Phase.ASKING, 1.0)

    def test_is_left_to_him_where_another_port_will_do(self, answer: Answer) -> None:
        life, act = play(MOVABLE, want(0), tick(0), hear(0, answer), tick(1), hear(1, answer), tick(1))
        assert (life.phase, act) == (Phase.DOWN, Act.START)

    def test_is_asked_for_as_long_as_a_server_of_ours_would_be(self, answer: Answer) -> None:
        held = (want(0), tick(0), hear(0, answer), tick(1), hear(1, answer))
        assert play(RULES, *held)[0].phase is Phase.HELD
        assert play(RULES, *held, tick(2), hear(30.9, answer))[0].phase is Phase.HELD
        life, _ = play(RULES, *held, tick(2), hear(31, answer))
        assert (life.phase, life.held, life.wanted, life.reason) == (Phase.FAILED, True, False, answer.words)

    def test_is_taken_when_he_goes(self, answer: Answer) -> None:
        held = (want(0), tick(0), hear(0, answer), tick(1), hear(1, answer))
        assert play(RULES, *held, tick(2), hear(3, ABSENT), tick(3))[1] is Act.START

    def test_is_adopted_when_he_answers_well(self, answer: Answer) -> None:
        life, _ = play(RULES, want(0), tick(0), hear(0, answer), tick(1), hear(1, answer), tick(2), hear(3, GOOD))
        assert (life.phase, life.ours, life.held) == (Phase.UP, False, False)


def _deaths_in_a_row(count: int, rules: Rules = RULES) -> Life:
    life, now = play(rules, *UP)[0], 2.0
    for _ in range(count):
        life, act = play(rules, die(now), life=life)
        assert act is Act.END
        life, _ = play(rules, end(now), life=life)
        if life.phase is Phase.DOWN and life.again_at != inf:
            now = life.again_at
            life, act = play(rules, *due(now), life=life)
            assert act is Act.START
            life, _ = play(rules, start(now), tick(now), hear(now, GOOD), life=life)
            now += 1
    return life


@pytest.mark.parametrize(("before", "pause"), [(0, 1.0), (1, 2.0), (2, 4.0), (3, 8.0)])
def test_it_is_started_again_after_a_pause_that_grows(before: int, pause: float) -> None:
    life, act = play(RULES, die(100), life=_deaths_in_a_row(before))
    assert (act, life.phase, life.then, life.again_at) == (Act.END, Phase.ENDING, Phase.DOWN, 100 + pause)
    life, _ = play(RULES, end(100.1), life=life)
    assert play(RULES, tick(100 + pause - 0.01), life=life)[1] is Act.NOTHING
    assert play(RULES, tick(100 + pause), life=life)[1] is Act.ASK
    assert play(RULES, *due(100 + pause), life=life)[1] is Act.START


def test_five_deaths_in_a_row_are_a_crash_loop() -> None:
    life = _deaths_in_a_row(5)
    assert (life.phase, life.crashing, life.restarts) == (Phase.FAILED, True, 4)
    assert life.reason == "crash loop, ended 5 times in a row; the last time its process ended"
    assert play(RULES, tick(10_000), life=life) == (life, Act.NOTHING)


def test_a_crash_loop_gets_one_fresh_start_from_whoever_wants_it() -> None:
    fresh = (want(200), tick(200), hear(200, ABSENT), tick(200), start(200))
    life, act = play(RULES, *fresh, die(201), life=_deaths_in_a_row(5))
    assert (act, life.then, life.crashing) == (Act.END, Phase.FAILED, True)
    life, _ = play(RULES, *fresh, tick(200), hear(201, GOOD), die(210), life=_deaths_in_a_row(5))
    assert (life.then, life.crashing) == (Phase.FAILED, True)


def test_a_minute_of_health_clears_earlier_deaths() -> None:
    life = _deaths_in_a_row(3)
    assert play(RULES, tick(life.since + 59), life=life)[0].deaths == 3
    life, _ = play(RULES, tick(life.ask_at), hear(life.since + 51, GOOD), tick(life.since + 60), life=life)
    assert life.deaths == 0


def test_without_restarts_what_died_waits_until_it_is_wanted() -> None:
    life, _ = play(NO_RESTART, *UP, die(5), end(5))
    assert (life.phase, life.again_at) == (Phase.DOWN, inf)
    assert play(NO_RESTART, tick(1000), life=life)[1] is Act.NOTHING
    again = (want(1000), tick(1000), hear(1000, ABSENT), tick(1000))
    assert play(NO_RESTART, *again, life=life)[1] is Act.START


def test_one_that_ends_as_soon_as_it_is_started_gets_three_quick_tries() -> None:
    life, act = play(RULES, *STARTED, die(0.1))
    assert (act, life.then) == (Act.END, Phase.DOWN)
    assert life.again_at == pytest.approx(0.3)
    life, _ = play(RULES, end(0.1), *due(0.3), start(0.3), die(0.4), life=life)
    assert life.then is Phase.DOWN
    assert life.again_at == pytest.approx(1.4)
    life, _ = play(RULES, end(0.4), *due(1.4), start(1.4), die(1.5), end(1.5), life=life)
    assert (life.phase, life.wanted, life.crashing, life.reason) == (Phase.FAILED, False, False, "its process ended")


def test_one_whose_command_is_not_there_gets_one_try() -> None:
    life, _ = play(RULES, *STARTED, die(0.1, "its command was not found", hopeless=True), end(0.1))
    assert (life.phase, life.wanted) == (Phase.FAILED, False)


@pytest.mark.parametrize(
    ("answers", "phase", "unanswered"),
    [
        pytest.param([GOOD], Phase.UP, 0, id="it answers"),
        pytest.param([BAD, BAD, BAD, BAD], Phase.UP, 0, id="a page that broke is an answer too"),
        pytest.param([SILENT, SILENT], Phase.UP, 2, id="two without an answer"),
        pytest.param([ABSENT, SILENT, GOOD], Phase.UP, 0, id="two and then a good one"),
        pytest.param([ABSENT, BAD, ABSENT], Phase.UP, 1, id="not in a row"),
        pytest.param([SILENT, SILENT, SILENT], Phase.ENDING, 0, id="three without an answer: it hangs"),
        pytest.param([ABSENT, SILENT, ABSENT], Phase.ENDING, 0, id="three of either kind"),
    ],
)
def test_health_checks(answers: list[Answer], phase: Phase, unanswered: int) -> None:
    life, _ = play(RULES, *UP)
    for answer in answers:
        now = life.ask_at
        life, act = play(RULES, tick(now), life=life)
        assert act is Act.ASK
        life, _ = play(RULES, hear(now, answer), life=life)
    assert (life.phase, life.unanswered) == (phase, unanswered)


def test_how_often_health_is_checked() -> None:
    life, _ = play(RULES, *UP)
    assert life.ask_at == 11
    life, _ = play(RULES, tick(11), hear(11, SILENT), life=life)
    assert life.ask_at == 12
    life, _ = play(RULES, tick(12), hear(12, GOOD), life=life)
    assert life.ask_at == 22


def test_without_health_checks_nobody_asks() -> None:
    life, _ = play(QUIET, *UP)
    assert play(QUIET, tick(1_000_000), life=life) == (life, Act.NOTHING)


def test_a_bad_answer_is_known_until_there_is_a_good_one() -> None:
    life, _ = play(RULES, *UP, tick(11), hear(11, BAD))
    assert (life.up, life.well, life.reason) == (True, False, BAD.words)
    assert play(RULES, tick(21), hear(21, GOOD), life=life)[0].well


def test_what_was_adopted_and_goes_is_replaced_by_one_of_ours() -> None:
    gone = (*ADOPTED, tick(10), hear(10, ABSENT), tick(11), hear(11, ABSENT), tick(12), hear(12, ABSENT))
    life, _ = play(RULES, *gone)
    assert (life.phase, life.reason) == (Phase.DOWN, "stopped answering: connection refused")
    assert play(RULES, *due(12), life=life)[1] is Act.START
    assert play(NO_RESTART, *gone, tick(12))[1] is Act.NOTHING


@pytest.mark.parametrize("first", [UP, ADOPTED])
class TestWhatIsUpMustProveIt:
    """`ensure` demands the expected status of what is believed to be up."""

    def test_a_good_answer_will_do(self, first: tuple[Event, ...]) -> None:
        life, _ = play(RULES, *first, want(100))
        assert (life.phase, life.health, life.wanted) == (Phase.CHECKING, Health.UP, True)
        life, _ = play(RULES, tick(100), hear(100, GOOD), life=life)
        assert (life.phase, life.wanted, life.well) == (Phase.UP, False, True)

    def test_reloaders_answer_badly_for_a_moment(self, first: tuple[Event, ...]) -> None:
        life, act = play(RULES, *first, want(100), tick(100), hear(100, BAD), tick(101), hear(129, BAD))
        assert (life.phase, act, life.wanted) == (Phase.CHECKING, Act.NOTHING, True)


def test_what_was_adopted_and_goes_on_answering_badly_is_left_alone_and_not_well() -> None:
    life, act = play(RULES, *ADOPTED, want(100), tick(100), hear(130, BAD))
    assert (life.phase, act, life.wanted) == (Phase.UP, Act.NOTHING, False)
    assert (life.well, life.reason) == (False, BAD.words)


def test_one_of_ours_that_goes_on_answering_badly_after_it_was_renewed_is_left_alone_and_not_well() -> None:
    """Its page is broken, not what it held in memory."""
    life, act = play(RULES, *UP, want(100), tick(100), hear(130, BAD))
    assert (life.phase, act, life.then, life.wanted, life.reason) == (
        Phase.ENDING,
        Act.END,
        Phase.DOWN,
        True,
        BAD.words,
    )
    again = (end(131), *due(131), start(131), tick(131))
    assert play(RULES, *again, hear(132, GOOD), life=life)[0].well
    assert play(RULES, *again, hear(160, BAD), life=life)[0].wanted
    life, act = play(RULES, *again, hear(161, BAD), life=life)
    assert (life.phase, act, life.wanted, life.ours) == (Phase.UP, Act.NOTHING, False, True)
    assert (life.well, life.reason) == (False, BAD.words)


@pytest.mark.parametrize("before", [UP, STARTED])
def test_one_with_old_code_is_ended_and_started_anew(before: tuple[Event, ...]) -> None:
    renew: Event = lambda life, _: course.start_anew(life, 100)  # noqa: E731 - one of a row of events
    life, act = play(RULES, *before, want(100), renew)
    assert (life.phase, act, life.then, life.wanted) == (Phase.ENDING, Act.END, Phase.DOWN, True)
    life, act = play(RULES, end(101), *due(101), life=life)
    assert act is Act.START
    life, _ = play(RULES, start(101), tick(101), hear(102, GOOD), life=life)
    assert (life.well, life.tries, life.renewed, life.restarts, life.deaths) == (True, 1, True, 0, 0)
    assert not play(RULES, want(200), life=life)[0].renewed


def test_a_stranger_keeps_his_port_and_ours_is_started_elsewhere() -> None:
    turn: Event = lambda life, _: (course.turn_away(life, 0), Act.NOTHING)  # noqa: E731 - as above
    assert play(MOVABLE, want(0), tick(0), turn, tick(0))[1] is Act.START


@pytest.mark.parametrize(
    ("events", "act", "then"),
    [
        pytest.param(UP, Act.END, Phase.ENDING, id="up: it ends"),
        pytest.param(STARTED, Act.END, Phase.ENDING, id="starting: it ends"),
        pytest.param(ADOPTED, Act.NOTHING, Phase.FAILED, id="adopted: it is not ours to end"),
        pytest.param((), Act.NOTHING, Phase.FAILED, id="never asked"),
    ],
)
def test_one_that_is_failed_by_others_does_not_run_on(events: tuple[Event, ...], act: Act, then: Phase) -> None:
    life, done = play(RULES, *events, lambda life, _: course.fail(life, "no database", 9))
    assert (life.phase, done, life.wanted, life.reason) == (then, act, False, "no database")
    assert play(RULES, end(10), life=life)[0].phase is Phase.FAILED


@pytest.mark.parametrize(
    ("events", "over"),
    [
        pytest.param(UP, False, id="up"),
        pytest.param((*UP, die(5), end(5)), True, id="dead, and not started again"),
        pytest.param((*UP, want(5), die(5), end(5)), False, id="dead, and wanted"),
        pytest.param((*STARTED, hear(30, BAD), end(31)), True, id="given up"),
        pytest.param((), False, id="nobody has asked"),
    ],
)
def test_what_does_not_come_up_any_more_by_itself(events: tuple[Event, ...], *, over: bool) -> None:
    assert play(NO_RESTART, *events)[0].over is over


@pytest.mark.parametrize("answer", [SILENT, ABSENT])
def test_one_of_ours_that_does_not_answer_at_all_is_started_once_more(answer: Answer) -> None:
    life, act = play(RULES, *UP, want(100), tick(100), hear(130, answer))
    assert (life.phase, act, life.then, life.wanted) == (Phase.ENDING, Act.END, Phase.DOWN, True)
    again = (end(131), *due(131), start(131), tick(131))
    assert play(RULES, *again, hear(132, GOOD), life=life)[0].well
    life, act = play(RULES, *again, hear(161, answer), end(162), life=life)
    assert (life.phase, life.wanted) == (Phase.FAILED, False)


def test_one_of_ours_that_hangs_after_it_was_renewed_is_given_up() -> None:
    renewed = (*UP, want(100), tick(100), hear(130, SILENT), end(131), *due(131), start(131), tick(131))
    life, _ = play(RULES, *renewed, hear(162, SILENT), end(163))
    assert life.phase is Phase.FAILED
    assert life.reason == "was not ready within 30 s: does not answer within 5 s"


def test_one_that_dies_while_it_is_asked_is_started_at_once() -> None:
    life, _ = play(RULES, *UP, want(100), tick(100), die(100.5), end(100.6))
    assert play(RULES, *due(100.6), life=life)[1] is Act.START


@pytest.mark.parametrize(
    ("rules", "answer", "phase", "held"),
    [
        pytest.param(RULES, ABSENT, Phase.DOWN, False, id="gone: one of ours is started"),
        pytest.param(RULES, SILENT, Phase.FAILED, True, id="hangs: it holds the port"),
        pytest.param(MOVABLE, SILENT, Phase.DOWN, False, id="hangs: one of ours is started on another port"),
    ],
)
def test_what_was_adopted_and_does_not_answer_when_it_is_wanted(
    rules: Rules, answer: Answer, phase: Phase, *, held: bool
) -> None:
    life, _ = play(rules, *ADOPTED, want(100), tick(100), hear(130, answer))
    assert (life.phase, life.held) == (phase, held)


def test_one_that_nobody_can_ask_is_started_at_once() -> None:
    rules = Rules(askable=False)
    assert play(rules, want(0), tick(0))[1] is Act.START


def test_a_restart_that_never_answers_counts_as_a_death() -> None:
    life, _ = play(RULES, *UP, die(5), end(5), *due(6), start(6), tick(6))
    life, act = play(RULES, hear(36, ABSENT), life=life)
    assert (act, life.then, life.deaths) == (Act.END, Phase.DOWN, 2)


@pytest.mark.parametrize("wanted", [True, False])
def test_what_somebody_else_has_started_meanwhile_is_adopted(*, wanted: bool) -> None:
    """An agent that found the server dead, or another runner that was quicker."""
    life, _ = play(RULES, *(STARTED if wanted else UP), die(5), end(5), tick(6), hear(6, GOOD))
    assert (life.phase, life.ours, life.wanted) == (Phase.UP, False, False)


class TestACommandThatEndsWell:
    """And leaves nothing below it: `docker compose up -d`, or a command that is no server."""

    def test_is_waited_for_a_moment(self) -> None:
        life, _ = play(RULES, *STARTED, lambda life, _: (course.left_alone(life, "it ended", 1), Act.NOTHING), tick(1))
        assert (life.phase, life.ours, life.deadline) == (Phase.STARTING, False, 11)
        life, _ = play(RULES, hear(2, GOOD), life=life)
        assert (life.phase, life.ours, life.well) == (Phase.UP, False, True)

    def test_and_given_up_if_nothing_answers(self) -> None:
        life, _ = play(RULES, *STARTED, lambda life, _: (course.left_alone(life, "it ended", 1), Act.NOTHING), tick(1))
        life, _ = play(RULES, hear(11, ABSENT), end(11), life=life)
        assert (life.phase, life.wanted) == (Phase.FAILED, False)
        assert life.reason == "it ended, and nothing is ready: connection refused"

    def test_within_the_time_of_a_server_at_most(self) -> None:
        rules = Rules(attempts=3)
        assert play(rules, *STARTED, lambda life, _: (course.left_alone(life, "x", 1), Act.NOTHING))[0].deadline == 3


@pytest.mark.parametrize(
    ("events", "phase"),
    [
        pytest.param((want(0),), Phase.UNKNOWN, id="asked first"),
        pytest.param((want(0), tick(0), hear(0, BAD), tick(1), hear(1, BAD)), Phase.UNKNOWN, id="held"),
        pytest.param((want(0), tick(0), hear(0, ABSENT)), Phase.UNKNOWN, id="not started yet"),
        pytest.param(STARTED, Phase.STARTING, id="starting"),
        pytest.param((*UP, want(9)), Phase.UP, id="up"),
        pytest.param((*UP, die(9)), Phase.ENDING, id="ending"),
    ],
)
def test_a_wait_that_is_broken_off_starts_nothing_new(events: tuple[Event, ...], phase: Phase) -> None:
    life, _ = play(RULES, *events, release())
    assert (life.phase, life.wanted) == (phase, False)


@pytest.mark.parametrize("phase", list(Phase))
def test_every_phase_has_a_word_for_others(phase: Phase) -> None:
    assert Life(phase=phase).health in set(Health)


EVENTS = st.sampled_from(["want", "tick", "good", "bad", "silent", "absent", "start", "die", "end", "release"])


@given(
    happened=st.lists(st.tuples(EVENTS, st.floats(0, 40)), max_size=60), movable=st.booleans(), restart=st.booleans()
)
def test_whatever_happens_a_server_that_is_wanted_comes_to_an_end(
    *, happened: list[tuple[str, float]], movable: bool, restart: bool
) -> None:
    """No order of events makes `ensure` wait for ever: from anywhere, a server that never answers is given up."""
    rules, life, now = Rules(movable=movable, restart=restart), Life(), 0.0
    answers = {"good": GOOD, "bad": BAD, "silent": SILENT, "absent": ABSENT}
    acts: dict[str, Callable[[], Life]] = {
        "want": lambda: course.want(life, rules, now),
        "tick": lambda: course.pass_time(life, rules, now)[0],
        "start": lambda: course.started(life, now, rules) if course.to_be_started(life, rules, now) else life,
        "die": lambda: course.died(life, "died", rules, now)[0],
        "end": lambda: course.ended(life, now),
        "release": lambda: course.release(life),
    }
    for what, seconds in happened:
        now += seconds
        life = course.answered(life, answers[what], rules, now)[0] if what in answers else acts[what]()
        assert life.deaths <= course.MOST_DEATHS
    life = course.want(life, rules, now)
    end = now + 20 * rules.patience
    while life.wanted:
        assert now < end, life
        life, act = course.pass_time(life, rules, now)
        if act is Act.ASK:
            life, _ = course.answered(life, SILENT if life.phase is not Phase.ASKING else ABSENT, rules, now)
        elif act is Act.START:
            life = course.started(life, now, rules)
        elif life.phase is Phase.ENDING:
            life = course.ended(life, now)
        now += 0.05
    assert life.phase in {Phase.UP, Phase.FAILED}
