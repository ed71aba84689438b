"""What a task needs of its spec: its parents, the requirements it cites, the matching part of the design (O7, O9).

Pure, deterministic and bounded: the same task gets the same context in a spec of ten tasks and of two thousand.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ralph_wiggum.core import design_text, excerpt, requirements_text
from ralph_wiggum.core.citations import Citations, Key, cited
from ralph_wiggum.core.design_sections import sections
from ralph_wiggum.core.model import Plan, Task
from ralph_wiggum.core.requirements_text import Requirements

CONTEXT_LIMIT = 16 * 1024  # bytes
PARENTS_SHARE, REQUIREMENTS_SHARE, DESIGN_SHARE = 0.25, 0.4, 0.5  # of the limit, the design after the others
STORY_LIMIT = 1000  # bytes of a requirement's own text where only a criterion of it is cited
ABOUT_LIMIT = 600  # bytes
ABOUT_WITHIN = 8000  # characters of a document, in which its introduction begins
LATER = 3  # how many of the tasks that come next are named

_INTRODUCTION = re.compile(
    r"introduction|overview|summary|description|介绍|介紹|概述|简介|簡介|概要|はじめに|소개|introducci|introdu[cç]",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """A task above the one at hand: its label, and its own details."""

    label: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskContext:
    """What goes into the prompt beside the task itself. All texts are printable markdown, within the limits.

    `section`: the headings of tasks.md above the task; `cited`: what was found of the cited requirements, as the
    document has it; `missing`: citations, as written, that the document does not hold; `later`: names of the tasks
    that follow under the same parent and are not to be done now.
    """

    about: str = ""
    section: str = ""
    parents: tuple[Parent, ...] = ()
    later: tuple[str, ...] = ()
    requirements: str = ""
    cited: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    design: str = ""


def gather(
    plan: Plan,
    task: Task,
    requirements: str,
    design: str,
    *,
    budget: int = CONTEXT_LIMIT,
) -> TaskContext:
    """Gather the context of a task within `budget` bytes.

    `requirements` is the text of requirements.md or bugfix.md, `design` that of design.md; "" where there is none.
    A task that cites nothing takes the citations of its nearest parent that does; where none does, nothing is said
    rather than everything.
    """
    parents = _parents(plan.parents(task), int(budget * PARENTS_SHARE))
    citations = next((cites for each in _upward(plan, task) if (cites := cited(each.text)).any), Citations())
    own = cited(task.text)
    document = requirements_text.read(requirements)
    asked, found, missing = look_up(document, citations, int(budget * REQUIREMENTS_SHARE))
    left = budget - excerpt.size(asked) - sum(excerpt.size(parent.label + parent.text) for parent in parents)
    words = " ".join([task.name, own.words, *task.headings[-1:], *(each.name for each in plan.parents(task)[-1:])])
    wanted = Citations(spans=citations.spans, properties=own.properties)
    return TaskContext(
        about=_about(requirements) or _about(design),
        section=excerpt.head(" › ".join(task.headings), ABOUT_LIMIT // 2),
        parents=parents,
        later=_later(plan, task),
        requirements=asked,
        cited=found,
        missing=missing if document.items else (),
        design=design_text.matching(
            design, design_text.terms(words, task.text), wanted, min(left, int(budget * DESIGN_SHARE))
        ),
    )


def look_up(document: Requirements, citations: Citations, budget: int) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Return the text of what is cited, the ids found, and the citations not found; the text within `budget` bytes.

    The story of each requirement stands once above its criteria. A criterion that has no number in the document
    brings the whole requirement. "All" brings the titles, not the texts.
    """
    wanted: dict[Key, None] = {}
    missing: list[str] = []
    for span in citations.spans:
        found = document.find(span) or _whole(document, span.low)
        wanted.update(dict.fromkeys(found))
        if not found:
            missing.append(span.written)
    blocks = [_block(document, top, keys) for top, keys in _grouped(document, tuple(wanted)).items()]
    if citations.everything and not wanted:
        titles = [f"- {document.items[top].title}" for top in document.top()]
        blocks = ["\n".join(["The task cites all of them. Their titles:", *titles])] if titles else []
    text = excerpt.head("\n\n".join(blocks), budget, "[… the rest is in the file]")
    return text, tuple(document.items[each].label for each in wanted), tuple(missing)


def _upward(plan: Plan, task: Task) -> Sequence[Task]:
    return (task, *reversed(plan.parents(task)))


def _whole(document: Requirements, of: Key) -> tuple[Key, ...]:
    """Return the requirement of a criterion that cannot be found, if its criteria bear no numbers at all."""
    up = (of[0], of[1][:-1])
    return (up,) if up in document.items and not document.under(up) else ()


def _grouped(document: Requirements, wanted: Sequence[Key]) -> dict[Key, list[Key]]:
    """Group keys by the requirement they stand under, all in document order."""
    order = {each: position for position, each in enumerate(document.items)}
    groups: dict[Key, list[Key]] = {}
    for each in sorted(wanted, key=lambda one: order[one]):
        groups.setdefault(document.items[each].parent or each, []).append(each)
    return groups


def _block(document: Requirements, top: Key, keys: Sequence[Key]) -> str:
    """Render one requirement: title, story, then the cited criteria (all of them where it is cited itself)."""
    item = document.items[top]
    whole = top in keys
    below = document.under(top) if whole else keys
    lines = [f"### {item.title}"] if item.title else []
    if item.title:
        lines.append(item.text if whole else excerpt.head(item.text, STORY_LIMIT))
        lines.extend(_criterion(document, each) for each in below if each != top)
    else:
        lines.extend(_criterion(document, each) for each in keys)
    return "\n".join(line for line in lines if line)


def _criterion(document: Requirements, of: Key) -> str:
    item = document.items[of]
    if item.title:
        deeper = [_criterion(document, each) for each in document.under(of)]
        return "\n".join([f"#### {item.title}", item.text, *deeper]).rstrip()
    return f"- {item.label} {item.text}".rstrip()


def _parents(above: Sequence[Task], budget: int) -> tuple[Parent, ...]:
    """Return the parents with their details; the budget is shared among those that have many."""
    labels = [excerpt.head(excerpt.printable(each.label), ABOUT_LIMIT) for each in above]
    texts = [_details(each) for each in above]
    room = max(budget - sum(excerpt.size(one) for one in labels), 0)
    limits = excerpt.shares([excerpt.size(text) for text in texts], room)
    return tuple(
        Parent(label=name, text=excerpt.head(text, limit))
        for name, text, limit in zip(labels, texts, limits, strict=True)
    )


def _details(task: Task) -> str:
    """Return a task's own text without its first line, which is the name."""
    return excerpt.printable(task.text).partition("\n")[2].strip("\n")


def _later(plan: Plan, task: Task) -> tuple[str, ...]:
    """Return the labels of the next open tasks beside this one."""
    beside = [each for each in plan.tasks if each.parent is None] if task.parent is None else plan.children[task.parent]
    following = [plan.tasks[each] if isinstance(each, int) else each for each in beside]
    names = [each.label for each in following if each.index > task.index and not each.done and not each.optional]
    return tuple(excerpt.head(excerpt.printable(name), 200) for name in names[:LATER])


def _about(text: str) -> str:
    """Return the first paragraph of a document's introduction, or of what stands above its second heading."""
    parts = sections(excerpt.printable(text[:ABOUT_WITHIN]))[:4]
    first = next((part for part in parts if _INTRODUCTION.search(part.title)), parts[0] if parts else None)
    paragraph = first.text.split("\n\n", 1)[0].strip() if first else ""
    return "" if paragraph.startswith(("#", "|", "```", "- ", ">")) else excerpt.head(paragraph, ABOUT_LIMIT, "[…]")
