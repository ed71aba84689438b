"""Which real agent CLIs are there, and why a test that needs one is skipped, or fails in CI."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

PROGRAMS = {name: name for name in ("claude", "codex", "opencode", "gemini", "qwen", "copilot", "mini", "aider")}
FROM_PYPI = frozenset({"mini", "aider"})


def cache() -> Path:
    """Return the folder into which scripts/test.sh --all installs agent CLIs."""
    own = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(os.environ.get("RALPH_AGENTS_CACHE") or Path(own, "ralph-wiggum", "agents"))


def program(name: str) -> Path | None:
    """Return the path of an agent's program in the cache, None where it is not there."""
    folder = cache() / name / "bin" if name in FROM_PYPI else cache() / "npm" / "node_modules" / ".bin"
    path = folder / PROGRAMS[name]
    return path if os.access(path, os.X_OK) else None


def need_agent(name: str) -> Path:
    """Return the path of an agent's program; skip the test without it, or fail where RALPH_REQUIRE_AGENTS names it."""
    found = program(name)
    if found is not None and (name in FROM_PYPI or shutil.which("node")):
        return found
    reason = f"{name} is not in {cache()}: scripts/test.sh --all installs it"
    if name in os.environ.get("RALPH_REQUIRE_AGENTS", "").split():
        pytest.fail(reason)
    pytest.skip(reason)


def only(folder: Path, found: Path) -> str:
    """Return a PATH that holds one agent's program and what every machine has; `folder` is made for the first."""
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / found.name
    if not link.is_symlink():
        link.symlink_to(found)
    node = shutil.which("node")
    places = [str(folder), *([str(Path(node).parent)] if node else []), "/usr/local/bin", "/usr/bin", "/bin"]
    return os.pathsep.join(dict.fromkeys(places))
