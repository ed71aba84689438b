"""Everything that is rehearsed: what the scripted agent does, and what proves that the night stood it (B8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ralph_wiggum.core.drill.observation import Observation
from ralph_wiggum.core.drill.scenario import AGENT, SPARE, WORK, Scenario, Script, Stage, Victim
from ralph_wiggum.core.drill.verdict import few
from ralph_wiggum.core.errors import Exit
from ralph_wiggum.core.evidence import FailureKind
from ralph_wiggum.core.journal import Noted, Ticked

FLOOD_MEGABYTES = 150
MOST_MEMORY = 150_000_000  # bytes of the runner alone; half of the flood would be seen
MOST_LOG = 25_000_000  # bytes of one log
RESET_SECONDS = 4
HELD_SECONDS = 3 * 3600

Proof = Callable[[Observation], Sequence[str]]


def failed_by(kind: FailureKind, key: str = "1") -> Proof:
    """Return a proof that an attempt at a task failed in this way: the fault did happen, and was noticed as such."""

    def proof(seen: Observation) -> Sequence[str]:
        kinds = [attempt.kind for attempt in seen.attempts(key) if attempt.result == "failed"]
        return () if kind.value in kinds else (f"no attempt was ended as {kind.value!r} (seen: {_listed(kinds)})",)

    return proof


def happened(kind: str) -> Proof:
    """Return a proof that the scripted agent came to a step."""
    return lambda seen: () if seen.noted(kind) else (f"the fault never happened: the agent noted no {kind!r}",)


def both(*proofs: Proof) -> Proof:
    """Return one proof for several."""
    return lambda seen: [reason for proof in proofs for reason in proof(seen)]


def cost_no_attempt(seen: Observation) -> Sequence[str]:
    """Prove that a provider's limit was taken for one: it has a cause, is no attempt, and was waited for."""
    reasons = [] if any(attempt.cause for attempt in seen.attempts("1")) else ["the limit was not taken for one"]
    if any(started.attempt > 1 for started in seen.started("1")):
        reasons.append("the limit cost an attempt")
    runs = [event.at for event in seen.noted("start") if event.task == "1"]
    if len(runs) > 1 and runs[1] - runs[0] < RESET_SECONDS:
        reasons.append(f"the agent was asked again after {runs[1] - runs[0]:.1f} s, before its limit ended")
    return reasons


def taken_over(seen: Observation) -> Sequence[str]:
    """Prove that the second agent took over at once, and that the first was left alone until its limit ends."""
    reasons = [] if seen.held(AGENT) else ["the agent that hit its limit was not left alone"]
    if len(asked := seen.noted("start", AGENT)) > 1:
        reasons.append(f"the agent that hit its limit was asked {len(asked)} times")
    if not seen.noted("end", SPARE):
        reasons.append("the second agent never worked")
    return reasons


def bounded(seen: Observation) -> Sequence[str]:
    """Prove that a flood filled neither memory nor disk."""
    reasons = []
    if seen.memory > MOST_MEMORY:
        reasons.append(f"the runner took {_megabytes(seen.memory)} of memory")
    if seen.log > MOST_LOG:
        reasons.append(f"a log of {_megabytes(seen.log)} was kept")
    return reasons


def refused(seen: Observation) -> Sequence[str]:
    """Prove that no lie was believed: every attempt at the first three tasks failed."""
    believed = [key for key in "123" if any(attempt.result == "passed" for attempt in seen.attempts(key))]
    return [f"a lie was believed: task {key}" for key in believed]


def cut_off_once(seen: Observation) -> Sequence[str]:
    """Prove that the attempt that was cut off by a kill was not counted, and the task not done twice."""
    reasons = []
    if seen.attempts("1") and seen.attempts("1")[0].result != "interrupted":
        reasons.append("the attempt that was cut off was counted")
    if len(seen.starts) < 2:  # noqa: PLR2004 - before the kill and after it
        reasons.append("the run was not started again")
    return [*reasons, *done_once(seen)]


def done_once(seen: Observation) -> Sequence[str]:
    """Prove that no task was ticked twice."""
    ticks = [entry.key for entry in seen.entries if isinstance(entry, Ticked)]
    return [f"task {key} was ticked twice" for key in sorted(set(ticks)) if ticks.count(key) > 1]


def put_back(seen: Observation) -> Sequence[str]:
    """Prove that the person is told of the lost repository."""
    words = [entry.text for entry in seen.entries if isinstance(entry, Noted)]
    words += [note for attempt in seen.attempts("2") for note in attempt.notes]
    return () if any(".git" in text for text in words) else ("nothing was said about it",)


def told_of_hooks(seen: Observation) -> str:
    """Say how the person's own hooks and settings took the commits."""
    took = f"two tasks with their commits in {seen.seconds:.1f} s"
    if seen.commits is None or not seen.hooks:
        return f"{took}, no hooks of yours"
    notes = [note for entry in seen.entries if isinstance(entry, Ticked) for note in entry.notes if "hook" in note]
    if not notes:
        return f"{took}, through your hooks"
    lacking = f" (the copy has no {', '.join(seen.lacking)})" if seen.lacking else ""
    return f"{took}, but {few(tuple(dict.fromkeys(notes)))}{lacking}"


def told_of_checks(seen: Observation) -> str:
    """Say which checks ran, how they came out and how long they took."""
    gates = [gate for attempt in seen.attempts("1") for gate in attempt.gates]
    if not gates:
        return "no checks are set or found: tasks would be completed unverified"
    return few(tuple(f"{gate.name} {gate.status} in {gate.seconds:.1f} s" for gate in gates))


def ran(seen: Observation) -> Sequence[str]:
    """Prove that the person's checks could run: what fails after a harmless change stands in every task's way."""
    attempts = [attempt for attempt in seen.attempts("1") if attempt.result == "failed"]
    return [f"your checks fail after a harmless change: {attempt.reason}" for attempt in attempts[:1]]


def _listed(kinds: Sequence[str]) -> str:
    return ", ".join(kinds) or "none"


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.0f} MB"


MOMENT: Script = (("write", "half-done.txt", "half\n"), ("note", "moment"), ("sleep", 60))
FAMILY: Script = (("orphan",), *MOMENT)
LIMITED: Script = (
    ("err", f"Error: 429 rate_limit_error: too many requests, retry after {RESET_SECONDS} s"),
    ("leave", 1),
)
HELD: Script = (("say", f"Claude AI usage limit reached|{{in {HELD_SECONDS}}}"), ("leave", 1))

SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="limit",
        what="the provider limits the agent for some seconds",
        survived="waited for the reset, cost no attempt",
        play={"1": (LIMITED, WORK)},
        proof=cost_no_attempt,
    ),
    Scenario(
        name="hang",
        what="the agent hangs and ignores TERM, as does its child",
        survived="ended at its time limit, with its family; the next attempt did the task",
        play={"1": ((("ignore",), ("orphan",), ("note", "hung"), ("sleep", 600)), WORK)},
        proof=both(happened("hung"), failed_by(FailureKind.TIMEOUT)),
        task_seconds=3.0,
    ),
    Scenario(
        name="crash",
        what="the agent dies of SIGSEGV",
        survived="noticed as a crash; the next attempt did the task",
        play={"1": ((*WORK[:-1], ("crash",)), WORK)},
        proof=failed_by(FailureKind.CRASH),
    ),
    Scenario(
        name="orphan",
        what="the agent leaves a daemon that holds its output open",
        survived="its end was noticed, the daemon was ended",
        play={"1": ((("orphan",), *WORK),)},
        proof=happened("orphan"),
    ),
    Scenario(
        name="flood",
        what=f"the agent prints {FLOOD_MEGABYTES} MB",
        survived="memory and log stayed small",
        play={"1": ((("flood", FLOOD_MEGABYTES), ("note", "flooded"), *WORK),)},
        proof=both(happened("flooded"), bounded),
    ),
    Scenario(
        name="lie",
        what="the agent claims what it did not do, and ticks tasks.md itself",
        survived="no lie was believed, the honest task is done",
        marks="SSSx",
        play={
            "1": ((("say", "TASK_COMPLETE"),),),
            "2": ((("tick",), ("note", "ticked"), ("say", "TASK_COMPLETE")),),
            "3": ((("say", "ALL_TASKS_COMPLETE"),),),
        },
        proof=both(happened("ticked"), refused),
        code=Exit.SOME_SKIPPED,
    ),
    Scenario(
        name="two-agents",
        what="one agent of two hits a limit of hours",
        survived="the other took over at once",
        play={"1": (HELD,), "2": (HELD,)},
        proof=taken_over,
        spare=True,
    ),
    Scenario(
        name="git",
        what="the agent deletes .git",
        survived="put back, no commit lost",
        play={"2": ((("note", "deleted"), ("delete_git",), *WORK),)},
        proof=both(happened("deleted"), put_back),
        needs_repository=True,
    ),
    Scenario(
        name="runner",
        what="kill -9 of the runner, and a new start",
        survived="nothing lived on, the task was done once",
        play={"1": (FAMILY, WORK)},
        proof=cut_off_once,
        kills=(Victim.RUNNER,),
    ),
    Scenario(
        name="keeper",
        what="kill -9 of the keeper of the agent's processes",
        survived="noticed, the night went on with another one",
        play={"1": (FAMILY, WORK)},
        proof=both(happened("moment"), done_once),
        kills=(Victim.KEEPER,),
    ),
    Scenario(
        name="both",
        what="kill -9 of runner and keeper at once, and a new start",
        survived="what was left was swept up, the task was done once",
        play={"1": (FAMILY, WORK)},
        proof=cut_off_once,
        kills=(Victim.KEEPER, Victim.RUNNER),
    ),
    Scenario(
        name="disk",
        what="the disk is full for some seconds",
        survived="went on when there was room again, nothing torn",
        play={"1": ((("fill",), ("note", "full"), ("sleep", 1), *WORK), WORK)},
        proof=happened("full"),
        stage=Stage.SMALL_DISK,
        commits_may_wait=True,
        most_seconds=90.0,
    ),
    Scenario(
        name="commit",
        what="commits with your git hooks and settings",
        survived="",
        told=told_of_hooks,
        needs_repository=True,
        stage=Stage.HOOKS,
    ),
    Scenario(
        name="checks",
        what="your own checks, once before and once after a change",
        survived="",
        marks="x",
        proof=ran,
        told=told_of_checks,
        stage=Stage.CHECKS,
        most_seconds=45.0,
    ),
)

AGENT_LOOK = "agent"
NAMES: Mapping[str, str] = {AGENT_LOOK: "your agent is installed and logged in"} | {
    each.name: each.what for each in SCENARIOS
}
