"""Where agent-browser and its Chromium are, and what to install where they are not."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ralph_wiggum.core.settings import VisualSettings

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
# Where agent-browser looks by itself (its own downloads, Puppeteer's, Playwright's), below the home folder.
_DOWNLOADS = (
    ".agent-browser/browsers",
    ".cache/puppeteer/chrome",
    ".cache/ms-playwright",
    "Library/Caches/ms-playwright",
)
_NO_TOOL = "agent-browser is not installed: npm install -g agent-browser && agent-browser install"
_NO_BROWSER = (
    "no Chromium or Chrome for agent-browser: agent-browser install (or: {other}), "
    "or name one under visual_validation.browser"
)
_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """What is there. `browser` is "" where agent-browser finds one by itself; `missing` says what is not there."""

    program: str = ""
    browser: str = ""
    missing: str = ""


def find(settings: VisualSettings, root: Path, env: Mapping[str, str]) -> Tool:
    """Look for agent-browser and for a Chromium, as they are now: somebody may be installing them."""
    program = _program(settings.tool, root, env)
    if not program:
        named = settings.tool if "/" in settings.tool else ""
        return Tool(missing=f"visual_validation.tool is {named}, and no program is there" if named else _NO_TOOL)
    browser = _browser(settings.browser, root, env)
    if browser is None:
        if settings.browser:
            return Tool(missing=f"visual_validation.browser is {settings.browser}, and no program is there")
        other = "brew install --cask chromium" if sys.platform == "darwin" else "apt install chromium"
        return Tool(missing=_NO_BROWSER.format(other=other))
    return Tool(program=native(program), browser=browser)


def native(program: str) -> str:
    """Return the program that the launcher of the npm package starts: 2 ms for each command instead of Node's 160.

    Names are those of the package's bin folder (agent-browser 0.27 to 0.41); where there is none, the launcher will do.
    """
    launcher = Path(os.path.realpath(program))
    system = "linux-musl" if sys.platform == "linux" and any(Path("/lib").glob("ld-musl-*")) else sys.platform
    machine = _MACHINES.get(platform.machine().lower(), "")
    binary = launcher.with_name(f"agent-browser-{system}-{machine}")
    return str(binary) if launcher.name == "agent-browser.js" and _runs(binary) else program


def _program(named: str, root: Path, env: Mapping[str, str]) -> str:
    if "/" in named:
        path = root / Path(named).expanduser()
        return str(path) if _runs(path) else ""
    for folder in _packages(root):
        path = folder / "node_modules" / ".bin" / named
        if _runs(path):
            return str(path)
    return shutil.which(named, path=env.get("PATH", "")) or ""


def _packages(root: Path) -> Iterator[Path]:
    """Yield the project's root and the folders right below it that are npm packages (frontend/)."""
    yield root
    try:
        folders = sorted(path for path in root.iterdir() if not path.name.startswith("."))
    except OSError:
        return
    yield from (path for path in folders if (path / "package.json").is_file())


def _browser(named: str, root: Path, env: Mapping[str, str]) -> str | None:
    """Return a browser's path, "" where agent-browser has one of its own, None for none at all."""
    if named:
        path = root / Path(named).expanduser()
        found = str(path) if _runs(path) else shutil.which(named, path=env.get("PATH", ""))
        return found or None
    given = env.get("AGENT_BROWSER_EXECUTABLE_PATH", "")
    if given and _runs(Path(given)):
        return given
    home = Path(env.get("HOME") or Path.home())
    if any(_holds_something(home / folder) for folder in _DOWNLOADS):
        return ""
    on_path = (shutil.which(name, path=env.get("PATH", "")) for name in CHROMIUMS)
    applications = (path for path in _APPLICATIONS if sys.platform == "darwin" and _runs(Path(path)))
    return next((path for path in (*on_path, *applications) if path), None)


def _holds_something(folder: Path) -> bool:
    try:
        return any(path.is_dir() for path in folder.iterdir())
    except OSError:
        return False


def _runs(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
