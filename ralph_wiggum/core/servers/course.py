"""The course of one server's life: asked first, adopted or started, watched, started again, given up (O23). Pure.

Each function takes what is known and what happened at `now`, and returns what is known then and what to do.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf

from ralph_wiggum.core.servers.answer import Answer, Kind
from ralph_wiggum.core.servers.life import Act, Life, Phase, Rules

BACK_OFF_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)  # before the start that follows the first, second … death in a row
MOST_DEATHS = 5  # in a row: a crash loop
CLEARED_SECONDS = 60.0  # of health, after which earlier deaths count no more
CHECK_SECONDS = 10.0  # between two health checks
RECHECK_SECONDS = 1.0  # after one that went badly
MOST_UNANSWERED = 3  # health checks in a row: it hangs, or is gone
FIRST_TRIES_SECONDS = (0.2, 1.0)  # before the second and the third try of a server that ends as soon as it is started
POLL_SECONDS = 0.05  # while nobody is there: a refused connection costs nobody anything
LEFT_ALONE_SECONDS = 10.0  # for what a command that has ended started somewhere else
LOOKS = 2  # at somebody who holds the port and is not ready, before it is called held

Step = tuple[Life, Act]


def want(life: Life, rules: Rules, now: float) -> Life:
    """Begin to wait for a server: what is up must prove it, what is not is asked for and started if need be."""
    life = replace(life, wanted=True, tries=0, looks=0, renewed=False)
    match life.phase:
        case Phase.UP | Phase.CHECKING:
            return _enter(life, Phase.CHECKING, now, deadline=now + rules.patience, ask_at=now)
        case Phase.STARTING:
            return replace(life, tries=1)
        case Phase.ENDING:
            return replace(life, then=Phase.DOWN, again_at=now)
        case Phase.DOWN | Phase.FAILED | Phase.UNKNOWN | Phase.ASKING | Phase.HELD:
            # one fresh start after a crash loop: the next death is its last
            deaths = MOST_DEATHS - 1 if life.crashing else 0 if life.phase is Phase.FAILED else life.deaths
            life = replace(life, deaths=deaths, crashing=False, held=False, reason="")
            return _enter(life, Phase.ASKING if rules.askable else Phase.DOWN, now, ask_at=now, again_at=now)


def start_anew(life: Life, now: float) -> Step:
    """End one of ours that somebody waits for, and start it once more: it runs with code of before."""
    return _end(replace(life, tries=0, renewed=True), Phase.DOWN, now, again_at=now)


def turn_away(life: Life, now: float) -> Life:
    """Leave the wanted port to whoever answers there: it is somebody of another project. Ours goes to another port."""
    return _make_way(life, now)


def release(life: Life) -> Life:
    """Wait no longer, whatever became of it: somebody asked to stop."""
    life = replace(life, wanted=False)
    match life.phase:
        case Phase.ASKING | Phase.HELD:
            return replace(life, phase=Phase.UNKNOWN, ask_at=inf)
        case Phase.CHECKING:
            return replace(life, phase=Phase.UP)
        case Phase.DOWN if not life.ours:
            return replace(life, phase=Phase.UNKNOWN)
        case _:
            return life


def pass_time(life: Life, rules: Rules, now: float) -> Step:
    """Return what is due at `now`. A START is carried out by the caller, who then says `started` or `give_up`.

    What is to be started is asked for first, also after a death: an agent, or another runner, may have started one.
    """
    if life.phase is Phase.DOWN and now >= life.again_at and (life.wanted or rules.restart):
        if to_be_started(life, rules, now):
            return life, Act.START
        return _enter(life, Phase.ASKING, now), Act.ASK
    if life.phase is not Phase.DOWN and now >= life.ask_at:
        return replace(life, ask_at=inf), Act.ASK
    if life.phase is Phase.UP and life.deaths and now - life.since >= CLEARED_SECONDS:
        return replace(life, deaths=0), Act.NOTHING
    return life, Act.NOTHING


def to_be_started(life: Life, rules: Rules, now: float) -> bool:
    """Say whether nothing is left to do but its start."""
    due = life.phase is Phase.DOWN and now >= life.again_at and (life.wanted or rules.restart)
    return due and (life.clear or not rules.askable)


def postpone(life: Life, seconds: float) -> Life:
    """Give a server more time: for so long nobody could look after it."""
    return replace(life, deadline=life.deadline + seconds)


def started(life: Life, now: float, rules: Rules) -> Life:
    """Note that its process was started."""
    again = life.deaths > 0 and not life.wanted
    life = replace(life, ours=True, clear=False, tries=life.tries + 1, restarts=life.restarts + again)
    return _enter(life, Phase.STARTING, now, deadline=now + rules.patience, ask_at=now)


def left_alone(life: Life, how: str, now: float) -> Life:
    """Note that its command has ended well and left nothing below it: what it started, if anything, is not ours.

    That is how `docker compose up -d` begins; a server that ends at once looks the same, so the wait is short.
    """
    return replace(life, ours=False, deadline=min(life.deadline, now + LEFT_ALONE_SECONDS), reason=how)


def fail(life: Life, reason: str, now: float) -> Step:
    """Give it up until it is wanted again, and end what runs of it."""
    life = replace(life, wanted=False, reason=reason)
    if life.ours and life.phase in {Phase.STARTING, Phase.CHECKING, Phase.UP}:
        return _end(life, Phase.FAILED, now)
    return give_up(life, reason, now), Act.NOTHING


def give_up(life: Life, reason: str, now: float, *, held: bool = False) -> Life:
    """Give it up until it is wanted again."""
    return replace(_enter(life, Phase.FAILED, now), wanted=False, reason=reason, held=held)


def answered(life: Life, answer: Answer, rules: Rules, now: float) -> Step:
    """Take an answer."""
    match life.phase:
        case Phase.ASKING:
            return _asked_first(life, answer, rules, now), Act.NOTHING
        case Phase.HELD:
            return _asked_holder(life, answer, rules, now), Act.NOTHING
        case Phase.STARTING:
            return _asked_starting(life, answer, rules, now)
        case Phase.CHECKING:
            return _asked_to_prove(life, answer, rules, now)
        case Phase.UP:
            return _asked_for_health(life, answer, rules, now)
        case _:
            return life, Act.NOTHING


def died(life: Life, how: str, rules: Rules, now: float, *, hopeless: bool = False) -> Step:
    """Take the end of its process (or its silence): start it again later, or give it up; what is left of it ends.

    `how` is a sentence without its full stop; `hopeless`: another start would end the same way.
    """
    if life.phase not in {Phase.STARTING, Phase.CHECKING, Phase.UP}:
        return life, Act.NOTHING
    deaths = life.deaths + 1
    life = replace(life, deaths=deaths, reason=how)
    if hopeless:
        return _end(life, Phase.FAILED, now)
    if deaths >= MOST_DEATHS:
        crash = f"crash loop, ended {deaths} times in a row; the last time {how}"
        return _end(replace(life, reason=crash, crashing=True), Phase.FAILED, now)
    if life.wanted:
        if life.phase is Phase.STARTING and life.tries > len(FIRST_TRIES_SECONDS):
            return _end(life, Phase.FAILED, now)
        pause = FIRST_TRIES_SECONDS[life.tries - 1] if life.phase is Phase.STARTING and life.tries else 0.0
        return _end(life, Phase.DOWN, now, again_at=now + pause)
    again_at = now + BACK_OFF_SECONDS[min(deaths, len(BACK_OFF_SECONDS)) - 1] if rules.restart else inf
    return _end(life, Phase.DOWN, now, again_at=again_at)


def ended(life: Life, now: float) -> Life:
    """Note that nothing of its processes is left."""
    if life.phase is not Phase.ENDING:
        return life
    waits = life.wanted and life.then is not Phase.FAILED
    return replace(_enter(life, life.then, now, again_at=life.again_at), wanted=waits)


def _asked_first(life: Life, answer: Answer, rules: Rules, now: float) -> Life:
    if answer.good:
        return _up(life, rules, now, ours=False)
    if not answer.there:
        return _make_way(life, now)
    if life.looks + 1 < LOOKS:
        return replace(life, looks=life.looks + 1, ask_at=now + min(rules.interval, RECHECK_SECONDS))
    if rules.movable:
        return _make_way(life, now)
    return _enter(life, Phase.HELD, now, deadline=now + rules.patience, ask_at=now + rules.interval)


def _asked_holder(life: Life, answer: Answer, rules: Rules, now: float) -> Life:
    if answer.good:
        return _up(life, rules, now, ours=False)
    if not answer.there:
        return _make_way(life, now)
    if now >= life.deadline:
        return give_up(life, answer.words, now, held=True)
    return replace(life, ask_at=now + rules.interval)


def _asked_starting(life: Life, answer: Answer, rules: Rules, now: float) -> Step:
    if answer.good:
        return _up(life, rules, now, ours=life.ours), Act.NOTHING
    if now < life.deadline:
        return replace(life, ask_at=now + _pause(answer, rules)), Act.NOTHING
    if life.wanted and life.ours and life.renewed and answer.alive:
        return _broken(life, answer, rules, now), Act.NOTHING
    late = f"was not ready within {rules.patience:g} s: {answer.words}"
    if not life.ours:
        late = f"{life.reason}, and nothing is ready: {answer.words}"
    if life.wanted:
        return _end(replace(life, reason=late), Phase.FAILED, now)
    return died(life, late, rules, now)


def _asked_to_prove(life: Life, answer: Answer, rules: Rules, now: float) -> Step:
    if answer.good:
        return _up(life, rules, now, ours=life.ours), Act.NOTHING
    if not life.ours and not answer.there:  # what was adopted is gone
        return replace(_make_way(life, now), reason=_gone(answer)), Act.NOTHING
    if now < life.deadline:
        return replace(life, ask_at=now + _pause(answer, rules)), Act.NOTHING
    if life.ours:  # it hangs, or what it holds in memory is broken: a fresh one tells
        return start_anew(replace(life, reason=answer.words if answer.alive else _gone(answer)), now)
    return (_broken if answer.alive else _leave)(life, answer, rules, now), Act.NOTHING


def _broken(life: Life, answer: Answer, rules: Rules, now: float) -> Life:
    """Leave one alone that was up before and answers badly: its page is broken, and to end it would mend nothing."""
    return replace(_enter(life, Phase.UP, now, ask_at=_next_check(rules, now)), wanted=False, reason=answer.words)


def _leave(life: Life, answer: Answer, rules: Rules, now: float) -> Life:
    """Turn away from what was adopted, and hangs: it holds the port, and is not ours to end."""
    if rules.movable:
        return replace(_make_way(life, now), reason=_gone(answer))
    return give_up(life, answer.words, now, held=True)


def _make_way(life: Life, now: float) -> Life:
    return replace(_enter(life, Phase.DOWN, now, again_at=now), clear=True)


def _asked_for_health(life: Life, answer: Answer, rules: Rules, now: float) -> Step:
    if answer.alive:
        reason = "" if answer.good else answer.words
        return replace(life, unanswered=0, reason=reason, ask_at=_next_check(rules, now)), Act.NOTHING
    unanswered = life.unanswered + 1
    if unanswered < MOST_UNANSWERED:
        return replace(life, unanswered=unanswered, ask_at=now + RECHECK_SECONDS), Act.NOTHING
    if life.ours:
        return died(life, _gone(answer), rules, now)
    again_at = now if rules.restart else inf
    return replace(_enter(life, Phase.DOWN, now, again_at=again_at), reason=_gone(answer)), Act.NOTHING


def _up(life: Life, rules: Rules, now: float, *, ours: bool) -> Life:
    kept = life.since if life.phase is Phase.CHECKING else now  # health is not interrupted by a question
    found = _enter(life, Phase.UP, kept, ask_at=_next_check(rules, now))
    return replace(found, ours=ours, wanted=False, reason="", held=False)


def _end(life: Life, then: Phase, now: float, *, again_at: float = inf) -> Step:
    return replace(_enter(life, Phase.ENDING, now, again_at=again_at), then=then), Act.END


def _enter(
    life: Life, phase: Phase, now: float, *, ask_at: float = inf, deadline: float = inf, again_at: float = inf
) -> Life:
    since = life.since if {life.phase, phase} == {Phase.UP, Phase.CHECKING} else now
    return replace(
        life,
        phase=phase,
        since=since,
        ask_at=ask_at,
        deadline=deadline,
        again_at=again_at,
        looks=0,
        unanswered=0,
        clear=False,
    )


def _pause(answer: Answer, rules: Rules) -> float:
    return min(rules.interval, POLL_SECONDS) if answer.kind is Kind.ABSENT else rules.interval


def _next_check(rules: Rules, now: float) -> float:
    return now + CHECK_SECONDS if rules.health_check else inf


def _gone(answer: Answer) -> str:
    return f"stopped answering: {answer.words}"
