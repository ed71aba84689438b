"""Versions of programs: found in what a program prints, and compared by their numbers."""

from __future__ import annotations

import re

# A word of its own: no part of a path, an address or a name. Numbers of ten digits and more are no part of a version.
_VERSION = re.compile(
    r"(?<![\w./:@-])v?(\d{1,9}(?:\.\d{1,9}){1,5}(?:[-+][0-9A-Za-z.+-]{0,60}[0-9A-Za-z])?)(?![\w/:]|\.\d)"
)
_WITH_ITS_NAME = re.compile(r"^\s*@?[\w-]+/(?=v?\d)")  # "tool/1.2.3 linux-x64 node-v22.1.0"
_NAMED = re.compile(r"\bversion\b\W{0,4}$", re.IGNORECASE)
# What makes it another version, or that of another program: a warning, an offer of an update, what is needed.
_BESIDES = re.compile(
    r"^\W*(node:\d+|(warn(ing)?|note|notice|error|deprecat\w*)\b)"
    r"|\b(update|upgrade|newer|new version|latest|available|requires?|needs?|default)\b",
    re.IGNORECASE,
)
_BESIDES_AFTER = re.compile(
    r"\W*(is|or|and) (now )?(available|required|needed|newer|higher|later|above)\b", re.IGNORECASE
)
_LINES = 400  # that are looked at: the help of a program may stand for its version
_LINE = 1000  # characters


def version_in(text: str) -> str:
    r"""Return the version that a program says it has, "" where the (clean) text tells none.

    A number after the word "version" counts most, then the first of all. What warns, or is about another version, is
    left out.

    >>> version_in("WARNING: no aliases in /tmp/1.2\ncodex-cli 0.169.0")
    '0.169.0'
    """
    first = ""
    for whole in text.split("\n", _LINES)[:_LINES]:
        line = _WITH_ITS_NAME.sub("", whole[:_LINE])
        for match in _VERSION.finditer(line):
            before = line[: match.start()]
            if _BESIDES.search(before) or _BESIDES_AFTER.match(line, match.end()):
                continue
            if _NAMED.search(before):
                return match[1]
            first = first or match[1]
    return first


def older(version: str, minimum: str) -> bool:
    """Say whether a version is older than the minimum, by their numbers; a pre-release counts as its release.

    What is no version is not older: nobody can tell.

    >>> older("0.9.12", "0.10"), older("2.0-beta.1", "2.0.0"), older("", "2.0")
    (True, False, False)
    """
    have, need = _numbers(version), _numbers(minimum)
    length = max(len(have), len(need))
    return bool(have) and [*have, *[0] * (length - len(have))] < [*need, *[0] * (length - len(need))]


def _numbers(version: str) -> list[int]:
    found = re.match(r"\d{1,9}(\.\d{1,9})*", version)
    return [int(part) for part in found[0].split(".")] if found else []
