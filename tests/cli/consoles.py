"""The commands as a person calls them: real processes in a real project."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
TASKS = """# Plan

- [ ] 1. Guestbook
  - [x] 1.1 Set up
  - [ ] 1.2 Store entries
  - [ ] 1.3 Show entries
- [ ] 2. Checkpoint - all tests pass
"""


def environment(root: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment in which nothing of the person's own settings or terminal counts."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "TMPDIR"}}
    own = {"HOME": str(root), "PYTHONPATH": str(CHECKOUT), "PYTHONWARNINGS": "error", "PYTHONIOENCODING": "utf-8"}
    return {**kept, **own, **(extra or {})}


def make_spec(root: Path, name: str = "demo", text: str = TASKS) -> Path:
    """Write a spec and return its tasks.md."""
    path = root / ".kiro/specs" / name / "tasks.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def call(
    command: str, root: Path, *words: str, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Call `ralph-COMMAND` (or `ralph` itself) in a folder."""
    return subprocess.run(
        [sys.executable, "-m", f"ralph_wiggum.cli.{command}", *words],
        cwd=root,
        env=environment(root, env),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def status(root: Path, spec: str = "demo") -> dict[str, Any]:
    """Return what `ralph-status SPEC --json --tasks` says."""
    done = call("status", root, spec, "--json", "--tasks")
    assert done.returncode == 0, done.stderr
    data: dict[str, Any] = json.loads(done.stdout)
    return data
