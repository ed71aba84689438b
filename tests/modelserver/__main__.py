"""`python -m tests.modelserver`: the model server for a person who wants to try an agent without spending anything."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.modelserver.scenario import MODES, UnknownScenarioError
from tests.modelserver.serving import Server
from tests.modelserver.setups import RECIPES, described

ABOUT = """\
A scripted model on 127.0.0.1. It speaks OpenAI chat completions and Responses, Anthropic Messages and Gemini, and does
what the scenario in the path says: http://127.0.0.1:PORT/s/MODE,PARAMETER=VALUE/… A task may say what the model shall
do: a line "model: echo hello > hello.txt" among its details. The server runs nothing; the agent does, as ever.
"""
PARAMETERS = """\
parameters:
  first=MODE,n=K  the first K requests of tasks meet MODE, later ones the mode in front; 429,n=2 is ok,first=429,n=2
  after=N         the first N tasks (different prompts) are served as ok
  reset=SECONDS   until a limit resets
  seconds=SECONDS how long what the mode starts goes on
  delay=SECONDS   before every answer
  id=WORD         keeps what is counted apart from others who use the same scenario
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM. Returns 0, or 2 for a scenario that is not there or a port that is taken."""
    options = _parser().parse_args(arguments)
    try:
        server = Server(options.port, log=options.log, scenario=options.mode)
    except (UnknownScenarioError, OSError) as error:
        print(f"modelserver: {error}", file=sys.stderr)
        return 2
    for ending in (signal.SIGINT, signal.SIGTERM):  # a shell starts what it puts in the background deaf to SIGINT
        signal.signal(ending, signal.default_int_handler)
    with server:
        base = server.url(options.mode)
        try:
            first = f"Serving {options.mode!r} at {base}, and every other scenario beside it. Ctrl-C ends it.\n"
            agents = [options.agent] if options.agent else RECIPES
            words = "\n".join([first, *(described(agent, base) for agent in agents)])
            sys.stdout.buffer.write(f"{words}\n".encode())  # at once: who has read the first line may end it
            sys.stdout.flush()
            server.serve_forever(poll_interval=0.1)
        except KeyboardInterrupt:
            print()
    return 0


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, MODES))
    modes = "".join(f"  {mode:<{width}}  {about}\n" for mode, about in MODES.items())
    parser = argparse.ArgumentParser(
        prog="python -m tests.modelserver",
        description=ABOUT,
        epilog=f"modes:\n{modes}\n{PARAMETERS}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=8765, help="port on 127.0.0.1; 0 takes a free one (default: 8765)")
    parser.add_argument(
        "--mode", default="ok", help="scenario in the addresses that are printed, and of paths without one"
    )
    parser.add_argument("--log", type=Path, metavar="FILE", help="add one JSON line for each request to FILE")
    parser.add_argument("--agent", choices=sorted(RECIPES), help="print the lines of this agent only")
    return parser


if __name__ == "__main__":
    sys.exit(main())
