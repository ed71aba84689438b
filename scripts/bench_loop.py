"""The floor of the gap: the least that a loop over a tasks.md can do, and what most loops are.

usage: bench_loop.py TASKS.md LOG AGENT...   no checks, no snapshot, no journal, no time limit, nobody to end a child
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

OPEN = re.compile(r"^(  - \[) (\] )(.*)$", re.MULTILINE)
PROMPT = "Do this one task, then say TASK_COMPLETE on the last line:\n\n{}\n"


def run_agent(command: list[str], prompt: str) -> str:
    """Run the agent on one prompt; return what it printed."""
    agent = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    said, _ = agent.communicate(prompt)
    return said


def main(tasks: Path, log: Path, command: list[str]) -> None:
    """Work through the file."""
    text = tasks.read_text()
    while found := OPEN.search(text):
        said = run_agent(command, PROMPT.format(found[3]))
        if not said.rstrip().endswith("TASK_COMPLETE"):
            break
        text = tasks.read_text()
        text = OPEN.sub(r"\1x\2\3", text, count=1)
        tasks.write_text(text)
        with log.open("a") as file:
            file.write(f"## {found[3]}\n\n{said}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
