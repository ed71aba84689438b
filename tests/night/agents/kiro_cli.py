"""A stand-in for kiro-cli 2.x, put on PATH under that name: kiro_cli.py FOLDER ARGUMENTS.

Folder, play.json and all steps are those of player.py; the steps below print what kiro-cli prints, as its documentation
and the issues of kirodotdev/Kiro tell: an answer that begins with "> ", colours although NO_COLOR is set (8352), credits
on standard error, limits as text with exit code 0, no session id (9066). `whoami` and `--version` are answered as
FOLDER/whoami says: its exit code and its words.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(sys.argv[1])
ARGUMENTS = sys.argv[2:]
PURPLE, GREEN, PLAIN = "\x1b[38;5;141m", "\x1b[38;5;10m", "\x1b[0m"
CREDITS = f"\n {GREEN}▸{PLAIN} Credits: 0.05 • Time: 3s\n\n"
FLAGS = {"--no-interactive", "--trust-all-tools"}
VALUES = {"--agent", "--wrap", "--model", "--resume-id"}
NO_SUCH_AGENT = 4


def whoami() -> int:
    """Answer the login command."""
    file = FOLDER / "whoami"
    code, _, words = (file.read_text() if file.exists() else "0 Logged in with an API key").partition(" ")
    print(words)
    return int(code)


def refuse(problem: str) -> int:
    """Refuse an argument as clap does."""
    print(f"error: {problem}\n\nFor more information, try '--help'.", file=sys.stderr)
    return 2


def misused(words: list[str]) -> str:
    """Return what is wrong with the arguments of `chat`, "" if nothing is."""
    rest = iter(words)
    for word in rest:
        if word in VALUES:
            if next(rest, None) is None:
                return f"a value is required for '{word}'"
        elif word not in FLAGS:
            return f"unexpected argument '{word}' found"
    return "" if "--no-interactive" in words else "this stand-in has no screen"


def chat() -> int:
    """Play the script of the task; the prompt comes on standard input."""
    if (
        "--agent" in ARGUMENTS
        and not (Path(".kiro/agents") / f"{ARGUMENTS[ARGUMENTS.index('--agent') + 1]}.json").exists()
    ):
        print("Error: no agent with this name was found", file=sys.stderr)
        return NO_SUCH_AGENT
    sys.path.insert(0, str(Path(__file__).parents[3]))  # it is started without any
    from tests.night.agents import player  # noqa: PLC0415 - it asks for the variables of an attempt

    prompt = sys.stdin.read()
    player.log("called", argv=ARGUMENTS, prompt=prompt, terminal=[sys.stdin.isatty(), sys.stdout.isatty()])

    def says(text: str) -> None:
        print(f"{PURPLE}> {PLAIN}{text}", flush=True)

    def uses(command: str) -> None:
        print(f"I will run the following command: {GREEN}{command}{PLAIN} (using tool: shell)\n", flush=True)
        subprocess.run(["sh", "-c", command], check=False, stdin=subprocess.DEVNULL)
        print(f" - Completed in 0.1s{PLAIN}\n", flush=True)

    def ends() -> None:
        print(CREDITS, file=sys.stderr, flush=True)

    def fails(text: str, code: int = 0) -> None:
        """End over an error of the service: as text, and with 0 for most."""
        print(text, flush=True)
        player.leave(code)

    def leaks() -> None:
        """Leave a process behind that holds standard output open, in a session of its own (10877)."""
        child = subprocess.Popen(["sleep", "600"], stdin=subprocess.DEVNULL, start_new_session=True)
        child.returncode = 0  # not ours to wait for

    steps: dict[str, Callable[..., None]] = {each.__name__: each for each in (says, uses, ends, fails, leaks)}
    vars(player).update(steps)
    player.main()
    return 0


def main() -> int:
    """Answer one call."""
    match ARGUMENTS:
        case ["whoami"]:
            return whoami()
        case ["--version"]:
            print("kiro-cli 2.13.0")
            return 0
        case ["chat", *words]:
            return refuse(problem) if (problem := misused(words)) else chat()
        case _:
            return refuse(f"unrecognized subcommand '{' '.join(ARGUMENTS)}'")


if __name__ == "__main__":
    sys.exit(main())
