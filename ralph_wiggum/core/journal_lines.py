"""The lines of the journal: one JSON object an entry; fields that a later version brings are passed over."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ralph_wiggum.core.journal import (
    Accepted,
    Baseline,
    CheckpointBlocked,
    Deferred,
    Ended,
    Entry,
    GateSeen,
    Held,
    Noted,
    Renumbered,
    Reopened,
    RunEnded,
    RunStarted,
    SkipAsked,
    SkipDecided,
    Skipped,
    Started,
    StopAsked,
    Ticked,
    Waiting,
    WentOn,
)

VERSION = 1

KINDS: Mapping[str, type[Entry]] = {
    "run_started": RunStarted,
    "run_ended": RunEnded,
    "started": Started,
    "ended": Ended,
    "ticked": Ticked,
    "checkpoint_blocked": CheckpointBlocked,
    "skip_asked": SkipAsked,
    "skip_decided": SkipDecided,
    "skipped": Skipped,
    "reopened": Reopened,
    "renumbered": Renumbered,
    "deferred": Deferred,
    "waiting": Waiting,
    "held": Held,
    "stop_asked": StopAsked,
    "went_on": WentOn,
    "noted": Noted,
    "accepted": Accepted,
    "baseline": Baseline,
}
_NAMES = {kind: name for name, kind in KINDS.items()}


def to_line(entry: Entry) -> str:
    """Return the entry as one JSON line with its newline. Fields that stand at their default are left out."""
    data: dict[str, Any] = {"v": VERSION, "event": _NAMES[type(entry)]}
    for name, default in entry._field_defaults.items():
        value = getattr(entry, name)
        if value != default:
            data[name] = [gate._asdict() for gate in value] if name == "gates" else value
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")) + "\n"


def from_line(line: str) -> Entry | None:
    """Return the entry of a line; None for a torn line, a foreign one, or one of a later version."""
    try:
        data = json.loads(line)
    except ValueError:
        return None
    if not isinstance(data, dict) or data.get("v") != VERSION:
        return None
    kind = KINDS.get(str(data.get("event")))
    return _build(kind, data) if kind is not None else None


def _build(kind: type[Entry], data: Mapping[str, Any]) -> Entry | None:
    known: dict[str, Any] = {}
    for name, default in kind._field_defaults.items():
        if name not in data:
            continue
        value = data[name]
        if name == "gates" and isinstance(value, list):
            value = tuple(GateSeen(**gate) for gate in value if _is_gate(gate))
        elif isinstance(value, list):
            value = tuple(value)
        if not _fits(value, default):
            return None
        known[name] = value
    return kind(**known)


def _is_gate(data: object) -> bool:
    return isinstance(data, dict) and data.keys() <= set(GateSeen._fields)


def _fits(value: object, default: object) -> bool:
    """Say whether a value that came from the file has the type that its field holds."""
    if isinstance(default, bool):
        return isinstance(value, bool)
    if isinstance(default, (int, float)):
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if isinstance(default, MappingProxyType):
        return isinstance(value, dict)
    return isinstance(value, type(default))


def read(text: str) -> tuple[tuple[Entry, ...], int]:
    """Return the entries of a journal's text, and how many of its lines could not be read."""
    entries: list[Entry] = []
    bad = 0
    for line in text.split("\n"):
        if not line.strip():
            continue
        entry = from_line(line)
        if entry is None:
            bad += 1
        else:
            entries.append(entry)
    return tuple(entries), bad
