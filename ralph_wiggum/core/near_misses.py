"""What looks like a task and is none, and what looks wrong: warnings with their lines, never guesses (O1)."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence

from ralph_wiggum.core.heads import head, second_box
from ralph_wiggum.core.layout import Layout
from ralph_wiggum.core.model import IN_PROGRESS, MARKS, SKIPPED, Plan, Task, Warned

_SHOWN = 5  # of many lines or ids in one message
_BULLET = r"(?:[-*+–—•●]|\d{1,9}[.)])"
_BOXLIKE = re.compile(
    rf"^[ \t]*(?P<bullets>(?:{_BULLET}[ \t\u00a0\u3000]*)*)"
    r"(?P<escape>\\?)\[(?P<inside>[^\[\]\n]{0,4}?)\\?\](?P<after>.*)",
    re.MULTILINE,
)
_STAR = re.compile(r"\\?\*(?=\s|$)")
_INLINE_CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")


def warnings_of(layout: Layout, plan: Plan) -> tuple[Warned, ...]:
    """Return everything in a tasks.md that a person should look at, in the order of its lines."""
    found = [
        *_boxes(layout),
        *_fences(layout),
        *_comments(layout),
        *_items(layout),
        *_stars(plan),
        *_repeated(plan),
        *_parents(plan),
        *_in_progress(plan),
    ]
    return tuple(sorted(found, key=lambda warned: warned.line))


def _boxes(layout: Layout) -> Iterator[Warned]:
    """Warn of brackets where a box would stand, outside of tasks, code, quotes and comments."""
    blind = layout.blind
    for item in layout.items:
        blind[item.start] = 1
    text = "\n".join(layout.lines)
    starts = _line_starts(layout.lines)
    for found in _BOXLIKE.finditer(text):
        line = bisect_right(starts, found.start()) - 1
        if not blind[line] and (message := _complaint(found)):
            html = any(region.kind == "html" and region.start <= line < region.end for region in layout.regions)
            where = "it stands within an HTML block; put a blank line above the list" if html else message
            yield _warned(line + 1, where)


def _complaint(found: re.Match[str]) -> str:
    bullets, inside, after = found["bullets"], found["inside"], found["after"]
    if after[:1] in ("(", "["):
        return ""  # a link
    if found["escape"] and inside.strip(" ") in ("", *MARKS):
        return "the bracket is escaped, so this is no task; write `- [ ]`" if bullets else ""
    if inside in MARKS:
        return _misplaced(bullets, after)
    if inside.strip() in ("", *MARKS):
        return _damaged(bullets, inside, after)
    return _unknown(bullets, inside, after)


def _misplaced(bullets: str, after: str) -> str:
    """Complain of a sound box in the wrong place."""
    rest = _STAR.sub("", after, count=1)
    spaced = rest[:1].isspace() and rest.strip() != ""
    if not bullets:
        return "a box without a dash before it is no task; write `- [ ]`" if spaced else ""
    faults = (
        (any(letter.isdigit() for letter in bullets), "a numbered item is no task; write `- [ ] 1. …`"),
        (len(bullets.split()) > 1 or bullets[0] not in "-*+", "the box is no task here; begin the line with `- [ ]`"),
        (bullets[-1] in "-*+", "there is no space between the dash and the box, so this is no task"),
        (not rest.strip(), "a box without a name is no task"),
        (not spaced, "there is no space behind the box, so this is no task"),
    )
    other = "Markdown takes this line for text, often for its indentation, so it is no task"
    return next((message for wrong, message in faults if wrong), other)


def _damaged(bullets: str, inside: str, after: str) -> str:
    named = after[:1].isspace() and after.strip() != ""
    if not named or not (bullets or head(after.strip()).id):
        return ""
    return f"`[{inside}]` is no box, so this is no task; write one character between the brackets"


def _unknown(bullets: str, inside: str, after: str) -> str:
    """Complain of a state that is none; a letter or digit is a legend (`[P] tasks = …`) unless an id follows it."""
    if not bullets or not after[:1].isspace() or len(inside.strip().rstrip("\ufe0f")) != 1:
        return ""
    found = head(after.strip())
    if inside.strip().isalnum() and inside != "s" and (not found.id or found.weak):
        return ""
    return f"`[{inside}]` is no known state, so this is no task; known are [ ] [x] [-] [~] [S]"


def _fences(layout: Layout) -> Iterator[Warned]:
    ends = {item.end for item in layout.items if item.parent is None}
    for fence in layout.fences:
        if not fence.closed:
            yield _warned(fence.start + 1, _open_fence(layout, fence.start, fence.end))
        elif fence.outer and fence.start in ends:
            yield _warned(fence.start + 1, "this code is not indented, so it is no part of the task above it")


def _open_fence(layout: Layout, start: int, end: int) -> str:
    if any(line.strip() for line in layout.lines[end:]):
        return f"this code fence is never closed; it ends where its list item does, above line {end + 1}"
    boxes = sum(bool(_BOXLIKE.match(line)) for line in layout.lines[start + 1 : end])
    return "this code fence is never closed" + (f"; the boxes below it ({boxes}) are no tasks" if boxes else "")


def _comments(layout: Layout) -> Iterator[Warned]:
    for region in layout.regions:
        if region.closed:
            continue
        if "-->" in layout.lines[region.end - 1]:
            yield _warned(region.start + 1, f"this comment is closed outside of its list item, on line {region.end}")
        else:
            yield _warned(region.start + 1, "this HTML comment is never closed")
    yield from _comments_within_lines(layout)


def _comments_within_lines(layout: Layout) -> Iterator[Warned]:
    """Warn of `<!--` behind other text: CommonMark ends such a comment with its paragraph, so tasks go on below it."""
    blind = layout.blind
    for number, line in enumerate(layout.lines):
        if "<!--" in line and not blind[number]:
            opened = _INLINE_CODE.sub("", line).rpartition("<!--")
            if opened[1] and "-->" not in opened[2]:
                yield _warned(number + 1, "a comment that opens behind other text hides no tasks below this line")


def _items(layout: Layout) -> Iterator[Warned]:
    for item in layout.items:
        if second_box(item.box.rest):
            yield _warned(item.start + 1, "two boxes on a line; the first one counts")
    deep = [item.start + 1 for item in layout.items if item.deep]
    if deep:
        lines = f"line {deep[0]}" if len(deep) == 1 else f"lines {_listed(deep)}"
        yield _warned(deep[0], f"{lines}: indented so far that Markdown sees code or text; read as tasks all the same")


def _stars(plan: Plan) -> Iterator[Warned]:
    for task in plan.tasks:
        if task.name.startswith(("* ", "\\* ")):
            yield _warned(task.line, "a star apart from the box does not make a task optional; write `- [ ]*`")


def _repeated(plan: Plan) -> Iterator[Warned]:
    lines: dict[str, list[int]] = defaultdict(list)
    for task in plan.tasks:
        if task.id:
            lines[task.id].append(task.line)
    repeated = {ident: each for ident, each in lines.items() if len(each) > 1}
    if repeated:
        parts = [f"{ident} (lines {_listed(each)})" for ident, each in repeated.items()]
        first = next(iter(repeated))
        what = f"ids used more than once: {_listed(parts)}; the first {first} is named {first}@1, and so on"
        yield _warned(min(min(each) for each in repeated.values()), what)


def _parents(plan: Plan) -> Iterator[Warned]:
    for task in plan.tasks:
        if task.done:
            still = [each for each in plan.sub_tasks(task) if not (each.optional or each.done or each.mark == SKIPPED)]
            if still and task.index not in plan.left_alone:
                where = f"{_named(still[0])} (line {still[0].line})"
                yield _warned(task.line, f"{_named(task)} is done, but {where} below it is open and will be worked on")


def _in_progress(plan: Plan) -> Iterator[Warned]:
    lines = [task.line for task in plan.tasks if task.mark == IN_PROGRESS and not plan.children[task.index]]
    if len(lines) > 1:
        yield _warned(lines[0], f"several tasks are in progress: lines {_listed(lines)}; the first is continued first")


def _warned(line: int, message: str) -> Warned:
    return Warned(line=line, message=message)


def _named(task: Task) -> str:
    return task.id or task.name[:40]


def _listed(parts: list[int] | list[str]) -> str:
    more = f" and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else ""
    return ", ".join(str(part) for part in parts[:_SHOWN]) + more


def _line_starts(lines: Sequence[str]) -> list[int]:
    starts, at = [], 0
    for line in lines:
        starts.append(at)
        at += len(line) + 1
    return starts
