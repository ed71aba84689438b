"""Journal entries -> activity.md: what the status block says, the text of each entry (O27-O29)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from ralph_wiggum.core import log_block, spent
from ralph_wiggum.core.decide import identical_failures
from ralph_wiggum.core.evidence import FailureKind
from ralph_wiggum.core.history import History, TaskRecord
from ralph_wiggum.core.journal import CheckpointBlocked, Ended, Entry, GateSeen, Noted, Skipped, Ticked, Waiting
from ralph_wiggum.core.journal_lines import to_line
from ralph_wiggum.core.model import Plan
from ralph_wiggum.core.outside_text import block, code, fenced, inline
from ralph_wiggum.core.select import next_task
from ralph_wiggum.core.spent_words import of_attempts
from ralph_wiggum.core.status import count

RUNNING = "Running"
WAITING = "Waiting"

_DONE = "✅ COMPLETE"
_SKIPPED = "⏭️ SKIPPED"
_GOING_ON = "🔄 IN PROGRESS"
_NAMED_FILES = 50
_GATE_SIGNS = {"passed": "✅", "failed": "❌", "not run": "⏭️"}
_FILE_WORDS = {"A": "added", "M": "modified", "D": "deleted", "T": "type changed"}
_PAGES = frozenset({FailureKind.SERVER.value, FailureKind.VISUAL.value})
_APPROACHES = {
    "first": "first attempt",
    "same": "the same approach, looking for slips",
    "other-implementation": "another implementation",
    "simpler": "a simpler scope",
    "other-approach": "another approach, from the logs and errors",
    "conservative": "the most conservative one",
    "look": "the runner looked before any agent was asked",
}


def status_block(spec: str, plan: Plan, history: History, state: str, now: datetime) -> str:
    """Return the status block (O27): exactly BLOCK_BYTES bytes; `state` is the loop's, such as Running or Complete."""
    counts = count(plan)
    waiting = history.waiting if state == RUNNING else None
    detail = f"until {_minute(waiting.until)}: {waiting.reason}" if waiting else ""
    return log_block.render(
        log_block.StatusValues(
            spec=spec,
            updated=f"{now:%Y-%m-%d %H:%M}",
            completed=counts.completed,
            total=counts.total,
            current=_current(plan, history, state),
            loop=WAITING if waiting else state,
            detail=detail,
        )
    )


def _current(plan: Plan, history: History, state: str) -> str:
    """Return the task that is worked on, or, between two, the one that is next; nothing where no run goes on."""
    if state != RUNNING:
        return ""
    if history.current is not None:
        return f"{history.current.id} {history.current.name}".strip()
    following = next_task(plan)
    return following.label if following is not None else ""


def entry_id(entry: Entry) -> str:
    """Return what an entry is known by in the log: the same for the same journal line, always."""
    return hashlib.blake2s(to_line(entry).encode("utf-8", "replace"), digest_size=8).hexdigest()


def marker(entry_id: str) -> str:
    """Return the invisible text that carries an entry's id."""
    return f"<!-- ralph:{entry_id} -->"


def entry(entry: Entry, record: TaskRecord, *, retry_limit: int = 10) -> str:
    """Return the text of an entry, "" if there is none: a passed attempt is told with its tick.

    `record` is what was known of the task before this entry.
    """
    match entry:
        case Ended(result="passed"):
            text = ""
        case Ended(result="failed"):
            text = _failed(entry, record, retry_limit)
        case Ended():
            text = _interrupted(entry)
        case Ticked():
            passed = record.passed
            own = None if passed and passed.how else passed
            text = _closed(entry) if entry.how == "parent" else _ticked(entry, own, record)
        case Skipped():
            text = _skipped(entry, record) if entry.by == "runner" else _skipped_by_person(entry, record)
        case CheckpointBlocked():
            text = _blocked(entry, retry_limit)
        case Waiting():
            text = _waiting(entry)
        case Noted():
            text = _noted(entry)
        case _:
            text = ""
    return text


# --- entries


def _closed(ticked: Ticked) -> str:
    """Return the entry of a parent: nobody worked on it, so there is nothing to tell of files and checks (O3)."""
    heading = _heading(ticked.at, _task(ticked))
    done = "All its required sub-tasks are complete."
    return "\n".join([heading, "", f"### Status: {_DONE}", "", "### What Was Done", "", done]) + "\n"


def _ticked(ticked: Ticked, passed: Ended | None, record: TaskRecord) -> str:
    checkpoint = [f"CHECKPOINT PASSED: {inline(ticked.name)}"] if ticked.how == "checkpoint" else []
    notes = [f"{ticked.attempts} attempts" if ticked.attempts > 1 else ""]
    if not ticked.verified:
        notes.append("unverified: no check ran that could prove it")
    notes.append(f"commit {ticked.sha[:12]}" if ticked.sha else "")
    notes.append(_cost(record.attempts))
    notes.extend(f"left out of the commit: {code(path)}" for path in ticked.left_out)
    notes.extend((*_attempt_notes(passed), *ticked.notes))
    return _text(
        _heading(ticked.at, _task(ticked)),
        _DONE,
        top=checkpoint,
        done=_what_was_done(ticked, passed),
        files=passed.files if passed else (),
        gates=ticked.gates,
        notes=notes,
    )


def _what_was_done(ticked: Ticked, passed: Ended | None) -> str:
    if ticked.how == "validation":
        return "The runner looked at the page and found it in order; no agent was needed."
    if passed is None:
        return "All checks passed; no agent was needed." if ticked.verified else "There is no check to run."
    said = block(passed.summary) or "The agent said nothing about it."
    return f"Nothing had to be changed: {inline(passed.no_change)}\n\n{said}" if passed.no_change else said


def _failed(ended: Ended, record: TaskRecord, retry_limit: int) -> str:
    attempts = (*record.attempts, ended)
    before = [attempt for attempt in record.attempts if attempt.result != "interrupted"]
    if ended.how == "validation":
        return _looked(ended)
    top = [f"CHECKPOINT BLOCKED: {inline(ended.name)}"] if ended.checkpoint else []
    top += [
        f"RETRY {max(1, identical_failures(attempts))}/{retry_limit}",
        "",
        f"- **Issue:** {inline(ended.reason) or 'it failed'}",
        f"- **Approach:** {_approach(ended)}",
        f"- **Previous Attempts:** {'' if before else 'none'}".rstrip(),
        *(f"  {line}" for line in _numbered(before)),
    ]
    return _attempt(ended, _GOING_ON, top, [_cost([ended]), *_attempt_notes(ended)])


def _looked(ended: Ended) -> str:
    """Return the entry of a look that the runner took before it asked an agent (O25), or could not take."""
    at_pages = ended.kind in _PAGES
    what = "VISUAL VALIDATION FAILED" if at_pages else "CHECKS FAILED BEFORE THE LOOK"
    top = [f"{what}: {inline(ended.name)}", "", f"- **Issue:** {inline(ended.reason)}"]
    done = "Nobody could look at the page." if ended.hopeless else "The runner looked at the page."
    return _text(
        _heading(ended.at, _task(ended)),
        _GOING_ON,
        top=top,
        done=f"{done if at_pages else 'The runner ran the checks.'} No agent was asked yet.",
        files=(),
        gates=ended.gates,
        notes=_attempt_notes(ended),
    )


def _interrupted(ended: Ended) -> str:
    notes = [
        f"interrupted: {inline(ended.reason) or 'by a person'}; it counts as nothing",
        _cost([ended]),
        *_attempt_notes(ended),
    ]
    return _attempt(ended, _GOING_ON, [], notes)


def _attempt(ended: Ended, status: str, top: Sequence[str], notes: Sequence[str]) -> str:
    said = block(ended.summary) or ("No agent was asked." if ended.how else "The agent said nothing about it.")
    heading = _heading(ended.at, _task(ended))
    return _text(heading, status, top=top, done=said, files=ended.files, gates=ended.gates, notes=notes)


def _skipped(skipped: Skipped, record: TaskRecord) -> str:
    counted = record.counted
    identical = identical_failures(counted)
    repeated = skipped.reason.startswith(f"{identical} identical")
    tried = len(record.tried)
    number = "no agent was asked" if not tried else "1 attempt" if tried == 1 else f"{tried} attempts"
    why = f"{identical} identical failures" if repeated else number
    top = [f"CHECKPOINT SKIPPED: {inline(skipped.name)}"] if skipped.checkpoint else []
    top += [
        f"AUTO-SKIPPED ({why})",
        "",
        f"- **Issue:** {inline(counted[-1].reason if counted else skipped.reason)}",
        "- **Attempts Made:**",
        *(f"  {line}" for line in _numbered(record.attempts)),
        f"- **Reason for Skip:** {inline(skipped.reason)}",
        f"- **Next Task:** {inline(skipped.next) or 'none'}",
    ]
    return _skip_text(skipped, top, counted[-1].gates if counted else (), record)


def _skipped_by_person(skipped: Skipped, record: TaskRecord) -> str:
    top = [f"CHECKPOINT SKIPPED: {inline(skipped.name)}"] if skipped.checkpoint else []
    top += [
        "SKIPPED by a person",
        "",
        f"- **Reason for Skip:** {inline(skipped.reason)}",
        f"- **Next Task:** {inline(skipped.next) or 'none'}",
    ]
    if record.attempts:
        top += ["- **Attempts Made:**", *(f"  {line}" for line in _numbered(record.attempts))]
    return _skip_text(skipped, top, (), record)


def _skip_text(skipped: Skipped, top: Sequence[str], gates: Sequence[GateSeen], record: TaskRecord) -> str:
    done = "What its attempts changed was taken out." if skipped.restored else "Nothing was put back."
    paths = "1 changed path was" if skipped.restored == 1 else f"{skipped.restored} changed paths were"
    notes = [f"{paths} put back" if skipped.restored else "", _cost(record.attempts)]
    notes.append(f"what was tried is kept in {code(skipped.patch)}" if skipped.patch else "")
    notes.extend(f"left as it is, because it changed since: {code(path)}" for path in skipped.left)
    heading = _heading(skipped.at, _task(skipped))
    return _text(heading, _SKIPPED, top=top, done=done, files=(), gates=gates, notes=notes)


def _blocked(blocked: CheckpointBlocked, retry_limit: int) -> str:
    what = "VISUAL VALIDATION FAILED" if blocked.visual else "CHECKPOINT BLOCKED"
    return _text(
        _heading(blocked.at, _task(blocked)),
        _GOING_ON,
        top=[f"{what}: {inline(blocked.name)}", "", f"- **Issue:** {inline(blocked.reason)}"],
        done="The runner looked at the page." if blocked.visual else "All checks were run.",
        files=(),
        gates=blocked.gates,
        notes=[] if blocked.hopeless else [f"an agent is asked to mend what failed, up to {retry_limit} times"],
    )


def _waiting(waiting: Waiting) -> str:
    until = f" until {_minute(waiting.until)}" if waiting.until else ""
    return f"{_heading(waiting.at, 'Waiting')}\n\nThe run waits{until}: {inline(waiting.reason)}\n"


def _noted(noted: Noted) -> str:
    what = f"Note on task {inline(noted.key, 80)}" if noted.key else "Note"
    detail = f"\n{fenced(noted.detail, 'diff' if '@@' in noted.detail else '')}\n" if noted.detail else ""
    return f"{_heading(noted.at, what)}\n\n{block(noted.text)}\n{detail}"


# --- parts of entries


def _cost(attempts: Iterable[Ended]) -> str:
    """Return what attempts cost, "" where nobody told (T7)."""
    words = of_attempts(spent.of(attempts))
    return f"cost: {words}" if words else ""


def _text(
    heading: str,
    status: str,
    *,
    top: Sequence[str],
    done: str,
    files: Sequence[str],
    gates: Sequence[GateSeen],
    notes: Sequence[str],
) -> str:
    parts = [heading, "", f"### Status: {status}", ""]
    parts += [*top, ""] if top else []
    parts += ["### What Was Done", "", done, "", "### Files Modified", "", *_files(files), ""]
    parts += ["### Quality Check Results", "", *_gates(gates), "", "### Notes", ""]
    parts += [f"- {inline(note)}" for note in notes if note] or ["- none"]
    return "\n".join(parts) + "\n"


def _files(files: Sequence[str]) -> Iterator[str]:
    for file in files[:_NAMED_FILES]:
        letter, _, path = file.partition(" ")
        yield f"- {code(path)} ({_FILE_WORDS.get(letter) or inline(letter, 20)})"
    if len(files) > _NAMED_FILES:
        yield f"- and {len(files) - _NAMED_FILES} more"
    if not files:
        yield "- none"


def _gates(gates: Sequence[GateSeen]) -> Iterator[str]:
    for gate in gates:
        said = "; ".join(inline(text) for text in (gate.counts, gate.reason) if text) or inline(gate.status)
        seconds = f" ({gate.seconds:.1f} s)" if gate.seconds else ""
        yield f"- {_GATE_SIGNS.get(gate.status, '')} {inline(gate.name)}: {said}{seconds}"
    if not gates:
        yield "- no check ran"


def _numbered(attempts: Sequence[Ended]) -> Iterator[str]:
    for number, ended in enumerate(attempts, 1):
        how = f"{_approach(ended)}, {inline(ended.agent, 40)}" if ended.agent else _approach(ended)
        yield f"{number}. [{_minute(ended.at)}] {how}, {ended.seconds:.0f} s: {inline(ended.reason or ended.result)}"


def _attempt_notes(ended: Ended | None) -> tuple[str, ...]:
    if ended is None:
        return ()
    agent = f"agent {ended.agent}, {ended.seconds:.0f} s" if ended.agent else ""
    stopped = (f"command ended: {code(command)}" for command in ended.ended_commands)
    failing = f"failing check: {code(ended.failing)}" if ended.failing else ""
    return (agent, failing, *stopped, *ended.notes)


def _approach(ended: Ended) -> str:
    return _APPROACHES.get(ended.strategy, inline(ended.strategy, 80))


def _heading(at: str, what: str) -> str:
    return f"## [{_minute(at)}] {what}"


def _task(entry: Ended | Ticked | Skipped | CheckpointBlocked) -> str:
    label = f"Task {inline(entry.id, 80)}:" if entry.id else "Task:"
    return f"{label} {inline(entry.name)}"


def _minute(at: str) -> str:
    """Return an ISO time as "YYYY-MM-DD HH:MM"."""
    return inline(at[:16].replace("T", " "))
