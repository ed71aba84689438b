"""Where agent-browser and Chromium are looked for, and what is said where they are not."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

import pytest

from ralph_wiggum.adapters.browser.tool import Tool, find, native
from ralph_wiggum.core.settings import VisualSettings


def program(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


def env(tmp_path: Path, **more: str) -> dict[str, str]:
    return {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path / "home"), **more}


def test_both_on_path(root: Path, tmp_path: Path) -> None:
    tool = program(tmp_path / "bin" / "agent-browser")
    chromium = program(tmp_path / "bin" / "chromium-browser")
    assert find(VisualSettings(), root, env(tmp_path)) == Tool(program=tool, browser=chromium)


def test_the_projects_own_comes_before_that_on_path(root: Path, tmp_path: Path) -> None:
    program(tmp_path / "bin" / "agent-browser")
    program(tmp_path / "bin" / "chromium")
    (root / "frontend").mkdir()
    (root / "frontend" / "package.json").write_text("{}")
    frontend = program(root / "frontend" / "node_modules" / ".bin" / "agent-browser")
    assert find(VisualSettings(), root, env(tmp_path)).program == frontend
    own = program(root / "node_modules" / ".bin" / "agent-browser")
    assert find(VisualSettings(), root, env(tmp_path)).program == own


def test_a_folder_that_is_no_package_is_left_alone(root: Path, tmp_path: Path) -> None:
    program(root / "old" / "node_modules" / ".bin" / "agent-browser")
    assert find(VisualSettings(), root, env(tmp_path)).program == ""


@pytest.mark.parametrize("named", ["tools/agent-browser", "./tools/agent-browser"])
def test_a_path_counts_from_the_project(root: Path, tmp_path: Path, named: str) -> None:
    program(root / "tools" / "agent-browser")
    program(tmp_path / "bin" / "chromium")
    assert Path(find(VisualSettings(tool=named), root, env(tmp_path)).program) == root / "tools" / "agent-browser"


def test_what_is_missing_is_said_with_how_to_install_it(root: Path, tmp_path: Path) -> None:
    nothing = find(VisualSettings(), root, env(tmp_path))
    assert nothing.missing == ("agent-browser is not installed: npm install -g agent-browser && agent-browser install")
    assert find(VisualSettings(tool="./x/agent-browser"), root, env(tmp_path)).missing == (
        "visual_validation.tool is ./x/agent-browser, and no program is there"
    )
    program(tmp_path / "bin" / "agent-browser")
    missing = find(VisualSettings(), root, env(tmp_path)).missing
    if sys.platform == "linux":
        assert missing == (
            "no Chromium or Chrome for agent-browser: agent-browser install (or: apt install chromium), "
            "or name one under visual_validation.browser"
        )
    assert find(VisualSettings(browser="/opt/no/chrome"), root, env(tmp_path)).missing == (
        "visual_validation.browser is /opt/no/chrome, and no program is there"
    )


def test_it_may_be_installed_meanwhile(root: Path, tmp_path: Path) -> None:
    assert find(VisualSettings(), root, env(tmp_path)).missing
    program(tmp_path / "bin" / "agent-browser")
    program(tmp_path / "bin" / "google-chrome")
    assert not find(VisualSettings(), root, env(tmp_path)).missing


@pytest.mark.parametrize("folder", [".agent-browser/browsers/chrome-142.0", ".cache/puppeteer/chrome/linux-142"])
def test_a_browser_that_agent_browser_finds_is_left_to_it(root: Path, tmp_path: Path, folder: str) -> None:
    program(tmp_path / "bin" / "agent-browser")
    program(tmp_path / "bin" / "chromium")
    (tmp_path / "home" / folder).mkdir(parents=True)
    found = find(VisualSettings(), root, env(tmp_path))
    assert (found.browser, found.missing) == ("", "")


def test_a_browser_that_is_named_comes_first(root: Path, tmp_path: Path) -> None:
    program(tmp_path / "bin" / "agent-browser")
    program(tmp_path / "bin" / "chromium")
    given = program(tmp_path / "given")
    named = program(tmp_path / "bin" / "my-chrome")
    environ = env(tmp_path, AGENT_BROWSER_EXECUTABLE_PATH=given)
    assert find(VisualSettings(), root, environ).browser == given
    assert find(VisualSettings(browser=named), root, environ).browser == named
    assert find(VisualSettings(browser="my-chrome"), root, environ).browser == named
    gone = env(tmp_path, AGENT_BROWSER_EXECUTABLE_PATH=str(tmp_path / "gone"))
    assert find(VisualSettings(), root, gone).browser.endswith("/chromium")


@pytest.mark.skipif(sys.platform != "linux" or platform.machine() != "x86_64", reason="names are by platform")
def test_the_program_behind_the_npm_launcher_is_run_itself(tmp_path: Path) -> None:
    launcher = Path(program(tmp_path / "agent-browser" / "bin" / "agent-browser.js"))
    link = tmp_path / ".bin" / "agent-browser"
    link.parent.mkdir()
    link.symlink_to(os.path.relpath(launcher, link.parent))
    assert native(str(link)) == str(link)
    binary = program(launcher.with_name("agent-browser-linux-x64"))
    assert native(str(link)) in {binary, str(link)}  # musl has another name
    assert native(binary) == binary
