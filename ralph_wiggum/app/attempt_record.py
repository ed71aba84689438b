"""What the journal keeps of an attempt: from what was seen and how it was judged to one entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ralph_wiggum.app.proving import seen_gates
from ralph_wiggum.core.completion import HUNG, complete
from ralph_wiggum.core.evidence import (
    AgentOutcome,
    Change,
    Failed,
    Gate,
    Interrupted,
    Passed,
    Said,
    Unserved,
    Usage,
    Verdict,
)
from ralph_wiggum.core.journal import Ended, Started
from ralph_wiggum.core.model import Task
from ralph_wiggum.core.provider.cause import Diagnosis
from ralph_wiggum.ports import Snapshot

EXCERPT_BYTES = 4000
NAMED_FILES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the runner found after an agent's end."""

    outcome: AgentOutcome
    diagnosis: Diagnosis
    said: Said
    base: Snapshot
    after: Snapshot
    changes: tuple[Change, ...]
    gates: tuple[Gate, ...]
    verdict: Verdict
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What an attempt used; `cost` in US dollars, None where nobody can tell. `priced`: made of the person's prices."""

    usage: Usage
    cost: float | None
    priced: bool


def describe(task: Task, started: Started, seen: Seen, used: Used | None) -> Ended:
    """Return the end of an attempt as the journal keeps it."""
    outcome, verdict = seen.outcome, seen.verdict
    failed = next((gate for gate in seen.gates if gate.failed), None)
    ended = Ended(
        key=task.key,
        id=task.id,
        name=task.name,
        attempt=started.attempt,
        seconds=round(outcome.seconds, 3),
        timeout=started.timeout,
        strategy=started.strategy,
        agent=started.agent,
        summary=seen.said.summary,
        excerpt=(failed.excerpt if failed else outcome.excerpt)[-EXCERPT_BYTES:],
        files=tuple(f"{change.status} {change.path}" for change in seen.changes[:NAMED_FILES]),
        gates=seen_gates(seen.gates),
        failing=failed.command if failed else "",
        ended_commands=tuple(
            f"{command.command[:300]} (ended after {command.seconds:.0f} s, limit {command.limit:.0f} s)"
            for command in outcome.ended_commands
        ),
        notes=(*seen.notes, *_hung(outcome, seen.said), *_notes(outcome), *_more_files(seen.changes)),
        after=seen.after.tree,
        after_large=dict(seen.after.large),
        checkpoint=started.checkpoint,
        session=outcome.session,
    )
    return with_verdict(with_usage(ended, used), verdict)


def with_verdict(ended: Ended, verdict: Verdict) -> Ended:
    """Return the end with what was made of it."""
    match verdict:
        case Passed():
            return ended._replace(result="passed", verified=verdict.verified, no_change=verdict.no_change)
        case Failed():
            return ended._replace(
                result="failed",
                kind=verdict.kind.value,
                fingerprint=verdict.fingerprint,
                reason=verdict.reason,
                progressed=verdict.progressed,
                environment=verdict.environment,
                hopeless=verdict.hopeless,
            )
        case Interrupted():
            return ended._replace(result="interrupted", reason=verdict.reason)
        case Unserved():
            return ended._replace(result="interrupted", reason=verdict.reason, cause=verdict.cause)


def with_usage(ended: Ended, used: Used | None) -> Ended:
    """Return the end with what the attempt used, as far as anybody can tell."""
    if used is None:
        return ended
    return ended._replace(
        input_tokens=used.usage.input_tokens,
        output_tokens=used.usage.output_tokens,
        cached_tokens=used.usage.cached_tokens,
        cost=-1.0 if used.cost is None else round(used.cost, 6),
        priced=used.priced,
    )


def _hung(outcome: AgentOutcome, said: Said) -> tuple[str, ...]:
    """Return a word on an agent that said its last word and then nothing more: each such attempt costs minutes."""
    if outcome.ending not in HUNG or not complete(outcome, said):
        return ()
    return (f"it did not end by itself after its final message; ended by the {outcome.ending.value} limit",)


def _notes(outcome: AgentOutcome) -> tuple[str, ...]:
    notes = [*outcome.notes, *outcome.waited_for]
    notes.extend(f"answered on the terminal: {question}" for question in outcome.answered)
    if outcome.leftovers:
        left = "1 process" if outcome.leftovers == 1 else f"{outcome.leftovers} processes"
        notes.append(f"ended what the agent left behind: {left}")
    return tuple(notes)


def _more_files(changes: Sequence[Change]) -> tuple[str, ...]:
    return (f"{len(changes)} files changed, the first {NAMED_FILES} are named",) if len(changes) > NAMED_FILES else ()
