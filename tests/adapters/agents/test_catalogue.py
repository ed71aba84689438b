"""The agents that are built in, and what is refused (design part 2, Agents built in)."""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from ralph_wiggum.adapters.agents.catalogue import available, build
from ralph_wiggum.adapters.agents.pipe import PipeAgent
from ralph_wiggum.adapters.agents.pty import PtyAgent
from ralph_wiggum.adapters.process import Family
from ralph_wiggum.core.agents import BUILT_IN, DIALECTS, ORDER
from ralph_wiggum.core.dialects import table
from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.settings import AgentSettings
from tests.adapters.agents.conftest import Ask, Program, Watching

MINE = AgentSettings(name="mine", command=("mine",))


def test_the_contract_names_each_agent_once() -> None:
    assert set(BUILT_IN) == {
        "shell",
        "kiro",
        "claude",
        "codex",
        "opencode",
        "gemini",
        "qwen",
        "copilot",
        "mini",
        "aider",
    }
    assert {*ORDER, "shell"} == set(BUILT_IN), "shell runs the blocks of tasks and is only taken where it was asked for"
    assert all(asdict(agent)["name"] == name for name, agent in BUILT_IN.items()), "plain values all through"


@pytest.mark.parametrize(("name", "kind"), [("shell", PipeAgent), ("claude", PipeAgent), ("kiro", PtyAgent)])
def test_every_built_in_agent_can_be_built(family: Family, name: str, kind: type[object]) -> None:
    agent = build(BUILT_IN[name], family)
    assert isinstance(agent, kind)
    assert agent.name == name


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        pytest.param(replace(MINE, driver="soap"), r"agents\.mine\.driver: there is no 'soap'", id="driver"),
        pytest.param(replace(MINE, prompt="tty"), r"agents\.mine\.prompt: 'tty' cannot be with driver pipe", id="typed into a pipe"),
        pytest.param(replace(MINE, driver="pty", prompt="arg"), r"agents\.mine\.prompt: 'arg'", id="prompt as an argument"),
        pytest.param(replace(MINE, dialect="json"), r"agents\.mine\.dialect: there is no 'json'", id="dialect"),
        pytest.param(replace(MINE, dialect="codex", driver="pty"), r"agents\.mine\.dialect: codex cannot be with driver pty", id="events on a terminal"),
        pytest.param(replace(MINE, command=()), r"agents\.mine\.command is empty", id="no command"),
        pytest.param(replace(MINE, driver="pty", answers=(("(", "y"),)), r"agents\.mine\.answers", id="a bad pattern"),
    ],
)  # fmt: skip
def test_what_cannot_be_built_is_an_error_with_its_key_path(
    family: Family, settings: AgentSettings, message: str
) -> None:
    with pytest.raises(RalphError, match=message) as caught:
        build(settings, family)
    assert caught.value.hint


def test_available_looks_where_it_is_told(tmp_path: Path) -> None:
    program = tmp_path / "kiro-cli"
    program.write_text("#!/bin/sh\n")
    assert not available(BUILT_IN["kiro"], str(tmp_path)), "it is not executable yet"
    program.chmod(0o755)
    assert available(BUILT_IN["kiro"], str(tmp_path))
    assert not available(BUILT_IN["claude"], str(tmp_path))
    assert available(BUILT_IN["shell"], ""), "it needs nothing installed"


def test_claude_gets_its_prompt_on_standard_input_and_may_work_as_root(
    family: Family, program: Program, ask: Ask, tmp_path: Path
) -> None:
    code = """
        import json, os, sys
        words = [*sys.argv[1:], os.environ.get("IS_SANDBOX"), os.environ["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"]]
        said = " ".join(map(str, words)) + "\\n" + sys.stdin.read()
        print(json.dumps({"type": "result", "subtype": "success", "is_error": False, "result": said}))
    """
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "claude").symlink_to(program(code))
    request = ask("TASK_COMPLETE", env={"PATH": str(tmp_path / "bin")})
    outcome = build(BUILT_IN["claude"], family).run(request, Watching())
    sandbox = "1" if os.geteuid() == 0 else None
    options = "-p --output-format stream-json --verbose --dangerously-skip-permissions"
    assert outcome.message == f"{options} {sandbox} 1\nTASK_COMPLETE"
    assert outcome.completed is True


def test_login_commands_belong_to_the_program_and_say_what_only_new_versions_know() -> None:
    """An old Claude Code takes `auth status` for a prompt and asks the model; with --json it refuses (tried)."""
    assert BUILT_IN["claude"].login == ("claude", "auth", "status", "--json")
    for agent in BUILT_IN.values():
        assert not agent.login or agent.login[0] == agent.command[0]
        assert agent.dialect in DIALECTS


def test_the_names_of_the_dialects_are_those_that_can_be_read() -> None:
    assert set(DIALECTS) == {"text", *table.DIALECTS, *table.TEXTS}
