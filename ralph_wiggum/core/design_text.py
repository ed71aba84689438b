"""The part of design.md that a task needs: sections chosen by the words of the task, within a budget (O9).

Never the whole file unless it is short: a prompt may not grow with the spec.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ralph_wiggum.core import excerpt
from ralph_wiggum.core.citations import Citations, Key, spans_in
from ralph_wiggum.core.design_sections import Section, cut_up, sections

WHOLE_LIMIT = 4 * 1024  # bytes: a design that short goes in as it is
SECTION_LIMIT = 4 * 1024  # bytes of one section

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
OVERVIEW = 8  # requirements named by one section, above which it is a table of all
LEAST = 1.5  # a score below this is chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What to look for: names of things, and plain words, all in lower case."""

    names: frozenset[str]
    words: frozenset[str]


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
    text, pieces = _prepared(text)
    if excerpt.size(text) <= min(WHOLE_LIMIT, budget):
        return text
    scores = _scores(pieces, looked_for, citations)
    least = max(max(scores, default=0.0) * ENOUGH, LEAST)
    chosen: list[int] = []
    spent: Counter[int] = Counter()
    for index in sorted(range(len(pieces)), key=lambda each: (-scores[each], each)):
        if scores[index] < least:
            break
        section = pieces[index].section
        cost = excerpt.size(section.text) + (0 if spent[section.line] else excerpt.size(_heading(section))) + 8
        if cost <= budget and spent[section.line] + cost <= SECTION_LIMIT:
            chosen.append(index)
            spent[section.line] += cost
            budget -= cost
    return _shown([piece.section for piece in pieces], sorted(chosen))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """A piece of a section with everything of it that is compared, which is the same for all tasks."""

    section: Section
    title: str
    body: str
    words: frozenset[str]
    title_words: frozenset[str]
    path_words: frozenset[str]
    cites: tuple[Key, ...]


@lru_cache(maxsize=2)
def _prepared(text: str) -> tuple[str, tuple[_Piece, ...]]:
    """Return a design, printable, and its pieces: kept, since each attempt of a spec asks for the same."""
    text = excerpt.printable(text).strip()
    if excerpt.size(text) <= WHOLE_LIMIT:
        return text, tuple(_piece(each) for each in sections(text))
    return text, tuple(_piece(each) for section in sections(text) for each in cut_up(section))


def _piece(section: Section) -> _Piece:
    body = f"{section.title}\n{section.text}".lower()
    return _Piece(
        section=section,
        title=section.title.lower(),
        body=body,
        words=_words(body),
        title_words=_words(section.title),
        path_words=_words(" ".join(section.path)),
        cites=_cites(section.text),
    )


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


def _scores(pieces: Sequence[_Piece], looked_for: Terms, citations: Citations) -> list[float]:
    """Return how well each piece fits: rare terms count more, titles more than text, the titles above half of that."""
    spread = Counter(word for piece in pieces for word in piece.words & looked_for.words)
    spread.update({name: sum(name in piece.body for piece in pieces) for name in looked_for.names})

    def worth(found: Iterable[str]) -> float:
        return sum(_rarity(spread[each], len(pieces)) for each in found)

    def score(piece: _Piece) -> float:
        title, above = piece.title_words & looked_for.words, piece.path_words & looked_for.words
        named = [name for name in looked_for.names if name in piece.body]
        total = NAMED * worth(named) + TITLED * worth(name for name in named if name in piece.title)
        total += worth(piece.words & looked_for.words) + TITLED * worth(title) + TITLED / 2 * worth(above - title)
        number = piece.section.number
        if number is not None:
            total = total * UNNAMED + (PROPERTY_HIT if number in citations.properties else 0.0)
        if any(span.low <= each <= span.high for each in piece.cites for span in citations.spans):
            total += CITED
        return round(total, 6) if piece.section.text else 0.0  # sets have no order, and sums of floats have one

    return [score(piece) for piece in pieces]


def _rarity(count: int, of: int) -> float:
    """Return 1 for a term that one part of `of` holds, less for commoner ones."""
    return math.log(1 + of / max(count, 1)) / math.log(1 + of)


def _cites(text: str) -> tuple[Key, ...]:
    """Return the requirements that a section names; a table of all of them names none in particular."""
    found = tuple(span.low for match in _VALIDATES.finditer(text) for span in spans_in(match["rest"]))
    return found if len(found) <= OVERVIEW else ()


def _words(text: str) -> frozenset[str]:
    return frozenset({_stem(word) for word in _WORD.findall(text.lower())} | _pairs(text))


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
