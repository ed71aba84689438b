"""Evidence of a failure -> a key that is equal for identical failures (O14).

Identical means: the same after what changes from run to run is taken out, and not more. Commit ids and checksums stay,
for an expected checksum is what a test is about; so do numbers that are no time, place or process.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import cache

from ralph_wiggum.core.evidence import FailureKind, Gate

LONGEST = 80  # characters of a fingerprint
_DIGITS = 12  # of its hash
_EXCERPT = 2000  # characters of output that stand for failures without a name
_DATE = r"\d{4}-\d\d-\d\d"
_CLOCK = r"\d{1,2}:\d\d:\d\d(?:[.,]\d+)?"
_DAY = r"\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_UNIT = r"(?:m?s|secs?|seconds?|msecs?|milliseconds?|mins?|minutes?|hrs?|hours?)"
_HIGH_PORT = r"(?:3276[89]|327[7-9]\d|32[89]\d\d|3[3-9]\d{3}|[45]\d{4}|6[0-5]\d{3})"  # Linux gives 32768 and up
_NUMBERED = r"(?:request|trace|span|session|run|build|container|job|correlation)"
_SOURCE = (  # endings of files in which positions are named; api.local:8080 is no position
    r"\.(?:pyi?|[cm]?[jt]sx?|vue|svelte|astro|html?|s?css|less|json|ya?ml|toml|md|txt|rst|sql|go|rs|rb|java|kts?|scala"
    r"|c|h|cc|cpp|hpp|cs|fs|php|swift|exs?|lua|dart|zig|sh|ini|cfg|feature|graphql|proto)"
)

_Pattern = tuple[str, str]

# What has a new name in each run. Also taken out of the names of tests, where a parameter may be such a thing.
_IDENTITIES: tuple[_Pattern, ...] = (
    (r"(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<uuid>"),
    # of a temporary path the part that is new, not what lies below it
    (r"/(?:private/)?var/folders/[^/\s'\"]+/[^/\s'\"]+(?:/T)?|/private/tmp\b|/var/tmp\b", "/tmp"),  # noqa: S108 - a pattern
    (r"(?i)\b[A-Z]:\\[^\s'\"]*?\\Temp\b", "/tmp"),  # noqa: S108 - a pattern
    (r"/tmp(?:[/\\]pytest-of-[^/\\\s'\"]+)?[/\\]+[^/\\\s'\":,;)\]]+", "<tmp>"),  # noqa: S108 - a pattern
    (r"\bpytest-of-[^/\\\s'\"]+[/\\]pytest-\d+", "<tmp>"),
    (r"(?<=[/\\])tmp[a-z0-9_]{8}\b", "<tmp>"),  # Python's tempfile
    (r"(?i)\b0x[0-9a-f]{6,}\b|(?<=\bat )0x[0-9a-f]+\b", "<address>"),
)

# In this order: what is longer and surer first, so that a time is not taken for a position.
_MOMENTS: tuple[_Pattern, ...] = (
    (rf"\b{_DATE}[T_ ]{_CLOCK}(?:\s?(?:Z|UTC|[+-]\d\d:?\d\d))?", "<time>"),
    (r"\b\d{4}-\d\d-\d\dT\d\d[_-]\d\d[_-]\d\d(?:[_-]\d+)?Z?", "<time>"),  # in the names of npm's logs
    (r"\b\d{8}T\d{6}(?:\.\d+)?Z?\b", "<time>"),
    (rf"{_DAY}\d{{1,2}}[ /-]{_MONTH}[ /-]\d{{4}}(?::{_CLOCK})?", "<date>"),
    (rf"{_DAY}\b{_MONTH} +\d{{1,2}}(?:,? \d{{4}}\b)?(?=[\s,]|$)", "<date>"),
    (rf"\b{_DATE}\b|\b\d{{4}}/\d\d/\d\d\b", "<date>"),
    (rf"(?i)\b{_CLOCK}(?:\s?[AP]M\b)?(?:\s?(?:Z|UTC)\b)?", "<time>"),
    (r"(?i)\b\d{1,2}:\d\d\s?[AP]M\b", "<time>"),
    (r"\b1[6-9]\d{8}(?:\d{3})?(?:\.\d+)?\b", "<time>"),  # seconds or milliseconds since 1970, in 2020 to 2033
    (r"\b\d+(?:h|hr) ?(?:\d+m(?:in)? ?)?(?:\d+(?:\.\d+)?s(?:ec)?)?\b", "<duration>"),
    (r"\b\d+m(?:in)? ?\d+(?:\.\d+)?s(?:ec)?\b", "<duration>"),
    (rf"\b\d+(?:[.,]\d+)? ?{_UNIT}\b|\b\d+(?:\.\d+)?(?:µs|μs|us|ns)\b", "<duration>"),
)

_PROCESSES: tuple[_Pattern, ...] = (
    (r"(?i)\b(p?pid|tid)([ :=#]{1,3}|\[)\d+", r"\1 <id>"),
    (r"(?i)\b(process|thread)((?: id)?[:=#] ?\d+|(?: id)? \d{3,})\b", r"\1 <id>"),
    (r"\b(Thread|Process|ForkPoolWorker|SpawnProcess|Dummy)-\d+\b", r"\1 <id>"),
    (r"==\d+==", "==<id>=="),  # valgrind, sanitizers
    (r"\[gw\d+\]|\bgw\d+\b", "<worker>"),  # pytest-xdist
    (rf"(?i)\b({_NUMBERED}[ _-]?id[\"']?[ :=]+[\"']?)[\w-]{{6,}}", r"\1<id>"),
    (r"(?i)\b(seed(?: is)?[ :=]+)\d+", r"\1<seed>"),
    (rf"(?<=[\w\]]:){_HIGH_PORT}\b(?!:)(?=[/\s'\"),;.]|$)", "<port>"),
    (rf"(?i)\b(port[ :=]+){_HIGH_PORT}\b", r"\1<port>"),
    (rf"((?:'|\")(?:127\.0\.0\.1|localhost|0\.0\.0\.0|::1?)(?:'|\"), ){_HIGH_PORT}\b", r"\1<port>"),
)

_POSITIONS: tuple[_Pattern, ...] = (
    (r"(?i)\b(lines?|columns?|col|ln)([ :]+)\d+(?:\s?[-–]\s?\d+)?", r"\1 <n>"),
    (rf"({_SOURCE})\(\d+,\d+\)", r"\1(<n>)"),  # tsc: src/a.ts(3,5)
    (rf"({_SOURCE}):\d+(?::\d+)?\b", r"\1:<n>"),
    (r"(?<=[A-Za-z_)>]):\d+:\d+\b", ":<n>"),
    (r"(?m)^\s*\d+:\d+(?=\s)", "<n>"),  # eslint
    (r"(?m)^\s*[>❯→]?\s*\d+\s*(?=[|│┃])", "<n> "),  # source in a frame
    (r"\[\s*\d{1,3}%\]", "<n>"),  # pytest's progress
)


@cache
def _compiled(patterns: tuple[_Pattern, ...]) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(pattern), word) for pattern, word in patterns)  # at first use: not every command pays


_ANYWHERE = (*_IDENTITIES, *_MOMENTS, *_PROCESSES, *_POSITIONS)


def normalise(text: str) -> str:
    """Return the text without what changes from run to run (O14), its white space reduced.

    Taken out: dates, times of day, durations, temporary paths, process, object and request ids, ports that the system
    gave, positions in files.

    >>> normalise("tests/test_a.py:12: AssertionError in 0.31s (pid 4711)")
    'tests/test_a.py:<n>: AssertionError in <duration> (pid <id>)'
    """
    return _without(_ANYWHERE, text)


def normalise_name(name: str) -> str:
    """Return the name of a test without addresses, uuids and temporary paths; times stay, they are its parameters.

    >>> normalise_name("test_wait[5 s-0x7f3a12bc]")
    'test_wait[5 s-<address>]'
    """
    return _without(_IDENTITIES, name)


def _without(patterns: tuple[_Pattern, ...], text: str) -> str:
    for pattern, word in _compiled(patterns):
        text = pattern.sub(word, text)
    return " ".join(text.split())


def of_text(kind: str, text: str) -> str:
    """Return the key of a failure that only words describe: its kind, a hash, and the beginning of the words."""
    return _key(kind, normalise(text))


def of_gates(gates: Sequence[Gate]) -> str:
    """Return the key of failed gates: which checks, and which failures of theirs; the order makes no difference.

    The failures of a gate are taken as they are, for they are keys already. Where it names none, its reason and the
    end of its output stand for them.
    """
    parts = sorted({_gate(gate) for gate in gates if gate.failed})
    return _key(kind_of_gates(gates).value, "\n".join(parts))


def kind_of_gates(gates: Sequence[Gate]) -> FailureKind:
    """Return what kind of failure failed gates are: a server that is down comes before a page, that before a check."""
    kinds = {gate.kind for gate in gates if gate.failed}
    named = (kind for kind in (FailureKind.SERVER, FailureKind.VISUAL) if kind.value in kinds)
    return next(named, FailureKind.CHECK)


def _gate(gate: Gate) -> str:
    seen = sorted(gate.failures) or [normalise(gate.reason), normalise(gate.excerpt[-_EXCERPT:])]
    return "\n".join((gate.name, *seen))


def _key(kind: str, text: str) -> str:
    digest = hashlib.sha256(f"{kind}\n{text}".encode("utf-8", "replace")).hexdigest()[:_DIGITS]
    slug = re.sub(r"[^\w.:/-]+", "-", text).strip("-")
    return f"{kind} {digest} {slug}"[:LONGEST].rstrip(" -")
