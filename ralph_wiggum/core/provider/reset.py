"""When a provider serves again, read from what it said: times of day, dates, zones, spans, seconds since 1970 (B1).

The forms are those that Claude Code, Codex, Gemini, Kiro, Copilot, LiteLLM and HTTP (RFC 9110, Retry-After) use, and
their neighbours. A time without a zone, or in a zone that is not known here, is local: the programs mean the zone of
their machine, which is ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache

from ralph_wiggum.core.provider import zones

LATE = timedelta(minutes=5)  # a reset that is over by less is now: the text took its time, or clocks differ
FARTHEST = timedelta(days=40)  # limits are of hours, a week or a month; what lies beyond was misread
_READ = 4000  # characters
_MILLISECONDS = 1e11  # seconds since 1970 are below this until the year 5138

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)(?![a-z])"
)
_WEEKDAY = r"(?:mon|tue(?:s)?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?(?![a-z])"
_YEAR = r"\d{4}(?![\d:])"
_DATE = (
    r"(?P<iso>\d{4}-\d{1,2}-\d{1,2})"
    r"|(?P<slash>\d{1,2}/\d{1,2}(?:/\d{4})?)(?![\d/])"
    rf"|(?P<month>{_MONTH})\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?![\d:])(?:,?\s+(?P<year>{_YEAR}))?"
    rf"|(?P<day_2>\d{{1,2}})(?:st|nd|rd|th)?\s+(?P<month_2>{_MONTH})\.?(?:,?\s+(?P<year_2>{_YEAR}))?"
    rf"|(?P<word>today|tomorrow|next\s+month|(?:next\s+)?{_WEEKDAY})\b"
)
_TIME = (
    r"(?:(?P<clock>midnight|noon)\b"
    r"|(?P<hour>\d{1,2})(?::(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?)?(?:\s*(?P<half>[ap])\.?m\b\.?)?)(?![\d:])"
)
_ZONE = rf"(?:\s*\((?P<zone>[^()\n]{{1,40}})\)|\s*(?P<zone_2>{zones.BARE})(?![A-Za-z0-9/]))?"
_DATE_PARTS = ("iso", "slash", "month", "month_2", "word")
_GAP = r"(?:\s*,?\s+(?:at\s+|on\s+|by\s+)?|,\s*|T(?=\d))"
_DATE_FIRST = (
    rf"(?:{_WEEKDAY},?\s+(?=\S*\d))?(?:{_DATE})(?:{_GAP}{_TIME}{_ZONE})?(?:\s*\((?P<zone_3>[^()\n]{{1,40}})\))?"
)
_TIME_FIRST = rf"{_TIME}{_ZONE}(?:{_GAP}(?:{_DATE}))?"

_PIECE = (
    r"(?:\d+(?:\.\d+)?|\ban?\b)\s*(?:milliseconds?|msecs?|ms|s(?:ec(?:ond)?s?)?|m(?:in(?:ute)?s?)?|h(?:(?:ou)?rs?)?"
    r"|d(?:ays?)?|w(?:eeks?)?)(?![a-z])"
)
_SPAN = rf"{_PIECE}(?:(?:\s*,)?\s*(?:and\s+)?{_PIECE})*"
_PIECES = re.compile(r"(?P<count>\d+(?:\.\d+)?|\ban?\b)\s*(?P<unit>ms|mil|[smhdw])", re.IGNORECASE)
_EPOCH = re.compile(r"(?P<epoch>\d{13}|\d{10})(?:\.\d+)?(?![\d.])")
_SECONDS = re.compile(r"\d{1,7}(?:\.\d+)?(?![\d:/\w])")

_PIPED = re.compile(r"\|(?=\d{10})")  # Claude AI usage limit reached|1795160626
# After these stands the time at once, but for small words.
_CUES = (
    r"(?:\bresets?(?:[_ ]?(?:at|time|in|date|on))?|\bresetting|\bre(?:new|fresh|plenish|turn|store)(?:s|es|ed)?"
    r"|\bavailable|\btry|\bretry(?:[ _-]?(?:after|delay))?|\bcome\s+back|\bback|(?<!retry )\bwait|\buntil|\bunlocks?)"
    r"(?P<seconds>[_ ](?:in[_ ])?sec(?:ond)?s)?(?P<thousandths>[_ ]ms)?[\"']?"
    r"(?:\s+(?:again|will|be|is|for|after|at|on|in|by|about|around|approximately|the|request|your))*\s*[:=]?\s*[\"']?"
)
# The same without such a word: what these announce has to say itself that it is a time.
_WEAK_CUES = re.compile(r"(?<!retrying )\b(?:(?P<span>in|after)|at|on|by)\s+|(?=\btomorrow\b)", re.IGNORECASE)
_BARE_SECONDS = re.compile(r"retry[ _-]?(?:after|delay)", re.IGNORECASE)


def reset_at(text: str, now: datetime) -> datetime | None:
    """Return when it serves again, by its own words, aware and in the zone of `now`; None where they do not say.

    `now` is aware. A time of day without a date is the next such moment; a date without a time its beginning. What is
    over by less than LATE is `now`; what is over longer, or farther off than FARTHEST, was not meant: None.
    """
    text = " ".join(text[:_READ].split())
    for found in _candidates(text, now):
        if moment := plausible(found, now):
            return moment
    return None


def plausible(moment: datetime, now: datetime, *, over: bool = False) -> datetime | None:
    """Return a moment as a reset, in the zone of now: now if it is just over, None if long over or absurdly far.

    `over`: one that is long over is now as well; it cannot have been misread, the machine may have slept meanwhile.
    """
    try:
        moment, present = moment.astimezone(UTC), now.astimezone(UTC)  # moments of one zone are compared by their faces
    except (OverflowError, ValueError):
        return None
    if not present - (FARTHEST if over else LATE) <= moment <= present + FARTHEST:
        return None
    return max(moment, present).astimezone(now.tzinfo)


def from_epoch(seconds: float, now: datetime, *, over: bool = False) -> datetime | None:
    """Return a number of seconds (or milliseconds) since 1970 as a reset; None where it cannot be one. As plausible."""
    try:
        moment = datetime.fromtimestamp(seconds / 1000 if seconds >= _MILLISECONDS else seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None
    return plausible(moment, now, over=over)


@cache  # start-up: these take 10 ms to compile, and only an attempt that met a limit needs them
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


def _candidates(text: str, now: datetime) -> Iterator[datetime]:
    for cue in _PIPED.finditer(text):
        yield from _at(text, cue.end(), now)
    for cue in _pattern(_CUES).finditer(text):
        if cue["seconds"] or cue["thousandths"] or _BARE_SECONDS.match(cue.group()):
            yield from _bare_seconds(text, cue, now)
        yield from _at(text, cue.end(), now)
    for cue in _WEAK_CUES.finditer(text):
        yield from _span(text, cue.end(), now) if cue["span"] else _moment(text, cue.end(), now)
    for pattern in (_SPAN, _DATE_FIRST, _TIME_FIRST):
        if _pattern(pattern).fullmatch(text.strip(" .!")):
            yield from _at(text.strip(" .!"), 0, now)


def _at(text: str, position: int, now: datetime) -> Iterator[datetime]:
    """Read a moment or a span at a position of the text."""
    if epoch := _EPOCH.match(text, position):
        yield from _some(from_epoch(float(epoch["epoch"]), now))
    yield from _span(text, position, now)
    yield from _moment(text, position, now)


def _span(text: str, position: int, now: datetime) -> Iterator[datetime]:
    if found := _pattern(_SPAN).match(text, position):
        yield from _some(after(_seconds(found.group()), now))


def _bare_seconds(text: str, cue: re.Match[str], now: datetime) -> Iterator[datetime]:
    if found := _SECONDS.match(text, cue.end()):
        yield from _some(after(float(found.group()) / (1000 if cue["thousandths"] else 1), now))


def after(seconds: float, now: datetime) -> datetime | None:
    """Return the moment in so many seconds; None where that is no wait for a limit."""
    if not 0 <= seconds <= FARTHEST.total_seconds():
        return None
    return (now.astimezone(UTC) + timedelta(seconds=seconds)).astimezone(now.tzinfo)


def _seconds(span: str) -> float:
    total = 0.0
    for piece in _PIECES.finditer(span):
        count = 1.0 if piece["count"].lower().startswith("a") else float(piece["count"])
        unit = piece["unit"].lower()
        total += count * _UNITS["ms" if unit == "mil" else unit]
    return total


def _moment(text: str, position: int, now: datetime) -> Iterator[datetime]:
    for pattern in (_DATE_FIRST, _TIME_FIRST):
        if found := _pattern(pattern).match(text, position):
            try:
                yield from _some(_resolve(found.groupdict(), now))
            except (ValueError, OverflowError):  # the 31st of February, 25:00, the year 0
                continue


def _resolve(parts: dict[str, str | None], now: datetime) -> datetime | None:
    """Return the first moment that the parts can mean and that is not over."""
    named = parts.get("zone") or parts.get("zone_2") or parts.get("zone_3")
    zone = (zones.find(named) if named else None) or now.tzinfo
    here = now.astimezone(zone)
    clock = _clock(parts)
    if clock is None and not any(parts[name] for name in _DATE_PARTS):
        return None  # a number
    moments = (_local(day, clock or time(), zone, fold) for day in _days(parts, here) for fold in (0, 1))
    return next((moment for moment in moments if moment >= now.astimezone(UTC) - LATE), None)


def _local(day: date, clock: time, zone: tzinfo | None, fold: int) -> datetime:
    """Return a moment of the wall clock. One that is left out when summer time begins is moved on (PEP 495)."""
    return datetime.combine(day, clock.replace(fold=fold), zone).astimezone(UTC)


def _clock(parts: dict[str, str | None]) -> time | None:
    if word := parts["clock"]:
        return time(12 if word.lower() == "noon" else 0)
    if parts["hour"] is None or not (parts["minute"] or parts["half"]):
        return None
    hour, half = int(parts["hour"]), (parts["half"] or "").lower()
    if half and not 1 <= hour <= 12:  # noqa: PLR2004 - hours of half a day
        raise ValueError(parts["hour"])
    hour = hour % 12 + (12 if half == "p" else 0) if half else hour
    return time(hour, int(parts["minute"] or 0), int(parts["second"] or 0))


def _days(parts: dict[str, str | None], here: datetime) -> Iterator[date]:
    """Give the days that the parts can mean, the nearest first."""
    today = here.date()
    if word := (parts["word"] or "").lower():
        yield from _named_days(word, today)
    elif iso := parts["iso"]:
        yield date(*map(int, iso.split("-")))
    elif slash := parts["slash"]:
        month, day, *year = map(int, slash.split("/"))
        if month > len(_MONTHS):  # the day comes first where it must
            month, day = day, month
        yield from _in_years(year[0] if year else None, month, day, today)
    elif month_name := (parts["month"] or parts["month_2"]):
        year_text = parts["year"] or parts["year_2"]
        month = _MONTHS.index(month_name[:3].lower()) + 1
        yield from _in_years(
            int(year_text) if year_text else None, month, int(parts["day"] or parts["day_2"] or 0), today
        )
    else:
        yield from (today + timedelta(days=ahead) for ahead in (0, 1, 2))


def _named_days(word: str, today: date) -> Iterator[date]:
    if word in {"today", "tomorrow"}:
        yield today + timedelta(days=word == "tomorrow")
        return
    if word.endswith("month"):  # Kiro: "Please return next month"
        yield (today.replace(day=1) + timedelta(days=31)).replace(day=1)
        return
    ahead = (_DAYS.index(word.rsplit(maxsplit=1)[-1][:3]) - today.weekday()) % 7
    yield from (today + timedelta(days=ahead), today + timedelta(days=ahead + 7))


def _in_years(year: int | None, month: int, day: int, today: date) -> Iterator[date]:
    for each in (year,) if year is not None else (today.year, today.year + 1):
        if not (month == 2 and day == 29 and each % 4):  # noqa: PLR2004 - the day that only some years have
            yield date(each, month, day)


def _some(moment: datetime | None) -> Iterator[datetime]:
    if moment is not None:
        yield moment
