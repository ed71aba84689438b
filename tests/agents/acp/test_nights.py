"""Whole nights of agents that speak the Agent Client Protocol (O11, O16, O20, B1)."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from tests.night.conftest import Make, make
from tests.night.project import THREE, Project
from tests.night.test_provider_nights import PLAIN, held

__all__ = ["make"]

pytestmark = pytest.mark.night

AGENT = Path(__file__).with_name("agent.py")
ONE = "- [ ] 1. One\n"


def speaks(project: Project, script: str, *others: str, **settings: Any) -> None:
    """Let the run ask an agent that does what a script says, then others."""
    path = project.play / "script.py"
    path.write_text(f"PLAY = {str(project.play)!r}\nimport os, time\n{dedent(script)}", encoding="utf-8")
    player = [sys.executable, "-I", "-S", str(AGENT.parents[2] / "night" / "agents" / "player.py"), str(project.play)]
    agents = {
        "mine": {"command": [sys.executable, str(AGENT), str(path)], "driver": "acp"},
        "player": {"command": player},
    }
    project.settings(agent=["mine", *others], agents=agents, **settings)


def test_a_night_of_tasks_is_done(make: Make) -> None:
    project = make(THREE)
    speaks(
        project,
        r"""
        def prompt(params):
            key = os.environ["RALPH_TASK_ID"]
            output, ended = run(f"mkdir -p done && echo {key} > done/{key}.txt && cat done/{key}.txt")
            assert (output, ended["exitCode"]) == (key + "\n", 0)
            tasks = call("fs/read_text_file", path=os.path.abspath(".kiro/specs/demo/tasks.md"))["content"]
            written = tried("fs/write_text_file", path=os.path.abspath(".kiro/specs/demo/tasks.md"), content=tasks.replace("[ ]", "[x]"))
            assert "is kept by the runner" in written
            assert "is kept by the runner" in tried("fs/write_text_file", path=os.path.abspath(".ralph/demo/journal.jsonl"), content="")
            call("fs/write_text_file", path=os.path.abspath("src/" + key + ".txt"), content="written")
            return complete(f"Did {key}.")
        """,
    )
    result = project.night()
    assert (result.code, project.states()) == (0, "xxx"), result.out + result.err
    assert project.task_commits() == ["1", "2", "3"]
    assert {path for path in project.tree() if path.endswith("3.txt")} == {"done/3.txt", "src/3.txt"}
    assert [entry["session"] for entry in project.journal("ended")] == ["s-1"] * 3
    project.sound()


def test_a_session_that_is_gone_costs_no_attempt(make: Make) -> None:
    project = make(ONE)
    speaks(
        project,
        """
        def prompt(params):
            count = len(os.listdir(PLAY))
            open(f"{PLAY}/run-{count}", "w").close()
            if not os.path.exists(f"{PLAY}/half"):
                open(f"{PLAY}/half", "w").close()
                open("half.txt", "w").close()
                say("I am not sure.")
                return "end_turn"
            open("whole.txt", "w").close()
            return complete()
        """,
        retry_session="resume",
    )
    result = project.night()
    assert (result.code, project.states()) == (0, "x"), result.out + result.err
    assert [entry.get("resumes", "") for entry in project.journal("started")] == ["", "s-1", ""]
    assert [entry.get("cause", "") for entry in project.journal("ended")] == ["", "session lost", ""]
    project.sound()


def test_a_limit_hands_the_task_to_the_next_agent(make: Make) -> None:
    project = make(ONE)
    project.plays({"1": [PLAIN]})
    error = "raise Refusal(-32603, 'Internal error', {'codex_error_info': 'usage_limit_exceeded', 'message': 'You have hit your usage limit.'})"
    speaks(project, f"def prompt(params):\n    {error}", "player")
    result = project.night()
    assert (result.code, project.states()) == (0, "x"), result.out + result.err
    assert [(entry["agent"], entry["cause"]) for entry in held(project)] == [("mine", "usage limit")]
    project.sound()


def test_an_interrupted_turn_is_cancelled_and_done_again(make: Make) -> None:
    project = make(ONE)
    speaks(
        project,
        """
        import signal
        def prompt(params):
            open("made.txt", "w").close()
            if os.path.exists(f"{PLAY}/again"):
                return complete()
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            open(f"{PLAY}/again", "w").close()
            while not cancelled:
                receive()
            open(f"{PLAY}/cancelled", "w").close()
            return complete()
        """,
    )
    process = project.command("overnight", "demo")
    end = time.monotonic() + 60
    while not (project.play / "again").exists():
        assert time.monotonic() < end, "the agent has not begun"
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    assert project.finish(process).code == 143
    assert ((project.play / "cancelled").exists(), project.states()) == (True, "-")
    project.nothing_left()
    assert (project.night().code, project.states()) == (0, "x")
    project.sound()
