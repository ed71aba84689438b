"""Readers of single settings: a plain value, as YAML or a flag gives it, to the value that the program works with.

A reader returns the value or raises BadValue; it knows nothing of files and layers.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

Reader = Callable[[object], object]
T = TypeVar("T")

_LINE = 60  # characters of a value that an error repeats
_YAML_WORDS = {
    True: "the truth value true (YAML reads yes and on so)",
    False: "the truth value false (YAML reads no and off so)",
    None: "nothing",
}


class BadValue(Exception):  # noqa: N818 - names what it carries, never reaches a person as it is
    """A value that cannot be: what is wrong, what would be right, and where below the key it lies."""

    def __init__(self, problem: str, hint: str, *path: str) -> None:
        super().__init__(problem)
        self.hint = hint
        self.path = path


def shown(value: object) -> str:
    """Say what a value is, in words that explain how YAML came to it.

    >>> shown(False), shown(420), shown(["a"])
    ('the truth value false (YAML reads no and off so)', 'the number 420', 'a list')
    """
    if value is None or isinstance(value, bool):
        return _YAML_WORDS[value]
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text {value!r}" if len(value) <= _LINE else "a long text"
    for kind, word in ((Mapping, "a mapping"), (Sequence, "a list")):
        if isinstance(value, kind):
            return word
    return f"the {type(value).__name__} {value}"


def wrong(expected: str, value: object, hint: str) -> BadValue:
    """Return the error for a value of another kind than the expected one."""
    return BadValue(f"expected {expected}, found {shown(value)}", hint)


def text(value: object) -> str:
    """Read a text that is not empty."""
    if not isinstance(value, str):
        raise wrong("a text", value, "put it in quotes")
    if not value.strip():
        raise BadValue("the text is empty", "write something, or take the key out")
    return value


def truth(value: object) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise wrong("true or false", value, "write true or false, without quotes")
    return value


def count(value: object) -> int:
    """Read a whole number, 1 or more."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise wrong("a whole number", value, "write a number such as 10, without quotes")
    if value < 1:
        raise BadValue(f"must be 1 or more, found {value}", "write a number such as 10")
    return value


def seconds(value: object) -> float:
    """Read a time in seconds, more than 0."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise wrong("seconds", value, "write seconds as a plain number, such as 600")
    if not (math.isfinite(value) and value > 0):
        raise BadValue(f"must be more than 0 seconds, found {value}", "write seconds as a plain number, such as 600")
    return float(value)


def size(least: str = "", *, zero: bool = False) -> Callable[[object], int]:
    """Return a reader of a size in bytes: a number with its unit, `least` or more; `zero`: 0 means no limit."""

    def read(value: object) -> int:
        from ralph_wiggum.core import sizes  # noqa: PLC0415 - most settings name no size

        hint = "write a number with its unit, such as 500 MB or 2 GiB"
        if zero and value == 0 and not isinstance(value, bool):
            return 0
        if not isinstance(value, str):
            raise wrong("a size", value, f"{hint}; 0 for no limit" if zero else hint)
        found = sizes.parse(value)
        if found is None:
            raise BadValue(f"{value!r} is no size", hint)
        if found < (sizes.parse(least) or 1):
            raise BadValue(f"must be {least or '1 B'} or more, found {value}", hint)
        return found

    return read


def memory(value: object) -> int | float:
    """Read a limit of memory: a size in bytes (int; 0: no limit), or a share of what the machine has (float)."""
    from ralph_wiggum.core import sizes  # noqa: PLC0415 - as above

    share = sizes.parse_share(value) if isinstance(value, str) else None
    if share is None:
        return size("50 MB", zero=True)(value)
    if not 0 < share <= 1:
        raise BadValue(f"must be more than 0% and 100% at most, found {value}", "write a share such as 80%")
    return share


def per_cent(value: object) -> float:
    """Read a number of per cent from 0 to 100; 0 means no limit."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise wrong("per cent", value, "write a plain number, such as 10")
    if not 0 <= value <= 100:  # noqa: PLR2004 - a hundred per cent
        raise BadValue(f"must be from 0 to 100, found {value}", "write a number such as 10; 0 for no limit")
    return float(value)


def price(value: object) -> float:
    """Read an amount of US dollars, 0 or more."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise wrong("US dollars", value, "write a plain number, such as 1.25")
    if not (math.isfinite(value) and value >= 0):
        raise BadValue(f"must be 0 or more US dollars, found {value}", "write a plain number, such as 1.25")
    return float(value)


def money(value: object) -> float:
    """Read a limit of US dollars, more than 0."""
    found = price(value)
    if not found:
        raise BadValue("must be more than 0 US dollars", "write a plain number, such as 2.50, or take the key out")
    return found


def version(value: object) -> str:
    """Read a version: numbers with dots between them. YAML reads an unquoted 2.1 as a number."""
    found = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else text(value)
    if not re.fullmatch(r"\d+(\.\d+)*", found):
        raise BadValue(f"{found!r} is no version", 'write numbers with dots between them, in quotes, such as "2.10"')
    return found


def choice(*values: str, later: Sequence[str] = ()) -> Callable[[object], str]:
    """Return a reader of one of the values; those in `later` are known, but not built yet."""
    hint = f"choose {values[0]}" if len(values) == 1 else f"choose one of {', '.join(values)}"

    def read(value: object) -> str:
        if isinstance(value, str) and value in later:
            raise BadValue(f"{value} is not built yet", hint)
        if not isinstance(value, str) or value not in values:
            raise wrong(" or ".join(values), value, hint)
        return value

    return read


def mapping(value: object) -> Mapping[str, object]:
    """Read a mapping whose keys are texts."""
    if not isinstance(value, Mapping):
        raise wrong("a mapping (key: value)", value, "indent the keys that belong below it")
    for key in value:
        if not isinstance(key, str):
            raise BadValue(f"expected a text as key, found {shown(key)}", "put the key in quotes", str(key))
    return value


def texts(value: object) -> tuple[str, ...]:
    """Read a list of texts; a single text is a list of one."""
    if isinstance(value, str):
        return (text(value),)
    if not isinstance(value, list | tuple):
        raise wrong("a list of texts", value, "write [one, two], or one a line after a dash")
    return tuple(below(str(index), text, item) for index, item in enumerate(value, 1))


def below(step: str, read: Callable[[object], T], value: object) -> T:
    """Read a part of a value; an error in it names the part."""
    try:
        return read(value)
    except BadValue as error:
        raise BadValue(str(error), error.hint, step, *error.path) from None


def regex(value: object) -> str:
    """Read a regular expression."""
    pattern = text(value)
    try:
        re.compile(pattern)
    except re.error as error:
        hint = r"put a backslash before a sign that is meant as it stands, such as \( or \+"
        raise BadValue(f"{pattern!r} is not a regular expression: {error}", hint) from None
    return pattern


def regexes(value: object) -> tuple[str, ...]:
    """Read a list of regular expressions."""
    return tuple(below(str(index), regex, item) for index, item in enumerate(texts(value), 1))


def words(value: object) -> tuple[str, ...]:
    """Read a command: a list of its arguments, or one text that is split as a shell would."""
    if not isinstance(value, str):
        found = texts(value)
    else:
        try:
            found = tuple(shlex.split(value))
        except ValueError as error:
            raise BadValue(f"cannot be split into arguments: {error}", "write a list of arguments instead") from None
    if not found:
        raise BadValue("the command is empty", "name a program, such as [my-agent, --json]")
    return found


def inside(value: object) -> str:
    """Read a path that lies inside the project: relative, and never above it."""
    path = text(value)
    if path.startswith(("/", "~")) or ".." in path.split("/"):
        raise BadValue(f"{path!r} leads out of the project", "write a path relative to the project's root")
    return path.removeprefix("./")


def pattern_with(placeholder: str, read: Callable[[object], str], *, once: bool = False) -> Callable[[object], str]:
    """Return a reader of a text in which only `{placeholder}` may stand in braces; `once`: it must, and only once."""

    def read_pattern(value: object) -> str:
        found = read(value)
        placeholders = re.findall(r"\{([^}]*)\}", found)
        if strange := [name for name in placeholders if name != placeholder]:
            raise BadValue(f"{{{strange[0]}}} is unknown here", f"only {{{placeholder}}} is replaced")
        if once and len(placeholders) != 1:
            hint = f"each has its own: put {{{placeholder}}} where its name belongs"
            raise BadValue(f"holds {{{placeholder}}} {len(placeholders)} times instead of once", hint)
        return found

    return read_pattern


def branch(value: object) -> str:
    """Read a name of a git branch (git check-ref-format(1))."""
    name = text(value)
    if re.search(r"[\s~^:?*\[\\\x00-\x1f\x7f]|\.\.|//|@\{|^[-/.]|[/.]$|\.lock$", name):
        raise BadValue(f"{name!r} cannot be the name of a branch", "write a name such as ralph/{spec}")
    return name


def names(value: object) -> tuple[str, ...]:
    """Read names, as a list or as one text with commas."""
    if not isinstance(value, str | list | tuple):
        raise wrong("a name or a list of names", value, "write a name; in quotes where it is a word of YAML's")
    found = texts(value.split(",") if isinstance(value, str) else value)
    if not found:
        raise BadValue("the list is empty", "name one, or take the key out")
    return tuple(name.strip() for name in found)


def environment(value: object) -> Mapping[str, str]:
    """Read environment variables: texts, or whole numbers, which have one way to be written."""

    def one(item: object) -> str:
        if isinstance(item, int) and not isinstance(item, bool):
            return str(item)
        if not isinstance(item, str):
            raise wrong("a text", item, "put it in quotes")
        return item

    return {key: below(key, one, item) for key, item in mapping(value).items()}


def answers(value: object) -> tuple[tuple[str, str | None], ...]:
    """Read a table: the regular expression of a question -> what is typed; nothing (null) ends the attempt."""

    def one(item: object) -> str | None:
        if item is not None and not isinstance(item, str):
            raise wrong("a text or null", item, "put the answer in quotes")
        return item

    return tuple((below(key, regex, key), below(key, one, item)) for key, item in mapping(value).items())
