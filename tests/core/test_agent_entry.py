"""One agent in detail, and its entry in the settings: read back it is the same agent (O11, O34)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ralph_wiggum.adapters.settings_yaml import parse
from ralph_wiggum.core.agent_entry import as_entry, details
from ralph_wiggum.core.agent_report import Row
from ralph_wiggum.core.agents import BUILT_IN, DIALECTS
from ralph_wiggum.core.layers import Layer, merge
from ralph_wiggum.core.login import Login, Readiness
from ralph_wiggum.core.settings import AgentSettings, Prices


def read(entry: Mapping[str, object]) -> Mapping[str, AgentSettings]:
    """Return the agents of settings that hold only this under `agents:`."""
    return merge([Layer(source="here", data={"agents": entry})]).agents


def through_yaml(agent: AgentSettings) -> AgentSettings:
    text = yaml.safe_dump({"agents": as_entry(agent)}, sort_keys=False, default_flow_style=None)
    return merge([parse(text, "here")]).agents[agent.name]


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_entry_of_a_built_in_agent_makes_that_agent(name: str) -> None:
    assert through_yaml(BUILT_IN[name]) == BUILT_IN[name]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"args": ["--model", "x"]}, id="arguments"),
        pytest.param({"command": ["claude", "-p"]}, id="another call of the program: it does not resume any more"),
        pytest.param({"command": ["wrapper.sh"]}, id="another program: what told of the old one is gone"),
        pytest.param({"command": ["wrapper.sh"], "login": ["wrapper.sh", "who"], "version": "wrapper.sh -v"}, id="with commands of its own"),
        pytest.param({"env": {"CLAUDE_CODE_MAX_RETRIES": "2"}, "root_env": {"A": 1}}, id="more variables"),
        pytest.param({"env": {}, "root_env": {}, "credentials": []}, id="what the built-in one has is taken away"),
        pytest.param({"dialect": "text", "driver": "pty", "prompt": "tty"}, id="another driver"),
        pytest.param({"driver": "acp", "permissions": "allow"}, id="acp"),
        pytest.param({"answers": {"Trust\\?": "y", "Delete": None, "Go": ""}}, id="answers"),
        pytest.param({"prices": {"input": 0, "output": 2.5}}, id="prices"),
        pytest.param({"minimum_version": "2.10", "hosts": ["a.example.com"]}, id="a version that YAML would read as a number"),
    ],
)  # fmt: skip
def test_the_entry_of_a_changed_agent_makes_it_again(changes: dict[str, object]) -> None:
    agent = read({"claude": changes})["claude"]
    assert agent != BUILT_IN["claude"]
    assert through_yaml(agent) == agent


@pytest.mark.parametrize("name", [name for name, agent in BUILT_IN.items() if agent.env])
def test_a_variable_of_a_persons_own_leaves_those_that_the_built_in_agent_needs(name: str) -> None:
    """Without them gemini hears no signal, and mini asks for a model, of nobody."""
    first = next(iter(BUILT_IN[name].env))
    changed = read({name: {"env": {"MODEL": "x", first: "mine"}}})[name]
    assert changed.env == {**BUILT_IN[name].env, "MODEL": "x", first: "mine"}
    assert changed.root_env == BUILT_IN[name].root_env
    assert read({name: {"env": {}}})[name].env == {}


def test_an_agent_of_ones_own_says_no_more_than_it_must() -> None:
    agent = read({"mine": {"command": ["my-agent", "{prompt_file}"], "prompt": "file"}})["mine"]
    assert as_entry(agent) == {"mine": {"command": ["my-agent", "{prompt_file}"], "prompt": "file"}}
    priced = AgentSettings(name="mine", command=("x",), prices=Prices(input=0.0, output=1.0, cached=0.5))
    assert as_entry(priced)["mine"]["prices"] == {"input": 0.0, "output": 1.0, "cached": 0.5}


_words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip)
_commands = st.lists(_words, min_size=1, max_size=4)
_values = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]))
_entries: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"command": _commands, "prompt": st.just("stdin")},
    optional={
        "args": _commands,
        "resume": _commands,
        "turn_limit": _commands,
        "native": st.lists(_words, max_size=2),
        "env": st.dictionaries(_words, _values),
        "root_env": st.dictionaries(_words, st.integers()),
        "answers": st.dictionaries(_words.map(re.escape), st.none() | _words),
        "dialect": st.sampled_from([each for each in DIALECTS if each != "acp"]),
        "login": _commands,
        "credentials": st.lists(_words, max_size=2),
        "minimum_version": st.sampled_from(["1", "2.0", "0.10.1", "1.10"]),
        "install_hint": _words,
        "prompt_key": _words,
    },
)


@given(st.sampled_from(["mine", "on", "1.0", "claude", "mini"]), _entries)
def test_whatever_entry_a_person_writes_comes_back_as_the_same_agent(name: str, entry: dict[str, Any]) -> None:
    agent = read({name: entry})[name]
    assert through_yaml(agent) == agent


def test_details_name_all_and_never_tell_the_value_of_a_variable() -> None:
    agent = read({"claude": {"env": {"ANTHROPIC_API_KEY": "sk-secret"}, "credentials": ["ANTHROPIC_API_KEY", "~/.x"]}})[
        "claude"
    ]
    known = Readiness(agent="claude", installed=True, login=Login.YES, by="ANTHROPIC_API_KEY", version="2.1")
    found = Row(agent=agent, readiness=known, path="/usr/bin/claude", place=2)
    text = "\n".join(details(found, ("/usr/bin/claude", "-p"), lambda each: each != "~/.x", 500, colour=False))
    for wanted in (
        "Program        /usr/bin/claude",
        "Version        2.1 (2.0 or newer is needed)",
        "Login          by ANTHROPIC_API_KEY",
        "Default        number 2",
        "Called as      /usr/bin/claude -p",
        "--resume '{session}'",
        "Turn limit     --max-turns '{turns}'",
        "Environment    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC, ANTHROPIC_API_KEY, IS_SANDBOX (as root)",
        "Credentials    ANTHROPIC_API_KEY (there), ~/.x (not there)",
        "Asks login by  claude auth status --json",
        "Docs           https://",
    ):
        assert wanted in text
    assert "sk-secret" not in text


@pytest.mark.parametrize("name", BUILT_IN)
@pytest.mark.parametrize("width", [20, 50, 80])
def test_details_fit_every_width(name: str, width: int) -> None:
    absent = Readiness(agent=name, installed=False, words="not there", hint="get it")
    lines = details(Row(agent=BUILT_IN[name], readiness=absent), ("x",), lambda _each: False, width, colour=False)
    assert max(map(len, lines)) <= width
    assert any("not" in line for line in lines)
