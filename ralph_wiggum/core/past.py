"""What was tried before and how it failed, for the prompt of a retry (O13): five in detail, older ones in short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ralph_wiggum.core import excerpt
from ralph_wiggum.core.quoting import code, line, quoted
from ralph_wiggum.core.strategy import Strategy

ATTEMPTS_LIMIT = 12 * 1024  # bytes of all of it
NEWEST_LIMIT = 5 * 1024  # bytes of the last attempt's output, the one that counts most
IN_DETAIL = 5
FACTS_LIMIT = 1200  # bytes of what is known of one attempt beside its output
OLDER_LIMIT = 1500  # bytes of what is told of all older ones
OLDER_LINES = 8
SAID_LIMIT = 600  # bytes
NAMED_FILES = 12
LISTED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PastAttempt:
    """An attempt that failed, as the next one should know of it.

    `reason` is the verdict's, `command` the check that failed, `excerpt` the end of its output (else of the agent's);
    `ended_commands` are commands that ran into their time limit, `said` is what the agent said that it did, `files`
    are the paths it changed; attempts with the same `fingerprint` failed in the same way. `look`: no agent had a hand
    in it, the runner looked at the page as it was.
    """

    number: int
    strategy: Strategy
    reason: str
    command: str = ""
    excerpt: str = ""
    ended_commands: tuple[str, ...] = ()
    said: str = ""
    files: tuple[str, ...] = ()
    fingerprint: str = ""
    look: bool = False


_HOW = {
    Strategy.FIRST: "straight on",
    Strategy.SAME: "the same approach, looking for the slip",
    Strategy.OTHER_IMPLEMENTATION: "another implementation",
    Strategy.SIMPLER: "a simpler scope",
    Strategy.OTHER_APPROACH: "another approach",
    Strategy.CONSERVATIVE: "the most conservative way",
}


def tell(attempts: Sequence[PastAttempt], limit: int = ATTEMPTS_LIMIT) -> str:
    """Return what earlier attempts did and how they failed, oldest first, within `limit` bytes; "" for none."""
    if not attempts:
        return ""
    recent = attempts[-IN_DETAIL:]
    older = excerpt.tail(_older(attempts[: -len(recent)]), OLDER_LIMIT)
    heads = [excerpt.head(_facts(each), FACTS_LIMIT) for each in recent]
    room = limit - excerpt.size(older) - sum(excerpt.size(head) + 60 for head in heads)
    outputs = _outputs(recent, max(room, 0))
    told = [
        quoted("attempt", "\n".join(filter(None, (head, output))), number=each.number)
        for each, head, output in zip(recent, heads, outputs, strict=True)
    ]
    return "\n\n".join(filter(None, ("Earlier attempts, oldest first:", older, *told)))


def _facts(past: PastAttempt) -> str:
    """Return everything short that is known of an attempt, a line each."""
    files = ", ".join(map(code, past.files[:NAMED_FILES])) + (" …" if len(past.files) > NAMED_FILES else "")
    commands = ", ".join(code(each, 160) for each in past.ended_commands[:5])
    return "\n".join(
        filter(
            None,
            (
                "Way: none; the runner looked at the page as it was" if past.look else f"Way: {_HOW[past.strategy]}",
                files and f"Changed: {files}",
                past.said and f"Its own summary: {line(past.said, SAID_LIMIT)}",
                f"Failed: {line(past.reason)}",
                past.command and f"Failing check: {code(past.command)}",
                commands and f"Ended because they ran too long: {commands}",
            ),
        ),
    )


def _outputs(recent: Sequence[PastAttempt], room: int) -> list[str]:
    """Return the output of each attempt, cut to its share; what a later attempt printed as well is not repeated."""
    texts = [excerpt.printable(each.excerpt).strip() for each in recent]
    later = [
        next((each.number for each in recent[index + 1 :] if each.excerpt == recent[index].excerpt), 0)
        for index in range(len(recent))
    ]
    kept = ["" if repeat else text for text, repeat in zip(texts, later, strict=True)]
    newest = min(excerpt.size(kept[-1]), NEWEST_LIMIT, room)
    limits = [*excerpt.shares([excerpt.size(text) for text in kept[:-1]], room - newest), newest]
    return [
        f"Output: the same as of attempt {repeat}"
        if repeat and text
        else text and f"Output:\n{excerpt.ends(text, limit, first=0.25)}"
        for text, repeat, limit in zip(texts, later, limits, strict=True)
    ]


def _older(attempts: Sequence[PastAttempt]) -> str:
    """Return a line for each way in which the older attempts failed, with how often it came."""
    groups: dict[str, list[PastAttempt]] = {}
    for each in attempts:
        groups.setdefault(each.fingerprint or each.reason, []).append(each)
    lines = [f"- {_numbers(group)}: {line(group[-1].reason, 200)}" for group in groups.values()]
    left_out = len(lines) - OLDER_LINES
    return "\n".join([*([f"- {left_out} more kinds of failure before"] if left_out > 0 else []), *lines[-OLDER_LINES:]])


def _numbers(group: Sequence[PastAttempt]) -> str:
    if len(group) == 1:
        return f"attempt {group[0].number}"
    if len(group) <= LISTED:
        return "attempts " + ", ".join(str(each.number) for each in group)
    return f"{len(group)} attempts from {group[0].number} to {group[-1].number}"
