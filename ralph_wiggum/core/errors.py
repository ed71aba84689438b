"""Errors that a person can mend, and the exit codes of every command (design: part 2, contract)."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes; other tools rely on them."""

    DONE = 0
    BUG = 1
    BAD_INPUT = 2
    SOME_SKIPPED = 3
    OPEN_TASKS = 4
    LOCKED = 5
    INTERRUPTED = 130
    TERMINATED = 143


class RalphError(Exception):
    """Something that a person can mend: what is wrong and where, what to do, and the exit code.

    >>> error = RalphError("no tasks.md in .kiro/specs/demo", hint="create it, or name another spec")
    >>> str(error), error.hint, int(error.code)
    ('no tasks.md in .kiro/specs/demo', 'create it, or name another spec', 2)
    """

    def __init__(self, message: str, *, hint: str = "", code: Exit = Exit.BAD_INPUT) -> None:
        super().__init__(message)
        self.hint = hint
        self.code = code
