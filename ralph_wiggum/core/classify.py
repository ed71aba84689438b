"""What kind of task a task is, from its words: checkpoint (O5), visual (O6), which type of commit."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ralph_wiggum.core.commits import commit_type as type_by_name
from ralph_wiggum.core.model import NO_CHECKPOINT, PURE_CHECKPOINT, WORKING_CHECKPOINT, Task

_ANYWHERE = re.compile(r"checkpoint|检查点|檢查點|チェックポイント", re.IGNORECASE)
# What may stand before the word: emphasis, signs and emoji, labels in brackets, "Final".
_LABELS = re.compile(r"(?:[^\w\[(]+|\[[^\]]*\]|\([^)]*\)|(?:the\s+)?final\b|最终|最終|最后|最後の?|_)*", re.IGNORECASE)
_AT_START = re.compile(r"checkpoints?(?![A-Za-z])|检查点|檢查點|チェックポイント", re.IGNORECASE)
_SET_OFF = re.compile(r"\s*(?:$|[^\w\s`]|\d)")
# "Checkpoint saving", "Checkpoint file format in src/state.py": the word names a thing to build.
_COMPOUND = re.compile(
    r"\s+(?:data|director(?:y|ies)|endpoints?|files?|folders?|formats?|handlers?|loading|loader|logic|managers?|modules?"
    r"|persistence|readers?|recovery|restor(?:e|ing|ation)|resum(?:e|ing|ption)|sav(?:e|ing)|serializ\w+|services?"
    r"|storage|stores?|structs?|support|systems?|tables?|writers?|class(?:es)?|models?|apis?|schemas?|feature)\b"
    r"|.*(?:^|[\s`(])[\w.-]+/[\w./-]*\.\w{1,5}\b",
    re.IGNORECASE,
)

_VISUAL_WORDS = re.compile(
    r"visual[ -]validation|agent-browser|screenshot|\bui[ -]validation|end[ -]to[ -]end[ -]validation", re.IGNORECASE
)
_VISUAL_NAME = re.compile(r"\bvalidate\b.*\b(?:renders correctly|works end[ -]to[ -]end)\b", re.IGNORECASE)
_LEADING_LABELS = re.compile(r"^(?:\W*(?:\[[^\]]{1,12}\]|\([^)]{1,12}\)))*\W*")


def checkpoint_kind(name: str) -> str:
    """Return which kind of checkpoint a name makes its task: pure, work as well, or none (O5).

    The word has to begin the name, after labels, emphasis and "Final", to make a pure gate; and it has to be the
    gate that it names: "Checkpoint file storage" is a thing to build, so an agent gets it.
    """
    if not _ANYWHERE.search(name):
        return NO_CHECKPOINT
    labels = _LABELS.match(name)
    start = _AT_START.match(name, labels.end() if labels else 0)
    if start is None:
        return WORKING_CHECKPOINT
    rest = name[start.end() :]
    return PURE_CHECKPOINT if _SET_OFF.match(rest) or not _COMPOUND.match(rest) else WORKING_CHECKPOINT


def mentions_visual(text: str, name: str) -> bool:
    """Say whether the words of a task ask for visual validation (O6); `text` is all that belongs to it."""
    return bool(_VISUAL_WORDS.search(text) or _VISUAL_WORDS.search(name) or _VISUAL_NAME.search(name))


def is_visual(task: Task, patterns: Iterable[str]) -> bool:
    """Say whether a task is visual by its words or by its id, which a glob of the settings may match (`28.*`)."""
    return task.visual or any(re.fullmatch(_regex(pattern), task.id) for pattern in patterns if task.id)


def commit_type(task: Task) -> str:
    """Return the type of the conventional commit for a task; `feat` where its name suggests nothing else."""
    if task.checkpoint == PURE_CHECKPOINT:
        return "test"
    return type_by_name(_LEADING_LABELS.sub("", task.name, count=1))


def _regex(glob: str) -> str:
    parts = {"*": ".*", "?": "."}
    return "".join(parts.get(letter, re.escape(letter)) for letter in glob)
