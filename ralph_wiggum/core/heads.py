"""The first line of a task: its box, its star, its id, its name.

Only regular expressions live here, so that `edit` and the small commands need no Markdown parser.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ralph_wiggum.core.model import Task

# The mark is one character of a known set (O1); a star right after the box makes the task optional (O4).
_BOX = re.compile(r"^\ufeff?[ \t]*[-*+][ \t]+\[(?P<mark>[ xX~S-])\](?P<star>\\?\*)?(?=\s|$)")
_SECOND_BOX = re.compile(r"^(?:[-*+]\s+)?\[[ xX~S-]\](?:\\?\*)?\s+")
_LATER_BOX = re.compile(r"\s[-*+]\s+\[[ xX~S-]\]\s")
_INLINE_CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")

_STAR = r"\\?\*(?!\*)"
_END = rf"(?P<star>{_STAR})?(?:[.):](?P<star2>{_STAR})?(?=\s|$|\*\*|__|~~)|[、．：]|(?=\s|$|\*\*|__|~~))"
_DOTTED = r"\d{1,4}[A-Za-z]?(?:\.\d+){1,7}[a-z]?"  # 2.3, 7.4b, 7.3.5a, 5A.1
_HEAD = re.compile(
    r"(?P<open>\*\*|__|~~)?(?:"
    rf"(?i:(?:sub-?)?task|サブタスク|タスク|子任务|任务)\s*\#?(?P<task>{_DOTTED}|\d{{1,4}}[A-Za-z]?|[A-Z]-?\d+)"
    r"|(?P<phase>(?i:phase|stage|milestone|epic|story|step) \d{1,3}[A-Za-z]?(?:\.\d+)*)(?=:|\s+[-–—]\s)"
    rf"|\[(?P<bracketed>[TP]-?\d{{2,}}[A-Za-z]?|[A-Z]{{1,3}}\d{{3,}}[A-Za-z]?|{_DOTTED})\]"
    rf"|(?P<plain>{_DOTTED}|\d{{1,4}}[A-Z]?(?=(?:{_STAR})?[.):、．：])|[TP]\d{{3,}}[A-Za-z]?|[TP]-\d+|[A-Z]{{1,12}}-\d+(?=:))"
    rf"){_END}"
)
# "3 new tests", "S3 bucket", "UTF-8 names": an id only where other tasks of the plan speak for it (`settle`).
_WEAK = re.compile(r"(?P<open>\*\*|__|~~)?(?P<weak>\d{1,3}|[A-Z]{1,6}\d{1,4}[A-Za-z]?|[A-Z]{1,12}-\d+)" + _END)
_WEAK_PARTS = re.compile(r"(?P<prefix>[A-Z]*-?)(?P<number>\d+)")
_SEPARATOR = re.compile(r"^(?:[-–—:]\s+)?")
_CLOSING_SEPARATOR = re.compile(r"^[.:)：、]?\s*(?:[-–—]\s+)?")  # **1.2**: Name
_WHOLE_BOLD = re.compile(r"^(\*\*|__)(?!\s)((?:(?!\1).)+)\1$")
_FOLDED = re.compile(r"[\W_]+")

# What begins a detail and not a further line of the name: a label, an arrow, a box that lost its dash, a hard break.
_DETAIL = re.compile(
    r"[↳→⇒└├•▪◦·–—|>#]|[-*+]\s|```|~~~|<!--|-->|\[.?\]|\W*$"
    r"|[_*]{1,2}[^\s_*][^_*:：]*[_*]{0,2}[:：]|[A-Z][\w /-]{0,30}:(?:\s|$)|\w{1,12}："
)


@dataclass(frozen=True, slots=True)
class Box:
    """A checkbox line: its mark, where that stands in the line, and what follows the box and its star."""

    mark: str
    offset: int
    optional: bool
    rest: str


@dataclass(frozen=True, slots=True)
class Head:
    """What a task's first line says. `weak`: `id` may belong to the name, which `whole` is then."""

    id: str
    name: str
    optional: bool = False
    weak: bool = False
    whole: str = ""


def box(line: str) -> Box | None:
    """Read one source line (with or without BOM and carriage return) as a task's box; None if it is none.

    >>> box("  - [x]* 2.3 Write tests")
    Box(mark='x', offset=5, optional=True, rest='2.3 Write tests')
    """
    found = _BOX.match(line)
    if found is None:
        return None
    return Box(found["mark"], found.start("mark"), found["star"] is not None, line[found.end() :].strip())


def second_box(rest: str) -> bool:
    """Say whether another box follows on the line, outside inline code (O1)."""
    if "[" not in rest:
        return False
    return bool(_SECOND_BOX.match(rest) or _LATER_BOX.search(_INLINE_CODE.sub("", rest)))


def head(rest: str) -> Head:
    """Split what follows the box into id, star and name. The id has no trailing dot or colon and no brackets.

    >>> head("**1.2 Build it**")
    Head(id='1.2', name='Build it', optional=False, weak=False, whole='')
    """
    while second := _SECOND_BOX.match(rest):
        rest = rest[second.end() :]
    found = _HEAD.match(rest)
    if found is not None:
        ident = found["task"] or found["phase"] or found["bracketed"] or found["plain"]
        return Head(ident, _name(found, rest), _starred(found))
    found = _WEAK.match(rest)
    if found is not None:
        return Head(found["weak"], _name(found, rest), _starred(found), weak=True, whole=_unbold(rest))
    return Head("", _unbold(rest))


def settle(heads: Sequence[Head]) -> list[Head]:
    """Decide for each weak id whether it is one, by the company it keeps in the plan.

    A bare number is an id if it goes with a neighbour (2 with 1 or 3) or with sub-tasks (3 with 3.1), or stands
    before anything but a lower-case word. Letters with a number ("V4") are ids if another number bears them too.
    """
    weak = [each.id for each in heads if each.weak]
    if not weak:
        return list(heads)
    strong = {each.id for each in heads if not each.weak}
    parents = {ident.rpartition(".")[0] for ident in strong} - strong
    numbers: dict[str, set[int]] = defaultdict(set)
    for prefix, number in map(_parts, (*weak, *strong)):
        numbers[prefix].add(number)
    bare = {_parts(ident)[1] for ident in weak if ident.isdigit()}
    return [_settled(each, parents, numbers, bare) for each in heads]


def join_name(lines: Sequence[str]) -> str:
    """Join a task's first line with the wrapped lines of its name; details below it stay out.

    `lines` are those of the item's first paragraph, the first one without its box.
    """
    name = [lines[0].strip()]
    for before, line in pairwise(lines):
        if before.endswith(("  ", "\\")) or _DETAIL.match(line.strip()):
            break
        name.append(line.strip())
    return " ".join(part for part in name if part)


def fold(label: str) -> str:
    """Reduce a label to its letters and digits, so that mark-up and spaces do not matter."""
    return _FOLDED.sub(" ", label).strip()


def same(rest: str, task: Task) -> bool:
    """Say whether `rest`, what follows a box, is the first line of this task; a wrapped name goes on below it."""
    if not rest:
        return task.text.startswith("\n")
    found = head(rest)
    first = fold(f"{found.id} {found.name}")
    whole = fold(task.label)
    return first == whole or (first != "" and whole.startswith(first + " "))


def _starred(found: re.Match[str]) -> bool:
    return found["star"] is not None or found["star2"] is not None


def _name(found: re.Match[str], rest: str) -> str:
    """Return what follows the id, with the emphasis that was opened before the id taken off or moved behind it."""
    name, mark = rest[found.end() :], found["open"]
    if mark is None:
        return _unbold(_SEPARATOR.sub("", name.strip(), count=1))
    if name.startswith(mark):  # **1.2** Name
        return _unbold(_CLOSING_SEPARATOR.sub("", name[len(mark) :].strip(), count=1))
    name = _SEPARATOR.sub("", name.strip(), count=1)
    return _unbold(mark + name if mark in name else name)


def _unbold(name: str) -> str:
    whole = _WHOLE_BOLD.match(name.strip())
    return (whole[2] if whole else name).strip()


def _parts(ident: str) -> tuple[str, int]:
    found = _WEAK_PARTS.match(ident)
    return (found["prefix"], int(found["number"])) if found else (ident, -1)


def _settled(each: Head, parents: Iterable[str], numbers: dict[str, set[int]], bare: set[int]) -> Head:
    if not each.weak:
        return each
    prefix, number = _parts(each.id)
    if prefix:
        keep = len(numbers[prefix]) > 1
    else:
        company = each.id in parents or number - 1 in bare or number + 1 in bare
        keep = company or not (each.name[:1].isascii() and each.name[:1].islower())
    return replace(each, weak=False) if keep else Head("", each.whole)
