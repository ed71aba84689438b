"""The part of design.md that a task needs: sections chosen by the words of the task, within a budget (O9).

Never the whole file unless it is short: a prompt may not grow with the spec.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from ralph_wiggum.core import excerpt, fences
from ralph_wiggum.core.citations import Citations, Span, spans_in

WHOLE_LIMIT = 4 * 1024  # bytes: a design that short goes in as it is
SECTION_LIMIT = 4 * 1024  # bytes of one section
PIECE_LIMIT = 1024  # bytes; longer sections are chosen from piece by piece

_HEADING = re.compile(r"^ {0,3}(?P<level>#{1,6})[ \t]+(?P<title>.*?)[ \t]*#*[ \t]*$")
_PROPERTY = re.compile(
    r"^\s{0,3}(?:[-*+]\s+)?(?:\*\*)?(?:Property|属性|プロパティ|Propiedad)\s*(?P<number>\d{1,5})\b", re.IGNORECASE
)
_RULE = re.compile(r"(?:^|\n)(?:-{3,}|\*{3,}|_{3,})$")
_FENCE = re.compile(r"^\s*(?:`{3,}|~{3,})[^`]*$")
_VALIDATES = re.compile(
    r"(?:validates|requirements?|需求|要件|requisitos)[*_]*\s*[:：]?[*_\s]*(?P<rest>[^\n]*)", re.IGNORECASE
)
_CODE = re.compile(r"`([^`\n]{2,80})`")
# Names of things: CamelCase, snake_case, dotted or slashed paths, CONSTANTS, calls.
_NAME = re.compile(
    r"\b(?:[A-Za-z]\w*(?:[./_-]\w+)+|[a-z]+[A-Z]\w*|[A-Z][a-z0-9]+(?:[A-Z]\w*)+|[A-Z][A-Z0-9_]{2,}|\w+(?=\())"
)
_WORD = re.compile(r"[^\W\d_]{3,}")
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{2,}")  # scripts without spaces: pairs of characters
_DULL = frozenset(
    re.findall(
        r"\w+",
        """
        the and for with that this from into use using add create implement write build set update
        make ensure all any each new not are can should must when then will shall have has its task
        tasks test tests testing unit requirements requirement property properties feature support
        handle function method class file files component components code based include including
        section design system data
        """,
    ),
)

NAMED, TITLED, PROPERTY_HIT, CITED = 3.0, 4.0, 40.0, 6.0  # weights of a name in the text, a title, a property, an id
UNNAMED = 0.5  # of its score, for a property that the task does not name
ENOUGH = 0.5  # of the best score, below which a section is not of the matter
LEAST = 1.5  # a score below this is chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading with its own text, without what stands below deeper headings. `path`: the titles above it."""

    title: str
    level: int
    path: tuple[str, ...]
    text: str
    line: int  # 1-based, of the heading
    number: int | None = None  # of a correctness property


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What to look for: names of things, and plain words, all in lower case."""

    names: frozenset[str]
    words: frozenset[str]


def sections(text: str) -> tuple[Section, ...]:
    """Split a document at its headings (outside fences); a correctness property counts as a heading."""
    lines = text.lstrip("\ufeff").replace("\r\n", "\n").split("\n")
    code = fences.fenced(lines)
    found: list[Section] = []
    above: list[tuple[int, str]] = []
    start, level, title, number = 0, 0, "", None
    for index, line in [*enumerate(lines), (len(lines), "# ")]:
        opened = None if index in code else _opens(line, level, number)
        if not opened:
            continue
        own = _RULE.sub("", "\n".join(lines[start:index]).strip()).strip()
        if own or title:
            path = tuple(name for depth, name in above if 1 < depth < level and name)  # not the document's own title
            found.append(Section(title=title, level=level, path=path, text=own, line=start, number=number))
        above = [(depth, name) for depth, name in [*above, (level, title)] if depth < opened[0]]
        start, (level, title, number) = index + 1, opened
    return tuple(found)


def terms(name: str, text: str) -> Terms:
    """Take from a task the names of things (in backticks, or shaped like code) and its other telling words."""
    names = {match.strip("().").lower() for match in (*_CODE.findall(text), *_NAME.findall(text))}
    names |= {piece.rsplit("/", 1)[-1] for piece in names if "/" in piece}
    return Terms(
        names=frozenset(each for each in names if len(each) > 2),  # noqa: PLR2004 - "id", "db" are everywhere
        words=frozenset(_words(f"{name} {text}") - _DULL_STEMS),
    )


def matching(text: str, looked_for: Terms, citations: Citations, budget: int) -> str:
    """Return the pieces that match best, in document order, within `budget` bytes; "" where none does.

    A design of up to 4 KB (and within the budget) comes whole.
    """
    text = excerpt.printable(text).strip()
    if excerpt.size(text) <= min(WHOLE_LIMIT, budget):
        return text
    pieces, bodies, words = _prepared(text)
    scores = _scores(pieces, bodies, words, looked_for, citations)
    least = max(max(scores, default=0.0) * ENOUGH, LEAST)
    chosen: list[int] = []
    spent: Counter[int] = Counter()
    for index in sorted(range(len(pieces)), key=lambda each: (-scores[each], each)):
        piece = pieces[index]
        cost = excerpt.size(piece.text) + (0 if spent[piece.line] else excerpt.size(_heading(piece))) + 8
        if scores[index] >= least and cost <= budget and spent[piece.line] + cost <= SECTION_LIMIT:
            chosen.append(index)
            spent[piece.line] += cost
            budget -= cost
    return _shown(pieces, sorted(chosen))


@lru_cache(maxsize=2)
def _prepared(text: str) -> tuple[tuple[Section, ...], tuple[str, ...], tuple[frozenset[str], ...]]:
    """Return the pieces of a design, each in lower case, and its words: the same for all tasks of a spec."""
    pieces = tuple(piece for section in sections(text) for piece in _pieces(section))
    bodies = tuple(f"{piece.title}\n{piece.text}".lower() for piece in pieces)
    return pieces, bodies, tuple(frozenset(_words(body)) for body in bodies)


def _pieces(section: Section) -> list[Section]:
    """Cut a long section at its blank lines; a fence that is cut is closed and opened again."""
    if excerpt.size(section.text) <= PIECE_LIMIT:
        return [section]
    texts: list[str] = []
    lines, fence, length = list[str](), "", 0
    for line in section.text.split("\n"):
        if length > (PIECE_LIMIT if line.strip() else PIECE_LIMIT // 2):
            texts.append("\n".join([*lines, "```"] if fence else lines))
            lines, length = [fence] if fence else [], 0
        lines.append(line)
        length += excerpt.size(line) + 1
        if marker := _FENCE.match(line):
            fence = "" if fence else marker[0]
    texts.append("\n".join(lines))
    return [replace(section, text=excerpt.head(text.strip("\n"), 2 * PIECE_LIMIT)) for text in texts if text.strip()]


def _heading(section: Section) -> str:
    return f"### {' › '.join((*section.path, section.title))}" if section.title else ""


def _shown(pieces: Sequence[Section], chosen: Sequence[int]) -> str:
    """Return the chosen pieces under their headings; `[…]` stands for what was left out between two of a section."""
    lines: list[str] = []
    before = -1
    for index in chosen:
        piece = pieces[index]
        if before < 0 or pieces[before].line != piece.line:
            lines.append("\n" + _heading(piece))
            before = index if index == 0 or pieces[index - 1].line != piece.line else -1
        if before != index and before != index - 1:
            lines.append("[…]")
        lines.append(piece.text)
        before = index
    return "\n".join(lines).strip()


def _opens(line: str, level: int, number: int | None) -> tuple[int, str, int | None] | None:
    """Return level, title and property number of a line that begins a section."""
    if found := _HEADING.match(line):
        of = _PROPERTY.match(found["title"])
        return len(found["level"]), found["title"], int(of["number"]) if of else None
    if (found := _PROPERTY.match(line)) and int(found["number"]) != number:
        depth = level if number is not None and level > 6 else level + 7  # noqa: PLR2004 - below every real heading
        return depth, line.strip().lstrip("-*+ ").rstrip("* "), int(found["number"])
    return None


def _scores(
    parts: Sequence[Section],
    bodies: Sequence[str],
    words: Sequence[frozenset[str]],
    looked_for: Terms,
    citations: Citations,
) -> list[float]:
    """Return how well each part fits: rare terms count more, titles more than text, the titles above half of that."""
    spread = Counter(word for each in words for word in each & looked_for.words)
    spread.update({name: sum(name in body for body in bodies) for name in looked_for.names})

    def worth(found: Iterable[str]) -> float:
        return sum(_rarity(spread[each], len(parts)) for each in found)

    def score(part: Section, body: str, own: frozenset[str]) -> float:
        title, above = _words(part.title) & looked_for.words, _words(" ".join(part.path)) & looked_for.words
        named = [name for name in looked_for.names if name in body]
        total = NAMED * worth(named) + TITLED * worth(name for name in named if name in part.title.lower())
        total += worth(own & looked_for.words) + TITLED * worth(title) + TITLED / 2 * worth(above - title)
        if part.number is not None:
            total = total * UNNAMED + (PROPERTY_HIT if part.number in citations.properties else 0.0)
        return total + (CITED if _cites(part.text, citations.spans) else 0.0) if part.text else 0.0

    return [score(*each) for each in zip(parts, bodies, words, strict=True)]


def _rarity(count: int, of: int) -> float:
    """Return 1 for a term that one part of `of` holds, less for commoner ones."""
    return math.log(1 + of / max(count, 1)) / math.log(1 + of)


def _cites(text: str, spans: Sequence[Span]) -> bool:
    """Say whether a section names one of the requirements; a table of all of them names none in particular."""
    cited = [each.low for found in _VALIDATES.finditer(text) for each in spans_in(found["rest"])]
    return len(cited) <= 8 and any(span.low <= each <= span.high for each in cited for span in spans)  # noqa: PLR2004 - more is an overview


def _words(text: str) -> set[str]:
    return {_stem(word) for word in _WORD.findall(text.lower())} | _pairs(text)


def _pairs(text: str) -> set[str]:
    return {run[at : at + 2] for run in _WIDE.findall(text) for at in range(len(run) - 1)}


def _stem(word: str) -> str:
    """Take off an English ending, so that "validates" and "validating" find "validate"."""
    for ending, rest in (("ies", "y"), ("ing", ""), ("ed", ""), ("s", "")):
        if word.endswith(ending) and len(word) > len(ending) + 3 and not word.endswith("ss"):
            word = word.removesuffix(ending) + rest
            break
    return word.removesuffix("e") if len(word) > 4 else word  # noqa: PLR2004 - "use", "tree" stay


_DULL_STEMS = frozenset(map(_stem, _DULL)) | _DULL
