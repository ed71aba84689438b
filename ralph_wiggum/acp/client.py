"""One prompt for one agent over the Agent Client Protocol: the prompt on standard input, events on standard output.

Usage: python -P client.py [--session ID] [--permissions workspace|allow|reject] [--keep PATH]… [--start-seconds N]
       -- COMMAND [ARGUMENT …]

The workspace is the current folder. `--keep` names files and folders in it that only the runner writes;
`--start-seconds` is the time for each answer until the prompt is handed over.

Exit codes: 0 the agent ended its turn, 1 it or its session failed, 2 a bad call or a library that is missing, 3 there
is no session of that id any more, 128 + n after signal n. What happened stands in the events in any case.
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

FAILED, BAD_USAGE = 1, 2
MISSING = "the driver acp needs the Python package agent-client-protocol: pip install 'ralph-wiggum[acp]'"
POLICIES = ("workspace", "allow", "reject")
START_SECONDS = 60.0


def main(arguments: Sequence[str]) -> int:
    """Run the client and return its exit code."""
    options, command = _options(arguments)
    if not command:
        print("acp client: no command after --", file=sys.stderr)
        return BAD_USAGE
    if importlib.util.find_spec("acp") is None:
        print(MISSING, file=sys.stderr)
        return BAD_USAGE
    from ralph_wiggum.acp.conversation import Conversation, Order  # noqa: PLC0415 - the path is set up by then
    from ralph_wiggum.acp.events import Events  # noqa: PLC0415 - as above

    logging.disable(logging.CRITICAL)  # the library reports with tracebacks what the events say in words
    order = Order(
        command=tuple(command),
        prompt=sys.stdin.buffer.read().decode("utf-8", errors="replace"),
        root=Path.cwd(),
        session=options.session,
        permissions=options.permissions,
        kept=tuple(options.keep),
        start_seconds=options.start_seconds,
    )
    events = Events(sys.stdout.buffer)
    try:
        return Conversation(order, events).run()
    except Exception as error:  # noqa: BLE001 - whatever it is, the runner learns of it as of any other failure
        events.silent = False
        events.put("error", kind="client", text=f"the client of the protocol failed: {type(error).__name__}: {error}")
        return FAILED


def _options(arguments: Sequence[str]) -> tuple[argparse.Namespace, Sequence[str]]:
    """Return our own options, and the agent's command: all that follows the first `--`."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    parser = argparse.ArgumentParser(prog="acp client", allow_abbrev=False)
    parser.add_argument("--session", default="", metavar="ID")
    parser.add_argument("--permissions", default=POLICIES[0], choices=POLICIES)
    parser.add_argument("--keep", action="append", default=[], metavar="PATH")
    parser.add_argument("--start-seconds", type=float, default=START_SECONDS, metavar="N")
    return parser.parse_args(arguments[:end]), arguments[end + 1 :]


if __name__ == "__main__":
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    sys.exit(main(sys.argv[1:]))
