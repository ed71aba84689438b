"""What `ralph servers` shows of servers: rows of facts -> lines and JSON. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from ralph_wiggum.core.outside_text import plain
from ralph_wiggum.core.servers.standing import Health, Standing

RUN, COMMAND, OTHER = "run", "up", "other"
LAST_LINES = 20  # of a log
_BY = {RUN: "by the run", COMMAND: "by `ralph servers up`", OTHER: "by somebody else"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One server as `ralph servers status` found it.

    `state` is "up", "bad" (it answers, and not as expected), "starting" or "down"; `by` says who has started it: RUN,
    COMMAND, OTHER, or "" for nobody. `since` is ISO, `log` relative to the project root.
    """

    name: str
    state: str
    url: str = ""
    by: str = ""
    pid: int = 0
    since: str = ""
    log: str = ""
    reason: str = ""


def as_json(rows: Sequence[Row]) -> list[dict[str, object]]:
    """Return the rows as data for JSON; names of keys are a contract."""
    return [asdict(row) for row in rows]


def lines(rows: Sequence[Row]) -> list[str]:
    """Return one line for each server: state, name, URL, who and since when, log, what is wrong."""
    names = max((len(row.name) for row in rows), default=0)
    urls = max((len(row.url) for row in rows), default=0)
    return [f"{row.state:<8}  {row.name:<{names}}  {row.url:<{urls}}  {_facts(row)}".rstrip() for row in rows]


def _facts(row: Row) -> str:
    who = _BY.get(row.by, "")
    pid = f"pid {row.pid}" if row.pid else ""
    since = f"since {row.since.replace('T', ' ')[:16]}" if row.since else ""
    parts = (who, pid, since, f"log {row.log}" if row.log else "", plain(row.reason))
    return ", ".join(part for part in parts if part)


def brought_up(standings: Sequence[Standing]) -> list[str]:
    """Return the lines of `ralph servers up`: each server with its URL and log, or why it is not up."""
    found: list[str] = []
    for each in standings:
        if each.health is Health.UP and not each.reason:
            how = f"log {each.log}" if each.ours else "it was up already, and is left alone"
            found.append("  ".join(part for part in ("up", each.name, each.url, how) if part))
            continue
        found.append(f"not up  {each.name}  {plain(each.reason, 1000) or 'not started'}")
        found += [f"    {line}" for line in each.tail.split("\n")[-LAST_LINES:] if each.tail]
        found += [f"  log {each.log}"] if each.log else []
    return found


def all_up(standings: Sequence[Standing]) -> bool:
    """Say whether every server is up and answers as expected."""
    return all(each.health is Health.UP and not each.reason for each in standings)
