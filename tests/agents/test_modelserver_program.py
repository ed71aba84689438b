"""The model server for a person: setups of the CLIs and the command itself."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.modelserver import MODES
from tests.modelserver.probe import DEADLINE_SECONDS, ask
from tests.modelserver.setups import RECIPES, described, setup

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("agent", sorted(RECIPES))
def test_a_setup_points_a_cli_at_the_server_and_nowhere_else(agent: str, tmp_path: Path) -> None:
    base = "http://127.0.0.1:8765/s/ok"
    made = setup(agent, tmp_path, base)
    written = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    everything = "\n".join([*made.env.values(), *written])
    assert base in everything
    assert "$" not in everything
    assert set(re.findall(r"https?://[^/\"\s]+", everything)) == {"http://127.0.0.1:8765"}
    assert made.env["HOME"] == str(tmp_path)
    for text in written:
        if text.startswith("{"):
            json.loads(text)
    shown = described(agent, base)
    assert shown.startswith(f"{agent}:\n")
    assert base in shown


def test_a_claude_subscription_has_a_token_in_place_of_a_key(tmp_path: Path) -> None:
    env = setup("claude", tmp_path, "http://127.0.0.1:1", subscription=True).env
    assert "ANTHROPIC_API_KEY" not in env
    assert env["CLAUDE_CODE_OAUTH_TOKEN"]


def program(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.modelserver", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "kill"])
def test_a_person_can_start_it_and_end_it(ending: signal.Signals) -> None:
    with program("--port", "0", "--mode", "429,n=1") as server:
        assert server.stdout
        first = server.stdout.readline()
        found = re.search(r"at (http://127\.0\.0\.1:\d+/s/429,n=1),", first)
        assert found
        try:
            assert ask("anthropic", found[1], streamed=True).status == 429
            assert ask("anthropic", found[1], streamed=True).status == 200
        finally:
            server.send_signal(ending)
            assert server.stderr
            out, err = server.stdout.read(), server.stderr.read()  # communicate() knows nothing of what readline() took
            server.wait(timeout=DEADLINE_SECONDS)
    assert (server.returncode, err) == (0, "")
    assert all(f"{agent}:\n" in out for agent in RECIPES)


def test_help_names_every_mode_and_every_parameter() -> None:
    with program("--help") as helped:
        out, _ = helped.communicate(timeout=DEADLINE_SECONDS)
    assert all(re.search(rf"^  {mode} ", out, re.MULTILINE) for mode in MODES)
    assert all(f"{name}=" in out for name in ("first", "n", "after", "reset", "seconds", "delay", "id"))


@pytest.mark.parametrize("mode", ["nonsense", "ok,colour=red"])
def test_a_wrong_mode_is_said_and_nothing_is_served(mode: str) -> None:
    with program("--port", "0", "--mode", mode) as wrong:
        out, err = wrong.communicate(timeout=DEADLINE_SECONDS)
    assert (wrong.returncode, out) == (2, "")
    assert err.startswith("modelserver: unknown ")
