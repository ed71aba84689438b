"""From settings to a start: the binary that a program of npm's only launches."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ralph_wiggum.adapters.agents.launch import (
    NODE_ARCHITECTURES,
    CannotStart,
    files_folder,
    native,
    own_environment,
    prepare,
)
from ralph_wiggum.core.agents import BUILT_IN
from ralph_wiggum.core.settings import AgentSettings, Limits
from ralph_wiggum.ports import AgentRequest

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


def test_files_of_the_settings_are_written_for_each_attempt_and_named_in_its_environment(tmp_path: Path) -> None:
    """Qwen rewrites the file that it is pointed at (0.15), so each attempt has one of its own."""
    agent = AgentSettings(
        name="mine",
        command=("sh", "{files}/a.txt"),
        files={"a.txt": "one\n", "b.json": "{}"},
        env={"SETTINGS": "{files}/b.json", "PLAIN": "x"},
    )
    request = asked(tmp_path)
    launch = prepare(agent, request, {"PATH": "/usr/bin:/bin"})
    folder = files_folder(request)
    assert launch.argv[1:] == (f"{folder}/a.txt",)
    assert launch.env["SETTINGS"] == f"{folder}/b.json"
    (folder / "a.txt").write_text("changed by the program")
    prepare(agent, request, {"PATH": "/usr/bin:/bin"})
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"a.txt": "one\n", "b.json": "{}"}
    outside = own_environment(agent, {})
    assert outside == {"PLAIN": "x"}, "where there is no attempt there is no such file"


def test_files_that_cannot_be_written_are_said(tmp_path: Path) -> None:
    agent = AgentSettings(name="mine", command=("sh",), files={"a": "x"})
    request = asked(tmp_path)
    request.prompt_file.parent.mkdir(parents=True)
    files_folder(request).write_text("in the way")
    with pytest.raises(CannotStart, match=r"cannot write agents\.mine\.files to .*: File exists"):
        prepare(agent, request, {"PATH": "/usr/bin:/bin"})


def asked(folder: Path) -> AgentRequest:
    (folder / "work").mkdir()
    return AgentRequest(
        prompt="do it",
        cwd=folder / "work",
        env={},
        limits=Limits(),
        log=folder / "logs" / "1-1.log",
        prompt_file=folder / "prompts" / "1-1.md",
    )
