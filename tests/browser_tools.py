"""What tests of pages need: agent-browser and a Chromium, or a reason to skip; a site; a look at what is left."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from ralph_wiggum.adapters.browser import tool
from ralph_wiggum.core.settings import VisualSettings

CHECKOUT = Path(__file__).resolve().parents[1]
INSTALLED = CHECKOUT / ".venv" / "browser"  # where scripts/test.sh puts npm packages


def need_browser() -> tuple[str, str]:
    """Return the paths of agent-browser and of Chromium; skip the test where one is not there.

    RALPH_TEST_AGENT_BROWSER names another agent-browser; with RALPH_REQUIRE_BROWSER=1 nothing is skipped.
    """
    named = os.environ.get("RALPH_TEST_AGENT_BROWSER", "")
    local = INSTALLED / "node_modules" / ".bin" / "agent-browser"
    program = named or (str(local) if local.exists() else "agent-browser")
    found = tool.find(VisualSettings(tool=program), CHECKOUT, os.environ)
    if found.missing:
        _give_up(found.missing)
    return found.program, found.browser


def need_npm_package(name: str) -> Path:
    """Return the folder of a package in `.venv/browser/node_modules`; skip the test where it is not there."""
    folder = INSTALLED / "node_modules" / name
    if not folder.is_dir() or shutil.which("node") is None:
        _give_up(f"{name} is not there: scripts/test.sh --all installs it")
    return folder


def _give_up(reason: str) -> None:
    if os.environ.get("RALPH_REQUIRE_BROWSER") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
