"""The output of a check -> keys of its failures that can be compared with those of another run (O14, O18)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ralph_wiggum.core.fingerprint import normalise
from ralph_wiggum.core.report_linters import findings, located_messages
from ralph_wiggum.core.report_tests import failed_tests

NO_TESTS = "no tests found"
TIMEOUT = "timeout"

_PYTEST_NO_TESTS = 5  # pytest's ExitCode.NO_TESTS_COLLECTED; unittest's too, from Python 3.12 on
_ERROR_LINES = 10
_LAST_LINES = 5
_LINE = 160  # characters of a line that stands for a failure
_WIDEST = 1000  # characters of a line that is looked at
_COUNTS = 100  # characters
_HIGHEST_EXIT = 125  # above: the shell's own (126, 127) and signals (128 + n)

_SEVERAL = re.compile(r"[;\n|&]|\b(?:npm|pnpm|yarn|bun|make|just|tox|nox|hatch|pre-commit)\b")
_NO_TESTS_SAID = re.compile(r"^No tests? (?:files )?found, exiting with code 1$|^No test files found", re.MULTILINE)
_ERROR_WORDS = re.compile(
    r"\b(?:errors?|err!|fail(?:ed|ure|ures|s)?|fatal|panic(?:ked)?|exception|traceback|cannot|can't|not found|missing"
    r"|invalid|denied|refused|undefined|unexpected|unknown|abort(?:ed)?|assert\w*)\b|\w(?:Error|Exception)\b",
    re.IGNORECASE,
)
# A run that broke off names only some of its failures: that it broke off is one more.
_BROKE_OFF = re.compile(
    r"INTERNALERROR>|Fatal Python error|Segmentation fault|core dumped|heap out of memory|Worker exited unexpectedly"
    r"|worker '\w+' crashed"
)

_TOTALS = tuple(
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        r"^=* ?(?P<a>\d+ (?:passed|failed|skipped|deselected|x\w+ed|errors?|warnings?)\b.*?) in [\d.]+s",  # pytest
        r"^Tests: +(?P<a>\d+ .*)$",  # jest
        r"^ +Tests  (?P<a>\d+ .*)$",  # vitest
        r"^test result: \w+\. (?P<a>\d+ passed; \d+ failed)",  # cargo
        r"^(?P<a>Ran \d+ tests?) in .*\n\n(?P<b>\w.*)$",  # unittest
        r"^# (?P<a>pass \d+)\n# (?P<b>fail \d+)$",  # TAP of node
        r"^ℹ (?P<a>pass \d+)\nℹ (?P<b>fail \d+)$",  # spec of node
        r"^  (?P<a>\d+ passing)\b.*(?:\n  \d+ pending)?(?:\n  (?P<b>\d+ failing))?",  # mocha
        r"^ +(?P<b>\d+ failed)\n(?:.*\n)*? +(?P<a>\d+ passed) \(",  # Playwright
        r"^(?P<a>Found \d+ errors?(?: in \d+ files?)?)\b",  # ruff, mypy, tsc
        r"^(?P<a>Success: no issues found in \d+ source files?)",  # mypy
        r"^(?P<a>\d+ errors?, \d+ warnings?)(?:, \d+ information)?",  # pyright
        r"^✖ (?P<a>\d+ problems? \(.*\))",  # eslint
        r"^(?P<a>\d+ files? would be reformatted)",  # ruff format
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """How one run of a check came out: the keys of its failures, sorted; none if it passed.

    Names of tests stand there once, `path: code` as often as it was found. `exit_code` is None where a signal or a
    time limit ended the command. In a baseline `obstacle` says why the check could not run at all, "" if it ran.
    """

    keys: tuple[str, ...] = ()
    exit_code: int | None = 0
    obstacle: str = ""

    @property
    def passed(self) -> bool:
        """Say whether nothing failed."""
        return not self.keys


def short_lines(output: str) -> str:
    """Return the output with long lines cut: no name of a test is so long, and minified code is read for ever."""
    return "\n".join(line[:_WIDEST] for line in output.split("\n"))


def of(output: str, command: str, exit_code: int | None, *, signal: int | None = None) -> Failures:
    """Return the failures of a command that ended: none with exit code 0, whatever it printed; else at least one.

    `output` is clean text with paths relative to the project and `short_lines`; `signal` is the one that ended the
    command, if any.
    """
    if exit_code == 0 and signal is None:
        return Failures()
    if _no_tests(output, command, exit_code):
        return Failures(keys=(NO_TESTS,), exit_code=exit_code)
    keys = list(extract(output, command))
    if signal is not None:
        keys.append(f"ended by signal {signal}")
    elif exit_code is None or exit_code > _HIGHEST_EXIT or not keys:
        keys.append("ended unseen" if exit_code is None else f"exit {exit_code}")
    return Failures(keys=tuple(sorted(keys)), exit_code=exit_code)


def timed_out() -> Failures:
    """Return the failures of a command that ran into its time limit: how far it came differs, so its output is mute."""
    return Failures(keys=(TIMEOUT,), exit_code=None)


def ended(why: str) -> Failures:
    """Return the failures of a command that the runner ended for another reason, such as memory (B7)."""
    return Failures(keys=(why,), exit_code=None)


def extract(output: str, command: str) -> tuple[str, ...]:
    """Return keys of the failures in an output, sorted: names of tests, `path: code`, else normalised failing lines."""
    named = _named(output, command)
    if named:
        named += sorted({f"broke off: {match[0]}" for match in _BROKE_OFF.finditer(output)})
    return tuple(sorted(named)) or located_messages(output) or _lines(output)


def names_failures(output: str, command: str) -> bool:
    """Say whether an output names what failed (tests, `path: code`): then its tool did run."""
    return bool(_named(output, command))


def _named(output: str, command: str) -> list[str]:
    """Return names of tests and findings of linters.

    Findings inside the report of a test runner belong to what the tests printed; they are left out unless the command
    runs more than one program.
    """
    tests = failed_tests(output)
    return [*tests, *(findings(output) if not tests or _SEVERAL.search(command) else ())]


def counts(output: str) -> str:
    """Return what a tool printed of its totals ("1 failed, 12 passed", "Found 3 errors"), or "" if it printed none."""
    for pattern in _TOTALS:
        found = None
        for found in pattern.finditer(output):  # noqa: B007 - the last one is the total
            pass
        if found:
            return ", ".join(part.strip() for part in found.groupdict().values() if part)[:_COUNTS]
    return ""


def _no_tests(output: str, command: str, exit_code: int | None) -> bool:
    of_python = re.search(r"pytest|unittest", command) or re.search(
        r"no tests ran|\d+ deselected", output, re.IGNORECASE
    )
    return (exit_code == _PYTEST_NO_TESTS and bool(of_python)) or bool(_NO_TESTS_SAID.search(output))


def _lines(output: str) -> tuple[str, ...]:
    """Return the last lines that speak of an error, else the last lines, normalised, each once."""
    lines = [line for line in output.split("\n") if line.strip()]
    telling = [line for line in lines if _ERROR_WORDS.search(line)][-_ERROR_LINES:] or lines[-_LAST_LINES:]
    return tuple(sorted({normalise(line[: 2 * _LINE])[:_LINE] for line in telling}))
