"""An agent that builds a part of a page badly at first, and mends it once it is told which selector failed.

mender.py FOLDER. It adds the part `part-<task>` to src/parts.js, hidden; shown only if the prompt tells of an earlier
attempt that failed over that part's selector. FOLDER/runs.jsonl counts its runs; where FOLDER/hold-<task> exists it
waits for FOLDER/go-<task>.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from pathlib import Path

FOLDER = Path(sys.argv[1])
TASK = os.environ["RALPH_TASK_ID"]
PARTS = Path("src/parts.js")
SECONDS = 60


def log(event: str, **more: object) -> None:
    with (FOLDER / "runs.jsonl").open("a") as file:
        file.write(json.dumps({"event": event, "task": TASK, "pid": os.getpid(), "at": time.time(), **more}) + "\n")


def wait_if_told() -> None:
    end = time.monotonic() + SECONDS
    while (FOLDER / f"hold-{TASK}").exists() and not (FOLDER / f"go-{TASK}").exists() and time.monotonic() < end:
        time.sleep(0.01)


def build(*, shown: bool) -> None:
    """Write the part's line, in place of the one that was there."""
    line = f'  {{ id: "part-{TASK}", shown: {str(shown).lower()} }},\n'
    text = re.sub(rf'  {{ id: "part-{TASK}".*\n', "", PARTS.read_text())
    PARTS.write_text(text.replace("];", f"{line}];"))


def main() -> None:
    prompt = sys.stdin.read()
    attempts = "".join(re.findall(r"<attempt\b.*?</attempt>", prompt, re.DOTALL))
    told = f"part-{TASK}" in attempts
    log("start", attempt=int(os.environ["RALPH_ATTEMPT"]), told=told)
    (FOLDER / f"prompt-{TASK}-{os.environ['RALPH_ATTEMPT']}.md").write_text(prompt)
    wait_if_told()
    build(shown=told)
    log("end")
    print(f"Built part {TASK}.\n\nTASK_COMPLETE")


if __name__ == "__main__":
    main()
