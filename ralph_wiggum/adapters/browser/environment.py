"""The environment that agent-browser runs in: a session of our own, whatever the person's own settings say."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ralph_wiggum.adapters.process_table import MARK
from ralph_wiggum.core.settings import VisualSettings

IDLE_SECONDS = 300.0  # after which a daemon that everybody forgot ends by itself

# Chromium that asks nothing, reports nothing and downloads nothing.
_QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_KEPT = frozenset(  # of the person's AGENT_BROWSER_*: how to get through to pages, and how they are to look
    {
        *("PROXY", "PROXY_BYPASS", "CA_CERT", "USE_SYSTEM_CA", "IGNORE_HTTPS_ERRORS", "COLOR_SCHEME", "USER_AGENT"),
        *("ENCRYPTION_KEY", "HIDE_SCROLLBARS", "WEBGPU", "ALLOW_FILE_ACCESS"),
    }
)
_PREFIX = "AGENT_BROWSER_"
_LOCAL = ("localhost", "127.0.0.1", "::1")


def environment(
    env: Mapping[str, str], settings: VisualSettings, folder: Path, *, browser: str, session: str, mark: str
) -> dict[str, str]:
    """Return the whole environment of a session's commands, and so of its daemon and its Chromium.

    `folder` is private and short of name: sockets lie there, and Chromium's profile. `mark` is RALPH_RUN_ID. The
    names are those of agent-browser 0.27 and 0.41 (`agent-browser --help`).
    """
    kept = {
        name: value
        for name, value in env.items()
        if not name.startswith(_PREFIX) or name.removeprefix(_PREFIX) in _KEPT
    }
    no_proxy = _bypass(env.get("no_proxy") or env.get("NO_PROXY", ""))
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()  # Chromium refuses to start as root with one
    ours = {
        "SESSION": session,
        "SOCKET_DIR": str(folder),
        "CONFIG": str(config_of(folder)),
        "SCREENSHOT_DIR": str(folder),
        "DOWNLOAD_PATH": str(folder),
        "IDLE_TIMEOUT_MS": f"{IDLE_SECONDS * 1000:.0f}",
        "DEFAULT_TIMEOUT": f"{settings.timeout * 1000:.0f}",
        "NO_VERSION_CHECK": "1",
        "ARGS": ",".join((*sandbox, *_QUIET, *settings.browser_args)),
        **({"EXECUTABLE_PATH": browser} if browser else {}),
    }
    return {
        **kept,
        **{f"{_PREFIX}{name}": value for name, value in ours.items()},
        MARK: mark,
        "TMPDIR": str(folder),
        "NO_COLOR": "1",
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
    }


def config_of(folder: Path) -> Path:
    """Return the settings file that takes the place of those that agent-browser would look for.

    A project's own agent-browser.json may say anything (0.27 takes even `cdp` from it), and agents write files.
    """
    return folder / "config.json"


def _bypass(given: str) -> str:
    hosts = [host for host in given.split(",") if host]
    return ",".join([*hosts, *(host for host in _LOCAL if host not in hosts)])
