"""The embedded agent: a program of its own that runs the shell blocks of one task, and needs nothing installed.

Usage: python -P -m ralph_wiggum.adapters.agents.shell TASKS_FILE TASK_KEY

It is also run by its path, and then finds its package from there; so it works whatever the current folder holds.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ralph_wiggum.core.parse import CodeBlock

LANGUAGES = frozenset({"sh", "bash", "shell"})
BAD_INPUT = 2
NOT_STARTED = 127  # as shells have it
KILLED = 128  # plus the signal, as shells have it


def blocks_of(tasks_file: Path, key: str) -> list[CodeBlock]:
    """Return the task's shell blocks, in order. KeyError if there is no such task, OSError if no file."""
    from ralph_wiggum.core.parse import code_blocks, parse  # noqa: PLC0415 - the path is set up by then

    # As bytes: universal newlines would hide what the file holds, and a byte that is no UTF-8 must not end it all.
    text = tasks_file.read_bytes().decode("utf-8", errors="replace")
    task = parse(text).task(key)
    return [block for block in code_blocks(task.text) if block.language.lower() in LANGUAGES]


def run_block(code: str) -> int:
    """Run one block, stopping at its first failing command; return its exit code, 128 + n for signal n."""
    bash = shutil.which("bash")
    shell = (bash, "-e", "-o", "pipefail") if bash else ("sh", "-e")
    try:
        done = subprocess.run([*shell, "-c", code], stdin=subprocess.DEVNULL, check=False)
    except OSError as error:  # among others: longer than an argument can be
        say(f"The block could not be started: {error}")
        return NOT_STARTED
    return done.returncode if done.returncode >= 0 else KILLED - done.returncode


def say(*lines: str) -> None:
    """Print lines on lines of their own, whatever a block left open, before anything that a block prints next."""
    print("", *lines, sep="\n", flush=True)


def main(arguments: Sequence[str]) -> int:
    """Run the blocks of a task, in order, up to the first that fails; the last line is the signal (O16)."""
    if len(arguments) != 2:  # noqa: PLR2004 - the two of the usage
        say("usage: shell TASKS_FILE TASK_KEY", "TASK_SKIPPED: the shell agent was called without a task")
        return BAD_INPUT
    tasks_file, key = Path(arguments[0]), arguments[1]
    try:
        blocks = blocks_of(tasks_file, key)
    except KeyError:
        say(f"TASK_SKIPPED: there is no task {key} in {tasks_file}")
        return BAD_INPUT
    except OSError as error:
        say(f"TASK_SKIPPED: {tasks_file} cannot be read: {error.strerror or error}")
        return BAD_INPUT
    if not blocks:
        say("The shell agent runs fenced sh and bash blocks; this task has none.")
        say("TASK_SKIPPED: no sh or bash block in this task")
        return 0
    return run_all(blocks)


def run_all(blocks: Sequence[CodeBlock]) -> int:
    """Run blocks in order up to the first that fails; return 0 or the exit code of that one."""
    for number, block in enumerate(blocks, start=1):
        lines = block.code.rstrip("\n").split("\n")
        say(f"Block {number} of {len(blocks)} ({len(lines)} lines):")
        # What is run goes to the log, beside the message: the summary of a task is what came of it, not its source.
        print(*(f"    {line}" for line in lines), sep="\n", file=sys.stderr, flush=True)
        if not block.closed:  # it may have lost its end: half a command is not run
            say(f"TASK_SKIPPED: block {number} has no closing fence, so it was not run")
            return BAD_INPUT
        if exit_code := run_block(block.code):
            say(f"TASK_SKIPPED: block {number} failed with exit {exit_code}")
            return exit_code
    say(f"Ran {len(blocks)} shell block{'s' if len(blocks) > 1 else ''} of the task; all passed.", "", "TASK_COMPLETE")
    return 0


if __name__ == "__main__":
    sys.path.append(str(Path(__file__).resolve().parents[3]))
    sys.exit(main(sys.argv[1:]))
