"""Which steering files hold for a task: the rules of the project, by their `inclusion` front matter (O9)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

_FRONT = re.compile(r"\A\ufeff?---[ \t]*\r?\n(?P<front>.*?)(?:^|\n)---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
_KEY = re.compile(r"^(?P<key>[A-Za-z][\w-]*)[ \t]*:[ \t]*(?P<value>.*?)[ \t]*$")
_ITEM = re.compile(r"^[ \t]*-[ \t]+(?P<value>.*?)[ \t]*$")
_REFERENCE = re.compile(r"#\[\[file:(?P<path>[^\]\n]+)\]\]")
_PATH = re.compile(
    r"(?<![\w./@-])(?:\.{0,2}/)?(?:[\w@.-]+/)*[\w@-][\w@.-]*\.\w{1,8}(?![\w/])|(?<![\w./:@-])(?:[\w@.-]+/)+[\w@.-]*"
)
_WORD = re.compile(r"[^\W\d_]{4,}|[\u3040-\u9fff]{2}")
_DULL = frozenset(
    re.findall(
        r"\w+", "when with that this from into using used uses should must have file files code project task tasks"
    ),
)
_GLOB = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
_CHOICE = re.compile(r"\{(?P<each>[^{}]*)\}")
_MOST = 64
_ENOUGH = 2  # words of a description that must stand in the task


@dataclass(frozen=True, slots=True, kw_only=True)
class SteeringFile:
    """A file of `.kiro/steering/`: its project-relative path and its text; `references` once it was chosen."""

    name: str
    text: str
    references: tuple[str, ...] = ()

    @property
    def stem(self) -> str:
        """Return the name that `#name` in a task means."""
        return self.name.rsplit("/", 1)[-1].removesuffix(".md")


def choose(files: Sequence[SteeringFile], touched: Sequence[str], task_text: str = "") -> tuple[SteeringFile, ...]:
    """Return the files that hold, in their order, with the front matter taken off.

    `always`, and no front matter: each time. `fileMatch`: if a pattern matches a path among `touched` (what changed so
    far) or one that the task names. `manual`: if the task names it as `#name`. `auto`: if the task names it or shares
    at least two telling words with its description. `never`: not at all. A word that Kiro does not know counts as
    `always`: rules that a mistake keeps away do more harm than rules too many.
    """
    paths = (*touched, *_PATH.findall(task_text))
    return tuple(
        replace(each, text=body(each.text), references=references(each.text))
        for each in files
        if _holds(each, paths, task_text)
    )


def references(text: str) -> tuple[str, ...]:
    """Return the paths of the files that a steering text points to with `#[[file:path]]`, each once."""
    return tuple(dict.fromkeys(found["path"].strip() for found in _REFERENCE.finditer(text)))


def body(text: str) -> str:
    """Return a text without front matter, its `#[[file:path]]` written as a plain path in backticks."""
    return _REFERENCE.sub(lambda found: f"`{found['path'].strip()}`", _FRONT.sub("", text)).strip()


def front_matter(text: str) -> Mapping[str, tuple[str, ...]]:
    """Return the keys of the front matter, each with its values; a plain value is a tuple of one.

    Reads what steering files hold (`key: value`, quoted, `[a, b]`, and lists of `- item` lines), not all of YAML.
    """
    found = _FRONT.match(text)
    keys: dict[str, tuple[str, ...]] = {}
    last = ""
    for line in found["front"].replace("\r", "").split("\n") if found else ():
        if match := _KEY.match(line):
            last = match["key"].lower()
            keys[last] = _values(match["value"])
        elif last and (match := _ITEM.match(line)):
            keys[last] = (*keys[last], *_values(match["value"]))
    return keys


def matches(pattern: str, path: str) -> bool:
    """Say whether a glob matches a path: `**` crosses folders, `*` and `?` do not, `{a,b}` and `[ab]` choose.

    A pattern without a slash matches the file's name in any folder.
    """
    pattern, path = pattern.strip().removeprefix("./"), path.removeprefix("./")
    if "/" not in pattern:
        path = path.rsplit("/", 1)[-1]
    try:
        return any(re.fullmatch(_regex(each), path) for each in _expanded(pattern))
    except re.error:  # a set such as [z-a]
        return False


def _holds(file: SteeringFile, paths: Sequence[str], task_text: str) -> bool:
    front = front_matter(file.text)
    match (front.get("inclusion") or ("always",))[0].lower():
        case "filematch":
            patterns = front.get("filematchpattern", ())
            return any(matches(pattern, path) for pattern in patterns for path in paths)
        case "manual":
            return _named(file, task_text)
        case "auto":
            return _named(file, task_text) or _described(" ".join(front.get("description", ())), task_text)
        case "never":
            return False
        case _:
            return True


def _named(file: SteeringFile, task_text: str) -> bool:
    return re.search(rf"(?<![\w#])#{re.escape(file.stem)}(?![\w-])", task_text, re.IGNORECASE) is not None


def _described(description: str, task_text: str) -> bool:
    """Say whether a description is of the matter of a task: two telling words in common, or all if it has fewer."""
    words = set(_WORD.findall(description.lower())) - _DULL
    return bool(words) and len(words & set(_WORD.findall(task_text.lower()))) >= min(_ENOUGH, len(words))


def _values(value: str) -> tuple[str, ...]:
    value = re.sub(r"[ \t]+#[^'\"\]]*$", "", value).strip()  # a comment at the end
    if value.startswith("[") and value.endswith("]"):
        parts = re.findall(r"\"[^\"]*\"|'[^']*'|[^,\[\]]+", value[1:-1])
        return tuple(part for part in (each.strip().strip("'\"") for each in parts) if part)
    return (value.strip("'\""),) if value else ()


def _expanded(pattern: str) -> tuple[str, ...]:
    """Return the patterns that a pattern with `{a,b}` stands for; more than 64 of them are no longer a choice."""
    patterns = [pattern]
    while len(patterns) <= _MOST and (found := next(filter(None, map(_CHOICE.search, patterns)), None)):
        holder = found.string
        patterns.remove(holder)
        patterns += [holder[: found.start()] + each + holder[found.end() :] for each in found["each"].split(",")]
    return tuple(patterns)


def _regex(pattern: str) -> str:
    """Translate a glob without braces into a regular expression."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[!?[^\]/]+\])", pattern)
    return "".join(
        _GLOB.get(part) or (_set(part) if index % 2 else re.escape(part)) for index, part in enumerate(parts)
    )


def _set(part: str) -> str:
    """Translate `[abc]`, `[a-z]` or `[!abc]`."""
    inner = re.sub(r"([\\\[&~|^])", r"\\\1", part[1:-1].removeprefix("!"))
    inner = re.sub(r"-(?=-)|(?<=-)-", r"\\-", inner)  # two in a row are no range, and Python warns of them
    return f"[{'^' if part.startswith('[!') else ''}{inner}]"
