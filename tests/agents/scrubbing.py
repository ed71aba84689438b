"""What a real agent printed -> the same without what is one machine's or one run's, and without the vendor's long texts.

Pure functions. The same id becomes the same made-up one within a text; every moment is moved as if the run had begun at
MOMENT, in steps of STEP_SECONDS, so that what happened meanwhile is one moment and a reset in an hour is in an hour.
"""

from __future__ import annotations

import json
import re
from bisect import bisect
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from itertools import accumulate, groupby

MOMENT = datetime(2026, 3, 2, 12, 7, tzinfo=UTC)
STEP_SECONDS = 600
PORT = 8765
DURATION = 500  # milliseconds
TEXT_LIMIT = 1200  # characters of one text inside an event, and of one line
ITEMS_LIMIT = 6  # of a list of words: tools, skills, commands
LINES_LIMIT = 40  # of a stretch of text between two events or two rules
TELLS_LIMIT = 100  # characters of what a vendor says of its tools and skills
REPEATED_LIMIT = 2  # events in a row that differ in their ids alone
FRAMES_LIMIT = 2  # of a stack trace, rows of a box
FILE_LIMIT = 24_000  # characters

_UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)
_PREFIXED = re.compile(r"\b([a-z]{2,10}[_-])(?=[A-Za-z]*\d)([0-9A-Za-z]{14,64})\b")
_HEX = re.compile(r"\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,64}\b")
_EPOCH = re.compile(r"(?<![\w.])(1[6-9]\d{8})(\d{3})?(\.\d+)?(?![\w.])")
_EPOCH_IN_ID = re.compile(r"(?<=_)1[6-9]\d{11}(?=_)")
_ISO = re.compile(r"\b20\d\d-\d\d-\d\d([T ])\d\d:\d\d:\d\d(?:[.,]\d+)?(Z|\+00:00)?")
_ISO_IN_NAME = re.compile(r"\b20\d\d-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z")  # of a file
_HTTP = re.compile(r"\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} 20\d\d \d\d:\d\d:\d\d GMT\b")
_CLOCK = re.compile(r"\b(1[0-2]|[1-9])(?::([0-5]\d))?( ?)([AaPp][Mm])\b")
_DURATIONS = re.compile(r"(?:_ms|Ms|duration|latency|elapsed)\Z", re.IGNORECASE)
_FRAME = re.compile(r"\s+(?:at |File )|│")
_RULE = re.compile("─{10,}")
_IDS = frozenset({"id", "uuid", "parentId", "timestamp"})
_PORT = re.compile(r"(?<=127\.0\.0\.1:)\d{4,5}\b|(?<=localhost:)\d{4,5}\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Where and when a run was: `began` in seconds since 1970, texts of the machine and what stands for each."""

    began: float
    port: int
    places: Mapping[str, str]


def scrub(text: str, scene: Scene) -> str:
    """Return a text as it can be kept."""
    text = _placed(text, scene)
    text = _timed(_named(text), scene)
    return _shortened(text)


def _placed(text: str, scene: Scene) -> str:
    """Return the text without paths and names of the machine; also of paths as Claude Code makes names of them."""
    for path in sorted(scene.places, key=len, reverse=True):
        new = scene.places[path]
        text = re.sub(rf"{re.escape(path)}(?![\w-])", new, text)
        if path.startswith("/"):
            text = text.replace(_dashed(path), _dashed(new))
    return _PORT.sub(str(PORT), text)


def _dashed(path: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "-", path)


@dataclass
class _Names:
    """Made-up ids, by the real ones."""

    known: dict[str, str] = field(default_factory=dict)

    def uuid(self, found: re.Match[str]) -> str:
        return self._new(found[0], f"00000000-0000-4000-8000-{self._next:012d}")

    def prefixed(self, found: re.Match[str]) -> str:
        return found[1] + self._new(found[2], f"{self._next:0{len(found[2])}d}")

    def hex(self, found: re.Match[str]) -> str:
        return self._new(found[0], f"{self._next:0{len(found[0])}d}")

    @property
    def _next(self) -> int:
        return len(self.known) + 1

    def _new(self, real: str, made_up: str) -> str:
        return self.known.setdefault(real, made_up)


def _named(text: str) -> str:
    """Return the text with made-up ids."""
    names = _Names()
    return _HEX.sub(names.hex, _PREFIXED.sub(names.prefixed, _UUID.sub(names.uuid, text)))


def _timed(text: str, scene: Scene) -> str:
    """Return the text with every moment moved."""

    def moved(moment: float) -> datetime:
        steps = round((moment - scene.began) / STEP_SECONDS)
        return MOMENT + timedelta(seconds=steps * STEP_SECONDS)

    def epoch(found: re.Match[str]) -> str:
        seconds = int(moved(float(found[1])).timestamp())
        return f"{seconds}{'000' if found[2] else ''}{'.0' if found[3] else ''}"

    def iso(found: re.Match[str]) -> str:
        moment = datetime.fromisoformat(found[0].replace(",", ".")).replace(tzinfo=UTC)
        text = f"{moved(moment.timestamp()):%Y-%m-%d{found[1]}%H:%M:%S}"
        return f"{text}.000{found[2]}" if found[2] else text

    def name(found: re.Match[str]) -> str:
        moment = datetime.strptime(found[0], "%Y-%m-%dT%H-%M-%S-%fZ").replace(tzinfo=UTC)
        return f"{moved(moment.timestamp()):%Y-%m-%dT%H-%M-%S}-000Z"

    def http(found: re.Match[str]) -> str:
        return format_datetime(moved(parsedate_to_datetime(found[0]).timestamp()), usegmt=True)

    def clock(found: re.Match[str]) -> str:
        began = datetime.fromtimestamp(scene.began, UTC)
        hour = int(found[1]) % 12 + (12 if found[4].lower() == "pm" else 0)
        told = began.replace(hour=hour, minute=int(found[2] or 0), second=0, microsecond=0)
        told += timedelta(days=1) if told < began - timedelta(minutes=5) else timedelta()
        new = moved(told.timestamp())
        half = f"{new:%p}"
        return f"{new.hour % 12 or 12}:{new:%M}{found[3]}{half if found[4].isupper() else half.lower()}"

    text = _HTTP.sub(http, _ISO.sub(iso, _ISO_IN_NAME.sub(name, text)))
    text = _EPOCH_IN_ID.sub(lambda found: str(int(moved(int(found[0]) / 1000).timestamp() * 1000)), text)
    return _CLOCK.sub(clock, _EPOCH.sub(epoch, text))


def _shortened(text: str) -> str:
    """Return the text without the long texts of vendors and without what is over FILE_LIMIT."""
    whole = _json(text)
    if whole is not None and "\n" in text.strip():
        return json.dumps(_plain(whole), ensure_ascii=False, indent=1) + "\n"
    kept: list[str] = []
    for told, group in groupby(((line, _json(line)) for line in text.split("\n")), lambda pair: _told(pair[1])):
        rows = list(group)
        if told is None:
            kept += _fewer([_cut(line) for line, _ in rows])
        else:
            events = [json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":")) for _, value in rows]
            kept += _ends(events, REPEATED_LIMIT, 0)
    return _bounded(kept)


def _told(value: object | None) -> object | None:
    """Return what an event tells beside its ids; None for text."""
    return {key: each for key, each in value.items() if key not in _IDS} if isinstance(value, dict) else value


def _json(text: str) -> object | None:
    try:
        return json.loads(text) if text.startswith("{") else None
    except ValueError:
        return None


def _plain(value: object, name: str = "") -> object:
    """Return a value with long texts and lists cut, and every duration the same."""
    match value:
        case dict():
            return {key: _plain(each, key) for key, each in value.items()}
        case list() if len(value) > ITEMS_LIMIT and all(isinstance(each, str) for each in value):
            return [*value[: ITEMS_LIMIT - 1], f"… {len(value) - ITEMS_LIMIT + 1} more …"]
        case list():
            return [_plain(each) for each in value]
        case str():
            return _cut(value, TELLS_LIMIT if name == "description" else TEXT_LIMIT)
        case int() | float() if not isinstance(value, bool) and _DURATIONS.search(name) and value:
            return DURATION
    return value


def _cut(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return a text without its middle, where it is long."""
    if len(text) <= limit:
        return text
    half = limit // 3
    return f"{text[:half]} … {len(text) - 2 * half} characters … {text[-half:]}"


def _fewer(lines: list[str]) -> list[str]:
    """Return a stretch of text without what a vendor tells at length: stack traces, its instructions for the model."""
    kept: list[str] = []
    for kind, group in groupby(lines, _kind):
        rows = list(group)
        frames = kind == "frame"
        kept += _ends(rows, FRAMES_LIMIT, 0, mark="    ") if frames else _ends(rows, LINES_LIMIT - 10, 10)
    return kept


def _kind(line: str) -> str:
    return "frame" if _FRAME.match(line) else "rule" if _RULE.match(line) else "text"


def _ends(lines: list[str], first: int, last: int, *, mark: str = "") -> list[str]:
    """Return the first and the last lines; between them one that says how many there were, indented as `mark` says."""
    left_out = len(lines) - first - last
    if left_out <= 1:
        return lines
    return [*lines[:first], f"{mark}[… {left_out} lines …]", *lines[len(lines) - last :]]


def _bounded(lines: list[str]) -> str:
    """Return the lines without those in the middle that make a file too long."""
    sizes = list(accumulate(len(line) + 1 for line in lines))
    if not sizes or sizes[-1] <= FILE_LIMIT:
        return "\n".join(lines)
    first = bisect(sizes, FILE_LIMIT * 2 // 3)
    last = len(lines) - bisect(sizes, sizes[-1] - FILE_LIMIT // 3)
    return "\n".join(_ends(lines, first, last))
