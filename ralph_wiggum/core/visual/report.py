"""What a validation found -> its gate: one line for the log, and an excerpt that tells an agent what was there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ralph_wiggum.core.evidence import Gate, GateStatus
from ralph_wiggum.core.outside_text import cut, inline, plain
from ralph_wiggum.core.servers.standing import Standing
from ralph_wiggum.core.terminal import clean
from ralph_wiggum.core.visual.commands import Command
from ralph_wiggum.core.visual.page import Seen, comparable
from ralph_wiggum.core.visual.verdict import Failure

NAME = KIND = "visual"
EXCERPT = 3500  # characters
SERVERS_DOWN = "a server that the pages need is not up"
NOWHERE = (
    "nothing says which page to look at: write an `agent-browser open …` into the task, name pages under "
    "visual_validation.pages, or declare a server"
)

_LISTED = 8  # of console errors, of requests
_REASON = 200
_SNAPSHOT = 1400
_LOG = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one validation came to.

    `failures` say why `command` (as it was written) failed; with `at_page`, what is wrong with the page that it
    opened. Without failures it is the command that opened the last page. `seen` is the page that was looked at last.
    `not_run` are commands that were left out for a failure. `broken`: it was the tool's own trouble, `launched` is
    False if it did not even start. `hung`: a page that was open did not answer any more.
    `hopeless`: no attempt of an agent can change that it fails.
    """

    command: str = ""
    failures: tuple[Failure, ...] = ()
    at_page: bool = False
    seen: Seen | None = None
    commands: int = 0
    pages: int = 0
    not_run: tuple[Command, ...] = ()
    screenshot: str = ""
    seconds: float = 0.0
    broken: bool = False
    launched: bool = True
    hung: bool = False
    hopeless: bool = False


def gate(found: Found, standings: Sequence[Standing]) -> Gate:
    """Return the gate of a validation."""
    counts = f"{_many(found.commands, 'command')}, {_many(found.pages, 'page')}"
    if not found.failures:
        excerpt = excerpt_of(found, ())
        return Gate(
            name=NAME,
            kind=KIND,
            status=GateStatus.PASSED,
            command=found.command,
            reason="passed",
            excerpt=excerpt if found.seen and (found.seen.errors or _unanswered(found.seen)) else "",
            seconds=found.seconds,
            counts=counts,
        )
    return Gate(
        name=NAME,
        kind=KIND,
        status=GateStatus.FAILED,
        command=found.command,
        reason=_reason(found),
        excerpt=excerpt_of(found, standings),
        seconds=found.seconds,
        failures=_keys(found),
        counts=counts,
        environment=found.broken and not found.launched,
        hopeless=found.hopeless,
    )


def failed(reason: str, *, command: str = "", hopeless: bool = False) -> Gate:
    """Return the gate of a validation that found nothing to look at, or nothing to look with."""
    return Gate(
        name=NAME,
        kind=KIND,
        status=GateStatus.FAILED,
        command=command,
        reason=reason,
        failures=(reason,),
        hopeless=hopeless,
    )


def not_run(reason: str) -> Gate:
    """Return the gate of a validation that was not tried: it proves nothing."""
    return Gate(name=NAME, kind=KIND, status=GateStatus.NOT_RUN, reason=reason)


def excerpt_of(found: Found, standings: Sequence[Standing]) -> str:
    """Return what an agent needs to mend the page, the most useful first, at most EXCERPT characters."""
    seen = found.seen
    step = "" if found.at_page else f"{plain(found.command)}: "
    parts = [f"{step}{failure.words}" for failure in found.failures[:_LISTED]]
    parts.extend(_left_out(found.not_run))
    if seen is not None:
        title = f" ({plain(seen.title)})" if seen.title else ""
        parts.append(f"page: {plain(seen.url or seen.address)}{title}")
        told = "\n".join(parts)
        parts.extend(
            _list("console errors", [text for text in seen.errors if plain(text, 100).rstrip("…") not in told])
        )
        parts.extend(_list("failed requests", [line for line in _unanswered(seen) if line not in told]))
    if found.screenshot:
        parts.insert(1, f"screenshot: {found.screenshot}")  # before anything that may be long enough to cut it off
    if seen is not None and found.failures and seen.snapshot:
        parts.append(f"what was there (snapshot):\n{cut(clean(seen.snapshot).strip(), _SNAPSHOT)}")
    parts.extend(_log(standing) for standing in standings if standing.ours and standing.tail)
    return cut("\n".join(parts), EXCERPT)


def _reason(found: Found) -> str:
    first, more = found.failures[0], len(found.failures) - 1
    step = "" if found.at_page else f"`{found.command.removeprefix('agent-browser ')}`: "
    where = f" at {found.seen.path}" if found.at_page and found.seen else ""
    return inline(f"{step}{first.words}{where}{f' (and {more} more)' if more else ''}", _REASON)


def _keys(found: Found) -> tuple[str, ...]:
    """Return what names the failures from attempt to attempt, without what is of this run alone."""
    step = "" if found.at_page else f"{plain(found.command, 120)}: "
    return tuple(sorted({comparable(f"{step}{failure.key}") for failure in found.failures}))


def _left_out(commands: Sequence[Command]) -> list[str]:
    if not commands:
        return []
    names = ", ".join(f"`{command.shown}`" for command in commands[:_LISTED])
    return [f"not run after that: {names}{', …' if len(commands) > _LISTED else ''}"]


def _unanswered(seen: Seen) -> tuple[str, ...]:
    least = 400
    failed = (request for request in seen.requests if request.error or request.status >= least)
    return tuple(dict.fromkeys(request.shown for request in failed if not request.is_favicon))


def _list(title: str, lines: Sequence[str]) -> list[str]:
    if not lines:
        return []
    shown = [f"  {plain(line)}" for line in lines[:_LISTED]]
    more = [f"  … and {len(lines) - _LISTED} more"] if len(lines) > _LISTED else []
    return [f"{title}:", *shown, *more]


def _log(standing: Standing) -> str:
    return f"log of server {standing.name} (its end; all of it: {standing.log}):\n{standing.tail[-_LOG:].strip()}"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
