"""`ralph COMMAND …`: one door to all commands. Each is loaded only when it is called."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from ralph_wiggum.cli import common
from ralph_wiggum.core.errors import RalphError

COMMANDS = {
    "overnight": "work through a spec until nothing is left to do",
    "next": "run the next task alone, then stop",
    "status": "show how far a spec is, or all of them",
    "skip": "give a task up, with a reason",
    "attach": "look at a run that goes on elsewhere",
    "stop": "end a run in good order",
    "drill": "rehearse what can go wrong, in a scratch copy, before going to bed",
    "servers": "bring the servers of the settings up, end them, show them",
    "agents": "list the agents: installed, version, logged in, which is asked",
}

HEAD = """usage: ralph COMMAND [ARGUMENTS …]
       ralph COMMAND --help

The overnight runner for Kiro-style markdown specs: tasks.md in the evening, proved commits in the morning.

commands:"""

TAIL = """
The first four are also programs of their own: `ralph overnight demo` is `ralph-overnight demo`.

examples:
  ralph status                    all specs, one line each
  ralph overnight demo 100        up to 100 agent runs on .kiro/specs/demo
  ralph skip demo 2.3 "why"       give task 2.3 up
  ralph overnight demo --detach   in the background; then: ralph attach, ralph stop
  ralph drill demo                rehearse what can go wrong, before bedtime
  ralph servers up                start the dev servers, and leave them up
  ralph agents                    which agents are there, and can work

exit codes: 0 done, 1 a bug in ralph, 2 bad usage or input, 3 some tasks skipped, 4 required tasks open,
  5 another run holds this work tree, 130/143 stopped by a signal"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that the first argument names; return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    return common.run_command(lambda: dispatch(words))


def dispatch(words: Sequence[str]) -> int:
    """Hand the arguments to their command."""
    if not words or words[0] in {"-h", "--help", "help"}:
        print(help_text())
        return 0
    if words[0] == "--version":
        print(common.version())
        return 0
    if words[0] not in COMMANDS:
        raise _unknown(words[0])
    module = importlib.import_module(f"ralph_wiggum.cli.{words[0]}")
    code: int = module.main(words[1:])
    return code


def help_text() -> str:
    """Return what `ralph --help` prints."""
    width = max(map(len, COMMANDS))
    lines = (f"  {name.ljust(width)}   {what}" for name, what in COMMANDS.items())
    return "\n".join([HEAD, *lines, TAIL])


def _unknown(word: str) -> RalphError:
    import difflib  # noqa: PLC0415 - 4 ms, only on the way out

    near = difflib.get_close_matches(word.removeprefix("ralph-"), COMMANDS, n=1, cutoff=0.4)
    hint = f"did you mean `ralph {near[0]}`?" if near else f"there are: {', '.join(COMMANDS)}"
    return RalphError(f"no command {word!r}", hint=hint)


if __name__ == "__main__":
    sys.exit(main())
