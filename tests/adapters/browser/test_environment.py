"""The environment of a session: the person's own settings of agent-browser do not reach it."""

from __future__ import annotations

import os
from pathlib import Path

from ralph_wiggum.adapters.browser.environment import environment
from ralph_wiggum.core.settings import VisualSettings

FOLDER = Path("/tmp/ralph-x")


def env(
    given: dict[str, str], settings: VisualSettings | None = None, browser: str = "/usr/bin/chromium"
) -> dict[str, str]:
    return environment(
        given, settings or VisualSettings(), FOLDER, browser=browser, session="ralph-1", mark="run/browser"
    )


def test_the_session_is_the_runners_own() -> None:
    found = env({"HOME": "/home/me", "PATH": "/bin"}, VisualSettings(timeout=12.5, browser_args=("--lang=de",)))
    assert found["AGENT_BROWSER_SESSION"] == "ralph-1"
    assert found["AGENT_BROWSER_SOCKET_DIR"] == found["TMPDIR"] == str(FOLDER)
    assert found["AGENT_BROWSER_CONFIG"] == str(FOLDER / "config.json")
    assert found["AGENT_BROWSER_IDLE_TIMEOUT_MS"] == "300000"
    assert found["AGENT_BROWSER_DEFAULT_TIMEOUT"] == "12500"
    assert found["AGENT_BROWSER_EXECUTABLE_PATH"] == "/usr/bin/chromium"
    assert found["RALPH_RUN_ID"] == "run/browser"
    arguments = found["AGENT_BROWSER_ARGS"].split(",")
    assert arguments[-1] == "--lang=de"
    assert ("--no-sandbox" in arguments) is (os.geteuid() == 0)
    assert (found["HOME"], found["PATH"]) == ("/home/me", "/bin")


def test_what_would_lead_to_another_browser_is_taken_out() -> None:
    hostile = ("CDP", "AUTO_CONNECT", "PROFILE", "RESTORE", "SESSION_NAME", "NAMESPACE", "HEADED", "PROVIDER", "STATE")
    more = ("CONFIRM_ACTIONS", "CONFIRM_INTERACTIVE", "ACTION_POLICY", "ALLOWED_DOMAINS", "EXTENSIONS", "JSON", "DEBUG")
    given = {f"AGENT_BROWSER_{name}": "1" for name in (*hostile, *more)}
    assert not given.keys() & env(given).keys()


def test_ways_through_the_network_are_kept() -> None:
    given = {"AGENT_BROWSER_PROXY": "http://proxy:1", "HTTPS_PROXY": "http://proxy:1", "AGENT_BROWSER_CA_CERT": "/ca"}
    assert given.items() <= env(given).items()


def test_no_proxy_stands_between_the_browser_and_this_machine() -> None:
    assert env({})["NO_PROXY"] == "localhost,127.0.0.1,::1"
    found = env({"NO_PROXY": "internal,localhost"})
    assert found["NO_PROXY"] == found["no_proxy"] == "internal,localhost,127.0.0.1,::1"
    assert env({"no_proxy": "lower", "NO_PROXY": "upper"})["NO_PROXY"].startswith("lower,")


def test_a_browser_that_the_tool_finds_by_itself_is_not_named() -> None:
    assert "AGENT_BROWSER_EXECUTABLE_PATH" not in env({"AGENT_BROWSER_EXECUTABLE_PATH": "/gone"}, browser="")
