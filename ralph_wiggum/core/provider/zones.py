"""Names of time zones as programs print them -> zones: "UTC", "America/Los_Angeles", "PST", "GMT+2", "+05:30"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, timedelta, timezone, tzinfo
from types import MappingProxyType

# Hours east of Greenwich. Some abbreviations have several meanings (IST, CST, BST): these are the ones with the most
# people that use agents, and an hour off costs one look too early or one hour of waiting, never the night.
_EAST = (
    (0.0, ("UTC", "GMT", "Z", "WET")),
    (1.0, ("WEST", "BST", "CET")),
    (2.0, ("CEST", "EET")),
    (3.0, ("EEST", "MSK")),
    (5.5, ("IST",)),
    (8.0, ("SGT", "HKT", "AWST")),
    (9.0, ("JST", "KST")),
    (9.5, ("ACST",)),
    (10.0, ("AEST",)),
    (10.5, ("ACDT",)),
    (11.0, ("AEDT",)),
    (12.0, ("NZST",)),
    (13.0, ("NZDT",)),
    (-2.5, ("NDT",)),
    (-3.5, ("NST",)),
    (-3.0, ("ART", "BRT", "ADT")),
    (-4.0, ("AST", "EDT")),
    (-5.0, ("EST", "CDT")),
    (-6.0, ("CST", "MDT")),
    (-7.0, ("MST", "PDT")),
    (-8.0, ("PST", "AKDT")),
    (-9.0, ("AKST",)),
    (-10.0, ("HST",)),
)
_HOURS: Mapping[str, float] = MappingProxyType({name: hours for hours, names in _EAST for name in names})
_REGIONS: Mapping[str, str] = MappingProxyType(
    {
        "PT": "America/Los_Angeles",
        "PACIFIC TIME": "America/Los_Angeles",
        "MT": "America/Denver",
        "MOUNTAIN TIME": "America/Denver",
        "CT": "America/Chicago",
        "CENTRAL TIME": "America/Chicago",
        "ET": "America/New_York",
        "EASTERN TIME": "America/New_York",
    }
)
_OFFSET = re.compile(r"(?:UTC|GMT)?\s*(?P<sign>[+\-\u2212])(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?", re.IGNORECASE)
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_+\-]*(?:/[A-Za-z0-9_+\-]+){1,2}")
_MOST_HOURS = 15

# What may follow a time of day without brackets. Longest first, so that "PST" is not read as "P".
BARE = "|".join(
    [
        r"[A-Z][A-Za-z]+/[A-Za-z_+\-]+(?:/[A-Za-z_+\-]+)?",
        r"(?:UTC|GMT)\s*[+\-\u2212]\d{1,2}(?::?\d{2})?",
        r"[+\-\u2212]\d{2}:?\d{2}",
        *sorted((re.escape(name) for name in (*_HOURS, *_REGIONS)), key=len, reverse=True),
    ]
)


def find(name: str) -> tzinfo | None:
    """Return the zone of this name; None if it is no zone, or its rules are not installed here (no tzdata)."""
    name = " ".join(name.split())
    upper = name.upper()
    if upper in _HOURS:
        return UTC if not _HOURS[upper] else timezone(timedelta(hours=_HOURS[upper]))
    if upper in _REGIONS:
        return _named(_REGIONS[upper])
    if found := _OFFSET.fullmatch(name):
        return _fixed(found)
    return _named(name) if _KEY.fullmatch(name) else None


def _fixed(found: re.Match[str]) -> tzinfo | None:
    hours, minutes = int(found["hours"]), int(found["minutes"] or 0)
    if hours >= _MOST_HOURS or minutes >= 60:  # noqa: PLR2004 - minutes of an hour
        return None
    east = timedelta(hours=hours, minutes=minutes)
    return timezone(east if found["sign"] == "+" else -east)


def _named(key: str) -> tzinfo | None:
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - start-up: only an attempt that met a limit needs it

    try:
        return ZoneInfo(key)
    except (KeyError, ValueError, OSError):  # unknown, or a folder of zones such as "America"
        return None
