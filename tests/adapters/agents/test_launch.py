"""From settings to a start: the binary that a program of npm's only launches."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ralph_wiggum.adapters.agents.launch import NODE_ARCHITECTURES, native
from ralph_wiggum.core.agents import BUILT_IN

HERE = f"copilot-{sys.platform}-{NODE_ARCHITECTURES.get(os.uname().machine, os.uname().machine)}"


@pytest.mark.parametrize(
    ("package", "worker"),
    [
        pytest.param("node_modules/@github/copilot", f"node_modules/@github/{HERE}", id="npm install"),
        pytest.param(
            "lib/node_modules/@github/copilot",
            f"lib/node_modules/@github/copilot/node_modules/@github/{HERE}",
            id="npm install -g",
        ),
        pytest.param(
            "node_modules/.pnpm/@github+copilot@1/node_modules/@github/copilot",
            f"node_modules/.pnpm/@github+copilot@1/node_modules/@github/{HERE}",
            id="pnpm add",
        ),
    ],
)
def test_copilots_worker_is_started_in_place_of_its_launcher(tmp_path: Path, package: str, worker: str) -> None:
    """The launcher dies of a signal and leaves its worker behind (1.0.102)."""
    launcher = executable(tmp_path / package / "npm-loader.js")
    program = tmp_path / "bin" / "copilot"
    program.parent.mkdir()
    program.symlink_to(launcher)
    assert native(BUILT_IN["copilot"], str(program)) == str(program)  # no worker for this machine: as it is
    found = executable(tmp_path / worker / "copilot")
    assert native(BUILT_IN["copilot"], str(program)) == str(found)
    found.chmod(0o644)
    assert native(BUILT_IN["copilot"], str(program)) == str(program)


def executable(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.write_text("")
    path.chmod(0o755)
    return path
