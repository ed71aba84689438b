"""requirements.md (or bugfix.md) as a table of requirements and criteria that a citation can be looked up in.

Nothing here is a format that anybody specified, so several shapes are read, and where two give the same id the surer
one wins: a heading with a label (`### Requirement 1: …`, `### 需求 1 - …`, `#### REQ-1.2: …`) before a bare number, a
numbered list under an "Acceptance Criteria" heading before any other list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from ralph_wiggum.core import excerpt, fences
from ralph_wiggum.core.citations import Key, Span, key

_HEADING = re.compile(r"^ {0,3}(?P<level>#{1,6})[ \t]+(?P<title>.*?)[ \t]*#*[ \t]*$")
_TITLE_ID = re.compile(
    r"^(?:\d+[.)]\s+)?(?P<word>[^\W\d_]{1,20}(?: [Ss]tory)?)?(?P<gap>[-\s]?)\s*"
    r"(?P<numbers>\d+(?:\.\d+)*)(?![\w])[\s:：.)）–—-]*",
)
_KNOWN = re.compile(
    r"requirement|req|r|需求|要件|要求|요구\s?사항|requisit[oi]|requerimiento|exigence|anforderung|требование|"
    r"persyaratan|wymaganie",
    re.IGNORECASE,
)
_OTHER = re.compile(
    r"phase|step|tier|part|chapter|section|version|iteration|milestone|sprint|option|example|scenario|week|day|v|"
    r"阶段|階段|步骤|步驟|フェーズ|ステップ",
    re.IGNORECASE,
)
_CRITERIA = re.compile(
    r"criteria|criterio|critère|kriteri|scenario|behaviou?r|验收|驗收|標準|标准|准则|受け?入れ|基準|인수|критери|معايير",
    re.IGNORECASE,
)
_LABEL_LINE = re.compile(r"^\s*(?:\*\*|__)[^*_]+(?:\*\*|__)\s*[:：]?\s*$|^[^\s|>-].{0,60}[:：]\s*$")
_EXPLICIT = re.compile(
    r"^\s*(?:[-*+]\s+(?:\[.\]\s+)?|\|\s*)?(?:\*\*|__|`)?"
    r"(?:(?P<prefix>[A-Z]{1,4})-?(?P<plain>\d+(?:\.\d+)*)|(?P<dotted>\d+(?:\.\d+)+))"
    r"(?:\*\*|__|`)?(?:[.:：)]|\s|\||$)(?:\*\*|__)?\s*(?P<text>.*)$",
)
_NUMBERED = re.compile(r"^ {0,3}(?P<number>\d{1,4})[.)][ \t]+(?P<text>.*)$")
_BULLET = re.compile(r"^ ?[-*+][ \t]+(?P<text>.*)$")  # further in it belongs to the criterion above
_RULE = re.compile(r"^\s*([-*_])(?:\s*\1){2,}\s*$")

SURE, LIKELY, GUESS = 0, 2, 4  # ranks of an id's source; one more where the list stands under no criteria heading


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A requirement (with the title of its heading) or a criterion (title ""), with its own text.

    `label` is its id as the document writes it ("FR-007"), or as one counts ("1.2": the second of requirement 1).
    """

    key: Key
    label: str
    title: str
    text: str
    parent: Key | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """All items of a document by key, in document order."""

    items: Mapping[Key, Item]

    def find(self, span: Span) -> tuple[Key, ...]:
        """Return the keys that a citation means; none where the document does not hold them."""
        for prefix in _same_as(span.low[0]):
            low, high = (prefix, span.low[1]), (prefix, span.high[1])
            found = [low] if low == high else self._between(low, high)
            if any(each in self.items for each in found):
                return tuple(each for each in found if each in self.items)
        return ()

    def under(self, parent: Key) -> tuple[Key, ...]:
        """Return the keys directly below a requirement, in document order."""
        return tuple(each for each, item in self.items.items() if item.parent == parent)

    def top(self) -> tuple[Key, ...]:
        """Return the keys of the requirements with a title that stand below no other."""
        return tuple(each for each, item in self.items.items() if item.title and item.parent is None)

    def _between(self, low: Key, high: Key) -> list[Key]:
        depth = len(high[1])
        return [each for each in self.items if each[0] == low[0] and len(each[1]) == depth and low <= each <= high]


@dataclass(slots=True)
class _Draft:
    """An item while its lines are collected. `level`: of its heading, 0 for a criterion."""

    key: Key
    rank: int
    title: str
    level: int = 0
    label: str = ""
    lines: list[str] = field(default_factory=list)


@lru_cache(maxsize=2)
def read(text: str) -> Requirements:
    """Read a requirements document of any of the known shapes; what has no id is left out."""
    best: dict[Key, _Draft] = {}
    for draft in _Reader().drafts(excerpt.printable(text)):
        if draft.key not in best or draft.rank < best[draft.key].rank:
            best.pop(draft.key, None)  # the order is that of the surer place
            best[draft.key] = draft
    return Requirements(
        items={
            draft.key: Item(
                key=draft.key,
                label=draft.label or "-".join(filter(None, (draft.key[0], ".".join(map(str, draft.key[1]))))),
                title=draft.title,
                text="\n".join(draft.lines).strip(),
                parent=next((up for up in _above(draft.key) if up in best), None),
            )
            for draft in best.values()
        },
    )


def _same_as(prefix: str) -> tuple[str, ...]:
    """Return the prefixes to look under: criterion 1.2 is cited as AC-1.2 too."""
    return ("AC", "", "US") if prefix == "AC" else ("", "AC") if prefix == "" else (prefix,)


def _above(of: Key) -> Iterator[Key]:
    """Yield the keys of what may stand above an item, the nearest first."""
    prefix, numbers = of
    for length in range(len(numbers) - 1, 0, -1):
        for other in dict.fromkeys((prefix, "", "US") if prefix in {"", "AC", "US"} else (prefix,)):
            yield other, numbers[:length]


class _Reader:
    """One pass over the lines: which requirement they stand in, and which item takes them."""

    def __init__(self) -> None:
        self.section: _Draft | None = None  # the requirement whose heading stands above
        self.item: _Draft | None = None  # what takes continuation lines
        self.criteria = False  # below a heading or label that says acceptance criteria
        self.bullets = 0
        self.blank = False

    def drafts(self, text: str) -> Iterator[_Draft]:
        """Yield every item in document order; its lines are complete when the pass is over."""
        lines = text.split("\n")
        code = fences.fenced(lines)
        for index, line in enumerate(lines):
            if index in code:
                self._keep(line)
            elif heading := _HEADING.match(line):
                yield from self._heading(len(heading["level"]), heading["title"].strip("*_ "))
            elif draft := self._listed(line):
                self.item = draft
                yield draft
            else:
                self._other(line)
            self.blank = not line.strip()

    def _heading(self, level: int, title: str) -> Iterator[_Draft]:
        self.item, self.bullets = None, 0
        draft = _titled(title, level)
        if draft:
            self.section, self.criteria = draft, False
            yield draft
            return
        self.criteria = bool(_CRITERIA.search(title))
        if self.section and level <= self.section.level:
            self.section = None

    def _listed(self, line: str) -> _Draft | None:
        """Return the item that begins on this line: an id written out, a number, or a bullet below the criteria."""
        if found := _EXPLICIT.match(line):
            return self._explicit(found)
        if found := _NUMBERED.match(line):
            return self._nth(int(found["number"]), found["text"], GUESS)
        if self.criteria and self.section and (found := _BULLET.match(line)):
            self.bullets += 1
            return self._nth(self.bullets, found["text"], LIKELY)
        return None

    def _explicit(self, found: re.Match[str]) -> _Draft | None:
        of = key(found["prefix"], found["plain"] or found["dotted"])
        if self.section and len(of[1]) == 1 and of[0] == "AC":  # "AC1" below "Requirement 2" is 2.1
            of = (self.section.key[0], self.section.key[1] + of[1])
        if not found["prefix"] and self.section and of[1][: len(self.section.key[1])] != self.section.key[1]:
            return None  # a number that only looks like one: "1.5 seconds"
        cells = [cell.strip() for cell in found["text"].strip().strip("|").split("|")]
        text = " | ".join(cell for cell in cells if cell) if found[0].lstrip().startswith("|") else found["text"]
        written = found[0][: found.start("text") - found.start()].strip("-*+|`_.:：)[] \tx")
        return _Draft(key=of, rank=SURE, title="", label=written, lines=[text.removeprefix("**").lstrip(": ")])

    def _nth(self, number: int, text: str, weak: int) -> _Draft | None:
        if not self.section:
            return _Draft(key=("", (number,)), rank=GUESS, title="", lines=[text])
        of = (self.section.key[0], (*self.section.key[1], number))
        rank = self.section.rank + (0 if self.criteria and weak == GUESS else 1 if weak == GUESS else weak)
        return _Draft(key=of, rank=rank, title="", lines=[text])

    def _other(self, line: str) -> None:
        if self.section and _LABEL_LINE.match(line):
            self.criteria = bool(_CRITERIA.search(line))
            if self.criteria:
                self.item = None
                return
        if self.item and self.blank and line.strip() and not line.startswith(("  ", "\t")):
            self.item = None  # a paragraph after the list belongs to the requirement again
        if not _RULE.match(line):
            self._keep(line)

    def _keep(self, line: str) -> None:
        taker = self.item or self.section
        if taker:
            taker.lines.append(line)


def _titled(title: str, level: int) -> _Draft | None:
    """Return the requirement whose id a heading carries."""
    found = _TITLE_ID.match(title)
    if not found:
        return None
    word = found["word"] or ""
    if word.lower() == "user story":
        return _Draft(key=key("US", found["numbers"]), rank=SURE, title=title, level=level)
    if _KNOWN.fullmatch(word):
        return _Draft(key=key("", found["numbers"]), rank=SURE, title=title, level=level)
    if word.isascii() and word.isupper() and len(word) <= 4 and found["gap"] != " ":  # noqa: PLR2004 - FR, NFR, AC, US
        return _Draft(key=key(word, found["numbers"]), rank=SURE, title=title, level=level)
    if word and (_OTHER.fullmatch(word) or found["gap"] != " "):
        return None
    return _Draft(key=key("", found["numbers"]), rank=LIKELY, title=title, level=level)
