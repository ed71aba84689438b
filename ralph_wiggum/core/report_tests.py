"""What test runners print -> the names of the tests that failed. No positions, no messages: names stay the same.

Written against the output of pytest 9, unittest, jest 30, vitest 4, mocha 11, node --test (TAP and spec) and cargo
test; for go test, nextest and Playwright against what their documentation shows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from ralph_wiggum.core.fingerprint import normalise, normalise_name

_PYTEST_SUMMARY = re.compile(
    r"^(?:FAILED|ERROR|SUBFAIL(?:ED)?(?P<sub>(?:\[[^\]\n]*\])?(?:\([^)\n]*\))?)) "
    r"(?P<id>[^\s:][^:\n]*?(?:::[^\s\[\n]+)*(?:\[.*?\])?)(?= - |$)",
    re.MULTILINE,
)
_PYTEST_PROGRESS = re.compile(r"^(?P<id>[^\s:]+::\S.*?) (?:FAILED|ERROR)(?: +\[ *\d+%\])?$", re.MULTILINE)
_PYTEST_COLLECTING = re.compile(r"^_+ ERROR collecting (?P<id>\S.*?) _+$", re.MULTILINE)
_UNITTEST = re.compile(r"^(?:FAIL|ERROR): (\w+(?:\.\w+)* \([\w.<>]+\).*)$", re.MULTILINE)
_FAIL = re.compile(r"^ ?FAIL {1,2}(\S.*)$")
_JEST_TEST = re.compile(r"^  ● (?!Console$)(.+)$")
_JEST_SUITE = "Test suite failed to run"
_VITEST_PROJECT = re.compile(r"^\|[^|]+\| +")
_FAIL_SUFFIX = re.compile(r" (?:\(\d[\d.]* ?m?s\)|\[ .* \])$")
_NEXTEST = re.compile(r"^ +FAIL \[ *[\d.]+s\] (?:\(\s*\d+/\d+\) )?(\S.*)$", re.MULTILINE)
_GO = re.compile(r"^(?: *--- FAIL: (?P<test>\S+) \(|FAIL\t(?P<package>\S+)(?:\t| \[))", re.MULTILINE)
_CARGO = re.compile(r"^test (\S.*?)(?: \(line \d+\))? \.\.\. FAILED$", re.MULTILINE)
_MOCHA_SECTION = re.compile(r"^  \d+ failing$", re.MULTILINE)
_MOCHA_TEST = re.compile(r"^  \d+\) (?P<title>.*(?:\n {7,}\S.*)*?):$", re.MULTILINE)
_PLAYWRIGHT = re.compile(r"^ +\d+\) (\S.* › .*?)[ ─]*$", re.MULTILINE)
_TAP = re.compile(r"^ *not ok \d+ (?:- )?(?!.*# (?:TODO|SKIP))(\S.*?)(?: # .*)?$", re.MULTILINE | re.IGNORECASE)
_NODE_SPEC = re.compile(r"^ *✖ (\S.*?) \(\d[\d.]*m?s\)$", re.MULTILINE)


def failed_tests(output: str) -> frozenset[str]:
    """Return the names of the tests (and test files that could not be read) that failed, as their runner names them."""
    return frozenset(name for read in _READERS for name in read(output))


def _pytest(output: str) -> Iterator[str]:
    for match in _PYTEST_SUMMARY.finditer(output):
        name = match["id"]
        if "::" in name or re.search(r"\.\w+$", name):
            yield normalise_name(f"{name} {match['sub']}" if match["sub"] else name)
    for pattern in (_PYTEST_PROGRESS, _PYTEST_COLLECTING):
        yield from (normalise_name(match["id"]) for match in pattern.finditer(output))


def _jest_and_vitest(output: str) -> Iterator[str]:
    """Read `FAIL file` with `● test` below it (jest) and `FAIL file > test` (vitest)."""
    file, named = "", True
    for line in output.split("\n"):
        if found := _FAIL.match(line):
            if not named:
                yield file
            file = normalise_name(_FAIL_SUFFIX.sub("", _VITEST_PROJECT.sub("", found[1])))
            named = " > " in file
            if named:
                yield file
        elif file and (test := _JEST_TEST.match(line)) and test[1] != _JEST_SUITE:
            named = True
            yield normalise_name(f"{file} › {test[1]}")
    if not named:
        yield file


def _go(output: str) -> Iterator[str]:
    """Read go test: tests are named first, their package in a line after them."""
    waiting: list[str] = []
    for match in _GO.finditer(output):
        if match["test"]:
            waiting.append(match["test"])
            continue
        yield from (f"{match['package']}.{test}" for test in waiting) if waiting else (match["package"],)
        waiting.clear()
    yield from waiting


def _mocha(output: str) -> Iterator[str]:
    """Read mocha's list of failures: the titles of the suites and of the test, the last line ending with a colon."""
    if section := _MOCHA_SECTION.search(output):
        for match in _MOCHA_TEST.finditer(output, section.end()):
            yield normalise_name(match["title"])


def _simple(pattern: re.Pattern[str], name: Callable[[str], str]) -> Callable[[str], Iterator[str]]:
    return lambda output: (name(match[1]) for match in pattern.finditer(output))


_READERS: tuple[Callable[[str], Iterator[str]], ...] = (
    _pytest,
    _jest_and_vitest,
    _go,
    _mocha,
    _simple(_UNITTEST, normalise_name),
    _simple(_NEXTEST, normalise_name),
    _simple(_CARGO, normalise_name),
    _simple(_PLAYWRIGHT, normalise),  # it names the position of the test
    _simple(_TAP, normalise_name),
    _simple(_NODE_SPEC, normalise_name),
)
