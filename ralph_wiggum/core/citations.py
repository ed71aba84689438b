"""Which requirements a task cites, in the words and scripts of real specs (O7).

Shapes seen in the wild: `_Requirements: 1.1, 1.2_`, `**Validates: Requirements 1.2**`, `_需求: 5.1_`,
`_要件: 要件7.3_`, `_Requisitos: 2_`, `1.1-1.4`, `FR-1, AC-2.1-2.4`, `(FR-029)`, `[US1]`, `All`, and words
where no number fits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ralph_wiggum.core import fences

Key = tuple[str, tuple[int, ...]]
"""A requirement's identity: a prefix in capitals ("" for plain numbers, "FR", "AC" …) and its numbers."""

_GENERIC = frozenset({"", "R", "REQ", "REQUIREMENT", "REQUIREMENTS"})  # these prefixes only say "requirement"
_LABELS = (
    r"requirement(?:s| ids?)?|reqs?|需求|要求|(?:対応|関連)?要件|요구\s?사항|"
    r"requisit[oi]s?|requerimientos?|exigences?|anforderung(?:en)?|требовани[ея]|المتطلبات|persyaratan|wymagania"
)
_ANNOTATION = re.compile(
    rf"^\s*(?:[-*+]\s+)?[_*]*(?:(?:{_LABELS})[_*]*\s*[:：]|"
    r"validates[_*]*\s*[:：](?=[\s_*]*(?:req|需求|要件|[\d.,\s_*-]+$)))\s*[_*]*(?P<rest>.*)$",
    re.IGNORECASE,
)
# An italic label in any other language, with nothing but numbers behind it.
_ITALIC = re.compile(r"^\s*(?:[-*+]\s+)?_(?P<label>[^_:：\d]{2,30})[:：]\s*(?P<rest>[\d.,、，\s–—-]+)_\s*$")
_NO_CITATION = re.compile(
    r"depend|block|after|before|estimate|time|hour|priority|boundary|phase|依赖|依存|工时", re.IGNORECASE
)
_INLINE = re.compile(
    r"(?<![A-Za-z])(?:requirements?|reqs?\.?|需求|要件)\s*"
    r"(?P<rest>\d+(?:\.\d+)*(?:\s*(?:,|、|，|and|&|-|–|—|と|和)\s*\d+(?:\.\d+)+)*)",
    re.IGNORECASE,
)
_PREFIXED = re.compile(
    r"(?<![A-Za-z0-9-])(?:FR|NFR|AC|SC|US|UR|BR|TR|REQ)-?\d+(?:\.\d+)*(?:\s*[-–—]\s*(?:[A-Z]{2,3}-?)?\d+(?:\.\d+)*)?"
    r"(?![A-Za-z0-9])",
)
_ALL = re.compile(
    r"^\W*(?:all|every|todos|todas|toutes?|tous|alle|全(?![般体])|所有|すべて|모든|все)(?!\w*\s+\w*\s*propert)",
    re.IGNORECASE,
)
_ID = r"(?:(?P<prefix{0}>[A-Za-z]{{1,12}})[-_ ]?)?(?P<numbers{0}>\d+(?:\.\d+)*)"
_IDS = re.compile(_ID.format(1) + r"(?:\s*(?:-|–|—|~|〜|～|\bto\b)\s*" + _ID.format(2) + ")?")
_BETWEEN = frozenset({"FOR", "AND", "OR", "TO", "WITH", "FROM", "SEE", "IN", "OF"})  # "context for 1.1"
_PROPERTY = re.compile(r"(?:propert(?:y|ies)|属性|プロパティ|propiedad)\s*(\d+)(?:\s*[-–—]\s*(\d+))?", re.IGNORECASE)
_WORDS = re.compile(r"(?!requirements?)\b[^\W\d_]{4,}|[\u3040-\u9fff]{3,}", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A cited id, or a range of them with both ends included; `written` is how the task has it."""

    low: Key
    high: Key
    written: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Citations:
    """What a task cites. `words` holds what its annotations say instead of numbers ("Testing Strategy")."""

    spans: tuple[Span, ...] = ()
    everything: bool = False
    properties: frozenset[int] = frozenset()
    words: str = ""

    @property
    def any(self) -> bool:
        """Say whether a requirement is cited at all."""
        return self.everything or bool(self.spans)


def cited(text: str) -> Citations:
    """Read the citations out of a task's own text; code blocks cite nothing."""
    text = fences.without(text)
    annotations = list(_annotations(text))
    spans = {span.low + span.high: span for rest in annotations for span in spans_in(rest)}
    for mention in (*_INLINE.finditer(text), *_PREFIXED.finditer(text)):
        for span in spans_in(mention[0]):
            spans.setdefault(span.low + span.high, span)
    return Citations(
        spans=tuple(spans.values()),
        everything=any(_ALL.match(rest) for rest in annotations),
        properties=_properties(text),
        words=" ".join(rest for rest in annotations if _WORDS.search(rest)),
    )


def spans_in(rest: str) -> Iterator[Span]:
    """Yield the ids and ranges in what follows an annotation's label, in their order."""
    for found in _IDS.finditer(rest):
        prefix = _prefix(rest, found)
        if prefix is None:
            continue
        low = key(prefix, found["numbers1"])
        numbers = found["numbers2"]
        if numbers and key("", numbers)[1] > low[1]:
            yield Span(low=low, high=(low[0], key("", numbers)[1]), written=found[0].strip())
        else:
            yield Span(low=low, high=low, written=found[0].strip())


def key(prefix: str | None, numbers: str) -> Key:
    """Make a key of a prefix and dotted numbers.

    >>> key("fr", "007"), key("Requirement", "1.2")
    (('FR', (7,)), ('', (1, 2)))
    """
    word = (prefix or "").upper()
    return "" if word in _GENERIC else word, tuple(int(number[:9]) for number in numbers.split("."))


def _prefix(rest: str, found: re.Match[str]) -> str | None:
    """Return the letters that belong to an id ("FR" of "FR-1", "" of "for 1.1"), None where it is no id ("Step 3")."""
    letters = found["prefix1"] or ""
    word = letters.upper()
    if word in _GENERIC or word in _BETWEEN:
        return ""
    apart = rest[found.end("prefix1") : found.start("numbers1")] == " "
    return letters if letters.isupper() and not apart and word not in {"T", "P", "V"} else None


def _annotations(text: str) -> Iterator[str]:
    """Yield what follows the label of each annotation, joined with its wrapped lines."""
    lines = text.split("\n")
    for index, line in enumerate(lines):
        if found := _ANNOTATION.match(line):
            rest = found["rest"]
            if line.lstrip(" -*+").startswith("_") and not rest.rstrip().endswith("_"):
                rest = " ".join([rest, *_until_closed(lines[index + 1 : index + 4])])
            yield rest.strip().strip("_*").strip()
        elif (found := _ITALIC.match(line)) and not _NO_CITATION.search(found["label"]):
            yield found["rest"].strip()


def _until_closed(lines: list[str]) -> list[str]:
    """Return the lines up to the one that closes an italic annotation; none if no line does."""
    for count, line in enumerate(lines, start=1):
        if line.rstrip().endswith("_"):
            return [each.strip() for each in lines[:count]]
        if not line.strip():
            break
    return []


def _properties(text: str) -> frozenset[int]:
    """Return the numbers of the correctness properties that a task names; ranges of up to 50 are expanded."""
    found: set[int] = set()
    for first, last in _PROPERTY.findall(text):
        low = int(first[:6])
        found.update(range(low, min(int((last or first)[:6]), low + 50) + 1))
    return frozenset(found)
