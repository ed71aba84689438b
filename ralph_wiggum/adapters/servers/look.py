"""A look at the servers of a project from outside: who has started which, and whether they answer now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ralph_wiggum.adapters.servers import record as records
from ralph_wiggum.adapters.servers.addresses import Names, holder
from ralph_wiggum.adapters.servers.probe import Asked, Probe, Question
from ralph_wiggum.adapters.servers.record import Record
from ralph_wiggum.core.servers import report
from ralph_wiggum.core.servers import target as targets
from ralph_wiggum.core.servers.answer import Answer, Kind
from ralph_wiggum.core.servers.report import Row
from ralph_wiggum.core.servers.standing import Health, Standing
from ralph_wiggum.core.settings import ServerSettings
from ralph_wiggum.ports import Clock

_NAP_SECONDS = 0.005
_STATES = {Kind.GOOD: "up", Kind.BAD: "bad", Kind.SILENT: "bad", Kind.ABSENT: "down"}


def look(root: Path, servers: Sequence[ServerSettings], clock: Clock) -> list[Row]:
    """Return a row for each server, each asked once and all at the same time; waits for the slowest answer."""
    known = _known(root)
    names = Names()
    questions = {server.name: _question(server, known.get(server.name), names, clock) for server in servers}
    answers = _answers(questions, clock)
    return [_row(server, known.get(server.name), answers[server.name]) for server in servers]


def _known(root: Path) -> Mapping[str, tuple[Record, str, Standing]]:
    """Return by name what a living owner wrote of a server; whoever has started it himself is heard first."""
    found: dict[str, tuple[Record, str, Standing]] = {}
    for file, by in ((records.UP, report.COMMAND), (records.RUN, report.RUN)):
        record = records.read(records.path_of(root, file))
        if record is None or not record.alive:
            continue
        for standing in record.standings:
            if standing.name not in found or standing.ours:
                found[standing.name] = (record, by, standing)
    return found


def _question(
    server: ServerSettings, known: tuple[Record, str, Standing] | None, names: Names, clock: Clock
) -> Question:
    standing = known[2] if known is not None else Standing(name=server.name)
    target = targets.of_url(standing.url) if standing.url else targets.before_start(server)
    before_its_line = server.ready.log and standing.ours and standing.health is not Health.UP
    if target is None or before_its_line:  # only its owner knows
        up = standing.health is Health.UP
        return Asked(Answer(Kind.GOOD) if up else Answer(Kind.ABSENT, standing.reason))
    if server.ready.url:
        ready = targets.wanted(server)
        target = targets.moved(ready, target.port) or target
    names.look_up(target.host)
    addresses = names.addresses(target.host, target.port)
    if not addresses:
        return Asked(Answer(Kind.ABSENT, f"the host {target.host} is not known"))
    expected = targets.expected(server, started_here=standing.ours)
    return Probe(target, addresses, expected=expected, timeout=server.request_timeout, now=clock.monotonic())


def _answers(questions: Mapping[str, Question], clock: Clock) -> Mapping[str, Answer]:
    found: dict[str, Answer] = {}
    while len(found) < len(questions):
        for name, question in questions.items():
            answer = question.step(clock.monotonic()) if name not in found else None
            if answer is not None:
                found[name] = answer
        clock.pause(_NAP_SECONDS if len(found) < len(questions) else 0.0, lambda: False)
    return found


def _row(server: ServerSettings, known: tuple[Record, str, Standing] | None, answer: Answer) -> Row:
    url = targets.page(server)
    if known is not None:
        _, by, standing = known
        if standing.ours:
            starting = standing.health is Health.STARTING and not answer.good
            return Row(
                name=server.name,
                state="starting" if starting else _STATES[answer.kind],
                url=standing.url or url,
                by=by if standing.pid else "",
                pid=standing.pid,
                since=standing.since,
                log=standing.log,
                reason="" if answer.good else standing.reason or answer.words,
            )
        url = standing.url or url
    if not answer.there:
        return Row(name=server.name, state="down", url=url, reason=known[2].reason if known else "")
    target = targets.of_url(url)
    pid = holder(target.port if target is not None else targets.port_of(server)).pid
    words = "" if answer.good else answer.words
    return Row(name=server.name, state=_STATES[answer.kind], url=url, by=report.OTHER, pid=pid, reason=words)
