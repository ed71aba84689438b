"""What linters and compilers print -> `path: code`, once for each finding, without its position.

Written against the output of ruff (concise and full), flake8, pylint, mypy, pyright, tsc, eslint (stylish) and rustc;
for eslint's unix format, prettier, black and isort against their documentation. Warnings count only where nothing is
called an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from ralph_wiggum.core.fingerprint import normalise

Finding = tuple[str, str, bool]  # path, code, whether it is only a warning

_AT_POSITION = re.compile(r"^(?P<path>[^\s:()][^:()\n]*):\d+(?::\d+)?(?:-\d+(?::\d+)?)?: (?P<rest>\S.*)$", re.MULTILINE)
_CODE = re.compile(r"(?P<code>[A-Z]{1,6}\d{2,6}|invalid-syntax|SyntaxError)\b")
_LEVEL = re.compile(r"(?P<level>error|warning|note)(?:\[(?P<rust>\w+)\])?: (?:.*  \[(?P<code>[\w-]+)\]$)?")
_NAMED_LAST = re.compile(r" \[(?P<level>Error|Warning)/(?P<code>[\w@/-]+)\]$")  # eslint unix
_WITH_ARROW = re.compile(r"^(?P<head>\S[^\n]*)\n *--> (?P<path>[^\n]+?):\d+:\d+$", re.MULTILINE)  # ruff, rustc
_HEAD = re.compile(r"(?:(?P<level>error|warning)(?:\[(?P<rust>\w+)\])?:|(?P<code>[A-Za-z][\w-]*)(?:: | \[\*\] | ))")
_PYRIGHT = re.compile(r"^ *(?P<path>\S[^\n]*?):\d+:\d+ - error: (?P<text>[^\n]*(?:\n[ \xa0]{4,}[^\n]*)*)", re.MULTILINE)
_PYRIGHT_RULE = re.compile(r"\((report\w+)\)\s*$")
_TSC = re.compile(r"^(?:(?P<path>\S.*?)(?:\(\d+,\d+\):|:\d+:\d+ -) )?error (?P<code>TS\d+):", re.MULTILINE)
_ESLINT_ROW = re.compile(r"^ +\d+:\d+ +(?P<level>error|warning) +\S.*?(?:  +(?P<code>[\w@/-]+))?$")
_FORMAT = re.compile(r"^(?:\[(?:warn|error)\] |[Ww]ould reformat:? )(?P<path>\S+\.\w+)(?::.*)?$", re.MULTILINE)
_ISORT = re.compile(r"^ERROR: (?P<path>\S+) Imports are incorrectly", re.MULTILINE)
_A_FILE = re.compile(r"[./\\]")
_MESSAGE = 120  # characters of a message that stands for a missing code


def findings(output: str) -> tuple[str, ...]:
    """Return `path: code` for each finding, sorted; a pair that was reported three times stands there three times."""
    found = [finding for read in _READERS for finding in read(output)]
    errors = [finding for finding in found if not finding[2]]
    return tuple(sorted(normalise(f"{path.removeprefix('./')}: {code}") for path, code, _ in errors or found))


def located_messages(output: str) -> tuple[str, ...]:
    """Return `path: message` for lines that name a position but no code: go vet, make, tracebacks; sorted."""
    return tuple(
        sorted(
            normalise(f"{match['path'].removeprefix('./')}: {match['rest'][:_MESSAGE]}")
            for match in _AT_POSITION.finditer(output)
            if _A_FILE.search(match["path"])
        )
    )


def _at_position(output: str) -> Iterator[Finding]:
    for match in _AT_POSITION.finditer(output):
        if not _A_FILE.search(match["path"]):
            continue
        rest = match["rest"]
        if level := _LEVEL.match(rest):
            if level["level"] != "note":
                yield match["path"], level["rust"] or level["code"] or level["level"], level["level"] == "warning"
        elif code := _CODE.match(rest):
            yield match["path"], code["code"], False
        elif last := _NAMED_LAST.search(rest):
            yield match["path"], last["code"], last["level"] == "Warning"


def _with_arrow(output: str) -> Iterator[Finding]:
    for match in _WITH_ARROW.finditer(output):
        if head := _HEAD.match(match["head"]):
            yield match["path"], head["rust"] or head["code"] or head["level"], head["level"] == "warning"


def _pyright(output: str) -> Iterator[Finding]:
    for match in _PYRIGHT.finditer(output):
        rule = _PYRIGHT_RULE.search(match["text"])
        yield match["path"], rule[1] if rule else "error", False


def _tsc(output: str) -> Iterator[Finding]:
    for match in _TSC.finditer(output):
        yield match["path"] or "tsc", match["code"], False


def _eslint(output: str) -> Iterator[Finding]:
    path = ""
    for line in output.split("\n"):
        if row := _ESLINT_ROW.match(line):
            if path:
                yield path, row["code"] or "parsing error", row["level"] == "warning"
        elif line and not line.startswith(" "):
            path = line


def _formatted(output: str) -> Iterator[Finding]:
    for pattern in (_FORMAT, _ISORT):
        yield from ((match["path"], "format", False) for match in pattern.finditer(output))


_READERS: tuple[Callable[[str], Iterator[Finding]], ...] = (
    _at_position,
    _with_arrow,
    _pyright,
    _tsc,
    _eslint,
    _formatted,
)
